package provision_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// explaining is a driver that says why, and counts how often it is asked.
type explaining struct {
	target.Driver
	mu    *sync.Mutex
	says  *[]blueberry.Cause
	asked *int
}

func (d explaining) Explain(context.Context, target.Ref, []blueberry.LedgerEntry) ([]blueberry.Cause, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*d.asked++
	return *d.says, nil
}

func (d explaining) say(list ...blueberry.Cause) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*d.says = list
}

func (h *archiveHouse) replace(t *testing.T, with func(target.Driver) target.Driver) {
	t.Helper()
	place, err := h.Places.Place("local")
	if err != nil {
		t.Fatal(err)
	}
	place.Driver = with(place.Driver)
	h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
}

func TestCauseIsToldOnceAndWhenItIsGone(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	d := explaining{mu: &sync.Mutex{}, says: new([]blueberry.Cause), asked: new(int)}
	h.replace(t, func(plain target.Driver) target.Driver { d.Driver = plain; return d })
	oom := blueberry.Cause{Code: blueberry.CauseOutOfMemory, Severity: blueberry.Fails, Step: blueberry.Started, Component: "web", Message: "container app was killed at 128Mi", Fix: "raise its memory limit"}
	d.say(blueberry.Cause{Code: blueberry.CauseIngressAddress, Severity: blueberry.Warns, Message: "no address"}, oom)
	e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/broken:1"})
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause != "" })
	asked := *d.asked
	for range 5 {
		h.until(t, e.ID, func(blueberry.Environment) bool { return true })
	}
	if e.Cause != blueberry.CauseOutOfMemory || *d.asked > asked+1 {
		t.Errorf("cause %s; asked %d times at one time", e.Cause, *d.asked-asked)
	}
	out, err := h.Reconcile(t.Context(), blueberry.Job{Subject: e.ID})
	if err != nil || out.Again == 0 || out.Again > time.Second {
		t.Errorf("asks again after %s (%v)", out.Again, err)
	}
	events, err := h.Events(t.Context(), admin, blueberry.EventQuery{EnvironmentID: e.ID, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, x := range events {
		if x.Type == blueberry.EnvironmentCauseFound {
			said += x.Message
		}
	}
	if said != "OutOfMemory: container app was killed at 128Mi. raise its memory limit" {
		t.Errorf("told %q", said)
	}
	why, err := h.Why(t.Context(), admin, e.ID)
	if err != nil || len(why.Causes) != 2 || why.Causes[0].Code != oom.Code || len(why.Steps) != len(e.Conditions) {
		t.Errorf("why %+v (%v)", why, err)
	}
	d.say()
	h.clock.add(time.Second)
	h.place.HealPods(refTo(e), "web")
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if n := h.told(t, e.ID); e.Cause != "" || n[blueberry.EnvironmentCauseFound] != 1 || n[blueberry.EnvironmentCauseGone] != 1 {
		t.Errorf("cause %q; told %v", e.Cause, n)
	}
}

// prober answers as it is told to.
type prober struct {
	mu     sync.Mutex
	status int
	asked  int
}

func (p *prober) Probe(_ context.Context, url string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if !strings.HasPrefix(url, "http://") {
		return 0, errors.New("no address: " + url)
	}
	if p.status == 0 {
		return 0, errors.New("connection refused")
	}
	return p.status, nil
}

func (p *prober) set(status int) { p.mu.Lock(); defer p.mu.Unlock(); p.status = status }

// TestAddressThatDoesNotAnswer is a warning for ten minutes, and then degrades the environment until it answers.
func TestAddressThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	probe := &prober{}
	h.Prober = probe
	e := h.create(t, "quiet", blueberry.Component{Name: "web", Image: "acme/web:1", Values: map[string]any{"port": 80, "ingress": map[string]any{"public": true}}})
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if len(e.Hosts) == 0 {
		t.Fatal("it has no host")
	}
	h.until(t, e.ID, func(blueberry.Environment) bool { return true })
	if probe.asked != 0 {
		t.Error("asked where neither the target nor the configuration says so")
	}
	h.ProbeAll = true
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == blueberry.CauseURL })
	if e.Phase != blueberry.Ready {
		t.Errorf("after its first minute it is %s", e.Phase)
	}
	asked := probe.asked
	out, err := h.Reconcile(t.Context(), blueberry.Job{Subject: e.ID})
	if err != nil || out.Again != time.Minute || probe.asked != asked {
		t.Errorf("asks again after %s, asked %d times at once (%v)", out.Again, probe.asked-asked, err)
	}
	h.clock.add(blueberry.ProbeGrace)
	e = h.until(t, e.ID, phase(blueberry.Degraded))
	if e.Reason != "URLProbeFailed" || !strings.Contains(e.Message, e.Hosts[0]) {
		t.Errorf("degraded because %s: %s", e.Reason, e.Message)
	}
	probe.set(503)
	h.clock.add(time.Minute)
	h.until(t, e.ID, phase(blueberry.Degraded))
	probe.set(401)
	h.clock.add(time.Minute)
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if n := h.told(t, e.ID); e.Cause != "" || n[blueberry.EnvironmentDegraded] != 1 || n[blueberry.EnvironmentRecovered] != 1 {
		t.Errorf("cause %q; told %v", e.Cause, n)
	}

	probe.set(0)
	h.clock.add(time.Minute)
	h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == blueberry.CauseURL })
	h.place.FailPods(refTo(e), "web", "CrashLoopBackOff")
	h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause != "" && e.Cause != blueberry.CauseURL })
	probe.set(200)
	h.place.HealPods(refTo(e), "web")
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == "" || e.Cause == blueberry.CauseURL })
	if e.Cause != "" {
		t.Errorf("what the address answered before its pods failed still counts: %s", e.Cause)
	}
}

func TestTimelineMergesBoth(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	count := func(q provision.TimelineQuery) map[string]int {
		t.Helper()
		list, err := h.Timeline(ctx, admin, e.ID, q)
		if err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for i, x := range list {
			n[x.Kind]++
			if i > 0 && x.At.Before(list[i-1].At) {
				t.Errorf("%s stands behind %s", x.At, list[i-1].At)
			}
		}
		return n
	}
	if n := count(provision.TimelineQuery{}); n["event"] < 5 || n["kubernetes"] == 0 {
		t.Errorf("entries %v", n)
	}
	if n := count(provision.TimelineQuery{Kinds: []string{provision.TimelineKubernetes}}); n["event"] != 0 || n["kubernetes"] == 0 {
		t.Errorf("of the target alone %v", n)
	}
	if n := count(provision.TimelineQuery{Limit: 2, Kinds: []string{provision.TimelineEvent}}); n["event"] != 2 {
		t.Errorf("of two %v", n)
	}
	if n := count(provision.TimelineQuery{After: time.Now().Add(time.Hour)}); len(n) != 0 {
		t.Errorf("of the future %v", n)
	}
	h.destroy(t, e.ID)
	if n := count(provision.TimelineQuery{}); n["event"] < 7 || n["kubernetes"] == 0 {
		t.Errorf("after its end %v", n)
	}
}

// TestLiveShowsBoth: as desired, and as it is.
func TestLiveShowsBoth(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
	if err := h.place.Patch(service, []byte(`{"metadata": {"annotations": {"by": "hand"}}}`)); err != nil {
		t.Fatal(err)
	}
	x, err := h.Live(ctx, admin, e.ID, service)
	if err != nil || !strings.Contains(string(x.Desired), "kind: Service") || strings.Contains(string(x.Desired), "kind: Deployment") ||
		strings.Contains(string(x.Desired), "hand") || !strings.Contains(string(x.Live), "hand") {
		t.Errorf("desired\n%s\nlive\n%s (%v)", x.Desired, x.Live, err)
	}
	if _, err := h.Live(ctx, admin, e.ID, blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "none"}); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("of what is neither: %v", err)
	}
}
