package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/web/look"
)

func lines(scopes []oauth.ScopeText) []scopeLine {
	out := make([]scopeLine, len(scopes))
	for i, s := range scopes {
		out[i] = scopeLine{Scope: s.Scope, Text: s.Text}
	}
	return out
}

// stamp is a time for people.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// wrong answers what is wrong with a program's request: to the program when it is proven whose it is, else to the person.
func (p *Pages) wrong(w http.ResponseWriter, r *http.Request, err error) {
	var ask *oauth.AskError
	switch {
	case !errors.As(err, &ask):
		p.refuse(w, r, err)
	case ask.Redirect != "":
		http.Redirect(w, r, ask.Redirect, http.StatusSeeOther)
	default:
		m := message{Title: "This request cannot be answered", Text: sentence(ask.Text) + ". Nothing was sent to the program that asked."}
		p.show(w, r, http.StatusBadRequest, messagePage(frame{Title: m.Title}, m))
	}
}

func (p *Pages) authorize(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	look.Outward(w.Header())
	ask, err := p.OAuth.Asked(r.Context(), r)
	if err != nil {
		p.wrong(w, r, err)
		return
	}
	if p.OAuth.Consented(r.Context(), user, ask.Client.ID, ask.ScopeNames()) && r.URL.Query().Get("prompt") != "consent" {
		if err := p.OAuth.Decide(r.Context(), w, r, user, true); err != nil {
			p.wrong(w, r, err)
		}
		return
	}
	host := ask.RedirectURI
	if u, err := url.Parse(ask.RedirectURI); err == nil {
		host = u.Scheme + "://" + u.Host
	}
	p.show(w, r, http.StatusOK, consentPage(consentView{
		User: user.Name, Client: ask.Client.Name, ClientID: ask.Client.ID, Host: host, Scopes: lines(ask.Scopes), Query: r.URL.RawQuery,
	}))
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	f, err := form(r)
	if err == nil {
		err = p.OAuth.Decide(r.Context(), w, r, user, f.Get("decision") == "allow")
	}
	if err != nil {
		p.wrong(w, r, err)
	}
}

func (p *Pages) device(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	code := r.URL.Query().Get("user_code")
	v := deviceView{User: user.Name, Code: code}
	status := http.StatusOK
	if code != "" {
		ask, err := p.OAuth.DeviceOf(r.Context(), user, code)
		if err != nil {
			status, v.Problem = p.status(w, r, err), told(err)
		} else {
			v.Code = ask.UserCode
			v.Ask = &deviceAsk{
				Client: ask.Client.Name, Address: ask.Address, UserAgent: ask.UserAgent, Since: stamp(ask.CreatedAt), Scopes: lines(ask.Scopes),
			}
		}
	}
	p.show(w, r, status, devicePage(v))
}

func (p *Pages) decideDevice(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	f, err := form(r)
	allow := f.Get("decision") == "allow"
	if err == nil {
		err = p.OAuth.DecideDevice(r.Context(), user, f.Get("user_code"), allow)
	}
	if err != nil {
		p.show(w, r, p.status(w, r, err), devicePage(deviceView{User: user.Name, Code: f.Get("user_code"), Problem: told(err)}))
		return
	}
	m := message{Title: "It is let in", Text: "Go back to the program; it goes on by itself.", Link: "Your account", To: "/account"}
	if !allow {
		m.Title, m.Text = "It is turned away", "The program is told so."
	}
	p.show(w, r, http.StatusOK, messagePage(frame{Title: m.Title, User: user.Name}, m))
}
