package access_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const taken = "conflict DUPLICATE_RESOURCE email:taken"

// TestCreateUser: account, roles, audit entry and job come together.
func TestCreateUser(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	w.Mail = w.letter
	made, err := w.CreateUser(t.Context(), root, access.NewUser{
		Email: " Ada@Example.COM ", Name: "Ada", BreakGlass: true, Members: []access.MemberWish{{Project: "shop", Role: blueberry.RoleDeveloper}},
	})
	if err != nil {
		t.Fatal(err)
	}
	u := made.User
	if u.Email != "ada@example.com" || u.Status != blueberry.UserPending || u.Invitation.State != blueberry.InvitationQueued || made.Link != "" {
		t.Errorf("%+v", made)
	}
	if diff := cmp.Diff([]string{"user.invite " + u.ID}, w.jobs); diff != "" {
		t.Errorf("jobs: -want +got\n%s", diff)
	}
	d, err := w.UserDetail(t.Context(), root, "ADA@example.com")
	if err != nil || len(d.Memberships) != 1 || d.Memberships[0].Role != blueberry.RoleDeveloper || d.Password {
		t.Errorf("%+v (%v)", d, err)
	}
	e := w.audit(t)[0]
	want := `{"break_glass":true,"email":"ada@example.com","members":{"shop":"developer"},"name":"Ada","owner":false,"status":"pending_invite"}`
	if e.Action != "users:write" || e.Resource != u.ID || string(e.After) != want || e.Actor.Name != "admin" {
		t.Errorf("audit: %s %s %s", e.Action, e.Resource, e.After)
	}
}

// TestCreateUserWithoutMail: who asks gets the link, once.
func TestCreateUserWithoutMail(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	first, err := w.CreateUser(t.Context(), root, access.NewUser{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.InviteUser(t.Context(), root, first.User.ID)
	if err != nil || first.User.Invitation.State != blueberry.InvitationManual || len(w.jobs) != 0 || !again.LinkExpiresAt.Equal(w.clock.now().Add(7*24*time.Hour)) {
		t.Fatalf("%+v, %+v, jobs %v (%v)", first, again, w.jobs, err)
	}
	for link, live := range map[string]bool{first.Link: false, again.Link: true} {
		secret, ok := strings.CutPrefix(link, "https://blueberry.example.com/invitation?link=")
		hash, known := access.HashSecret(access.LinkPrefix, secret)
		if !ok || !known {
			t.Fatalf("the link is %q", link)
		}
		w.update(t, func(tx access.Tx) error {
			l, err := tx.LinkByHash(t.Context(), hash)
			if err == nil && l.Live(w.clock.now()) != live {
				t.Errorf("the link is live: %v", l.Live(w.clock.now()))
			}
			return err
		})
		for _, e := range w.audit(t) {
			if strings.Contains(e.Detail+string(e.After), secret) {
				t.Error("the secret of the link is in the audit")
			}
		}
	}
}

func TestCreateUserRefuses(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	w.Mail = w.letter
	w.person(t, "ada@example.com", nil)
	before := len(w.audit(t))
	for name, c := range map[string]struct {
		reason string
		wish   access.NewUser
		want   string
	}{
		"taken":          {"there is one", access.NewUser{Email: "ada@example.com"}, taken},
		"in capitals":    {"an address is the same in capitals", access.NewUser{Email: "ADA@Example.Com"}, taken},
		"with spaces":    {"an address is the same with spaces around it", access.NewUser{Email: "\tada@example.com \n"}, taken},
		"taken with job": {"nothing is left of it", access.NewUser{Email: "ada@example.com", Members: []access.MemberWish{{Project: "shop", Role: blueberry.RoleViewer}}}, taken},
		"no project": {
			"nobody is a member of nothing",
			access.NewUser{Email: "b@example.com", Members: []access.MemberWish{{Project: "nowhere", Role: blueberry.RoleViewer}}},
			"invalid VALIDATION_FAILED members[0].project:unknown",
		},
		"everything": {"each fault is told", access.NewUser{
			Email: "Bob <b@example.com>", Name: "B\nBcc: x@example.com", Found: blueberry.Faults{{Field: "x", Code: "unknown"}},
			Members: []access.MemberWish{{Project: "shop", Role: "owner"}, {Project: "shop", Role: blueberry.RoleViewer}},
		}, "invalid VALIDATION_FAILED x:unknown email:email name:text members[0].role:enum members[1].project:duplicate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.CreateUser(t.Context(), root, c.wish)
			wants(t, c.reason, c.want, err)
		})
	}
	if len(w.jobs) != 0 && !strings.HasPrefix(w.jobs[0], "user.invite") || len(w.audit(t)) != before {
		t.Errorf("something was left: %d audit entries", len(w.audit(t))-before)
	}
}

// TestCreateUserAtOnce: of several who make the same account at once one does, on both databases; the others learn that it is there.
func TestCreateUserAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		w := townOn(t, s)
		spelled := []string{"ada@example.com", "Ada@example.com", " ADA@EXAMPLE.COM", "aDa@example.com"}
		errs := make([]error, len(spelled))
		var wg sync.WaitGroup
		for i, email := range spelled {
			wg.Go(func() { _, errs[i] = w.CreateUser(t.Context(), root, access.NewUser{Email: email}) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			wants(t, "the others", taken, err)
		}
		if page, err := w.Users(t.Context(), root, blueberry.UserQuery{}); err != nil || len(page.Items) != 1 || made != 1 {
			t.Errorf("%d were told of their success, there are %d (%v)", made, len(page.Items), err)
		}
	})
}

// TestInvitationMail: a mail that fails is seen at the user and at the job, and can be sent again.
func TestInvitationMail(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.Mail = w.letter
	made, err := w.CreateUser(t.Context(), root, access.NewUser{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	job := blueberry.Job{Kind: blueberry.JobUserInvite, Subject: made.User.ID}
	leaked, _ := access.NewSecret(access.LinkPrefix)
	w.letter.down = fmt.Errorf("535 5.7.8 refused:\n the message with %s", leaked)
	_, failed := w.SendInvitation(t.Context(), job)
	u, err := w.User(t.Context(), root, made.User.ID)
	if failed == nil || err != nil || u.Invitation.State != blueberry.InvitationFailed || !strings.Contains(u.Invitation.Error, "535 5.7.8") {
		t.Errorf("%+v: %v (%v)", u.Invitation, failed, err)
	}
	if strings.Contains(u.Invitation.Error+failed.Error(), leaked) {
		t.Error("a secret is told")
	}
	w.letter.down = nil
	if _, err := w.InviteUser(t.Context(), root, u.ID); err != nil || len(w.jobs) != 2 {
		t.Fatalf("jobs %v (%v)", w.jobs, err)
	}
	if _, err := w.SendInvitation(t.Context(), job); err != nil || len(w.letter.sent) != 1 {
		t.Fatalf("%d mails (%v)", len(w.letter.sent), err)
	}
	m := w.letter.sent[0]
	if m.To[0] != "ada@example.com" || !strings.Contains(m.Text, "https://blueberry.example.com/invitation?link=bll_") {
		t.Errorf("%+v", m)
	}
	if u, err = w.User(t.Context(), root, u.ID); u.Invitation.State != blueberry.InvitationSent || u.Invitation.Error != "" || u.Invitation.SentAt.IsZero() {
		t.Errorf("%+v (%v)", u.Invitation, err)
	}
	for reason, change := range map[string]access.UserChange{"one who may not come in any more": {Status: to(blueberry.UserInactive)}} {
		if _, err := w.UpdateUser(t.Context(), root, u.ID, change, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SendInvitation(t.Context(), job); err != nil || len(w.letter.sent) != 1 {
			t.Errorf("%s: %d mails (%v)", reason, len(w.letter.sent), err)
		}
	}
	if _, err := w.SendInvitation(t.Context(), blueberry.Job{Subject: "usr_gone"}); err != nil {
		t.Errorf("of one who was removed: %v", err)
	}
	_, err = w.InviteUser(t.Context(), root, u.ID)
	wants(t, "to invite one who is inactive", "conflict USER_NOT_PENDING", err)
}

// TestUpdateUser: what it changes is in the audit, before and after, and nothing else.
func TestUpdateUser(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", owner)
	bob := w.person(t, "bob@example.com", nil)
	u, err := w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Name: to("Bob"), Status: to(blueberry.UserInactive), Owner: to(false)}, 1)
	if err != nil || u.Version != 2 || u.Status != blueberry.UserInactive {
		t.Fatalf("%+v (%v)", u, err)
	}
	e := w.audit(t)[0]
	if string(e.Before) != `{"name":"","status":"active"}` || string(e.After) != `{"name":"Bob","status":"inactive"}` || e.Actor.Name != "ada@example.com" {
		t.Errorf("audit: %s → %s", e.Before, e.After)
	}
	before := len(w.audit(t))
	if _, err := w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Name: to("Bob")}, 0); err != nil || len(w.audit(t)) != before {
		t.Errorf("what changes nothing is no change (%v)", err)
	}
	_, err = w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Name: to("Rob")}, 1)
	wants(t, "an old version", "precondition failed VERSION_MOVED", err)
	_, err = w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Email: to("ADA@example.com ")}, 0)
	wants(t, "an address that is taken", taken, err)
	_, err = w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Status: to(blueberry.UserPending), Email: to("x")}, 0)
	wants(t, "what cannot be", "invalid VALIDATION_FAILED email:email status:enum", err)
	if sessions, err := w.Sessions(t.Context(), ada, bob.UserID, "", 0); err != nil || len(sessions) != 0 {
		t.Errorf("the sessions of one who is inactive have ended: %d (%v)", len(sessions), err)
	}
	if _, err := w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Status: to(blueberry.UserActive)}, 0); err != nil {
		t.Error(err)
	}
}

// TestLastOwner: one active owner is always left, also when two let go at once.
func TestLastOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		w := townOn(t, s)
		ada, bob := w.person(t, "ada@example.com", owner), w.person(t, "bob@example.com", owner)
		w.person(t, "pending@example.com", func(u *blueberry.User) { u.Owner, u.Status = true, blueberry.UserPending })
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, errs[0] = w.UpdateUser(t.Context(), bob, ada.UserID, access.UserChange{Owner: to(false)}, 0)
		})
		wg.Go(func() {
			_, errs[1] = w.UpdateUser(t.Context(), ada, bob.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, 0)
		})
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("one of both must be refused: %v, %v", errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil {
				wants(t, "the other", "conflict LAST_OWNER", err)
			}
		}
	})
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada := w.person(t, "ada@example.com", owner)
	wants(t, "one with a history", "conflict USER_HAS_HISTORY", w.DeleteUser(t.Context(), ada, w.person(t, "bob@example.com", nil).UserID, 0))
	made, err := w.CreateUser(t.Context(), ada, access.NewUser{Email: "eve@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "an old version", "precondition failed VERSION_MOVED", w.DeleteUser(t.Context(), ada, made.User.ID, 7))
	if err := w.DeleteUser(t.Context(), ada, made.User.ID, 1); err != nil {
		t.Fatal(err)
	}
	_, err = w.User(t.Context(), ada, made.User.ID)
	wants(t, "afterwards", "not found USER_NOT_FOUND", err)
	if _, err := w.CreateUser(t.Context(), ada, access.NewUser{Email: "eve@example.com"}); err != nil {
		t.Errorf("the address is free again: %v", err)
	}
}

// TestResetUser: password and second factor are gone at once, sessions have ended, and the link is all that is left.
func TestResetUser(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	ada, bob := w.person(t, "ada@example.com", owner), w.person(t, "bob@example.com", nil)
	w.update(t, func(tx access.Tx) error {
		return tx.PutCredentials(t.Context(), blueberry.Credentials{
			UserID: bob.UserID, Password: "$argon2id$…", TOTPSecret: []byte("sealed"), TOTPConfirmedAt: w.clock.now(), TOTPStep: 9, RecoveryCodes: [][]byte{{1}},
		})
	})
	secret := w.session(t, bob.UserID)
	link, err := w.ResetUser(t.Context(), ada, "bob@example.com")
	if err != nil || !strings.HasPrefix(link.URL, "https://blueberry.example.com/reset?link=bll_") || !link.ExpiresAt.Equal(w.clock.now().Add(time.Hour)) {
		t.Fatalf("%+v (%v)", link, err)
	}
	d, err := w.UserDetail(t.Context(), ada, bob.UserID)
	if err != nil || d.Password || d.SecondFactor || d.RecoveryCodes != 0 {
		t.Errorf("%+v (%v)", d, err)
	}
	_, err = w.gate.Authenticate(t.Context(), secret)
	wants(t, "the session", unknownHere, err)
	_, err = w.ResetUser(t.Context(), ada, w.person(t, "eve@example.com", func(u *blueberry.User) { u.Status = blueberry.UserInactive }).UserID)
	wants(t, "one who is not active", "conflict USER_NOT_ACTIVE", err)
}

// TestNothingHalfMade: when the last write of an operation fails, none of it was done.
func TestNothingHalfMade(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	w.Mail = w.letter
	w.store.SetEnqueuer(nil) // jobs cannot be written
	if _, err := w.CreateUser(t.Context(), root, access.NewUser{Email: "ada@example.com"}); err == nil {
		t.Fatal("an error is expected")
	}
	if page, err := w.Users(t.Context(), root, blueberry.UserQuery{}); err != nil || len(page.Items) != 0 {
		t.Errorf("the account is there: %v (%v)", page.Items, err)
	}
	w.Mail = nil
	w.Record = failingAudit{townRecord{w.store}}
	_, err := w.CreateUser(t.Context(), root, access.NewUser{Email: "ada@example.com", Members: []access.MemberWish{{Project: "shop", Role: blueberry.RoleViewer}}})
	if !errors.Is(err, errNoAudit) {
		t.Fatal(err)
	}
	if page, err := w.Users(t.Context(), root, blueberry.UserQuery{}); err != nil || len(page.Items) != 0 {
		t.Errorf("the account is there without an audit entry: %v (%v)", page.Items, err)
	}
}

var errNoAudit = errors.New("the audit cannot be written")

// failingAudit is a record whose disk is full when the audit entry comes.
type failingAudit struct{ townRecord }

func (r failingAudit) Update(ctx context.Context, f func(access.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(noAudit{tx}) })
}

type noAudit struct{ *store.Tx }

func (noAudit) AppendAudit(context.Context, blueberry.AuditEntry) error { return errNoAudit }
