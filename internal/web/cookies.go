package web

import (
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// enter gives a browser its new session, in place of any that it had, and sends it where it wanted to go.
// What needs no session of its own, as a link to a provider, leaves the one that is there.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request, e access.Entered) {
	http.SetCookie(w, access.EndedCookie(access.StateCookie))
	switch {
	case e.Secret != "":
		p.remember(w, r, e)
	case access.SessionOf(r) == "":
		p.showSignIn(w, r, http.StatusOK, signInView{Done: "That is done. Now sign in."})
		return
	}
	http.Redirect(w, r, next(e.ReturnTo), http.StatusSeeOther)
}

func (p *Pages) remember(w http.ResponseWriter, r *http.Request, e access.Entered) {
	if old := access.SessionOf(r); old != "" {
		if err := p.SignIn.SignOut(r.Context(), old); err != nil {
			p.Logger.WarnContext(r.Context(), "the session before was not ended", "error", err)
		}
	}
	http.SetCookie(w, access.NewCookie(access.SessionCookie, e.Secret, blueberry.SessionLife))
	if e.Device != "" {
		http.SetCookie(w, access.NewCookie(access.DeviceCookie, e.Device, access.DeviceLife))
	}
}

// next is where a person goes after signing in.
func next(returnTo string) string {
	if returnTo == "" {
		return "/"
	}
	return returnTo
}
