package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// aPage is the headers of a page of the server that knows nobody yet.
func aPage() []string { return []string{"Authorization", "", "Sec-Fetch-Site", "same-origin"} }

func cookieOf(t *testing.T, a answer, name string) *http.Cookie {
	t.Helper()
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%d %s sets no cookie %s", a.StatusCode, a.text, name)
	return nil
}

func TestAPersonFromInvitationToSignOut(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api := r.API(t)
	invited := got[sdk.InvitedUser](t)(c.CreateUser(t.Context(), sdk.CreateUserRequest{Email: "Ada@Example.com", Members: []sdk.ProjectRole{{Project: "default", Role: "viewer"}}}))
	if invited.User.Status != "pending_invite" || invited.User.Email != "ada@example.com" || invited.User.Invitation.State != "manual" {
		t.Errorf("the user is %+v", invited.User)
	}
	link := roomstest.SecretOf(t, invited.Link)
	a := ask(t, api, "POST", "/v1/invitations/acceptance", `{"link":`+quoted(link)+`,"name":"Ada","password":`+quoted(roomstest.Password)+`}`, aPage()...)
	session := cookieOf(t, a, access.SessionCookie)
	if a.StatusCode != 201 || !session.Secure || !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || session.Path != "/" || session.Domain != "" {
		t.Errorf("the answer is %d with the cookie %+v", a.StatusCode, session)
	}
	if strings.Contains(a.text, "bls_") {
		t.Errorf("the secret of the session is in the body: %s", a.text)
	}
	if again := ask(t, api, "POST", "/v1/invitations/acceptance", `{"link":`+quoted(link)+`,"password":`+quoted(roomstest.Password)+`}`, aPage()...); again.StatusCode < 400 {
		t.Errorf("the link works twice: %d", again.StatusCode)
	}
	var self sdk.Account
	if err := json.Unmarshal([]byte(ask(t, api, "GET", "/v1/account", "", asBrowser(session.Value)...).text), &self); err != nil || self.User == nil || !self.Session.Current {
		t.Fatalf("account is %+v: %v", self, err)
	}
	if diff := cmp.Diff([]sdk.ProjectRole{{Project: "default", Role: "viewer"}}, self.User.Memberships); diff != "" || self.Projects["default"] == nil {
		t.Errorf("memberships (-want +got):\n%s", diff)
	}
	wrong := ask(t, api, "POST", "/v1/sessions", `{"email":"ada@example.com","password":"not the password"}`, aPage()...).problem(t)
	unknown := ask(t, api, "POST", "/v1/sessions", `{"email":"eve@example.com","password":"not the password"}`, aPage()...).problem(t)
	wrong.RequestID, unknown.RequestID = "", ""
	if diff := cmp.Diff(wrong, unknown); diff != "" || wrong.Status != 401 || wrong.Code != "SIGN_IN_FAILED" {
		t.Errorf("a wrong password is %+v, an unknown address differs by:\n%s", wrong, diff)
	}
	second := ask(t, api, "POST", "/v1/sessions", `{"email":"ada@example.com","password":`+quoted(roomstest.Password)+`}`, aPage()...)
	other := cookieOf(t, second, access.SessionCookie).Value
	cookieOf(t, second, access.DeviceCookie)
	var sessions sdk.SessionList
	if err := json.Unmarshal([]byte(ask(t, api, "GET", "/v1/sessions", "", asBrowser(other)...).text), &sessions); err != nil || len(sessions.Items) != 2 || !sessions.Items[0].Current {
		t.Errorf("sessions are %+v: %v", sessions, err)
	}
	out := ask(t, api, "DELETE", "/v1/sessions/current", "", asBrowser(other)...)
	if out.StatusCode != 204 || cookieOf(t, out, access.SessionCookie).MaxAge >= 0 {
		t.Errorf("signing out gives %d", out.StatusCode)
	}
	if after := ask(t, api, "GET", "/v1/account", "", asBrowser(other)...); after.StatusCode != 401 {
		t.Errorf("the session works after signing out: %d", after.StatusCode)
	}
	if before := ask(t, api, "GET", "/v1/account", "", asBrowser(session.Value)...); before.StatusCode != 200 {
		t.Errorf("the other session ended too: %d %s", before.StatusCode, before.text)
	}
}

// TestASecretIsToldOnce repeats calls whose answers tell a secret, with the key of the first one.
func TestASecretIsToldOnce(t *testing.T) {
	t.Parallel()
	r, _ := rooms(t)
	api := r.API(t)
	_, session := r.Person(t, "ada@example.com", true, nil)
	as := append(asBrowser(session), "Idempotency-Key", "k")
	for name, tc := range map[string]struct{ path, body, read, prefix string }{
		"API token":    {"/v1/api-tokens", `{"name":"laptop","role":"viewer"}`, "/v1/api-tokens", "blb_"},
		"OAuth client": {"/v1/oauth-clients", `{"name":"dash","flows":["client_credentials"],"grants":["environments:read"],"projects":["default"]}`, "/v1/oauth-clients", "blk_"},
		"invitation":   {"/v1/users", `{"email":"bob@example.com"}`, "/v1/users", "bll_"},
	} {
		first := ask(t, api, "POST", tc.path, tc.body, append(as, "Idempotency-Key", name[:3])...)
		if first.StatusCode != 201 || !strings.Contains(first.text, tc.prefix) {
			t.Errorf("%s: %d %s", name, first.StatusCode, first.text)
		}
		again := ask(t, api, "POST", tc.path, tc.body, append(as, "Idempotency-Key", name[:3])...)
		if again.StatusCode != 409 || !strings.Contains(again.text, "SECRET_TOLD") || strings.Contains(again.text, tc.prefix) || again.Header.Get("Location") != first.Header.Get("Location") {
			t.Errorf("%s again: %d %s at %q", name, again.StatusCode, again.text, again.Header.Get("Location"))
		}
		if list := ask(t, api, "GET", tc.read, "", as...); list.StatusCode != 200 || strings.Contains(list.text, tc.prefix) || strings.Contains(list.text, "hash") {
			t.Errorf("the list of %s tells a secret: %s", name, list.text)
		}
		if one := ask(t, api, "GET", first.Header.Get("Location"), "", as...); one.StatusCode != 200 || strings.Contains(one.text, tc.prefix) || one.Header.Get("ETag") == "" {
			t.Errorf("%s: %d %s", name, one.StatusCode, one.text)
		}
	}
}

// TestPasswordsAreNotRemembered: a call with a password is done each time, so that no digest of it is kept.
func TestPasswordsAreNotRemembered(t *testing.T) {
	t.Parallel()
	r, _ := rooms(t)
	api := r.API(t)
	_, session := r.Person(t, "ada@example.com", false, nil)
	body := `{"old_password":` + quoted(roomstest.Password) + `,"new_password":"seven yellow herons asleep"}`
	var codes []int
	for range 2 {
		a := ask(t, api, "POST", "/v1/account/password", body, append(asBrowser(session), "Idempotency-Key", "k")...)
		codes = append(codes, a.StatusCode)
	}
	if codes[0] != 204 || codes[1] == 204 {
		t.Errorf("answers are %v, want the second not to be a replay of the first", codes)
	}
}

func TestPublicOperationsAreMarkedInTheDocument(t *testing.T) {
	t.Parallel()
	data := got[[]byte](t)(httpapitest.New().API(t).Document())
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Security    *[]map[string][]string
		}
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var marked, want []string
	for _, item := range doc.Paths {
		for _, op := range item {
			if op.Security != nil && len(*op.Security) == 0 {
				marked = append(marked, op.OperationID)
			}
		}
	}
	for id, r := range rightsTable() {
		if r.who == "public" {
			want = append(want, id)
		}
	}
	slices.Sort(marked)
	slices.Sort(want)
	if diff := cmp.Diff(want, marked); diff != "" {
		t.Errorf("operations without a credential (-table +document):\n%s", diff)
	}
}

// TestFaultsOfRightsComeTogether sends what is wrong in more than one way.
func TestFaultsOfRightsComeTogether(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api := r.API(t)
	_, session := r.Person(t, "ada@example.com", true, nil)
	got[sdk.Project](t)(c.CreateProject(t.Context(), sdk.CreateProjectRequest{Name: "shop"}))
	for name, tc := range map[string]struct {
		reason, method, path, body, code string
		status                           int
		fields                           []string
	}{
		"user":            {"address, role and unknown fields", "POST", "/v1/users", `{"email":"nobody","members":[{"project":"shop","role":"king"}],"odd":1}`, "VALIDATION_FAILED", 422, []string{"email email", "members[0].role enum", "odd unknown_field"}},
		"same user":       {"an address is unique", "POST", "/v1/users", `{"email":"ADA@example.com"}`, "DUPLICATE_RESOURCE", 409, []string{"email taken"}},
		"project":         {"a name is a name", "POST", "/v1/projects", `{"name":"No","odd":1}`, "VALIDATION_FAILED", 422, []string{"name pattern", "odd unknown_field"}},
		"same project":    {"a name is unique", "POST", "/v1/projects", `{"name":"shop"}`, "DUPLICATE_RESOURCE", 409, []string{"name taken"}},
		"service account": {"name and role", "POST", "/v1/projects/shop/service-accounts", `{"name":"No","role":"owner","odd":1}`, "VALIDATION_FAILED", 422, []string{"name pattern", "odd unknown_field", "role enum"}},
		"API token":       {"name, grant and life", "POST", "/v1/api-tokens", `{"name":"","grants":["a:b"],"days":400,"odd":1}`, "VALIDATION_FAILED", 422, []string{"days range", "grants[0] unknown", "name required", "odd unknown_field"}},
		"user list":       {"parameters", "GET", "/v1/users?sort=age&odd=1", "", "VALIDATION_FAILED", 422, []string{"odd unknown_parameter", "sort enum"}},
		"user cursor":     {"made by hand", "GET", "/v1/users?cursor=x", "", "VALIDATION_FAILED", 422, []string{"cursor cursor"}},
		"certificate":     {"name and life", "POST", "/v1/certificates", `{"name":"No","days":400,"odd":1}`, "VALIDATION_FAILED", 422, []string{"days range", "name pattern", "odd unknown_field"}},
	} {
		a := ask(t, api, tc.method, tc.path, tc.body, asBrowser(session)...)
		p := a.problem(t)
		if p.Status != tc.status || p.Code != tc.code {
			t.Errorf("%s: %s: %d %s (%s)", name, tc.reason, p.Status, p.Code, p.Detail)
		}
		if diff := cmp.Diff(tc.fields, sorted(fieldsOf(&p))); diff != "" {
			t.Errorf("%s: %s: faults (-want +got):\n%s", name, tc.reason, diff)
		}
	}
}

// TestIfMatchOnEveryWriteOfRights tries a version that is not current, then the one that is.
func TestIfMatchOnEveryWriteOfRights(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	secret := "not told to anyone"
	user := "/v1/users/" + got[sdk.InvitedUser](t)(c.CreateUser(ctx, sdk.CreateUserRequest{Email: "bob@example.com"})).User.ID
	got[sdk.Project](t)(c.CreateProject(ctx, sdk.CreateProjectRequest{Name: "shop"}))
	account := "/v1/service-accounts/" + got[sdk.ServiceAccount](t)(c.CreateServiceAccount(ctx, "shop", sdk.CreateServiceAccountRequest{Name: "ci", Role: "viewer"})).ID
	client := "/v1/oauth-clients/" + got[sdk.MadeOAuthClient](t)(c.CreateOAuthClient(ctx, sdk.CreateOAuthClientRequest{
		Name: "dash", Flows: []string{"client_credentials"}, Grants: []string{"environments:read"}, Projects: []string{"shop"},
	})).Client.ID
	got[sdk.IdentityProvider](t)(c.SetIdentityProvider(ctx, "corp", sdk.SetIdentityProviderRequest{Kind: "github", ClientID: "blueberry", ClientSecret: &secret}))
	for _, step := range []struct {
		method, path, body string
		status             int
	}{
		{"PATCH", user, `{"name":"Bob"}`, 200},
		{"DELETE", user, "", 204},
		{"PATCH", account, `{"disabled":true}`, 200},
		{"DELETE", account, "", 204},
		{"PATCH", client, `{"name":"boards"}`, 200},
		{"DELETE", client, "", 204},
		{"PUT", "/v1/identity-providers/corp", `{"kind":"github","client_id":"other"}`, 200},
		{"DELETE", "/v1/identity-providers/corp", "", 204},
		{"PATCH", "/v1/projects/shop", `{"description":"The shop"}`, 200},
		{"DELETE", "/v1/projects/shop", "", 204},
	} {
		if a := ask(t, api, step.method, step.path, step.body, "If-Match", `"77"`); a.StatusCode != 412 {
			t.Errorf("%s %s at another version: %d %s, want 412", step.method, step.path, a.StatusCode, a.text)
		}
		current := ask(t, api, "GET", step.path, "").Header.Get("ETag")
		a := ask(t, api, step.method, step.path, step.body, "If-Match", current)
		if current == "" || a.StatusCode != step.status {
			t.Errorf("%s %s at the current version %s: %d %s, want %d", step.method, step.path, current, a.StatusCode, a.text, step.status)
		}
		if step.status == 204 {
			if again := ask(t, api, "GET", step.path, ""); again.StatusCode != 404 {
				t.Errorf("%s is there after its end: %d", step.path, again.StatusCode)
			}
		} else if tag := a.Header.Get("ETag"); tag == "" || tag == current || a.Header.Get("Location") != step.path {
			t.Errorf("%s %s answers with ETag %q after %q and Location %q", step.method, step.path, tag, current, a.Header.Get("Location"))
		}
	}
}

func collect[T any](t *testing.T, all iter.Seq2[T, error]) (n int) {
	t.Helper()
	for _, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestPagersReadEverything walks lists with pages of one.
func TestPagersReadEverything(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	srv, _ := r.Serve(t)
	ctx := t.Context()
	_, session := r.Person(t, "ada@example.com", true, nil)
	ada := personClient(srv.URL, session)
	guard, session := r.Person(t, "eve@example.com", false, nil)
	eve, yes := personClient(srv.URL, session), true
	got[sdk.User](t)(c.UpdateUser(ctx, guard.ID, sdk.UpdateUserRequest{BreakGlass: &yes}))
	for _, name := range []string{"b", "c"} {
		got[sdk.InvitedUser](t)(c.CreateUser(ctx, sdk.CreateUserRequest{Email: name + "@example.com"}))
		got[sdk.MadeAPIToken](t)(ada.CreateAPIToken(ctx, sdk.CreateAPITokenRequest{Name: name, Role: "viewer"}))
		if err := eve.CloseEmergency(ctx, got[sdk.Emergency](t)(eve.OpenEmergency(ctx, sdk.OpenEmergencyRequest{Reason: "the shop is down"})).ID); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct{ got, want int }{
		"users":       {collect(t, c.AllUsers(ctx, sdk.UserFilter{Limit: 1})), 4},
		"users found": {collect(t, c.AllUsers(ctx, sdk.UserFilter{Search: "ADA", Limit: 1})), 1},
		"API tokens":  {collect(t, ada.AllAPITokens(ctx, sdk.APITokenFilter{Limit: 1})), 2},
		"sessions":    {collect(t, ada.AllSessions(ctx, sdk.SessionFilter{Limit: 1})), 1},
		"emergencies": {collect(t, ada.AllEmergencies(ctx, sdk.IDWindow{Limit: 1})), 2},
		"clients":     {collect(t, ada.AllOAuthClients(ctx, sdk.OAuthClientFilter{Limit: 1})), 1},
		"audit":       {collect(t, ada.AllAuditEntries(ctx, sdk.AuditFilter{Action: "api-tokens:", Limit: 1})), 2},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: read %d, want %d", name, tc.got, tc.want)
		}
	}
}

func TestAnExportOfTheAuditIsProven(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	srv, _ := r.Serve(t)
	ctx := t.Context()
	got[sdk.InvitedUser](t)(c.CreateUser(ctx, sdk.CreateUserRequest{Email: "bob@example.com"}))
	if _, err := r.Auditor.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	var export bytes.Buffer
	if err := c.ExportAudit(ctx, sdk.AuditFilter{}, &export); err != nil {
		t.Fatal(err)
	}
	if report, err := sdk.VerifyAudit(&export, sdk.AuditVerifyOptions{}); err != nil || !report.Whole || report.Entries == 0 {
		t.Errorf("the export proves %+v: %v", report, err)
	}
	entries := got[sdk.AuditList](t)(c.ListAuditEntries(ctx, sdk.AuditFilter{Action: string(blueberry.GrantUsersWrite)})).Items
	if len(entries) != 1 || entries[0].RequestID == "" || entries[0].Route != "POST /v1/users" || entries[0].Seq == 0 || strings.Contains(string(entries[0].After), "bll_") {
		t.Errorf("entries are %+v", entries)
	}
	_, session := r.Person(t, "nobody@example.com", false, nil)
	var p *sdk.Problem
	if err := personClient(srv.URL, session).ExportAudit(ctx, sdk.AuditFilter{}, &export); !errors.As(err, &p) || p.Status != 403 || p.RequestID == "" {
		t.Errorf("an export for nobody ends with %v", err)
	}
}
