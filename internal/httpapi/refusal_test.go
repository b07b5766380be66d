package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

func TestEveryRefusalIsAProblemThatNamesEveryFault(t *testing.T) {
	t.Parallel()
	const good = `{"name":"pr-1","source":{"repository":"` + httpapitest.Repository + `"}}`
	for name, tc := range map[string]struct {
		reason  string
		method  string
		path    string
		body    string
		headers []string
		status  int
		code    string
		fields  []string // "field code"
	}{
		"all faults": {
			"what the shape allows is judged by the operation, in one answer", "POST", "/v1/environments",
			`{"name":"Pr_1","ttl_hours":0,"source":{"repository":"https://nope.test/x.git"}}`, nil, 422, "VALIDATION_FAILED",
			[]string{"ttl_hours range", "name pattern", "source.repository repository_not_found"},
		},
		"ttl 169": {"longest lease", "POST", "/v1/environments", `{"name":"pr-1","ttl_hours":169,"source":{"repository":"` + httpapitest.Repository + `"}}`, nil, 422, "VALIDATION_FAILED", []string{"ttl_hours range"}},
		"unknown fields": {
			"unknown fields and the rest that the document says, together", "POST", "/v1/environments",
			`{"name":"Pr_1","color":"red","ttl_hours":169,"source":{"repo":"x"},"blueprint":{"name":"a","components":[{"name":"b","img":"c"},{"name":5}]}}`, nil, 422, "VALIDATION_FAILED",
			[]string{"blueprint.components[0].img unknown_field", "blueprint.components[1].name type", "color unknown_field", "name pattern", "source.repo unknown_field", "ttl_hours range"},
		},
		"component fault": {
			"paths lead into lists", "POST", "/v1/environments", `{"name":"pr-1","blueprint":{"name":"a","components":[{"name":"b","image":"nginx:1"},{"name":"c","image":"nginx"}]}}`, nil, 422, "VALIDATION_FAILED",
			[]string{"blueprint.components[1].image image_unpinned"},
		},
		"missing name":    {"required", "POST", "/v1/environments", `{}`, nil, 422, "VALIDATION_FAILED", []string{"name required", "source.repository required"}},
		"not an object":   {"the body itself", "POST", "/v1/environments", `[]`, nil, 422, "VALIDATION_FAILED", []string{" type"}},
		"null":            {"the body itself", "POST", "/v1/environments", `null`, nil, 422, "VALIDATION_FAILED", []string{" type"}},
		"half a body":     {"JSON that ends too soon", "POST", "/v1/environments", "{\n  \"name\": ", nil, 400, "MALFORMED_JSON", nil},
		"no body":         {"a POST that needs one", "POST", "/v1/environments", "", nil, 400, "MALFORMED", nil},
		"form":            {"only JSON", "POST", "/v1/environments", "name=pr-1", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE", nil},
		"too large":       {"8 MiB", "POST", "/v1/environments", `{"name":"` + strings.Repeat("a", 8<<20) + `"}`, nil, 413, "BODY_TOO_LARGE", nil},
		"number overflow": {"fits no integer", "POST", "/v1/environments", `{"name":"pr-1","ttl_hours":1e300}`, nil, 422, "VALIDATION_FAILED", []string{"ttl_hours range"}},
		"parameters": {
			"parameters of every sort at once", "GET", "/v1/environments?limit=x&phase=ready&phase=odd&colour=red&sort=size", "", nil, 422, "VALIDATION_FAILED",
			[]string{"colour unknown_parameter", "limit type", "phase[1] enum", "sort enum"},
		},
		"limit":          {"pages end at 500", "GET", "/v1/environments?limit=501", "", nil, 422, "VALIDATION_FAILED", []string{"limit range"}},
		"cursor":         {"made by hand", "GET", "/v1/environments?cursor=x", "", nil, 422, "VALIDATION_FAILED", []string{"cursor cursor"}},
		"job cursor":     {"made by hand", "GET", "/v1/jobs?cursor=eyJiIjotMX0", "", nil, 422, "VALIDATION_FAILED", []string{"cursor cursor"}},
		"job id":         {"not a number", "GET", "/v1/jobs/x", "", nil, 422, "VALIDATION_FAILED", []string{"id type"}},
		"no job":         {"unknown", "GET", "/v1/jobs/9", "", nil, 404, "JOB_NOT_FOUND", nil},
		"no environment": {"unknown", "GET", "/v1/environments/env_x", "", nil, 404, "ENVIRONMENT_NOT_FOUND", nil},
		"no route":       {"below /v1", "GET", "/v1/stacks", "", nil, 404, "ROUTE_NOT_FOUND", nil},
		"no page":        {"outside of /v1", "GET", "/favicon.ico", "", nil, 404, "ROUTE_NOT_FOUND", nil},
		"method":         {"a route without it", "PUT", "/v1/environments", good, nil, 405, "METHOD_NOT_ALLOWED", nil},
		"no token":       {"nobody", "GET", "/v1/environments", "", []string{"Authorization", ""}, 401, "TOKEN_MISSING", nil},
		"wrong token":    {"nobody known", "GET", "/v1/environments", "", []string{"Authorization", "Bearer x"}, 401, "TOKEN_INVALID", nil},
		"basic":          {"another scheme", "GET", "/v1/environments", "", []string{"Authorization", "Basic YTpi"}, 401, "TOKEN_MISSING", nil},
		"poor token":     {"known, without the grant", "GET", "/v1/environments", "", []string{"Authorization", "Bearer " + httpapitest.Poor}, 403, "GRANT_MISSING", nil},
		"odd key":        {"a key with a space", "POST", "/v1/environments", good, []string{"Idempotency-Key", "a b"}, 422, "VALIDATION_FAILED", []string{"Idempotency-Key pattern"}},
		"stream of none": {"an environment that is not there", "GET", "/v1/events/stream?environment=env_x", "", nil, 404, "ENVIRONMENT_NOT_FOUND", nil},
		"stream header":  {"not a seq", "GET", "/v1/events/stream", "", []string{"Last-Event-ID", "-5"}, 422, "VALIDATION_FAILED", []string{"Last-Event-ID pattern"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := ask(t, httpapitest.New().API(t), tc.method, tc.path, tc.body, tc.headers...)
			p := a.problem(t)
			var fields []string
			for _, f := range p.Errors {
				fields = append(fields, f.Field+" "+f.Code)
				if f.Message == "" {
					t.Errorf("%s: fault of %q says nothing", tc.reason, f.Field)
				}
			}
			if p.Status != tc.status || p.Code != tc.code {
				t.Errorf("%s: got %d %s (%s), want %d %s", tc.reason, p.Status, p.Code, p.Detail, tc.status, tc.code)
			}
			if diff := cmp.Diff(tc.fields, fields); diff != "" {
				t.Errorf("%s: faults (-want +got):\n%s", tc.reason, diff)
			}
			if p.RequestID == "" || p.RequestID != a.Header.Get("X-Request-Id") || p.Title == "" || p.Type == "" || p.Instance == "" {
				t.Errorf("%s: problem lacks request id, title, type or instance: %+v", tc.reason, p)
			}
			if (tc.status == 401) != (a.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("%s: WWW-Authenticate is %q", tc.reason, a.Header.Get("WWW-Authenticate"))
			}
			if (tc.status == 405) != (a.Header.Get("Allow") != "") {
				t.Errorf("%s: Allow is %q", tc.reason, a.Header.Get("Allow"))
			}
		})
	}
}

func TestMalformedJSONSaysWhere(t *testing.T) {
	t.Parallel()
	p := ask(t, httpapitest.New().API(t), "POST", "/v1/environments", "{\n  \"name\": pr-1\n}").problem(t)
	if !strings.Contains(p.Detail, "line 2, column 11") {
		t.Errorf("detail is %q, want line 2, column 11", p.Detail)
	}
}

func TestUnknownErrorIsWithheldAndLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err    error
		status int
	}{
		"internal": {errors.New("password is hunter2"), 500},
		"deadline": {fmt.Errorf("read: %w", context.DeadlineExceeded), 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log logBuffer
			house := httpapitest.New()
			house.Fail = tc.err
			house.Logger = slog.New(slog.NewTextHandler(&log, nil))
			a := ask(t, house.API(t), "GET", "/v1/environments", "", "X-Request-Id", "my-id.1")
			p := a.problem(t)
			if p.Status != tc.status || strings.Contains(a.text, "hunter2") {
				t.Errorf("answer is %d %s", p.Status, a.text)
			}
			if n := strings.Count(log.String(), tc.err.Error()); n != 1 {
				t.Errorf("the log tells the error %d times, want once:\n%s", n, log.String())
			}
			if !strings.Contains(log.String(), "request_id=my-id.1") {
				t.Errorf("the log lacks the request id:\n%s", log.String())
			}
		})
	}
}

func TestKindsOfErrorsBecomeTheirStatus(t *testing.T) {
	t.Parallel()
	for kind, status := range map[blueberry.Kind]int{
		blueberry.Malformed: 400, blueberry.Unauthenticated: 401, blueberry.Forbidden: 403, blueberry.NotFound: 404, blueberry.Conflict: 409,
		blueberry.PreconditionFailed: 412, blueberry.TooLarge: 413, blueberry.Invalid: 422, blueberry.TooMany: 429, blueberry.Unavailable: 503,
	} {
		for name, err := range map[string]error{
			"error":   fmt.Errorf("doing: %w", blueberry.Errorf(kind, "SOME_CODE", "told")),
			"no code": blueberry.Errorf(kind, "", "told"),
			"kind":    fmt.Errorf("doing: %w", kind),
		} {
			house := httpapitest.New()
			house.Fail = err
			p := ask(t, house.API(t), "GET", "/v1/environments", "").problem(t)
			if p.Status != status || p.Code == "" {
				t.Errorf("%s of kind %s gives %d with code %q, want %d", name, kind, p.Status, p.Code, status)
			}
		}
	}
}

func TestPanicIsAProblemAndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	var log logBuffer
	house := httpapitest.New()
	house.Logger = slog.New(slog.NewTextHandler(&log, nil))
	d := house.Deps()
	d.Routes = map[string]http.Handler{
		"GET /boom": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret text") }),
		"GET /half": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half an"))
			panic("late")
		}),
	}
	srv := httptest.NewServer(apiOf(t, d))
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL + "/boom")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 500 || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a panic is answered %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	if half, err := srv.Client().Get(srv.URL + "/half"); err == nil {
		defer half.Body.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(half.Body); err == nil {
			t.Errorf("half an answer looked whole: %q", b.String())
		}
	}
	srv.Close() // waits for the handlers
	if !strings.Contains(log.String(), "secret text") || !strings.Contains(log.String(), "refusal_test.go") {
		t.Errorf("the log lacks the panic or its stack:\n%s", log.String())
	}
}

func TestRequestIDIsTakenOverOnlyIfSane(t *testing.T) {
	t.Parallel()
	api := httpapitest.New().API(t)
	for name, tc := range map[string]struct {
		given string
		kept  bool
	}{
		"own":      {"abc-123_X.y", true},
		"none":     {"", false},
		"newline":  {"a\nb", false},
		"html":     {"<b>", false},
		"too long": {strings.Repeat("a", 65), false},
	} {
		a := ask(t, api, "GET", "/v1/version", "", "X-Request-Id", tc.given)
		if got := a.Header.Get("X-Request-Id"); (got == tc.given) != tc.kept || got == "" {
			t.Errorf("%s: %q became %q", name, tc.given, got)
		}
	}
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	t.Parallel()
	api := httpapitest.New().API(t)
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/v1/version", "/v1/nothing"} {
		a := ask(t, api, "GET", path, "")
		for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "X-Request-Id"} {
			if a.Header.Get(name) == "" {
				t.Errorf("%s lacks %s", path, name)
			}
		}
	}
}

func TestDocumentNeedsNoToken(t *testing.T) {
	t.Parallel()
	api := httpapitest.New().API(t)
	for path, contentType := range map[string]string{
		"/openapi.json": "application/openapi+json", "/openapi.yaml": "application/openapi+yaml",
	} {
		a := ask(t, api, "GET", path, "", "Authorization", "")
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != contentType || a.text == "" {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.Header.Get("Content-Type"))
		}
	}
}
