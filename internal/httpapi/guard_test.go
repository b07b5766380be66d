package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

// A protocol of its own has the limits, the headers and the audit that every route has.
func TestGuardedProtocol(t *testing.T) {
	t.Parallel()
	house := httpapitest.New()
	deps := house.Deps()
	deps.Edge.Limiter, deps.Edge.Limits = cache.NewMemory(), httpapi.Limits{Address: cache.Limit{Rate: 3, Per: time.Hour}}
	api, err := httpapi.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	git := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, token, _ := r.BasicAuth(); token != httpapitest.Token {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	srv := httptest.NewServer(api.Guard("/git", func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/read") }, git))
	t.Cleanup(srv.Close)
	call := func(path, token string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("git", token)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := call("/git/read", httpapitest.Token); res.StatusCode != http.StatusOK || res.Header.Get("X-Request-Id") == "" {
		t.Errorf("a read: %d, %v", res.StatusCode, res.Header)
	}
	if len(house.Notes()) != 0 {
		t.Errorf("a read is noted: %+v", house.Notes())
	}
	call("/git/write", httpapitest.Token)
	if notes := house.Notes(); len(notes) != 1 || notes[0].Result != blueberry.AuditSucceeded || notes[0].Actor.ID != "tok_admin" {
		t.Errorf("a write is noted as %+v", notes)
	}
	last := 0
	for range 5 {
		last = call("/git/read", "blb_guess").StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the fifth guess is answered %d", last)
	}
	if notes := house.Notes(); len(notes) < 2 || notes[1].Result != blueberry.AuditDenied {
		t.Errorf("guesses are noted as %+v", notes)
	}
	if res := call("/git/read", httpapitest.Token); res.StatusCode != http.StatusOK {
		t.Errorf("who has a token is kept out by those who guess: %d", res.StatusCode)
	}
}
