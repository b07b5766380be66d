package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

const createBody = `{"name":"pr-1","source":{"repository":"` + httpapitest.Repository + `"}}`

func create(t testing.TB, _ interface {
	Document() ([]byte, error)
}, a answer,
) sdk.Environment {
	t.Helper()
	if a.StatusCode != 202 {
		t.Fatalf("create: %d %s", a.StatusCode, a.text)
	}
	var e sdk.Environment
	if err := json.Unmarshal([]byte(a.text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCreateAnswersWithLocationAndETag(t *testing.T) {
	t.Parallel()
	api := httpapitest.New().API(t)
	a := ask(t, api, "POST", "/v1/environments", createBody)
	e := create(t, api, a)
	if got := a.Header.Get("Location"); got != "/v1/environments/"+e.ID {
		t.Errorf("Location is %q", got)
	}
	if got := a.Header.Get("ETag"); got != `"1"` {
		t.Errorf("ETag is %q", got)
	}
	if e.ExpiresAt.Sub(e.CreatedAt) != 24*time.Hour {
		t.Errorf("without ttl_hours the lease lasts %s", e.ExpiresAt.Sub(e.CreatedAt))
	}
	if strings.Contains(a.text, "$schema") || strings.Contains(a.text, "0001-01-01") {
		t.Errorf("answer holds a schema link or an empty time: %s", a.text)
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, method, path, header, value string
		status                              int
	}{
		"none":            {"no condition", "DELETE", "", "", "", 202},
		"match":           {"the version it has", "DELETE", "", "If-Match", `"1"`, 202},
		"star":            {"any version", "DELETE", "", "If-Match", `*`, 202},
		"list":            {"one of the list", "DELETE", "", "If-Match", `"9", "1"`, 202},
		"list moved":      {"none of the list", "DELETE", "", "If-Match", `"9", "8"`, 412},
		"moved":           {"another version", "DELETE", "", "If-Match", `"2"`, 412},
		"weak":            {"weak tags never match a write", "DELETE", "", "If-Match", `W/"1"`, 412},
		"zero":            {"0 is no version, and must not mean any", "DELETE", "", "If-Match", `"0"`, 412},
		"strange":         {"a tag that we never gave", "DELETE", "", "If-Match", `"abc"`, 412},
		"unquoted":        {"not a tag", "DELETE", "", "If-Match", `1`, 412},
		"extend moved":    {"extend looks too", "POST", "/extend", "If-Match", `"2"`, 412},
		"extend":          {"extend looks too", "POST", "/extend", "If-Match", `"1"`, 200},
		"fresh":           {"the client has it", "GET", "", "If-None-Match", `"1"`, 304},
		"fresh weak":      {"reads compare weakly", "GET", "", "If-None-Match", `W/"1"`, 304},
		"fresh in a list": {"one of the list", "GET", "", "If-None-Match", `"4", "1"`, 304},
		"stale":           {"the client has an older one", "GET", "", "If-None-Match", `"9"`, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := httpapitest.New().API(t)
			e := create(t, api, ask(t, api, "POST", "/v1/environments", createBody))
			body := ""
			if tc.method == "POST" {
				body = `{"hours":2}`
			}
			a := ask(t, api, tc.method, "/v1/environments/"+e.ID+tc.path, body, tc.header, tc.value)
			if a.StatusCode != tc.status {
				t.Errorf("%s: %s %s gives %d %s, want %d", tc.reason, tc.header, tc.value, a.StatusCode, a.text, tc.status)
			}
			if a.StatusCode == 304 && (a.text != "" || a.Header.Get("ETag") != `"1"`) {
				t.Errorf("%s: 304 has body %q and ETag %q", tc.reason, a.text, a.Header.Get("ETag"))
			}
		})
	}
}

func TestListPagesFilterAndSort(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	_, client := house.Serve(t)
	for i := range 5 {
		if _, err := client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: fmt.Sprintf("pr-%d", i), Source: &sdk.Source{Repository: httpapitest.Repository}}); err != nil {
			t.Fatal(err)
		}
	}
	names := func(f sdk.EnvironmentFilter) []string {
		var out []string
		for e, err := range client.AllEnvironments(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, e.Name)
		}
		return out
	}
	for name, tc := range map[string]struct {
		filter sdk.EnvironmentFilter
		want   []string
	}{
		"newest first over pages": {sdk.EnvironmentFilter{Limit: 2}, []string{"pr-4", "pr-3", "pr-2", "pr-1", "pr-0"}},
		"by name":                 {sdk.EnvironmentFilter{Sort: "name", Limit: 3}, []string{"pr-0", "pr-1", "pr-2", "pr-3", "pr-4"}},
		"name":                    {sdk.EnvironmentFilter{Name: "pr-3"}, []string{"pr-3"}},
		"search":                  {sdk.EnvironmentFilter{Search: "-2"}, []string{"pr-2"}},
		"phases":                  {sdk.EnvironmentFilter{Phases: []sdk.Phase{sdk.Ready, sdk.Failed}}, nil},
		"owner":                   {sdk.EnvironmentFilter{Owner: "nobody"}, nil},
	} {
		if diff := cmp.Diff(tc.want, names(tc.filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestJobListPages(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	for i := range 5 {
		house.AddJob(blueberry.Job{ID: int64(i + 1), Kind: blueberry.JobEnvironmentReconcile, State: blueberry.JobDead})
	}
	_, client := house.Serve(t)
	var ids []int64
	for j, err := range client.AllJobs(t.Context(), sdk.JobFilter{Limit: 2, States: []string{"dead", "running"}}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	if diff := cmp.Diff([]int64{5, 4, 3, 2, 1}, ids); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	page, err := client.ListJobs(t.Context(), sdk.JobFilter{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ListJobs(t.Context(), sdk.JobFilter{Limit: 2, Kind: "other", Cursor: page.NextCursor}); err == nil {
		t.Error("a cursor was taken with another filter than it was given for")
	}
}

// seen keeps the last request that Create or Preview got.
type seen struct {
	*httpapitest.House
	created   provision.CreateRequest
	previewed provision.PreviewRequest
}

func (s *seen) Create(ctx context.Context, actor blueberry.Actor, r provision.CreateRequest) (blueberry.Environment, error) {
	s.created = r
	return s.House.Create(ctx, actor, r)
}

func (s *seen) Preview(ctx context.Context, actor blueberry.Actor, r provision.PreviewRequest) (provision.Preview, error) {
	s.previewed = r
	return s.House.Preview(ctx, actor, r)
}

func TestRequestsReachTheOperationWhole(t *testing.T) {
	t.Parallel()
	s := &seen{House: httpapitest.New()}
	d := s.Deps()
	d.Environments, d.Blueprints = s, s
	api := apiOf(t, d)
	blueprint := `{"name":"shop","components":[{"name":"web","image":"nginx:1","port":8080,"health":"/h","wave":2,"values":{"port":8080,"big":12345678901234567,"ratio":0.5,"on":true,"list":[1,{"a":null}]}}]}`
	ask(t, api, "POST", "/v1/environments", `{"project":"p","name":"n","target":"t","ttl_hours":2,"source":{"repository":"r","ref":"f","path":"x"},"blueprint":`+blueprint+`}`)
	want := &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{
		Name: "web", Image: "nginx:1", Port: 8080, Health: "/h", Wave: 2,
		Values: map[string]any{"port": int64(8080), "big": int64(12345678901234567), "ratio": 0.5, "on": true, "list": []any{int64(1), map[string]any{"a": nil}}},
	}}}
	text := func(s string) *string { return &s }
	wish := provision.Wish{Repository: text("r"), Ref: text("f"), Path: text("x"), Blueprint: want}
	created := provision.CreateRequest{Project: "p", Name: "n", Target: "t", Hours: 2, Wish: wish}
	if diff := cmp.Diff(created, s.created); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	ask(t, api, "POST", "/v1/blueprints/render", `{"project":"p","name":"n","source":{"repository":"r","ref":"f","path":"x"},"blueprint":`+blueprint+`,"files":{"a/b.yaml":"aGk="}}`)
	preview := provision.PreviewRequest{Project: "p", Name: "n", Wish: wish, Files: map[string][]byte{"a/b.yaml": []byte("hi")}}
	if diff := cmp.Diff(preview, s.previewed); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
}

func TestRenderingIsByteForByte(t *testing.T) {
	t.Parallel()
	_, client := httpapitest.New().Serve(t)
	e, err := client.CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{Name: "pr-1", Source: &sdk.Source{Repository: httpapitest.Repository}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.GetEnvironmentRendering(t.Context(), e.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Files[0].Content; got != "apiVersion: v1\nkind: Service\nmetadata:\n  name: web # <&>\n" {
		t.Errorf("content is %q", got)
	}
}

// TestAPageOf50StaysSmall holds the goal of design.md section 8: a page of 50 within 100 kB.
func TestAPageOf50StaysSmall(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	api := house.API(t)
	for i := range 50 {
		name := fmt.Sprintf("pull-request-%04d", i)
		ask(t, api, "POST", "/v1/environments", `{"name":"`+name+`","source":{"repository":"`+httpapitest.Repository+`"}}`)
		house.Move(t, name, blueberry.Provisioning, blueberry.EnvironmentProvisioning, "WaitingForPods", "3 of 4 pods are ready; backend: ImagePullBackOff")
		house.Move(t, name, blueberry.Ready, blueberry.EnvironmentReady, "Ready", "4 of 4 pods are ready and every service has an endpoint")
	}
	a := ask(t, api, "GET", "/v1/environments?limit=50", "")
	t.Logf("a page of 50 environments has %d bytes", len(a.text))
	if len(a.text) > 100_000 {
		t.Errorf("a page of 50 environments has %d bytes, over 100 kB", len(a.text))
	}
}
