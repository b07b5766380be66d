package sim_test

import (
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	targettest.Run(t, open)
}

func open(testing.TB) targettest.Bundle {
	p := sim.NewPlace(sim.Config{Seed: 1, Schedule: time.Millisecond, Start: 5 * time.Millisecond, Ready: 5 * time.Millisecond})
	return targettest.Bundle{
		Driver: sim.Driver{Place: p},
		Reopen: func(testing.TB) target.Driver { return sim.Driver{Place: p} },
		Cut:    func() { p.SetFaults(sim.Faults{Unreachable: true}) },
		Mend:   func() { p.SetFaults(sim.Faults{}) },
		Hand:   hand{p},
		Say: func(t testing.TB, ref target.Ref, l target.LogLine) {
			t.Helper()
			if err := p.Write(ref, l); err != nil {
				t.Fatal(err)
			}
		},
	}
}

type hand struct{ place *sim.Place }

func (h hand) Create(t testing.TB, manifest string) {
	t.Helper()
	if err := h.place.Create([]byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

func (h hand) Patch(t testing.TB, ref blueberry.ObjectRef, patch string) {
	t.Helper()
	if err := h.place.Patch(ref, []byte(patch)); err != nil {
		t.Fatal(err)
	}
}

func (h hand) Delete(t testing.TB, ref blueberry.ObjectRef) {
	t.Helper()
	if err := h.place.Delete(ref); err != nil {
		t.Fatal(err)
	}
}

func (h hand) Object(_ testing.TB, ref blueberry.ObjectRef) (map[string]any, bool) {
	return h.place.Object(ref)
}

func (h hand) Labels(_ testing.TB, ref blueberry.ObjectRef) (map[string]string, bool) {
	return h.place.Labels(ref)
}

func (h hand) Labelled(_ testing.TB, ref target.Ref) []blueberry.ObjectRef {
	return h.place.Labelled(ref)
}

func (h hand) FailPods(_ testing.TB, ref target.Ref, component, reason string) {
	h.place.FailPods(ref, component, reason)
}

func (h hand) HealPods(_ testing.TB, ref target.Ref, component string) {
	h.place.HealPods(ref, component)
}
