package app

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/generic"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/sim"
)

// openSeal seals nothing.
type openSeal struct{}

func (openSeal) Seal(plain []byte, _ string) ([]byte, error)  { return plain, nil }
func (openSeal) Open(sealed []byte, _ string) ([]byte, error) { return sealed, nil }

// tierHouse is pull requests and environments as the server wires them, on real repositories.
type tierHouse struct {
	t           *testing.T
	store       *storetest.Store
	provisioner *provision.Provisioner
	pulls       *source.Repositories
	changed     chan struct{}
	admin       blueberry.Actor
}

func newTierHouse(t *testing.T, s *storetest.Store) *tierHouse {
	t.Helper()
	ctx := t.Context()
	repo, err := gitops.Open(ctx, gitops.Config{Dir: filepath.Join(t.TempDir(), "gitops.git")})
	if err != nil {
		t.Fatal(err)
	}
	checkouts, err := source.Open(source.Config{Dir: t.TempDir(), AllowLocal: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(filepath.Join(t.TempDir(), "signing-key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.PutSigningKey(ctx, ring.ID(), ring.Public(), time.Now()), tx.PutProject(ctx, blueberry.Project{Name: blueberry.DefaultProject, CreatedAt: time.Now()}))
	}); err != nil {
		t.Fatal(err)
	}
	s.SetEnqueuer(func(context.Context, *sql.Tx, blueberry.JobKind, string) error { return nil })
	driver := sim.Driver{Place: sim.NewPlace(sim.Config{Schedule: time.Millisecond, Start: time.Millisecond, Ready: time.Millisecond})}
	h := &tierHouse{t: t, store: s, changed: make(chan struct{}, 1), admin: blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "mia", Grants: []blueberry.Grant{blueberry.GrantAll}}}
	h.provisioner = &provision.Provisioner{
		Record: narrow(s, func(tx *store.Tx) provision.Tx { return tx }), Sources: sources{func(ctx context.Context, _, repository, ref string) (*source.Tree, error) {
			return checkouts.Fetch(ctx, repository, ref)
		}}, Repository: repo, Signer: ring, Default: "local", Now: time.Now,
		Logger: slog.New(slog.DiscardHandler),
		Places: provision.FixedPlaces(map[string]provision.Place{"local": {Target: blueberry.Target{Name: "local", Driver: "sim", Domain: "localhost"}, Driver: driver}}),
	}
	h.pulls = &source.Repositories{
		Record: narrow(s, func(tx *store.Tx) source.Tx { return tx }), Seal: openSeal{}, Environments: pullEnvironments{h.provisioner, s}, Trees: checkouts,
		Hosts: map[blueberry.HostKind]source.Host{blueberry.HostGeneric: generic.Host{}}, AllowLocal: true, Now: time.Now,
	}
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

// commit writes a blueprint into a repository, which it makes, and gives the commit.
func (h *tierHouse) commit(dir, blueprint string) string {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "blueberry.yaml"), []byte(blueprint), 0o600); err != nil {
		h.t.Fatal(err)
	}
	var out []byte
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main", "."},
		{"add", "--all"},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--allow-empty", "--message", "more"},
		{"rev-parse", "HEAD"},
	} {
		cmd := exec.CommandContext(h.t.Context(), "git", args...)
		cmd.Dir = dir
		var err error
		if out, err = cmd.CombinedOutput(); err != nil {
			h.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return strings.TrimSpace(string(out))
}

// settle has the pull request looked at until nothing is asked of it any more, and its environments brought to where they should be. It gives the one that
// runs, and its manifests.
func (h *tierHouse) settle(id string) (p blueberry.PullRequest, e blueberry.Environment, manifests string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Minute)
	defer cancel()
	for {
		out, err := h.pulls.Reconcile(ctx, blueberry.Job{Kind: blueberry.JobPullReconcile, Subject: id})
		if err != nil {
			h.t.Fatal(err)
		}
		if p, err = h.pulls.Pull(ctx, h.admin, id); err != nil {
			h.t.Fatal(err)
		}
		living := 0
		page, err := h.provisioner.List(ctx, h.admin, blueberry.EnvironmentQuery{Limit: 50})
		if err != nil {
			h.t.Fatal(err)
		}
		settled := out.Again == 0
		for _, x := range page.Items {
			if x.Phase == blueberry.Terminated {
				continue
			}
			if _, err := h.provisioner.Reconcile(ctx, blueberry.Job{Kind: blueberry.JobEnvironmentReconcile, Subject: x.ID}); err != nil {
				h.t.Fatal(err)
			}
			living++
			settled = settled && x.ID == p.EnvironmentID && x.Phase == blueberry.Ready && x.Synced == x.Revision
			e = x
		}
		if settled && living == 1 {
			rev, err := h.provisioner.Revision(ctx, h.admin, e.ID, 0)
			if err != nil {
				h.t.Fatal(err)
			}
			for _, f := range rev.Rendering.Files {
				manifests += string(f.Content)
			}
			return p, e, manifests
		}
		select {
		case <-h.changed:
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			h.t.Fatalf("stuck: %s: %s; %d environments, the last is %s: %s", p.Outcome, p.Message, living, e.Phase, e.Message)
		}
	}
}

// push has the pull request be at another commit.
func (h *tierHouse) push(id, commit string) {
	h.t.Helper()
	if err := h.store.Update(h.t.Context(), func(tx *store.Tx) error {
		p, err := tx.Pull(h.t.Context(), id)
		if err != nil {
			return err
		}
		p.HeadCommit = commit
		return tx.UpdatePull(h.t.Context(), p)
	}); err != nil {
		h.t.Fatal(err)
	}
}

// TestTiersOfEnvironments: the environment of an outsider is what the base says, of their commit; when that is approved it is another one, of what the commit
// says; and after the next push nothing of that is left.
func TestTiersOfEnvironments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newTierHouse(t, s)
		ctx := t.Context()
		base, fork := t.TempDir(), t.TempDir()
		h.commit(base, `name: shop
components: [{name: web, values: {env: {LEVEL: info, PASSWORD: {secretRef: db/password}}}}]
computed: {web.image: "registry.example.com/shop:${commit}"}
egress: [{cidr: 0.0.0.0/0}]
`)
		const evil = `name: shop
components: [{name: evil, image: 'evil/dump:1', values: {envFrom: [{secret: db}]}}]
egress: [{cidr: 169.254.169.254/32}]
lease: {default: 100}
`
		first := h.commit(fork, evil)
		added, err := h.pulls.Add(ctx, h.admin, source.RepositoryWish{Name: "acme/shop", Host: blueberry.HostGeneric, URL: base, Policy: blueberry.PullPolicy{Forks: true, Outsiders: true, Hours: 48}})
		if err != nil {
			t.Fatal(err)
		}
		id := blueberry.NewID(blueberry.PullID, time.Now())
		if err := s.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertPull(ctx, blueberry.PullRequest{
				ID: id, RepositoryID: added.Repository.ID, Project: blueberry.DefaultProject, Number: 7, Title: "{{ x }}", Author: "eve", Relation: blueberry.RelationOutsider,
				State: blueberry.PullOpen, HeadRef: "$(id)", HeadCommit: first, HeadURL: fork, HeadRepo: "eve/shop", BaseRepo: "acme/shop", BaseRef: "main",
				Labels: []string{"x: y\n---"}, HostAt: time.Now(), CreatedAt: time.Now(), UpdatedAt: time.Now(),
			})
		}); err != nil {
			t.Fatal(err)
		}
		tight := func(what, commit string) string {
			t.Helper()
			p, e, text := h.settle(id)
			for _, word := range []string{"evil", "secretKeyRef", "secretRef", "allow-egress", "169.254.169.254", "{{ x }}", "$(id)", "x: y"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %q is in the manifests", what, word)
				}
			}
			if !strings.Contains(text, "image: registry.example.com/shop:"+commit+"\n") || !strings.Contains(text, "LEVEL") {
				t.Errorf("%s: it does not run %s:\n%s", what, commit, text)
			}
			if left := time.Until(e.Lease.ExpiresAt); !e.Restricted || left > 8*time.Hour || e.Source.Repository != base {
				t.Errorf("%s: restricted %t, %s are left, configured by %s", what, e.Restricted, left, e.Source.Repository)
			}
			if !p.BuiltRestricted || p.BuiltCommit != commit || p.Config != blueberry.PullConfigChanged {
				t.Errorf("%s: %+v", what, p)
			}
			return e.ID
		}
		one := tight("an outsider", first)
		if _, err := h.pulls.Approve(ctx, h.admin, id, first, nil); err != nil {
			t.Fatal(err)
		}
		_, e, text := h.settle(id)
		if e.Restricted || e.ID == one || !strings.Contains(text, "evil/dump:1") || !strings.Contains(text, "name: db") || !strings.Contains(text, "allow-egress") {
			t.Errorf("approved: restricted %t\n%s", e.Restricted, text)
		}
		if left := time.Until(e.Lease.ExpiresAt); left < 47*time.Hour || e.Source.Commit != first || e.Source.Repository != fork {
			t.Errorf("approved: %s are left, of %+v", left, e.Source)
		}
		second := h.commit(fork, evil)
		h.push(id, second)
		if again := tight("after a push", second); again == e.ID || again == one {
			t.Error("after a push it is an environment of before")
		}
		third := h.commit(fork, evil)
		h.push(id, third)
		tight("after another push", third)
		// Whoever has the operations only cannot make one of the other tier of it.
		env := pullEnvironments{h.provisioner, s}
		p, err := h.pulls.Pull(ctx, h.admin, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := env.Move(ctx, blueberry.System(), p.EnvironmentID, source.EnvironmentWish{Repository: fork, Commit: second}); !errors.Is(err, blueberry.Conflict) {
			t.Errorf("it was moved to the other tier: %v", err)
		}
		if _, err := h.provisioner.Change(ctx, blueberry.System(), p.EnvironmentID, provision.ChangeRequest{Wish: provision.Wish{Repository: &fork}}); !errors.Is(err, blueberry.Invalid) {
			t.Errorf("it was configured by the fork: %v", err)
		}
	})
}
