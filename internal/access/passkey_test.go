package access_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// withPasskey adds a person with a password and a passkey, who is signed in.
func (p *porch) withPasskey(t *testing.T, email string) (blueberry.User, blueberry.Actor, *authenticator, blueberry.Passkey) {
	t.Helper()
	u := p.person(t, email)
	me := signedIn(u, p.enter(t, email, goodPassword, "", from("192.0.2.1", "")))
	key := newAuthenticator(t)
	return u, me, key, p.addPasskey(t, me, key)
}

func (p *porch) addPasskey(t *testing.T, me blueberry.Actor, key *authenticator) blueberry.Passkey {
	t.Helper()
	options, ticket, err := p.BeginPasskey(t.Context(), me, "Laptop")
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.FinishPasskey(t.Context(), me, ticket, key.create(t, options))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// touch signs in with a passkey.
func (p *porch) touch(t *testing.T, key *authenticator) (access.Entered, error) {
	t.Helper()
	options, ticket, err := p.BeginPasskeySignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.FinishPasskeySignIn(t.Context(), ticket, key.get(t, options), from("192.0.2.1", ""))
}

func TestAPasskeySignsIn(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, me, key, passkey := p.withPasskey(t, "ada@example.com")
	if string(key.handle) != ada.ID {
		t.Errorf("the user handle is %q", key.handle)
	}
	if passkey.Name != "Laptop" || !contains(p.audited(t, "credentials:passkey-added"), "Laptop") {
		t.Errorf("got %+v", passkey)
	}
	options, _, err := p.BeginPasskey(t.Context(), me, "Phone")
	if err != nil {
		t.Fatal(err)
	}
	var o creationOptions
	if err := json.Unmarshal(options, &o); err != nil || len(o.PublicKey.ExcludeCredentials) != 1 || o.PublicKey.RP.ID != "blueberry.example.com" ||
		o.PublicKey.AuthenticatorSelection.UserVerification != "required" || o.PublicKey.AuthenticatorSelection.ResidentKey != "required" {
		t.Errorf("the options are %s, %v", options, err)
	}
	p.guess(t, 6, "ada@example.com", from("192.0.2.1", "")) // no lock-out is in the way
	for range 2 {
		e, err := p.touch(t, key)
		if err != nil {
			t.Fatal(err)
		}
		if e.Session.UserID != ada.ID || e.Session.Method != "passkey" || !p.live(t, e.Secret) || e.Device == "" {
			t.Errorf("got %+v", e)
		}
		if got := p.try(t, "ada@example.com", goodPassword, "", from("192.0.2.1", e.Device)); got != "" {
			t.Errorf("the device is not known now: got %q", got)
		}
	}
}

// Each of these answers is refused, all with the same words.
func TestAPasskeyThatIsNotRightIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, p *porch, u blueberry.User, key *authenticator){
		"the sign count went back": func(t *testing.T, p *porch, _ blueberry.User, key *authenticator) {
			for range 3 {
				if _, err := p.touch(t, key); err != nil {
					t.Fatal(err)
				}
			}
			key.count = 1
		},
		"the sign count stands": func(t *testing.T, p *porch, _ blueberry.User, key *authenticator) {
			if _, err := p.touch(t, key); err != nil {
				t.Fatal(err)
			}
			key.count = 0
		},
		"its person was not verified": func(_ *testing.T, _ *porch, _ blueberry.User, key *authenticator) { key.flags = userPresent },
		"nobody was there":            func(_ *testing.T, _ *porch, _ blueberry.User, key *authenticator) { key.flags = userVerified },
		"from a page that looks like ours": func(_ *testing.T, _ *porch, _ blueberry.User, key *authenticator) {
			key.origin = "https://blueberry.example.net"
		},
		"for another host": func(_ *testing.T, _ *porch, _ blueberry.User, key *authenticator) { key.rpID = "example.com" },
		"signed by another key": func(t *testing.T, _ *porch, _ blueberry.User, key *authenticator) {
			key.key = newAuthenticator(t).key
		},
		"not known": func(t *testing.T, _ *porch, _ blueberry.User, key *authenticator) { key.id = newAuthenticator(t).id },
		"with the handle of another": func(t *testing.T, p *porch, _ blueberry.User, key *authenticator) {
			key.handle = []byte(p.person(t, "eve@example.com").ID)
		},
		"without a handle": func(_ *testing.T, _ *porch, _ blueberry.User, key *authenticator) { key.handle = nil },
		"of an inactive user": func(t *testing.T, p *porch, u blueberry.User, _ *authenticator) {
			p.update(t, func(ctx context.Context, tx access.Tx) error {
				u := p.userIn(ctx, t, tx, u.ID)
				u.Status = blueberry.UserInactive
				return tx.UpdateUser(ctx, u)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPorch(t)
			ada, _, key, _ := p.withPasskey(t, "ada@example.com")
			spoil(t, p, ada, key)
			if _, err := p.touch(t, key); codeOf(t, err) != failed {
				t.Errorf("got %v", err)
			}
			if strings.HasPrefix(name, "the sign count") != (len(p.audited(t, "credentials:passkey-cloned")) == 1) {
				t.Errorf("the audit has %q", p.audited(t, "credentials:passkey-cloned"))
			}
			if !contains(append(p.audited(t, "session:sign-in"), p.audited(t, "credentials:passkey-cloned")...), "denied anonymous") {
				t.Error("the failure is not in the audit")
			}
		})
	}
}

func (p *porch) userIn(ctx context.Context, t *testing.T, tx access.Tx, id string) blueberry.User {
	t.Helper()
	u, err := tx.User(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A passkey that synchronizes counts nothing: its sign count stays 0.
func TestAPasskeyWithoutACountWorks(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	_, _, key, _ := p.withPasskey(t, "ada@example.com")
	for range 2 {
		key.count = ^uint32(0) // get counts up first
		if _, err := p.touch(t, key); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATicketOpensOnce(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	_, me, key, _ := p.withPasskey(t, "ada@example.com")
	_, hers, _, _ := p.withPasskey(t, "eve@example.com")
	options, ticket, err := p.BeginPasskeySignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer := key.get(t, options)
	finish := func(ticket string) string {
		_, err := p.FinishPasskeySignIn(t.Context(), ticket, answer, from("192.0.2.1", ""))
		return codeOf(t, err)
	}
	creation, forCreation, err := p.BeginPasskey(t.Context(), me, "")
	if err != nil {
		t.Fatal(err)
	}
	const invalid = "TICKET_INVALID"
	for name, text := range map[string]string{"empty": "", "nonsense": "nonsense", "changed": spoilt(ticket), "of another kind": forCreation, "huge": strings.Repeat("A", 1<<20)} {
		if got := finish(text); got != invalid {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := finish(ticket); got != "" {
		t.Errorf("the first time: got %q", got)
	}
	if got := finish(ticket); got != invalid {
		t.Errorf("the second time: got %q", got)
	}
	if _, err := p.FinishPasskey(t.Context(), hers, forCreation, newAuthenticator(t).create(t, creation)); codeOf(t, err) != invalid {
		t.Errorf("a passkey for someone else: got %v", err)
	}
	_, late, err := p.BeginPasskeySignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.clock.add(5 * time.Minute)
	if got := finish(late); got != invalid {
		t.Errorf("after five minutes: got %q", got)
	}
}

func TestAPasskeyOfAnotherIsNotTaken(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	_, _, key, _ := p.withPasskey(t, "ada@example.com")
	_, hers, _, _ := p.withPasskey(t, "eve@example.com")
	options, ticket, err := p.BeginPasskey(t.Context(), hers, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.FinishPasskey(t.Context(), hers, ticket, key.create(t, options)); codeOf(t, err) != "PASSKEY_TAKEN" {
		t.Errorf("got %v", err)
	}
	for name, spoil := range map[string]func(*authenticator){
		"not verified": func(a *authenticator) { a.flags = userPresent }, "another page": func(a *authenticator) { a.origin = "https://evil.example" },
		"another host": func(a *authenticator) { a.rpID = "evil.example" },
	} {
		options, ticket, err := p.BeginPasskey(t.Context(), hers, "")
		if err != nil {
			t.Fatal(err)
		}
		fresh := newAuthenticator(t)
		spoil(fresh)
		if _, err := p.FinishPasskey(t.Context(), hers, ticket, fresh.create(t, options)); codeOf(t, err) != "PASSKEY_REFUSED" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, name := range []string{strings.Repeat("x", 61), "two\nlines"} {
		if _, _, err := p.BeginPasskey(t.Context(), hers, name); codeOf(t, err) != "VALIDATION_FAILED" {
			t.Errorf("the name %.10q: got %v", name, err)
		}
	}
}

// The last way to sign in stays, and nobody removes what is another's.
func TestRemovingPasskeys(t *testing.T) {
	t.Parallel()
	p := newPorch(t)
	ada, me, key, first := p.withPasskey(t, "ada@example.com")
	_, hers, _, _ := p.withPasskey(t, "eve@example.com")
	if err := p.RemovePasskey(t.Context(), hers, first.ID); codeOf(t, err) == "" {
		t.Error("eve removed a passkey of ada")
	}
	p.update(t, func(ctx context.Context, tx access.Tx) error {
		c, err := tx.Credentials(ctx, ada.ID)
		c.Password = ""
		return orError(err, tx.PutCredentials(ctx, c))
	})
	if err := p.RemovePasskey(t.Context(), me, first.ID); codeOf(t, err) != "LAST_WAY_IN" {
		t.Errorf("the last one: got %v", err)
	}
	second := p.addPasskey(t, me, newAuthenticator(t))
	if err := p.RemovePasskey(t.Context(), me, first.ID); err != nil {
		t.Error(err)
	}
	if _, err := p.touch(t, key); codeOf(t, err) != failed {
		t.Errorf("a passkey that was removed: got %v", err)
	}
	if err := p.RemovePasskey(t.Context(), me, second.ID); codeOf(t, err) != "LAST_WAY_IN" {
		t.Errorf("the last one: got %v", err)
	}
}

func TestWherePasskeysWork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://blueberry.example.com": "", "http://localhost:8080": "", "http://127.0.0.1:8080": "PASSKEYS_UNAVAILABLE", "https://[::1]": "PASSKEYS_UNAVAILABLE", "": "PASSKEYS_UNAVAILABLE",
	} {
		p := newPorch(t)
		p.PublicURL = address
		_, _, err := p.BeginPasskeySignIn(t.Context())
		if got := codeOf(t, err); got != want {
			t.Errorf("%s: got %q", address, got)
		}
	}
}
