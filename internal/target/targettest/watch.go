package targettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// sightings is what a watch told.
type sightings struct {
	mu   sync.Mutex
	refs map[target.Ref]bool
	news chan struct{}
}

// watch begins to watch until the test ends.
func (s *scene) watch(t testing.TB) *sightings {
	t.Helper()
	seen := &sightings{refs: map[target.Ref]bool{}, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.Driver.Watch(ctx, func(ref target.Ref) {
			seen.mu.Lock()
			seen.refs[ref] = true
			seen.mu.Unlock()
			select {
			case seen.news <- struct{}{}:
			default:
			}
		})
		if err != nil {
			t.Errorf("watch: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	seen.wait(t, target.Ref{}) // connected
	return seen
}

func (s *sightings) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refs)
}

// wait returns once the watch has told of an environment.
func (s *sightings) wait(t testing.TB, ref target.Ref) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		s.mu.Lock()
		if s.refs[ref] {
			delete(s.refs, ref)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		select {
		case <-s.news:
		case <-ctx.Done():
			t.Fatalf("the watch never told of %+v", ref)
		}
	}
}

// until waits for the watch, and for nothing else, each time before it looks again.
func (s *sightings) until(t testing.TB, ref target.Ref, missing func() string) {
	t.Helper()
	for missing() != "" {
		s.wait(t, ref)
	}
}

func testWatch(t *testing.T, s *scene) {
	seen := s.watch(t)
	d := s.usual(t)
	seen.until(t, s.Ref, func() string { return blank(s.sync(t, d).Done, "not done") })
	seen.until(t, s.Ref, func() string { return blank(s.observe(t).Healthy(), "not healthy") })
	s.sync(t, d)

	config, service := s.object(t, "ConfigMap", "front"), s.object(t, "Service", "back")
	s.Hand.Delete(t, config)
	seen.until(t, s.Ref, func() string {
		return blank(s.missed(state(t, s.observe(t), config)), "not missing")
	})
	s.Hand.Patch(t, service, `{"spec": {"ports": [{"name": "http", "port": 83, "targetPort": 8080}]}}`)
	seen.until(t, s.Ref, func() string { return blank(state(t, s.observe(t), service).Drifted, "not drifted") })
	seen.until(t, s.Ref, func() string { return blank(s.sync(t, d).Done, "not done") })
	seen.until(t, s.Ref, func() string { return blank(!s.observe(t).Drifted(), "still drifted") })
}

func testWatchCut(t *testing.T, s *scene) {
	d := s.usual(t)
	s.settle(t, d)
	s.sync(t, d)
	seen := s.watch(t)
	config, service := s.object(t, "ConfigMap", "front"), s.object(t, "Service", "back")
	s.Cut()
	eventually(t, "the driver knows that the place is away", func() string {
		_, err := s.Driver.Observe(t.Context(), s.Ref, LedgerOf(s.files))
		return blank(err != nil, "no error")
	})
	seen.forget()
	s.Hand.Delete(t, config)
	s.Hand.Patch(t, service, `{"spec": {"ports": [{"name": "http", "port": 84, "targetPort": 8080}]}}`)
	s.Mend()
	seen.wait(t, target.Ref{})
	if s.Itself { // it may all be put right by now
		eventually(t, "the place is back", func() string {
			_, err := s.Driver.Sync(t.Context(), d)
			return blank(err == nil, fmt.Sprint(err))
		})
		s.settle(t, d)
		return
	}
	seen.until(t, s.Ref, func() string {
		o, err := s.Driver.Observe(t.Context(), s.Ref, LedgerOf(s.files))
		if err != nil {
			return err.Error()
		}
		return blank(state(t, o, config).Health == blueberry.HealthMissing && state(t, o, service).Drifted, "not told yet")
	})
}

func testRemove(t *testing.T, s *scene) {
	d := s.usual(t)
	cluster := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: $ns-reader, labels: $labels}\nrules: []\n"
	d.Files = append(d.Files, File(t, s.Ref, 1, "reader", cluster))
	s.settle(t, s.desired(d.Files...))
	if got, want := len(s.Hand.Labelled(t, s.Ref)), len(LedgerOf(s.files)); got < want {
		t.Fatalf("%d objects carry the labels, want at least %d", got, want)
	}
	nobodys := File(t, s.Ref, 0, "nobodys", strings.Replace(configDoc, ", labels: $labels", "", 1))
	astray := File(t, s.Ref, 0, "astray-"+s.Environment, strings.Replace(configDoc, "$ns", "default", 1))
	s.Hand.Create(t, string(nobodys.Content))                               // the namespace takes it along
	s.Hand.Create(t, string(File(t, s.Ref, 0, "added", configDoc).Content)) // ours by its labels, though no ledger has it
	s.Hand.Create(t, string(astray.Content))                                // and even elsewhere
	seen := s.watch(t)
	seen.until(t, s.Ref, func() string {
		left := Ask(t, "remove", func() ([]blueberry.ObjectRef, error) { return s.Driver.Remove(t.Context(), s.Ref, LedgerOf(s.files)) })
		return blank(len(left) == 0, fmt.Sprint(left))
	})
	if left := s.Hand.Labelled(t, s.Ref); len(left) > 0 {
		t.Errorf("said to be gone, and there: %v", left)
	}
	if _, there := s.Hand.Labels(t, nobodys.Objects[0]); there {
		t.Error("the namespace left something behind")
	}
	eventually(t, "the removal is observed", func() string {
		o := s.observe(t)
		return blank(len(o.Missing()) == len(o.Objects) && len(o.Workloads) == 0, fmt.Sprintf("%+v", o))
	})
	s.settle(t, s.desired(d.Files...)) // and the same name may live again
}

func testRemoveHeld(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	held := s.object(t, "ConfigMap", "back")
	ns := s.object(t, "Namespace", s.Namespace)
	s.Hand.Patch(t, held, `{"metadata": {"finalizers": ["example.com/hold"]}}`)
	var left []blueberry.ObjectRef
	eventually(t, "only what is held is left", func() string {
		left = Ask(t, "remove", func() ([]blueberry.ObjectRef, error) { return s.Driver.Remove(t.Context(), s.Ref, LedgerOf(s.files)) })
		return blank(len(left) == 2, fmt.Sprint(left))
	})
	if !slices.Contains(left, held) || !slices.Contains(left, ns) {
		t.Errorf("left are %v, want %s and its namespace", left, held)
	}
	p := s.sync(t, s.desired(s.files...))
	if p.Done || !strings.Contains(p.Waiting, held.String()+": is being deleted") {
		t.Errorf("a sync in between: %+v, want it to wait for what is being deleted", p)
	}
	s.Hand.Patch(t, held, `{"metadata": {"finalizers": null}}`)
	s.vanish(t)
	if left := s.Hand.Labelled(t, s.Ref); len(left) > 0 {
		t.Errorf("said to be gone, and there: %v", left)
	}
}

func testRemoveUnlabelled(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	ns := s.object(t, "Namespace", s.Namespace)
	s.Hand.Patch(t, ns, `{"metadata": {"labels": {"blueberry.dev/project": null, "blueberry.dev/environment": null}}}`)
	s.vanish(t)
	if _, there := s.Hand.Labels(t, ns); there {
		t.Error("said to be gone, and the namespace that we made is there")
	}
}

func testRemoveRelabelled(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	ns := s.object(t, "Namespace", s.Namespace)
	s.Hand.Patch(t, ns, `{"metadata": {"labels": {"blueberry.dev/environment": "another"}}}`)
	if s.Itself {
		eventually(t, "the place takes it back", func() string {
			labels, _ := s.Hand.Labels(t, ns)
			return blank(labels[blueberry.LabelEnvironment] == s.Environment, "it is another's")
		})
		s.vanish(t)
		return
	}
	eventually(t, "removal says whose it is now", func() string {
		left, err := s.Driver.Remove(t.Context(), s.Ref, LedgerOf(s.files))
		if errors.Is(err, blueberry.Conflict) {
			return ""
		}
		return blank(err == nil && len(left) > 0, fmt.Sprintf("left %v, error %v", left, err)) + "not said yet"
	})
	if _, there := s.Hand.Labels(t, ns); !there {
		t.Error("a namespace that is another's was deleted")
	}
	s.Hand.Patch(t, ns, `{"metadata": {"labels": {"blueberry.dev/environment": "`+s.Environment+`"}}}`)
	s.vanish(t)
}
