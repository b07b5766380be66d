package access_test

import (
	"bytes"
	"context"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const codeNeeded = "SECOND_FACTOR_NEEDED"

// app is an authenticator app: another's implementation of the same standard.
type app struct{ secret string }

func (a app) code(t *testing.T, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(a.secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// withTOTP adds a person with a second factor, who is signed in.
func (p *porch) withTOTP(t *testing.T, email string) (blueberry.User, access.Entered, app, []string) {
	t.Helper()
	u := p.person(t, email)
	e := p.enter(t, email, goodPassword, "", from("192.0.2.1", ""))
	setup, err := p.BeginTOTP(t.Context(), signedIn(u, e))
	if err != nil {
		t.Fatal(err)
	}
	a := app{setup.Secret}
	codes, err := p.ConfirmTOTP(t.Context(), signedIn(u, e), a.code(t, p.clock.now()))
	if err != nil {
		t.Fatal(err)
	}
	p.clock.add(time.Minute) // the code of the confirmation is used up
	return u, e, a, codes
}

func TestASecondFactorIsSetUp(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada := p.person(t, "ada@example.com")
	e := p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	me := signedIn(ada, e)
	if got := codeOf(t, second(p.ConfirmTOTP(t.Context(), me, "123456"))); got != "SECOND_FACTOR_NOT_BEGUN" {
		t.Errorf("nothing to confirm: got %q", got)
	}
	setup, err := p.BeginTOTP(t.Context(), me)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(setup.URL)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Blueberry:ada@example.com" || u.Query().Get("secret") != setup.Secret || u.Query().Get("issuer") != "Blueberry" {
		t.Errorf("the URL is %s, %v", setup.URL, err)
	}
	if _, err := png.Decode(bytes.NewReader(setup.QR)); err != nil {
		t.Error(err)
	}
	kept := p.credentials(t, ada.ID)
	if bytes.Contains(kept.TOTPSecret, []byte(setup.Secret)) || kept.SecondFactor() {
		t.Error("the secret is kept in the clear, or counts before it was confirmed")
	}
	p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")) // until then nobody is asked for a code
	a := app{setup.Secret}
	if got := codeOf(t, second(p.ConfirmTOTP(t.Context(), me, "000000"))); got != "PROOF_WRONG" {
		t.Errorf("a wrong code: got %q", got)
	}
	codes, err := p.ConfirmTOTP(t.Context(), me, a.code(t, p.clock.now()))
	if err != nil || len(codes) != 10 {
		t.Fatalf("got %d recovery codes, %v", len(codes), err)
	}
	if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", "")); got != codeNeeded {
		t.Errorf("now a code is needed: got %q", got)
	}
	if got := codeOf(t, second(p.BeginTOTP(t.Context(), me))); got != "SECOND_FACTOR_PRESENT" {
		t.Errorf("a second one: got %q", got)
	}
	if got := p.audited(t, "credentials:totp-added"); !contains(got, "succeeded ada@example.com") || !contains(got, "denied anonymous") {
		t.Errorf("the audit has %q", got)
	}
}

func second[T any](_ T, err error) error { return err }

// A code counts one step early and late, once.
func TestACodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	_, _, a, _ := p.withTOTP(t, "ada@example.com")
	stranger := from("192.0.2.1", "")
	p.clock.add(time.Hour)
	now := p.clock.now()
	for name, test := range map[string]struct {
		at   time.Duration
		want string
	}{"two early": {time.Minute, failed}, "two late": {-time.Minute, failed}} {
		if got := p.try(t, "ada@example.com", goodPassword, a.code(t, now.Add(test.at)), stranger); got != test.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
	early := a.code(t, now.Add(-30*time.Second))
	current := a.code(t, now)
	late := a.code(t, now.Add(30*time.Second))
	for _, step := range []struct{ reason, code, want string }{
		{"one step late", early, ""},
		{"again", early, failed},
		{"the step now, with a space", current[:3] + " " + current[3:], ""},
		{"the one before it once more", early, failed},
		{"one step early", late, ""},
		{"the step now is over", current, failed},
	} {
		if got := p.try(t, "ada@example.com", goodPassword, step.code, stranger); got != step.want {
			t.Errorf("%s: got %q, want %q", step.reason, got, step.want)
		}
	}
	if got := p.try(t, "ada@example.com", otherPassword, a.code(t, now.Add(30*time.Second)), stranger); got != failed {
		t.Errorf("the wrong password with a code: got %q", got)
	}
}

func TestOneCodeAtOnceIsTakenOnce(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	_, _, a, _ := p.withTOTP(t, "ada@example.com")
	code := a.code(t, p.clock.now())
	var wg sync.WaitGroup
	var in atomic.Int64
	for range 4 {
		wg.Go(func() {
			if p.try(t, "ada@example.com", goodPassword, code, from("192.0.2.1", "")) == "" {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d came in with one code", in.Load())
	}
}

// Whoever knows the password gets no further by guessing codes: to ask without one resets nothing.
func TestCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	p.withTOTP(t, "ada@example.com")
	p.clock.add(25 * time.Hour)
	stranger := from("198.51.100.1", "")
	for range 5 {
		if got := p.try(t, "ada@example.com", goodPassword, "", stranger); got != codeNeeded {
			t.Fatalf("got %q", got)
		}
		if got := p.try(t, "ada@example.com", goodPassword, "000000", stranger); got != failed {
			t.Fatalf("got %q", got)
		}
	}
	if got := p.try(t, "ada@example.com", goodPassword, "", stranger); got != locked {
		t.Errorf("after five wrong codes: got %q", got)
	}
}

func TestARecoveryCodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, e, a, codes := p.withTOTP(t, "ada@example.com")
	for _, h := range p.credentials(t, ada.ID).RecoveryCodes {
		for _, code := range codes {
			if bytes.Contains(h, []byte(code)) {
				t.Error("a recovery code is kept in the clear")
			}
		}
	}
	got := p.enter(t, "ada@example.com", goodPassword, " "+strings.ToUpper(strings.ReplaceAll(codes[3], "-", " ")), from("192.0.2.1", ""))
	if got.Session.Method != "password+recovery" {
		t.Errorf("the method is %s", got.Session.Method)
	}
	if got := p.try(t, "ada@example.com", goodPassword, codes[3], from("192.0.2.1", "")); got != failed {
		t.Errorf("a second time: got %q", got)
	}
	if n := len(p.credentials(t, ada.ID).RecoveryCodes); n != 9 {
		t.Errorf("%d are left", n)
	}
	if !contains(p.audited(t, "credentials:recovery-code-used"), "9 are left") {
		t.Error("it is not in the audit")
	}
	renewed, err := p.NewRecoveryCodes(t.Context(), signedIn(ada, e), a.code(t, p.clock.now()))
	if err != nil || len(renewed) != 10 || slices.Contains(renewed, codes[0]) {
		t.Fatalf("got %v, %v", renewed, err)
	}
	if got := p.try(t, "ada@example.com", goodPassword, codes[0], from("192.0.2.1", "")); got != failed {
		t.Errorf("one from before: got %q", got)
	}
	p.enter(t, "ada@example.com", goodPassword, renewed[0], from("192.0.2.1", ""))
}

// Who finds an open browser has neither password nor code.
func TestRemovingTheSecondFactorTakesBoth(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, e, a, codes := p.withTOTP(t, "ada@example.com")
	me := signedIn(ada, e)
	for name, test := range map[string]struct{ password, code, want string }{
		"neither":        {"", "", "PROOF_WRONG"},
		"password alone": {goodPassword, "", codeNeeded},
		"code alone":     {"", a.code(t, p.clock.now()), "PROOF_WRONG"},
		"a wrong code":   {goodPassword, "000000", "PROOF_WRONG"},
	} {
		if got := codeOf(t, p.RemoveTOTP(t.Context(), me, test.password, test.code)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := codeOf(t, p.ChangePassword(t.Context(), me, goodPassword, otherPassword, "")); got != codeNeeded {
		t.Errorf("a new password without a code: got %q", got)
	}
	if err := p.RemoveTOTP(t.Context(), me, goodPassword, codes[0]); err != nil {
		t.Fatal(err)
	}
	if c := p.credentials(t, ada.ID); c.SecondFactor() || c.TOTPSecret != nil || c.RecoveryCodes != nil {
		t.Errorf("something is left: %v", c.SecondFactor())
	}
	p.enter(t, "ada@example.com", goodPassword, "", from("192.0.2.1", ""))
	if got := codeOf(t, p.RemoveTOTP(t.Context(), me, goodPassword, codes[1])); got != "SECOND_FACTOR_MISSING" {
		t.Errorf("once more: got %q", got)
	}
}

// A secret that someone moved to another row of the record does not open there.
func TestASecondFactorIsBoundToItsUser(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, _, a, _ := p.withTOTP(t, "ada@example.com")
	eve, _, _, _ := p.withTOTP(t, "eve@example.com")
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		c, err := tx.Credentials(ctx, eve.ID)
		if err != nil {
			return err
		}
		hers, err := tx.Credentials(ctx, ada.ID)
		c.TOTPSecret = hers.TOTPSecret
		return orError(err, tx.PutCredentials(ctx, c))
	})
	if _, err := p.Password(t.Context(), access.PasswordAttempt{Email: "eve@example.com", Password: goodPassword, Code: a.code(t, p.clock.now()), From: from("192.0.2.1", "")}); err == nil {
		t.Error("eve came in with the code of ada")
	}
}
