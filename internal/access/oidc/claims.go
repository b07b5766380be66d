package oidc

import (
	"strings"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// token is a proven ID token.
type token struct {
	subject string
	all     map[string]any
}

// needsMore reports whether the token lacks what the issuer may tell elsewhere.
func (t *token) needsMore(p blueberry.IdentityProvider) bool {
	_, email := t.all["email"]
	_, name := t.all["name"]
	return !email || !name || t.groups(p) == nil
}

func (t *token) claims(p blueberry.IdentityProvider) access.Claims {
	return access.Claims{Subject: t.subject, Email: text(t.all["email"]), EmailVerified: truth(t.all["email_verified"]), Name: text(t.all["name"]), Groups: t.groups(p)}
}

// groups reads the claim of the provider. Its name may be a path, as "realm_access.roles" of Keycloak.
func (t *token) groups(p blueberry.IdentityProvider) []string {
	name := p.GroupsClaim
	if name == "" {
		name = "groups"
	}
	value, ok := t.all[name]
	if !ok {
		value = t.all
		for part := range strings.SplitSeq(name, ".") {
			inner, _ := value.(map[string]any)
			value = inner[part]
		}
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		out := []string{}
		for _, g := range v {
			if s := text(g); s != "" {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// truth reads a claim that some issuers write as a text.
func truth(v any) bool { return v == any(true) || v == any("true") }
