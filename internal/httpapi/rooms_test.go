package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	shopRepository = "https://git.test/acme/shop.git"
	shopBlueprint  = `apiVersion: blueberry.dev/v1
kind: Blueprint
name: shop
parameters:
- name: replicas
  type: integer
  help: How many copies run
  default: 1
  max: 5
  sets: [web.replicas]
fields:
  forbidden: ["*.resources"]
components:
- name: web
  image: acme/web:1
  values:
    env:
      LOG_LEVEL: info
`
	shopValues = "web:\n  env:\n    LOG_LEVEL: debug # until the release\n"
)

// rooms gives the whole house with the shop's repository and its first config set.
func rooms(t *testing.T) (*roomstest.Rooms, *sdk.Client) {
	t.Helper()
	r := roomstest.Open(t)
	_, c := r.Serve(t)
	r.Push(shopRepository, map[string]string{"blueberry.yaml": shopBlueprint})
	return r, c
}

func shopRequest(name string) sdk.CreateEnvironmentRequest {
	return sdk.CreateEnvironmentRequest{Name: name, Source: &sdk.Source{Repository: shopRepository}}
}

// got fails the test on an error.
func got[T any](t *testing.T) func(x T, err error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// problemOf is the problem that a call must end with.
func problemOf(t *testing.T, err error, status int, code string) *sdk.Problem {
	t.Helper()
	var p *sdk.Problem
	if !errors.As(err, &p) || p.Status != status || p.Code != code {
		t.Fatalf("error is %v, want %d %s", err, status, code)
	}
	return p
}

func fieldsOf(p *sdk.Problem) []string {
	var out []string
	for _, f := range p.Errors {
		out = append(out, f.Field+" "+f.Code)
	}
	return out
}

// example is the body that the document shows for an operation, as JSON; empty for none.
func example(content map[string]any) string {
	media, _ := content["application/json"].(map[string]any)
	data, err := json.Marshal(media["example"])
	if err != nil || media["example"] == nil {
		return ""
	}
	return string(data)
}

var inBraces = regexp.MustCompile(`\{[^}]+\}`)

// TestEveryOperationAsksForAGrant calls each of a project about what is there. Who may not do it in the project hears which grant it takes; who may not know
// of the project hears, in the same words, what is true where nothing ever was.
func TestEveryOperationAsksForAGrant(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"create-environment": "environments:create", "plan-new-environment": "environments:plan", "plan-environment": "environments:plan",
		"change-environment": "environments:update", "rollback-environment": "environments:update", "refresh-environment": "environments:update",
		"release-environment-holds": "environments:update", "set-environment-drift-policy": "environments:update", "extend-environment": "environments:extend",
		"destroy-environment": "environments:delete", "publish-blueprint": "blueprints:write", "delete-blueprint": "blueprints:", "validate-blueprint": "blueprints:render",
		"render-blueprint": "blueprints:render", "list-blueprints": "blueprints:read", "get-blueprint": "blueprints:read", "list-blueprint-versions": "blueprints:read",
		"get-blueprint-version": "blueprints:read", "list-blueprint-users": "blueprints:read", "check-config-set": "config:read", "create-config-set": "config:write", "edit-config-set": "config:write",
		"restore-config-set": "config:write", "delete-config-set": "config:delete", "list-config-sets": "config:read", "get-config-set": "config:read",
		"list-config-set-versions": "config:read", "get-config-set-version": "config:read", "diff-config-set-versions": "config:read", "list-config-set-users": "config:read",
		"get-config-set-impact": "config:read", "create-policy": "policies:write", "update-policy": "policies:write", "delete-policy": "policies:write",
		"list-policies": "policies:read", "get-policy": "policies:read", "check-policy": "policies:read", "list-projects": "projects:read", "get-project": "projects:read",
		"set-project-quota": "projects:quota", "list-jobs": "jobs:read", "get-job": "jobs:read", "retry-job": "jobs:retry", "cancel-job": "jobs:retry", "list-targets": "targets:read",
		"read-environment-logs": "environments:logs", "list-environment-containers": "environments:logs", "exec-environment": "environments:exec",
		"sleep-environment": "environments:operate", "wake-environment": "environments:operate", "set-environment-sleep-policy": "environments:operate", "set-environment-labels": "environments:operate",
		"restart-environment": "environments:operate", "scale-environment": "environments:operate", "redeploy-environment": "environments:operate",
		"pin-environment": "environments:extend", "unpin-environment": "environments:extend", "create-extend-link": "environments:extend",
		"get-target": "targets:read", "list-target-checks": "targets:read", "register-target": "targets:write", "update-target": "targets:write",
		"delete-target": "targets:write", "abandon-environment": "targets:write", "cordon-target": "targets:write", "uncordon-target": "targets:write", "drain-target": "targets:write",
		"scan-target": "orphans:read", "list-orphans": "orphans:read", "get-orphan": "orphans:read", "approve-orphan": "orphans:remove",
		"list-retention-rules": "retention:read", "get-system-status": "system:read", "set-project-life": "projects:",
		"add-repository": "repositories:write", "list-repositories": "repositories:read", "get-repository": "repositories:read",
		"change-repository": "repositories:write", "remove-repository": "repositories:write", "rotate-repository-secret": "repositories:write",
		"list-pulls": "repositories:read", "get-pull": "repositories:read", "list-pull-commands": "repositories:read", "approve-pull": "pulls:approve", "list-branches": "repositories:read", "get-branch": "repositories:read", "deploy-branch": "branches:deploy", "list-deliveries": "deliveries:read", "get-delivery": "deliveries:read",
		"replay-delivery":  "deliveries:replay",
		"add-subscription": "subscriptions:write", "list-subscriptions": "subscriptions:read", "get-subscription": "subscriptions:read",
		"change-subscription": "subscriptions:", "remove-subscription": "subscriptions:", "rotate-subscription": "subscriptions:write",
		"test-subscription": "subscriptions:write", "redrive-subscription": "notices:redrive", "list-notices": "notices:read", "get-notice": "notices:read",
		"redrive-notice": "notices:redrive",
	}
	r, c := rooms(t)
	api, empty, ctx := r.API(t), roomstest.Open(t).API(t), t.Context()
	added := addShop(t, c, "")
	sent := got[sdk.Delivery](t)(c.GetDelivery(ctx, deliver(t, api, added, pullBody("acme/shop", 7, strings.Repeat("a", 40))).said(t).ID))
	told := addHook(t, c, "ci").Subscription
	main := addMain(t, api, c, added)
	ids := map[string]string{
		"repositories": added.Repository.ID, "pulls": sent.PullID, "branches": main.ID, "deliveries": sent.ID,
		"subscriptions": told.ID, "notices": got[sdk.Notice](t)(c.TestSubscription(ctx, told.ID)).ID,
		"environments": got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1"))).ID,
		"plans":        got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, shopRequest("pr-2"))).ID,
		"config-sets":  got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})).ConfigSet.ID,
		"blueprints":   got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: shopBlueprint})).Blueprint.ID,
		"policies":     got[sdk.Policy](t)(c.CreatePolicy(ctx, sdk.CreatePolicyRequest{Name: "images", Text: warnOnly})).ID,
		"projects":     "default", "jobs": "1", "events": "", "targets": "local", "orphans": "orp_none", "retention": "", "system": "",
	}
	for path, item := range readDocument(t).Paths {
		noun, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
		id, ours := ids[noun]
		for method, op := range item {
			grant := want[op.OperationID]
			if grant == "" {
				grant = "environments:read"
			}
			if !ours || noun == "projects" && want[op.OperationID] == "" {
				continue // of other rooms
			}
			body := ""
			if op.RequestBody != nil {
				body = example(op.RequestBody.Content)
			}
			at := inBraces.ReplaceAllString(strings.Replace(path, "{id}", id, 1), "1")
			if noun == "projects" || noun == "targets" {
				at = inBraces.ReplaceAllString(path, id)
			}
			at, headers := withQuery(op.OperationID, at)
			asked := func(api http.Handler, token string) sdk.Problem {
				return ask(t, api, strings.ToUpper(method), at, body, append(headers, "Authorization", "Bearer "+token)...).problem(t)
			}
			if p := asked(api, httpapitest.Guest); p.Status != 403 || p.Code != "GRANT_MISSING" || !strings.Contains(p.Detail, grant) {
				t.Errorf("%s without the grant: %d %s (%s), want 403 that names %s", op.OperationID, p.Status, p.Code, p.Detail, grant)
			}
			p, never := asked(api, httpapitest.Poor), asked(empty, httpapitest.Poor)
			if hides := noun != "jobs" && noun != "targets" && noun != "orphans" && op.OperationID != "set-project-quota" && strings.Contains(path, "{"); p.Status != 403 && p.Status != 404 || hides && p.Status != 404 {
				t.Errorf("%s of a stranger: %d %s (%s)", op.OperationID, p.Status, p.Code, p.Detail)
			}
			p.RequestID, never.RequestID = "", ""
			if diff := cmp.Diff(never, p); diff != "" {
				t.Errorf("%s of a stranger tells what is there from what never was (-never +there):\n%s", op.OperationID, diff)
			}
		}
	}
}

// TestAStreamPassesWhatIsHidden: events of another project neither reach a reader nor keep their stream awake.
func TestAStreamPassesWhatIsHidden(t *testing.T) {
	t.Parallel()
	r := roomstest.Open(t)
	var reads atomic.Int64
	d := r.Deps()
	d.Events = countedEvents{r.Provisioner, &reads}
	srv := httptest.NewServer(apiOf(t, d))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	owner := &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client()}
	viewer := &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Viewer, HTTPClient: srv.Client()}
	publish := func(name string, global bool) {
		got[sdk.EditedConfigSet](t)(owner.CreateConfigSet(t.Context(), sdk.CreateConfigSetRequest{Name: name, Global: global, Content: shopValues}))
	}
	publish("hidden-1", true)
	publish("first", false)
	var seen []string
	for event, err := range viewer.WatchEvents(t.Context(), "", 0) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, event.Project)
		if len(seen) == 1 {
			for i := range 5 {
				publish(fmt.Sprintf("hidden-1%d", i), true)
			}
			publish("second", false)
		}
		if len(seen) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"default", "default"}, seen); diff != "" {
		t.Errorf("events of projects (-want +got):\n%s", diff)
	}
	if n := reads.Load(); n > 10 {
		t.Errorf("the stream made %d reads past 6 events that it does not tell", n)
	}
	for reason, client := range map[string]*sdk.Client{
		"a member who may not": {BaseURL: srv.URL, Token: httpapitest.Guest, HTTPClient: srv.Client()},
		"a stranger":           {BaseURL: srv.URL, Token: httpapitest.Poor, HTTPClient: srv.Client()},
	} {
		for _, err := range client.WatchEvents(t.Context(), "", 0) {
			if p := (*sdk.Problem)(nil); !errors.As(err, &p) || p.Status != 403 {
				t.Errorf("%s: %v", reason, err)
			}
			break
		}
	}
}

type countedEvents struct {
	*provision.Provisioner
	reads *atomic.Int64
}

func (c countedEvents) EventsUntil(ctx context.Context, a blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, int64, error) {
	c.reads.Add(1)
	return c.Provisioner.EventsUntil(ctx, a, q)
}

// TestWhatIsNotThereIsNotFound asks each operation about something that does not exist.
func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	api := roomstest.Open(t).API(t)
	for path, item := range readDocument(t).Paths {
		if !strings.Contains(path, "{") || strings.HasPrefix(path, "/v1/account/") { // what is one's own takes a person: the table of rights asks it
			continue
		}
		for method, op := range item {
			if op.OperationID == "set-identity-provider" { // it makes what is not there
				continue
			}
			body := ""
			if op.RequestBody != nil {
				body = example(op.RequestBody.Content)
			}
			at, headers := withQuery(op.OperationID, inBraces.ReplaceAllString(path, "7"))
			a := ask(t, api, strings.ToUpper(method), at, body, headers...)
			if p := a.problem(t); p.Status != 404 || p.Code == "NOT_FOUND" || p.Detail == "" {
				t.Errorf("%s of nothing: %d %s (%s), want 404 with a code of its own", op.OperationID, p.Status, p.Code, p.Detail)
			}
		}
	}
}

func TestShapeAndMeaningAreJudgedTogether(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api := r.API(t)
	env := got[sdk.Environment](t)(c.CreateEnvironment(t.Context(), shopRequest("pr-1")))
	set := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(t.Context(), sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})).ConfigSet
	shop := addShop(t, c, "").Repository
	hook := addHook(t, c, "ci").Subscription
	source := `"source":{"repository":"` + shopRepository + `"}`
	for name, tc := range map[string]struct {
		reason, method, path, body string
		fields                     []string
	}{
		"create": {
			"references, parameters, overrides and unknown fields", "POST", "/v1/environments",
			`{"name":"pr-2","colour":"red","ttl_hours":0,` + source + `,"config_sets":["shop@9","no such"],"parameters":{"replicas":9,"odd":1},"overrides":{"db":{"a":1}},"drift":{"mode":"shrug"}}`,
			[]string{"colour unknown_field", "config_sets[0] unknown", "config_sets[1] pattern", "drift.mode enum", "overrides.db unknown", "parameters.odd unknown", "parameters.replicas range", "ttl_hours range"},
		},
		"strict in the body": {
			"a dropped field is a fault", "POST", "/v1/environments", `{"name":"pr-2","strict":true,` + source + `,"overrides":{"web":{"resources":{"limits":null}}}}`,
			[]string{"overrides.web.resources forbidden_field"},
		},
		"strict in the address": {
			"the same, as CI asks for it", "POST", "/v1/environments/plan?strict=true", `{"name":"pr-2",` + source + `,"overrides":{"web":{"resources":{"requests":{"cpu":"1"}}}}}`,
			[]string{"overrides.web.resources forbidden_field"},
		},
		"blueprint of a request": {
			"keys as on the wire", "POST", "/v1/environments",
			`{"name":"pr-2","blueprint":{"name":"shop","config_updates":"never","config_sets":["x y","absent"],"components":[{"name":"web","image":"acme/web:1"}]}}`,
			[]string{"blueprint.config_sets[0] pattern", "blueprint.config_sets[0] unknown", "blueprint.config_updates enum"},
		},
		"too large": {
			"values have a limit", "POST", "/v1/environments", `{"name":"pr-2",` + source + `,"overrides":{"web":{"env":{"A":"` + strings.Repeat("a", 1<<20) + `"}}}}`,
			[]string{"overrides too_large"},
		},
		"secret in clear": {
			"in any layer", "POST", "/v1/environments", `{"name":"pr-2",` + source + `,"overrides":{"web":{"env":{"TOKEN":"ghp_0123456789abcdefghijklmnopqrstuvwxyz"}}}}`,
			[]string{"overrides.web.env.TOKEN secret_literal"},
		},
		"change": {
			"as create", "PATCH", "/v1/environments/" + env.ID, `{"odd":1,"config_sets":["nothing"],"overrides":{"db":{}}}`,
			[]string{"config_sets[0] unknown", "odd unknown_field", "overrides.db unknown"},
		},
		"plan of a change": {
			"paths are those of the body", "POST", "/v1/environments/" + env.ID + "/plan", `{"change":{"odd":1,"plan_id":"pln_x","overrides":{"db":{}}}}`,
			[]string{"change.odd unknown_field", "change.overrides.db unknown", "change.plan_id forbidden"},
		},
		"plan of two things":   {"one at a time", "POST", "/v1/environments/" + env.ID + "/plan", `{"change":{},"destroy":true}`, []string{" exclusive"}},
		"plan of nothing":      {"one at a time", "POST", "/v1/environments/" + env.ID + "/plan", `{}`, []string{" exclusive"}},
		"plan of a rollback":   {"to what is not before", "POST", "/v1/environments/" + env.ID + "/plan", `{"rollback":{"revision":1}}`, []string{"rollback.revision range"}},
		"rollback":             {"to what is not before", "POST", "/v1/environments/" + env.ID + "/rollback", `{"revision":7}`, []string{"revision range"}},
		"diff of the first":    {"nothing is before it", "GET", "/v1/environments/" + env.ID + "/diff", "", []string{"from required"}},
		"settings path":        {"no path", "GET", "/v1/environments/" + env.ID + "/settings?path=a..b", "", []string{"path path"}},
		"drift policy":         {"every rule", "PUT", "/v1/environments/" + env.ID + "/drift-policy", `{"mode":"x","odd":1,"ignore":[{"kind":"","name":"[","path":"metadata.name"}]}`, []string{"ignore[0].kind required", "ignore[0].name pattern", "ignore[0].path forbidden", "mode enum", "odd unknown_field"}},
		"config set":           {"name, scope and content", "POST", "/v1/config-sets", `{"name":"No","global":true,"project":"default","content":"web: 3","message":"` + strings.Repeat("m", 501) + `","odd":1}`, []string{"content.web type", "message too_long", "name pattern", "odd unknown_field", "project exclusive"}},
		"config set checked":   {"as when it is made", "POST", "/v1/config-sets/check", `{"name":"No","content":"web: 3","odd":1}`, []string{"content.web type", "name pattern", "odd unknown_field"}},
		"config set of two":    {"content or a repository", "POST", "/v1/config-sets", `{"name":"a","content":"web: {}","source":{"repository":"x","path":"y"}}`, []string{"content exclusive"}},
		"config set taken":     {"the name", "POST", "/v1/config-sets", `{"name":"shop","content":"web: {}"}`, []string{"name taken"}},
		"config secret":        {"never stored", "POST", "/v1/config-sets/" + set.ID + "/versions", `{"content":"web:\n  env:\n    TOKEN: ghp_0123456789abcdefghijklmnopqrstuvwxyz\n"}`, []string{"content.web.env.TOKEN secret_literal"}},
		"scope of a list":      {"global is of no project", "GET", "/v1/config-sets?scope=global&project=default", "", []string{"project exclusive"}},
		"cursor of a list":     {"made by hand", "GET", "/v1/config-sets?cursor=x", "", []string{"cursor cursor"}},
		"cursor of blueprints": {"made by hand", "GET", "/v1/blueprints?cursor=x", "", []string{"cursor cursor"}},
		"impact":               {"one of two", "POST", "/v1/config-sets/" + set.ID + "/impact", `{"version":1,"content":"web: {}"}`, []string{"version exclusive"}},
		"restore":              {"from 1", "POST", "/v1/config-sets/" + set.ID + "/restore", `{"version":0}`, []string{"version unknown"}},
		"publish":              {"faults of the file", "POST", "/v1/blueprints", `{"content":"name: Shop\ncomponents: []\n","odd":1}`, []string{"content.components required", "content.name pattern", "odd unknown_field"}},
		"quota": {
			"every amount", "PUT", "/v1/projects/default/quota", `{"cpu":"two","memory":"100m","pods":-1,"odd":1,"kinds":{"preview":{"storage":"8Ei"},"holiday":{}}}`,
			[]string{"cpu pattern", "kinds.holiday enum", "kinds.preview.storage range", "memory precision", "odd unknown_field", "pods range"},
		},
		"quota of a wrong type": {"what the document says is told with it", "PUT", "/v1/projects/default/quota", `{"cpu":2,"memory":"much"}`, []string{"cpu type", "memory pattern"}},
		"policy":                {"name and text", "POST", "/v1/policies", `{"name":"No","text":"permit (principal","odd":1}`, []string{"name pattern", "odd unknown_field", "text syntax"}},
		"repository": {
			"every field, of the policy too", "POST", "/v1/repositories",
			`{"name":"a b","host":"svn","url":"ftp://x","secret":"short","odd":1,"policy":{"bases":["[",""],"labels":[""],"at_once":1001,"hours":169,"prefix":"9","config_set":["x y"],"colour":"red"}}`,
			[]string{
				"host unknown", "name pattern", "odd unknown_field", "policy.at_once range", "policy.bases[0] pattern", "policy.bases[1] range", "policy.colour unknown_field",
				"policy.config_set[0] pattern", "policy.hours range", "policy.labels[0] range", "policy.prefix pattern", "secret range", "url repository_url",
			},
		},
		"repository without all": {"what is needed", "POST", "/v1/repositories", `{}`, []string{"host unknown", "name required", "url repository_url"}},
		"repository of a type":   {"what the document says is told with it", "POST", "/v1/repositories", `{"name":7}`, []string{"host required", "name type"}},
		"change of a repository": {
			"as when it is added", "PATCH", "/v1/repositories/" + shop.ID, `{"name":"other","url":"","policy":{"prefix":"Pr"}}`,
			[]string{"name unknown_field", "policy.prefix pattern", "url repository_url"},
		},
		"secret":               {"what is too short", "POST", "/v1/repositories/" + shop.ID + "/secret", `{"secret":"short"}`, []string{"secret range"}},
		"secret of a wrong":    {"field", "POST", "/v1/repositories/" + shop.ID + "/secret", `{"value":"short"}`, []string{"value unknown_field"}},
		"list of repositories": {"parameters", "GET", "/v1/repositories?limit=0&colour=red", "", []string{"colour unknown_parameter", "limit range"}},
		"list of pulls":        {"parameters", "GET", "/v1/pulls?limit=501&state=x&outcome=x&number=1", "", []string{"limit range", "number unknown_parameter", "outcome enum", "state enum"}},
		"list of commands":     {"parameters", "GET", "/v1/pulls/pul_x/commands?limit=501&outcome=x&line=1", "", []string{"limit range", "line unknown_parameter", "outcome enum"}},
		"list of deliveries":   {"parameters", "GET", "/v1/deliveries?limit=501&verdict=x&after=1", "", []string{"after unknown_parameter", "limit range", "verdict enum"}},
		"replay":               {"parameters", "POST", "/v1/deliveries/dlv_x/replay?dry_run=maybe&dry=1", "", []string{"dry unknown_parameter", "dry_run type"}},
		"gates": {
			"of a policy", "POST", "/v1/repositories",
			`{"name":"a/b","host":"generic","url":"` + shopRepository + `","policy":{"gates":{"components":["API"],"coverage_min":101,"scan_max":"bad","wait_minutes":1441,"odd":1}}}`,
			[]string{
				"policy.gates.components requires", "policy.gates.components[0] pattern", "policy.gates.coverage_min range", "policy.gates.odd unknown_field", "policy.gates.scan_max enum",
				"policy.gates.wait_minutes range",
			},
		},
		"report of CI": {
			"every field", "POST", "/v1/ci/reports",
			`{"repository":"` + shop.ID + `","commit":"x","odd":1,"run":{"number":-1,"colour":"red"},"stages":[{"name":"a","status":"good"}],"images":{"api":"x:1"},"files":[{"content":"hello"},{"kind":"photo","content":""}]}`,
			[]string{
				"commit pattern", "files[0].content format", "files[1].kind enum", "images.api image_unpinned", "odd unknown_field", "run.colour unknown_field", "run.number range", "stages[0].status enum",
			},
		},
		"report of nothing": {"there is nothing in it", "POST", "/v1/ci/reports", `{"repository":"` + shop.ID + `","commit":"` + strings.Repeat("a", 40) + `"}`, []string{" required"}},
		"list of reports":   {"parameters", "GET", "/v1/ci/reports?limit=0&colour=red", "", []string{"colour unknown_parameter", "limit range"}},
		"scan exception": {
			"what is needed, and how far", "POST", "/v1/scan-exceptions", `{"finding":"","reason":"","until":"2020-01-01T00:00:00Z","odd":1}`,
			[]string{"finding required", "odd unknown_field", "reason required", "until range"},
		},
		"list of scan exceptions": {"parameters", "GET", "/v1/scan-exceptions?limit=501&live=maybe", "", []string{"limit range", "live type"}},
		"subscription": {
			"every field, of the address and the hours too", "POST", "/v1/subscriptions",
			`{"name":"No","kind":"pigeon","url":"http://10.0.0.1/","key":"x","events":["["],"secret":"short","odd":1,"installation":true,"project":"x","quiet":{"windows":[{"days":[],"from":"25:00","to":"07:00"}],"time_zone":"Mars"}}`,
			[]string{"events[0] pattern", "key forbidden", "kind unknown", "name pattern", "odd unknown_field", "project exclusive", "quiet forbidden", "secret forbidden", "url local", "url scheme"},
		},
		"subscription of a chat": {
			"hours", "POST", "/v1/subscriptions",
			`{"name":"a","kind":"slack","url":"` + hookURL + `","events":["*"],"quiet":{"windows":[{"days":[],"from":"25:00","to":"07:00"}],"time_zone":"Mars"}}`,
			[]string{"quiet.time_zone unknown", "quiet.windows[0].days required", "quiet.windows[0].from range"},
		},
		"subscription without all": {"what is needed", "POST", "/v1/subscriptions", `{}`, []string{"events required", "kind unknown", "name required", "url required"}},
		"change of a subscription": {
			"as when it is added", "PATCH", "/v1/subscriptions/" + hook.ID, `{"kind":"slack","events":[],"name":"No","url":""}`,
			[]string{"events required", "kind unknown_field", "name pattern", "url required"},
		},
		"secret of a subscription": {"what is too short", "POST", "/v1/subscriptions/" + hook.ID + "/rotate", `{"secret":"short"}`, []string{"secret pattern"}},
		"list of subscriptions":    {"parameters", "GET", "/v1/subscriptions?limit=0&colour=red", "", []string{"colour unknown_parameter", "limit range"}},
		"list of notices":          {"parameters", "GET", "/v1/notices?limit=501&state=x&after=1", "", []string{"after unknown_parameter", "limit range", "state enum"}},
		"validate":                 {"gathers too", "POST", "/v1/blueprints/validate", `{"odd":1,"blueprint":{"name":"shop","components":[{"name":"web","image":"nginx"}]}}`, []string{"blueprint.components[0].image image_unpinned", "odd unknown_field"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := ask(t, api, tc.method, tc.path, tc.body)
			p := a.problem(t)
			if p.Status != 422 {
				t.Errorf("%s: %d %s (%s), want 422", tc.reason, p.Status, p.Code, p.Detail)
			}
			if diff := cmp.Diff(tc.fields, sorted(fieldsOf(&p))); diff != "" {
				t.Errorf("%s: faults (-want +got):\n%s\n%s", tc.reason, diff, a.text)
			}
			if strings.Contains(a.text, "ghp_0123") {
				t.Errorf("%s: the answer repeats a secret: %s", tc.reason, a.text)
			}
		})
	}
}

// TestIfMatchOnEveryWriteOfAThing tries a version that is not current, then the one that is.
func TestIfMatchOnEveryWriteOfAThing(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	api, ctx := r.API(t), t.Context()
	set := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})).ConfigSet
	policy := got[sdk.Policy](t)(c.CreatePolicy(ctx, sdk.CreatePolicyRequest{Name: "images", Text: denyAll}))
	shop := got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: shopBlueprint})).Blueprint
	got[sdk.Policy](t)(c.UpdatePolicy(ctx, policy.ID, sdk.UpdatePolicyRequest{Text: warnOnly}))
	got[sdk.Project](t)(c.SetProjectQuota(ctx, "default", sdk.Quota{}))
	got[sdk.Project](t)(c.SetProjectQuota(ctx, "default", sdk.Quota{Limits: sdk.Limits{CPU: "8"}}))
	added := addShop(t, c, "").Repository
	hook := addHook(t, c, "ci").Subscription
	for _, step := range []struct {
		what, method, path, body string
		read                     string // where the current ETag is told
		status                   int
	}{
		{"edit a config set", "POST", "/v1/config-sets/" + set.ID + "/versions", `{"content":"web: {}"}`, "/v1/config-sets/" + set.ID, 201},
		{"edit it to what it is", "POST", "/v1/config-sets/" + set.ID + "/versions", `{"content":"web: {}"}`, "/v1/config-sets/" + set.ID, 200},
		{"restore a config set", "POST", "/v1/config-sets/" + set.ID + "/restore", `{"version":1}`, "/v1/config-sets/" + set.ID, 201},
		{"delete a config set", "DELETE", "/v1/config-sets/" + set.ID, "", "/v1/config-sets/" + set.ID, 204},
		{"update a policy", "PUT", "/v1/policies/" + policy.ID, `{"text":` + quoted(denyAll) + `}`, "/v1/policies/" + policy.ID, 200},
		{"delete a policy", "DELETE", "/v1/policies/" + policy.ID, "", "/v1/policies/" + policy.ID, 204},
		{"publish a blueprint", "POST", "/v1/blueprints", `{"content":` + quoted(shopBlueprint+"# again\n") + `}`, "/v1/blueprints/" + shop.ID, 201},
		{"delete a blueprint", "DELETE", "/v1/blueprints/" + shop.ID, "", "/v1/blueprints/" + shop.ID, 204},
		{"change a repository", "PATCH", "/v1/repositories/" + added.ID, `{"policy":{"drafts":true}}`, "/v1/repositories/" + added.ID, 200},
		{"remove a repository", "DELETE", "/v1/repositories/" + added.ID, "", "/v1/repositories/" + added.ID, 204},
		{"change a subscription", "PATCH", "/v1/subscriptions/" + hook.ID, `{"off":true}`, "/v1/subscriptions/" + hook.ID, 200},
		{"remove a subscription", "DELETE", "/v1/subscriptions/" + hook.ID, "", "/v1/subscriptions/" + hook.ID, 204},
		{"set a quota", "PUT", "/v1/projects/default/quota", `{"cpu":"16"}`, "/v1/projects/default", 200},
	} {
		if a := ask(t, api, step.method, step.path, step.body, "If-Match", `"77"`); a.StatusCode != 412 {
			t.Errorf("%s at another version: %d %s, want 412", step.what, a.StatusCode, a.text)
		}
		current := ask(t, api, "GET", step.read, "").Header.Get("ETag")
		if current == "" {
			t.Errorf("%s has no ETag", step.read)
		}
		a := ask(t, api, step.method, step.path, step.body, "If-Match", current)
		if a.StatusCode != step.status {
			t.Errorf("%s at the current version %s: %d %s, want %d", step.what, current, a.StatusCode, a.text, step.status)
		}
		if step.status == 204 {
			if again := ask(t, api, "GET", step.read, ""); again.StatusCode != 404 || a.text != "" {
				t.Errorf("%s: afterwards %d, the answer was %q", step.what, again.StatusCode, a.text)
			}
		} else if tag := a.Header.Get("ETag"); tag == "" || a.Header.Get("Location") != step.read {
			t.Errorf("%s answers with ETag %q and Location %q", step.what, tag, a.Header.Get("Location"))
		}
	}
}

func TestAPutWithAKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	r, _ := rooms(t)
	api := r.API(t)
	var tags []string
	for range 2 {
		a := ask(t, api, http.MethodPut, "/v1/projects/default/quota", `{"cpu":"16"}`, "Idempotency-Key", "k")
		tags = append(tags, fmt.Sprint(a.StatusCode, a.Header.Get("ETag"), a.Header.Get("Idempotency-Replayed")))
	}
	if tags[0]+"true" != tags[1] {
		t.Errorf("answers are %q, want the second to be the first, replayed", tags)
	}
}
