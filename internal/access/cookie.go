package access

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The cookies of a browser. Browsers take a cookie of such a name only over TLS (or from this machine), for this host alone and every path of it.
const (
	SessionCookie = "__Host-blueberry"        // holds the secret of the session
	DeviceCookie  = "__Host-blueberry-device" // tells a browser that was here before, so that guessing elsewhere does not lock its people out
	StateCookie   = "__Host-blueberry-state"  // ties a sign-in at a provider to the browser that began it
)

// StateLife is how long a person may be at a provider.
const StateLife = 10 * time.Minute

// SessionOf is the secret of the session that a request brings in its cookie; empty for none, for two, and for a secret of another kind.
func SessionOf(r *http.Request) string {
	cookies := r.CookiesNamed(SessionCookie)
	if len(cookies) != 1 || !strings.HasPrefix(cookies[0].Value, SessionPrefix) {
		return ""
	}
	return cookies[0].Value
}

// RetryAfter is how long an error asks one to wait, as the header says it: whole seconds, rounded up; empty when it does not.
func RetryAfter(err error) string {
	var e *blueberry.Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 {
		return ""
	}
	return strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10)
}

// NewCookie keeps a value in the browser for a time, out of the reach of scripts and of forms that come from elsewhere.
func NewCookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// EndedCookie takes it out again.
func EndedCookie(name string) *http.Cookie {
	return &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}
