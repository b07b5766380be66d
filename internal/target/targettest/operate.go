package targettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

const (
	openDoc = `apiVersion: apps/v1
kind: Deployment
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  selector: {matchLabels: {blueberry.dev/component: $name}}
  template:
    metadata: {labels: $podlabels}
    spec: {containers: [{name: app, image: "registry.invalid/app:1.0"}]}
`
	statefulDoc = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  serviceName: $name
  selector: {matchLabels: {blueberry.dev/component: $name}}
  template:
    metadata: {labels: $podlabels}
    spec: {containers: [{name: app, image: "registry.invalid/app:1.0"}]}
`
	daemonDoc = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  selector: {matchLabels: {blueberry.dev/component: $name}}
  template:
    metadata: {labels: $podlabels}
    spec: {containers: [{name: app, image: "registry.invalid/app:1.0"}]}
`
)

// running is an environment with one workload of each kind, whose number of pods is left open.
func (s *scene) running(t testing.TB) target.Desired {
	return s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "open", openDoc), File(t, s.Ref, 0, "stateful", statefulDoc), File(t, s.Ref, 0, "daemon", daemonDoc))
}

// untouched ends the test unless what is there is just as d says.
func (s *scene) untouched(t testing.TB, d target.Desired) {
	t.Helper()
	if o := s.observe(t); o.Drifted() {
		t.Errorf("it is drift: %+v", o.Objects)
	}
	if c, ok := s.Driver.(target.Comparer); ok {
		diffs, err := c.Compare(t.Context(), d)
		if err != nil {
			t.Fatalf("compare: %v", err)
		}
		for _, x := range diffs {
			if x.Action != blueberry.ObjectUnchanged {
				t.Errorf("%s would be changed: %+v", x.ObjectRef, x.Fields)
			}
		}
	}
	if p := s.sync(t, d); !p.Done || len(p.Changed) > 0 {
		t.Errorf("a sync changes things: %+v", p)
	}
}

func testRestart(t *testing.T, s *scene) {
	operator, ok := s.Driver.(target.Operator)
	if !ok {
		return
	}
	if list, err := operator.Restart(t.Context(), s.Ref, "", time.Now()); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("a restart of nothing: %v, %v; want not found", list, err)
	}
	d := s.running(t)
	s.settle(t, d)
	seen := s.watch(t)
	seen.forget()
	list, err := operator.Restart(t.Context(), s.Ref, "open", time.Now())
	if want := []blueberry.ObjectRef{s.object(t, "Deployment", "open")}; err != nil || !slices.Equal(list, want) {
		t.Fatalf("restarted %v, %v; want %v", list, err, want)
	}
	seen.wait(t, s.Ref)
	s.untouched(t, d)
	s.healthy(t)
	list, err = operator.Restart(t.Context(), s.Ref, "", time.Now())
	if err != nil || len(list) != 3 {
		t.Fatalf("restarted %v, %v; want all three", list, err)
	}
	s.healthy(t)
	s.untouched(t, d)
	notes := func() map[string]string {
		out := map[string]string{}
		for _, o := range list {
			live, _ := s.Hand.Object(t, o)
			template := dig(live, "spec", "template", "metadata", "annotations")
			out[o.Name] = fmt.Sprint(template["kubectl.kubernetes.io/restartedAt"])
		}
		return out
	}
	before := notes()
	for name, at := range before {
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			t.Errorf("%s bears no time of its restart: %q", name, at)
		}
	}
	// Another revision keeps the restart: else it would be one more.
	for i := range d.Files {
		d.Files[i].Content = []byte(strings.ReplaceAll(string(d.Files[i].Content), "app:1.0", "app:2.0"))
	}
	s.settle(t, d)
	if diff := cmp.Diff(before, notes()); diff != "" {
		t.Errorf("the next revision changed the notes (-was +is):\n%s", diff)
	}
	s.Driver = s.Reopen(t)
	s.untouched(t, d)
}

// dig gives a map in a map.
func dig(m map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		next, ok := m[k].(map[string]any)
		if !ok {
			return nil
		}
		m = next
	}
	return m
}

func testScale(t *testing.T, s *scene) {
	operator, ok := s.Driver.(target.Operator)
	if !ok {
		return
	}
	d := s.running(t)
	s.settle(t, d)
	open, stateful := s.object(t, "Deployment", "open"), s.object(t, "StatefulSet", "stateful")
	replicas := func(want map[blueberry.ObjectRef]int) {
		t.Helper()
		got, err := operator.Replicas(t.Context(), s.Ref)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("replicas: %v (-want +got):\n%s", err, diff)
		}
	}
	replicas(map[blueberry.ObjectRef]int{open: 1, stateful: 1})
	for _, n := range []int{0, 2} {
		if err := operator.Scale(t.Context(), s.Ref, open, n); err != nil {
			t.Fatalf("scale to %d: %v", n, err)
		}
		replicas(map[blueberry.ObjectRef]int{open: n, stateful: 1})
		s.untouched(t, d)
		eventually(t, fmt.Sprintf("there are %d pods", n), func() string {
			ready := 0
			for _, w := range s.observe(t).Workloads {
				if w.Component == "open" {
					ready = w.Ready
				}
			}
			return blank(ready == n, fmt.Sprint(ready))
		})
	}
	for name, c := range map[string]struct {
		object blueberry.ObjectRef
		n      int
		want   blueberry.Kind
	}{
		"less than none": {open, -1, blueberry.Invalid},
		"not there":      {blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: s.Namespace, Name: "nobody"}, 1, blueberry.NotFound},
		"no number":      {s.object(t, "DaemonSet", "daemon"), 1, blueberry.Invalid},
	} {
		if err := operator.Scale(t.Context(), s.Ref, c.object, c.n); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %s", name, err, c.want)
		}
	}
}

// testAbilitiesForeign tries to reach into another environment.
func testAbilitiesForeign(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	other := NewRef()
	other.Namespace = s.Namespace // even if somebody got us to look there
	config, deployment := s.object(t, "ConfigMap", "back"), s.object(t, "Deployment", "back")
	s.say(t, "not for others")
	if r, ok := s.Driver.(target.LiveReader); ok {
		if doc, err := r.Live(t.Context(), other, config); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("live: got %s, %v; want not found", doc, err)
		}
	}
	if r, ok := s.Driver.(target.LogReader); ok {
		list, err := r.Containers(t.Context(), other)
		if err != nil || len(list) > 0 {
			t.Errorf("containers: got %v, %v; want none", list, err)
		}
		err = r.Logs(t.Context(), other, target.LogQuery{}, func(l target.LogLine) error { return fmt.Errorf("was told %v", l) })
		if err != nil {
			t.Errorf("logs: %v", err)
		}
	}
	if r, ok := s.Driver.(target.EventReader); ok {
		if list, err := r.Events(t.Context(), other); err != nil || len(list) > 0 {
			t.Errorf("events: got %v, %v; want none", list, err)
		}
	}
	if o, ok := s.Driver.(target.Operator); ok {
		if list, err := o.Restart(t.Context(), other, "", time.Now()); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("restart: got %v, %v; want not found", list, err)
		}
		if err := o.Scale(t.Context(), other, deployment, 0); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("scale: got %v, want not found", err)
		}
		if n, err := o.Replicas(t.Context(), other); err != nil || len(n) > 0 {
			t.Errorf("replicas: got %v, %v; want none", n, err)
		}
	}
	if sh, ok := s.Driver.(target.Sheller); ok {
		if _, err := sh.Shell(t.Context(), other, target.ShellRequest{Component: "back", Command: []string{"true"}}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("shell: got %v, want not found", err)
		}
	}
}

// testAbilitiesCut calls everything while the place cannot be reached.
func testAbilitiesCut(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	deployment, ns := s.object(t, "Deployment", "back"), s.object(t, "Namespace", s.Namespace)
	calls := map[string]func(context.Context) error{}
	if r, ok := s.Driver.(target.LogReader); ok {
		calls["logs"] = func(ctx context.Context) error {
			return r.Logs(ctx, s.Ref, target.LogQuery{}, func(target.LogLine) error { return nil })
		}
		calls["containers"] = func(ctx context.Context) error { _, err := r.Containers(ctx, s.Ref); return err }
	}
	if r, ok := s.Driver.(target.EventReader); ok {
		calls["events"] = func(ctx context.Context) error { _, err := r.Events(ctx, s.Ref); return err }
	}
	if r, ok := s.Driver.(target.LiveReader); ok {
		calls["live"] = func(ctx context.Context) error { _, err := r.Live(ctx, s.Ref, deployment); return err }
	}
	if r, ok := s.Driver.(target.Sheller); ok {
		calls["shell"] = func(ctx context.Context) error {
			_, err := r.Shell(ctx, s.Ref, target.ShellRequest{Command: []string{"true"}})
			return err
		}
	}
	if r, ok := s.Driver.(target.Meter); ok {
		calls["usage"] = func(ctx context.Context) error { _, err := r.Usage(ctx, s.Ref); return err }
	}
	if r, ok := s.Driver.(target.Operator); ok {
		calls["restart"] = func(ctx context.Context) error { _, err := r.Restart(ctx, s.Ref, "", time.Now()); return err }
		calls["scale"] = func(ctx context.Context) error { return r.Scale(ctx, s.Ref, deployment, 1) }
		calls["replicas"] = func(ctx context.Context) error { _, err := r.Replicas(ctx, s.Ref); return err }
	}
	if r, ok := s.Driver.(target.Scanner); ok {
		calls["scan"] = func(ctx context.Context) error {
			return r.Scan(ctx, func(target.Ref, blueberry.ObjectRef, time.Time) {})
		}
	}
	if r, ok := s.Driver.(target.Holdup); ok {
		calls["leftovers"] = func(ctx context.Context) error {
			_, err := r.Leftovers(ctx, s.Ref, []blueberry.ObjectRef{ns})
			return err
		}
	}
	if r, ok := s.Driver.(target.Checker); ok {
		calls["check"] = func(ctx context.Context) error { _, err := r.CheckAll(ctx); return err }
	}
	s.Cut()
	for name, call := range calls {
		if err := call(t.Context()); !errors.Is(err, blueberry.Unavailable) {
			t.Errorf("%s: got error %v, want one of kind unavailable", name, err)
		}
	}
}
