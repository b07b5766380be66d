package httpapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
)

// FuzzRequests sends what nobody would send by hand. Whatever comes, the answer is no failure of ours, and never HTML or plain text.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/v1/environments", "", createBody, "k", `"1"`)
	f.Add("GET", "/v1/jobs", "cursor=eyJiIjoxfQ&state=dead", "", "", "")
	f.Add("GET", "/v1/environments", "limit=1&phase=ready&sort=-name&cursor=after-1", "", "", "")
	f.Add("DELETE", "/v1/environments/env_x", "", "", "", `W/"1", "2"`)
	f.Add("POST", "/v1/blueprints/render", "", `{"files":{"a":"aGk="},"source":{"path":"a"}}`, "", "")
	f.Add("GET", "/v1/environments/%2e%2e/events", "after=-1", "", "", "")
	f.Add("POST", "/v1/environments/plan", "strict=true", `{"name":"pr-1","blueprint":{"name":"shop","components":[{"name":"web","image":"a:1"}]},"overrides":{"web":{"a":[1,null]}},"parameters":{"x":null}}`, "", "")
	f.Add("PATCH", "/v1/environments/env_x", "", `{"config_sets":["global/a@2"],"source":{"ref":null},"plan_id":"pln_x"}`, "k", "")
	f.Add("POST", "/v1/environments/env_x/plan", "", `{"change":{},"rollback":{"revision":1},"destroy":true}`, "", "")
	f.Add("GET", "/v1/environments/env_x/settings", `path=a["b"].c&revision=1`, "", "", "")
	f.Add("POST", "/v1/config-sets", "", `{"name":"a","content":"a: &x [*x]\n","source":{"repository":"r"}}`, "", "")
	f.Add("GET", "/v1/blueprints", "scope=global&cursor=e30", "", "", "")
	f.Add("POST", "/v1/blueprints", "", `{"content":"name: shop\n"}`, "", `"1", "2"`)
	f.Add("PUT", "/v1/projects/default/quota", "", `{"cpu":"1e9","memory":"9E","kinds":{"preview":{"pods":-1}}}`, "", "")
	f.Add("POST", "/v1/policies/check", "", `{"name":"a","text":"permit(principal,action,resource);"}`, "", "")
	api := roomstest.Open(f).API(f)
	f.Fuzz(func(t *testing.T, method, path, query, body, key, match string) {
		if method == "" || strings.ContainsAny(method, " \r\n\t:/()<>@,;\\\"[]?={}\x00") || strings.Contains(path, "stream") {
			t.Skip()
		}
		req := httptest.NewRequest("POST", "/v1/x", strings.NewReader(body))
		req.Method, req.URL.Path, req.URL.RawQuery = method, path, query
		req.Header.Set("Authorization", "Bearer "+httpapitest.Token)
		req.Header.Set("Idempotency-Key", key)
		req.Header.Set("If-Match", match)
		req.Header.Set("If-None-Match", match)
		rec := httptest.NewRecorder()
		api.ServeHTTP(rec, req)
		if rec.Code >= 500 {
			t.Errorf("%s %s?%s %q: %d %s", method, path, query, body, rec.Code, rec.Body)
		}
		if rec.Code >= 400 && rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s?%s: %d is no problem document: %s", method, path, query, rec.Code, rec.Body)
		}
	})
}
