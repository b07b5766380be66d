package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/web/look"
)

const (
	themeCookie   = look.ThemeCookie
	densityCookie = look.DensityCookie
)

var (
	themes    = look.Themes
	densities = look.Densities
)

func preferencesArea() area {
	return area{Posts: map[string]func(*visit) (string, error){"POST /preferences": setPreference}}
}

// choice is what a cookie says, if it is one of the words.
func choice(r *http.Request, name string, words []string) string { return look.Choice(r, name, words) }

// setPreference keeps how pages look, and goes back to the page that asked.
func setPreference(v *visit) (string, error) {
	for name, words := range map[string][]string{themeCookie: themes, densityCookie: densities} {
		field := strings.TrimPrefix(name, "blueberry_")
		if !v.r.PostForm.Has(field) {
			continue
		}
		c := &http.Cookie{Name: name, Value: v.r.PostForm.Get(field), Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.r.TLS != nil}
		if !slices.Contains(words, c.Value) {
			c.Value, c.MaxAge = "", -1
		}
		http.SetCookie(v.w, c)
	}
	return here(v.r.PostForm.Get("back")), nil
}

// here is an address of ours: a path, which browsers take for nothing else.
func here(back string) string {
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\t\r\n") {
		return "/"
	}
	return back
}
