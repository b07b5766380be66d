package provision_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

func TestRemovalLeavesAReceiptAndAnArchive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		e := h.create(t, "pr-1", blueberry.Component{Name: "db", Image: "acme/db:1"}, blueberry.Component{Name: "web", Image: "acme/web:1"})
		h.until(t, e.ID, phase(blueberry.Ready))
		h.says(t, e, "hello")
		rev, err := h.Revision(ctx, admin, e.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Receipt(ctx, admin, e.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a receipt before the removal: %v", err)
		}
		e = h.destroy(t, e.ID)
		r := h.complete(t, e)
		h.nothingLeft(t, e)
		if r.By != "admin" || r.Reason != "DestroyRequested" || len(r.Notes) > 0 {
			t.Errorf("receipt by %q because %q, notes %v", r.By, r.Reason, r.Notes)
		}
		a, err := h.Archive(ctx, admin, e.ID)
		if err != nil || a.State != blueberry.ArchivedEnded || a.Receipt == nil || !a.LogsUntil.Equal(a.ArchivedAt.Add(blueberry.KeepLogs)) {
			t.Fatalf("archive %+v (%v)", a, err)
		}
		for _, f := range rev.Rendering.Files {
			if h.file(t, e.ID, "manifests/"+f.Name) != string(f.Content) {
				t.Errorf("archived manifest %s differs", f.Name)
			}
		}
		var record struct{ ID, Phase string }
		if err := json.Unmarshal([]byte(h.file(t, e.ID, "record.json")), &record); err != nil || record.ID != e.ID {
			t.Errorf("record.json of %+v (%v)", record, err)
		}
		if events := h.file(t, e.ID, "events.ndjson"); !strings.Contains(events, `"environment.destroy_requested"`) || !strings.Contains(events, `"environment.ready"`) {
			t.Errorf("events.ndjson says %s", events)
		}
		if got := h.lines(t, e.ID, target.LogQuery{Search: "HELLO"}); len(got) != 1 || got[0] != "hello" {
			t.Errorf("archived logs %q", got)
		}
		list, err := h.Archives(ctx, admin, blueberry.ArchiveQuery{Project: "default"})
		if err != nil || len(list) != 1 {
			t.Errorf("archives %v (%v)", list, err)
		}
		if n := h.told(t, e.ID); n[blueberry.EnvironmentArchived] != 1 || n[blueberry.EnvironmentTerminated] != 1 {
			t.Errorf("told %v", n)
		}
		if _, _, err := h.ArchiveFile(ctx, admin, e.ID, "../other/record.json"); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("a file that is none of the archive: %v", err)
		}
	})
}

func TestFinalizerIsNamedWithTheWayOut(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
	if err := h.place.Patch(service, []byte(`{"metadata": {"finalizers": ["acme.io/dns"]}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return strings.Contains(e.Message, "still there") })
	h.clock.add(6 * time.Second)
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == blueberry.CauseNamespaceGoing })
	if !strings.Contains(e.Message, "acme.io/dns") || !strings.Contains(e.Message, "Service "+e.Namespace+"/web") {
		t.Errorf("says %q", e.Message)
	}
	r, err := h.Receipt(t.Context(), admin, e.ID)
	if err != nil || len(r.Leftovers) == 0 || r.Leftovers[0].ObjectRef != service || r.Leftovers[0].Finalizers[0] != "acme.io/dns" || r.Leftovers[0].Fix == "" || !r.EndedAt.IsZero() {
		t.Fatalf("leftovers %+v (%v)", r.Leftovers, err)
	}
	why, err := h.Why(t.Context(), admin, e.ID)
	if err != nil || len(why.Causes) == 0 || why.Causes[0].Code != blueberry.CauseNamespaceGoing || why.Causes[0].Object != service {
		t.Errorf("why %+v (%v)", why.Causes, err)
	}
	if err := h.place.Patch(service, []byte(`{"metadata": {"finalizers": null}}`)); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	h.complete(t, e)
	h.nothingLeft(t, e)
	if n := h.told(t, e.ID)[blueberry.EnvironmentCauseFound]; n != 1 {
		t.Errorf("the cause was told %d times", n)
	}
}

func TestNamespaceDeletedByHand(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	namespace := blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace}
	if err := h.place.Delete(namespace); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		_, there := h.place.Labels(namespace)
		return there && e.Phase == blueberry.Ready && h.told(t, e.ID)[blueberry.EnvironmentDriftRepaired] > 0
	})
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	if err := h.place.Delete(namespace); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	h.complete(t, e)
	h.nothingLeft(t, e)
}

// TestGitGoneDuringRemoval: the target is empty, and the end waits for Git.
func TestGitGoneDuringRemoval(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.git.cut(true)
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause != "" })
	if e.Cause != blueberry.CauseGitUnreachable || e.Phase != blueberry.Terminating || len(h.place.Labelled(refTo(e))) > 0 {
		t.Errorf("%s because of %s, on the target %v", e.Phase, e.Cause, h.place.Labelled(refTo(e)))
	}
	r, err := h.Receipt(t.Context(), admin, e.ID)
	if err != nil || !r.EndedAt.IsZero() || len(r.Lines) == 0 {
		t.Errorf("receipt %+v (%v)", r, err)
	}
	h.git.cut(false)
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	h.complete(t, e)
	h.nothingLeft(t, e)
}

// TestTargetDownDuringRemoval: its logs are not given up while nothing could be removed anyway.
func TestTargetDownDuringRemoval(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	h.says(t, e, "before the outage")
	h.place.SetFaults(sim.Faults{Unreachable: true})
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == blueberry.CauseTargetUnreachable })
	h.clock.add(time.Hour)
	h.place.SetFaults(sim.Faults{})
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	h.complete(t, e)
	if got := h.lines(t, e.ID, target.LogQuery{}); len(got) != 1 {
		t.Errorf("archived logs %q", got)
	}
}

// TestAbandonedRemoval: what a dead target holds is named, not proven gone; all else is freed, and a scan of the target that comes back finds it.
func TestAbandonedRemoval(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		e := h.create(t, "pr-1")
		h.until(t, e.ID, phase(blueberry.Ready))
		if _, err := h.Abandon(ctx, admin, e.ID, "the cluster was deleted"); refusedWith(err) != "ENVIRONMENT_LIVES" {
			t.Errorf("abandoned while it lives: %v", err)
		}
		h.place.SetFaults(sim.Faults{Unreachable: true})
		if _, err := h.Destroy(ctx, admin, e.ID, "", 0); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == blueberry.CauseTargetUnreachable })
		if _, err := h.Abandon(ctx, admin, e.ID, ""); !errors.Is(err, blueberry.Invalid) {
			t.Errorf("abandoned without a reason: %v", err)
		}
		for range 2 { // asking twice is asking once
			if _, err := h.Abandon(ctx, admin, e.ID, "the cluster was deleted"); err != nil {
				t.Fatal(err)
			}
		}
		e = h.until(t, e.ID, phase(blueberry.Terminated))
		r, err := h.Receipt(ctx, admin, e.ID)
		if err != nil || r.EndedAt.IsZero() || r.Abandoned.By != "admin" || r.Abandoned.Reason != "the cluster was deleted" || len(r.Leftovers) == 0 || !slices.Contains(r.Notes, provision.NoteNoLogs) {
			t.Errorf("receipt %+v (%v)", r, err)
		}
		for _, l := range r.Lines {
			if (l.System == "git") == l.GoneAt.IsZero() {
				t.Errorf("%s %s: gone at %s by %q", l.System, l.Object, l.GoneAt, l.Control)
			}
		}
		if !strings.Contains(e.Message, "abandoned") || h.told(t, e.ID)[blueberry.EnvironmentAbandoned] != 1 {
			t.Errorf("it ended with %q, told %v", e.Message, h.told(t, e.ID))
		}
		if files, err := h.Repository.Files(ctx, gitops.Dir(e.Target, e.Project, e.Name)); err != nil || len(files) > 0 {
			t.Errorf("left in Git: %v (%v)", files, err)
		}
		if _, err := h.Abandon(ctx, admin, e.ID, "again"); err != nil {
			t.Errorf("abandoned again: %v", err)
		}
		h.place.SetFaults(sim.Faults{})
		if found := h.scan(t); len(found) != 1 || found[0].Namespace != e.Namespace || found[0].Kind != blueberry.OrphanObjects {
			t.Errorf("once the target is back a scan finds %+v", found)
		}
	})
}

// TestObjectsThatAreFull hold up a removal for ten minutes at its begin and at its end, and no longer.
func TestObjectsThatAreFull(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason  string
		patient bool // they are back in time
	}{
		"back in time": {"nothing is lost, and the receipt has no note", true},
		"never back":   {"the removal goes on, and the receipt says what is missing", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newArchiveHouse(t, storetest.SQLite(t))
			e := h.create(t, "pr-1")
			h.until(t, e.ID, phase(blueberry.Ready))
			h.says(t, e, "hello")
			h.bucket.fill(true)
			if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
				t.Fatal(err)
			}
			waits := func(word string) func(blueberry.Environment) bool {
				return func(e blueberry.Environment) bool { return strings.Contains(e.Message, word) }
			}
			e = h.until(t, e.ID, waits("to keep its logs"))
			if len(h.place.Labelled(refTo(e))) == 0 {
				t.Error("removed before its logs were kept")
			}
			if c.patient {
				h.bucket.fill(false)
				h.clock.add(9 * time.Minute)
				e = h.until(t, e.ID, phase(blueberry.Terminated))
				if r := h.complete(t, e); len(r.Notes) > 0 || len(h.lines(t, e.ID, target.LogQuery{})) != 1 {
					t.Errorf("%s: notes %v", c.reason, r.Notes)
				}
				return
			}
			h.clock.add(10 * time.Minute)
			e = h.until(t, e.ID, waits("for its archive"))
			if len(h.place.Labelled(refTo(e))) > 0 {
				t.Error("not removed though its logs were given up")
			}
			h.clock.add(10 * time.Minute)
			e = h.until(t, e.ID, phase(blueberry.Terminated))
			r, err := h.Receipt(t.Context(), admin, e.ID)
			if err != nil || len(r.Notes) != 2 || r.EndedAt.IsZero() {
				t.Errorf("%s: notes %q (%v)", c.reason, r.Notes, err)
			}
			if n := h.told(t, e.ID)[blueberry.EnvironmentBlocked]; n != 2 {
				t.Errorf("told %d times that it waits", n)
			}
		})
	}
}

// TestKillAtEveryStepOfARemoval: whatever line the process dies at, the next one ends the removal once, with a receipt that is whole.
func TestKillAtEveryStepOfARemoval(t *testing.T) {
	t.Parallel()
	steps := []string{
		provision.StepLogsKept, provision.StepStopped, provision.StepRemoving, provision.StepRemoved, provision.StepReceipted, provision.StepErased,
		provision.StepArchived, provision.StepTerminated,
	}
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		for i, step := range steps {
			e := h.create(t, fmt.Sprintf("pr-%d", i))
			h.through(t, e.ID, blueberry.Ready)
			h.says(t, e, "hello")
			if step == provision.StepRemoving { // something has to be left once
				service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
				if err := h.place.Patch(service, []byte(`{"metadata": {"finalizers": ["acme.io/dns"]}}`)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
				t.Fatal(err)
			}
			died := h.killAt(step, 1)
			if step == provision.StepRemoving {
				err := h.survive(func() error {
					_, err := h.Reconcile(t.Context(), blueberry.Job{Subject: e.ID})
					return err
				})
				if !errors.Is(err, errKilled) {
					t.Fatalf("not killed at %s: %v", step, err)
				}
				service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
				if err := h.place.Patch(service, []byte(`{"metadata": {"finalizers": null}}`)); err != nil {
					t.Fatal(err)
				}
			}
			e = h.through(t, e.ID, blueberry.Terminated)
			if !died() {
				t.Errorf("was not killed at %s", step)
			}
			h.complete(t, e)
			if n := h.told(t, e.ID); n[blueberry.EnvironmentTerminated] != 1 || n[blueberry.EnvironmentArchived] != 1 {
				t.Errorf("killed at %s: told %v", step, n)
			}
			if got := h.lines(t, e.ID, target.LogQuery{}); len(got) != 1 {
				t.Errorf("killed at %s: archived logs %q", step, got)
			}
		}
		h.AtStep = nil
		list, err := h.Archives(t.Context(), admin, blueberry.ArchiveQuery{})
		if err != nil || len(list) != len(steps) {
			t.Errorf("%d archives (%v)", len(list), err)
		}
	})
}

// TestTwoOperatorsOnOneEnvironment destroy, change and make it again at once: every request has a clear answer, and the end is whole.
func TestTwoOperatorsOnOneEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		e := h.create(t, "pr-1")
		h.until(t, e.ID, phase(blueberry.Ready))
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if _, err := h.Destroy(ctx, admin, e.ID, "", 0); err != nil {
					t.Errorf("destroy: %v", err)
				}
			})
			wg.Go(func() {
				_, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Blueprint: &blueberry.Blueprint{
					Name: "shop", Components: []blueberry.Component{{Name: "web", Image: fmt.Sprintf("acme/web:%d", i+2)}},
				}}})
				var refused *blueberry.Error
				if err != nil && (!errors.As(err, &refused) || refused.Kind != blueberry.Conflict) {
					t.Errorf("change: %v", err)
				}
			})
			wg.Go(func() {
				if _, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{}); !errors.Is(err, blueberry.Conflict) && !errors.Is(err, blueberry.Invalid) {
					t.Errorf("undo: %v", err)
				}
			})
		}
		wg.Wait()
		e = h.until(t, e.ID, phase(blueberry.Terminated))
		h.complete(t, e)
		h.nothingLeft(t, e)
		var made int
		var mu sync.Mutex
		for range 5 {
			wg.Go(func() {
				_, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
				} else if got := faultsOf(err); len(got) != 1 || got[0] != "name taken" {
					t.Errorf("undo: %v", err)
				}
			})
		}
		wg.Wait()
		if made != 1 {
			t.Errorf("made again %d times", made)
		}
	})
}

// TestFailedEnvironmentIsArchived: its logs are kept as they were, and can be read when its pods are gone.
func TestFailedEnvironmentIsArchived(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/broken:1"})
	h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Started).Status == blueberry.False
	})
	h.says(t, e, "cannot start")
	h.clock.add(blueberry.ReadinessGrace)
	h.takeEnqueued()
	e = h.until(t, e.ID, phase(blueberry.Failed))
	if jobs := strings.Join(h.takeEnqueued(), " "); !strings.Contains(jobs, "environment.archive "+e.ID) {
		t.Fatalf("enqueued %s", jobs)
	}
	for range 2 { // a job may run twice
		if _, err := h.ArchiveFailed(ctx, blueberry.Job{Subject: e.ID}); err != nil {
			t.Fatal(err)
		}
	}
	a, err := h.Archive(ctx, admin, e.ID)
	if err != nil || a.State != blueberry.ArchivedFailed || a.Receipt != nil || a.LogsUntil.IsZero() {
		t.Fatalf("archive %+v (%v)", a, err)
	}
	if got := h.lines(t, e.ID, target.LogQuery{Component: "web"}); len(got) != 1 || got[0] != "cannot start" {
		t.Errorf("logs %q", got)
	}
	e = h.destroy(t, e.ID)
	h.complete(t, e)
	h.nothingLeft(t, e)
	if a, err = h.Archive(ctx, admin, e.ID); err != nil || a.State != blueberry.ArchivedEnded {
		t.Errorf("archive %+v (%v)", a, err)
	}
}
