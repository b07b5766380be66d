package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

const ownProject, otherProject = "shop", "other"

// world is two projects with all that an operation can be about, and people around them.
type world struct {
	rooms   *roomstest.Rooms
	api     http.Handler
	client  *sdk.Client
	callers map[string][]string // name to headers
	fixed   map[string]string   // kind of thing and project to its id
	count   int
}

// asBrowser is the headers of a call that a page of the server makes with a session.
func asBrowser(secret string) []string {
	return []string{"Authorization", "", "Cookie", access.SessionCookie + "=" + secret, "Sec-Fetch-Site", "same-origin"}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	r, c := rooms(t)
	d := r.Deps()
	drained := make(chan struct{})
	close(drained) // a stream ends when it has told what there is
	d.Draining = drained
	w := &world{rooms: r, api: apiOf(t, d), client: c, callers: map[string][]string{}, fixed: map[string]string{}}
	ctx := t.Context()
	for _, project := range []string{ownProject, otherProject} {
		got[sdk.Project](t)(c.CreateProject(ctx, sdk.CreateProjectRequest{Name: project}))
	}
	person := func(name string, owner bool, roles map[string]blueberry.Role) {
		_, secret := r.Person(t, name+"@example.com", owner, roles)
		w.callers[name] = asBrowser(secret)
	}
	person("owner", true, nil)
	for _, role := range blueberry.ProjectRoles() {
		person(string(role), false, map[string]blueberry.Role{ownProject: role})
	}
	person("neighbour", false, map[string]blueberry.Role{otherProject: blueberry.RoleAdmin})
	person("nobody", false, nil)
	account := got[sdk.ServiceAccount](t)(c.CreateServiceAccount(ctx, ownProject, sdk.CreateServiceAccountRequest{Name: "ci", Role: "developer"}))
	token := got[sdk.MadeAPIToken](t)(c.CreateAPIToken(ctx, sdk.CreateAPITokenRequest{Name: "ci", Role: "developer", ServiceAccountID: account.ID}))
	w.callers["service"] = []string{"Authorization", "Bearer " + token.Secret}
	w.callers["anonymous"] = []string{"Authorization", ""}
	secret := "not told to anyone"
	got[sdk.IdentityProvider](t)(c.SetIdentityProvider(ctx, "corp", sdk.SetIdentityProviderRequest{Kind: "github", ClientID: "blueberry", ClientSecret: &secret}))
	for _, project := range []string{ownProject, otherProject} { // before a call of the table makes a policy that forbids them
		for _, noun := range []string{"environments", "plans"} {
			w.fixed[noun+" "+project] = w.lasting(t, noun, project)
		}
	}
	return w
}

// thing is the id of what stands for a parameter in a project. What a call may use up is made anew each time.
func (w *world) thing(t *testing.T, operation, path, param, project string) string {
	t.Helper()
	c, ctx := w.client, t.Context()
	noun := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")[0]
	w.count++
	fresh := fmt.Sprintf("thing-%d", w.count)
	user := func() string {
		return got[sdk.InvitedUser](t)(c.CreateUser(ctx, sdk.CreateUserRequest{Email: fresh + "@example.com"})).User.ID
	}
	switch {
	case param == "name" && noun == "projects":
		return project
	case param == "user":
		id := user()
		got[sdk.Member](t)(c.SetProjectMember(ctx, project, id, sdk.SetMemberRequest{Role: "viewer"}))
		return id
	case noun == "group-rules":
		return got[sdk.GroupRule](t)(c.CreateGroupRule(ctx, sdk.CreateGroupRuleRequest{Provider: "corp", Group: fresh, Project: project, Role: "viewer"})).ID
	case noun == "users":
		return user()
	case noun == "sessions":
		_, secret := w.rooms.Person(t, fresh+"@example.com", false, nil)
		a := ask(t, w.api, "GET", "/v1/account", "", asBrowser(secret)...)
		var self sdk.Account
		if err := json.Unmarshal([]byte(a.text), &self); err != nil || self.Session == nil {
			t.Fatalf("account of a person: %d %s", a.StatusCode, a.text)
		}
		return self.Session.ID
	case noun == "api-tokens":
		u, err := w.rooms.Accounts.Users(ctx, blueberry.System(), blueberry.UserQuery{Search: "owner@example.com", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		someone := blueberry.Actor{Kind: blueberry.ActorUser, ID: u.Items[0].ID, UserID: u.Items[0].ID, Name: "owner@example.com", Grants: []blueberry.Grant{blueberry.GrantAll}}
		m, err := w.rooms.Accounts.CreateToken(ctx, someone, access.NewToken{Name: fresh, Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}})
		if err != nil {
			t.Fatal(err)
		}
		return m.Token.ID
	case noun == "certificates":
		return got[sdk.IssuedCertificate](t)(c.IssueCertificate(ctx, sdk.IssueCertificateRequest{Name: fresh})).Certificate.Serial
	case noun == "identity-providers":
		return "corp"
	case noun == "targets":
		return "local"
	case noun == "archives" && param == "environment_id":
		return w.fixed["environments "+project] // which has not ended: there is no archive of it yet
	case noun == "scan-exceptions":
		return got[sdk.ScanException](t)(c.AddScanException(ctx, sdk.AddScanExceptionRequest{Project: project, Finding: fresh, Reason: "r", Until: time.Now().Add(time.Hour)})).ID
	case param == "number":
		return "9" // of what has one version: it is looked for only by who may
	}
	key := noun + " " + project
	if w.fixed[key] == "" {
		w.fixed[key] = w.lasting(t, noun, project)
	}
	return w.fixed[key]
}

// lasting makes what no call of the test uses up: each names a version that it does not have.
func (w *world) lasting(t *testing.T, noun, project string) string {
	t.Helper()
	c, ctx := w.client, t.Context()
	shop := func(name string) sdk.CreateEnvironmentRequest {
		r := shopRequest(name)
		r.Project = project
		return r
	}
	switch noun {
	case "environments":
		return got[sdk.Environment](t)(c.CreateEnvironment(ctx, shop("idor"))).ID
	case "plans":
		return got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, shop("planned"))).ID
	case "config-sets":
		return got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Project: project, Name: "kept", Content: shopValues})).ConfigSet.ID
	case "blueprints":
		return got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Project: project, Content: shopBlueprint})).Blueprint.ID
	case "policies":
		return got[sdk.Policy](t)(c.CreatePolicy(ctx, sdk.CreatePolicyRequest{Project: project, Name: "kept", Text: warnOnly})).ID
	case "service-accounts":
		return got[sdk.ServiceAccount](t)(c.CreateServiceAccount(ctx, project, sdk.CreateServiceAccountRequest{Name: "robot", Role: "viewer"})).ID
	case "oauth-clients":
		return got[sdk.MadeOAuthClient](t)(c.CreateOAuthClient(ctx, sdk.CreateOAuthClientRequest{
			Name: "dash", Flows: []string{"client_credentials"}, Grants: []string{"environments:read"}, Projects: []string{project},
		})).Client.ID
	case "repositories":
		repository := sdk.AddRepositoryRequest{Project: project, Name: "acme/thing", Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Off: true}}
		return got[sdk.AddedRepository](t)(c.AddRepository(ctx, repository)).Repository.ID // the call that adds one takes the name of its example
	case "pulls", "deliveries":
		repository := sdk.AddRepositoryRequest{Project: project, Name: "acme/sent", Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Off: true}}
		a := deliver(t, w.api, got[sdk.AddedRepository](t)(c.AddRepository(ctx, repository)), pullBody("acme/sent", 7, strings.Repeat("a", 40)))
		d := got[sdk.Delivery](t)(c.GetDelivery(ctx, a.said(t).ID))
		w.fixed["pulls "+project], w.fixed["deliveries "+project] = d.PullID, d.ID
		return w.fixed[noun+" "+project]
	case "branches":
		repository := sdk.AddRepositoryRequest{Project: project, Name: "acme/branched", Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Off: true}}
		return addMain(t, w.api, c, got[sdk.AddedRepository](t)(c.AddRepository(ctx, repository))).ID
	case "ci":
		return got[sdk.CIReport](t)(c.ReportCI(ctx, ciReport(func(r *sdk.ReportCIRequest) { r.Repository = w.thing(t, "", "/v1/repositories/{id}", "id", project) }))).ID
	case "subscriptions", "notices":
		s := got[sdk.AddedSubscription](t)(c.AddSubscription(ctx, sdk.AddSubscriptionRequest{Project: project, Name: "kept", Kind: "webhook", URL: hookURL, Events: []string{"*"}}))
		w.fixed["subscriptions "+project] = s.Subscription.ID // the call that adds one takes the name of its example
		w.fixed["notices "+project] = got[sdk.Notice](t)(c.TestSubscription(ctx, s.Subscription.ID)).ID
		return w.fixed[noun+" "+project]
	case "audit":
		return got[sdk.AuditList](t)(c.ListAuditEntries(ctx, sdk.AuditFilter{Project: project, Limit: 1})).Items[0].ID
	case "jobs":
		w.thing(t, "", "/v1/environments/{id}", "id", project)
		return fmt.Sprint(got[sdk.JobPage](t)(c.ListJobs(ctx, sdk.JobFilter{})).Items[0].ID)
	}
	return "nothing" // passkeys, consents, OAuth tokens, emergencies: there is none
}

// want is the status that a caller must get, 0 for being let in.
func (r right) want(caller, project string) int {
	stranger, denied := r.stranger, r.denied
	if stranger == 0 {
		stranger = 404
	}
	if denied == 0 {
		denied = 403
	}
	strength := []string{"viewer", "developer", "maintainer", "admin", "owner"}
	as, at := caller, ownProject
	switch caller {
	case "service":
		as = "developer"
	case "neighbour":
		as, at = "admin", otherProject
	}
	switch {
	case r.who == "public", caller == "owner":
		return 0
	case caller == "service" && r.service != 0:
		return r.service
	case caller == "anonymous":
		return 401
	case r.who == "anyone":
		return 0
	case r.who == "person":
		if caller == "service" {
			return 403
		}
		return 0
	case caller == "nobody":
		return stranger
	case r.who == "member":
		return 0
	case r.who == "owner" && stranger == 403:
		return denied // of the installation: there is no project in it
	case at != project && r.denied == 0:
		return stranger
	case slices.Index(strength, as) < slices.Index(strength, r.who):
		return denied
	}
	return 0
}

// TestEveryRouteForEveryRole is the IDOR table: each operation as everyone, on what is in their project and what is in another one.
func TestEveryRouteForEveryRole(t *testing.T) {
	t.Parallel()
	w, table := newWorld(t), rightsTable()
	names := slices.Sorted(maps.Keys(w.callers))
	for path, item := range readDocument(t).Paths {
		for method, op := range item {
			r, ok := table[op.OperationID]
			if !ok {
				t.Errorf("%s has no entry in the table of rights: say in rightstable_test.go who may call it, and what strangers get", op.OperationID)
				continue
			}
			delete(table, op.OperationID)
			for _, project := range []string{ownProject, otherProject} {
				for _, caller := range names {
					if r.who == "public" && caller != "anonymous" {
						continue // signing out would end what the others call with
					}
					status, code := w.call(t, op.OperationID, method, path, project, r, op.RequestBody, w.callers[caller])
					judge(t, fmt.Sprintf("%s as %s in %s", op.OperationID, caller, project), r, r.want(caller, project), status, code)
				}
			}
		}
	}
	for id := range table {
		t.Errorf("the table of rights has %s, which is no operation", id)
	}
}

func judge(t *testing.T, what string, r right, want, status int, code string) {
	t.Helper()
	switch {
	case want == 0 && r.who == "public":
		if status == 403 || status >= 500 || code == "TOKEN_MISSING" {
			t.Errorf("%s: %d %s, want to be heard without a credential", what, status, code)
		}
	case want == 0 && r.empty && status == 404 && code != "ROUTE_NOT_FOUND":
	case want == 0 && (status == 403 && code == "GRANT_MISSING" || status == 401 && code != "SIGN_IN_FAILED" && code != "TICKET_INVALID" && code != "PROOF_WRONG" ||
		status == 404 || status >= 500):
		t.Errorf("%s: %d %s, want to be let in", what, status, code)
	case want != 0 && status != want:
		t.Errorf("%s: %d %s, want %d", what, status, code, want)
	}
}

func (w *world) call(t *testing.T, operation, method, path, project string, r right, body *struct{ Content map[string]any }, headers []string) (status int, code string) {
	t.Helper()
	at := inBraces.ReplaceAllStringFunc(path, func(param string) string { return w.thing(t, operation, path, strings.Trim(param, "{}"), project) })
	if r.project == "query" {
		at += "?project=" + project
	}
	text := ""
	if body != nil {
		text = example(body.Content)
		if r.project == "body" {
			var fields map[string]any
			if err := json.Unmarshal([]byte(text), &fields); err != nil {
				t.Fatal(err)
			}
			if _, ok := fields["projects"]; ok {
				fields["projects"] = []string{project}
			} else {
				fields["project"] = project
			}
			data, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
	}
	at, more := withQuery(operation, at)
	a := ask(t, w.api, strings.ToUpper(method), at, text, append(append([]string{"If-Match", `"77"`}, headers...), more...)...)
	if a.StatusCode < 400 {
		return a.StatusCode, ""
	}
	return a.StatusCode, a.problem(t).Code
}
