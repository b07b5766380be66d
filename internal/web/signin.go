package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/web/look"
)

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	p.showSignIn(w, r, http.StatusOK, signInView{ReturnTo: local(r.URL.Query().Get("return_to"))})
}

func (p *Pages) showSignIn(w http.ResponseWriter, r *http.Request, status int, v signInView) {
	look.Outward(w.Header())
	ways := p.ways(r)
	v.Passkeys, v.Providers, v.NoOwner = ways.PasskeysOff == "", buttons(ways), ways.NoOwner
	p.show(w, r, status, signInPage(v))
}

// ways are how people can sign in. Without them the page still serves.
func (p *Pages) ways(r *http.Request) access.Ways {
	w, err := p.SignIn.Ways(r.Context())
	if err != nil {
		p.Logger.WarnContext(r.Context(), "identity providers could not be read", "error", err)
	}
	return w
}

func buttons(w access.Ways) []providerButton {
	out := make([]providerButton, 0, len(w.Providers))
	for _, x := range w.Providers {
		label := x.Label
		if label == "" {
			label = x.Name
		}
		out = append(out, providerButton{Name: x.Name, Label: label})
	}
	return out
}

// local is a path of ours to go on at; empty for one that leads elsewhere.
func local(path string) string {
	if !access.LocalPath(path) {
		return ""
	}
	return path
}

func (p *Pages) signInByPassword(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	a := access.PasswordAttempt{Email: f.Get("email"), Password: f.Get("password"), From: p.from(r)}
	p.attempt(w, r, a, local(f.Get("return_to")), "")
}

// attempt signs in, or shows the page that asks for what is missing or wrong.
func (p *Pages) attempt(w http.ResponseWriter, r *http.Request, a access.PasswordAttempt, returnTo, held string) {
	entered, err := p.SignIn.Password(r.Context(), a)
	if err == nil {
		entered.ReturnTo = returnTo
		p.enter(w, r, entered)
		return
	}
	status := p.status(w, r, err)
	switch {
	case hasCode(err, "SECOND_FACTOR_NEEDED"):
		if held == "" {
			if held, err = p.hold(a); err != nil {
				p.refuse(w, r, err)
				return
			}
		}
		p.show(w, r, http.StatusOK, secondFactorPage(secondFactorView{Held: held, ReturnTo: returnTo}))
	case held != "" && status == http.StatusUnauthorized:
		p.show(w, r, status, secondFactorPage(secondFactorView{Problem: "The code is not right.", Held: held, ReturnTo: returnTo}))
	default:
		p.showSignIn(w, r, status, signInView{Problem: told(err), Email: a.Email, ReturnTo: returnTo})
	}
}

// holdLife is how long a person may look for their code.
const holdLife = 5 * time.Minute

// heldAttempt is a right password that waits for its code, in the person's own page, encrypted.
type heldAttempt struct {
	Email, Password string
	Until           time.Time
}

const holdBound = "web.sign-in"

func (p *Pages) hold(a access.PasswordAttempt) (string, error) {
	plain, err := json.Marshal(heldAttempt{a.Email, a.Password, p.Now().Add(holdLife)})
	if err != nil {
		return "", err
	}
	sealed, err := p.Seal.Seal(plain, holdBound)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func (p *Pages) signInByCode(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	var h heldAttempt
	sealed, err := base64.RawURLEncoding.DecodeString(f.Get("held"))
	if err == nil {
		var plain []byte
		if plain, err = p.Seal.Open(sealed, holdBound); err == nil {
			err = json.Unmarshal(plain, &h)
		}
	}
	returnTo := local(f.Get("return_to"))
	if err != nil || !p.Now().Before(h.Until) {
		p.showSignIn(w, r, http.StatusUnauthorized, signInView{Problem: "That took too long. Sign in again.", ReturnTo: returnTo})
		return
	}
	code := f.Get("code")
	if code == "" {
		code = "-" // nothing at all would ask for the code again, without counting
	}
	p.attempt(w, r, access.PasswordAttempt{Email: h.Email, Password: h.Password, Code: code, From: p.from(r)}, returnTo, f.Get("held"))
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if secret := access.SessionOf(r); secret != "" {
		if err := p.SignIn.SignOut(r.Context(), secret); err != nil {
			p.refuse(w, r, err)
			return
		}
	}
	http.SetCookie(w, access.EndedCookie(access.SessionCookie))
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

func (p *Pages) beginProvider(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	start := access.ProviderStart{ReturnTo: local(f.Get("return_to")), Invite: f.Get("invitation")}
	if f.Get("link") != "" {
		user, err := p.Gate.Authenticate(r.Context(), access.SessionOf(r))
		if err != nil {
			http.Redirect(w, r, "/signin?return_to=%2Faccount%2Fsecurity", http.StatusSeeOther)
			return
		}
		start.Link, start.ReturnTo = &user, "/account/security?done=own-linked"
	}
	to, state, err := p.Providers.BeginProvider(r.Context(), r.PathValue("provider"), start)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	// The provider sends the browser back from its own site: a cookie that is strict would not come along.
	http.SetCookie(w, access.NewCookie(access.StateCookie, state, access.StateLife))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (p *Pages) finishProvider(w http.ResponseWriter, r *http.Request) {
	entered, err := p.Providers.FinishProvider(r.Context(), r.PathValue("provider"), access.ProviderReturn{
		Query: r.URL.Query(), State: cookie(r, access.StateCookie), From: p.from(r),
	})
	if err != nil {
		http.SetCookie(w, access.EndedCookie(access.StateCookie))
		p.showSignIn(w, r, p.status(w, r, err), signInView{Problem: told(err)})
		return
	}
	p.enter(w, r, entered)
}

func hasCode(err error, code string) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Code == code
}

// status is the status of an error's answer, as the API's; what nobody expects is logged.
func (p *Pages) status(w http.ResponseWriter, r *http.Request, err error) int {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		p.Logger.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
		return http.StatusInternalServerError
	}
	if wait := access.RetryAfter(err); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	return e.Kind.Status()
}

// refuse shows an error as a page of its own.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, err error) {
	text := told(err)
	var e *blueberry.Error
	if text == "" && errors.As(err, &e) {
		for _, f := range e.Fields {
			text += sentence(f.String()) + ". "
		}
	}
	p.show(w, r, p.status(w, r, err), messagePage(frame{Title: "That did not work"}, message{Title: "That did not work", Text: text, Link: "Go on", To: "/account"}))
}

// json answers a script.
func (p *Pages) json(w http.ResponseWriter, r *http.Request, v any, err error) {
	status := http.StatusOK
	if err != nil {
		status = p.status(w, r, err)
		text := told(err)
		var e *blueberry.Error
		if text == "" && errors.As(err, &e) && len(e.Fields) > 0 {
			text = sentence(e.Fields[0].Message)
		}
		v = map[string]string{"detail": text}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader is gone
}

// read takes a script's body.
func read(r *http.Request, into any) error {
	if r.Header.Get("Content-Type") != "application/json" {
		return blueberry.Errorf(blueberry.Malformed, "BODY_UNREADABLE", "the body must be JSON")
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return blueberry.Errorf(blueberry.Malformed, "BODY_UNREADABLE", "the body cannot be read")
	}
	return nil
}

type ceremony struct {
	Options json.RawMessage `json:"options"`
	Ticket  string          `json:"ticket"`
}

func (p *Pages) passkeySignInOptions(w http.ResponseWriter, r *http.Request) {
	options, ticket, err := p.Passkeys.BeginPasskeySignIn(r.Context())
	p.json(w, r, ceremony{options, ticket}, err)
}

func (p *Pages) passkeySignIn(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Ticket   string          `json:"ticket"`
		ReturnTo string          `json:"return_to"`
		Response json.RawMessage `json:"response"`
	}
	err := read(r, &in)
	var entered access.Entered
	if err == nil {
		entered, err = p.Passkeys.FinishPasskeySignIn(r.Context(), in.Ticket, in.Response, p.from(r))
	}
	if err == nil {
		p.remember(w, r, entered)
	}
	p.json(w, r, map[string]string{"return_to": next(local(in.ReturnTo))}, err)
}
