package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/sdk"
)

// How long nothing is asked of a server before what it costs then is measured, and for how long that is.
const (
	quietBefore = time.Minute
	quietFor    = time.Minute
)

// steady: what many environments on a real API server cost while nothing changes, and how soon a change of one pod is told.
func (b *bench) steady(ctx context.Context) error {
	a, err := proxied(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	s, err := b.host("steady", "--kubeconfig", os.Getenv("BLUEBERRY_TEST_KUBECONFIG")).Start()
	if err != nil {
		return err
	}
	defer s.Kill()
	began := time.Now()
	if _, err := createAll(ctx, s, "steady", b.steadily, 8); err != nil {
		return err
	}
	if err := settled(ctx, s, b.steadily); err != nil {
		return err
	}
	row(fmt.Sprintf("%d environments created and ready on devcluster", b.steadily), round(time.Since(began)).String(), "")
	var lists []float64
	cost, err := idling(ctx, s, func() error {
		n, err := a.lists(ctx)
		lists = append(lists, n)
		return err
	})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("steady state, %d environments on devcluster", b.steadily)
	row(what, fmt.Sprintf("%.1f %% of a core", 100*cost), "≤ 5 %")
	row("lists that the API server answered anybody meanwhile", fmt.Sprintf("%.0f in %s", lists[1]-lists[0], quietFor), "")
	mb, err := resident(ctx, s)
	if err != nil {
		return err
	}
	row("resident memory of the same", fmt.Sprintf("%.0f MB", mb), "")
	return b.podChanges(ctx, s, a)
}

// idling is which part of a core a server takes while nobody asks anything of it. around is called at the beginning and at the end of the measure.
func idling(ctx context.Context, s *installation.Server, around func() error) (float64, error) {
	if err := pause(ctx, quietBefore); err != nil {
		return 0, err
	}
	if err := around(); err != nil {
		return 0, err
	}
	before, err := processorTime(s)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := pause(ctx, quietFor); err != nil {
		return 0, err
	}
	after, err := processorTime(s)
	if err != nil {
		return 0, err
	}
	return (after - before).Seconds() / time.Since(began).Seconds(), around()
}

func pause(ctx context.Context, d time.Duration) error {
	over := time.Now().Add(d)
	return lookUntil(ctx, d, func() (bool, error) { return !time.Now().Before(over), nil })
}

// lists is how many lists the API server has answered since its start.
func (a api) lists(ctx context.Context) (n float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		return 0, err
	}
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "apiserver_request_total{") || !strings.Contains(line, `verb="LIST"`) {
			continue
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
		if err != nil {
			return 0, fmt.Errorf("read metrics: %w", err)
		}
		n += x
	}
	return n, nil
}

const crashLoop = `{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
"containerStatuses": [{"name": %q, "image": "x", "imageID": "", "ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
"lastState": {"terminated": {"reason": "Error", "exitCode": 3, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}}}]}}`

// podChanges: a pod of one of the environments crashes; that arrives on the API's stream with its cause.
func (b *bench) podChanges(ctx context.Context, s *installation.Server, a api) error {
	var times []time.Duration
	for i := range 10 {
		page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Name: fmt.Sprintf("steady-%d", 1+i*b.steadily/10), Limit: 1})
		if err != nil || len(page.Items) != 1 {
			return errors.Join(err, errors.New("find an environment"))
		}
		e := page.Items[0]
		took, err := podChange(ctx, s, a, e)
		if err != nil {
			return fmt.Errorf("change a pod of %s: %w", e.Name, err)
		}
		times = append(times, took)
	}
	row("pod crashes → its cause on the API stream", spread(times), "≤ 1 s")
	return nil
}

func podChange(ctx context.Context, s *installation.Server, a api, e sdk.Environment) (time.Duration, error) {
	pods := "/api/v1/namespaces/" + e.Namespace + "/pods"
	var list struct {
		Items []object `json:"items"`
	}
	if err := a.do(ctx, http.MethodGet, pods, "", nil, &list); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(list.Items, func(x object) bool { return strings.HasPrefix(x.Metadata.Name, "backend-") })
	if i < 0 {
		return 0, errors.New("it has no pod of backend")
	}
	name := list.Items[i].Metadata.Name
	events, err := s.Client.ListEnvironmentEvents(ctx, e.ID, sdk.EventFilter{Limit: 500})
	if err != nil {
		return 0, err
	}
	after := events.Items[len(events.Items)-1].Seq
	began := time.Now()
	if err := a.do(ctx, http.MethodPatch, pods+"/"+name+"/status", "application/strategic-merge-patch+json", fmt.Appendf(nil, crashLoop, "backend"), nil); err != nil {
		return 0, err
	}
	for ev, err := range s.Client.WatchEvents(ctx, e.ID, after) {
		if err != nil {
			return 0, err
		}
		if ev.Type == "environment.cause_found" {
			return time.Since(began), nil
		}
	}
	return 0, errors.New("the stream ended")
}
