package web

import (
	"net/http"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/web/look"
)

func newPassword(err error) formField {
	return formField{
		Name: "password", Label: "Password", Type: "password", Autocomplete: "new-password", Hint: "At least 12 characters; a few words are good", Focus: err == nil, Fault: faultOf(err, "password"),
	}
}

func (p *Pages) setup(w http.ResponseWriter, r *http.Request) {
	link := r.URL.Query().Get("link")
	if link == "" {
		m := message{
			Title: "This page needs its link", To: "/signin", Link: "To sign-in",
			Text: "The server tells the whole address of this page when it starts without an owner, and keeps it in the file setup-link of its state directory.",
		}
		p.show(w, r, http.StatusNotFound, messagePage(frame{Title: m.Title}, m))
		return
	}
	p.show(w, r, http.StatusOK, setupPage(setupView(link, access.NewOwner{}, nil)))
}

func setupView(link string, o access.NewOwner, err error) passwordView {
	return passwordView{
		Title: "Set up Blueberry", Text: "You make the account of the owner, who may do everything.", Problem: told(err), Action: "/setup", Button: "Make the account", Link: link,
		Fields: []formField{
			{Name: "email", Label: "E-mail address", Type: "email", Value: o.Email, Autocomplete: "username", Focus: err == nil, Fault: faultOf(err, "email")},
			{Name: "name", Label: "Name", Value: o.Name, Autocomplete: "name", Optional: true, Fault: faultOf(err, "name")},
			newPassword(err),
		},
	}
}

func (p *Pages) completeSetup(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	o := access.NewOwner{Email: f.Get("email"), Name: f.Get("name"), Password: f.Get("password")}
	entered, err := p.SignIn.CompleteSetup(r.Context(), f.Get("link"), o, p.from(r))
	if err != nil {
		p.show(w, r, p.status(w, r, err), setupPage(setupView(f.Get("link"), o, err)))
		return
	}
	p.enter(w, r, entered)
}

func (p *Pages) invitation(w http.ResponseWriter, r *http.Request) {
	p.showInvitation(w, r, r.URL.Query().Get("link"), "", nil)
}

func (p *Pages) showInvitation(w http.ResponseWriter, r *http.Request, link, name string, failed error) {
	look.Outward(w.Header())
	user, err := p.SignIn.InvitationOf(r.Context(), link)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if name == "" {
		name = user.Name
	}
	status := http.StatusOK
	if failed != nil {
		status = p.status(w, r, failed)
	}
	p.show(w, r, status, passwordPage(passwordView{
		Title: "Welcome to Blueberry", Text: "You are invited as " + user.Email + ". Choose a password, or how else you sign in.", Problem: told(failed),
		Action: "/invitation", Button: "Come in", Link: link, Providers: buttons(p.ways(r)),
		Fields: []formField{
			{Name: "name", Label: "Name", Value: name, Autocomplete: "name", Optional: true, Fault: faultOf(failed, "name")}, newPassword(failed),
		},
	}))
}

func (p *Pages) acceptInvitation(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	entered, err := p.SignIn.AcceptInvitation(r.Context(), f.Get("link"), access.Acceptance{Name: f.Get("name"), Password: f.Get("password")}, p.from(r))
	if err != nil {
		p.showInvitation(w, r, f.Get("link"), f.Get("name"), err)
		return
	}
	p.enter(w, r, entered)
}

func (p *Pages) forgot(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, forgotPage("", ""))
}

func (p *Pages) requestReset(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err == nil {
		err = p.SignIn.RequestReset(r.Context(), f.Get("email"), p.from(r))
	}
	if fault := faultOf(err, "email"); fault != "" {
		p.show(w, r, p.status(w, r, err), forgotPage(f.Get("email"), fault))
		return
	}
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, messagePage(frame{Title: "Look into your mail"}, message{
		Title: "Look into your mail", Text: "If the address is known here, a mail is on its way. Without one, ask the owner of this installation for a link.",
		Link: "Back to sign-in", To: "/signin",
	}))
}

func resetView(link string, err error) passwordView {
	return passwordView{
		Title: "New password", Text: "Choose a new password. Your sessions end; a second factor stays.", Problem: told(err),
		Action: "/reset", Button: "Set the password", Link: link, Fields: []formField{newPassword(err)},
	}
}

func (p *Pages) reset(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, passwordPage(resetView(r.URL.Query().Get("link"), nil)))
}

func (p *Pages) completeReset(w http.ResponseWriter, r *http.Request) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	entered, err := p.SignIn.CompleteReset(r.Context(), f.Get("link"), f.Get("password"), p.from(r))
	if err != nil {
		p.show(w, r, p.status(w, r, err), passwordPage(resetView(f.Get("link"), err)))
		return
	}
	p.enter(w, r, entered)
}
