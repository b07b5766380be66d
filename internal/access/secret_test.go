package access_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestSecretForm(t *testing.T) {
	t.Parallel()
	secret, hash := access.NewSecret(access.TokenPrefix)
	again, ok := access.HashSecret(access.TokenPrefix, secret)
	if !ok || !bytes.Equal(hash, again) {
		t.Fatalf("the hash of %d characters is not that of the secret", len(secret))
	}
	if blueberry.TokenShape(secret) == "" {
		t.Error("a scan does not know the secret")
	}
	body := secret[:len(secret)-7]
	for name, c := range map[string]struct {
		prefix, secret string
		reason         string
		ok             bool
	}{
		"itself":              {access.TokenPrefix, secret, "it is one", true},
		"from before":         {access.TokenPrefix, "blb_" + strings.Repeat("A", 43), "admin tokens of the first versions have no checksum", true},
		"session from before": {access.SessionPrefix, "bls_" + strings.Repeat("A", 43), "no other kind was ever without", false},
		"other kind":          {access.SessionPrefix, secret, "a secret of one kind is none of another", false},
		"renamed kind":        {access.SessionPrefix, "bls_" + secret[4:], "the checksum holds the prefix too", false},
		"wrong checksum":      {access.TokenPrefix, body + "_000000", "someone guesses", false},
		"one character":       {access.TokenPrefix, flip(secret, 10), "someone mistyped", false},
		"longer":              {access.TokenPrefix, secret + "0", "nothing may follow", false},
		"shorter":             {access.TokenPrefix, secret[:len(secret)-1], "it was cut", false},
		"other characters":    {access.TokenPrefix, "blb_" + strings.Repeat("é", 21) + "A", "it is ASCII", false},
		"empty":               {access.TokenPrefix, "", "there is nothing", false},
		"no prefix":           {"", secret, "whoever asks for no kind gets none", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, ok := access.HashSecret(c.prefix, c.secret); ok != c.ok {
				t.Errorf("%s: got %v", c.reason, ok)
			}
		})
	}
}

func flip(s string, at int) string {
	c := byte('A')
	if s[at] == c {
		c = 'B'
	}
	return s[:at] + string(c) + s[at+1:]
}
