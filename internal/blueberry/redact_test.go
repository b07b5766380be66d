package blueberry_test

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	token := "ghp_" + made(36, "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYz")
	for reason, c := range map[string]struct{ text, want string }{
		"nothing to hide":  {"web.replicas: must be at most 10", "web.replicas: must be at most 10"},
		"in quotes":        {`"` + token + `" is not an image reference`, `"(hidden)" is not an image reference`},
		"as a key":         {`backend.env["` + token + `"]`, `backend.env["(hidden)"]`},
		"more than one":    {token + " and " + token, "(hidden) and (hidden)"},
		"in the middle":    {"url https://x/" + token + "/y fails", "url (hidden) fails"},
		"a key over lines": {pem("RSA PRIVATE KEY"), "(hidden)"},
	} {
		if got := blueberry.Redact(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", reason, got, c.want)
		}
	}
}

// TestFaultsHideSecrets: whatever a message or a field was made of, a secret of a known form is not in it.
func TestFaultsHideSecrets(t *testing.T) {
	t.Parallel()
	token := "ghp_" + made(36, "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYz")
	var f blueberry.Faults
	f.Add("env."+token, "image", "%q is no image", token)
	f.CheckText("reason", "because "+token, 500)
	f.CheckImage("image", token)
	if err := f.Err(); len(f) != 3 || strings.Contains(err.Error(), token) {
		t.Errorf("%v", err)
	}
	if err := blueberry.Errorf(blueberry.Conflict, "X", "held by %s", token); strings.Contains(err.Error(), token) {
		t.Errorf("%v", err)
	}
	for reason, text := range map[string]string{"turns the line around": "a\u202eb", "control": "a\x1b[31mb", "NUL": "a\x00b"} {
		var f blueberry.Faults
		if f.CheckText("reason", text, 500); len(f) != 1 || f[0].Code != "text" {
			t.Errorf("%s: %v", reason, f)
		}
	}
}
