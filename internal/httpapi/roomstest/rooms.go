package roomstest

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/generic"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Rooms is the operations behind the door. Whoever comes into httpapitest.House may come in here, and whoever has a credential of Rights.
type Rooms struct {
	*Outside
	*Rights
	Provisioner *provision.Provisioner
	Fleet       *fleet.Fleet
	Catalog     *catalog.Catalog
	Sources     *source.Repositories // of repositories on a generic host
	Place       *sim.Place           // of the target "local"

	Subscriptions *notify.Subscriptions
	Receivers     *Receivers // of what subscriptions send
	Failing       *Failing   // makes jobs that fail

	// Shell, if set before the first call, is what a command in a container does. Else it says nothing and ends with 0.
	Shell func(ctx context.Context, r target.ShellRequest) (int, error)

	passed atomic.Int64 // nanoseconds, see Pass

	house *httpapitest.House
	queue *jobs.Queue
	feed  *feed
}

// Open builds the rooms and lets their jobs run until the test ends.
func Open(t testing.TB) *Rooms {
	t.Helper()
	ctx := t.Context()
	s := storetest.SQLite(t)
	dir, discard := t.TempDir(), slog.New(slog.DiscardHandler)
	repository, err := gitops.Open(ctx, gitops.Config{Dir: filepath.Join(dir, "gitops.git")})
	must(t, err)
	ring, err := keys.Open(filepath.Join(dir, "signing.pem"))
	must(t, err)
	r := &Rooms{
		Outside: newOutside(), house: httpapitest.New(), feed: newFeed(s),
		Rights: openRights(t, s, ring, dir),
		Place:  sim.NewPlace(sim.Config{Schedule: time.Millisecond, Start: time.Millisecond, Ready: time.Millisecond}),
	}
	local := blueberry.Target{Name: "local", Driver: "sim", Domain: httpapitest.Domain}
	r.Provisioner = &provision.Provisioner{
		Record: record[provision.Tx]{s, func(tx *store.Tx) provision.Tx { return tx }}, Sources: provisionSources{r.Outside}, Repository: repository, Signer: ring,
		Places: provision.FixedPlaces(map[string]provision.Place{local.Name: {Target: local, Driver: driver{sim.Driver{Place: r.Place}, r}}}), Default: local.Name, Now: r.now, Logger: discard,
	}
	r.Catalog = &catalog.Catalog{
		Record: record[catalog.Tx]{s, func(tx *store.Tx) catalog.Tx { return tx }}, Sources: catalogSources{r.Outside},
		Places: func(string) catalog.Place { return catalog.Place{Domain: local.Domain} }, Now: time.Now, Logger: discard,
	}
	r.Provisioner.Bucket, r.Provisioner.PublicURL = r.bucket, PublicURL
	r.Fleet = &fleet.Fleet{
		Record: record[fleet.Tx]{s, func(tx *store.Tx) fleet.Tx { return tx }}, Seal: r.keyset, Drivers: []string{"sim"}, Now: time.Now, Logger: discard,
		Open: func(context.Context, blueberry.Target) (fleet.Driver, error) {
			return driver{sim.Driver{Place: r.Place}, r}, nil
		},
	}
	r.Sources = &source.Repositories{
		Record: record[source.Tx]{s, func(tx *store.Tx) source.Tx { return tx }}, Seal: r.keyset, Environments: pullEnvironments{r.Provisioner, s}, Followers: r.Provisioner,
		Hosts: map[blueberry.HostKind]source.Host{blueberry.HostGeneric: generic.Host{}}, PublicURL: PublicURL, Now: time.Now,
	}
	r.openSubscriptions(s)
	r.Failing = &Failing{store: s}
	kind := func(work func(context.Context, blueberry.Job) (blueberry.JobOutcome, error)) jobs.Kind {
		return jobs.Kind{Work: work, Timeout: time.Minute, MaxAttempts: 25}
	}
	r.queue, err = jobs.Open(ctx, jobs.Config{
		DB: s.DB(), ReadDB: s.ReadDB(), Dialect: s.Dialect(), Logger: discard, MaxWorkers: 2,
		Workers: map[blueberry.JobKind]jobs.Kind{
			blueberry.JobEnvironmentReconcile: kind(r.Provisioner.Reconcile), blueberry.JobEnvironmentFollow: kind(r.Provisioner.Follow),
			blueberry.JobEnvironmentSources: kind(r.Provisioner.FollowSources), blueberry.JobSourceMoved: kind(r.Sources.SourceMoved),
			blueberry.JobConfigPublished: kind(r.Provisioner.ConfigPublished), blueberry.JobBlueprintPublished: kind(r.Provisioner.BlueprintPublished),
			blueberry.JobUserInvite: kind(r.Accounts.SendInvitation), blueberry.JobUserReset: kind(r.SignIn.SendReset),
			blueberry.JobEmergencyTell: kind(r.Accounts.TellEmergency), blueberry.JobTokenWarn: kind(r.Accounts.SendTokenWarning),
			blueberry.JobKeysReencrypt: kind(r.Custody.Reencrypt), blueberry.JobEnvironmentArchive: kind(r.Provisioner.ArchiveFailed),
			blueberry.JobLeaseTell: kind(r.Provisioner.SendLeaseWarning), blueberry.JobTargetScan: kind(r.Provisioner.Scan),
			blueberry.JobTargetDrain: kind(r.Provisioner.Drain), blueberry.JobOrphanRemove: kind(r.Provisioner.RemoveOrphan),
			blueberry.JobPullReconcile: kind(r.Sources.Reconcile), blueberry.JobPullsReview: kind(r.Sources.Review),
			blueberry.JobPullCommand:     kind(r.Sources.Command),
			blueberry.JobBranchReconcile: kind(r.Sources.ReconcileBranch), blueberry.JobBranchReport: kind(r.Sources.ReportBranch), blueberry.JobBranchesSweep: kind(r.Sources.SweepBranches),
			blueberry.JobNoticeSend: kind(r.Subscriptions.SendNotices), JobFailing: r.Failing.kind(),
		},
	})
	must(t, err)
	s.SetEnqueuer(r.queue.Enqueue)
	must(t, s.Update(ctx, func(tx *store.Tx) error {
		if err := tx.PutSigningKey(ctx, ring.ID(), ring.Public(), time.Now()); err != nil {
			return err
		}
		local.State, local.CreatedAt, local.UpdatedAt = blueberry.TargetActive, time.Now(), time.Now()
		if err := tx.PutTarget(ctx, local); err != nil {
			return err
		}
		return tx.PutProject(ctx, blueberry.Project{Name: blueberry.DefaultProject, CreatedAt: time.Now()})
	}))
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	below, stopBelow := context.WithCancel(context.WithoutCancel(ctx))
	var above, git sync.WaitGroup
	git.Go(func() { _ = repository.Run(below) })
	above.Go(func() { _ = r.queue.Run(run) })
	above.Go(func() { _ = r.Provisioner.Run(run) })
	t.Cleanup(func() {
		stop()
		above.Wait()
		stopBelow()
		git.Wait()
	})
	return r
}

// Pass has so much time pass at once for environments. What only looks broken because it may still be starting is broken after blueberry.ReadinessGrace.
func (r *Rooms) Pass(d time.Duration) { r.passed.Add(int64(d)) }

func (r *Rooms) now() time.Time { return time.Now().Add(time.Duration(r.passed.Load())) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Deps is the rooms as the door sees them.
func (r *Rooms) Deps() httpapi.Deps {
	d := r.house.Deps()
	d.Environments, d.Changes, d.Plans, d.Revisions, d.Drift = r.Provisioner, r.Provisioner, r.Provisioner, r.Provisioner, r.Provisioner
	d.Events, d.Feed, d.Blueprints, d.Projects, d.Targets, d.Fleet = r.Provisioner, r.feed, r.Provisioner, r.Provisioner, r.Fleet, r.Fleet
	p := r.Provisioner
	d.Life = httpapi.Life{Leases: p, Sleeps: p, Labels: p, Moves: p, Whys: p, Logs: p, Shells: p, Archives: p, Orphans: p, Retention: p}
	d.ConfigSets, d.Catalogue, d.Policies, d.Jobs = r.Catalog, r.Catalog, r.Catalog, r.queue
	d.Repositories, d.Subscriptions, d.System = r.Sources, r.Subscriptions, r.system()
	d.Access = entrance{house: d.Access, gate: r.Gate}
	d.Rights, d.Edge.Audit = r.Rights.deps(), r.Auditor
	return d
}

// API builds the door.
func (r *Rooms) API(t testing.TB) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(r.Deps())
	must(t, err)
	return api
}

// Serve starts a server with the door and gives a client that is let in.
func (r *Rooms) Serve(t testing.TB) (*httptest.Server, *sdk.Client) {
	t.Helper()
	srv := httptest.NewServer(r.API(t))
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return srv, &sdk.Client{BaseURL: srv.URL, Token: httpapitest.Token, HTTPClient: srv.Client(), Waits: []time.Duration{}}
}

// driver is that of the simulated place, with what it does not simulate: commands, and what pods use.
type driver struct {
	sim.Driver
	rooms *Rooms
}

// Close has nothing to close.
func (driver) Close() {}

// Shell does what the test says.
func (d driver) Shell(ctx context.Context, _ target.Ref, r target.ShellRequest) (int, error) {
	if d.rooms.Shell != nil {
		return d.rooms.Shell(ctx, r)
	}
	r.Opened("web-1", "app")
	return 0, nil
}

// Usage tells of one pod.
func (driver) Usage(context.Context, target.Ref) ([]target.PodUsage, error) {
	return []target.PodUsage{{Component: "web", Pod: "web-1", At: time.Now(), CPU: 250, Memory: 96 << 20, CPULimit: 500, MemoryRequest: 64 << 20}}, nil
}

// record is the store as a room sees it.
type record[T any] struct {
	store *storetest.Store
	as    func(*store.Tx) T
}

// Update runs f in a transaction that writes.
func (r record[T]) Update(ctx context.Context, f func(tx T) error) error {
	return r.store.Update(ctx, func(tx *store.Tx) error { return f(r.as(tx)) })
}

// View runs f in a transaction that reads.
func (r record[T]) View(ctx context.Context, f func(tx T) error) error {
	return r.store.View(ctx, func(tx *store.Tx) error { return f(r.as(tx)) })
}

// feed wakes those who follow events.
type feed struct {
	mu   sync.Mutex
	last int64
	wake chan struct{} // closed and replaced whenever last grows
}

func newFeed(s *storetest.Store) *feed {
	f := &feed{wake: make(chan struct{})}
	s.OnCommit(func(seq int64) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if seq > f.last {
			f.last = seq
			close(f.wake)
			f.wake = make(chan struct{})
		}
	})
	return f
}

// Wait returns when an event with a Seq above after may exist, or with ctx's error.
func (f *feed) Wait(ctx context.Context, after int64) error {
	f.mu.Lock()
	wake, ready := f.wake, f.last > after
	f.mu.Unlock()
	if ready {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
		return nil
	}
}
