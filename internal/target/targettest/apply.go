package targettest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

func testTwice(t *testing.T, s *scene) {
	d := s.usual(t)
	first := s.sync(t, d)
	want := len(d.Files[0].Objects) + len(d.Files[1].Objects)
	if s.Itself {
		want += len(d.Files[2].Objects)
		eventually(t, "all is applied", func() string {
			p := s.sync(t, d)
			first.Changed = append(first.Changed, p.Changed...)
			return blank(p.Done, p.Waiting)
		})
	}
	for _, c := range first.Changed {
		// The default service account is Kubernetes' own: it may have been there first.
		if !c.Created && (c.Kind != "ServiceAccount" || c.Name != "default") {
			t.Errorf("%s was altered, want created", c.ObjectRef)
		}
	}
	if got := len(first.Changed); got != want {
		t.Errorf("the first sync changed %d objects, want the %d of the first two waves: %v", got, want, first.Changed)
	}
	s.settle(t, d)
	if p := s.sync(t, d); !p.Done || len(p.Changed) > 0 {
		t.Errorf("the second sync changed things: %+v", p)
	}
	if got := s.observe(t); got.Drifted() {
		t.Errorf("drifted without another hand: %+v", got)
	}
}

func testWaves(t *testing.T, s *scene) {
	d := s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", brokenImage), Web(t, s.Ref, 1, "front", goodImage))
	front := s.object(t, "Deployment", "front")
	p := s.sync(t, d)
	eventually(t, "the pod of the first wave fails", func() string {
		p = s.sync(t, d)
		return blank(s.observe(t).Failure().Hard, "no hard failure yet")
	})
	if s.Itself {
		eventually(t, "the sync waits for the first wave", func() string {
			p = s.sync(t, d)
			return blank(p.Done || strings.Contains(p.Waiting, "wave 0"), p.Waiting)
		})
	}
	if p.Done || !strings.Contains(p.Waiting, "Deployment.apps "+s.Namespace+"/back") || !strings.Contains(p.Waiting, "wave 0") {
		t.Errorf("waiting for %q (done: %t), want for the Deployment of wave 0", p.Waiting, p.Done)
	}
	if _, there := s.Hand.Labels(t, front); there {
		t.Fatal("wave 1 was applied before wave 0 is healthy")
	}
	s.settle(t, s.usual(t))
	if _, there := s.Hand.Labels(t, front); !there {
		t.Fatal("wave 1 was never applied")
	}
}

// blank gives the complaint unless ok.
func blank(ok bool, complaint string) string {
	if ok {
		return ""
	}
	return complaint
}

func testPrune(t *testing.T, s *scene) {
	config := func(name string) string { return strings.ReplaceAll(configDoc, "name: $name", "name: "+name) }
	s.settle(t, s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", config("keep"), config("old"), config("given-away"), config("held"))))
	keep, old := s.object(t, "ConfigMap", "keep"), s.object(t, "ConfigMap", "old")
	given, held := s.object(t, "ConfigMap", "given-away"), s.object(t, "ConfigMap", "held")
	s.Hand.Patch(t, given, `{"metadata": {"labels": {"blueberry.dev/project": "other", "blueberry.dev/environment": "other"}}}`)
	s.Hand.Patch(t, held, `{"metadata": {"finalizers": ["example.com/hold"]}}`)
	never := keep
	never.Name = "never-there"

	d := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", config("keep")))
	d.Prune = []blueberry.ObjectRef{old, given, held, never}
	p := s.sync(t, d)
	if s.Itself {
		eventually(t, "the sync waits for what is held", func() string {
			p = s.sync(t, d)
			return blank(p.Done || strings.Contains(p.Waiting, held.String()), p.Waiting)
		})
	}
	if p.Done || !strings.Contains(p.Waiting, held.String()) {
		t.Errorf("got %+v, want it to wait for %s", p, held)
	}
	s.Hand.Patch(t, held, `{"metadata": {"finalizers": null}}`)
	eventually(t, "all is pruned", func() string {
		p = s.sync(t, d)
		return blank(p.Done, p.Waiting)
	})
	for _, o := range d.Prune {
		if !slices.Contains(p.Pruned, o) {
			t.Errorf("%s is not reported as pruned: %v", o, p.Pruned)
		}
	}
	for ref, want := range map[blueberry.ObjectRef]bool{keep: true, old: false, given: !s.Itself, held: false} {
		if _, there := s.Hand.Labels(t, ref); there != want {
			t.Errorf("%s is there: %t, want %t", ref, there, want)
		}
	}
}

func testConcurrent(t *testing.T, s *scene) {
	var wg sync.WaitGroup
	for range 4 {
		other := &scene{Bundle: s.Bundle, Ref: NewRef()}
		d := other.desired(Platform(t, other.Ref), Web(t, other.Ref, 0, "back", goodImage))
		wg.Go(func() {
			look := time.NewTicker(time.Millisecond)
			defer look.Stop()
			for end := time.Now().Add(patience); time.Now().Before(end); <-look.C { // no Fatal outside of the test's own goroutine
				p, err := s.Driver.Sync(t.Context(), d)
				if errors.Is(err, blueberry.Unavailable) {
					continue
				}
				if err != nil {
					t.Errorf("sync %s: %v", other.Environment, err)
					return
				}
				if p.Done {
					return
				}
			}
			t.Errorf("%s is never applied", other.Environment)
		})
		t.Cleanup(func() { other.vanish(t) })
		defer func() {
			other.healthy(t)
			if p := other.sync(t, d); len(p.Changed) > 0 {
				t.Errorf("%s was changed again: %v", other.Environment, p.Changed)
			}
			other.vanish(t)
		}()
	}
	wg.Wait()
}

func testDrift(t *testing.T, s *scene) {
	d := s.usual(t)
	s.settle(t, d)
	s.sync(t, d) // whatever controllers add of their own is known now
	altered, deleted := s.object(t, "Service", "back"), s.object(t, "Deployment", "front")
	s.Hand.Patch(t, altered, `{"spec": {"ports": [{"name": "http", "port": 81, "targetPort": 8080}]}}`)
	s.Hand.Delete(t, deleted)
	eventually(t, "the drift is seen", func() string {
		o := s.observe(t)
		return blank(state(t, o, altered).Drifted, "the altered Service is not drifted") +
			blank(s.missed(state(t, o, deleted)), "the deleted Deployment is not missing")
	})
	changed := map[target.Change]bool{}
	eventually(t, "the drift is repaired", func() string {
		p := s.sync(t, d)
		for _, c := range p.Changed {
			changed[c] = true
		}
		return blank(p.Done, p.Waiting)
	})
	if want := (target.Change{ObjectRef: altered}); len(changed) != 2 || !changed[want] || !changed[target.Change{ObjectRef: deleted, Created: true}] {
		t.Errorf("reported as changed: %v", changed)
	}
	eventually(t, "nothing drifts any more", func() string { return blank(!s.observe(t).Drifted(), "still drifted") })
	s.healthy(t)
}

// missed reports whether an object is seen to be missing, or where the place may have put it back by now, to have been.
func (s *scene) missed(x blueberry.ObjectState) bool {
	return x.Health == blueberry.HealthMissing || s.Itself && x.Drifted
}

func testRefused(t *testing.T, s *scene) {
	bad := strings.Replace(deploymentDoc(goodImage), "spec:\n", "spec:\n  replicas: -1\n", 1)
	port := strings.Replace(serviceDoc, "port: 80,", "port: 70000,", 1)
	_, err := s.fails(t, s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", bad, port, configDoc)))
	wants(t, err, blueberry.Invalid, "Deployment.apps "+s.Namespace+"/back")
	wants(t, err, blueberry.Invalid, "Service "+s.Namespace+"/back") // every fault at once
	if _, there := s.Hand.Labels(t, s.object(t, "ConfigMap", "back")); !there && !s.Itself {
		t.Error("the object that is fine was not applied")
	}
}

// fails syncs until there is an error: the place may take a while to say it.
func (s *scene) fails(t testing.TB, d target.Desired) (p target.Progress, err error) {
	t.Helper()
	eventually(t, "the sync fails", func() string {
		p, err = s.Driver.Sync(t.Context(), d)
		return blank(err != nil || !s.Itself, p.Waiting)
	})
	return p, err
}

func testDenied(t *testing.T, s *scene) {
	quota := "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: $ns, labels: $labels}\nspec: {hard: {count/secrets: \"0\"}}\n"
	s.settle(t, s.desired(Platform(t, s.Ref, quota)))
	n, done := 0, true
	eventually(t, "a secret is denied", func() string {
		if done { // one that came before the quota was counted stays
			n++
		}
		secret := strings.Replace(secretDoc, "name: $name", fmt.Sprintf("name: denied-%d", n), 1)
		p, err := s.Driver.Sync(t.Context(), s.desired(Platform(t, s.Ref, quota), File(t, s.Ref, 0, "back", secret)))
		if err == nil {
			done = p.Done || !s.Itself
			return blank(false, "not denied; waits: "+p.Waiting)
		}
		if errors.Is(err, blueberry.Unavailable) {
			return err.Error()
		}
		wants(t, err, blueberry.Invalid, fmt.Sprintf("Secret %s/denied-%d", s.Namespace, n))
		return ""
	})
}

func testUnknownKind(t *testing.T, s *scene) {
	widget := "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"
	d := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", widget, configDoc))
	for range 2 {
		p := s.sync(t, d)
		if s.Itself {
			eventually(t, "the sync waits for the kind", func() string {
				p = s.sync(t, d)
				return blank(p.Done || strings.Contains(p.Waiting, "Widget.example.com"), p.Waiting)
			})
		}
		if p.Done || !strings.Contains(p.Waiting, "Widget.example.com") {
			t.Errorf("got %+v, want it to wait for the kind Widget.example.com", p)
		}
	}
	if _, there := s.Hand.Labels(t, s.object(t, "ConfigMap", "back")); !there {
		t.Error("the object that is known was not applied")
	}
	if got := state(t, s.observe(t), s.object(t, "Widget", "back")); got.Health != blueberry.HealthMissing {
		t.Errorf("the widget is %s, want missing", got.Health)
	}
}

func testForeign(t *testing.T, s *scene) {
	s.settle(t, s.desired(Platform(t, s.Ref)))
	nobodys := File(t, s.Ref, 0, "back", strings.Replace(configDoc, ", labels: $labels", "", 1))
	others := File(t, NewRef(), 0, "front", strings.Replace(configDoc, "$ns", s.Namespace, 1))
	s.Hand.Create(t, string(nobodys.Content))
	s.Hand.Create(t, string(others.Content))
	before, _ := s.Hand.Labels(t, others.Objects[0])

	d := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "back", configDoc), File(t, s.Ref, 0, "front", configDoc))
	_, err := s.Driver.Sync(t.Context(), d)
	for errors.Is(err, blueberry.Unavailable) {
		_, err = s.Driver.Sync(t.Context(), d)
	}
	wants(t, err, blueberry.Conflict, "ConfigMap "+s.Namespace+"/back")
	wants(t, err, blueberry.Conflict, "ConfigMap "+s.Namespace+"/front")
	if labels, _ := s.Hand.Labels(t, nobodys.Objects[0]); len(labels) > 0 {
		t.Errorf("the object of nobody got labels: %v", labels)
	}
	if after, _ := s.Hand.Labels(t, others.Objects[0]); after[blueberry.LabelEnvironment] != before[blueberry.LabelEnvironment] {
		t.Errorf("the object of another environment got labels: %v", after)
	}
}

func testForeignNamespace(t *testing.T, s *scene) {
	s.Hand.Create(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+s.Namespace+"}\n")
	ns := blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: s.Namespace}
	_, err := s.Driver.Sync(t.Context(), s.usual(t))
	wants(t, err, blueberry.Conflict, "Namespace "+s.Namespace)
	s.vanish(t)
	if _, there := s.Hand.Labels(t, ns); !there {
		t.Error("the namespace of somebody else was deleted")
	}
	s.Hand.Delete(t, ns)
}

func testMalformed(t *testing.T, s *scene) {
	f := blueberry.RenderedFile{Name: "00-back.yaml", Component: "back", Content: []byte("a: [1\n---\nkind: ConfigMap\n")}
	_, err := s.Driver.Sync(t.Context(), s.desired(f))
	wants(t, err, blueberry.Invalid, "00-back.yaml[0]")
	s.files = nil
}
