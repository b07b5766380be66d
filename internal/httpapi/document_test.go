package httpapi_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

var update = flag.Bool("update", false, "write golden files")

const golden = "../../docs/openapi.json"

// document is the part of OpenAPI that the tests walk.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Summary     string
		Tags        []string
		Parameters  []struct{ Name, In, Description string }
		RequestBody *struct{ Content map[string]any }
		Responses   map[string]struct{ Content map[string]any }
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Description string
				Ref         string `json:"$ref"`
				Enum        []string
			}
		}
	}
}

func TestDocumentIsTheGoldenFile(t *testing.T) {
	t.Parallel()
	d := httpapitest.New().Deps()
	d.Version = "v1" // the version of a build does not belong in the repository
	api := apiOf(t, d)
	got, err := api.Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the API is not what docs/openapi.json says; go test ./internal/httpapi -update writes it (-want +got):\n%s", diff)
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	data, err := httpapitest.New().API(t).Document()
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDocumentIsComplete(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for path, item := range d.Paths {
		for method, op := range item {
			at := method + " " + path
			if op.OperationID == "" || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s lacks operationId, summary or its one tag", at)
			}
			if op.Responses["default"].Content["application/problem+json"] == nil {
				t.Errorf("%s does not say that it answers problems", at)
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: parameter %s has no description", at, p.Name)
				}
			}
			if op.RequestBody != nil && len(op.RequestBody.Content) != 1 {
				t.Errorf("%s: body has content %v, want JSON alone", at, op.RequestBody.Content)
			}
			if op.RequestBody != nil && example(op.RequestBody.Content) == "" {
				t.Errorf("%s has no example of its body", at)
			}
		}
	}
	for name, s := range d.Components.Schemas {
		for property, p := range s.Properties {
			if p.Description == "" && p.Ref == "" {
				t.Errorf("schema %s: property %s has no description", name, property)
			}
		}
	}
	if _, ok := d.Components.Schemas["ErrorModel"]; ok {
		t.Error("the document holds an error model that is not ours")
	}
}

func TestDocumentKnowsEveryWordOfTheNouns(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	enum := func(schema, property string) []string { return d.Components.Schemas[schema].Properties[property].Enum }
	var phases, states, conditions []string
	for _, p := range blueberry.Phases() {
		phases = append(phases, string(p))
	}
	for _, s := range blueberry.JobStates() {
		states = append(states, string(s))
	}
	for _, c := range blueberry.NewConditions(now()) {
		conditions = append(conditions, string(c.Type))
	}
	words := func(list ...string) []string { return list }
	kinds := make([]string, 0, 3)
	for _, k := range blueberry.EnvironmentKinds() {
		kinds = append(kinds, string(k))
	}
	roles := words(string(blueberry.RoleOwner))
	for _, r := range blueberry.ProjectRoles() {
		roles = append(roles, string(r))
	}
	var statuses, results []string
	for _, s := range blueberry.UserStatuses() {
		statuses = append(statuses, string(s))
	}
	for _, r := range blueberry.AuditResults() {
		results = append(results, string(r))
	}
	var hosts, verdicts, severities, stages []string
	for _, s := range blueberry.Severities() {
		severities = append(severities, string(s))
	}
	for _, s := range blueberry.CIStatuses() {
		stages = append(stages, string(s))
	}
	for _, h := range blueberry.HostKinds() {
		hosts = append(hosts, string(h))
	}
	for _, v := range blueberry.DeliveryVerdicts() {
		verdicts = append(verdicts, string(v))
	}
	for name, tc := range map[string]struct{ want, got []string }{
		"severities of findings": {severities, enum("Finding", "severity")}, "stages": {stages, enum("CIStage", "status")}, "limits of scans": {blueberry.ScanLimits(), enum("PullGates", "scan_max")},
		"gates": {words(string(blueberry.GateOpen), string(blueberry.GateWaiting), string(blueberry.GateClosed)), enum("CIGate", "state")},
		"roles": {roles, enum("Role", "name")}, "roles of projects": {roles[1:], enum("Member", "role")}, "roles of service accounts": {roles[1:], enum("ServiceAccount", "role")},
		"statuses": {statuses, enum("User", "status")}, "statuses of members": {statuses, enum("Member", "status")}, "audit results": {results, enum("AuditEntry", "result")},
		"invitations": {
			words(string(blueberry.InvitationQueued), string(blueberry.InvitationSent), string(blueberry.InvitationFailed), string(blueberry.InvitationManual), string(blueberry.InvitationAccepted)),
			enum("Invitation", "state"),
		},
		"providers":    {words(string(blueberry.ProviderOIDC), string(blueberry.ProviderFirebase), string(blueberry.ProviderGitHub)), enum("IdentityProvider", "kind")},
		"OAuth tokens": {words(string(blueberry.OAuthCode), string(blueberry.OAuthAccess), string(blueberry.OAuthRefresh)), enum("OAuthToken", "kind")},
		"OAuth states": {
			words(string(blueberry.OAuthIssued), string(blueberry.OAuthActive), string(blueberry.OAuthExpired), string(blueberry.OAuthRevoked), string(blueberry.OAuthInvalid)),
			enum("OAuthToken", "state"),
		},
		"actors":     {words(string(blueberry.ActorUser), string(blueberry.ActorToken), string(blueberry.ActorClient), string(blueberry.ActorJob)), enum("Account", "kind")},
		"phases":     {phases, enum("Environment", "phase")},
		"use phases": {phases, enum("EnvironmentUse", "phase")},
		"job states": {states, enum("Job", "state")},
		"conditions": {conditions, enum("Condition", "type")},
		"kinds":      {kinds, enum("Environment", "kind")},
		"services":   {blueberry.ServiceKinds(), enum("ServiceSlot", "kind")},
		"plans": {
			words(string(blueberry.PlanCreate), string(blueberry.PlanChange), string(blueberry.PlanRollback), string(blueberry.PlanDestroy)), enum("Plan", "kind"),
		},
		"inputs": {
			words(blueberry.InputEnvironment, blueberry.InputBlueprint, blueberry.InputCommit, blueberry.InputBranch, blueberry.InputRun, blueberry.InputConfigSet, blueberry.InputImage, blueberry.InputPolicies,
				blueberry.InputQuota, blueberry.InputTarget, blueberry.InputRenderer), enum("PlanInput", "kind"),
		},
		"actions": {
			words(string(blueberry.ObjectCreated), string(blueberry.ObjectUpdated), string(blueberry.ObjectDeleted), string(blueberry.ObjectUnchanged)), enum("ObjectDiff", "action"),
		},
		"layers": {
			words(string(blueberry.LayerChart), string(blueberry.LayerBlueprint), string(blueberry.LayerConfigSet), string(blueberry.LayerBuild), string(blueberry.LayerEnvironment), string(blueberry.LayerComputed)),
			enum("Origin", "layer"),
		},
		"sleep reasons": {
			words(string(blueberry.ByHand), string(blueberry.BySchedule), string(blueberry.ByIdleness), string(blueberry.ByRequest), string(blueberry.ByDeploy), string(blueberry.ByShell)),
			enum("EnvironmentSleep", "why"),
		},
		"severities":      {words(string(blueberry.Fails), string(blueberry.Waits), string(blueberry.Warns)), enum("Cause", "severity")},
		"archives":        {words(string(blueberry.ArchivedEnded), string(blueberry.ArchivedFailed)), enum("Archive", "state")},
		"orphans":         {words(string(blueberry.OrphanObjects), string(blueberry.OrphanRecord), string(blueberry.OrphanFiles)), enum("Orphan", "kind")},
		"target states":   {words(string(blueberry.TargetActive), string(blueberry.TargetCordoned), string(blueberry.TargetDraining)), enum("Target", "state")},
		"drivers":         {blueberry.TargetDrivers(), enum("RegisterTargetRequest", "driver")},
		"hosts":           {hosts, enum("Repository", "host")},
		"hosts to add":    {hosts, enum("AddRepositoryRequest", "host")},
		"hosts that sent": {hosts, enum("Delivery", "host")},
		"verdicts":        {verdicts, enum("Delivery", "verdict")},
		"states of pulls": {words(string(blueberry.PullOpen), string(blueberry.PullClosed), string(blueberry.PullMerged)), enum("PullRequest", "state")},
		"relations": {
			words(string(blueberry.RelationOwner), string(blueberry.RelationMember), string(blueberry.RelationCollaborator), string(blueberry.RelationOutsider), string(blueberry.RelationUnknown)),
			enum("PullRequest", "relation"),
		},
		"outcomes": {
			words(string(blueberry.PullSkipped), string(blueberry.PullWaiting), string(blueberry.PullBlocked), string(blueberry.PullRefused), string(blueberry.PullBuilt), string(blueberry.PullEnded)),
			enum("PullRequest", "outcome"),
		},
		"command outcomes": {
			words(string(blueberry.CommandPending), string(blueberry.CommandDone), string(blueberry.CommandRefused), string(blueberry.CommandFailed)),
			enum("PullCommand", "outcome"),
		},
		"outcomes of branches": {
			words(string(blueberry.PullSkipped), string(blueberry.PullWaiting), string(blueberry.PullBlocked), string(blueberry.PullRefused), string(blueberry.PullBuilt), string(blueberry.PullEnded)),
			enum("Branch", "outcome"),
		},
		"modes of branches": {words(string(blueberry.BranchAutomatic), string(blueberry.BranchApproval)), enum("BranchRule", "mode")},
		"drift modes":       {words(string(blueberry.DriftRepair), string(blueberry.DriftReport)), enum("DriftPolicy", "mode")},
		"drift":             {words(string(blueberry.DriftRepair), string(blueberry.DriftReport)), enum("EnvironmentDrift", "mode")},
		"config updates":    {words(string(blueberry.ConfigPlan), string(blueberry.ConfigAutomatic)), enum("Blueprint", "config_updates")},
		"parameters": {
			words(string(blueberry.ParameterString), string(blueberry.ParameterInteger), string(blueberry.ParameterNumber), string(blueberry.ParameterBoolean)), enum("Parameter", "type"),
		},
	} {
		if diff := gocmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-noun +wire):\n%s", name, diff)
		}
	}
}

// TestEveryOperationHasAMethodOfTheClient calls the client and watches which operation it reaches.
func TestEveryOperationHasAMethodOfTheClient(t *testing.T) {
	t.Parallel()
	client := reflect.TypeFor[*sdk.Client]()
	spelt := map[string]string{"api": "API", "oauth": "OAuth", "totp": "TOTP", "id": "ID", "ci": "CI"}
	renamed := map[string]string{"read-environment-logs": "Logs", "exec-environment": "ExecTarget"} // they give what one reads by, or dials, not an answer
	var methods, operations []string
	for i := range client.NumMethod() {
		if name := client.Method(i).Name; !strings.HasPrefix(name, "All") && name != "ReportCISigned" && name != "RevokeOtherSessions" { // those walk a list by its method; one calls what is outside of /v1; one is revoke-user-sessions with a word more
			methods = append(methods, name)
		}
	}
	for _, item := range readDocument(t).Paths {
		for _, op := range item {
			var name strings.Builder
			for part := range strings.SplitSeq(op.OperationID, "-") {
				if short, ok := spelt[part]; ok {
					part = short
				}
				name.WriteString(strings.ToUpper(part[:1]) + part[1:])
			}
			operations = append(operations, cmp.Or(renamed[op.OperationID], name.String()))
		}
	}
	slices.Sort(methods)
	slices.Sort(operations)
	if diff := gocmp.Diff(operations, methods); diff != "" {
		t.Errorf("operations and client methods differ (-operation +method):\n%s", diff)
	}
}

func TestEveryMethodOfTheClientReachesItsOperation(t *testing.T) {
	t.Parallel()
	r := roomstest.Open(t)
	r.Push(shopRepository, map[string]string{"blueberry.yaml": shopBlueprint})
	house := httpapitest.New()
	house.AddJob(blueberry.Job{ID: 1, Kind: blueberry.JobEnvironmentReconcile, State: blueberry.JobDead})
	var mu sync.Mutex
	reached := map[string]bool{}
	d := r.Deps()
	d.Jobs = house.Deps().Jobs // a job that may be retried and cancelled
	d.Answered = func(route string, _ int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		reached[route] = true
	}
	srv := httptest.NewServer(apiOf(t, d))
	c := &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client(), Waits: []time.Duration{}}
	everyCall(t, c)
	everyLifeCall(t, c)
	everyRepositoryCall(t, r.API(t), c)
	everyCICall(t, r.API(t), c)
	everySubscriptionCall(t, r, c)
	everyRightsCall(t, r, srv.URL, c)
	srv.CloseClientConnections()
	srv.Close() // waits until every answer was told
	for path, item := range readDocument(t).Paths {
		for method, op := range item {
			if !reached[strings.ToUpper(method)+" "+path] {
				t.Errorf("no call of the client reached %s (%s %s)", op.OperationID, method, path)
			}
		}
	}
}

// everyCall calls each method of the client in the course of one story.
func everyCall(t *testing.T, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	shop := sdk.BlueprintRequest{Blueprint: &sdk.Blueprint{Name: "shop", Components: []sdk.Component{{Name: "web", Image: "nginx:1"}}}}
	set := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})).ConfigSet.ID
	kept := got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: shopBlueprint})).Blueprint.ID
	policy := got[sdk.Policy](t)(c.CreatePolicy(ctx, sdk.CreatePolicyRequest{Name: "images", Text: warnOnly})).ID
	first := got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, shopRequest("pr-1"))).ID
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, shopRequest("pr-1"))).ID
	change := sdk.ChangeEnvironmentRequest{Overrides: overrides("debug")}
	for _, call := range []struct {
		operation string
		do        func() error
	}{
		{"list-environments", func() error { return second(c.ListEnvironments(ctx, sdk.EnvironmentFilter{})) }},
		{"get-environment", func() error { return second(c.GetEnvironment(ctx, env)) }},
		{"extend-environment", func() error { return second(c.ExtendEnvironment(ctx, env, 1)) }},
		{"get-environment-rendering", func() error { return second(c.GetEnvironmentRendering(ctx, env, 1)) }},
		{"list-environment-objects", func() error { return second(c.ListEnvironmentObjects(ctx, env)) }},
		{"list-environment-events", func() error { return second(c.ListEnvironmentEvents(ctx, env, sdk.EventFilter{})) }},
		{"list-events", func() error { return second(c.ListEvents(ctx, sdk.EventFilter{Limit: 1})) }},
		{"watch-events", func() error {
			for _, err := range c.WatchEvents(ctx, env, 0) {
				return err
			}
			return nil
		}},
		{"plan-environment", func() error {
			return second(c.PlanEnvironment(ctx, env, sdk.PlanEnvironmentRequest{Change: &change}))
		}},
		{"get-plan", func() error { return second(c.GetPlan(ctx, first)) }},
		{"get-plan-rendering", func() error { return second(c.GetPlanRendering(ctx, first)) }},
		{"list-environment-plans", func() error { return second(c.ListEnvironmentPlans(ctx, env, sdk.PlanWindow{})) }},
		{"change-environment", func() error { return second(c.ChangeEnvironment(ctx, env, change)) }},
		{"rollback-environment", func() error {
			return second(c.RollbackEnvironment(ctx, env, sdk.RollbackEnvironmentRequest{Revision: 1}))
		}},
		{"refresh-environment", func() error { return second(c.RefreshEnvironment(ctx, env)) }},
		{"list-environment-revisions", func() error { return second(c.ListEnvironmentRevisions(ctx, env, sdk.Window{})) }},
		{"get-environment-revision", func() error { return second(c.GetEnvironmentRevision(ctx, env, 1)) }},
		{"diff-environment-revisions", func() error { return second(c.DiffEnvironmentRevisions(ctx, env, 1, 2)) }},
		{"get-environment-settings", func() error { return second(c.GetEnvironmentSettings(ctx, env, 0, "")) }},
		{"get-environment-drift", func() error { return second(c.GetEnvironmentDrift(ctx, env)) }},
		{"set-environment-drift-policy", func() error { return second(c.SetEnvironmentDriftPolicy(ctx, env, sdk.DriftPolicy{Mode: "report"})) }},
		{"list-environment-holds", func() error { return second(c.ListEnvironmentHolds(ctx, env)) }},
		{"release-environment-holds", func() error { // the story has put none
			var p *sdk.Problem
			if err := second(c.ReleaseEnvironmentHolds(ctx, env, sdk.ReleaseHoldsRequest{})); !errors.As(err, &p) || p.Code != "HOLD_NOT_FOUND" {
				return err
			}
			return nil
		}},
		{"check-config-set", func() error {
			return c.CheckConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})
		}},
		{"list-config-sets", func() error { return second(c.ListConfigSets(ctx, sdk.CatalogueFilter{})) }},
		{"get-config-set", func() error { return second(c.GetConfigSet(ctx, set)) }},
		{"edit-config-set", func() error {
			return second(c.EditConfigSet(ctx, set, sdk.EditConfigSetRequest{Content: "web: {}\n"}))
		}},
		{"restore-config-set", func() error { return second(c.RestoreConfigSet(ctx, set, sdk.RestoreConfigSetRequest{Version: 1})) }},
		{"list-config-set-versions", func() error { return second(c.ListConfigSetVersions(ctx, set, sdk.Window{})) }},
		{"get-config-set-version", func() error { return second(c.GetConfigSetVersion(ctx, set, 1)) }},
		{"diff-config-set-versions", func() error { return second(c.DiffConfigSetVersions(ctx, set, 1, 2)) }},
		{"list-config-set-users", func() error { return second(c.ListConfigSetUsers(ctx, set)) }},
		{"get-config-set-impact", func() error { return second(c.GetConfigSetImpact(ctx, set, sdk.ConfigImpactRequest{})) }},
		{"delete-config-set", func() error { return c.DeleteConfigSet(ctx, set) }},
		{"list-blueprints", func() error { return second(c.ListBlueprints(ctx, sdk.CatalogueFilter{})) }},
		{"get-blueprint", func() error { return second(c.GetBlueprint(ctx, kept)) }},
		{"list-blueprint-versions", func() error { return second(c.ListBlueprintVersions(ctx, kept, sdk.Window{})) }},
		{"get-blueprint-version", func() error { return second(c.GetBlueprintVersion(ctx, kept, 1)) }},
		{"list-blueprint-users", func() error { return second(c.ListBlueprintUsers(ctx, kept)) }},
		{"delete-blueprint", func() error { return c.DeleteBlueprint(ctx, kept) }},
		{"validate-blueprint", func() error { return second(c.ValidateBlueprint(ctx, shop)) }},
		{"render-blueprint", func() error { return second(c.RenderBlueprint(ctx, shop)) }},
		{"list-policies", func() error { return second(c.ListPolicies(ctx, "")) }},
		{"get-policy", func() error { return second(c.GetPolicy(ctx, policy)) }},
		{"check-policy", func() error { return c.CheckPolicy(ctx, sdk.CreatePolicyRequest{Name: "x", Text: warnOnly}) }},
		{"update-policy", func() error { return second(c.UpdatePolicy(ctx, policy, sdk.UpdatePolicyRequest{Text: warnOnly})) }},
		{"delete-policy", func() error { return c.DeletePolicy(ctx, policy) }},
		{"list-projects", func() error { return second(c.ListProjects(ctx)) }},
		{"get-project", func() error { return second(c.GetProject(ctx, "default")) }},
		{"set-project-quota", func() error { return second(c.SetProjectQuota(ctx, "default", sdk.Quota{})) }},
		{"list-jobs", func() error { return second(c.ListJobs(ctx, sdk.JobFilter{})) }},
		{"get-job", func() error { return second(c.GetJob(ctx, 1)) }},
		{"retry-job", func() error { return second(c.RetryJob(ctx, 1)) }},
		{"cancel-job", func() error { return second(c.CancelJob(ctx, 1)) }},
		{"list-targets", func() error { return second(c.ListTargets(ctx)) }},
		{"get-version", func() error { return second(c.GetVersion(ctx)) }},
	} {
		if err := call.do(); err != nil {
			t.Errorf("%s: %v", call.operation, err)
		}
	}
}
