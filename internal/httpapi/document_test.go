package httpapi_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
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
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
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
	for name, tc := range map[string]struct{ want, got []string }{
		"phases":     {phases, enum("Environment", "phase")},
		"job states": {states, enum("Job", "state")},
		"conditions": {conditions, enum("Condition", "type")},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-noun +wire):\n%s", name, diff)
		}
	}
}

// TestEveryOperationHasAMethodOfTheClient calls the client and watches which operation it reaches.
func TestEveryOperationHasAMethodOfTheClient(t *testing.T) {
	t.Parallel()
	client := reflect.TypeFor[*sdk.Client]()
	pagers := []string{"AllEnvironments", "AllJobs"} // walk a list by its method
	var methods, operations []string
	for i := range client.NumMethod() {
		if name := client.Method(i).Name; !slices.Contains(pagers, name) {
			methods = append(methods, name)
		}
	}
	for _, item := range readDocument(t).Paths {
		for _, op := range item {
			var name strings.Builder
			for part := range strings.SplitSeq(op.OperationID, "-") {
				name.WriteString(strings.ToUpper(part[:1]) + part[1:])
			}
			operations = append(operations, name.String())
		}
	}
	slices.Sort(methods)
	slices.Sort(operations)
	if diff := cmp.Diff(operations, methods); diff != "" {
		t.Errorf("operations and client methods differ (-operation +method):\n%s", diff)
	}
}

func TestEveryMethodOfTheClientReachesItsOperation(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	house.AddJob(blueberry.Job{ID: 1, Kind: blueberry.JobEnvironmentReconcile, State: blueberry.JobDead})
	var mu sync.Mutex
	var seen []string
	api := house.API(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.URL.Path)
		mu.Unlock()
		api.ServeHTTP(w, r)
	}))
	defer srv.Close()
	c := &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client()}
	ctx := t.Context()
	env, err := c.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "pr-1", Source: &sdk.Source{Repository: httpapitest.Repository}})
	if err != nil {
		t.Fatal(err)
	}
	shop := sdk.BlueprintRequest{Blueprint: &sdk.Blueprint{Name: "shop", Components: []sdk.Component{{Name: "web", Image: "nginx:1"}}}}
	second := func(_ any, err error) error { return err }
	for _, call := range []struct {
		operation string
		do        func() error
	}{
		{"list-environments", func() error { return second(c.ListEnvironments(ctx, sdk.EnvironmentFilter{})) }},
		{"get-environment", func() error { return second(c.GetEnvironment(ctx, env.ID)) }},
		{"extend-environment", func() error { return second(c.ExtendEnvironment(ctx, env.ID, 1)) }},
		{"get-environment-rendering", func() error { return second(c.GetEnvironmentRendering(ctx, env.ID, 1)) }},
		{"list-environment-objects", func() error { return second(c.ListEnvironmentObjects(ctx, env.ID)) }},
		{"list-environment-events", func() error { return second(c.ListEnvironmentEvents(ctx, env.ID, sdk.EventFilter{})) }},
		{"list-events", func() error { return second(c.ListEvents(ctx, sdk.EventFilter{Limit: 1})) }},
		{"watch-events", func() error {
			for _, err := range c.WatchEvents(ctx, env.ID, 0) {
				return err
			}
			return nil
		}},
		{"list-jobs", func() error { return second(c.ListJobs(ctx, sdk.JobFilter{})) }},
		{"get-job", func() error { return second(c.GetJob(ctx, 1)) }},
		{"retry-job", func() error { return second(c.RetryJob(ctx, 1)) }},
		{"cancel-job", func() error { return second(c.CancelJob(ctx, 1)) }},
		{"validate-blueprint", func() error { return second(c.ValidateBlueprint(ctx, shop)) }},
		{"render-blueprint", func() error { return second(c.RenderBlueprint(ctx, shop)) }},
		{"list-targets", func() error { return second(c.ListTargets(ctx)) }},
		{"get-version", func() error { return second(c.GetVersion(ctx)) }},
		{"destroy-environment", func() error { return second(c.DestroyEnvironment(ctx, env.ID)) }},
	} {
		if err := call.do(); err != nil {
			t.Errorf("%s: %v", call.operation, err)
		}
	}
	braces := regexp.MustCompile(`\{[^}]+\}`)
	for path, item := range readDocument(t).Paths {
		pattern := regexp.MustCompile("^" + braces.ReplaceAllString(path, "[^/]+") + "$")
		for method, op := range item {
			if !slices.ContainsFunc(seen, func(s string) bool {
				m, p, _ := strings.Cut(s, " ")
				return strings.EqualFold(m, method) && pattern.MatchString(p)
			}) {
				t.Errorf("no call of the client reached %s (%s %s)", op.OperationID, method, path)
			}
		}
	}
}
