package access_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// counted gives slots that tell how many hashes were made. Each takes a place and gives it back; both pass through the one who counts.
func counted(t *testing.T) (slots chan struct{}, hashes *atomic.Int64) {
	t.Helper()
	slots, hashes = make(chan struct{}), &atomic.Int64{}
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	go func() {
		for {
			select {
			case <-slots:
				hashes.Add(1)
				slots <- struct{}{}
			case <-ended:
				return
			}
		}
	}()
	return slots, hashes
}

// Whoever guesses learns nothing: not from the answer, and not from the work that it takes.
func TestWrongSignInsAreAllAlike(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	slots, hashes := counted(t)
	p.Slots = slots
	p.person(t, "ada@example.com")
	p.bare(t, "invited@example.com", blueberry.UserPending)
	p.bare(t, "provider@example.com", blueberry.UserActive)
	gone := p.person(t, "gone@example.com")
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		gone.Status = blueberry.UserInactive
		return tx.UpdateUser(ctx, gone)
	})
	var texts []string
	for name, a := range map[string]access.PasswordAttempt{
		"wrong password":            {Email: "ada@example.com", Password: otherPassword},
		"nobody":                    {Email: "nobody@example.com", Password: goodPassword},
		"inactive, right password":  {Email: "gone@example.com", Password: goodPassword},
		"invited":                   {Email: "invited@example.com", Password: goodPassword},
		"without password":          {Email: "provider@example.com", Password: goodPassword},
		"without password, empty":   {Email: "provider@example.com"},
		"no address":                {Email: "not an address", Password: goodPassword},
		"password far too long":     {Email: "ada@example.com", Password: strings.Repeat("x", 1<<20)},
		"right with more behind it": {Email: "ada@example.com", Password: goodPassword + " "},
		"with a code":               {Email: "ada@example.com", Password: otherPassword, Code: "123456"},
	} {
		a.Address = "192.0.2.1"
		before := hashes.Load()
		_, err := p.Password(t.Context(), a)
		var e *blueberry.Error
		if !errors.As(err, &e) || e.Kind != blueberry.Unauthenticated || e.Code != "SIGN_IN_FAILED" {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		texts = append(texts, e.Error())
		if n := hashes.Load() - before; n != 1 {
			t.Errorf("%s: %d hashes were made, not 1", name, n)
		}
		p.clock.add(25 * time.Hour) // the next one is not about the lock-out
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("one was told %q and another %q", texts[0], text)
		}
	}
	if strings.Contains(strings.Join(p.audited(t, "session:sign-in"), "\n"), "nobody@example.com") {
		t.Error("an address that was typed and is nobody's is in the audit: it may be a password")
	}
}

func TestASignInIsANewSession(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada := p.person(t, "ada@example.com")
	begin := p.clock.now()
	first := p.enter(t, " Ada@Example.com", goodPassword, "", from("192.0.2.1", ""))
	p.clock.add(time.Second)
	second := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", first.Device))
	if first.Secret == second.Secret || first.Session.ID == second.Session.ID {
		t.Error("two sign-ins have one session: someone who planted the first has the second")
	}
	if !strings.HasPrefix(first.Secret, access.SessionPrefix) || first.ReturnTo != "/" {
		t.Errorf("got %+v", first)
	}
	want := blueberry.Session{
		ID: first.Session.ID, Hash: first.Session.Hash, UserID: ada.ID, Method: "password", Address: "192.0.2.1", UserAgent: "test/1",
		CreatedAt: begin, ExpiresAt: begin.Add(24 * time.Hour), LastSeenAt: begin,
	}
	if d := cmp.Diff(want, first.Session); d != "" {
		t.Error(d)
	}
	p.clock.add(24*time.Hour - time.Second - time.Microsecond) // the record keeps microseconds
	if !p.live(t, first.Secret) {
		t.Error("the session ended before its time")
	}
	p.clock.add(time.Microsecond)
	if p.live(t, first.Secret) {
		t.Error("the session is there after 24 hours")
	}
	if d := cmp.Diff([]string{
		"succeeded ada@example.com: signed in by password on a new device", "succeeded ada@example.com: signed in by password on a known device",
	}, p.audited(t, "session:sign-in")); d != "" {
		t.Error(d)
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	one, two := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")), p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	before := p.epoch(t)
	for range 2 {
		if err := p.SignOut(t.Context(), one.Secret); err != nil {
			t.Fatal(err)
		}
	}
	if p.live(t, one.Secret) || !p.live(t, two.Secret) {
		t.Error("another session ended than the one that was signed out of")
	}
	if p.epoch(t) != before+1 {
		t.Error("other processes were not told")
	}
	for _, secret := range []string{"", "bls_nonsense", "blb_" + one.Secret[4:], one.Secret + "x"} {
		if err := p.SignOut(t.Context(), secret); err != nil {
			t.Errorf("%q: %v", secret, err)
		}
	}
	if n := len(p.audited(t, "session:sign-out")); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func TestAHashOfLessWorkIsMadeAnew(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada := p.person(t, "ada@example.com")
	if !strings.Contains(p.credentials(t, ada.ID).Password, "m=64,t=1") {
		t.Fatal("the hash is not a cheap one")
	}
	p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	kept := p.credentials(t, ada.ID).Password
	if !strings.HasPrefix(kept, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the hash is %s", kept[:30])
	}
	p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	if p.credentials(t, ada.ID).Password != kept {
		t.Error("a hash that is as it should be was made anew")
	}
}

// Keyboards differ in how they write the same letter.
func TestAPasswordIsTheSameHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	e := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	if err := p.ChangePassword(t.Context(), signedIn(p.user(t, e.Session.UserID), e), goodPassword, "Zwölf große Straßen", ""); err != nil {
		t.Fatal(err)
	}
	p.enter(t, "ada@example.com", "Zwo\u0308lf große Straßen", "", from("192.0.2.1", ""))
}

// While all slots are taken nothing is hashed, and who goes away is not waited for.
func TestHashesWaitForASlot(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	if cap(p.Slots) != 2 {
		t.Errorf("there are %d slots", cap(p.Slots))
	}
	for range cap(p.Slots) {
		p.Slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := p.Password(ctx, access.PasswordAttempt{Email: "ada@example.com", Password: goodPassword, From: from("192.0.2.1", "")})
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Twenty guesses at once are no more than five in a row.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.person(t, "ada@example.com")
	var wg sync.WaitGroup
	var failed, locked atomic.Int64
	for range 20 {
		wg.Go(func() {
			_, err := p.Password(t.Context(), access.PasswordAttempt{Email: "ada@example.com", Password: otherPassword, From: from("192.0.2.1", "")})
			switch {
			case errors.Is(err, blueberry.Unauthenticated):
				failed.Add(1)
			case errors.Is(err, blueberry.TooMany):
				locked.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if failed.Load() != 5 || locked.Load() != 15 {
		t.Errorf("%d were looked at and %d were not", failed.Load(), locked.Load())
	}
	if n := len(p.audited(t, "session:locked")); n != 1 {
		t.Errorf("%d entries of one lock-out", n)
	}
}

func TestChangePasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, eve := p.person(t, "ada@example.com"), p.person(t, "eve@example.com")
	here := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	there := p.enter(t, "ada@example.com", goodPassword, "", from("198.51.100.1", ""))
	hers := p.enter(t, "eve@example.com", goodPassword, "", from("198.51.100.1", ""))
	me := signedIn(ada, here)
	for name, test := range map[string]struct {
		actor         blueberry.Actor
		old, password string
		want          string
	}{
		"wrong old":      {me, otherPassword, "some new phrase, quite long", "PROOF_WRONG"},
		"no old":         {me, "", "some new phrase, quite long", "PROOF_WRONG"},
		"the same":       {me, goodPassword, goodPassword, "VALIDATION_FAILED"},
		"too short":      {me, goodPassword, "short", "VALIDATION_FAILED"},
		"a common one":   {me, goodPassword, "Password2026!!", "VALIDATION_FAILED"},
		"an API token":   {blueberry.Actor{Kind: blueberry.ActorToken, UserID: ada.ID, Credential: "tok_1"}, goodPassword, otherPassword, "SESSION_NEEDED"},
		"other's":        {signedIn(ada, hers), goodPassword, otherPassword, "SESSION_ENDED"},
		"no such person": {signedIn(eve, here), goodPassword, otherPassword, "SESSION_ENDED"},
	} {
		if got := codeOf(t, p.ChangePassword(t.Context(), test.actor, test.old, test.password, "")); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	before := p.epoch(t)
	if err := p.ChangePassword(t.Context(), me, goodPassword, otherPassword, ""); err != nil {
		t.Fatal(err)
	}
	if !p.live(t, here.Secret) || p.live(t, there.Secret) || !p.live(t, hers.Secret) || p.epoch(t) == before {
		t.Error("not exactly the other sessions of the person ended")
	}
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")); got != "SIGN_IN_FAILED" {
		t.Errorf("the password from before: got %q", got)
	}
	p.enter(t, "ada@example.com", otherPassword, "", from("192.0.2.1", ""))
}

// An open browser is no place to guess the password at.
func TestGuessingTheOldPasswordIsCounted(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada := p.person(t, "ada@example.com")
	me := signedIn(ada, p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")))
	for range 5 {
		if got := codeOf(t, p.ChangePassword(t.Context(), me, "a wrong phrase to guess with", otherPassword, "")); got != "PROOF_WRONG" {
			t.Fatalf("got %q", got)
		}
	}
	if got := codeOf(t, p.ChangePassword(t.Context(), me, goodPassword, otherPassword, "")); got != "SIGN_IN_LOCKED" {
		t.Errorf("got %q", got)
	}
	p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")) // signing in has nothing to do with it
}

// Who has no password sets the first one only when they have just signed in.
func TestAFirstPasswordNeedsAFreshSignIn(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	bob := p.bare(t, "bob@example.com", blueberry.UserActive)
	session := blueberry.Session{ID: blueberry.NewID(blueberry.SessionID, p.clock.now()), Hash: []byte("hash"), UserID: bob.ID, CreatedAt: p.clock.now(), ExpiresAt: p.clock.now().Add(24 * time.Hour)}
	p.update(t, func(ctx context.Context, tx access.Tx) error { return tx.InsertSession(ctx, session) })
	me := signedIn(bob, access.Entered{Session: session})
	p.clock.add(15 * time.Minute)
	if got := codeOf(t, p.ChangePassword(t.Context(), me, "", goodPassword, "")); got != "SIGN_IN_AGAIN" {
		t.Errorf("after 15 minutes: got %q", got)
	}
	p.clock.add(-time.Nanosecond)
	if err := p.ChangePassword(t.Context(), me, "", goodPassword, ""); err != nil {
		t.Error(err)
	}
}
