package access_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const linkInvalid = "LINK_INVALID"

var owner1 = access.NewOwner{Email: "Owner@example.com", Name: "Ada", Password: goodPassword}

// setup makes a set-up link and gives its secret, which it reads from the file.
func (p *porch) setup(t *testing.T, file string) string {
	t.Helper()
	address, err := p.EnsureSetup(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(text)) != address || !strings.HasPrefix(address, "https://blueberry.example.com/setup?link=bll_") {
		t.Fatalf("the file holds %q, the address is %q, %v", text, address, err)
	}
	return linkIn.FindString(address)
}

func TestTheFirstOwnerIsSetUp(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	file := filepath.Join(t.TempDir(), "state", "setup-link")
	old := p.setup(t, file)
	link := p.setup(t, file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	for name, test := range map[string]struct {
		link  string
		owner access.NewOwner
		want  string
	}{
		"the link of the start before": {old, owner1, linkInvalid},
		"no link":                      {"", owner1, linkInvalid},
		"a link that is none":          {"bll_nonsense", owner1, linkInvalid},
		"an invitation":                {p.link(t, blueberry.LinkInvite, "", time.Hour), owner1, linkInvalid},
		"a bad address and password":   {link, access.NewOwner{Email: "x", Password: "short"}, "VALIDATION_FAILED"},
	} {
		if _, err := p.CompleteSetup(t.Context(), test.link, test.owner, from("192.0.2.1", "")); codeOf(t, err) != test.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	e, err := p.CompleteSetup(t.Context(), link, owner1, from("192.0.2.1", ""))
	if err != nil {
		t.Fatal(err)
	}
	u := p.user(t, e.Session.UserID)
	if u.Email != "owner@example.com" || !u.Owner || u.Status != blueberry.UserActive || u.Name != "Ada" || !p.live(t, e.Secret) {
		t.Errorf("got %+v", u)
	}
	if _, err := p.CompleteSetup(t.Context(), link, access.NewOwner{Email: "eve@example.com", Password: goodPassword}, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
		t.Errorf("a second time: got %v", err)
	}
	address, err := p.EnsureSetup(t.Context(), file)
	if _, gone := os.Stat(file); err != nil || address != "" || !os.IsNotExist(gone) {
		t.Errorf("with an owner: %q, %v, %v", address, err, gone)
	}
	if !contains(p.audited(t, "installation:set-up"), "made the first owner") {
		t.Error("it is not in the audit")
	}
	p.enter(t, "owner@example.com", goodPassword, "", from("192.0.2.1", ""))
}

func TestTheSetUpLinkEnds(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	link := p.setup(t, filepath.Join(t.TempDir(), "setup-link"))
	p.clock.add(24 * time.Hour)
	if _, err := p.CompleteSetup(t.Context(), link, owner1, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
		t.Errorf("got %v", err)
	}
}

// Two servers on one record have a link each; the one that is used ends both.
func TestEachServerHasASetUpLink(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	first, second := p.setup(t, filepath.Join(t.TempDir(), "setup-link")), p.setup(t, filepath.Join(t.TempDir(), "setup-link"))
	if _, err := p.CompleteSetup(t.Context(), first, owner1, from("192.0.2.1", "")); err != nil {
		t.Errorf("the second server ended the link of the first: %v", err)
	}
	if _, err := p.CompleteSetup(t.Context(), second, access.NewOwner{Email: "eve@example.com", Password: goodPassword}, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
		t.Errorf("there is an owner, and the other link gives: %v", err)
	}
}

// Of many who have the link, one becomes the owner.
func TestOneOwnerIsSetUp(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	link := p.setup(t, filepath.Join(t.TempDir(), "setup-link"))
	var wg sync.WaitGroup
	var in atomic.Int64
	for _, name := range []string{"a", "b", "c"} {
		wg.Go(func() {
			if _, err := p.CompleteSetup(t.Context(), link, access.NewOwner{Email: name + "@example.com", Password: goodPassword}, from("192.0.2.1", "")); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d owners were set up", in.Load())
	}
}

func TestAnInvitationIsAccepted(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	bob := p.bare(t, "bob@example.com", blueberry.UserPending)
	link, other := p.link(t, blueberry.LinkInvite, bob.ID, time.Hour), p.link(t, blueberry.LinkInvite, bob.ID, time.Hour)
	for range 2 { // a mail scanner follows links
		if u, err := p.InvitationOf(t.Context(), link); err != nil || u.ID != bob.ID {
			t.Fatalf("got %+v, %v", u, err)
		}
	}
	if _, err := p.AcceptInvitation(t.Context(), link, access.Acceptance{Name: "two\nlines", Password: "bob@example.com"}, from("192.0.2.1", "")); codeOf(t, err) != "VALIDATION_FAILED" {
		t.Errorf("got %v", err)
	}
	before := p.epoch(t)
	e, err := p.AcceptInvitation(t.Context(), link, access.Acceptance{Name: "Bob", Password: goodPassword}, from("192.0.2.1", ""))
	if err != nil {
		t.Fatal(err)
	}
	u := p.user(t, bob.ID)
	if u.Status != blueberry.UserActive || u.Name != "Bob" || u.Invitation.State != blueberry.InvitationAccepted || !p.live(t, e.Secret) || p.epoch(t) == before {
		t.Errorf("got %+v", u)
	}
	for name, l := range map[string]string{"again": link, "another one": other} {
		if _, err := p.AcceptInvitation(t.Context(), l, access.Acceptance{Password: otherPassword}, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	p.enter(t, "bob@example.com", goodPassword, "", from("192.0.2.1", ""))
}

func TestLinksThatDoNotWork(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	bob, ada := p.bare(t, "bob@example.com", blueberry.UserPending), p.person(t, "ada@example.com")
	gone := p.bare(t, "gone@example.com", blueberry.UserInactive)
	late := p.link(t, blueberry.LinkInvite, bob.ID, time.Minute)
	p.clock.add(time.Minute)
	for name, link := range map[string]string{
		"too late": late, "empty": "", "nonsense": "bll_x", "a reset": p.link(t, blueberry.LinkReset, bob.ID, time.Hour), "a set-up": p.link(t, blueberry.LinkSetup, "", time.Hour),
		"of who is in": p.link(t, blueberry.LinkInvite, ada.ID, time.Hour), "of who may not": p.link(t, blueberry.LinkInvite, gone.ID, time.Hour),
		"of nobody": p.link(t, blueberry.LinkInvite, "usr_none", time.Hour), "of another kind of secret": "bls_" + p.link(t, blueberry.LinkInvite, bob.ID, time.Hour)[4:],
	} {
		if _, err := p.InvitationOf(t.Context(), link); codeOf(t, err) != linkInvalid {
			t.Errorf("an invitation, %s: got %v", name, err)
		}
		if _, err := p.AcceptInvitation(t.Context(), link, access.Acceptance{Password: goodPassword}, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
			t.Errorf("accepting, %s: got %v", name, err)
		}
	}
	for name, link := range map[string]string{
		"an invitation": p.link(t, blueberry.LinkInvite, bob.ID, time.Hour), "of who is invited": p.link(t, blueberry.LinkReset, bob.ID, time.Hour),
		"of who may not": p.link(t, blueberry.LinkReset, gone.ID, time.Hour), "empty": "",
	} {
		if _, err := p.CompleteReset(t.Context(), link, goodPassword, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
			t.Errorf("a reset, %s: got %v", name, err)
		}
	}
}

func TestAnInvitationIsAcceptedByPasskey(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	bob := p.bare(t, "bob@example.com", blueberry.UserPending)
	link := p.link(t, blueberry.LinkInvite, bob.ID, time.Hour)
	key := newAuthenticator(t)
	options, ticket, err := p.BeginInvitationPasskey(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.AcceptByPasskey(t.Context(), link, access.PasskeyAcceptance{Name: "Bob", Ticket: ticket, Response: key.create(t, options)}, from("192.0.2.1", ""))
	if err != nil {
		t.Fatal(err)
	}
	if !p.live(t, e.Secret) || e.Session.Method != "passkey" || p.user(t, bob.ID).Status != blueberry.UserActive {
		t.Errorf("got %+v", e)
	}
	if _, err := p.touch(t, key); err != nil {
		t.Error(err)
	}
	if _, _, err := p.BeginInvitationPasskey(t.Context(), link); codeOf(t, err) != linkInvalid {
		t.Errorf("again: got %v", err)
	}
}

// work does the jobs that wait.
func (p *porch) work(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	jobs := p.jobs
	p.jobs = nil
	p.mu.Unlock()
	for _, job := range jobs {
		if job.Kind != blueberry.JobUserReset {
			t.Errorf("a job %s", job.Kind)
		}
		if _, err := p.SendReset(t.Context(), job); err != nil {
			t.Error(err)
		}
	}
}

func TestAForgottenPasswordIsReset(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	session := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	if err := p.RequestReset(t.Context(), " ADA@example.com ", from("192.0.2.1", "")); err != nil {
		t.Fatal(err)
	}
	p.work(t)
	sent := p.mail.got()
	if len(sent) != 1 || !cmp.Equal(sent[0].To, []string{"ada@example.com"}) || !strings.Contains(sent[0].Text, "https://blueberry.example.com/reset?link=") {
		t.Fatalf("sent %+v", sent)
	}
	link := linkIn.FindString(sent[0].Text)
	if u, err := p.ResetOf(t.Context(), link); err != nil || u.Email != "ada@example.com" {
		t.Errorf("got %+v, %v", u, err)
	}
	if _, err := p.CompleteReset(t.Context(), link, "short", from("192.0.2.1", "")); codeOf(t, err) != "VALIDATION_FAILED" {
		t.Errorf("got %v", err)
	}
	e, err := p.CompleteReset(t.Context(), link, otherPassword, from("192.0.2.1", ""))
	if err != nil || !p.live(t, e.Secret) || p.live(t, session.Secret) {
		t.Errorf("the new session lives: %v, the one before: %v, %v", p.live(t, e.Secret), p.live(t, session.Secret), err)
	}
	if _, err := p.CompleteReset(t.Context(), link, goodPassword, from("192.0.2.1", "")); codeOf(t, err) != linkInvalid {
		t.Errorf("again: got %v", err)
	}
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")); got != failed {
		t.Errorf("the password from before: got %q", got)
	}
	p.enter(t, "ada@example.com", otherPassword, "", from("192.0.2.1", ""))
}

// Asking is the same for every address: it leaves one job. Only who has a password gets mail.
func TestAskingForAResetTellsNothing(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	p.bare(t, "provider@example.com", blueberry.UserActive)
	p.bare(t, "invited@example.com", blueberry.UserPending)
	p.bare(t, "gone@example.com", blueberry.UserInactive)
	for _, email := range []string{"ada@example.com", "provider@example.com", "invited@example.com", "gone@example.com", "nobody@example.com"} {
		before := len(p.jobs)
		if err := p.RequestReset(t.Context(), email, from("192.0.2.1", "")); err != nil {
			t.Errorf("%s: %v", email, err)
		}
		if len(p.jobs) != before+1 {
			t.Errorf("%s: %d jobs", email, len(p.jobs)-before)
		}
	}
	if err := p.RequestReset(t.Context(), "a\r\nBcc: eve@example.com", from("192.0.2.1", "")); err != nil || len(p.jobs) != 5 {
		t.Errorf("what is no address: %v", err)
	}
	p.work(t)
	if sent := p.mail.got(); len(sent) != 1 || sent[0].To[0] != "ada@example.com" {
		t.Errorf("sent %+v", sent)
	}
	for range 30 {
		if err := p.RequestReset(t.Context(), "ada@example.com", from("192.0.2.2", "")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.jobs); n != 5 { // of ten that one network may ask for in an hour, the first half were above
		t.Errorf("%d jobs of a flood", n)
	}
}

// A mailbox is not enough while there is a second factor.
func TestAResetLeavesTheSecondFactor(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, session, a, _ := p.withTOTP(t, "ada@example.com")
	link := p.link(t, blueberry.LinkReset, ada.ID, time.Hour)
	e, err := p.CompleteReset(t.Context(), link, otherPassword, from("192.0.2.1", ""))
	if err != nil || e.Secret != "" || e.Device != "" || p.live(t, session.Secret) {
		t.Errorf("got %+v, %v", e, err)
	}
	if got := p.try(t, "ada@example.com", otherPassword, "", from("192.0.2.1", "")); got != codeNeeded {
		t.Errorf("got %q", got)
	}
	p.enter(t, "ada@example.com", otherPassword, a.code(t, p.clock.now()), from("192.0.2.1", ""))
}

// What is kept and what is told hold no secret.
func TestNoSecretIsInTheAudit(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	link := p.setup(t, filepath.Join(t.TempDir(), "setup-link"))
	e, err := p.CompleteSetup(t.Context(), link, owner1, from("192.0.2.1", ""))
	if err != nil {
		t.Fatal(err)
	}
	me := signedIn(p.user(t, e.Session.UserID), e)
	setup, err := p.BeginTOTP(t.Context(), me)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := p.ConfirmTOTP(t.Context(), me, app{setup.Secret}.code(t, p.clock.now()))
	if err != nil {
		t.Fatal(err)
	}
	p.enter(t, "owner@example.com", goodPassword, codes[0], from("192.0.2.1", ""))
	p.try(t, "owner@example.com", otherPassword, "123456", from("192.0.2.1", ""))
	all := strings.Join(p.audited(t, ""), "\n")
	for name, secret := range map[string]string{
		"session": e.Secret, "link": link, "password": goodPassword, "wrong password": otherPassword, "TOTP": setup.Secret, "recovery code": codes[0], "device": e.Device,
	} {
		if strings.Contains(all, secret) {
			t.Errorf("the secret of the %s is in the audit", name)
		}
	}
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		s, err := tx.Session(ctx, e.Session.ID)
		if strings.Contains(string(s.Hash), e.Secret) {
			t.Error("the session is kept in the clear")
		}
		return err
	})
}
