package provision_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// killed is what ends a server in a test, between two lines.
type killed struct{}

// dying lets a server do something and ends it at a step; it reports whether the step was reached. The one that is there afterwards knows only what is
// recorded.
func (h *house) dying(t *testing.T, step string, do func()) (died bool) {
	t.Helper()
	h.AtStep = func(at string) {
		if at == step {
			panic(killed{})
		}
	}
	defer func() {
		h.Provisioner = h.again()
		if r := recover(); r != nil {
			if _, ours := r.(killed); !ours {
				panic(r)
			}
			died = true
		}
	}()
	do()
	return false
}

// TestKillInATurn ends the server right after each step of falling asleep and of waking: each turn happens, once, and Git, target and record agree.
func TestKillInATurn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		auto := blueberry.Component{Name: "auto", Image: "acme/auto:1", Values: map[string]any{"replicas": 2, "autoscaling": map[string]any{"enabled": true}}}
		e := h.create(t, "pr-1", fixed("web", 3), auto)
		e = h.until(t, e.ID, phase(blueberry.Ready))
		rev, err := h.Revision(t.Context(), admin, e.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		asleep, err := render.Asleep(rev.Rendering)
		if err != nil {
			t.Fatal(err)
		}
		ref := target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}
		deployment := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "auto"}
		if err := (sim.Driver{Place: h.place}).Scale(t.Context(), ref, deployment, 4); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		between := []string{provision.StepPushed, provision.StepCommitted, provision.StepApplied, provision.StepSynced}
		for _, turn := range []struct {
			asleep bool
			steps  []string
		}{
			{true, append([]string{provision.StepSleepAccepted, provision.StepSleepApplied, provision.StepAsleep}, between...)},
			{false, append([]string{provision.StepWakeAccepted, provision.StepWakeApplied, provision.StepAwake}, between...)},
		} {
			for _, step := range turn.steps {
				name := fmt.Sprintf("asleep %v, killed at %s", turn.asleep, step)
				if _, err := turnTo(t.Context(), h, e.ID, !turn.asleep); err != nil {
					t.Fatal(err)
				}
				rest := func(e blueberry.Environment) bool {
					return e.Sleep.Step == "" && (e.Phase == blueberry.Sleeping || e.Phase == blueberry.Ready)
				}
				h.until(t, e.ID, rest)
				if !h.dying(t, step, func() {
					if _, err := turnTo(t.Context(), h, e.ID, turn.asleep); err != nil {
						t.Error(err)
					}
					h.until(t, e.ID, rest)
				}) {
					t.Errorf("%s: the step was never reached", name)
				}
				got := h.until(t, e.ID, rest)
				want, pods := rev.Rendering, map[string]int{"web": 3, "auto": 4}
				if turn.asleep {
					want, pods = asleep, map[string]int{"web": 0, "auto": 0}
				}
				if got.Sleep.Asleep != turn.asleep || (got.Phase == blueberry.Sleeping) != turn.asleep {
					t.Fatalf("%s: %s, %+v", name, got.Phase, got.Sleep)
				}
				if diff := cmp.Diff(pods, h.pods(t, got)); diff != "" {
					t.Errorf("%s: pods -want +got\n%s", name, diff)
				}
				h.inGitAs(t, got, want)
			}
		}
		told := h.told(t, e.ID)
		if n := len(h.ledgerOf(t, e.ID)); n != told[blueberry.EnvironmentAsleep]+told[blueberry.EnvironmentAwake] || told[blueberry.EnvironmentAsleep] != told[blueberry.EnvironmentFallingAsleep] ||
			told[blueberry.EnvironmentAwake] != told[blueberry.EnvironmentWaking] {
			t.Errorf("%d turns in the ledger, told %v", n, told)
		}
		if told[blueberry.EnvironmentReady] != 1 || told[blueberry.EnvironmentDriftRepaired] != 0 {
			t.Errorf("told %v", told)
		}
		if h.dying(t, provision.StepRemoving, func() {
			if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
				t.Error(err)
			}
			h.until(t, e.ID, phase(blueberry.Terminated))
		}) {
			h.until(t, e.ID, phase(blueberry.Terminated))
		}
		if left := h.place.Labelled(ref); len(left) > 0 {
			t.Errorf("left on the place: %v", left)
		}
	})
}
