package access_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const unknownHere = "unauthenticated TOKEN_INVALID"

// TestActors: what each way in gives.
func TestActors(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop", "bank")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	if diff := cmp.Diff(blueberry.RoleAdmin.Grants(), ada.Projects["shop"], sortGrants()); diff != "" || len(ada.Grants) != 0 || len(ada.Projects) != 1 {
		t.Errorf("a session: %+v\n%s", ada, diff)
	}
	if ada.Kind != blueberry.ActorUser || ada.ID != ada.UserID || ada.Name != "ada@example.com" || !blueberry.HasIDPrefix(ada.Credential, blueberry.SessionID) {
		t.Errorf("a session: %+v", ada)
	}
	made, token := w.token(t, ada, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}})
	want := blueberry.Actor{
		Kind: blueberry.ActorToken, ID: made.Token.ID, Name: "ada@example.com", OnBehalfOf: "ada@example.com", UserID: ada.UserID, Credential: made.Token.ID,
		Until: made.Token.ExpiresAt, Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantEnvironmentsRead}},
	}
	if diff := cmp.Diff(want, token); diff != "" {
		t.Errorf("an API token: -want +got\n%s", diff)
	}
	s, err := w.CreateServiceAccount(t.Context(), ada, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	made, program := w.token(t, ada, access.NewToken{ServiceID: s.ID})
	want = blueberry.Actor{
		Kind: blueberry.ActorToken, ID: made.Token.ID, Name: "shop/ci", Credential: made.Token.ID, Until: made.Token.ExpiresAt,
		Projects: map[string][]blueberry.Grant{"shop": blueberry.RoleViewer.Grants()},
	}
	if diff := cmp.Diff(want, program, sortGrants()); diff != "" {
		t.Errorf("a service account: -want +got\n%s", diff)
	}
}

func sortGrants() cmp.Option {
	return cmp.Transformer("sorted", func(in []blueberry.Grant) map[blueberry.Grant]bool {
		out := map[blueberry.Grant]bool{}
		for _, g := range in {
			out[g] = true
		}
		return out
	})
}

// TestNobody: whatever is not a live credential is told in the same words.
func TestNobody(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", owner)
	made, _ := w.token(t, ada, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantAll}})
	strange, _ := access.NewSecret(access.TokenPrefix)
	oauth, _ := access.NewSecret(access.AccessPrefix)
	link, _ := access.NewSecret(access.LinkPrefix)
	var texts []string
	for reason, credential := range map[string]string{
		"empty": "", "nonsense": "letmein", "of nobody": strange, "OAuth is not there": oauth, "a link is no way in": link,
		"without its checksum": made.Secret[:47], "another checksum": made.Secret[:48] + "AAAAAA", "as a session": "bls_" + made.Secret[4:], "very long": strings.Repeat("blb_", 1<<16),
	} {
		_, err := w.gate.Authenticate(t.Context(), credential)
		wants(t, reason, unknownHere, err)
		texts = append(texts, fmt.Sprint(err))
	}
	for _, text := range texts {
		if text != texts[0] || strings.Contains(text, made.Secret) {
			t.Errorf("it tells what was wrong: %s", text)
		}
	}
}

// TestRefusedAtOnce: what ends access ends it in this process at the next request, and in another one within a second.
func TestRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, w *town, v victim) error{
		"the session is revoked": func(t *testing.T, w *town, v victim) error {
			return errors.Join(w.RevokeSession(t.Context(), root, v.session.Credential), w.RevokeToken(t.Context(), root, v.token.ID), w.RevokeToken(t.Context(), root, v.program.ID))
		},
		"the sessions of the user are revoked": func(t *testing.T, w *town, v victim) error {
			_, err := w.RevokeSessions(t.Context(), root, v.session.UserID, false)
			return errors.Join(err, w.RevokeToken(t.Context(), root, v.token.ID), w.RevokeToken(t.Context(), root, v.program.ID))
		},
		"user and service account go": func(t *testing.T, w *town, v victim) error {
			_, err := w.UpdateUser(t.Context(), root, v.session.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, 0)
			_, off := w.UpdateServiceAccount(t.Context(), root, v.service, access.ServiceAccountChange{Disabled: to(true)}, 0)
			return errors.Join(err, off)
		},
		"the service account is removed": func(t *testing.T, w *town, v victim) error {
			_, err := w.UpdateUser(t.Context(), root, v.session.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, 0)
			return errors.Join(err, w.DeleteServiceAccount(t.Context(), root, v.service, 0))
		},
		"the project is removed": func(t *testing.T, w *town, v victim) error {
			_, err := w.UpdateUser(t.Context(), root, v.session.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, 0)
			return errors.Join(err, w.DeleteProject(t.Context(), root, "shop", 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t)
			v := w.victim(t)
			other := w.gateOf()
			for _, secret := range v.secrets {
				w.enter(t, other, secret)
			}
			if err := end(t, w, v); err != nil {
				t.Fatal(err)
			}
			for i, secret := range v.secrets {
				_, err := w.gate.Authenticate(t.Context(), secret)
				wants(t, fmt.Sprintf("here, credential %d", i), unknownHere, err)
			}
			w.clock.move(950 * time.Millisecond)
			for i, secret := range v.secrets {
				_, err := other.Authenticate(t.Context(), secret)
				wants(t, fmt.Sprintf("elsewhere, credential %d", i), unknownHere, err)
			}
		})
	}
}

// victim is someone with every way in.
type victim struct {
	session, token, program blueberry.Actor
	service                 string
	secrets                 []string
}

func (w *town) victim(t testing.TB) victim {
	t.Helper()
	w.project(t, "shop")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	secret := w.session(t, ada.UserID)
	v := victim{session: w.enter(t, w.gate, secret), secrets: []string{secret}}
	s, err := w.CreateServiceAccount(t.Context(), ada, access.NewServiceAccount{Project: "shop", Name: "ci", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	v.service = s.ID
	made, token := w.token(t, ada, access.NewToken{Role: blueberry.RoleViewer})
	v.token, v.secrets = token, append(v.secrets, made.Secret)
	made, program := w.token(t, ada, access.NewToken{ServiceID: s.ID})
	v.program, v.secrets = program, append(v.secrets, made.Secret)
	return v
}

// TestTokensFollowTheirUser: a token may at each use what its user may at that moment, and no more than it was made for.
func TestTokensFollowTheirUser(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	made, _ := w.token(t, ada, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead, blueberry.GrantConfigWrite}})
	can := func(g blueberry.Grant) bool { return w.enter(t, w.gate, made.Secret).CanIn("shop", g) == nil }
	if !can(blueberry.GrantConfigWrite) || can(blueberry.GrantMembersWrite) {
		t.Error("as admin: config:write and no members:write are expected")
	}
	if _, err := w.PutMember(t.Context(), root, "shop", "ada@example.com", blueberry.RoleViewer); err != nil {
		t.Fatal(err)
	}
	if can(blueberry.GrantConfigWrite) || !can(blueberry.GrantEnvironmentsRead) {
		t.Error("as viewer: only environments:read is expected")
	}
	if _, err := w.UpdateUser(t.Context(), root, ada.UserID, access.UserChange{Owner: to(true)}, 0); err != nil {
		t.Fatal(err)
	}
	if !can(blueberry.GrantConfigWrite) || can(blueberry.GrantMembersWrite) {
		t.Error("as owner: no more than the token was made for is expected")
	}
	if err := w.RemoveMember(t.Context(), root, "shop", ada.UserID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateUser(t.Context(), root, ada.UserID, access.UserChange{Owner: to(false)}, 0); refusal(err) != "conflict LAST_OWNER" {
		t.Errorf("the last owner: %v", err)
	}
}

// TestTheClockEndsAccess: what ends at a time ends at that time, also from the cache.
func TestTheClockEndsAccess(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	began := w.clock.now()
	session := w.session(t, ada.UserID)
	short, _ := w.token(t, ada, access.NewToken{Role: blueberry.RoleViewer, Life: time.Hour})
	until := func(secret string, end time.Time) {
		t.Helper()
		start := w.clock.now()
		w.clock.move(end.Sub(start) - time.Microsecond)
		w.enter(t, w.gate, secret)
		w.clock.move(time.Microsecond)
		if _, err := w.gate.Authenticate(t.Context(), secret); refusal(err) != unknownHere {
			t.Errorf("at %s it is still valid: %v", end, err)
		}
		w.clock.move(start.Sub(w.clock.now()))
	}
	until(short.Secret, short.Token.ExpiresAt)
	until(session, began.Add(blueberry.SessionLife))
	old, _ := w.token(t, ada, access.NewToken{Role: blueberry.RoleViewer})
	fresh, err := w.RotateToken(t.Context(), ada, old.Token.ID, 2*time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.enter(t, w.gate, fresh.Secret)
	until(old.Secret, w.clock.now().Add(2*time.Hour))
	until(fresh.Secret, fresh.Token.ExpiresAt)
}

// TestGuessesAreNotKept: credentials that nobody has take no memory.
func TestGuessesAreNotKept(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	r := &countingRecord{Record: townRecord{w.store}}
	g := &access.Gate{Record: r, Now: w.clock.now, Logger: slog.New(slog.DiscardHandler)}
	secret, _ := access.NewSecret(access.TokenPrefix)
	for range 3 {
		_, err := g.Authenticate(t.Context(), secret)
		wants(t, "a guess", unknownHere, err)
	}
	if r.views.Load() != 3 {
		t.Errorf("the record was asked %d times", r.views.Load())
	}
	if _, err := g.Authenticate(t.Context(), secret[:50]); err == nil || r.views.Load() != 3 {
		t.Error("what has not the form of a secret must not reach the record")
	}
}

// TestLastUse: uses are written in one batch, with the time of the last.
func TestLastUse(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	made, token := w.token(t, ada, access.NewToken{Role: blueberry.RoleViewer})
	secret := w.session(t, ada.UserID)
	for range 3 {
		w.clock.move(time.Minute)
		w.enter(t, w.gate, secret)
		w.enter(t, w.gate, made.Secret)
	}
	last := w.clock.now()
	w.clock.move(time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.gate.Run(ctx); err != nil { // it stops at once, and writes what is left
		t.Fatal(err)
	}
	user, err := w.User(t.Context(), root, ada.UserID)
	if err != nil || !user.LastSeenAt.Equal(last) {
		t.Errorf("the user was seen %s, %s is expected (%v)", user.LastSeenAt, last, err)
	}
	if k, err := w.Token(t.Context(), root, token.ID); err != nil || !k.LastUsedAt.Equal(last) {
		t.Errorf("the token was used %s, %s is expected (%v)", k.LastUsedAt, last, err)
	}
}

func TestEnsureAdmin(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	file := filepath.Join(t.TempDir(), "state", "admin-token")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file+".part", nil, 0o666)); err != nil { // of a start that was cut off, or planted
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if made, err := w.gate.EnsureAdmin(t.Context(), file); err != nil || made != want {
			t.Fatalf("start %d: made %v (%v)", i, made, err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v (%v)", s.Mode(), err)
	}
	admin := w.enter(t, w.gate, strings.TrimSpace(string(text)))
	if admin.Can(blueberry.GrantAll) != nil || admin.UserID != "" || admin.Name != "admin" {
		t.Errorf("%+v", admin)
	}
	old := filepath.Join(t.TempDir(), "admin-token")
	before := "blb_" + strings.Repeat("Z", 43)
	for content, ok := range map[string]bool{before + "\n": true, "letmein": false, before[:20]: false} {
		if err := os.WriteFile(old, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.gate.EnsureAdmin(t.Context(), old); (err == nil) != ok {
			t.Errorf("a file with %d characters: %v", len(content), err)
		}
	}
	w.enter(t, w.gate, before)
}

// TestAccessTokens: what an OAuth access token gives is what its user may, within its scopes and what its client may have.
func TestAccessTokens(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop", "bank")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	if _, err := w.PutMember(t.Context(), root, "bank", ada.UserID, blueberry.RoleViewer); err != nil {
		t.Fatal(err)
	}
	now := w.clock.now()
	all := []blueberry.Grant{blueberry.GrantAll}
	live := blueberry.OAuthToken{ID: "tok_o", Kind: blueberry.OAuthAccess, ClientID: "cli_1", UserID: ada.UserID, Scopes: []string{"*:*", "offline_access"}, ExpiresAt: now.Add(time.Hour)}
	client := blueberry.OAuthClient{ID: "cli_1", Name: "Dashboards", Grants: all}
	for name, c := range map[string]struct {
		reason string
		token  func(*blueberry.OAuthToken)
		client func(*blueberry.OAuthClient)
		want   map[string]int // grants by project; nil for refused
	}{
		"everything":  {reason: "all that the user may", want: map[string]int{"shop": len(blueberry.RoleAdmin.Grants()), "bank": len(blueberry.RoleViewer.Grants())}},
		"scoped":      {reason: "only the scope", token: func(o *blueberry.OAuthToken) { o.Scopes = []string{"environments:read"} }, want: map[string]int{"shop": 1, "bank": 1}},
		"one project": {reason: "the client is bound", client: func(o *blueberry.OAuthClient) { o.Projects = []string{"bank"} }, want: map[string]int{"bank": len(blueberry.RoleViewer.Grants())}},
		"client":      {reason: "the client has less", client: func(o *blueberry.OAuthClient) { o.Grants = []blueberry.Grant{blueberry.GrantConfigWrite} }, want: map[string]int{"shop": 1}},
		"itself": {reason: "the client acts for itself", token: func(o *blueberry.OAuthToken) { o.UserID = "" }, client: func(o *blueberry.OAuthClient) {
			o.Projects, o.Grants = []string{"bank"}, blueberry.RoleDeveloper.Grants()
		}, want: map[string]int{"bank": len(blueberry.RoleDeveloper.Grants())}},
		"refresh":      {reason: "a refresh token is no access token", token: func(o *blueberry.OAuthToken) { o.Kind = blueberry.OAuthRefresh }},
		"expired":      {reason: "its hour is over", token: func(o *blueberry.OAuthToken) { o.ExpiresAt = now }},
		"revoked":      {reason: "it was taken back", token: func(o *blueberry.OAuthToken) { o.RevokedAt = now }},
		"disabled":     {reason: "the client is off", client: func(o *blueberry.OAuthClient) { o.Disabled = true }},
		"user is gone": {reason: "there is no such user", token: func(o *blueberry.OAuthToken) { o.UserID = "usr_nobody" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issued := oauthOf{token: live, client: client}
			if c.token != nil {
				c.token(&issued.token)
			}
			if c.client != nil {
				c.client(&issued.client)
			}
			g := w.gateOf()
			g.OAuth = issued
			secret, _ := access.NewSecret(access.AccessPrefix)
			a, err := g.Authenticate(t.Context(), secret)
			if c.want == nil {
				wants(t, c.reason, unknownHere, err)
				return
			}
			got := map[string]int{}
			for p, grants := range a.Projects {
				got[p] = len(grants)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil || len(a.Grants) != 0 || a.Kind != blueberry.ActorClient || a.ID != "cli_1" || a.Credential != "tok_o" {
				t.Errorf("%s: %+v (%v)\n%s", c.reason, a, err, diff)
			}
			if issued.token.UserID != "" && (a.Name != "ada@example.com" || a.OnBehalfOf != a.Name || a.UserID != ada.UserID) {
				t.Errorf("it acts for the user: %+v", a)
			}
		})
	}
}

type oauthOf struct {
	token  blueberry.OAuthToken
	client blueberry.OAuthClient
}

func (o oauthOf) Granted(context.Context, string) (blueberry.OAuthToken, blueberry.OAuthClient, error) {
	return o.token, o.client, nil
}

// BenchmarkAuthenticate is the price of each request: a credential that is known.
func BenchmarkAuthenticate(b *testing.B) {
	w := townOn(b, storetest.SQLite(b))
	ada := w.person(b, "ada@example.com", owner)
	g := &access.Gate{Record: townRecord{w.store}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	w.clock.move(time.Since(w.clock.now()))
	secret := w.session(b, ada.UserID)
	ctx := context.Background()
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- g.Run(run) }()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Authenticate(ctx, secret); err != nil {
			b.Fatal(err)
		}
	}
	stop()
	<-done
}
