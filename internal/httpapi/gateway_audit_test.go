package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
)

// noted is an entry as the tests compare it.
type noted struct{ Actor, Action, Resource, Project, Detail, Result, Route string }

func notesOf(g *gate) []noted {
	var out []noted
	for _, e := range g.house.Notes() {
		out = append(out, noted{e.Actor.ID, e.Action, e.Resource, e.Project, e.Detail, string(e.Result), e.Caller.Route})
	}
	return out
}

func TestRefusalsAreNoted(t *testing.T) {
	t.Parallel()
	poor := []string{"Authorization", "Bearer " + httpapitest.Poor}
	ada := []string{"Authorization", "Bearer " + adaToken}
	for name, tc := range map[string]struct {
		reason             string
		fail               error
		method, path, body string
		headers            []string
		want               []noted
	}{
		"read": {"nothing was done", nil, "GET", "/v1/version", "", ada, nil},
		"denied read": {
			"a denial", nil, "GET", "/v1/environments", "", poor,
			[]noted{{"tok_poor", "environments:read", "", "", "poor lacks the grant environments:read", "denied", "GET /v1/environments"}},
		},
		"denied in a project": {
			"it is the project's too", blueberry.Actor{Name: "ada", Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantConfigRead}}}.CanIn("shop", blueberry.GrantEnvironmentsRead),
			"GET", "/v1/environments/env_1", "", ada,
			[]noted{{"tok_blb", "environments:read", "env_1", "shop", "ada lacks the grant environments:read in project shop", "denied", "GET /v1/environments/{id}"}},
		},
		"hidden": {
			"told as missing, noted as denied",
			blueberry.Actor{}.CanOn("shop", blueberry.GrantEnvironmentsRead, blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "there is no environment env_1")),
			"GET", "/v1/environments/env_1", "", ada,
			[]noted{{"tok_blb", "environments:read", "env_1", "shop", "lacks the grant environments:read: there is no environment env_1", "denied", "GET /v1/environments/{id}"}},
		},
		"missing": {"a read of nothing is no denial", nil, "GET", "/v1/environments/env_1", "", ada, nil},
		"faults": {
			"fields, never what stood in them", nil, "POST", "/v1/environments", `{"name":"Hunter2!","ttl_hours":0,"source":{"repository":"https://hunter2.test"}}`, ada,
			[]noted{{"tok_blb", "environments:create", "", "", "3 fields are not valid: ttl_hours range, name pattern, source.repository repository_not_found", "failed", "POST /v1/environments"}},
		},
		"conflict": {
			"refused for another reason", blueberry.Errorf(blueberry.Conflict, "BUSY", "it is busy"), "DELETE", "/v1/environments/env_1", "", ada,
			[]noted{{"tok_blb", "environments:delete", "env_1", "", "it is busy", "failed", "DELETE /v1/environments/{id}"}},
		},
		"broken": {
			"the text of what broke is withheld", errors.New("password is hunter2"), "POST", "/v1/environments/env_1/extend", `{"hours":1}`, ada,
			[]noted{{"tok_blb", "environments:extend", "env_1", "", "the server failed; its log says why, under the request id", "failed", "POST /v1/environments/{id}/extend"}},
		},
		"not JSON": {
			"before an operation is called", nil, "POST", "/v1/environments", `{`, ada,
			[]noted{{"tok_blb", "environments:create", "", "", "the body is not JSON: line 1, column 1: unexpected end of JSON input", "failed", "POST /v1/environments"}},
		},
		"done": {
			"and noted nowhere else", nil, "POST", "/v1/environments", `{"name":"pr-1","source":{"repository":"` + httpapitest.Repository + `"}}`, ada,
			[]noted{{"tok_blb", "environments:create", "", "", "answered 202", "succeeded", "POST /v1/environments"}},
		},
		"unknown token": {
			"by nobody known", nil, "DELETE", "/v1/environments/env_1", "",
			[]string{"Authorization", "Bearer blb_x"},
			[]noted{{"", "environments:delete", "", "", "a valid API token is needed", "denied", "DELETE /v1/environments/{id}"}},
		},
		"forged": {
			"a page of others", nil, "POST", "/page", "a=b",
			[]string{"Sec-Fetch-Site", "cross-site", "Cookie", cookie + adaSession},
			[]noted{{"", "page:create", "", "", "the call comes from a page of another origin", "denied", "POST /page"}},
		},
		"page": {
			"who is known by the cookie", nil, "POST", "/page", "a=b",
			[]string{"Sec-Fetch-Site", "same-origin", "Cookie", cookie + adaSession},
			[]noted{{"usr_ada", "page:create", "", "", "answered 200", "succeeded", "POST /page"}},
		},
		"no door": {"a stranger who tries doors", nil, "POST", "/wp-login.php", "a=b", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, api := newGate(t, func(g *gate) { g.house.Fail = tc.fail })
			call(t, api, tc.method, tc.path, tc.body, append(tc.headers, "From", "192.0.2.1:1")...)
			if diff := cmp.Diff(tc.want, notesOf(g)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			for _, e := range g.house.Notes() {
				if e.Caller.Address != "192.0.2.1" || e.Caller.RequestID == "" || e.At != now() {
					t.Errorf("%s: caller is %+v at %s", tc.reason, e.Caller, e.At)
				}
			}
		})
	}
}

func TestWhatAnOperationNotedIsNotNotedAgain(t *testing.T) {
	t.Parallel()
	g, api := newGate(t, func(g *gate) {
		g.deps.Routes["POST /done"] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { blueberry.CallOf(r.Context()).Note() })
	})
	call(t, api, "POST", "/done", "")
	if got := notesOf(g); len(got) > 0 {
		t.Errorf("noted again: %v", got)
	}
}

func TestPanicIsNotedAsFailed(t *testing.T) {
	t.Parallel()
	g, api := newGate(t, func(g *gate) {
		g.deps.Routes["POST /boom/{id}"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hunter2") })
	})
	call(t, api, "POST", "/boom/7", "")
	want := []noted{{"", "boom:create", "7", "", "the server failed; its log says why, under the request id", "failed", "POST /boom/{id}"}}
	if diff := cmp.Diff(want, notesOf(g)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFloodDoesNotFillTheAudit guesses for a while from two addresses: one entry for each minute and address, and none is forgotten.
func TestFloodDoesNotFillTheAudit(t *testing.T) {
	t.Parallel()
	g, api := newGate(t, func(g *gate) { g.deps.Edge.Limits = httpapi.Limits{Credential: perHour(1)} })
	guess := func(n int, from string) {
		for range n {
			call(t, api, "GET", "/v1/version", "", "Authorization", "Bearer blb_guess", "From", from)
		}
	}
	count := func() int { return len(g.house.Notes()) }
	guess(50, "192.0.2.1:1")
	guess(50, "[2001:db8::1]:1")
	guess(50, "[2001:db8::2]:1") // the same network
	if n := count(); n != 2 {
		t.Fatalf("%d entries in the first minute, want one for each of 2 networks", n)
	}
	g.pass(time.Minute)
	guess(1, "192.0.2.1:1") // the minute is told, and this begins the count of the next
	if n := count(); n != 4 {
		t.Fatalf("%d entries after a minute, want 2 that count", n)
	}
	var counts []string
	for _, e := range g.house.Notes()[2:] {
		_, tail, _ := strings.Cut(e.Detail, "(")
		counts = append(counts, e.Caller.Address+" "+tail)
	}
	if diff := cmp.Diff([]string{"192.0.2.1 the last of 49 in a row)", "2001:db8::2 the last of 99 in a row)"}, sorted(counts)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	api.Flush(context.Background())
	if n := count(); n != 5 {
		t.Errorf("%d entries after the server has stopped, want one more: what the last minute has counted", n)
	}
	for range 20 {
		call(t, api, "GET", "/v1/version", "", "Authorization", "Bearer "+adaToken, "From", "192.0.2.3:1")
	}
	if n := count(); n != 6 {
		t.Errorf("%d entries after a token went over its limit, want one more", n)
	}
}

type brokenAudit struct{}

func (brokenAudit) Note(context.Context, blueberry.AuditEntry) error {
	return errors.New("the disk is full")
}

func TestAuditThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	g, api := newGate(t, func(g *gate) { g.deps.Edge.Audit = brokenAudit{} })
	if a := call(t, api, "GET", "/v1/environments", "", "Authorization", "Bearer "+httpapitest.Poor); a.StatusCode != 403 {
		t.Errorf("%d", a.StatusCode)
	}
	if !strings.Contains(g.log.String(), "audit entry not written") {
		t.Errorf("the log says nothing of it:\n%s", g.log.String())
	}
}
