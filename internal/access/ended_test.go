package access_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// oauthTokenOf puts an access token of a user into the record, with a device of theirs that was let in and waits.
func oauthTokenOf(t testing.TB, s *storetest.Store, userID string, now time.Time) blueberry.OAuthToken {
	t.Helper()
	id := blueberry.NewID(blueberry.TokenID, now)
	k := blueberry.OAuthToken{
		ID: id, Hash: []byte(id), Kind: blueberry.OAuthAccess, Family: "gnt_" + id, ClientID: "cli_1", UserID: userID, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.OAuthClient(t.Context(), "cli_1"); err != nil {
			if err := tx.PutOAuthClient(t.Context(), blueberry.OAuthClient{ID: "cli_1", Name: "console"}); err != nil {
				return err
			}
		}
		return errors.Join(tx.InsertOAuthToken(t.Context(), k), tx.InsertDevice(t.Context(), blueberry.DeviceAuthorization{
			ID: "gnt_" + id, DeviceHash: []byte(id), UserCodeHash: []byte(id), ClientID: "cli_1", UserID: userID, Status: blueberry.DeviceApproved, ExpiresAt: now.Add(time.Hour),
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// oauthLives reports whether a token, or its device, still gives something.
func oauthLives(t testing.TB, s *storetest.Store, k blueberry.OAuthToken, now time.Time) bool {
	t.Helper()
	lives := false
	err := s.View(t.Context(), func(tx *store.Tx) error {
		found, err := tx.OAuthTokenByHash(t.Context(), k.Kind, k.Hash)
		if err != nil {
			return err
		}
		d, err := tx.DeviceByCode(t.Context(), k.Hash)
		lives = found.Live(now) || d.Status == blueberry.DeviceApproved
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lives
}

// TestOAuthTokensEnd: who loses their account, or how they prove themselves, loses what programs have of it.
func TestOAuthTokensEnd(t *testing.T) {
	t.Parallel()
	status := func(s blueberry.UserStatus) func(*town, string) error {
		return func(w *town, id string) error {
			_, err := w.UpdateUser(t.Context(), root, id, access.UserChange{Status: to(s)}, 0)
			return err
		}
	}
	for name, end := range map[string]func(w *town, id string) error{
		"a reset by an admin": func(w *town, id string) error { _, err := w.ResetUser(t.Context(), root, id); return err },
		"a deactivation":      status(blueberry.UserInactive),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			ada, bob := w.person(t, "ada@example.com", nil), w.person(t, "bob@example.com", nil)
			hers, his := oauthTokenOf(t, w.store, ada.UserID, w.clock.now()), oauthTokenOf(t, w.store, bob.UserID, w.clock.now())
			w.clock.move(time.Second)
			if err := end(w, ada.UserID); err != nil {
				t.Fatal(err)
			}
			if oauthLives(t, w.store, hers, w.clock.now()) || !oauthLives(t, w.store, his, w.clock.now()) {
				t.Error("hers must have ended, and his not")
			}
		})
	}
	t.Run("what came in between ends with the reactivation", func(t *testing.T) {
		t.Parallel()
		w := newTown(t)
		ada := w.person(t, "ada@example.com", nil)
		if err := status(blueberry.UserInactive)(w, ada.UserID); err != nil {
			t.Fatal(err)
		}
		k := oauthTokenOf(t, w.store, ada.UserID, w.clock.now())
		w.clock.move(time.Second)
		if err := status(blueberry.UserActive)(w, ada.UserID); err != nil {
			t.Fatal(err)
		}
		if oauthLives(t, w.store, k, w.clock.now()) {
			t.Error("it came back with its user")
		}
	})
	for name, end := range map[string]func(p *porch, me blueberry.Actor) error{
		"a reset by link": func(p *porch, me blueberry.Actor) error {
			_, err := p.CompleteReset(t.Context(), p.link(t, blueberry.LinkReset, me.UserID, time.Hour), otherPassword, from("192.0.2.1", ""))
			return err
		},
		"a change of the password": func(p *porch, me blueberry.Actor) error {
			return p.ChangePassword(t.Context(), me, goodPassword, otherPassword, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			ada := p.person(t, "ada@example.com")
			me := signedIn(ada, p.enter(t, ada.Email, goodPassword, "", from("192.0.2.1", "")))
			k := oauthTokenOf(t, p.store, ada.ID, p.clock.now())
			p.clock.add(time.Second)
			if err := end(p, me); err != nil {
				t.Fatal(err)
			}
			if oauthLives(t, p.store, k, p.clock.now()) {
				t.Error("it lives")
			}
		})
	}
}

// TestADeletedProjectLeavesNothing: what was bound to a project alone ends with it, and never comes to mean everywhere.
func TestADeletedProjectLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	read := []blueberry.Grant{blueberry.GrantEnvironmentsRead}
	made := map[string]access.MadeToken{}
	for name, projects := range map[string][]string{"alone": {"shop"}, "both": {"shop", "bank"}, "all": nil} {
		made[name], _ = s.token(t, s.chief, access.NewToken{Grants: read, Projects: projects})
		if err := s.store.Update(ctx, func(tx *store.Tx) error {
			return tx.PutOAuthClient(ctx, blueberry.OAuthClient{ID: "cli_" + name, Name: name, Grants: read, Projects: projects})
		}); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.move(time.Second)
	if err := s.DeleteProject(ctx, s.chief, "shop", 0); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		ends     bool
		projects string
	}{"alone": {true, "shop"}, "both": {false, "bank"}, "all": {false, ""}} {
		k, err := s.Token(ctx, s.chief, made[name].Token.ID)
		if err != nil || k.RevokedAt.IsZero() == want.ends || strings.Join(k.Projects, " ") != want.projects {
			t.Errorf("token %s: %v, ended %s by %q (%v)", name, k.Projects, k.RevokedAt, k.RevokedBy, err)
		}
		if want.ends && (!k.RevokedAt.Equal(s.clock.now()) || k.RevokedBy != "chief@example.com") {
			t.Errorf("token %s was ended at %s by %q", name, k.RevokedAt, k.RevokedBy)
		}
		err = s.store.View(ctx, func(tx *store.Tx) error {
			c, err := tx.OAuthClient(ctx, "cli_"+name)
			if c.Disabled != want.ends || strings.Join(c.Projects, " ") != want.projects {
				t.Errorf("client %s: %v, disabled %t", name, c.Projects, c.Disabled)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestOneEmergencyAtOnce: of many who break the glass at one moment, one gets what they asked for.
func TestOneEmergencyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		w := townOn(t, s)
		rescuer := w.person(t, "rescuer@example.com", breakGlass)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.OpenEmergency(t.Context(), rescuer, access.EmergencyWish{Reason: reason}) })
		}
		wg.Wait()
		opened := 0
		for _, err := range errs {
			if err == nil {
				opened++
			} else {
				wants(t, "the others", "conflict EMERGENCY_OPEN", err)
			}
		}
		if opened != 1 {
			t.Errorf("%d are open", opened)
		}
	})
}

// meddled is a record in which something happens right after it was read.
type meddled struct {
	access.Record
	after *func()
}

func (m meddled) View(ctx context.Context, f func(access.Tx) error) error {
	err := m.Record.View(ctx, f)
	if after := *m.after; after != nil {
		*m.after = nil
		after()
	}
	return err
}

// TestAResetLinkIsForTheAddressOfNow: an address that changes while the mail is on its way gets no link that works.
func TestAResetLinkIsForTheAddressOfNow(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*blueberry.User){
		"another address": func(u *blueberry.User) { u.Email = "ada2@example.com" },
		"not active":      func(u *blueberry.User) { u.Status = blueberry.UserInactive },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			ada := p.person(t, "ada@example.com")
			after := func() {
				p.update(t, func(ctx context.Context, tx access.Tx) error { change(&ada); return tx.UpdateUser(ctx, ada) })
			}
			p.Record = meddled{p.Record, &after}
			if _, err := p.SendReset(t.Context(), blueberry.Job{Kind: blueberry.JobUserReset, Subject: "ada@example.com"}); err != nil {
				t.Fatal(err)
			}
			if sent := p.mail.got(); len(sent) != 0 {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}

type brokenPost struct{ secret string }

func (b brokenPost) Send(context.Context, access.Mail) error {
	return errors.New("535 refused\r\nthe line " + b.secret)
}

func TestAFailedResetMailTellsNoSecret(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	secret, _ := access.NewSecret(access.LinkPrefix)
	p.Mail = brokenPost{secret}
	_, err := p.SendReset(t.Context(), blueberry.Job{Kind: blueberry.JobUserReset, Subject: "ada@example.com"})
	if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "535 refused") {
		t.Errorf("got %v", err)
	}
}

// TestAProviderThatWentMeanwhile: while a person was there it was switched off, or another one took its name.
func TestAProviderThatWentMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(ctx context.Context, tx access.Tx, i blueberry.IdentityProvider) error
		want      string
	}{
		"switched off": {func(ctx context.Context, tx access.Tx, i blueberry.IdentityProvider) error {
			i.Disabled = true
			return tx.PutProvider(ctx, i)
		}, "IDENTITY_PROVIDER_NOT_FOUND"},
		"replaced": {func(ctx context.Context, tx access.Tx, i blueberry.IdentityProvider) error {
			if err := tx.DeleteProvider(ctx, i.Name); err != nil {
				return err
			}
			i.ID, i.Version = "idp_other", 0
			return tx.PutProvider(ctx, i)
		}, "STATE_MISMATCH"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			d := p.withDesk(t, "google", signUp())
			d.claims["code"] = claims("1", "new@example.com", true)
			redirect, state, err := p.BeginProvider(t.Context(), "google", access.ProviderStart{})
			if err != nil {
				t.Fatal(err)
			}
			after := func() {
				p.update(t, func(ctx context.Context, tx access.Tx) error {
					i, err := tx.Provider(ctx, "google")
					return errors.Join(err, c.meanwhile(ctx, tx, i))
				})
			}
			p.Record = meddled{p.Record, &after}
			if e, err := p.back(t, "google", redirect, state, "code"); codeOf(t, err) != c.want || e.Secret != "" {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

// TestADisabledProviderIsNoWayIn: with it nobody can sign in, so it does not stand in for the last way.
func TestADisabledProviderIsNoWayIn(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, me, _, key := p.withPasskey(t, "ada@example.com")
	p.withDesk(t, "google", func(i *blueberry.IdentityProvider) { i.Disabled = true })
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		c, err := tx.Credentials(ctx, ada.ID)
		c.Password = ""
		return errors.Join(err, tx.PutCredentials(ctx, c), tx.PutIdentity(ctx, blueberry.Identity{Provider: "google", Subject: "1", UserID: ada.ID}))
	})
	if err := p.RemovePasskey(t.Context(), me, key.ID); codeOf(t, err) != "LAST_WAY_IN" {
		t.Errorf("got %v", err)
	}
	if err := p.RemoveIdentity(t.Context(), me, "google"); err != nil {
		t.Errorf("what lets nobody in can go: %v", err)
	}
}

// failing is a record in which one token cannot be changed.
type failing struct {
	access.Record
	id string
}

type failingTx struct {
	access.Tx
	id string
}

func (f failing) Update(ctx context.Context, do func(access.Tx) error) error {
	return f.Record.Update(ctx, func(tx access.Tx) error { return do(failingTx{tx, f.id}) })
}

func (f failingTx) UpdateToken(ctx context.Context, k blueberry.APIToken) error {
	if k.ID == f.id {
		return errors.New("disk is full")
	}
	return f.Tx.UpdateToken(ctx, k)
}

// TestOneTokenKeepsNoOtherFromItsWarning: people are warned of the others.
func TestOneTokenKeepsNoOtherFromItsWarning(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	week := 7 * 24 * time.Hour
	first, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer, Life: week})
	second, _ := s.token(t, s.developer, access.NewToken{Role: blueberry.RoleViewer, Life: week})
	s.Record = failing{s.Record, first.Token.ID}
	if err := s.WarnTokens(t.Context()); err == nil || !strings.Contains(err.Error(), first.Token.ID) {
		t.Errorf("got %v", err)
	}
	if k, err := s.Token(t.Context(), s.developer, second.Token.ID); err != nil || k.Warned == 0 {
		t.Errorf("the second: warned %d (%v)", k.Warned, err)
	}
}

// TestClientsBorrowNoEmergency: the power that a person took for an hour is not that of every program they ever let in.
func TestClientsBorrowNoEmergency(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	e, err := s.OpenEmergency(t.Context(), s.rescuer, access.EmergencyWish{Reason: reason})
	if err != nil {
		t.Fatal(err)
	}
	if _, a := s.byOAuth(t, s.rescuer, "cli_dashboards", "*:*"); a.Can(blueberry.GrantUsersWrite) == nil || a.Emergency != "" {
		t.Errorf("a client of someone else: %+v", a)
	}
	if _, a := s.signedInByCommandLine(t, s.rescuer, "*:*"); a.Can(blueberry.GrantUsersWrite) != nil || a.Emergency != e.ID {
		t.Errorf("the command line: %+v", a)
	}
}

// TestLastUseOfAnOAuthToken: each use counts, not only the one that the record was asked for.
func TestLastUseOfAnOAuthToken(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", nil)
	k := oauthTokenOf(t, w.store, ada.UserID, w.clock.now())
	g := w.gateOf()
	g.OAuth = oauthOf{token: k, client: blueberry.OAuthClient{ID: "cli_1", Grants: []blueberry.Grant{blueberry.GrantAll}}}
	secret, _ := access.NewSecret(access.AccessPrefix)
	for range 2 {
		w.clock.move(100 * time.Millisecond)
		w.enter(t, g, secret)
	}
	last := w.clock.now()
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := w.store.View(t.Context(), func(tx *store.Tx) error {
		found, err := tx.OAuthTokenByHash(t.Context(), k.Kind, k.Hash)
		c, err2 := tx.OAuthClient(t.Context(), "cli_1")
		if !found.LastUsedAt.Equal(last) || !c.LastUsedAt.Equal(last) {
			t.Errorf("token %s, client %s; want %s", found.LastUsedAt, c.LastUsedAt, last)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Error(err)
	}
}
