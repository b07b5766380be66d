package web_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/web"
	"github.com/blueberry-idp/blueberry/internal/web/console"
)

// site is the pages behind the gateway, on real rooms.
type site struct {
	rooms *roomstest.Rooms
	url   string
	gate  *broken
}

// broken is the gate, which a test can take away.
type broken struct {
	*access.Gate
	err error
}

func (b *broken) Authenticate(ctx context.Context, credential string) (blueberry.Actor, error) {
	if b.err != nil {
		return blueberry.Actor{}, b.err
	}
	return b.Gate.Authenticate(ctx, credential)
}

func newSite(t *testing.T) *site {
	t.Helper()
	rooms := roomstest.Open(t)
	s := &site{rooms: rooms, gate: &broken{Gate: rooms.Gate}}
	pages := &web.Pages{
		SignIn: rooms.SignIn, Providers: rooms.SignIn, Passkeys: rooms.SignIn, OAuth: rooms.OAuth,
		Gate: s.gate, Seal: rooms.SignIn.Seal, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	deps := rooms.Deps()
	var api *httpapi.API
	people := &console.Console{ // has the account
		API: func(a blueberry.Actor) http.Handler { return api.Inside(a) }, SignedIn: pages.SignedIn, Page: pages.Page, Again: pages.Again,
		Events: func(context.Context, int64) ([]blueberry.Event, int64, error) { return nil, 0, nil }, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	deps.Routes = pages.Routes()
	maps.Copy(deps.Routes, people.Routes())
	var err error
	if api, err = httpapi.New(deps); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// answer is what a browser gets.
type answer struct {
	status  int
	to      string // Location
	page    string
	header  http.Header
	session string // cookie that was set
}

// ask does what a browser does, with a cookie of the session, and follows nothing.
func (s *site) ask(t *testing.T, method, path, session string, form url.Values) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if session != "" {
		req.Header.Set("Cookie", access.SessionCookie+"="+session)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, to: res.Header.Get("Location"), page: string(text), header: res.Header}
	for _, c := range res.Cookies() {
		if c.Name == access.SessionCookie {
			if !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("the cookie is %s", c)
			}
			a.session = c.Value
		}
	}
	return a
}

func credentials(password string, more ...string) url.Values {
	f := url.Values{"email": {"ada@example.com"}, "password": {password}}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func TestSignInGoesWhereOneWanted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rooms.Person(t, "ada@example.com", false, nil)
	for returnTo, want := range map[string]string{
		"/oauth/device?user_code=ABCD-EFGH": "/oauth/device?user_code=ABCD-EFGH", "": "/", "https://evil.example": "/", "//evil.example": "/",
		`/\evil.example`: "/", "/%09/evil.example": "/", "javascript:alert(1)": "/",
	} {
		a := s.ask(t, http.MethodPost, "/signin", "", credentials(roomstest.Password, "return_to", returnTo))
		if a.status != http.StatusSeeOther || a.to != want || a.session == "" {
			t.Errorf("%q leads to %q, %d", returnTo, a.to, a.status)
		}
	}
}

func TestEachSignInIsANewSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, old := s.rooms.Person(t, "ada@example.com", false, nil)
	a := s.ask(t, http.MethodPost, "/signin", old, credentials(roomstest.Password))
	if a.session == "" || a.session == old {
		t.Fatalf("the session is %q", a.session)
	}
	if a := s.ask(t, http.MethodGet, "/account", old, nil); a.status != http.StatusSeeOther {
		t.Errorf("the session before goes on: %d", a.status)
	}
	if a := s.ask(t, http.MethodGet, "/account", a.session, nil); a.status != http.StatusOK || !strings.Contains(a.page, "ada@example.com") {
		t.Errorf("the new one: %d %s", a.status, a.page)
	}
}

func TestWhoIsNotSignedIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	user, session := s.rooms.Person(t, "ada@example.com", true, nil)
	actor, err := s.rooms.Gate.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.rooms.Accounts.CreateToken(t.Context(), actor, access.NewToken{Name: "ci", Grants: []blueberry.Grant{blueberry.GrantAll}})
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"nobody": "", "an API token in the cookie": token.Secret, "nonsense": "bls_nonsense", "an id": user.ID} {
		a := s.ask(t, http.MethodGet, "/oauth/device?user_code=ABCD-EFGH", secret, nil)
		if a.status != http.StatusSeeOther || a.to != "/signin?return_to=%2Foauth%2Fdevice%3Fuser_code%3DABCD-EFGH" {
			t.Errorf("%s: %d to %q", name, a.status, a.to)
		}
		if a := s.ask(t, http.MethodPost, "/account/security/password", secret, credentials("x")); a.status != http.StatusSeeOther || a.to != "/signin?return_to=%2Faccount" {
			t.Errorf("%s, a form: %d to %q", name, a.status, a.to)
		}
	}
	s.gate.err = errors.New("the record is down")
	if a := s.ask(t, http.MethodGet, "/account", session, nil); a.status != http.StatusInternalServerError || strings.Contains(a.page, "record") {
		t.Errorf("while the record is down: %d %s", a.status, a.page)
	}
}

var held = regexp.MustCompile(`name="held" value="([^"]+)"`)

func TestWrongAnswersOfSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rooms.Person(t, "ada@example.com", false, nil)
	unknown := s.ask(t, http.MethodPost, "/signin", "", url.Values{"email": {"bob@example.com"}, "password": {"not the password"}})
	wrong := s.ask(t, http.MethodPost, "/signin", "", credentials("not the password"))
	if wrong.status != http.StatusUnauthorized || unknown.status != wrong.status || strings.ReplaceAll(unknown.page, "bob@", "ada@") != wrong.page {
		t.Errorf("an unknown address is told apart:\n%s\n%s", unknown.page, wrong.page)
	}
	if strings.Contains(wrong.page, "not the password") {
		t.Error("the page repeats the password")
	}
	for range 6 {
		wrong = s.ask(t, http.MethodPost, "/signin", "", credentials("not the password"))
	}
	if wait := wrong.header.Get("Retry-After"); wrong.status != http.StatusTooManyRequests || wait == "" || wait == "1" {
		t.Errorf("after many tries: %d, Retry-After %q", wrong.status, wait)
	}
	for name, value := range map[string]string{"nothing": "", "nonsense": "x", "not ours": "AAAA"} {
		a := s.ask(t, http.MethodPost, "/signin/code", "", url.Values{"held": {value}, "code": {"123456"}})
		if a.status != http.StatusUnauthorized || a.session != "" || held.MatchString(a.page) {
			t.Errorf("%s held: %d", name, a.status)
		}
	}
}

func TestPagesAreSafe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, session := s.rooms.Person(t, "ada@example.com", false, nil)
	for _, path := range []string{"/signin?return_to=%22%3E%3Cscript%3E", "/setup?link=%22%3E%3Cscript%3E", "/reset?link=%3Cscript%3E", "/invitation?link=%3Cscript%3E", "/forgot", "/account", "/account/security", "/account/sessions", "/account/tokens/new", "/account/programs", "/account/notifications", "/oauth/device?user_code=%3Cscript%3E", "/oauth/authorize?client_id=%3Cscript%3E"} {
		a := s.ask(t, http.MethodGet, path, session, nil)
		if strings.Contains(a.page, "<script>") {
			t.Errorf("%s repeats a script:\n%s", path, a.page)
		}
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s has the policy %q, %q", path, csp, a.header.Get("Cache-Control"))
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/signout", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", access.SessionCookie+"="+session)
	req.Header.Set("Origin", "https://evil.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if a := s.ask(t, http.MethodGet, "/account", session, nil); res.StatusCode != http.StatusForbidden || a.status != http.StatusOK {
		t.Errorf("a form of another site: %d, and the session then: %d", res.StatusCode, a.status)
	}
}

// TestFirstRun: who comes before there is an owner is told where to begin, and a set-up page without its link says where that is.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if a := s.ask(t, http.MethodGet, "/signin", "", nil); a.status != http.StatusOK || !strings.Contains(a.page, "Nobody has an account here yet") {
		t.Errorf("before there is an owner: %d\n%s", a.status, a.page)
	}
	if a := s.ask(t, http.MethodGet, "/setup", "", nil); a.status != http.StatusNotFound || !strings.Contains(a.page, "setup-link") {
		t.Errorf("without its link: %d", a.status)
	}
	if a := s.ask(t, http.MethodGet, "/setup?link=bll_x", "", nil); a.status != http.StatusOK || !strings.Contains(a.page, "Make the account") || !strings.Contains(a.page, `autocomplete="new-password"`) {
		t.Errorf("the set-up page: %d", a.status)
	}
	s.rooms.Person(t, "ada@example.com", true, nil)
	if a := s.ask(t, http.MethodGet, "/signin", "", nil); strings.Contains(a.page, "Nobody has an account") {
		t.Error("with an owner, it still says that there is none")
	}
}

// TestFormsLeadNowhereElse: a form goes to another origin only from pages that lead to providers and programs.
func TestFormsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, session := s.rooms.Person(t, "ada@example.com", true, nil)
	for path, outward := range map[string]bool{
		"/signin": true, "/account/security": true, "/oauth/authorize": true, "/forgot": false, "/setup?link=x": false, "/account": false, "/account/tokens": false, "/account/sessions": false,
		"/oauth/device": false,
	} {
		csp := s.ask(t, http.MethodGet, path, session, nil).header.Get("Content-Security-Policy")
		if strings.Contains(csp, "form-action 'self'") == outward || !strings.Contains(csp, "script-src 'self'") {
			t.Errorf("%s has the policy %q", path, csp)
		}
	}
}

// TestPagesLookAsChosen: a browser that has chosen a theme has it before anybody signs in, too.
func TestPagesLookAsChosen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for chosen, want := range map[string]string{"dark": `data-theme="dark"`, "light": `data-theme="light"`, `"><script>`: `<html lang="en">`} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/signin", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", "blueberry_theme="+chosen)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(string(text), "\n", ""), "\t", ""), want) {
			t.Errorf("%s: there is no %s", chosen, want)
		}
	}
}
