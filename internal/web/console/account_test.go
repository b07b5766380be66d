package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

var viewerRole = map[string]blueberry.Role{blueberry.DefaultProject: blueberry.RoleViewer}

// session is one more of a person.
func (s *site) session(t *testing.T, email string) string {
	t.Helper()
	entered, err := s.SignIn.Password(t.Context(), access.PasswordAttempt{Email: email, Password: roomstest.Password, From: access.From{Address: "192.0.2.9", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"}})
	if err != nil {
		t.Fatal(err)
	}
	return entered.Secret
}

// wants fails for what a page should say, and does not; a word that begins with ! should not be there.
func wants(t *testing.T, at, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		word, none := strings.CutPrefix(w, "!")
		if strings.Contains(page, word) == none {
			t.Errorf("%s: %q", at, w)
		}
	}
}

// TestAccountPages: each part of the account answers with what it is about, to a person; a program has none.
func TestAccountPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, ada := s.Person(t, "ada@example.com", false, viewerRole)
	other := s.session(t, "ada@example.com")
	for path, want := range map[string][]string{
		"/account":                         {"ada@example.com", "default: viewer", "blueberry login", `aria-current="page"`},
		"/account/security":                {"Change the password", "Set up an authenticator", "Linked identities", "A password alone is enough"},
		"/account/security/password":       {`autocomplete="current-password"`, `autocomplete="new-password"`, `autocomplete="username"`, "!Code of the second factor"},
		"/account/sessions":                {"this one", "Firefox on Linux", "192.0.2.9", "End all others"},
		"/account/sessions/end":            {"Every session but this one", "others=true"},
		"/account/tokens":                  {"You have no API token"},
		"/account/tokens/new":              {"blueberry token create", "viewer", "!>owner<", "!>admin<", "default"},
		"/account/programs":                {"You have let no program in"},
		"/account/notifications":           {"By mail to ada@example.com", "Nothing was told", "blueberry preferences set"},
		"/account/security/totp/remove":    {"btn-error", "one-time-code"},
		"/account/security/recovery-codes": {"stop working"},
	} {
		status, _, page := s.ask(t, ada, path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		wants(t, path, page, want...)
	}
	for path, want := range map[string]int{
		"/account/sessions/ses_none/end": http.StatusNotFound, "/account/tokens/tok_none/revoke": http.StatusNotFound, "/account/programs/cli_none/remove": http.StatusNotFound,
		"/account/security/passkeys/psk_none/remove": http.StatusNotFound,
	} {
		if status, _, _ := s.ask(t, ada, path, nil); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, page := s.ask(t, httpapitest.Viewer, "/account", nil); status != http.StatusForbidden || !strings.Contains(page, "has no account of its own") {
		t.Errorf("a program: %d", status)
	}
	const hostile = `<script>alert(1)</script>" autofocus onfocus="x`
	if status, to, _ := s.ask(t, ada, "/account", url.Values{"name": {hostile}}); status != http.StatusSeeOther || to != "/account?done=own-named" {
		t.Errorf("a name: %d to %s", status, to)
	}
	for _, path := range []string{"/account", "/account/tokens?before=" + url.QueryEscape(hostile), "/account/notifications?state=dead&before=" + url.QueryEscape(hostile)} {
		_, _, page := s.ask(t, other, path, nil)
		wants(t, path, page, "!<script>alert", `!onfocus="x`)
	}
	if status, _, page := s.ask(t, ada, "/account", url.Values{"name": {strings.Repeat("x", 101)}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "aria-invalid") {
		t.Errorf("a name that is too long: %d", status)
	}
}

// TestPasswordTakesProof: an open browser is not enough to change how somebody signs in, faults stand at their fields, and no page repeats a password.
func TestPasswordTakesProof(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, ada := s.Person(t, "ada@example.com", false, viewerRole)
	other := s.session(t, "ada@example.com")
	const at, next = "/account/security/password", "seven quiet foxes at dawn"
	for reason, x := range map[string]struct {
		form   url.Values
		status int
		want   []string
	}{
		"the old one is wrong": {url.Values{"old_password": {"not the password"}, "new_password": {next}}, http.StatusForbidden, []string{"Password or code is wrong", "!" + next, "!not the password"}},
		"the new one is short": {url.Values{"old_password": {roomstest.Password}, "new_password": {"short"}}, http.StatusUnprocessableEntity, []string{"aria-invalid", "fault-new_password", `!value="short"`}},
	} {
		status, _, page := s.ask(t, ada, at, x.form)
		if status != x.status {
			t.Errorf("%s: %d", reason, status)
		}
		wants(t, reason, page, x.want...)
	}
	if status, _, _ := s.ask(t, other, "/account", nil); status != http.StatusOK {
		t.Fatal("the other session ended too early")
	}
	if status, to, _ := s.ask(t, ada, at, url.Values{"old_password": {roomstest.Password}, "new_password": {next}}); status != http.StatusSeeOther || to != "/account/security?done=own-password" {
		t.Fatalf("changed: %d to %s", status, to)
	}
	if status, _, _ := s.ask(t, other, "/account", nil); status != http.StatusUnauthorized {
		t.Errorf("the other session goes on: %d", status)
	}
	_, _, page := s.ask(t, ada, "/account/security/totp", url.Values{})
	wants(t, "an authenticator", page, "data:image/png;base64,", `autocomplete="one-time-code"`)
	key := regexp.MustCompile(`title="([A-Z2-7]{32})"`).FindStringSubmatch(page)
	status, _, page := s.ask(t, ada, "/account/security/totp/confirm", url.Values{"code": {"000000"}})
	if status != http.StatusForbidden || key == nil || strings.Contains(page, key[1]) {
		t.Errorf("a wrong code: %d, and the key is not a new one", status)
	}
	wants(t, "a wrong code", page, "The code was not right")
	for path, form := range map[string]url.Values{
		"/account/security/recovery-codes": {"code": {"000000"}}, "/account/security/totp/remove": {"password": {next}, "code": {"000000"}},
	} {
		if status, _, page := s.ask(t, ada, path, form); status != http.StatusConflict || !strings.Contains(page, "No second factor is set up") {
			t.Errorf("%s without one: %d", path, status)
		}
	}
	for range 10 {
		status, _, page = s.ask(t, ada, at, url.Values{"old_password": {"a guess"}, "new_password": {"blue berries on snow"}})
	}
	if status != http.StatusTooManyRequests || !strings.Contains(page, `action="`+at+`"`) {
		t.Errorf("after many guesses: %d", status)
	}
}

// TestOwnSessions: a person ends their other sessions, one or all, and nobody else's.
func TestOwnSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, ada := s.Person(t, "ada@example.com", false, viewerRole)
	_, bob := s.Person(t, "bob@example.com", false, viewerRole)
	first, second := s.session(t, "ada@example.com"), s.session(t, "ada@example.com")
	links := regexp.MustCompile(`/account/sessions/ses_[0-9a-z]+/end`)
	_, _, page := s.ask(t, first, "/account/sessions", nil)
	found := links.FindAllString(page, -1)
	if len(found) != 2 {
		t.Fatalf("%d sessions are offered to end", len(found))
	}
	if status, _, _ := s.ask(t, bob, found[0], url.Values{}); status != http.StatusNotFound {
		t.Errorf("ended by another person: %d", status)
	}
	_, _, page = s.ask(t, first, found[0], nil)
	wants(t, "one", page, "End it", "blueberry session revoke ses_", "curl -X DELETE")
	if status, to, _ := s.ask(t, first, found[0], url.Values{}); status != http.StatusSeeOther || to != "/account/sessions?done=own-session-ended" {
		t.Errorf("one: %d to %s", status, to)
	}
	if status, _, _ := s.ask(t, second, "/account", nil); status != http.StatusUnauthorized {
		t.Errorf("it goes on: %d", status)
	}
	if status, to, _ := s.ask(t, first, "/account/sessions/end", url.Values{}); status != http.StatusSeeOther || to != "/account/sessions?done=own-sessions-ended" {
		t.Errorf("all others: %d to %s", status, to)
	}
	for name, x := range map[string]struct {
		session string
		want    int
	}{"this one": {first, http.StatusOK}, "another": {ada, http.StatusUnauthorized}, "that of somebody else": {bob, http.StatusOK}} {
		if status, _, _ := s.ask(t, x.session, "/account", nil); status != x.want {
			t.Errorf("%s: %d", name, status)
		}
	}
}

var (
	shownSecret = regexp.MustCompile(`id="secret"[^>]*>(blb_[^<]+)<`)
	formKey     = regexp.MustCompile(`name="key" value="([^"]+)"`)
	ownToken    = regexp.MustCompile(`/account/tokens/(tok_[0-9a-z]+)/revoke`)
)

// TestOwnTokens: a token is made once however often it is pressed, its secret is shown once, it may no more than its person, and it ends.
func TestOwnTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, ada := s.Person(t, "ada@example.com", false, viewerRole)
	_, bob := s.Person(t, "bob@example.com", false, viewerRole)
	const at = "/account/tokens/new"
	status, _, page := s.ask(t, ada, at, url.Values{"name": {""}, "grants": {"environments:read\nno-grant"}, "days": {"30"}, "project": {"default"}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("without a name: %d", status)
	}
	wants(t, "faults", page, "fault-name", "Is needed", "environments:read\nno-grant", `value="default" checked`)
	for reason, form := range map[string]url.Values{
		"more than one has": {"name": {"ci"}, "role": {"owner"}, "days": {"30"}}, "days that are none": {"name": {"ci"}, "role": {"viewer"}, "days": {"many"}},
		"both": {"name": {"ci"}, "role": {"viewer"}, "grants": {"environments:read"}, "days": {"30"}},
	} {
		if status, _, page := s.ask(t, ada, at, form); status < 400 || shownSecret.MatchString(page) {
			t.Errorf("%s: %d", reason, status)
		}
	}
	if status, _, page := s.ask(t, ada, at, url.Values{"name": {"ci-7"}, "role": {"owner"}, "days": {"30"}}); status != http.StatusForbidden || !strings.Contains(page, `value="ci-7"`) {
		t.Errorf("more than one has: %d, and what was typed is lost", status)
	}
	_, _, page = s.ask(t, ada, at, nil)
	form := url.Values{"name": {"<b>ci"}, "role": {"viewer"}, "days": {"30"}, "project": {"default"}, "key": {formKey.FindStringSubmatch(page)[1]}}
	status, _, page = s.ask(t, ada, at, form)
	secret := shownSecret.FindStringSubmatch(page)
	if status != http.StatusOK || secret == nil {
		t.Fatalf("made: %d\n%s", status, page)
	}
	wants(t, "made", page, "Nothing shows it again", "&lt;b&gt;ci", "!<b>ci", "data-copy")
	if status, _, page := s.ask(t, ada, at, form); status != http.StatusConflict || shownSecret.MatchString(page) {
		t.Errorf("pressed twice: %d", status)
	}
	_, _, page = s.ask(t, ada, "/account/tokens", nil)
	if n := len(ownToken.FindAllString(page, -1)); n != 1 || strings.Contains(page, secret[1]) {
		t.Fatalf("%d tokens are listed, or a secret is", n)
	}
	id := ownToken.FindStringSubmatch(page)[1]
	client := &sdk.Client{BaseURL: s.url, Token: secret[1]}
	if a, err := client.GetAccount(t.Context()); err != nil || a.OnBehalfOf != "ada@example.com" {
		t.Errorf("the token is %+v, %v", a, err)
	}
	for _, verb := range []string{"revoke", "rotate"} {
		if status, _, _ := s.ask(t, bob, "/account/tokens/"+id+"/"+verb, nil); status != http.StatusNotFound {
			t.Errorf("%s is shown to another person: %d", verb, status)
		}
		if status, _, page := s.ask(t, bob, "/account/tokens/"+id+"/"+verb, url.Values{"overlap_hours": {"1"}}); status != http.StatusNotFound || shownSecret.MatchString(page) {
			t.Errorf("%s by another person: %d", verb, status)
		}
	}
	if status, _, page := s.ask(t, ada, "/account/tokens/"+id+"/rotate", url.Values{"overlap_hours": {"soon"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, `value="soon"`) {
		t.Errorf("rotated for no hours: %d", status)
	}
	_, _, page = s.ask(t, ada, "/account/tokens/"+id+"/rotate", url.Values{"overlap_hours": {"2"}})
	if next := shownSecret.FindStringSubmatch(page); next == nil || next[1] == secret[1] {
		t.Error("rotating shows no other secret")
	}
	_, _, page = s.ask(t, ada, "/account/tokens/"+id+"/revoke", nil)
	wants(t, "revoke", page, "btn-error", "for good", "blueberry token revoke "+id)
	if status, to, _ := s.ask(t, ada, "/account/tokens/"+id+"/revoke", url.Values{}); status != http.StatusSeeOther || to != "/account/tokens?done=own-token-ended" {
		t.Errorf("revoked: %d to %s", status, to)
	}
	if _, err := client.GetAccount(t.Context()); err == nil {
		t.Error("the token goes on")
	}
	_, _, page = s.ask(t, ada, "/account/tokens?ended=yes", nil)
	wants(t, "ended", page, "revoked", "&lt;b&gt;ci")
}

// TestOwnNotifications: what somebody wants to be told is set by one form, which keeps what was typed when something is wrong with it.
func TestOwnNotifications(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, ada := s.Person(t, "ada@example.com", false, viewerRole)
	const at = "/account/notifications"
	form := url.Values{
		"version": {"0"}, "mail": {"yes"}, "event": {"environment.failed"}, "other_events": {"environment.shell_*"}, "quiet.windows": {"mon-fri 19:00-07:00\nnever"}, "quiet.time_zone": {"Europe/Zurich"},
		"channel.kind": {"webhook"}, "channel.url": {"https://hooks.example.com/x"}, "muted": {"playground"},
	}
	status, _, page := s.ask(t, ada, at, form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("hours that are none: %d", status)
	}
	wants(t, "hours that are none", page, "is not days and hours", "mon-fri 19:00-07:00\nnever", `value="Europe/Zurich"`, "environment.shell_*", `value="environment.failed" checked`)
	form.Set("quiet.windows", "mon-fri 19:00-07:00")
	form.Set("quiet.time_zone", "Mars/Base")
	if status, _, page = s.ask(t, ada, at, form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "fault-quiet.time_zone") {
		t.Errorf("a time zone that is none: %d", status)
	}
	form.Set("quiet.time_zone", "Europe/Zurich")
	if status, _, page = s.ask(t, ada, at, form); status != http.StatusOK || !strings.Contains(page, "whsec_") {
		t.Fatalf("set: %d\n%s", status, page)
	}
	_, _, page = s.ask(t, ada, at, nil)
	wants(t, "set", page, "https://hooks.example.com", "mon-fri 19:00-07:00", "playground", "!whsec_", "!hooks.example.com/x")
	form = url.Values{"version": {"1"}, "off": {"yes"}}
	if status, to, _ := s.ask(t, ada, at, form); status != http.StatusSeeOther || to != at+"?done=own-notifications" {
		t.Errorf("off: %d to %s", status, to)
	}
	if status, _, page = s.ask(t, ada, at, form); status != http.StatusPreconditionFailed || !strings.Contains(page, "at version 2") {
		t.Errorf("a form that is older than what holds: %d", status)
	}
	if status, _, page = s.ask(t, ada, at+"/test", url.Values{}); status != http.StatusOK || !strings.Contains(page, `role="alert"`) {
		t.Errorf("a test while all is off: %d", status)
	}
}
