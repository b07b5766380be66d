package provision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// house is a Provisioner on a real record, a real Git repository and a simulated cluster, with a clock of its own.
type house struct {
	*provision.Provisioner
	store *storetest.Store
	place *sim.Place
	git   *flakyRepository
	code  *sources
	clock *clock

	mu       sync.Mutex
	enqueued []string
	audit    []blueberry.AuditEntry
	changed  chan struct{}
}

var admin = blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_1", Name: "admin", Grants: []blueberry.Grant{blueberry.GrantAll}}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// record is the store as provision sees it. What goes to the audit is noted on its way.
type record struct {
	s *storetest.Store
	h *house
}

func (r record) Update(ctx context.Context, f func(provision.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(noting{tx, r.h}) })
}

type noting struct {
	provision.Tx
	h *house
}

func (n noting) AppendAudit(ctx context.Context, a blueberry.AuditEntry) error {
	n.h.mu.Lock()
	n.h.audit = append(n.h.audit, a)
	n.h.mu.Unlock()
	return n.Tx.AppendAudit(ctx, a)
}

func (r record) View(ctx context.Context, f func(provision.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

// flakyRepository is the real repository behind a line that can be cut.
type flakyRepository struct {
	*gitops.Repository
	mu   sync.Mutex
	down bool
}

func (r *flakyRepository) cut(down bool) { r.mu.Lock(); defer r.mu.Unlock(); r.down = down }

func (r *flakyRepository) Commit(ctx context.Context, c gitops.Change) (string, error) {
	r.mu.Lock()
	down := r.down
	r.mu.Unlock()
	if down {
		return "", blueberry.Errorf(blueberry.Unavailable, "REMOTE_UNREACHABLE", "the remote does not answer")
	}
	return r.Repository.Commit(ctx, c)
}

const shopRepository = "https://git.example.com/shop.git"

// sources is one repository with one branch, whose commits are added by tests. It is what is outside, so that tests decide when someone pushes.
type sources struct {
	mu      sync.Mutex
	commits []string // oldest first; the last is the branch
	trees   map[string]fs.FS
}

// push adds a commit that holds a blueprint, and gives its id.
func (s *sources) push(blueprint string) string {
	return s.pushFiles(map[string]string{"blueberry.yaml": blueprint})
}

func (s *sources) pushFiles(files map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trees == nil {
		s.trees = map[string]fs.FS{}
	}
	commit := fmt.Sprintf("%040x", len(s.commits)+1)
	s.commits = append(s.commits, commit)
	tree := fstest.MapFS{}
	for name, content := range files {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	s.trees[commit] = tree
	return commit
}

// Fetch gives the branch, or the commit that is named.
func (s *sources) Fetch(_ context.Context, _, repository, ref string) (provision.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.commits) == 0 || repository != shopRepository {
		return provision.Tree{}, blueberry.Faults{{Field: "source.repository", Code: "repository_not_found", Message: "there is no such repository"}}.Err()
	}
	commit := s.commits[len(s.commits)-1]
	if s.trees[ref] != nil {
		commit = ref
	}
	return provision.Tree{Commit: commit, FS: s.trees[commit], Close: func() error { return nil }}, nil
}

func newHouse(t testing.TB, s *storetest.Store) *house {
	t.Helper()
	ctx := t.Context()
	repo, err := gitops.Open(ctx, gitops.Config{Dir: t.TempDir() + "/gitops.git"})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{
		store: s, place: sim.NewPlace(sim.Config{Schedule: time.Millisecond, Start: time.Millisecond, Ready: time.Millisecond}),
		git: &flakyRepository{Repository: repo}, clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, changed: make(chan struct{}, 1),
	}
	h.code = &sources{}
	h.code.push("apiVersion: blueberry.dev/v1\nkind: Blueprint\nname: shop\ncomponents: [{name: web, image: \"acme/web:1\"}]\n")
	driver := sim.Driver{Place: h.place}
	ring, err := keys.Open(filepath.Join(t.TempDir(), "signing-key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, func(tx *store.Tx) error { return tx.PutSigningKey(ctx, ring.ID(), ring.Public(), h.clock.now()) }); err != nil {
		t.Fatal(err)
	}
	h.Provisioner = &provision.Provisioner{
		Record: record{s, h}, Sources: h.code, Signer: ring,
		Repository: h.git, Default: "local", Now: h.clock.now, Logger: slog.New(slog.DiscardHandler),
		Places: provision.FixedPlaces(map[string]provision.Place{"local": {Target: blueberry.Target{Name: "local", Driver: "sim", Domain: "localhost"}, Driver: driver}}),
	}
	s.SetEnqueuer(h.note)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { _ = repo.Run(run) })
	wg.Go(func() {
		_ = driver.Watch(run, func(target.Ref) {
			select {
			case h.changed <- struct{}{}:
			default:
			}
		})
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return h
}

// until reconciles the environment, again after each change on the place, until it is as wanted.
func (h *house) until(t *testing.T, id string, want func(blueberry.Environment) bool) blueberry.Environment {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		if _, err := h.Reconcile(ctx, blueberry.Job{Kind: blueberry.JobEnvironmentReconcile, Subject: id}); err != nil {
			t.Fatal(err)
		}
		e, err := h.Get(ctx, admin, id)
		if err != nil {
			t.Fatal(err)
		}
		if want(e) {
			return e
		}
		select {
		case <-h.changed:
		case <-time.After(50 * time.Millisecond): // the backstop
		case <-ctx.Done():
			t.Fatalf("stuck: %s %s %s, conditions %+v", e.Phase, e.Reason, e.Message, e.Conditions)
		}
	}
}

func phase(want blueberry.Phase) func(blueberry.Environment) bool {
	return func(e blueberry.Environment) bool { return e.Phase == want }
}

func (h *house) create(t *testing.T, name string, components ...blueberry.Component) blueberry.Environment {
	t.Helper()
	if len(components) == 0 {
		components = []blueberry.Component{{Name: "web", Image: "acme/web:1"}}
	}
	e, err := h.Create(t.Context(), admin, provision.CreateRequest{Name: name, Hours: 24, Wish: provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: components}}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// told counts the events of an environment.
func (h *house) told(t *testing.T, id string) map[blueberry.EventType]int {
	t.Helper()
	events, err := h.Events(t.Context(), admin, blueberry.EventQuery{EnvironmentID: id, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	n := map[blueberry.EventType]int{}
	for _, e := range events {
		n[e.Type]++
	}
	return n
}

func faultsOf(err error) []string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return nil
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Field+" "+f.Code)
	}
	return out
}

func containsText(f blueberry.RenderedFile, text string) bool {
	return bytes.Contains(f.Content, []byte(text))
}
