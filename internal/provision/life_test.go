package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

func TestLifeOfAnEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		e := h.create(t, "pr-1", blueberry.Component{Name: "db", Image: "acme/db:1"}, blueberry.Component{Name: "web", Image: "acme/web:1", Wave: 1})
		if e.Phase != blueberry.Pending || e.Namespace != "default-pr-1" || e.Revision != 1 || e.Owner != "admin" || len(h.takeEnqueued()) != 1 {
			t.Errorf("accepted as %+v", e)
		}
		e = h.until(t, e.ID, phase(blueberry.Ready))
		for _, c := range e.Conditions {
			if c.Status != blueberry.True {
				t.Errorf("ready, but %s is %s: %s", c.Type, c.Status, c.Message)
			}
		}
		rev, err := h.Revision(t.Context(), admin, e.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		files, err := h.git.Files(t.Context(), gitops.Dir("local", "default", "pr-1"))
		if err != nil || len(files) != len(rev.Rendering.Files) || rev.Commit != e.Commit {
			t.Fatalf("Git holds %d files, the rendering has %d; commits %s and %s (%v)", len(files), len(rev.Rendering.Files), rev.Commit, e.Commit, err)
		}
		for _, f := range rev.Rendering.Files {
			if !bytes.Equal(files[f.Name], f.Content) {
				t.Errorf("%s in Git differs from the rendering", f.Name)
			}
		}
		if again, err := h.Reconcile(t.Context(), blueberry.Job{Subject: e.ID}); err != nil || again.Again != 0 {
			t.Errorf("a settled environment wants to be looked at again after %v (%v)", again.Again, err)
		}

		for range 2 { // asking twice is asking once
			if e, err = h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil || e.Phase != blueberry.Terminating {
				t.Fatalf("destroy: %s %v", e.Phase, err)
			}
		}
		e = h.until(t, e.ID, phase(blueberry.Terminated))
		if left := h.place.Labelled(target.Ref{Project: "default", Environment: "pr-1", Namespace: "default-pr-1"}); len(left) > 0 {
			t.Errorf("left on the place: %v", left)
		}
		if files, err := h.git.Files(t.Context(), gitops.Dir("local", "default", "pr-1")); err != nil || len(files) > 0 {
			t.Errorf("left in Git: %d files (%v)", len(files), err)
		}
		receipt, err := h.Objects(t.Context(), admin, e.ID)
		if err != nil || len(receipt) != rev.Rendering.Count() {
			t.Fatalf("receipt of %d objects, the rendering has %d (%v)", len(receipt), rev.Rendering.Count(), err)
		}
		for _, l := range receipt {
			if l.GoneAt.IsZero() {
				t.Errorf("the receipt does not say that %s is gone", l.ObjectRef)
			}
		}
		want := map[blueberry.EventType]int{
			blueberry.EnvironmentRequested: 1, blueberry.EnvironmentProvisioning: 1, blueberry.EnvironmentCommitted: 1, blueberry.EnvironmentSynced: 1,
			blueberry.EnvironmentReady: 1, blueberry.EnvironmentDestroyAsked: 1, blueberry.EnvironmentTerminated: 1,
		}
		if diff := cmp.Diff(want, h.told(t, e.ID)); diff != "" {
			t.Errorf("events -want +got\n%s", diff)
		}
		h.create(t, "pr-1") // the name is free again
	})
}

func TestDriftIsRepairedAndTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
	if err := h.place.Delete(service); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(blueberry.Environment) bool { return h.told(t, e.ID)[blueberry.EnvironmentDriftRepaired] == 1 })
	if _, there := h.place.Labels(service); !there {
		t.Error("the service was not put back")
	}
}

func TestTargetThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.place.SetFaults(sim.Faults{Unreachable: true})
	e := h.create(t, "pr-1")
	blocked := func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Synced).Reason == blueberry.ReasonTargetUnavailable
	}
	for range 3 {
		e = h.until(t, e.ID, blocked)
	}
	if n := h.told(t, e.ID)[blueberry.EnvironmentBlocked]; n != 1 || e.Phase != blueberry.Provisioning {
		t.Errorf("told %d times, phase %s", n, e.Phase)
	}
	h.place.SetFaults(sim.Faults{})
	h.until(t, e.ID, phase(blueberry.Ready))
	if n := h.told(t, e.ID)[blueberry.EnvironmentUnblocked]; n != 1 {
		t.Errorf("told %d times that it goes on", n)
	}

	h.place.SetFaults(sim.Faults{Unreachable: true})
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	if e = h.until(t, e.ID, blocked); e.Phase != blueberry.Terminating {
		t.Errorf("nothing is proven, yet it is %s", e.Phase)
	}
	h.place.SetFaults(sim.Faults{})
	h.until(t, e.ID, phase(blueberry.Terminated))
}

func TestRepositoryThatIsDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.git.cut(true)
	e := h.create(t, "pr-1")
	e = h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Committed).Reason == blueberry.ReasonRepositoryUnavailable
	})
	if ledger, err := h.Objects(t.Context(), admin, e.ID); err != nil || len(ledger) != 0 {
		t.Errorf("nothing may be asked of the target before Git holds it; ledger %v (%v)", ledger, err)
	}
	h.git.cut(false)
	h.until(t, e.ID, phase(blueberry.Ready))
	h.git.cut(true)
	if _, err := h.Destroy(t.Context(), admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Committed).Reason == blueberry.ReasonRepositoryUnavailable
	})
	if e.Phase != blueberry.Terminating {
		t.Errorf("Git still has the files, yet it is %s", e.Phase)
	}
	h.git.cut(false)
	h.until(t, e.ID, phase(blueberry.Terminated))
}

func TestBrokenImage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1", blueberry.Component{Name: "web", Image: "acme/broken:1"})
	e = h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.Started).Reason == "ImagePullBackOff"
	})
	if e.Phase != blueberry.Provisioning {
		t.Errorf("within the grace it is %s", e.Phase)
	}
	if wait := e.DeadlineAt.Sub(h.clock.now()); wait <= 0 || wait > blueberry.ReadinessGrace {
		t.Errorf("looks again in %s; the grace is %s", wait, blueberry.ReadinessGrace)
	}
	h.clock.add(blueberry.ReadinessGrace)
	e = h.until(t, e.ID, phase(blueberry.Failed))
	if e.Reason != "ImagePullBackOff" || !strings.Contains(e.Message, "web") {
		t.Errorf("failed because %s: %s", e.Reason, e.Message)
	}
	h.place.HealPods(target.Ref{Project: "default", Environment: "pr-1", Namespace: e.Namespace}, "web")
	h.until(t, e.ID, phase(blueberry.Ready))
	if h.told(t, e.ID)[blueberry.EnvironmentRecovered] != 1 {
		t.Error("its recovery was not told once")
	}
}

func TestPodsThatCrashDegrade(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	ref := target.Ref{Project: "default", Environment: "pr-1", Namespace: e.Namespace}
	h.place.FailPods(ref, "web", "CrashLoopBackOff")
	e = h.until(t, e.ID, func(e blueberry.Environment) bool {
		return blueberry.GetCondition(e.Conditions, blueberry.IsReady).Status == blueberry.False
	})
	if e.Phase != blueberry.Ready {
		t.Errorf("a warning is no failure, yet it is %s", e.Phase)
	}
	h.clock.add(blueberry.ReadinessGrace)
	h.until(t, e.ID, phase(blueberry.Degraded))
	h.place.HealPods(ref, "web")
	h.until(t, e.ID, phase(blueberry.Ready))
}

func TestLeases(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	e = h.until(t, e.ID, phase(blueberry.Ready))
	h.takeEnqueued()

	h.clock.add(24*time.Hour - time.Microsecond)
	e = h.until(t, e.ID, func(blueberry.Environment) bool { return true })
	if e.Phase != blueberry.Ready {
		t.Fatalf("a microsecond early it is %s", e.Phase)
	}
	e, err := h.Extend(ctx, admin, e.ID, 2, 0)
	if err != nil || !e.Lease.ExpiresAt.Equal(e.CreatedAt.Add(26*time.Hour)) {
		t.Fatalf("extended to %s: %v", e.Lease.ExpiresAt, err)
	}
	if _, err := h.Extend(ctx, admin, e.ID, 1, e.Version-1); !errors.Is(err, blueberry.PreconditionFailed) {
		t.Errorf("an old version was taken: %v", err)
	}
	if _, err := h.Extend(ctx, admin, e.ID, 169, 0); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("169 hours were taken: %v", err)
	}
	h.clock.add(2*time.Hour + time.Microsecond)
	due, err := dueNow(ctx, h)
	if err != nil || len(due) != 1 || due[0] != e.ID {
		t.Fatalf("due %v, %v", due, err)
	}
	if _, err := h.Extend(ctx, admin, e.ID, 1, 0); !errors.Is(err, blueberry.Conflict) {
		t.Errorf("a lease that is over was extended: %v", err)
	}
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	if e.Reason != "LeaseExpired" || h.told(t, e.ID)[blueberry.EnvironmentExpired] != 1 {
		t.Errorf("ended because %s", e.Reason)
	}
	if due, err := dueNow(ctx, h); err != nil || len(due) != 0 {
		t.Errorf("still due: %v, %v", due, err)
	}
}

func dueNow(ctx context.Context, h *house) (ids []string, err error) {
	now := h.clock.now()
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		ids, err = tx.ClaimDueEnvironments(ctx, now, now.Add(time.Minute), 10)
		return err
	})
	return ids, err
}

// TestNothingIsStuckInProvisioning: not even while the target is down.
func TestNothingIsStuckInProvisioning(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.place.SetFaults(sim.Faults{Unreachable: true})
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Provisioning))
	h.clock.add(blueberry.ProvisionBudget)
	if due, err := dueNow(t.Context(), h); err != nil || len(due) != 1 {
		t.Errorf("due %v, %v", due, err)
	}
	e = h.until(t, e.ID, phase(blueberry.Failed))
	if e.Reason != "ProvisioningTimeout" || h.told(t, e.ID)[blueberry.EnvironmentFailed] != 1 {
		t.Errorf("failed because %s", e.Reason)
	}
}

// TestReadyAfterAnOutage: a ready environment whose target was away says so, and no longer when it is back.
func TestReadyAfterAnOutage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	synced := func(want blueberry.Status) func(blueberry.Environment) bool {
		return func(e blueberry.Environment) bool {
			return blueberry.GetCondition(e.Conditions, blueberry.Synced).Status == want
		}
	}
	h.place.SetFaults(sim.Faults{Unreachable: true})
	if e = h.until(t, e.ID, synced(blueberry.False)); e.Phase != blueberry.Ready {
		t.Errorf("nothing is known of its pods, yet it is %s", e.Phase)
	}
	h.clock.add(time.Hour)
	h.place.SetFaults(sim.Faults{})
	if e = h.until(t, e.ID, synced(blueberry.True)); e.Phase != blueberry.Ready {
		t.Errorf("it is %s", e.Phase)
	}
	if n := h.told(t, e.ID); n[blueberry.EnvironmentUnblocked] != 1 || n[blueberry.EnvironmentDegraded] != 0 {
		t.Errorf("told %v", n)
	}
}

// TestRepairsRest: another hand that keeps undoing what we repair gets a few repairs at once, then one a minute.
func TestRepairsRest(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
	for range 10 {
		_ = h.place.Delete(service) // it is gone from the fifth repair on
		h.until(t, e.ID, func(blueberry.Environment) bool { return true })
	}
	if n := h.told(t, e.ID)[blueberry.EnvironmentDriftRepaired]; n != 5 {
		t.Errorf("%d repairs at once, want 5", n)
	}
	h.clock.add(time.Minute)
	h.until(t, e.ID, func(blueberry.Environment) bool { return h.told(t, e.ID)[blueberry.EnvironmentDriftRepaired] == 6 })
}

func TestOneNameOneEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		var wg sync.WaitGroup
		var mu sync.Mutex
		accepted := 0
		for range 20 {
			wg.Go(func() {
				_, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: "same", Hours: 1, Wish: provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}}}}})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					accepted++
				} else if diff := cmp.Diff([]string{"name taken"}, faultsOf(err)); diff != "" {
					t.Errorf("refused with %v", err)
				}
			})
		}
		wg.Wait()
		if accepted != 1 {
			t.Errorf("%d environments of one name", accepted)
		}
	})
}

// TestNamespaceOfTwoProjects: project "a-b" and name "c" would share a namespace with project "a" and name "b-c".
func TestNamespaceOfTwoProjects(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	err := h.store.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutProject(t.Context(), blueberry.Project{Name: "a"}), tx.PutProject(t.Context(), blueberry.Project{Name: "a-b"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	create := func(project, name string) error {
		_, err := h.Create(t.Context(), admin, provision.CreateRequest{Project: project, Name: name, Hours: 1, Wish: provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}}}}})
		return err
	}
	if err := create("a-b", "c"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"name taken"}, faultsOf(create("a", "b-c"))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestRefusedWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.create(t, "there")
	blueprint := func(c ...blueberry.Component) provision.Wish {
		return provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: c}}
	}
	repository := func(url, path string) provision.Wish {
		w := provision.Wish{Repository: &url}
		if path != "" {
			w.Path = &path
		}
		return w
	}
	web := blueberry.Component{Name: "web", Image: "acme/web:1"}
	for reason, c := range map[string]struct {
		r    provision.CreateRequest
		want []string
	}{
		"from the repository": {provision.CreateRequest{Name: "ok", Hours: 1, Wish: repository("https://git.example.com/shop.git", "")}, nil},
		"nothing to make":     {provision.CreateRequest{Name: "x", Hours: 1}, []string{"source.repository required"}},
		"everything at once": {
			provision.CreateRequest{Name: "Bad", Project: "none", Target: "moon", Hours: 169, Wish: repository("https://git.example.com/none.git", "")},
			[]string{"name pattern", "ttl_hours range", "target unknown", "project unknown", "source.repository repository_not_found"},
		},
		"request and blueprint": {
			provision.CreateRequest{Name: "there", Hours: -1, Wish: blueprint(blueberry.Component{Name: "web", Image: "acme/web"}, web)},
			[]string{"ttl_hours range", "name taken", "blueprint.components[1].name duplicate", "blueprint.components[0].image image_unpinned"},
		},
		"values against the schema":    {provision.CreateRequest{Name: "x", Hours: 1, Wish: blueprint(blueberry.Component{Name: "web", Image: "acme/web:1", Values: map[string]any{"replicas": "many", "colour": "red"}})}, []string{"blueprint.components[0].values.colour", "blueprint.components[0].values.replicas"}},
		"charts without a repository":  {provision.CreateRequest{Name: "x", Hours: 1, Wish: blueprint(blueberry.Component{Name: "db", Chart: "charts/db"})}, []string{"source.repository required"}},
		"a path out of the repository": {provision.CreateRequest{Name: "x", Hours: 1, Wish: repository("https://git.example.com/shop.git", "../etc/passwd")}, []string{"source.path path"}},
		"no blueprint there":           {provision.CreateRequest{Name: "x", Hours: 1, Wish: repository("https://git.example.com/shop.git", "other.yaml")}, []string{"source.path blueprint_not_found"}},
	} {
		before := h.count(t)
		_, err := h.Create(t.Context(), admin, c.r)
		got := faultsOf(err)
		if len(got) != len(c.want) || len(c.want) == 0 && err != nil {
			t.Errorf("%s: faults %v, want %v (%v)", reason, got, c.want, err)
		}
		for _, w := range c.want {
			if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+w) {
				t.Errorf("%s: %q is not among %v", reason, w, got)
			}
		}
		if len(c.want) > 0 && h.count(t) != before {
			t.Errorf("%s: something was stored", reason)
		}
	}
}

// count is everything that a create could leave behind.
func (h *house) count(t *testing.T) string {
	t.Helper()
	page, err := h.List(t.Context(), admin, blueberry.EnvironmentQuery{Limit: 100, Sort: blueberry.SortByName})
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.Events(t.Context(), admin, blueberry.EventQuery{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("%d environments, %d events, %d jobs", len(page.Items), len(events), len(h.enqueued))
}

// TestPrune: what an earlier revision made and the desired one does not hold is removed, and the ledger says when.
func TestPrune(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1", blueberry.Component{Name: "db", Image: "acme/db:1"}, blueberry.Component{Name: "web", Image: "acme/web:1"})
	e = h.until(t, e.ID, phase(blueberry.Ready))
	smaller := provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}}}}
	if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: smaller}); err != nil {
		t.Fatal(err)
	}
	gone := func() (db int) {
		list, err := h.Objects(ctx, admin, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if l.Component == "db" && !l.GoneAt.IsZero() {
				db++
			}
		}
		return db
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Synced == 2 && gone() > 0 })
	if _, there := h.place.Labels(blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "db"}); there {
		t.Error("the old deployment is still there")
	}
}
