package oauth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
)

func TestCodeReplayEndsItsTokens(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"at once": 0, "long after the code's own minute": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			c := h.client(nil)
			code := h.code(c)
			first := h.exchange(c, code)
			other, _ := h.tokens(c) // of another consent: it lives on
			h.clock.add(wait)
			before := h.epoch()
			h.refused(h.exchange(c, code), "invalid_grant")
			h.refused(h.refresh(c, first.text("refresh_token")), "invalid_grant")
			if h.lives(first.text("access_token")) {
				t.Error("the access token of a code that was used twice lives")
			}
			if wait == 0 && !h.lives(other) {
				t.Error("the access token of another code ended too")
			}
			if h.epoch() == before {
				t.Error("no process hears that tokens ended")
			}
			if wait == 0 && !strings.Contains(strings.Join(h.audit("oauth:token"), "\n"), "denied: authorization_code: invalid_grant") {
				t.Errorf("audit = %q, want the replay in it", h.audit("oauth:token"))
			}
		})
	}
}

// TestCodeTriedWrongIsBurnt: whoever has a code and not what belongs to it gets one try.
func TestCodeTriedWrongIsBurnt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.client(nil), h.client(nil)
	for name, try := range map[string]func(code string) answer{
		"wrong verifier": func(code string) answer { return h.exchange(a, code, "code_verifier", strings.Repeat("x", 43)) },
		"no verifier":    func(code string) answer { return h.exchange(a, code, "code_verifier", "") },
		"short verifier": func(code string) answer { return h.exchange(a, code, "code_verifier", "short") },
		"the challenge as such": func(code string) answer {
			return h.exchange(a, code, "code_verifier", oauth2.S256ChallengeFromVerifier(verifier))
		},
		"other redirect URI": func(code string) answer { return h.exchange(a, code, "redirect_uri", page+"/") },
		"no redirect URI":    func(code string) answer { return h.exchange(a, code, "redirect_uri", "") },
		"another client":     func(code string) answer { return h.exchange(b, code) },
	} {
		code := h.code(a)
		h.refused(try(code), "invalid_grant")
		if got := h.exchange(a, code); got.status != http.StatusBadRequest {
			t.Errorf("%s: the code still works", name)
		}
	}
}

func TestCodeGuesses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	code := h.code(c)
	access, refresh := h.tokens(c)
	for name, secret := range map[string]string{
		"empty": "", "one character less": code[:len(code)-1], "an access token": access, "a refresh token": refresh, "the client's secret": c.Secret,
		"another prefix": "blr_" + code[4:], "letters changed": code[:10] + "AAAA" + code[14:], "a space after it": code + " ",
	} {
		a := h.exchange(c, secret)
		if a.status != http.StatusBadRequest || a.text("access_token") != "" {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	if h.exchange(c, code).status != http.StatusOK {
		t.Error("the guesses ended the real code")
	}
}

// TestPKCEDowngrade: nobody gets a code without S256, whatever kind of client it is, and no parameter added later weakens one.
func TestPKCEDowngrade(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for kind, c := range map[string]oauth.MadeClient{"confidential": h.client(nil), "public": h.client(public)} {
		for name, pairs := range map[string][]string{
			"no challenge":        {"code_challenge", "", "code_challenge_method", ""},
			"method alone":        {"code_challenge", ""},
			"challenge alone":     {"code_challenge_method", ""},
			"plain":               {"code_challenge_method", "plain", "code_challenge", verifier},
			"plain, as a hash":    {"code_challenge_method", "plain"},
			"lower case":          {"code_challenge_method", "s256"},
			"challenge too short": {"code_challenge", "abc"},
			"challenge padded":    {"code_challenge", oauth2.S256ChallengeFromVerifier(verifier) + "="},
		} {
			to, status := h.visit(h.ask(c, pairs...))
			if to == nil || to.Query().Get("error") != "invalid_request" || to.Query().Has("code") {
				t.Errorf("%s client, %s: status %d, sent to %v", kind, name, status, to)
			}
		}
		h.refused(h.exchange(c, h.code(c), "code_verifier", oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method", "plain"), "invalid_grant")
	}
}

// TestTokenConfusion: a secret of one kind is nothing where another is asked for.
func TestTokenConfusion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.client(nil)
	access, refresh := h.tokens(c)
	code := h.code(c)
	device := h.post("/oauth/device_authorization", c).text("device_code")
	for name, secret := range map[string]string{"refresh": refresh, "code": code, "device code": device, "client secret": c.Secret, "empty": "", "prefix": "bla_"} {
		if h.lives(secret) {
			t.Errorf("a %s is taken for an access token", name)
		}
		if name != "refresh" && h.refresh(c, secret).status == http.StatusOK {
			t.Errorf("a %s is taken for a refresh token", name)
		}
		if name != "device code" && h.post("/oauth/token", c, "grant_type", deviceGrant, "device_code", secret).text("error") == "authorization_pending" {
			t.Errorf("a %s is taken for a device code", name)
		}
		fake := c
		fake.Secret = secret
		if name != "client secret" && h.post("/oauth/token", fake, "grant_type", "client_credentials").status == http.StatusOK {
			t.Errorf("a %s is taken for a client secret", name)
		}
	}
	for _, secret := range []string{access, device, code} {
		if h.refresh(c, secret).status == http.StatusOK {
			t.Error("something else is taken for a refresh token")
		}
	}
	if a := h.post("/oauth/introspect", c, "token", code); a.body["active"] != false {
		t.Errorf("introspection tells of a code: %s", a.raw)
	}
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
