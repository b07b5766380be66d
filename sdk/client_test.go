package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// server answers calls in process, so that time can be that of a bubble.
type server func(n int, r *http.Request) (*http.Response, error)

type transport struct {
	serve server
	calls []*http.Request
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.calls = append(t.calls, r)
	return t.serve(len(t.calls), r)
}

func answer(status int, body string, headers ...string) (*http.Response, error) {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(headers); i += 2 {
		res.Header.Set(headers[i], headers[i+1])
	}
	return res, nil
}

func problem(status int, code string, headers ...string) (*http.Response, error) {
	data, _ := json.Marshal(sdk.Problem{Status: status, Title: http.StatusText(status), Code: code, Detail: "told"})
	return answer(status, string(data), append([]string{"Content-Type", "application/problem+json"}, headers...)...)
}

func client(t *transport) *sdk.Client {
	return &sdk.Client{BaseURL: "http://server.test/", Token: "blb_x", HTTPClient: &http.Client{Transport: t}}
}

func TestRepeatedCalls(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, c *sdk.Client) error { _, err := c.GetVersion(ctx); return err }
	create := func(ctx context.Context, c *sdk.Client) error {
		_, err := c.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "x"})
		return err
	}
	destroy := func(ctx context.Context, c *sdk.Client) error {
		_, err := c.DestroyEnvironment(ctx, "env_x", sdk.IfMatch(3))
		return err
	}
	change := func(ctx context.Context, c *sdk.Client) error {
		_, err := c.ChangeEnvironment(ctx, "env_x", sdk.ChangeEnvironmentRequest{Refresh: true})
		return err
	}
	quota := func(ctx context.Context, c *sdk.Client) error {
		_, err := c.SetProjectQuota(ctx, "default", sdk.Quota{}, sdk.IfMatch(3))
		return err
	}
	down := func(int, *http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
	for name, tc := range map[string]struct {
		reason string
		call   func(context.Context, *sdk.Client) error
		serve  server
		tries  int
		took   time.Duration
		status int // of the problem; 0 for none, -1 for an unreachable server
	}{
		"ok":  {"one try", get, func(int, *http.Request) (*http.Response, error) { return answer(200, `{}`) }, 1, 0, 0},
		"5xx": {"1 s, 2 s, then it gives up", get, func(int, *http.Request) (*http.Response, error) { return problem(503, "X") }, 3, 3 * time.Second, 503},
		"recovers": {"the second try is enough", get, func(n int, _ *http.Request) (*http.Response, error) {
			return map[bool]func() (*http.Response, error){true: func() (*http.Response, error) { return problem(500, "X") }, false: func() (*http.Response, error) { return answer(200, `{}`) }}[n == 1]()
		}, 2, time.Second, 0},
		"transport":     {"1 s, 2 s, then it gives up", get, down, 3, 3 * time.Second, -1},
		"create":        {"a POST has a key of its own", create, down, 3, 3 * time.Second, -1},
		"destroy":       {"a removal may be asked twice", destroy, down, 3, 3 * time.Second, -1},
		"change":        {"a PATCH has a key of its own", change, down, 3, 3 * time.Second, -1},
		"quota":         {"a PUT has one too, so that its If-Match is judged once", quota, down, 3, 3 * time.Second, -1},
		"4xx":           {"a refusal is final", create, func(int, *http.Request) (*http.Response, error) { return problem(409, "CONFLICT") }, 1, 0, 409},
		"429":           {"as long as the server asks", get, func(int, *http.Request) (*http.Response, error) { return problem(429, "X", "Retry-After", "5") }, 3, 10 * time.Second, 429},
		"429 for hours": {"but not for ever", get, func(int, *http.Request) (*http.Response, error) { return problem(429, "X", "Retry-After", "9999") }, 3, 2 * time.Minute, 429},
		"in progress": {"the first try of this very call still runs: 1 s, 2 s, 4 s, 8 s, 16 s", create, func(n int, _ *http.Request) (*http.Response, error) {
			if n <= 5 {
				return problem(409, "IDEMPOTENCY_IN_PROGRESS", "Retry-After", "1")
			}
			return answer(202, `{}`)
		}, 6, 31 * time.Second, 0},
		"lost, and in progress": {"what is lost counts, what runs does not", create, func(n int, r *http.Request) (*http.Response, error) {
			switch n {
			case 1, 4:
				return down(n, r)
			case 2, 3:
				return problem(409, "IDEMPOTENCY_IN_PROGRESS")
			}
			return answer(202, `{}`)
		}, 5, 6 * time.Second, 0},
		"proxy": {"an answer that is not ours", get, func(int, *http.Request) (*http.Response, error) {
			return answer(502, "<html>", "Content-Type", "text/html")
		}, 3, 3 * time.Second, 502},
		"slow": {"each try ends after a minute", get, func(_ int, r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 3, 3*time.Minute + 3*time.Second, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tr := &transport{serve: tc.serve}
				begin := time.Now()
				err := tc.call(t.Context(), client(tr))
				if took := time.Since(begin); took < tc.took*4/5 || took > tc.took*6/5 || len(tr.calls) != tc.tries { // a fifth by chance
					t.Errorf("%s: %d tries in %s, want %d in %s", tc.reason, len(tr.calls), took, tc.tries, tc.took)
				}
				var p *sdk.Problem
				var u *sdk.UnreachableError
				switch {
				case tc.status == 0 && err != nil, tc.status > 0 && (!errors.As(err, &p) || p.Status != tc.status), tc.status < 0 && (!errors.As(err, &u) || u.Attempts != tc.tries):
					t.Errorf("%s: error is %#v", tc.reason, err)
				}
				keys := map[string]bool{}
				for _, r := range tr.calls {
					keys[r.Header.Get("Idempotency-Key")] = true
					if r.Header.Get("Authorization") != "Bearer blb_x" {
						t.Errorf("%s: a try has no token", tc.reason)
					}
				}
				keyless := tr.calls[0].Method == http.MethodGet || tr.calls[0].Method == http.MethodDelete
				if len(keys) != 1 || keys[""] != keyless {
					t.Errorf("%s: keys of the tries are %v", tc.reason, keys)
				}
			})
		})
	}
}

// TestACallThatNeverEnds: a call whose first try seems to run for ever is waited for as long as a server takes it for alive.
func TestACallThatNeverEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &transport{serve: func(int, *http.Request) (*http.Response, error) {
			return problem(409, "IDEMPOTENCY_IN_PROGRESS", "Retry-After", "1")
		}}
		begin := time.Now()
		_, err := client(tr).CreateEnvironment(t.Context(), sdk.CreateEnvironmentRequest{})
		var p *sdk.Problem
		if took := time.Since(begin); !errors.As(err, &p) || p.Code != sdk.CodeIdempotencyInProgress || took != 2*time.Minute {
			t.Errorf("%v after %s, want 2 minutes", err, took)
		}
	})
}

func TestTheCallersContextEndsThePause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, errors.New("enough"))
		defer cancel()
		tr := &transport{serve: func(int, *http.Request) (*http.Response, error) { return problem(500, "X") }}
		_, err := client(tr).GetVersion(ctx)
		if err == nil || err.Error() != "enough" || len(tr.calls) != 1 {
			t.Errorf("%d tries, error %v", len(tr.calls), err)
		}
	})
}

func TestRequestsAreWhatTheAPIExpects(t *testing.T) {
	t.Parallel()
	tr := &transport{serve: func(int, *http.Request) (*http.Response, error) { return answer(200, `{}`) }}
	c := client(tr)
	ctx := t.Context()
	_, _ = c.ListEnvironments(ctx, sdk.EnvironmentFilter{Project: "p", Name: "n", Search: "a b", Owner: "o", Labels: []string{"team=a b", "tier"}, Phases: []sdk.Phase{sdk.Ready, sdk.Failed}, Sort: "-name", Limit: 7, Cursor: "c"})
	_, _ = c.GetEnvironment(ctx, "../x")
	_, _ = c.ExtendEnvironment(ctx, "env_x", 5, sdk.IfMatch(3), sdk.IdempotencyKey("mine"))
	_, _ = c.ListJobs(ctx, sdk.JobFilter{States: []string{"dead"}})
	_, _ = c.DestroyEnvironment(ctx, "env_x", sdk.ApplyPlan("pln_x"))
	_, _ = c.DiffEnvironmentRevisions(ctx, "env_x", 1, 0)
	_, _ = c.GetEnvironmentSettings(ctx, "env_x", 2, `web.env["a.b"]`)
	_, _ = c.ListConfigSets(ctx, sdk.CatalogueFilter{Project: "p", Scope: "all", Search: "s", Limit: 3, Cursor: "c"})
	_ = c.DeletePolicy(ctx, "pol_x")
	var got []string
	for _, r := range tr.calls {
		got = append(got, r.Method+" "+r.URL.RequestURI())
	}
	want := []string{
		"GET /v1/environments?cursor=c&label=team%3Da+b&label=tier&limit=7&name=n&owner=o&phase=ready&phase=failed&project=p&q=a+b&sort=-name",
		"GET /v1/environments/..%2Fx",
		"POST /v1/environments/env_x/extend",
		"GET /v1/jobs?state=dead",
		"DELETE /v1/environments/env_x?plan_id=pln_x",
		"GET /v1/environments/env_x/diff?from=1",
		"GET /v1/environments/env_x/settings?path=web.env%5B%22a.b%22%5D&revision=2",
		"GET /v1/config-sets?cursor=c&limit=3&project=p&q=s&scope=all",
		"DELETE /v1/policies/pol_x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if h := tr.calls[2].Header; h.Get("If-Match") != `"3"` || h.Get("Idempotency-Key") != "mine" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers of extend are %v", h)
	}
}

func TestPagerEndsAfterTheLastPageAndAfterAnError(t *testing.T) {
	t.Parallel()
	tr := &transport{serve: func(n int, r *http.Request) (*http.Response, error) {
		switch r.URL.Query().Get("cursor") {
		case "":
			return answer(200, `{"items":[{"name":"a"},{"name":"b"}],"next_cursor":"2"}`)
		case "2":
			return answer(200, `{"items":[{"name":"c"}],"next_cursor":"3"}`)
		}
		return problem(422, "X")
	}}
	var names []string
	var last error
	for e, err := range client(tr).AllEnvironments(t.Context(), sdk.EnvironmentFilter{}) {
		last = err
		if err == nil {
			names = append(names, e.Name)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" || last == nil {
		t.Errorf("names %v, error %v", names, last)
	}
	for range client(tr).AllEnvironments(t.Context(), sdk.EnvironmentFilter{}) {
		break // a caller may stop anywhere
	}
}

func TestRunsEndWithoutANextBefore(t *testing.T) {
	t.Parallel()
	tr := &transport{serve: func(n int, r *http.Request) (*http.Response, error) {
		switch r.URL.RawQuery {
		case "before=9&limit=2":
			return answer(200, `{"items":[{"number":8},{"number":7}],"next_before":7}`)
		case "before=7&limit=2":
			return answer(200, `{"items":[{"number":6}]}`)
		}
		return problem(422, "X")
	}}
	var numbers []int
	for r, err := range client(tr).AllEnvironmentRevisions(t.Context(), "env_x", sdk.Window{Before: 9, Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, r.Number)
	}
	if diff := cmp.Diff([]int{8, 7, 6}, numbers); diff != "" {
		t.Errorf("revisions (-want +got):\n%s", diff)
	}
}

// TestNothingAndAbsentAreTwoThings: what a change leaves out stays, what is empty is taken away.
func TestNothingAndAbsentAreTwoThings(t *testing.T) {
	t.Parallel()
	empty := ""
	for name, tc := range map[string]struct {
		request sdk.ChangeEnvironmentRequest
		want    string
	}{
		"absent": {sdk.ChangeEnvironmentRequest{}, `{}`},
		"empty": {
			sdk.ChangeEnvironmentRequest{ConfigSets: []string{}, Overrides: map[string]any{}, Source: &sdk.SourceChange{Ref: &empty}, Parameters: map[string]any{"replicas": nil}},
			`{"source":{"ref":""},"config_sets":[],"parameters":{"replicas":null},"overrides":{}}`,
		},
	} {
		got, err := json.Marshal(tc.request)
		if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestQuantityText(t *testing.T) {
	t.Parallel()
	for want, tc := range map[string]struct {
		resource string
		amount   int64
	}{
		"2": {"cpu", 2000}, "1500m": {"cpu", 1500}, "-500m": {"cpu", -500}, "0": {"memory", 0}, "2Gi": {"memory", 2 << 30}, "1537Mi": {"storage", 1537 << 20},
		"1023": {"memory", 1023}, "-1Ki": {"memory", -1024}, "7Ei": {"storage", 7 << 60}, "40": {"pods", 40},
	} {
		if got := sdk.QuantityText(tc.resource, tc.amount); got != want {
			t.Errorf("%d of %s is %s, want %s", tc.amount, tc.resource, got, want)
		}
	}
}

// stream is an answer whose body is written by hand.
func stream(write func(w io.Writer)) (*http.Response, error) {
	r, w := io.Pipe()
	go func() {
		write(w)
		w.Close()
	}()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: r}, nil
}

func event(seq int) string {
	return fmt.Sprintf("id: %d\nevent: x\ndata: {\"seq\":%d,\"type\":\"x\",\"message\":\"\",\"at\":\"2026-11-02T09:30:00Z\"}\n\n", seq, seq)
}

func TestWatchResumesWhereTheStreamBroke(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &transport{serve: func(n int, r *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return stream(func(w io.Writer) {
					fmt.Fprint(w, "retry: 500\n\n", event(1), event(2), "id: 3\ndata: {\"seq\":3,\"half")
				})
			case 2:
				return nil, errors.New("connection refused")
			case 3:
				return problem(503, "X")
			case 4: // says nothing: taken for dead after 45 s
				return stream(func(w io.Writer) {
					fmt.Fprint(w, event(2), event(3)) // 2 is told twice by the server
					<-r.Context().Done()
					w.(*io.PipeWriter).CloseWithError(r.Context().Err())
				})
			case 5:
				return stream(func(w io.Writer) { fmt.Fprint(w, ": still here\n\n", event(4)) })
			}
			return problem(403, "FORBIDDEN")
		}}
		c := client(tr)
		retries := 0
		c.OnRetry = func(error, time.Duration) { retries++ }
		var seqs []int64
		var last error
		for e, err := range c.WatchEvents(t.Context(), "env_x", 0) {
			if err != nil {
				last = err
				break
			}
			seqs = append(seqs, e.Seq)
		}
		if diff := cmp.Diff([]int64{1, 2, 3, 4}, seqs); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		var p *sdk.Problem
		if !errors.As(last, &p) || p.Status != 403 {
			t.Errorf("ended with %v", last)
		}
		var after []string
		for _, r := range tr.calls {
			after = append(after, r.URL.Query().Get("after"))
		}
		if diff := cmp.Diff([]string{"", "2", "2", "2", "3", "4"}, after); diff != "" {
			t.Errorf("positions (-want +got):\n%s", diff)
		}
		if retries == 0 {
			t.Error("OnRetry was told nothing")
		}
	})
}

func TestWatchGivesUp(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		serve  server
		least  time.Duration
		most   time.Duration
	}{
		"never there": {"as any other call", func(int, *http.Request) (*http.Response, error) { return nil, errors.New("refused") }, 2 * time.Second, 10 * time.Second},
		"went away": {"after its patience", func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return stream(func(w io.Writer) { fmt.Fprint(w, ": hello\n\n") })
			}
			return nil, errors.New("refused")
		}, 2 * time.Minute, 2*time.Minute + 10*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var last error
				for _, err := range client(&transport{serve: tc.serve}).WatchEvents(t.Context(), "", 0) {
					last = err
				}
				var u *sdk.UnreachableError
				if took := time.Since(begin); took < tc.least || took > tc.most || !errors.As(last, &u) {
					t.Errorf("%s: gave up after %s with %v", tc.reason, took, last)
				}
			})
		})
	}
}

func logs(lines ...string) (*http.Response, error) {
	return stream(func(w io.Writer) { fmt.Fprint(w, strings.Join(lines, "")) })
}

func logLine(second int, pod, text string) string {
	return fmt.Sprintf(`{"at":"2026-11-02T09:30:%02dZ","pod":%q,"container":"app","text":%q}`+"\n", second, pod, text)
}

// TestLogsResumeWhereTheStreamBroke: every line comes once, also two that are alike, and one of another pod that came late.
func TestLogsResumeWhereTheStreamBroke(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &transport{serve: func(n int, _ *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return logs(logLine(10, "a", "1"), logLine(20, "a", "2"), logLine(20, "a", "2"), `{"at":"2026-11-02T09:30:21Z","te`)
			case 2:
				return nil, errors.New("connection refused")
			case 3:
				return problem(503, "X")
			case 4: // what stood before comes again, as far back as was asked
				return logs(logLine(19, "b", "late"), logLine(20, "a", "2"), logLine(20, "a", "2"), logLine(20, "a", "2"), `{"heartbeat":true}`+"\n", logLine(30, "a", "3"))
			case 5:
				return logs(logLine(30, "a", "3"), `{"problem":{"status":503,"code":"X","title":"x","type":"x"}}`+"\n")
			}
			return logs(logLine(30, "a", "3"), logLine(31, "b", "4"), `{"end":true}`+"\n")
		}}
		s, err := client(tr).Logs(t.Context(), "env_x", sdk.LogQuery{Follow: true, Tail: 7, Search: "x"})
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for l, err := range s.Lines(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, l.Text)
		}
		if diff := cmp.Diff([]string{"1", "2", "2", "late", "2", "3", "4"}, texts); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		if first, second := tr.calls[0].URL.RawQuery, tr.calls[3].URL.RawQuery; first != "follow=true&q=x&tail=7" || second != "follow=true&q=x&since=2026-11-02T09%3A30%3A15Z" {
			t.Errorf("asked for %s, then for %s", first, second)
		}
	})
}

func TestLogsThatAreCutAreNoWholeLogs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := &transport{serve: func(int, *http.Request) (*http.Response, error) { return logs(logLine(10, "a", "1")) }}
		s, err := client(tr).Logs(t.Context(), "env_x", sdk.LogQuery{})
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range s.Lines(t.Context()) {
			last = err
		}
		var u *sdk.UnreachableError
		if !errors.As(last, &u) || len(tr.calls) != 1 {
			t.Errorf("%d calls end with %v", len(tr.calls), last)
		}
		refused := &transport{serve: func(int, *http.Request) (*http.Response, error) { return problem(403, "GRANT_MISSING") }}
		var p *sdk.Problem
		if _, err := client(refused).Logs(t.Context(), "env_x", sdk.LogQuery{}); !errors.As(err, &p) || p.Status != 403 || len(refused.calls) != 1 {
			t.Errorf("a refusal is %v after %d calls", err, len(refused.calls))
		}
	})
}

func TestExecTargetKeepsTheCredentialOutOfTheAddress(t *testing.T) {
	t.Parallel()
	c := &sdk.Client{BaseURL: "https://server.test/base/", Token: "blb_x"}
	address, header, err := c.ExecTarget(t.Context(), "env_x", sdk.ExecOptions{Component: "web", Command: []string{"sh", "-c", "a b"}, TTY: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := "wss://server.test/base/v1/environments/env_x/exec?command=sh&command=-c&command=a+b&component=web&tty=true"; address != want || header.Get("Authorization") != "Bearer blb_x" {
		t.Errorf("dial %s with %v", address, header)
	}
}
