package look

import (
	"context"
	"net/http"
	"slices"
)

// policy is the content security policy of the pages: their own style sheet, script and pictures, and a QR code as data.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// onlyHere keeps forms from going elsewhere. Browsers hold it against the redirect that answers a form, too, so pages whose forms lead to a provider or a
// program do without.
const onlyHere = "; form-action 'self'"

// Guard gives an answer the policy, and has nobody keep it.
func Guard(h http.Header) {
	h.Set("Content-Security-Policy", policy+onlyHere)
	h.Set("Cache-Control", "no-store")
}

// Outward lets the forms of a page lead away from here.
func Outward(h http.Header) { h.Set("Content-Security-Policy", policy) }

// How the pages look to one browser is kept by it, in cookies that hold nothing else.
const (
	ThemeCookie   = "blueberry_theme"
	DensityCookie = "blueberry_density"
)

// Themes and Densities are what can be chosen; without a choice it is the system's theme, and roomy.
var (
	Themes    = []string{"light", "dark"}
	Densities = []string{"compact"}
)

// Choice is what a cookie says, if it is one of the words.
func Choice(r *http.Request, name string, words []string) string {
	c, err := r.Cookie(name)
	if err != nil || !slices.Contains(words, c.Value) {
		return ""
	}
	return c.Value
}

type themeKey struct{}

// WithTheme notes for the templates of an answer which theme a browser has chosen.
func WithTheme(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, themeKey{}, Choice(r, ThemeCookie, Themes))
}

// Theme is the theme that was chosen; empty for the system's.
func Theme(ctx context.Context) string {
	theme, _ := ctx.Value(themeKey{}).(string)
	return theme
}
