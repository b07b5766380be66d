package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

// TestInside: what a page asks for a person is answered as from outside, with the person's rights; what is refused is noted once; what has no end, and what is asked
// before one has signed in, is not served.
func TestInside(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	api, err := httpapi.New(house.Deps())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(a blueberry.Actor, method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		api.Inside(a).ServeHTTP(w, r)
		return w
	}
	all := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada", Grants: []blueberry.Grant{blueberry.GrantAll}}
	none := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "eve"}
	for _, x := range []struct {
		name         string
		who          blueberry.Actor
		method, path string
		body         string
		want         int
		says         string
	}{
		{"a read", all, http.MethodGet, "/v1/environments", "", http.StatusOK, `"items"`},
		{"a read by who may not", none, http.MethodGet, "/v1/environments", "", http.StatusForbidden, "lacks the grant"},
		{"faults", all, http.MethodPost, "/v1/environments", `{"name":"Not A Name","ttl_hours":0}`, http.StatusUnprocessableEntity, `"field":"ttl_hours"`},
		{"a word that is unknown", all, http.MethodGet, "/v1/environments?secret=1", "", http.StatusUnprocessableEntity, "secret"},
		{"a stream", all, http.MethodGet, "/v1/events/stream", "", http.StatusNotFound, "not for pages"},
		{"a shell", all, http.MethodGet, "/v1/environments/env_1/exec", "", http.StatusNotFound, "not for pages"},
		{"signing in", all, http.MethodPost, "/v1/sessions", `{}`, http.StatusNotFound, "not for pages"},
		{"a page", all, http.MethodGet, "/docs", "", http.StatusNotFound, "not for pages"},
		{"nothing", all, http.MethodGet, "/v1/nothing", "", http.StatusNotFound, "ROUTE_NOT_FOUND"},
	} {
		if w := ask(x.who, x.method, x.path, x.body); w.Code != x.want || !strings.Contains(w.Body.String(), x.says) {
			t.Errorf("%s: %d %s", x.name, w.Code, w.Body)
		}
	}
	denied := 0
	for _, n := range house.Notes() {
		if n.Result == blueberry.AuditDenied {
			denied++
		}
	}
	if denied != 1 {
		t.Errorf("%d denials are noted, want 1: %v", denied, house.Notes())
	}
}
