package oauth

import (
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// OfflineAccess is the scope that asks for a refresh token.
const OfflineAccess = "offline_access"

// ScopeText is a scope with what it means to a person.
type ScopeText struct {
	Scope string
	Text  string // "read environments"
}

// ScopeTexts explains scopes.
func ScopeTexts(scopes []string) []ScopeText {
	out := make([]ScopeText, len(scopes))
	for i, scope := range scopes {
		out[i] = ScopeText{Scope: scope, Text: scopeText(scope)}
	}
	return out
}

func scopeText(scope string) string {
	switch scope {
	case string(blueberry.GrantAll):
		return "do everything that you may do"
	case OfflineAccess:
		return "keep access while you are away, until you take it back"
	case string(blueberry.GrantProjectsQuota):
		return "set the quotas of projects"
	case string(blueberry.GrantAccessReview):
		return "see who may do what"
	case string(blueberry.GrantConfigRead), string(blueberry.GrantConfigWrite), string(blueberry.GrantConfigDelete):
		return strings.TrimPrefix(scope, "config:") + " configuration"
	case string(blueberry.GrantEnvironmentsPlan):
		return "plan changes of environments"
	}
	resource, verb, _ := strings.Cut(scope, ":")
	return verb + " " + strings.NewReplacer("-", " ", "api", "API", "oauth", "OAuth").Replace(resource)
}

// Scopes lists every scope that there is.
func Scopes() []string {
	out := []string{string(blueberry.GrantAll), OfflineAccess}
	for _, g := range blueberry.Grants() {
		out = append(out, string(g))
	}
	return out
}

// GrantsOf is what scopes give of what a user or client holds: those of them that are grants.
func GrantsOf(scopes []string) []blueberry.Grant {
	var out []blueberry.Grant
	for _, s := range scopes {
		if s != OfflineAccess {
			out = append(out, blueberry.Grant(s))
		}
	}
	return out
}

// mayAsk reports whether a client may ask for a scope. "*:*" takes "*:*".
func mayAsk(c blueberry.OAuthClient, scope string) bool {
	if scope == OfflineAccess {
		return slices.Contains(c.Flows, blueberry.FlowRefresh)
	}
	known := scope == string(blueberry.GrantAll) || slices.Contains(blueberry.Grants(), blueberry.Grant(scope))
	return known && (slices.Contains(c.Grants, blueberry.GrantAll) || slices.Contains(c.Grants, blueberry.Grant(scope)))
}

// askedScopes reads a scope parameter. Without one a client asks for all that it is registered for, but for no refresh token (RFC 6749 3.3).
func askedScopes(c blueberry.OAuthClient, raw string) ([]string, *refusal) {
	scopes := splitScopes(raw)
	if len(scopes) == 0 {
		for _, g := range c.Grants {
			scopes = append(scopes, string(g))
		}
	}
	for _, scope := range scopes {
		if !mayAsk(c, scope) {
			return nil, refuse(invalidScope, "the client may not ask for the scope "+scope)
		}
	}
	return scopes, nil
}

// splitScopes gives each scope once, in the order of the request.
func splitScopes(raw string) []string {
	var out []string
	for _, scope := range strings.Split(raw, " ") {
		if scope != "" && !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out
}

// covers reports whether every one of the scopes is among those had.
func covers(had, scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(had, s) })
}
