package httpapi_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
)

func perHour(n int) cache.Limit { return cache.Limit{Rate: n, Per: time.Hour} }

// TestRateLimits sends calls in a row; each says whom it is from.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	type step struct {
		method, path, bearer, from string
		status                     int
	}
	get := func(bearer, from string, status int) step { return step{"GET", "/v1/version", bearer, from, status} }
	for name, tc := range map[string]struct {
		reason string
		limits httpapi.Limits
		steps  []step
	}{
		"by token": {
			"each token has its own",
			httpapi.Limits{Credential: perHour(2)},
			[]step{get(adaToken, "", 200), get(adaToken, "192.0.2.9:1", 200), get(adaToken, "", 429), get(adaOAuth, "", 200)},
		},
		"by user": {
			"tokens of one user add up",
			httpapi.Limits{Credential: perHour(2), User: perHour(3)},
			[]step{get(adaToken, "", 200), get(adaToken, "", 200), get(adaOAuth, "", 200), get(adaOAuth, "", 429), get(ciToken1, "", 200)},
		},
		"by client": {
			"a new access token is no new quota",
			httpapi.Limits{Credential: perHour(2)},
			[]step{get(ciToken1, "", 200), get(ciToken2, "", 200), get(ciToken1, "", 429), get(ciToken2, "", 429)},
		},
		"by address": {
			"who says nothing, and who guesses",
			httpapi.Limits{Address: perHour(2)},
			[]step{get("", "192.0.2.1:1", 401), get("blb_guess", "192.0.2.1:2", 401), get("blb_guess2", "192.0.2.1:3", 429), get(adaToken, "192.0.2.1:4", 200), get("", "192.0.2.2:1", 401)},
		},
		"by network": {
			"one subscriber has a /64",
			httpapi.Limits{Address: perHour(2)},
			[]step{get("", "[2001:db8::1]:1", 401), get("", "[2001:db8::ffff:2]:1", 401), get("", "[2001:db8:0:0:9::3]:1", 429), get("", "[2001:db8:0:1::1]:1", 401)},
		},
		"pages": {
			"count by address",
			httpapi.Limits{Address: perHour(1)},
			[]step{{"GET", "/page", "", "192.0.2.1:1", 200}, {"GET", "/nothing", "", "192.0.2.1:1", 429}, {"OPTIONS", "/v1/version", "", "192.0.2.1:1", 429}},
		},
		"sign-in": {
			"is stricter",
			httpapi.Limits{Address: perHour(100), SignIn: []httpapi.PathLimit{{Prefix: "/signin", Limit: perHour(1)}}},
			[]step{
				{"POST", "/signin", "", "192.0.2.1:1", 200},
				{"POST", "/signin", "", "192.0.2.1:1", 429},
				{"POST", "/page", "", "192.0.2.1:1", 200},
				{"GET", "/signin", "", "192.0.2.1:1", 405},
				{"POST", "/signin", "", "192.0.2.2:1", 200},
			},
		},
		"probes": {
			"are not limited",
			httpapi.Limits{Address: perHour(1)},
			[]step{{"GET", "/healthz", "", "192.0.2.1:1", 200}, {"GET", "/healthz", "", "192.0.2.1:1", 200}, {"GET", "/page", "", "192.0.2.1:1", 200}},
		},
		"off": {"0 is no limit", httpapi.Limits{}, []step{get(adaToken, "", 200), get("", "", 401), get("", "", 401)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, api := newGate(t, func(g *gate) { g.deps.Edge.Limits = tc.limits })
			for i, s := range tc.steps {
				headers := []string{"From", "192.0.2.1:1"}
				if s.from != "" {
					headers[1] = s.from
				}
				if s.bearer != "" {
					headers = append(headers, "Authorization", "Bearer "+s.bearer)
				}
				a := call(t, api, s.method, s.path, "", headers...)
				if a.StatusCode != s.status {
					t.Errorf("%s: step %d is %d %s, want %d", tc.reason, i, a.StatusCode, a.text, s.status)
				}
				if s.status == 429 {
					if p := a.problem(t); p.Code != "RATE_LIMITED" || a.Header.Get("Retry-After") == "" || a.Header.Get("Retry-After") == "0" {
						t.Errorf("%s: step %d: %s, Retry-After %q", tc.reason, i, p.Code, a.Header.Get("Retry-After"))
					}
				}
			}
		})
	}
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	_, api := newGate(t, func(g *gate) { g.deps.Edge.Limits = httpapi.LimitsPerMinute(1000, 3000, 300, 10) })
	a := call(t, api, "GET", "/v1/version", "", "Authorization", "Bearer "+adaToken)
	if diff := cmp.Diff([]string{`"credential";q=1000;w=60`, `"user";q=3000;w=60`}, a.Header.Values("RateLimit-Policy")); diff != "" {
		t.Errorf("RateLimit-Policy (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`"credential";r=999;t=1`, `"user";r=2999;t=1`}, a.Header.Values("RateLimit")); diff != "" {
		t.Errorf("RateLimit (-want +got):\n%s", diff)
	}
	g, narrow := newGate(t, func(g *gate) {
		g.deps.Edge.Limits = httpapi.Limits{Address: cache.Limit{Rate: 6, Per: time.Minute, Burst: 1}}
	})
	call(t, narrow, "GET", "/v1/version", "")
	a = call(t, narrow, "GET", "/v1/version", "")
	got := []string{fmt.Sprint(a.StatusCode), a.Header.Get("Retry-After"), a.Header.Get("RateLimit"), a.Header.Get("RateLimit-Policy"), a.Header.Get("X-RateLimit-Limit")}
	if diff := cmp.Diff([]string{"429", "10", `"address";r=0;t=10`, `"address";q=1;w=10`, ""}, got); diff != "" {
		t.Errorf("refusal (-want +got):\n%s", diff)
	}
	g.pass(10 * time.Second)
	if a = call(t, narrow, "GET", "/v1/version", ""); a.StatusCode != 401 {
		t.Errorf("after Retry-After: %d", a.StatusCode)
	}
}
