package console_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// shop is a site with a second project, and people who hold something there. Each is the secret of a session.
type shop struct {
	*site
	owner, admin, viewer, nobody string
	ids                          map[string]string // by the word before the @
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{site: newSite(t), ids: map[string]string{}}
	for _, name := range []string{"shop", "other"} {
		if _, err := s.client.CreateProject(t.Context(), sdk.CreateProjectRequest{Name: name, Description: "The " + name}); err != nil {
			t.Fatal(err)
		}
	}
	person := func(name string, owner bool, roles map[string]blueberry.Role) string {
		u, secret := s.Person(t, name+"@example.com", owner, roles)
		s.ids[name] = u.ID
		return secret
	}
	s.owner = person("owner", true, nil)
	s.admin = person("admin", false, map[string]blueberry.Role{"shop": blueberry.RoleAdmin})
	s.viewer = person("viewer", false, map[string]blueberry.Role{"shop": blueberry.RoleViewer})
	s.nobody = person("nobody", false, nil)
	return s
}

// says checks that a page is there, and what it says.
func (s *shop) says(t *testing.T, who, path string, want ...string) string {
	t.Helper()
	status, _, page := s.ask(t, who, path, nil)
	if status != http.StatusOK {
		t.Errorf("%s: %d", path, status)
	}
	for _, x := range want {
		if !strings.Contains(page, x) {
			t.Errorf("%s does not say %q", path, x)
		}
	}
	if strings.Contains(page, "<style") || strings.Contains(page, " style=") || strings.Contains(page, " onclick=") || strings.Contains(page, "<script>") {
		t.Errorf("%s holds what the policy forbids", path)
	}
	return page
}

// sends sends a form and gives where it leads to.
func (s *shop) sends(t *testing.T, who, path string, form url.Values, done string) string {
	t.Helper()
	status, to, page := s.ask(t, who, path, form)
	if status != http.StatusSeeOther || !strings.Contains(to, "done="+done) {
		t.Fatalf("%s: %d to %q, want done=%s\n%s", path, status, to, done, faultsOf(page))
	}
	if _, _, page := s.ask(t, who, to, nil); !strings.Contains(page, `role="status">`) {
		t.Errorf("%s leads to %s, which does not say that it is done", path, to)
	}
	return to
}

// faultsOf is what a page says is wrong.
func faultsOf(page string) string {
	return strings.Join(regexp.MustCompile(`(?s)<p class="(field-fault|mt-3)[^>]*>[^<]*`).FindAllString(page, -1), "\n")
}

// told sends a form that answers with a secret, and gives the secret.
func (s *shop) told(t *testing.T, who, path string, form url.Values) string {
	t.Helper()
	status, _, page := s.ask(t, who, path, form)
	found := regexp.MustCompile(`id="secret"[^>]*>([^<]+)<`).FindStringSubmatch(page)
	if status != http.StatusOK || found == nil || !strings.Contains(page, "It is shown this once") {
		t.Fatalf("%s: %d, and tells no secret\n%s", path, status, faultsOf(page))
	}
	return found[1]
}

// wrong sends a form that is not valid: it is shown again with the fault and with what was typed.
func (s *shop) wrong(t *testing.T, who, path string, form url.Values, want ...string) {
	t.Helper()
	status, _, page := s.ask(t, who, path, form)
	if status != http.StatusUnprocessableEntity && status != http.StatusConflict && status != http.StatusBadRequest {
		t.Errorf("%s: %d", path, status)
	}
	for _, x := range want {
		if !strings.Contains(page, x) {
			t.Errorf("%s does not say %q, but %s", path, x, faultsOf(page))
		}
	}
}

func TestPeopleAreInvitedAndLookedAfter(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.says(t, s.owner, "/users", "Invite a person", "owner@example.com", "viewer@example.com", "active")
	if page := s.says(t, s.owner, "/users?q=viewer", "viewer@example.com"); strings.Contains(page, "nobody@example.com") {
		t.Error("the search finds everybody")
	}
	if page := s.says(t, s.owner, "/users?project=shop", "admin@example.com"); strings.Contains(page, "nobody@example.com") {
		t.Error("the filter by project finds everybody")
	}
	s.says(t, s.owner, "/users?q=nothing-like-it", "Nobody is like that")
	s.says(t, s.owner, "/users?status=pending_invite", "Nobody is like that")

	s.says(t, s.owner, "/users/new", "blueberry user create", "curl -X POST", "/v1/users", "Owner of the installation")
	s.wrong(t, s.owner, "/users", url.Values{"email": {"not-an-address"}, "name": {"Grace"}}, `aria-invalid="true"`, `value="not-an-address"`, `value="Grace"`)
	link := s.told(t, s.owner, "/users", url.Values{"email": {"grace@example.com"}, "name": {"Grace <b>"}, "members[0].project": {"shop"}, "members[0].role": {"developer"}})
	if !strings.HasPrefix(link, "https://blueberry.test/") {
		t.Errorf("the link of the invitation is %s", link)
	}
	s.wrong(t, s.owner, "/users", url.Values{"email": {"grace@example.com"}}, `value="grace@example.com"`)
	grace, err := s.client.GetUser(t.Context(), "grace@example.com")
	if err != nil || len(grace.Memberships) != 1 || grace.Memberships[0].Role != "developer" {
		t.Fatalf("%+v, %v", grace, err)
	}
	at := "/users/" + grace.ID
	s.says(t, s.owner, at, "Grace &lt;b&gt;", "invited", "developer", "Invite again", "Delete", "its link is passed on by hand")
	if again := s.told(t, s.owner, at+"/invite", url.Values{}); again == link {
		t.Error("invited again, the link is the same")
	}
	s.sends(t, s.owner, at+"/edit", url.Values{"name": {"Grace"}, "email": {"grace.h@example.com"}}, "person-changed")
	s.sends(t, s.owner, at+"/roles", url.Values{"project": {"other"}, "role": {"viewer"}}, "person-role")
	s.says(t, s.owner, at+"/delete", "cannot be deleted, only made inactive", "blueberry user delete grace.h@example.com", "curl -X DELETE")
	s.sends(t, s.owner, at+"/delete", url.Values{}, "person-delete")
	if status, _, _ := s.ask(t, s.owner, at, nil); status != http.StatusNotFound {
		t.Errorf("the account that was deleted answers %d", status)
	}

	at = "/users/" + s.ids["viewer"]
	s.says(t, s.owner, at, "Signed in", "192.0.2.7", "password", "How they sign in", "none for their password", "What they did last", "API tokens", "Make inactive", "Reset sign-in")
	list, err := s.client.ListUserSessions(t.Context(), s.ids["viewer"], sdk.IDWindow{})
	if err != nil || len(list.Items) != 1 {
		t.Fatal(err)
	}
	s.says(t, s.owner, at+"/sessions/"+list.Items[0].ID, "signed out at once", "blueberry session revoke")
	s.sends(t, s.owner, at+"/sessions/"+list.Items[0].ID, url.Values{}, "session-ended")
	if status, _, _ := s.ask(t, s.viewer, "/projects", nil); status != http.StatusUnauthorized {
		t.Errorf("the session that was ended answers %d", status)
	}
	s.sends(t, s.owner, at+"/end-sessions", url.Values{}, "person-end-sessions")
	if link := s.told(t, s.owner, at+"/reset", url.Values{}); !strings.Contains(link, "/reset") {
		t.Errorf("the link to a new password is %s", link)
	}
	s.sends(t, s.owner, at+"/disable", url.Values{}, "person-disable")
	s.says(t, s.owner, at, "inactive", "Make active")
	s.sends(t, s.owner, at+"/enable", url.Values{}, "person-enable")
	s.wrong(t, s.owner, "/users/"+s.ids["owner"]+"/disable", url.Values{}, "owner") // one is always left
	if status, _, _ := s.ask(t, s.owner, at+"/nothing", nil); status != http.StatusNotFound {
		t.Errorf("a verb that is none answers %d", status)
	}
}

func TestProjectsAndTheirMembers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.says(t, s.owner, "/projects", "New project", "shop", "other", "default")
	s.says(t, s.owner, "/projects?q=SHOP", "The shop")
	s.says(t, s.owner, "/projects?q=nothing-like-it", "No project is like that")
	s.says(t, s.owner, "/projects/new", "blueberry project create")
	s.wrong(t, s.owner, "/projects", url.Values{"name": {"Not A Name"}, "description": {"kept"}}, `aria-invalid="true"`, `value="Not A Name"`, `value="kept"`)
	s.sends(t, s.owner, "/projects", url.Values{"name": {"lab"}, "description": {"<b>Lab</b>"}}, "project-made")
	s.says(t, s.owner, "/projects/lab", "&lt;b&gt;Lab&lt;/b&gt;", "What it uses", "only when somebody says so", "/audit?project=lab", "/environments?project=lab")
	s.sends(t, s.owner, "/projects/lab/edit", url.Values{"description": {"The lab"}}, "project-changed")

	s.says(t, s.owner, "/projects/lab/members", "Nobody was given a role", "Give a role")
	s.wrong(t, s.owner, "/projects/lab/members", url.Values{"user": {"stranger@example.com"}, "role": {"viewer"}}, "Nobody has this address here", `value="stranger@example.com"`)
	s.wrong(t, s.owner, "/projects/lab/members", url.Values{"user": {""}}, "Is needed")
	s.sends(t, s.owner, "/projects/lab/members", url.Values{"user": {"nobody@example.com"}, "role": {"viewer"}}, "member-set")
	s.sends(t, s.owner, "/projects/lab/members", url.Values{"user": {s.ids["nobody"]}, "role": {"maintainer"}}, "member-set")
	s.says(t, s.nobody, "/projects", "lab")
	remove := "/projects/lab/members/" + s.ids["nobody"] + "/remove"
	s.says(t, s.owner, remove, "They are maintainer in this project", "blueberry project remove-member lab nobody@example.com")
	s.sends(t, s.owner, remove, url.Values{}, "member-removed")
	if status, _, _ := s.ask(t, s.owner, remove, nil); status != http.StatusNotFound {
		t.Errorf("who is no member any more answers %d", status)
	}

	s.says(t, s.owner, "/projects/lab/quota", "Of pull requests", "blueberry project quota lab")
	s.wrong(t, s.owner, "/projects/lab/quota", url.Values{"environments": {"many"}, "kinds.preview.cpu": {"lots"}}, "Must be a whole number", `value="many"`, `value="lots"`)
	s.wrong(t, s.owner, "/projects/lab/quota", url.Values{"cpu": {"lots"}}, `aria-describedby="fault-cpu"`)
	s.sends(t, s.owner, "/projects/lab/quota", url.Values{"environments": {"20"}, "memory": {"2Gi"}, "kinds.preview.environments": {"5"}}, "quota-set")
	p, err := s.client.GetProject(t.Context(), "lab")
	if err != nil || p.Quota.Environments == nil || *p.Quota.Environments != 20 || p.Quota.Memory != "2Gi" || p.Quota.Kinds["preview"].Environments == nil {
		t.Errorf("the quota is %+v, %v", p.Quota, err)
	}
	s.says(t, s.owner, "/projects/lab", "of 20", "<progress")

	s.says(t, s.owner, "/projects/lab/life", "blueberry project life lab")
	s.wrong(t, s.owner, "/projects/lab/life", url.Values{"sleep.windows": {"whenever"}, "sleep.idle_minutes": {"soon"}, "max_pin_hours": {"0"}}, "Has a line that is no span", "Must be a whole number", "whenever")
	s.wrong(t, s.owner, "/projects/lab/life", url.Values{"sleep.windows": {"mon-fri 25:00-07:00"}, "max_pin_hours": {"0"}}, `id="fault-sleep.windows"`)
	s.sends(t, s.owner, "/projects/lab/life", url.Values{"sleep.windows": {"mon-fri 20:00-07:00\r\nsat,sun 00:00-23:00"}, "sleep.idle_minutes": {"60"}, "sleep.time_zone": {"Europe/Zurich"}, "max_pin_hours": {"48"}}, "life-set")
	s.says(t, s.owner, "/projects/lab", "after 60 minutes without use", "mon-fri 20:00-07:00 Europe/Zurich", "up to 48 hours")

	s.says(t, s.owner, "/projects/lab/delete", "Type lab to say that you mean it", "blueberry project delete lab")
	s.wrong(t, s.owner, "/projects/lab/delete", url.Values{"name": {"shop"}}, "Is not the name of the project")
	s.sends(t, s.owner, "/projects/lab/delete", url.Values{"name": {"lab"}}, "project-deleted")
	if page := s.says(t, s.owner, "/projects/default"); strings.Contains(page, "/projects/default/delete") {
		t.Error("the default project can be deleted")
	}
}

func TestServiceAccountsAndTheirTokens(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	at := "/projects/shop/service-accounts"
	s.says(t, s.admin, at, "The project has no service account", "New service account")
	s.wrong(t, s.admin, at, url.Values{"name": {"Not A Name"}, "role": {"viewer"}}, `value="Not A Name"`, `aria-invalid="true"`)
	to := s.sends(t, s.admin, at, url.Values{"name": {"ci"}, "role": {"developer"}, "description": {"Pipelines"}}, "service-made")
	one, _, _ := strings.Cut(to, "?")
	s.says(t, s.admin, one, "It has no token that works", "Pipelines", "developer")
	s.says(t, s.admin, one+"/tokens/new", "blueberry token create pipeline --service-account shop/ci")
	s.wrong(t, s.admin, one+"/tokens", url.Values{"name": {"build"}, "days": {"soon"}}, "Must be a whole number", `value="build"`)
	s.wrong(t, s.admin, one+"/tokens", url.Values{"name": {"build"}, "grants": {"users:write"}, "days": {"7"}}, `id="fault-grants"`)
	form := url.Values{"name": {"build"}, "role": {"viewer"}, "days": {"7"}, "key": {"once"}}
	secret := s.told(t, s.admin, one+"/tokens", form)
	if status, _, _ := s.ask(t, s.admin, one+"/tokens", form); status != http.StatusConflict { // loaded anew, it is no second token
		t.Errorf("pressed twice: %d", status)
	}
	program := &sdk.Client{BaseURL: s.url, Token: secret, MaxRetries: -1}
	if _, err := program.GetAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	if page := s.says(t, s.admin, one, "build", "never used", "Rotate", "Revoke"); strings.Contains(page, secret) {
		t.Error("the secret is told twice")
	}
	tokens, err := s.client.ListAPITokens(t.Context(), sdk.APITokenFilter{ServiceAccount: strings.TrimPrefix(one, "/service-accounts/")})
	if err != nil || len(tokens.Items) != 1 {
		t.Fatal(err)
	}
	token := "/tokens/" + tokens.Items[0].ID
	s.says(t, s.admin, token+"/rotate", "blueberry token rotate", `name="key"`)
	if fresh := s.told(t, s.admin, token+"/rotate", url.Values{"overlap_hours": {"2"}}); fresh == secret {
		t.Error("the secret is the same after a rotation")
	}
	s.says(t, s.admin, token+"/revoke", "at once and for good", "curl -X DELETE")
	s.sends(t, s.admin, token+"/revoke", url.Values{}, "token-revoked")
	if _, err := program.GetAccount(t.Context()); !isStatus(err, http.StatusUnauthorized) {
		t.Errorf("the token that was revoked: %v", err)
	}
	s.says(t, s.admin, one+"?ended=yes", "revoked")
	s.sends(t, s.admin, one+"/edit", url.Values{"role": {"viewer"}, "description": {"x"}, "disabled": {"yes"}}, "service-changed")
	s.says(t, s.admin, one, "disabled")
	s.says(t, s.admin, one+"/delete", "Whatever program uses it is refused")
	s.sends(t, s.admin, one+"/delete", url.Values{}, "service-deleted")
}

func TestRolesReviewAndRules(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.says(t, s.nobody, "/roles", "maintainer", "Environments", "<span class=\"sr-only\">yes</span>", "of the installation")
	s.says(t, s.owner, "/access-review", "admin in shop", "viewer in shop", "owner in the installation", "/access-review.csv", "/v1/access-review", "blueberry access review")
	if page := s.says(t, s.owner, "/access-review?project=shop&q=viewer", "viewer@example.com"); strings.Contains(page, ">nobody@example.com<") {
		t.Error("the filter finds everybody")
	}
	s.says(t, s.owner, "/access-review?unused=yes", "Nobody is like that")
	status, _, csv := s.ask(t, s.owner, "/access-review.csv?project=shop", nil)
	if status != http.StatusOK || !strings.HasPrefix(csv, "kind,id,who,") || !strings.Contains(csv, "admin@example.com,active,admin in shop by member") {
		t.Errorf("%d: the table is\n%s", status, csv)
	}

	s.says(t, s.owner, "/identity-providers", "People sign in with passwords and passkeys")
	s.says(t, s.owner, "/identity-providers/new", "blueberry provider set google")
	typed := url.Values{"name": {"corp"}, "kind": {"oidc"}, "issuer": {"http://plain.example"}, "client_id": {"blueberry"}, "client_secret": {"a-secret-of-mine"}}
	status, _, page := s.ask(t, s.owner, "/identity-providers", typed)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="fault-issuer"`) || strings.Contains(page, "a-secret-of-mine") {
		t.Errorf("%d: the fault is not told, or the secret is told again", status)
	}
	s.sends(t, s.owner, "/identity-providers", url.Values{"name": {"corp"}, "kind": {"github"}, "client_id": {"blueberry"}, "client_secret": {"a-secret-of-mine"}, "label": {"Corp"}}, "provider-set")
	s.wrong(t, s.owner, "/identity-providers", url.Values{"name": {"corp"}, "kind": {"github"}}, "of another identity provider")
	s.says(t, s.owner, "/identity-providers/corp", "One is kept", "Corp")
	s.sends(t, s.owner, "/identity-providers/corp", url.Values{"kind": {"github"}, "client_id": {"blueberry"}, "label": {"Corp GitHub"}, "sign_up": {"yes"}, "allowed_domains": {"example.com example.org"}}, "provider-set")
	s.says(t, s.owner, "/identity-providers", "Corp GitHub", "everybody of example.com, example.org")

	s.says(t, s.admin, "/group-rules", "No rule gives a role", "New rule")
	s.wrong(t, s.admin, "/group-rules", url.Values{"provider": {"nowhere"}, "group": {"platform"}, "project": {"shop"}, "role": {"viewer"}}, `id="fault-provider"`, `value="platform"`)
	s.sends(t, s.admin, "/group-rules", url.Values{"provider": {"corp"}, "group": {"<i>platform"}, "project": {"shop"}, "role": {"viewer"}}, "rule-made")
	page = s.says(t, s.admin, "/group-rules", "&lt;i&gt;platform")
	rule := regexp.MustCompile(`/group-rules/grp_[a-z0-9]+/delete`).FindString(page)
	s.says(t, s.owner, "/identity-providers/corp/delete", "its group rules (1)")
	s.says(t, s.viewer, "/projects/shop/members", "&lt;i&gt;platform")
	if page := s.says(t, s.viewer, "/group-rules"); strings.Contains(page, rule) || strings.Contains(page, "New rule") {
		t.Error("a reader is offered to change rules")
	}
	s.says(t, s.admin, rule, "loses the role viewer in shop")
	s.sends(t, s.admin, rule, url.Values{}, "rule-deleted")
	s.sends(t, s.owner, "/identity-providers/corp/delete", url.Values{}, "provider-deleted")
}

func TestProgramsAndTheirTokens(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.says(t, s.owner, "/oauth-clients", "comes with Blueberry", "Register a program")
	s.says(t, s.owner, "/oauth-clients/new", "blueberry oauth-client create Dashboards")
	s.wrong(t, s.owner, "/oauth-clients", url.Values{"name": {"Dash"}, "grants": {"environments:fly"}, "flow.client_credentials": {"yes"}}, `id="fault-grants"`, `value="Dash"`)
	s.wrong(t, s.owner, "/oauth-clients", url.Values{"name": {"Dash"}, "grants": {"environments:read"}}, `id="fault-flow.authorization_code"`)
	secret := s.told(t, s.owner, "/oauth-clients", url.Values{"name": {"Dash"}, "grants": {"environments:read\nprojects:read"}, "flow.client_credentials": {"yes"}, "projects": {"shop"}})
	clients, err := s.client.ListOAuthClients(t.Context(), sdk.OAuthClientFilter{})
	if err != nil {
		t.Fatal(err)
	}
	at := ""
	for _, c := range clients.Items {
		if c.Name == "Dash" {
			at = "/oauth-clients/" + c.ID
		}
	}
	if page := s.says(t, s.owner, at, "Acts for itself", "projects:read", "Rotate the secret", "shop"); strings.Contains(page, secret) {
		t.Error("the secret is told twice")
	}
	s.says(t, s.owner, at+"/rotate", "stops working at once")
	if fresh := s.told(t, s.owner, at+"/rotate", url.Values{}); fresh == secret {
		t.Error("the secret is the same after a rotation")
	}
	s.says(t, s.owner, at+"/edit", "blueberry oauth-client update")
	s.sends(t, s.owner, at+"/edit", url.Values{"name": {"Dash board"}, "grants": {"environments:read"}, "flow.client_credentials": {"yes"}, "projects": {""}}, "program-changed")
	s.sends(t, s.owner, at+"/disable", url.Values{}, "program-disable")
	s.says(t, s.owner, at, "disabled", "Dash board", "everywhere")
	s.sends(t, s.owner, at+"/enable", url.Values{}, "program-enable")
	s.says(t, s.owner, at+"/delete", "its consents are gone")
	s.sends(t, s.owner, at+"/delete", url.Values{}, "program-delete")
	s.says(t, s.owner, "/oauth-tokens", "No token was issued")
	s.says(t, s.viewer, "/oauth-tokens", "Those that act for you")
	if status, _, _ := s.ask(t, s.owner, "/oauth-tokens/tok_none/revoke", url.Values{}); status != http.StatusNotFound {
		t.Errorf("a token that is none answers %d", status)
	}
}

func TestTheAuditIsReadAndVerified(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.sends(t, s.owner, "/projects/shop/edit", url.Values{"description": {"<script>alert(1)</script>"}}, "project-changed")
	if status, _, _ := s.ask(t, s.viewer, "/projects/shop/edit", url.Values{"description": {"x"}}); status != http.StatusForbidden {
		t.Errorf("a reader describes a project: %d", status)
	}
	s.says(t, s.owner, "/audit?action=projects:update", "described project shop", "What changed", "&lt;script&gt;alert(1)", "denied", "/v1/audit/export?action=projects")
	page := s.says(t, s.owner, "/audit?action=projects:update&result=succeeded", "described project shop")
	entry := regexp.MustCompile(`/audit/aud_[a-z0-9]+`).FindString(page)
	s.says(t, s.owner, entry, "The shop", "&lt;script&gt;alert(1)", "owner@example.com", "PATCH /v1/projects", "req_", "blueberry audit get aud_", "succeeded")
	s.says(t, s.owner, "/audit?result=denied", "projects:update", "viewer@example.com")
	s.says(t, s.owner, "/audit?actor=nobody-like-it", "Nothing is like that")
	s.says(t, s.owner, "/audit?from=yesterday", "Must be a time")
	s.says(t, s.owner, "/audit?from=2026-02-01T00:00&to=2026-01-01T00:00", "Must be later than from")
	s.says(t, s.owner, "/audit?span=24h&q=described", "described project shop", "blueberry audit list --search described --since 24h")
	s.says(t, s.owner, "/audit/verification", "Verify now", "blueberry audit export --file audit.jsonl", "blueberry audit verify audit.jsonl")
	status, _, page := s.ask(t, s.owner, "/audit/verification?verify=now", nil)
	if status != http.StatusOK || !strings.Contains(page, "It holds") || !strings.Contains(page, "the whole chain") || !strings.Contains(page, "--key key_") || !strings.Contains(page, "--head ") {
		t.Errorf("%d: the audit is not verified", status)
	}
	status, _, page = s.ask(t, s.admin, "/audit/verification?verify=now&project=shop", nil)
	if status != http.StatusOK || !strings.Contains(page, "It holds") || !strings.Contains(page, "entries that were chosen") {
		t.Errorf("%d: a part of the audit is not verified", status)
	}

	// Who looks after one project reads what was done there, and nothing else.
	page = s.says(t, s.admin, "/audit", "described project shop")
	if strings.Contains(page, "invited") || strings.Contains(page, "made project other") {
		t.Error("who looks after one project reads the audit of others")
	}
	s.says(t, s.admin, entry, "described project shop")
	page = s.says(t, s.owner, "/audit?action=users:write", "invited")
	elsewhere := regexp.MustCompile(`/audit/aud_[a-z0-9]+`).FindString(page)
	if status, _, _ := s.ask(t, s.admin, elsewhere, nil); status != http.StatusNotFound {
		t.Errorf("an entry of the installation, for who looks after a project: %d", status)
	}
}

// TestAccessIsOfferedByRights: everybody sees the places that they may go to, and is refused at the others.
func TestAccessIsOfferedByRights(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	account, err := s.client.CreateServiceAccount(t.Context(), "shop", sdk.CreateServiceAccountRequest{Name: "ci", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]string{"owner": s.owner, "admin": s.admin, "viewer": s.viewer, "nobody": s.nobody}
	menus := map[string][]string{
		"owner":  {"/users", "/projects", "/roles", "/identity-providers", "/oauth-clients", "/audit"},
		"admin":  {"/projects", "/roles", "/audit"},
		"viewer": {"/projects", "/roles"},
		"nobody": {"/roles"},
	}
	all := menus["owner"]
	for name, secret := range who {
		_, _, page := s.ask(t, secret, "/roles", nil)
		for _, place := range all {
			offered := strings.Contains(page, `class="menu-link" href="`+place+`"`)
			if want := strings.Contains(strings.Join(menus[name], " ")+" ", place+" "); offered != want {
				t.Errorf("%s is offered %s: %t", name, place, offered)
			}
		}
	}
	// What each may open, as the least who may.
	rank := []string{"nobody", "viewer", "admin", "owner"}
	for path, least := range map[string]string{
		"/users": "owner", "/users/new": "owner", "/users/" + s.ids["viewer"] + "/disable": "owner", "/users/" + s.ids["viewer"] + "/edit": "owner", "/access-review": "owner", "/access-review.csv": "owner",
		"/identity-providers": "owner", "/identity-providers/new": "owner", "/oauth-clients": "owner", "/oauth-clients/new": "owner", "/projects/new": "owner", "/projects/shop/quota": "owner", "/projects/shop/delete": "owner",
		"/audit": "admin", "/audit/verification": "admin", "/audit/verification?verify=now": "admin", "/projects/shop/edit": "admin", "/projects/shop/life": "admin", "/projects/shop/service-accounts": "admin", "/projects/shop/service-accounts/new": "admin",
		"/service-accounts/" + account.ID: "admin", "/service-accounts/" + account.ID + "/edit": "admin", "/service-accounts/" + account.ID + "/tokens/new": "admin", "/group-rules/new": "admin",
		"/projects/shop/members/" + s.ids["viewer"] + "/remove": "admin", "/projects": "viewer", "/projects/shop": "viewer", "/projects/shop/members": "viewer", "/group-rules": "viewer", "/roles": "nobody", "/oauth-tokens": "nobody",
	} {
		for i, name := range rank {
			status, _, page := s.ask(t, who[name], path, nil)
			may := i >= slices.Index(rank, least)
			switch {
			case may && status != http.StatusOK:
				t.Errorf("%s for %s: %d", path, name, status)
			case !may && status != http.StatusForbidden && status != http.StatusNotFound:
				t.Errorf("%s for %s: %d, want to be refused", path, name, status)
			case !may && !strings.Contains(page, "To the environments"):
				t.Errorf("%s for %s does not say why", path, name)
			}
		}
	}
	// What is sent all the same is refused, and changes nothing.
	for path, form := range map[string]url.Values{
		"/users": {"email": {"x@example.com"}}, "/users/" + s.ids["owner"] + "/disable": {}, "/users/" + s.ids["owner"] + "/roles": {"project": {"shop"}, "role": {"viewer"}}, "/projects": {"name": {"mine"}},
		"/projects/shop/edit": {"description": {"mine"}}, "/projects/shop/members": {"user": {s.ids["viewer"]}, "role": {"admin"}}, "/projects/shop/quota": {"environments": {"9"}}, "/projects/shop/life": {"max_pin_hours": {"9"}},
		"/projects/shop/delete": {"name": {"shop"}}, "/projects/shop/service-accounts": {"name": {"mine"}, "role": {"admin"}}, "/service-accounts/" + account.ID + "/tokens": {"name": {"mine"}, "days": {"9"}},
		"/service-accounts/" + account.ID + "/delete": {}, "/group-rules": {"provider": {"corp"}, "group": {"g"}, "project": {"shop"}, "role": {"admin"}}, "/identity-providers": {"name": {"mine"}, "kind": {"github"}},
		"/oauth-clients": {"name": {"mine"}, "grants": {"*:*"}, "flow.client_credentials": {"yes"}},
	} {
		if status, _, page := s.ask(t, s.viewer, path, form); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("%s by a reader: %d\n%s", path, status, faultsOf(page))
		}
	}
	page := s.says(t, s.viewer, "/projects/shop", "What it uses")
	page += s.says(t, s.viewer, "/projects/shop/members", "admin@example.com")
	for _, offer := range []string{"/projects/shop/edit", "/projects/shop/quota", "/projects/shop/delete", "/projects/shop/life", "Give a role", ">Set<", "/remove", "/service-accounts"} {
		if strings.Contains(page, offer) {
			t.Errorf("a reader is offered %s", offer)
		}
	}
	if status, _, page := s.ask(t, httpapitest.Poor, "/projects", nil); status != http.StatusForbidden || !strings.Contains(page, "lacks the grant") {
		t.Errorf("who holds nothing: %d", status)
	}
}

// isStatus reports whether the API said no with a status.
func isStatus(err error, status int) bool {
	var p *sdk.Problem
	return errors.As(err, &p) && p.Status == status
}
