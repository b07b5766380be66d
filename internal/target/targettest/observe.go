package targettest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

func testAbsent(t *testing.T, s *scene) {
	d := s.usual(t)
	if s.Itself {
		s.vanish(t) // the place has to prove that it will not make anything
	}
	left, err := s.Driver.Remove(t.Context(), s.Ref, LedgerOf(d.Files))
	if err != nil || len(left) > 0 && !s.Itself {
		t.Errorf("removing what was never there: %v, %v", left, err)
	}
	o := s.observe(t)
	if len(o.Missing()) != len(LedgerOf(d.Files)) || o.Healthy() || len(o.Workloads) > 0 {
		t.Errorf("observed of what was never there: %+v", o)
	}
}

func testObserve(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	o := s.observe(t)
	want := []blueberry.WorkloadState{
		{Component: "back", Wanted: 1, Scheduled: 1, Started: 1, Ready: 1, Services: 1, Reachable: 1},
		{Component: "front", Wanted: 1, Scheduled: 1, Started: 1, Ready: 1, Services: 1, Reachable: 1},
	}
	if diff := cmp.Diff(want, o.Workloads); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	for _, c := range o.Conditions() {
		if c.Status != blueberry.True {
			t.Errorf("condition %+v, want True", c)
		}
	}
	if got := state(t, o, s.object(t, "Service", "front")); got.Component != "front" {
		t.Errorf("the component of the Service is %q", got.Component)
	}
}

func testJob(t *testing.T, s *scene) {
	d := s.desired(Platform(t, s.Ref), File(t, s.Ref, 0, "migrate", jobDoc), Web(t, s.Ref, 1, "back", goodImage))
	if p := s.sync(t, d); !s.Itself && (p.Done || !strings.Contains(p.Waiting, "Job.batch "+s.Namespace+"/migrate")) {
		t.Errorf("got %+v, want it to wait for the Job", p)
	}
	s.settle(t, d)
	for _, w := range s.observe(t).Workloads {
		if w.Component == "migrate" && w.Wanted > 0 {
			t.Errorf("a Job that is done wants pods: %+v", w)
		}
	}
	if p := s.sync(t, d); !p.Done || len(p.Changed) > 0 {
		t.Errorf("the second sync changed things: %+v", p)
	}
}

func testBrokenImage(t *testing.T, s *scene) {
	d := s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", brokenImage))
	s.sync(t, d)
	var f blueberry.Failure
	eventually(t, "the failure is seen", func() string {
		f = s.observe(t).Failure()
		return blank(f.Hard, "no hard failure")
	})
	if f.Reason != "ImagePullBackOff" && f.Reason != "ErrImagePull" || !strings.HasPrefix(f.Message, "back: ") {
		t.Errorf("got %+v, want that the image of back cannot be pulled", f)
	}
	if s.observe(t).Healthy() {
		t.Error("healthy with an image that cannot be pulled")
	}
	s.settle(t, s.desired(Platform(t, s.Ref), Web(t, s.Ref, 0, "back", goodImage)))
}

func testCrash(t *testing.T, s *scene) {
	s.settle(t, s.usual(t))
	seen := s.watch(t)
	seen.forget()
	s.Hand.FailPods(t, s.Ref, "back", "CrashLoopBackOff")
	seen.wait(t, s.Ref)
	eventually(t, "the crash is seen", func() string {
		f := s.observe(t).Failure()
		return blank(f.Hard && f.Reason == "CrashLoopBackOff" && strings.HasPrefix(f.Message, "back: "), "no crash of back")
	})
	if s.observe(t).Healthy() {
		t.Error("healthy with a pod that crashes")
	}
	seen.forget()
	s.Hand.HealPods(t, s.Ref, "back")
	seen.wait(t, s.Ref)
	s.healthy(t)
}

func testReopen(t *testing.T, s *scene) {
	d := s.usual(t)
	s.sync(t, d) // the first waves only
	s.Driver = s.Reopen(t)
	s.settle(t, d)
	s.Driver = s.Reopen(t)
	if o := s.observe(t); !o.Healthy() || o.Drifted() {
		t.Errorf("another driver observes %+v", o)
	}
	if p := s.sync(t, d); !p.Done || len(p.Changed) > 0 {
		t.Errorf("another driver changed things: %+v", p)
	}
	service := s.object(t, "Service", "back")
	s.Hand.Patch(t, service, `{"spec": {"ports": [{"name": "http", "port": 82, "targetPort": 8080}]}}`)
	eventually(t, "the drift is seen", func() string { return blank(state(t, s.observe(t), service).Drifted, "not drifted") })
}

func testCut(t *testing.T, s *scene) {
	d := s.usual(t)
	s.settle(t, d)
	s.Cut()
	calls := map[string]func() error{
		"check":  func() error { return s.Driver.Check(t.Context()) },
		"sync":   func() error { _, err := s.Driver.Sync(t.Context(), s.changed(t)); return err },
		"remove": func() error { _, err := s.Driver.Remove(t.Context(), s.Ref, nil); return err },
		"observe": func() error {
			_, err := s.Driver.Observe(t.Context(), s.Ref, LedgerOf(s.files))
			return err
		},
		"compare":  func() error { _, err := s.Driver.(target.Comparer).Compare(t.Context(), d); return err },
		"capacity": func() error { _, err := s.Driver.(target.Sizer).Capacity(t.Context()); return err },
	}
	for name, call := range calls {
		eventually(t, name+" tells that the place is away", func() string {
			err := call()
			if err != nil && !errors.Is(err, blueberry.Unavailable) {
				t.Fatalf("%s: got error %v, want one of kind unavailable", name, err)
			}
			return blank(err != nil, "no error")
		})
	}
	s.Mend()
	eventually(t, "the place is back", func() string {
		if err := s.Driver.Check(t.Context()); err != nil {
			return err.Error()
		}
		_, err := s.Driver.Observe(t.Context(), s.Ref, LedgerOf(s.files))
		return blank(err == nil, "observe fails")
	})
	s.settle(t, d)
}

// changed is the usual environment with something to do for a sync.
func (s *scene) changed(t testing.TB) target.Desired {
	d := s.usual(t)
	d.Files = append(d.Files, File(t, s.Ref, 1, "more", configDoc))
	return d
}

func testCutMidway(t *testing.T, s *scene) {
	d := s.usual(t)
	for range 3 {
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan struct{})
		wg.Go(func() {
			close(started)
			for ctx.Err() == nil {
				if _, err := s.Driver.Sync(ctx, d); errors.Is(err, blueberry.Unavailable) {
					return
				}
			}
		})
		<-started
		s.Cut()
		cancel()
		wg.Wait()
		s.Mend()
	}
	eventually(t, "the place is back", func() string {
		if _, err := s.Driver.Sync(t.Context(), d); err != nil {
			return err.Error()
		}
		return ""
	})
	s.settle(t, d)
	if p := s.sync(t, d); !p.Done || len(p.Changed) > 0 {
		t.Errorf("a sync after the cut-off ones settled changed things: %+v", p)
	}
}
