package provision_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// plainDriver is a driver without any ability beyond its port.
type plainDriver struct{ target.Driver }

// movingPlaces are places that come and go.
type movingPlaces struct {
	mu      sync.Mutex
	of      map[string]provision.Place
	changed chan struct{}
}

func (m *movingPlaces) Place(name string) (provision.Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return provision.FixedPlaces(m.of).Place(name)
}

func (m *movingPlaces) All() []provision.Place {
	m.mu.Lock()
	defer m.mu.Unlock()
	return provision.FixedPlaces(m.of).All()
}

func (m *movingPlaces) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *movingPlaces) set(places ...provision.Place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of = map[string]provision.Place{}
	for _, p := range places {
		m.of[p.Name] = p
	}
	if m.changed != nil {
		close(m.changed)
	}
	m.changed = make(chan struct{})
}

// watchedDriver tells how many watches it has.
type watchedDriver struct {
	target.Driver
	mu   *sync.Mutex
	open *int
}

func (d watchedDriver) Watch(ctx context.Context, changed func(target.Ref)) error {
	count := func(n int) { d.mu.Lock(); *d.open += n; d.mu.Unlock() }
	count(1)
	defer count(-1)
	return d.Driver.Watch(ctx, changed)
}

// TestWatchesComeAndGoWithPlaces, and everything on a place that is replaced is looked at.
func TestWatchesComeAndGoWithPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	opened := func() (provision.Place, func() int) {
		d := watchedDriver{sim.Driver{Place: h.place}, &sync.Mutex{}, new(int)}
		return provision.Place{Target: blueberry.Target{Name: "local", Driver: "sim", Domain: "localhost"}, Driver: d}, func() int {
			d.mu.Lock()
			defer d.mu.Unlock()
			return *d.open
		}
	}
	places := &movingPlaces{}
	places.set()
	h.Places = places
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	eventually := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never: %s", what)
			}
		}
	}
	looked := func() bool { return slices.Contains(h.takeEnqueued(), "environment.reconcile "+e.ID) }
	first, firstOpen := opened()
	h.takeEnqueued()
	places.set(first)
	eventually("a place that comes is followed", func() bool { return firstOpen() == 1 })
	eventually("its environments are looked at", looked)
	second, secondOpen := opened()
	places.set(second)
	eventually("a place that is replaced is left", func() bool { return firstOpen() == 0 })
	eventually("the one instead is followed", func() bool { return secondOpen() == 1 })
	eventually("its environments are looked at again", looked)
	places.set()
	eventually("a place that goes is left", func() bool { return secondOpen() == 0 })
	stop()
	<-done
}

// delivering is a place that takes manifests from Git by itself, and refuses what it is told to.
type delivering struct {
	target.Driver
	mu     *sync.Mutex
	refuse *error
	moved  *int
}

func (d delivering) Admit(context.Context, target.Desired) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.refuse
}

func (d delivering) Files(ref target.Ref, ignore []blueberry.DriftIgnore) map[string][]byte {
	text := "kind: Application\n"
	for _, i := range ignore {
		text += "# left to others: " + i.Path + "\n"
	}
	return map[string][]byte{"apps/" + ref.Project + "-" + ref.Environment + ".yaml": []byte(text)}
}

func (d delivering) Moved(context.Context, target.Ref) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	*d.moved++
	return nil
}

func newDelivering(h *house) delivering {
	return delivering{sim.Driver{Place: h.place}, &sync.Mutex{}, new(error), new(int)}
}

const applicationFile = "apps/default-pr-1.yaml"

func (h *archiveHouse) inGit(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := h.git.Files(t.Context(), "targets/local")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDeliveryThroughGit: what a place needs beside the manifests comes with them, follows the drift policy, and goes first.
func TestDeliveryThroughGit(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	d := newDelivering(h.house)
	place := provision.Place{Target: blueberry.Target{Name: "local", Driver: "argocd", Domain: "localhost"}, Driver: d}
	h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
	*d.refuse = blueberry.Errorf(blueberry.Conflict, "OBJECT_TAKEN", "Service default-pr-1/web belongs to someone else")
	e := h.create(t, "pr-1")
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Cause == blueberry.CauseObjectTaken })
	if files := h.inGit(t); len(files) > 0 || e.Commit != "" {
		t.Errorf("committed though the place does not take it: %v", slices.Collect(maps.Keys(files)))
	}
	d.mu.Lock()
	*d.refuse = nil
	d.mu.Unlock()
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if e.HeldBy != "argocd" || e.Cause != "" || len(h.inGit(t)[applicationFile]) == 0 || *d.moved != 1 {
		t.Errorf("held by %q, cause %q, Git has %v, told %d times", e.HeldBy, e.Cause, slices.Collect(maps.Keys(h.inGit(t))), *d.moved)
	}
	policy := blueberry.DriftPolicy{Mode: blueberry.DriftRepair, Ignore: []blueberry.DriftIgnore{{Kind: "Deployment", Name: "web", Path: "spec.replicas"}}}
	if _, err := h.SetDriftPolicy(ctx, admin, e.ID, policy, 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(blueberry.Environment) bool {
		return strings.Contains(string(h.inGit(t)[applicationFile]), "spec.replicas")
	})

	service := blueberry.ObjectRef{APIVersion: "v1", Kind: "Service", Namespace: e.Namespace, Name: "web"}
	if err := h.place.Patch(service, []byte(`{"metadata": {"finalizers": ["acme.io/dns"]}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Destroy(ctx, admin, e.ID, "", 0); err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, func(e blueberry.Environment) bool { return strings.Contains(e.Message, "still there") })
	if files := h.inGit(t); len(files[applicationFile]) > 0 || len(files) == 0 {
		t.Errorf("while something is left Git has %v", slices.Collect(maps.Keys(files)))
	}
	if err := h.place.Patch(service, []byte(`{"metadata": {"finalizers": null}}`)); err != nil {
		t.Fatal(err)
	}
	e = h.until(t, e.ID, phase(blueberry.Terminated))
	h.complete(t, e)
	h.nothingLeft(t, e)
}

// TestMoveOfATargetBetweenDrivers: there and back, nothing that runs is touched, and no file of the other is left in Git.
func TestMoveOfATargetBetweenDrivers(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	e = h.until(t, e.ID, phase(blueberry.Ready))
	if e.HeldBy != "sim" {
		t.Errorf("held by %q", e.HeldBy)
	}
	before := h.place.Labelled(refTo(e))
	d := newDelivering(h.house)
	place := provision.Place{Target: blueberry.Target{Name: "local", Driver: "argocd", Domain: "localhost"}, Driver: d}
	h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
	e = h.until(t, e.ID, func(e blueberry.Environment) bool {
		return e.HeldBy == "argocd" && len(h.inGit(t)[applicationFile]) > 0
	})
	if n := h.told(t, e.ID); e.Phase != blueberry.Ready || n[blueberry.EnvironmentHandedOver] != 1 {
		t.Errorf("it is %s; told %v", e.Phase, n)
	}

	released := 0
	place.Target.Driver, place.Driver, place.Former = "sim", sim.Driver{Place: h.place}, d
	place.Release = func(context.Context, target.Ref) error {
		if released++; len(h.inGit(t)[applicationFile]) > 0 {
			t.Error("let go while its file is in Git")
		}
		if released == 1 {
			return blueberry.Errorf(blueberry.Unavailable, "ARGO_UNREACHABLE", "Argo CD does not answer")
		}
		return nil
	}
	h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
	if out, err := h.Reconcile(ctx, blueberry.Job{Subject: e.ID}); err != nil || out.Again == 0 {
		t.Errorf("looks again after %s (%v)", out.Again, err)
	}
	if e, err := h.Get(ctx, admin, e.ID); err != nil || e.HeldBy != "argocd" || e.Cause != blueberry.CauseArgoUnreachable {
		t.Errorf("held by %q, cause %q (%v)", e.HeldBy, e.Cause, err)
	}
	e = h.until(t, e.ID, func(e blueberry.Environment) bool { return e.HeldBy == "sim" && e.Cause == "" })
	if n := h.told(t, e.ID); e.Phase != blueberry.Ready || released != 2 || n[blueberry.EnvironmentHandedOver] != 2 || n[blueberry.EnvironmentDriftRepaired] != 0 {
		t.Errorf("it is %s, let go %d times; told %v", e.Phase, released, n)
	}
	if after := h.place.Labelled(refTo(e)); len(after) != len(before) {
		t.Errorf("%d objects before, %d after", len(before), len(after))
	}
	e = h.destroy(t, e.ID)
	h.nothingLeft(t, e)
}

// shelling is a driver whose shells say what they were asked for.
type shelling struct {
	target.Driver
	fail error
}

func (d shelling) Shell(_ context.Context, _ target.Ref, s target.ShellRequest) (int, error) {
	if d.fail != nil {
		return 0, d.fail
	}
	s.Opened("web-0", "app")
	_, err := io.WriteString(s.Stdout, strings.Join(s.Command, " "))
	return 3, err
}

func TestShellIsAudited(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.create(t, "pr-1")
	h.until(t, e.ID, phase(blueberry.Ready))
	var out strings.Builder
	ask := target.ShellRequest{Component: "web", Command: []string{"sh", "-c", "ls"}, Stdout: &out}
	if _, err := h.Shell(ctx, admin, e.ID, ask); refusedWith(err) != "TARGET_CANNOT_RUN_COMMANDS" {
		t.Errorf("of a driver that cannot: %v", err)
	}
	place, err := h.Places.Place("local")
	if err != nil {
		t.Fatal(err)
	}
	place.Driver = shelling{Driver: place.Driver}
	h.Places = provision.FixedPlaces(map[string]provision.Place{"local": place})
	h.mu.Lock()
	h.audit = nil
	h.mu.Unlock()
	exit, err := h.Shell(ctx, admin, e.ID, ask)
	if err != nil || exit != 3 || out.String() != "sh -c ls" {
		t.Fatalf("exit code %d, said %q (%v)", exit, out.String(), err)
	}
	h.mu.Lock()
	audit := h.audit
	h.mu.Unlock()
	if len(audit) != 2 || !strings.Contains(audit[0].Detail, "component web") || !strings.Contains(audit[0].Detail, "sh -c ls") ||
		!strings.Contains(audit[1].Detail, "container app of pod web-0") || !strings.Contains(audit[1].Detail, "exit code 3") || audit[1].Action != "environments:exec" {
		t.Errorf("audit %+v", audit)
	}
	if n := h.told(t, e.ID); n[blueberry.EnvironmentShellOpened] != 1 || n[blueberry.EnvironmentShellClosed] != 1 {
		t.Errorf("told %v", n)
	}
	reader := blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_2", Name: "reader", Grants: []blueberry.Grant{blueberry.GrantEnvironmentsRead}}
	if _, err := h.Shell(ctx, reader, e.ID, ask); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("without the grant: %v", err)
	}
	if _, err := h.Sleep(ctx, admin, e.ID, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Shell(ctx, admin, e.ID, ask); refusedWith(err) != "ENVIRONMENT_ASLEEP" {
		t.Errorf("asleep: %v", err)
	}
}
