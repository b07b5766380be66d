package provision_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// fixed is a component whose number of pods no autoscaler decides.
func fixed(name string, replicas int) blueberry.Component {
	return blueberry.Component{Name: name, Image: "acme/" + name + ":1", Values: map[string]any{"replicas": replicas, "autoscaling": map[string]any{"enabled": false}}}
}

func (h *house) sleep(t *testing.T, id string) blueberry.Environment {
	t.Helper()
	if _, err := h.Sleep(t.Context(), admin, id, 0); err != nil {
		t.Fatal(err)
	}
	return h.until(t, id, phase(blueberry.Sleeping))
}

// tick lets time pass, and the loop that looks for deadlines see it.
func (h *house) tick(t *testing.T, d time.Duration) {
	t.Helper()
	h.clock.add(d)
	if err := h.KeepTime(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h *house) get(t *testing.T, id string) blueberry.Environment {
	t.Helper()
	e, err := h.Get(t.Context(), admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// pods tells how many pods each workload of the place asks for.
func (h *house) pods(t *testing.T, e blueberry.Environment) map[string]int {
	t.Helper()
	all, err := sim.Driver{Place: h.place}.Replicas(t.Context(), target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for o, n := range all {
		out[o.Name] = n
	}
	return out
}

// inGitAs compares what Git holds with a rendering.
func (h *house) inGitAs(t *testing.T, e blueberry.Environment, want blueberry.Rendering) {
	t.Helper()
	files, err := h.git.Files(t.Context(), gitops.Dir(e.Target, e.Project, e.Name))
	if err != nil || len(files) != len(want.Files) {
		t.Fatalf("Git holds %d files, want %d (%v)", len(files), len(want.Files), err)
	}
	for _, f := range want.Files {
		if diff := cmp.Diff(string(f.Content), string(files[f.Name])); diff != "" {
			t.Errorf("%s: -want +got\n%s", f.Name, diff)
		}
	}
}

func (h *house) ledgerOf(t *testing.T, id string) (out []string) {
	t.Helper()
	list, err := h.WakeLedger(t.Context(), admin, id, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range list {
		out = append(out, fmt.Sprintf("%v %s %s", w.Asleep, w.Why, w.By))
	}
	slices.Reverse(out)
	return out
}

func TestSleepAndWake(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		db := fixed("db", 1)
		front := fixed("web", 3)
		front.Wave = 1
		e := h.create(t, "pr-1", db, front)
		if _, err := h.Sleep(ctx, admin, e.ID, 0); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("what was never made was put to sleep: %v", err)
		}
		e = h.until(t, e.ID, phase(blueberry.Ready))
		rev, err := h.Revision(ctx, admin, e.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		h.takeEnqueued()
		if _, err := h.Sleep(ctx, admin, e.ID, e.Version-1); !errors.Is(err, blueberry.PreconditionFailed) {
			t.Errorf("an old version was taken: %v", err)
		}
		for range 2 { // asking twice is asking once
			if e, err = h.Sleep(ctx, admin, e.ID, 0); err != nil || !e.Sleep.Asleep || e.Phase != blueberry.Updating {
				t.Fatalf("asleep %v, %s: %v", e.Sleep.Asleep, e.Phase, err)
			}
		}
		if n := len(h.takeEnqueued()); n != 1 {
			t.Errorf("%d jobs of one turn", n)
		}
		hosts := e.Hosts
		e = h.until(t, e.ID, phase(blueberry.Sleeping))
		asleep, err := render.Asleep(rev.Rendering)
		if err != nil {
			t.Fatal(err)
		}
		h.inGitAs(t, e, asleep)
		if diff := cmp.Diff(map[string]int{"db": 0, "web": 0}, h.pods(t, e)); diff != "" {
			t.Errorf("pods -want +got\n%s", diff)
		}
		if n := len(h.place.Labelled(target.Ref{Project: "default", Environment: "pr-1", Namespace: e.Namespace})); n != rev.Rendering.Count() || !slices.Equal(e.Hosts, hosts) || e.Lease.ExpiresAt.IsZero() {
			t.Errorf("%d objects of %d stay, hosts %v, lease %+v", n, rev.Rendering.Count(), e.Hosts, e.Lease)
		}
		if _, err := h.Restart(ctx, admin, e.ID, ""); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("what sleeps was restarted: %v", err)
		}
		if out, err := h.Reconcile(ctx, blueberry.Job{Subject: e.ID}); err != nil || out.Again != 0 {
			t.Errorf("one that sleeps wants to be looked at again after %s (%v)", out.Again, err)
		}
		h.clock.add(time.Hour)
		if _, err := h.Wake(ctx, admin, e.ID, 0); err != nil {
			t.Fatal(err)
		}
		e = h.until(t, e.ID, phase(blueberry.Ready))
		h.inGitAs(t, e, rev.Rendering)
		if diff := cmp.Diff(map[string]int{"db": 1, "web": 3}, h.pods(t, e)); diff != "" {
			t.Errorf("pods -want +got\n%s", diff)
		}
		if e.Revision != 1 || e.Sleep.Step != "" {
			t.Errorf("revision %d, turn %q", e.Revision, e.Sleep.Step)
		}
		want := map[blueberry.EventType]int{
			blueberry.EnvironmentRequested: 1, blueberry.EnvironmentProvisioning: 1, blueberry.EnvironmentCommitted: 3, blueberry.EnvironmentSynced: 1,
			blueberry.EnvironmentReady: 1, blueberry.EnvironmentFallingAsleep: 1, blueberry.EnvironmentAsleep: 1, blueberry.EnvironmentWaking: 1, blueberry.EnvironmentAwake: 1,
		}
		if diff := cmp.Diff(want, h.told(t, e.ID)); diff != "" {
			t.Errorf("events -want +got\n%s", diff)
		}
		if diff := cmp.Diff([]string{"true hand admin", "false hand admin"}, h.ledgerOf(t, e.ID)); diff != "" {
			t.Errorf("ledger -want +got\n%s", diff)
		}
	})
}

// TestDriftInSleep: what another hand wakes is put back to sleep, and what it deletes is made again, asleep.
func TestDriftInSleep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	e = h.sleep(t, e.ID)
	deployment := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "web"}
	if err := h.place.Patch(deployment, []byte(`{"spec":{"replicas":5}}`)); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return h.pods(t, e)["web"] == 0 && e.Phase == blueberry.Sleeping })
	if err := h.place.Delete(deployment); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		_, there := h.place.Labels(deployment)
		return there && e.Phase == blueberry.Sleeping && h.pods(t, e)["web"] == 0
	})
	if n := h.told(t, e.ID); n[blueberry.EnvironmentDriftRepaired] != 2 || n[blueberry.EnvironmentAsleep] != 1 {
		t.Errorf("told %v", n)
	}
	drift, err := h.Drift(t.Context(), admin, e.ID)
	if err != nil || len(drift.Objects) != 0 {
		t.Errorf("that it sleeps is told as drift: %+v (%v)", drift.Objects, err)
	}
}

// TestReportedDriftDoesNotHoldUpSleep: where drift is told and left alone, a turn is applied all the same.
func TestReportedDriftDoesNotHoldUpSleep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	if _, err := h.SetDriftPolicy(t.Context(), admin, e.ID, blueberry.DriftPolicy{Mode: blueberry.DriftReport}, 0); err != nil {
		t.Fatal(err)
	}
	e = h.sleep(t, e.ID)
	if n := h.pods(t, e)["web"]; n != 0 {
		t.Errorf("%d pods", n)
	}
	if _, err := h.Wake(t.Context(), admin, e.ID, 0); err != nil {
		t.Fatal(err)
	}
	if e = h.until(t, e.ID, phase(blueberry.Ready)); h.pods(t, e)["web"] != 2 || h.told(t, e.ID)[blueberry.EnvironmentDriftDetected] != 0 {
		t.Errorf("pods %v, told %v", h.pods(t, e), h.told(t, e.ID))
	}
}

// TestAutoscaledPodsComeBack: how many ran is remembered, through a restart too, and what the autoscaler does later is left to it.
func TestAutoscaledPodsComeBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/web:1", Values: map[string]any{"replicas": 2, "autoscaling": map[string]any{"enabled": true, "maxReplicas": 9}}})
	e = h.until(t, e.ID, phase(blueberry.Ready))
	driver := sim.Driver{Place: h.place}
	ref := target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}
	deployment := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "web"}
	scale := func(n int) {
		if err := driver.Scale(ctx, ref, deployment, n); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
	}
	scale(7)
	for range 2 {
		e = h.sleep(t, e.ID)
		if e.Sleep.Replicas[deployment.String()] != 7 || h.pods(t, e)["web"] != 0 {
			t.Fatalf("remembered %v, runs %v", e.Sleep.Replicas, h.pods(t, e))
		}
		h.Provisioner = h.again()
		if _, err := h.Wake(ctx, admin, e.ID, 0); err != nil {
			t.Fatal(err)
		}
		e = h.until(t, e.ID, phase(blueberry.Ready))
		if h.pods(t, e)["web"] != 7 || len(e.Sleep.Replicas) != 0 {
			t.Fatalf("remembers %v, runs %v", e.Sleep.Replicas, h.pods(t, e))
		}
	}
	scale(4)
	if n := h.pods(t, e)["web"]; n != 4 {
		t.Errorf("the autoscaler's number was changed to %d", n)
	}
}

// TestAutoscaledPodsFromTheBeginning: a new revision runs at once what its autoscaler would ask for a little later; more, and none, are left alone.
func TestAutoscaledPodsFromTheBeginning(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	scaled := func(least int) map[string]any {
		return map[string]any{"replicas": least, "autoscaling": map[string]any{"enabled": true, "maxReplicas": 9}}
	}
	e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/web:1", Values: scaled(3)})
	settled := func(e blueberry.Environment) bool { return e.Phase == blueberry.Ready && e.Synced == e.Revision }
	e = h.until(t, e.ID, settled)
	if n := h.pods(t, e)["web"]; n != 3 {
		t.Fatalf("%d pods are ready, the autoscaler wants 3 at least", n)
	}
	e = h.sleep(t, e.ID)
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: wish(
		blueberry.Component{Name: "web", Image: "acme/web:1", Values: scaled(3)}, blueberry.Component{Name: "api", Image: "acme/api:1", Values: scaled(2)},
	)}); err != nil {
		t.Fatal(err)
	}
	if e = h.until(t, e.ID, settled); h.pods(t, e)["web"] != 3 || h.pods(t, e)["api"] != 2 {
		t.Errorf("a change that wakes has %v run, want 3 of web and 2 of the new api", h.pods(t, e))
	}
	for _, c := range []struct{ runs, least, want int }{{3, 5, 5}, {7, 4, 7}, {0, 2, 0}} {
		deployment := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "web"}
		if err := (sim.Driver{Place: h.place}).Scale(ctx, target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}, deployment, c.runs); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: override("web", scaled(c.least))}); err != nil {
			t.Fatal(err)
		}
		e = h.until(t, e.ID, settled)
		if n := h.pods(t, e)["web"]; n != c.want {
			t.Errorf("%d ran, the autoscaler wants %d at least: %d run, want %d", c.runs, c.least, n, c.want)
		}
	}
}

// unscaled is a place that does not scale while it has a reason.
type unscaled struct {
	sim.Driver
	reason func() error
}

func (u unscaled) Scale(ctx context.Context, ref target.Ref, workload blueberry.ObjectRef, replicas int) error {
	if err := u.reason(); err != nil {
		return err
	}
	return u.Driver.Scale(ctx, ref, workload, replicas)
}

// TestAutoscaledPodsThatCannotBeSet: what a place refuses is the autoscaler's, and holds up nothing; and what is only away for a moment is asked again.
func TestAutoscaledPodsThatCannotBeSet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reasons []error // of one call after the other; the last stays
		want    int
	}{
		"not allowed": {[]error{blueberry.Errorf(blueberry.Forbidden, "TARGET_FORBIDDEN", "deployments/scale may not be patched")}, 1},
		"over a rule": {[]error{blueberry.Errorf(blueberry.Invalid, "TARGET_REFUSED", "more than one pod")}, 1},
		"away once":   {[]error{blueberry.Errorf(blueberry.Unavailable, "TARGET_UNAVAILABLE", "connection reset"), nil}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			place, err := h.Places.Place("local")
			if err != nil {
				t.Fatal(err)
			}
			calls := 0
			place.Driver = unscaled{sim.Driver{Place: h.place}, func() error {
				calls++
				return c.reasons[min(calls, len(c.reasons))-1]
			}}
			h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
			e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/web:1", Values: map[string]any{"replicas": 2, "autoscaling": map[string]any{"enabled": true}}})
			if e = h.until(t, e.ID, phase(blueberry.Ready)); h.pods(t, e)["web"] != c.want || calls == 0 {
				t.Errorf("pods %v after %d calls, want %d", h.pods(t, e), calls, c.want)
			}
		})
	}
}

// again is the same server after a restart: its memory is gone.
func (h *house) again() *provision.Provisioner {
	return &provision.Provisioner{
		Record: h.Record, Sources: h.Sources, Signer: h.Signer, Repository: h.Repository, Default: h.Default, Now: h.Now, Logger: h.Logger, Places: h.Places,
		Mail: h.Mail, PublicURL: h.PublicURL, Bucket: h.Bucket, Prober: h.Prober, ProbeAll: h.ProbeAll, Rules: h.Rules,
	}
}

func TestChangeWakes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	for reason, wake := range map[string]func() error{
		"a change": func() error {
			_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: override("web", map[string]any{"env": map[string]any{"A": "b"}})})
			return err
		},
		"a redeploy": func() error { _, err := h.Redeploy(ctx, admin, e.ID); return err },
		"a scale":    func() error { _, err := h.Scale(ctx, admin, e.ID, "web", 3); return err },
		"a request":  func() error { _, err := h.WakeForRequest(ctx, e.ID); return err },
	} {
		h.sleep(t, e.ID)
		h.clock.add(time.Second)
		if err := wake(); err != nil {
			t.Fatalf("%s: %v", reason, err)
		}
		got := h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Phase == blueberry.Ready && e.Synced == e.Revision })
		if got.Sleep.Asleep || got.Sleep.Step != "" || h.pods(t, got)["web"] < 2 {
			t.Errorf("%s: %+v, pods %v", reason, got.Sleep, h.pods(t, got))
		}
		want := blueberry.ByDeploy
		if reason == "a request" {
			want = blueberry.ByRequest
		}
		if got.Sleep.Why != want {
			t.Errorf("%s woke it by %s", reason, got.Sleep.Why)
		}
	}
	if n := h.told(t, e.ID); n[blueberry.EnvironmentAwake] != 4 || n[blueberry.EnvironmentAsleep] != 4 || n[blueberry.EnvironmentScaled] != 1 || n[blueberry.EnvironmentRedeployed] != 1 {
		t.Errorf("told %v", n)
	}
	if e, err := h.WakeForRequest(ctx, e.ID); err != nil || h.told(t, e.ID)[blueberry.EnvironmentAwake] != 4 {
		t.Errorf("a request to one that is awake: %v", err)
	}
}

// TestWhatComesByItselfWakesNobody: it is there when the environment wakes.
func TestWhatComesByItselfWakesNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.publish(t, "base", "web: {env: {MODE: one}}")
	e := h.make(t, "pr-1", provision.Wish{Blueprint: &blueberry.Blueprint{
		Name: "shop", ConfigUpdates: blueberry.ConfigAutomatic, Components: []blueberry.Component{fixed("web", 2)},
	}, ConfigSets: ptr([]string{"base"})})
	h.until(t, e.ID, phase(blueberry.Ready))
	h.sleep(t, e.ID)
	set := h.publish(t, "base", "web: {env: {MODE: two}}")
	h.follow(t, set)
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Synced == 2 && e.Phase == blueberry.Sleeping })
	if n := h.pods(t, e)["web"]; n != 0 || !e.Sleep.Asleep {
		t.Errorf("%d pods", n)
	}
	if _, err := h.Wake(t.Context(), admin, e.ID, 0); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, phase(blueberry.Ready))
	rev, err := h.Revision(t.Context(), admin, e.ID, 0)
	if err != nil || !strings.Contains(text(rev), "two") || h.pods(t, e)["web"] != 2 {
		t.Errorf("pods %v of\n%s (%v)", h.pods(t, e), text(rev), err)
	}
	h.inGitAs(t, e, rev.Rendering)
}

func TestDestroyAsleep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	h.sleep(t, e.ID)
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	if left := h.place.Labelled(target.Ref{Project: "default", Environment: "pr-1", Namespace: e.Namespace}); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for what, try := range map[string]func() error{
		"sleep":   func() error { _, err := h.Sleep(t.Context(), admin, e.ID, 0); return err },
		"wake":    func() error { _, err := h.Wake(t.Context(), admin, e.ID, 0); return err },
		"request": func() error { _, err := h.WakeForRequest(t.Context(), e.ID); return err },
		"restart": func() error { _, err := h.Restart(t.Context(), admin, e.ID, ""); return err },
		"scale":   func() error { _, err := h.Scale(t.Context(), admin, e.ID, "web", 2); return err },
		"deploy":  func() error { _, err := h.Redeploy(t.Context(), admin, e.ID); return err },
		"policy": func() error {
			_, err := h.SetSleepPolicy(t.Context(), admin, e.ID, blueberry.SleepPolicy{Idle: time.Hour}, 0)
			return err
		},
	} {
		if err := try(); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("%s of one that is gone: %v", what, err)
		}
	}
}

// TestLeaseEndsInSleep: sleep does not keep anything alive.
func TestLeaseEndsInSleep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	h.sleep(t, e.ID)
	h.tick(t, 24*time.Hour)
	if e = h.get(t, e.ID); e.Phase != blueberry.Terminating {
		t.Errorf("it is %s", e.Phase)
	}
	h.until(t, e.ID, phase(blueberry.Terminated))
}

// TestTurnsMeet: who is woken while falling asleep is awake, and the other way round, however often.
func TestTurnsMeet(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	steps := 0
	for _, want := range []bool{true, false} {
		for n := range 7 { // turns that meet another after so many steps of the first
			steps = 0
			h.AtStep = func(step string) {
				if steps++; steps == n+1 && step != provision.StepSleepAccepted && step != provision.StepWakeAccepted {
					if _, err := turnTo(ctx, h, e.ID, want); err != nil {
						t.Error(err)
					}
				}
			}
			if _, err := turnTo(ctx, h, e.ID, !want); err != nil {
				t.Fatal(err)
			}
			h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Sleep.Step == "" && e.Phase != blueberry.Updating })
			h.AtStep = nil
			if _, err := turnTo(ctx, h, e.ID, want); err != nil {
				t.Fatal(err)
			}
			e := h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Sleep.Step == "" && e.Phase != blueberry.Updating })
			pods := 2
			if want {
				pods = 0
			}
			if got := h.pods(t, e)["web"]; got != pods || (e.Phase == blueberry.Sleeping) != want {
				t.Fatalf("want asleep %v: %s with %d pods", want, e.Phase, got)
			}
		}
	}
}

func turnTo(ctx context.Context, h *house, id string, asleep bool) (blueberry.Environment, error) {
	if asleep {
		return h.Sleep(ctx, admin, id, 0)
	}
	return h.Wake(ctx, admin, id, 0)
}

// TestSleepWhileTheTargetIsDown: it is recorded, and happens when the target is back; a removal meanwhile is not held up.
func TestSleepWhileTheTargetIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	h.place.SetFaults(sim.Faults{Unreachable: true})
	if _, err := h.Sleep(t.Context(), admin, e.ID, 0); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Synced).Reason == blueberry.ReasonTargetUnavailable
	})
	if e.Phase != blueberry.Updating {
		t.Errorf("it is %s", e.Phase)
	}
	h.clock.add(3 * time.Hour)
	h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Phase == blueberry.Updating })
	h.place.SetFaults(sim.Faults{})
	if e = h.until(t, e.ID, phase(blueberry.Sleeping)); h.pods(t, e)["web"] != 0 {
		t.Errorf("pods %v", h.pods(t, e))
	}
}

func TestFailedMaySleep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/broken:1", Values: map[string]any{"autoscaling": map[string]any{"enabled": false}}})
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Started).Reason == "ImagePullBackOff"
	})
	h.clock.add(blueberry.ReadinessGrace)
	h.until(t, e.ID, phase(blueberry.Failed))
	e = h.sleep(t, e.ID)
	if _, err := h.Wake(t.Context(), admin, e.ID, 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Started).Reason == "ImagePullBackOff"
	})
	h.clock.add(blueberry.ReadinessGrace)
	h.until(t, e.ID, phase(blueberry.Degraded))
}

// TestScheduleOfSleep: Berlin, say, sleeps at night; what someone wakes stays awake until the next evening.
func TestScheduleOfSleep(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	if _, err := h.Pin(ctx, admin, e.ID, 500, "", 0); err != nil {
		t.Fatal(err)
	}
	policy := blueberry.SleepPolicy{TimeZone: "Europe/Zurich", Windows: []blueberry.SleepWindow{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, From: 19 * 60, To: 7 * 60}}}
	if _, err := h.SetSleepPolicy(ctx, admin, e.ID, policy, 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, phase(blueberry.Ready))
	at := func(day, hour, minute, second int) { // in Zurich, where it is an hour later in March
		h.tick(t, time.Date(2026, 3, day, hour-1, minute, second, 0, time.UTC).Sub(h.clock.now()))
	}
	sleeps := func(want bool) {
		t.Helper()
		if got := h.get(t, e.ID); got.Sleep.Asleep != want {
			t.Fatalf("at %s asleep is %v; next look %s", h.clock.now(), got.Sleep.Asleep, got.DeadlineAt)
		}
		h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Sleep.Step == "" && e.Phase != blueberry.Updating })
	}
	at(1, 18, 59, 59)
	sleeps(false)
	at(1, 19, 0, 0)
	sleeps(true)
	at(2, 6, 59, 59)
	sleeps(true)
	at(2, 7, 0, 0)
	sleeps(false)
	at(2, 19, 0, 0)
	sleeps(true)
	if _, err := h.WakeForRequest(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	at(2, 23, 0, 0)
	sleeps(false)
	at(3, 7, 0, 0)
	sleeps(false)
	at(3, 19, 0, 0)
	sleeps(true)
	h.clock.add(14 * time.Hour) // no process ran
	h.Provisioner = h.again()
	h.tick(t, 0)
	sleeps(false)
	want := []string{
		"true schedule blueberry", "false schedule blueberry", "true schedule blueberry", "false request blueberry", "true schedule blueberry", "false schedule blueberry",
	}
	if diff := cmp.Diff(want, h.ledgerOf(t, e.ID)); diff != "" {
		t.Errorf("ledger -want +got\n%s", diff)
	}
	// It was not looked at from afternoon to noon: nothing is made up, and it is not looked at for that again and again.
	h.clock.add(24 * time.Hour)
	h.tick(t, 0)
	sleeps(false)
	if e := h.get(t, e.ID); !e.DeadlineAt.After(h.clock.now()) {
		t.Errorf("looks again at %s, it is %s", e.DeadlineAt, h.clock.now())
	}
}

// TestIdleness: use through the gateway, noted as late as it may be, keeps awake; without any it falls asleep.
func TestIdleness(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	used, unused := h.create(t, "used", fixed("web", 1)), h.create(t, "unused", fixed("web", 1))
	for _, e := range []blueberry.Environment{used, unused} {
		h.until(t, e.ID, phase(blueberry.Ready))
		if _, err := h.SetSleepPolicy(ctx, admin, e.ID, blueberry.SleepPolicy{Idle: 30 * time.Minute}, 0); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
	}
	began := h.clock.now()
	for range 3 {
		h.clock.add(30*time.Minute - 15*time.Second - time.Millisecond) // so that uses are a millisecond less than 30 minutes apart
		at := h.clock.now()
		h.tick(t, 14*time.Second)
		h.tick(t, 0)
		if err := h.Touch(ctx, map[string]time.Time{used.ID: at, "env_unknown": at}); err != nil {
			t.Fatal(err)
		}
		h.tick(t, time.Second)
		if e := h.get(t, used.ID); e.Sleep.Asleep {
			t.Fatalf("with use at %s it sleeps at %s", at, h.clock.now())
		}
	}
	e := h.get(t, unused.ID)
	if !e.Sleep.Asleep || e.Sleep.Why != blueberry.ByIdleness {
		t.Fatalf("unused, and %+v", e.Sleep)
	}
	if idle := e.Sleep.Since.Sub(began); idle < 30*time.Minute+blueberry.IdleMargin {
		t.Errorf("fell asleep after %s", idle)
	}
	h.until(t, unused.ID, phase(blueberry.Sleeping))
	h.tick(t, time.Hour)
	if e := h.get(t, used.ID); !e.Sleep.Asleep {
		t.Error("nobody uses it any more, and it is awake")
	}
	if err := h.Touch(ctx, map[string]time.Time{unused.ID: h.clock.now()}); err != nil {
		t.Fatal(err)
	}
	h.tick(t, time.Second)
	if e := h.get(t, unused.ID); !e.Sleep.Asleep {
		t.Error("use that is only noted woke it")
	}
}

// TestSlowStartIsNotIdle: what takes longer to start than it may be idle is not put to sleep before it was there.
func TestSlowStartIsNotIdle(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	if _, err := h.SetProjectLife(ctx, admin, "default", nil, &blueberry.SleepPolicy{Idle: blueberry.MinIdle}, 0); err != nil {
		t.Fatal(err)
	}
	h.place.SetFaults(sim.Faults{Unreachable: true})
	e := h.create(t, "pr-1", fixed("web", 1))
	h.until(t, e.ID, phase(blueberry.Provisioning))
	h.tick(t, time.Hour)
	h.place.SetFaults(sim.Faults{})
	h.until(t, e.ID, phase(blueberry.Ready))
	h.tick(t, blueberry.MinIdle)
	if e = h.get(t, e.ID); e.Sleep.Asleep {
		t.Error("fell asleep when it had just become ready")
	}
	h.tick(t, blueberry.IdleMargin)
	if e = h.get(t, e.ID); !e.Sleep.Asleep {
		t.Error("does not fall asleep")
	}
}

// TestSleepPolicyOfAProject reaches its environments, but not those with their own.
func TestSleepPolicyOfAProject(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	idle := blueberry.SleepPolicy{Idle: time.Hour}
	own := map[string]blueberry.SleepPolicy{"follows": {}, "own": {Idle: 2 * time.Hour}, "never": {Never: true}, "back": {Idle: 3 * time.Hour}}
	ids := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		e := h.create(t, name, fixed("web", 1))
		ids[name] = e.ID
		h.until(t, e.ID, phase(blueberry.Ready))
		if _, err := h.SetSleepPolicy(ctx, admin, e.ID, own[name], 0); err != nil {
			t.Fatal(err)
		}
	}
	h.takeEnqueued()
	state, err := h.SetProjectLife(ctx, admin, "default", ptr(48), &idle, 0)
	if err != nil || state.MaxPinHours != 48 || !state.Sleep.Equal(idle) {
		t.Fatalf("%+v: %v", state, err)
	}
	if n := len(h.takeEnqueued()); n != 4 {
		t.Errorf("%d environments are looked at", n)
	}
	if _, err := h.SetSleepPolicy(ctx, admin, ids["back"], blueberry.SleepPolicy{}, 0); err != nil {
		t.Fatal(err)
	}
	late := h.create(t, "late", fixed("web", 1))
	ids["late"] = late.ID
	want := map[string]blueberry.SleepPolicy{"follows": idle, "own": own["own"], "never": own["never"], "back": idle, "late": idle}
	for name, id := range ids {
		if e := h.until(t, id, phase(blueberry.Ready)); !e.Sleep.Policy.Equal(want[name]) || e.Sleep.Own != (name == "own" || name == "never") {
			t.Errorf("%s: %+v", name, e.Sleep)
		}
	}
	for reason, c := range map[string]struct {
		hours *int
		sleep *blueberry.SleepPolicy
		want  []string
	}{
		"too long":     {ptr(blueberry.MaxPinHours + 1), nil, []string{"max_pin_hours range"}},
		"both at once": {ptr(-2), &blueberry.SleepPolicy{Idle: 1}, []string{"max_pin_hours range", "sleep.idle_minutes range"}},
	} {
		if _, err := h.SetProjectLife(ctx, admin, "default", c.hours, c.sleep, 0); !slices.Equal(faultsOf(err), c.want) {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if _, err := h.SetProjectLife(ctx, admin, "default", ptr(1), nil, state.Version-1); !errors.Is(err, blueberry.PreconditionFailed) {
		t.Errorf("an old version was taken: %v", err)
	}
	lead := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "lead", Projects: map[string][]blueberry.Grant{"default": {blueberry.GrantProjectsUpdate}}}
	if _, err := h.SetProjectLife(ctx, lead, "default", nil, &idle, 0); err != nil {
		t.Error(err)
	}
	if _, err := h.SetProjectLife(ctx, lead, "default", ptr(1), nil, 0); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("without the grant on quotas: %v", err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", fixed("db", 1), fixed("web", 2))
	h.until(t, e.ID, phase(blueberry.Ready))
	got, err := h.Restart(ctx, admin, e.ID, "web")
	if err != nil || len(got.Workloads) != 1 || got.Workloads[0].Name != "web" {
		t.Fatalf("%+v: %v", got.Workloads, err)
	}
	if got, err = h.Restart(ctx, admin, e.ID, ""); err != nil || len(got.Workloads) != 2 {
		t.Errorf("%+v: %v", got.Workloads, err)
	}
	if _, err := h.Restart(ctx, admin, e.ID, "cache"); !slices.Equal(faultsOf(err), []string{"component unknown"}) {
		t.Errorf("what is not there: %v", err)
	}
	if n := h.told(t, e.ID)[blueberry.EnvironmentRestarted]; n != 2 {
		t.Errorf("told %d times", n)
	}
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if n := h.told(t, e.ID)[blueberry.EnvironmentDriftRepaired]; n != 0 {
		t.Errorf("the restart was repaired as drift %d times", n)
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.code.pushFiles(map[string]string{
		"blueberry.yaml": "name: shop\nfields: {forbidden: [db.replicas]}\ncomponents:\n- {name: db, image: 'acme/db:1', values: {autoscaling: {enabled: false}}}\n" +
			"- {name: web, image: 'acme/web:1', values: {autoscaling: {enabled: false}, env: {A: b}}}\n- {name: auto, image: 'acme/auto:1'}\n- {name: extras, kustomization: deploy}\n",
		"deploy/kustomization.yaml": "resources: [cm.yaml]\n", "deploy/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
	})
	e := h.make(t, "pr-1", provision.Wish{Repository: ptr(shopRepository)})
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: override("web", map[string]any{"env": map[string]any{"C": "d"}})}); err != nil {
		t.Fatal(err)
	}
	for reason, c := range map[string]struct {
		component string
		replicas  int
		want      string
	}{
		"none at all":                         {"web", 0, "replicas range"},
		"too many":                            {"web", provision.MaxReplicas + 1, "replicas range"},
		"what is not there":                   {"cache", 2, "component unknown"},
		"what the blueprint keeps for itself": {"db", 2, "replicas forbidden_field"},
	} {
		if _, err := h.Scale(ctx, admin, e.ID, c.component, c.replicas); !slices.Equal(faultsOf(err), []string{c.want}) {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if _, err := h.Scale(ctx, admin, e.ID, "extras", 2); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("what has no pods: %v", err)
	}
	if e = h.get(t, e.ID); e.Revision != 2 {
		t.Fatalf("what was refused made revision %d", e.Revision)
	}
	for n, component := range []string{"web", "auto"} {
		got, err := h.Scale(ctx, admin, e.ID, component, 5)
		if err != nil || got.Environment.Revision != 3+n {
			t.Fatalf("revision %d: %v", got.Environment.Revision, err)
		}
	}
	if got, err := h.Scale(ctx, admin, e.ID, "web", 5); err != nil || got.Environment.Revision != 4 {
		t.Errorf("the same again made revision %d: %v", got.Environment.Revision, err)
	}
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Synced == 4 && e.Phase == blueberry.Ready })
	if h.pods(t, e)["web"] != 5 || h.told(t, e.ID)[blueberry.EnvironmentScaled] != 2 {
		t.Errorf("pods %v, told %v", h.pods(t, e), h.told(t, e.ID))
	}
	rev, err := h.Revision(ctx, admin, e.ID, 0)
	if err != nil || !strings.Contains(text(rev), "minReplicas: 5") || !strings.Contains(fmt.Sprint(rev.Overrides), "C:d") {
		t.Errorf("overrides %v (%v)", rev.Overrides, err)
	}
}

// TestRedeploy applies what was there already once more, and restarts it.
func TestRedeploy(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", fixed("web", 2))
	e = h.until(t, e.ID, phase(blueberry.Ready))
	commit := e.Commit
	if got, err := h.Redeploy(t.Context(), admin, e.ID); err != nil || got.Phase != blueberry.Updating || got.Revision != 1 {
		t.Fatalf("%s of revision %d: %v", got.Phase, got.Revision, err)
	}
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if e.Synced != 1 || e.Commit != commit {
		t.Errorf("synced %d, commit %s", e.Synced, e.Commit)
	}
	if n := h.told(t, e.ID); n[blueberry.EnvironmentRedeployed] != 1 || n[blueberry.EnvironmentSynced] != 2 || n[blueberry.EnvironmentDriftRepaired] != 0 {
		t.Errorf("told %v", n)
	}
	h.place.SetFaults(sim.Faults{Unreachable: true})
	if _, err := h.Redeploy(t.Context(), admin, e.ID); !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("while the target is down: %v", err)
	}
	if e = h.get(t, e.ID); e.Phase != blueberry.Ready {
		t.Errorf("what was refused left it %s", e.Phase)
	}
}

// TestLifeTakesGrants: each verb asks for its own.
func TestLifeTakesGrants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", fixed("web", 1))
	h.until(t, e.ID, phase(blueberry.Ready))
	who := func(name string, grants ...blueberry.Grant) blueberry.Actor {
		return blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_" + name, Name: name, Projects: map[string][]blueberry.Grant{"default": append(grants, blueberry.GrantEnvironmentsRead)}}
	}
	verbs := map[string]struct {
		grant blueberry.Grant
		do    func(a blueberry.Actor) error
	}{
		"sleep":    {blueberry.GrantEnvironmentsOperate, func(a blueberry.Actor) error { _, err := h.Sleep(ctx, a, e.ID, 0); return err }},
		"wake":     {blueberry.GrantEnvironmentsOperate, func(a blueberry.Actor) error { _, err := h.Wake(ctx, a, e.ID, 0); return err }},
		"restart":  {blueberry.GrantEnvironmentsOperate, func(a blueberry.Actor) error { _, err := h.Restart(ctx, a, e.ID, ""); return err }},
		"scale":    {blueberry.GrantEnvironmentsOperate, func(a blueberry.Actor) error { _, err := h.Scale(ctx, a, e.ID, "web", 1); return err }},
		"redeploy": {blueberry.GrantEnvironmentsOperate, func(a blueberry.Actor) error { _, err := h.Redeploy(ctx, a, e.ID); return err }},
		"policy": {blueberry.GrantEnvironmentsOperate, func(a blueberry.Actor) error {
			_, err := h.SetSleepPolicy(ctx, a, e.ID, blueberry.SleepPolicy{}, 0)
			return err
		}},
		"extend link": {blueberry.GrantEnvironmentsExtend, func(a blueberry.Actor) error { _, err := h.ExtendLink(ctx, a, e.ID, 1); return err }},
		"ledger":      {blueberry.GrantEnvironmentsRead, func(a blueberry.Actor) error { _, err := h.WakeLedger(ctx, a, e.ID, 0, 1); return err }},
	}
	for name, v := range verbs {
		if v.grant != blueberry.GrantEnvironmentsRead {
			if err := v.do(who("other")); !errors.Is(err, blueberry.Forbidden) {
				t.Errorf("%s without %s: %v", name, v.grant, err)
			}
		}
		if err := v.do(blueberry.Actor{Name: "stranger"}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("%s by one who sees nothing: %v", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		if name == "wake" || name == "sleep" {
			continue
		}
		if err := verbs[name].do(who("operator", verbs[name].grant)); err != nil {
			t.Errorf("%s with its grant: %v", name, err)
		}
	}
}
