package web

import (
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// The cookies. A name that begins with __Host- is taken by browsers only with Secure, for this host alone and every path of it.
const (
	SessionCookie = "__Host-blueberry"
	deviceCookie  = "__Host-blueberry-device"
	stateCookie   = "__Host-blueberry-state"

	stateLife = 10 * time.Minute
)

func setCookie(w http.ResponseWriter, name, value string, life time.Duration, same http.SameSite) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), Secure: true, HttpOnly: true, SameSite: same})
}

func dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func session(r *http.Request) string { return cookie(r, SessionCookie) }

// enter gives a browser its new session, in place of any that it had, and sends it where it wanted to go.
// What needs no session of its own, as a link to a provider, leaves the one that is there.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request, e access.Entered) {
	dropCookie(w, stateCookie)
	switch {
	case e.Secret != "":
		p.remember(w, r, e)
	case session(r) == "":
		p.showSignIn(w, r, http.StatusOK, signInView{Done: "That is done. Now sign in."})
		return
	}
	http.Redirect(w, r, next(e.ReturnTo), http.StatusSeeOther)
}

func (p *Pages) remember(w http.ResponseWriter, r *http.Request, e access.Entered) {
	if old := session(r); old != "" {
		if err := p.SignIn.SignOut(r.Context(), old); err != nil {
			p.Logger.WarnContext(r.Context(), "the session before was not ended", "error", err)
		}
	}
	setCookie(w, SessionCookie, e.Secret, blueberry.SessionLife, http.SameSiteLaxMode)
	if e.Device != "" {
		setCookie(w, deviceCookie, e.Device, access.DeviceLife, http.SameSiteLaxMode)
	}
}

// next is where a person goes after signing in.
func next(returnTo string) string {
	if returnTo == "" || returnTo == "/" {
		return "/account"
	}
	return returnTo
}
