package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// stamp is a time for people.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func (p *Pages) account(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	p.showAccount(w, r, user, nil, "")
}

// done tells what the last form did, by the word in the address after a redirect.
var done = map[string]string{
	"password": "The password is changed; your other sessions have ended.", "totp-removed": "The second factor is removed.", "passkey-removed": "The passkey is removed.",
	"session-ended": "The session has ended.", "sessions-ended": "All other sessions have ended.", "unlinked": "The identity provider is unlinked.",
	"taken-back": "The program may do nothing for you any more; its tokens have ended.",
}

func (p *Pages) showAccount(w http.ResponseWriter, r *http.Request, user blueberry.Actor, failed error, field string) {
	outward(w)
	self, err := p.Account.Self(r.Context(), user)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	sessions, err := p.Account.Sessions(r.Context(), user, "", "", 0)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	consents, err := p.OAuth.Consents(r.Context(), user)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	ways := p.ways(r)
	v := accountView{User: user.Name, Done: done[r.URL.Query().Get("done")], Problem: told(failed), PasswordFault: faultOf(failed, field), PasskeysOff: ways.PasskeysOff}
	if d := self.Detail; self.User != nil {
		v.Name, v.Owner = self.User.Name, self.User.Owner
		v.SecondFactor, v.Password, v.RecoveryLeft = d.SecondFactor, d.Password, d.RecoveryCodes
		for _, k := range d.Passkeys {
			v.Passkeys = append(v.Passkeys, passkeyLine{ID: k.ID, Name: k.Name, Created: stamp(k.CreatedAt), Used: stamp(k.LastUsedAt)})
		}
		linked := map[string]bool{}
		for _, i := range d.Identities {
			linked[i.Provider] = true
			v.Identities = append(v.Identities, identityLine{Provider: i.Provider, Email: i.Email, Since: stamp(i.LinkedAt)})
		}
		for _, b := range buttons(ways) {
			if !linked[b.Name] {
				v.Link = append(v.Link, b)
			}
		}
		for _, m := range append(d.Memberships, d.ByGroup...) {
			v.Projects = append(v.Projects, projectLine{Project: m.Project, Role: string(m.Role)})
		}
	}
	for _, s := range sessions {
		v.Sessions = append(v.Sessions, sessionLine{
			ID: s.ID, Device: deviceName(s.UserAgent), Address: s.Address, Method: s.Method, Since: stamp(s.CreatedAt), Seen: stamp(s.LastSeenAt), Ends: stamp(s.ExpiresAt),
			Current: s.ID == user.Credential,
		})
	}
	for _, c := range consents {
		v.Consents = append(v.Consents, consentLine{ClientID: c.Client.ID, Client: c.Client.Name, Scopes: strings.Join(texts(c.Scopes), ", "), Since: stamp(c.GrantedAt)})
	}
	status := http.StatusOK
	if failed != nil {
		status = p.status(w, r, failed)
	}
	p.show(w, r, status, accountPage(v))
}

// deviceName tells a browser and a system from a user agent, as far as its usual words go.
func deviceName(agent string) string {
	browser, system := "", ""
	for _, x := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, x[0]) {
			browser = x[1]
			break
		}
	}
	for _, x := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, x[0]) {
			system = x[1]
			break
		}
	}
	switch {
	case browser == "" && agent == "":
		return "unknown"
	case browser == "":
		name, _, _ := strings.Cut(agent, " ")
		return name
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// after goes back to the account with what was done, or shows what is wrong.
func (p *Pages) after(w http.ResponseWriter, r *http.Request, user blueberry.Actor, err error, word, field string) {
	if err != nil {
		p.showAccount(w, r, user, err, field)
		return
	}
	http.Redirect(w, r, "/account?done="+word, http.StatusSeeOther)
}

func (p *Pages) endSession(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	p.after(w, r, user, p.Account.RevokeSession(r.Context(), user, r.PathValue("id")), "session-ended", "")
}

func (p *Pages) endSessions(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	_, err := p.Account.RevokeSessions(r.Context(), user, user.UserID, true)
	p.after(w, r, user, err, "sessions-ended", "")
}

func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	f, err := form(r)
	if err == nil {
		err = p.Factors.ChangePassword(r.Context(), user, f.Get("old_password"), f.Get("new_password"), f.Get("code"))
	}
	p.after(w, r, user, err, "password", "password")
}

func (p *Pages) beginTOTP(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	p.showTOTP(w, r, user, nil)
}

// showTOTP shows the key of an authenticator. A wrong code shows a new one, since the one before was shown once.
func (p *Pages) showTOTP(w http.ResponseWriter, r *http.Request, user blueberry.Actor, failed error) {
	setup, err := p.Factors.BeginTOTP(r.Context(), user)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	status, problem := http.StatusOK, ""
	if failed != nil {
		status, problem = p.status(w, r, failed), "The code was not right. Here is a new key; take the one before out of your authenticator."
	}
	qr := "data:image/png;base64," + base64.StdEncoding.EncodeToString(setup.QR)
	p.show(w, r, status, totpPage(totpView{User: user.Name, Problem: problem, Secret: setup.Secret, QR: qr}))
}

func (p *Pages) confirmTOTP(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	f, err := form(r)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	codes, err := p.Factors.ConfirmTOTP(r.Context(), user, f.Get("code"))
	if err != nil {
		p.showTOTP(w, r, user, err)
		return
	}
	p.show(w, r, http.StatusOK, recoveryPage(user.Name, codes))
}

func (p *Pages) removeTOTP(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	f, err := form(r)
	if err == nil {
		err = p.Factors.RemoveTOTP(r.Context(), user, f.Get("password"), f.Get("code"))
	}
	p.after(w, r, user, err, "totp-removed", "")
}

func (p *Pages) recoveryCodes(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	f, err := form(r)
	var codes []string
	if err == nil {
		codes, err = p.Factors.NewRecoveryCodes(r.Context(), user, f.Get("code"))
	}
	if err != nil {
		p.showAccount(w, r, user, err, "")
		return
	}
	p.show(w, r, http.StatusOK, recoveryPage(user.Name, codes))
}

func (p *Pages) passkeyOptions(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	var in struct {
		Name string `json:"name"`
	}
	err := read(r, &in)
	var c ceremony
	if err == nil {
		c.Options, c.Ticket, err = p.Passkeys.BeginPasskey(r.Context(), user, in.Name)
	}
	p.json(w, r, c, err)
}

func (p *Pages) addPasskey(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	var in struct {
		Ticket   string          `json:"ticket"`
		Response json.RawMessage `json:"response"`
	}
	err := read(r, &in)
	var k blueberry.Passkey
	if err == nil {
		k, err = p.Passkeys.FinishPasskey(r.Context(), user, in.Ticket, in.Response)
	}
	p.json(w, r, map[string]string{"id": k.ID}, err)
}

func (p *Pages) removePasskey(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	p.after(w, r, user, p.Passkeys.RemovePasskey(r.Context(), user, r.PathValue("id")), "passkey-removed", "")
}

func (p *Pages) unlink(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	p.after(w, r, user, p.Providers.RemoveIdentity(r.Context(), user, r.PathValue("provider")), "unlinked", "")
}

func (p *Pages) takeBack(w http.ResponseWriter, r *http.Request, user blueberry.Actor) {
	p.after(w, r, user, p.OAuth.RevokeConsent(r.Context(), user, r.PathValue("client")), "taken-back", "")
}
