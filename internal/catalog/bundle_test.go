package catalog_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// house is a Catalog on a real record, with a clock of its own.
type house struct {
	*catalog.Catalog
	store   *storetest.Store
	sources *sources
	clock   *clock

	mu    sync.Mutex
	jobs  []string // that were enqueued: kind and subject
	audit []blueberry.AuditEntry
}

var (
	admin    = blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_1", Name: "admin", Grants: []blueberry.Grant{blueberry.GrantAll}}
	stranger = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "stranger"}
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

// now moves on with each look, so that no two things happen at once.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Millisecond)
	return c.t
}

// record is the store as catalog sees it. What goes to the audit is noted on its way.
type record struct {
	s *storetest.Store
	h *house
}

func (r record) Update(ctx context.Context, f func(catalog.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(noting{tx, r.h}) })
}

type noting struct {
	catalog.Tx
	h *house
}

func (n noting) AppendAudit(ctx context.Context, a blueberry.AuditEntry) error {
	n.h.mu.Lock()
	n.h.audit = append(n.h.audit, a)
	n.h.mu.Unlock()
	return n.Tx.AppendAudit(ctx, a)
}

func (r record) View(ctx context.Context, f func(catalog.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

const (
	shopRepository = "https://git.example.com/shop.git"
	shopCommit     = "0123456789abcdef0123456789abcdef01234567"
	nextCommit     = "89abcdef0123456789abcdef0123456789abcdef"
)

// sources is a host with one repository, at one commit that can move on.
type sources struct {
	mu     sync.Mutex
	tree   fs.FS
	commit string
	down   bool
	open   int // trees that were not given back
}

func (s *sources) Fetch(_ context.Context, repository, ref string) (catalog.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f blueberry.Faults
	switch {
	case s.down:
		f.Add("source.repository", "repository_unreachable", "the host does not answer")
	case repository != shopRepository:
		f.Add("source.repository", "repository_not_found", "there is no such repository")
	case ref != "" && ref != "main" && ref != shopCommit && ref != nextCommit:
		f.Add("source.ref", "ref_not_found", "there is no such branch, tag or commit")
	}
	if err := f.Err(); err != nil {
		return catalog.Tree{}, err
	}
	s.open++
	return catalog.Tree{Commit: s.commit, FS: s.tree, Close: func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		return nil
	}}, nil
}

func (s *sources) set(f func(s *sources)) { s.mu.Lock(); defer s.mu.Unlock(); f(s) }

func newHouse(t testing.TB, s *storetest.Store) *house {
	t.Helper()
	h := &house{
		store: s, clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		sources: &sources{commit: shopCommit, tree: fstest.MapFS{
			"config/shop.yaml":                {Data: []byte("# of the repository\nbackend:\n  replicas: 3\n")},
			"config/large.yaml":               {Data: []byte("backend: {text: " + strings.Repeat("x", blueberry.MaxValuesSize) + "}")},
			"config/empty.yaml":               {Data: nil},
			"blueberry.yaml":                  {Data: []byte("name: charts\ncomponents:\n- {name: cache, chart: charts/cache}\n- {name: web, image: \"acme/web:1\"}\n")},
			"score.yaml":                      {Data: []byte("apiVersion: score.dev/v1b1\nmetadata: {name: worker}\ncontainers: {main: {image: \"acme/worker:1\"}}\n")},
			"missing.yaml":                    {Data: []byte("name: charts\ncomponents:\n- {name: cache, chart: charts/gone}\n- {name: tail, kustomization: nowhere}\n")},
			"charts/cache/Chart.yaml":         {Data: []byte("apiVersion: v2\nname: cache\nversion: 1.0.0\n")},
			"charts/cache/values.yaml":        {Data: []byte("size: 1\nmode: fast\n")},
			"charts/cache/templates/map.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\ndata: {size: \"{{ .Values.size }}\", mode: {{ .Values.mode }}}\n")},
		}},
	}
	h.Catalog = &catalog.Catalog{
		Record: record{s, h}, Sources: h.sources, Places: func(string) catalog.Place { return catalog.Place{Domain: "localhost"} }, Now: h.clock.now, Logger: slog.New(slog.DiscardHandler),
	}
	s.SetEnqueuer(func(_ context.Context, _ *sql.Tx, kind blueberry.JobKind, subject string) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.jobs = append(h.jobs, string(kind)+" "+subject)
		return nil
	})
	t.Cleanup(func() {
		h.sources.set(func(s *sources) {
			if s.open != 0 {
				t.Errorf("%d trees were not given back", s.open)
			}
		})
	})
	return h
}

func (h *house) takeJobs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.jobs
	h.jobs = nil
	return out
}

// told gives the events that have no environment: type, project and message.
func (h *house) told(t testing.TB) []string {
	t.Helper()
	var out []string
	err := h.store.View(t.Context(), func(tx *store.Tx) error {
		events, err := tx.Events(t.Context(), blueberry.EventQuery{Limit: 500})
		for _, e := range events {
			if e.EnvironmentID == "" {
				out = append(out, fmt.Sprintf("%s [%s] %s", e.Type, e.Project, e.Message))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *house) config(t testing.TB, name, content string) catalog.ConfigEdited {
	t.Helper()
	out, err := h.CreateConfigSet(t.Context(), admin, catalog.NewConfig{Name: name, Edit: catalog.Edit{Content: []byte(content)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *house) edit(t testing.TB, id, content string) catalog.ConfigEdited {
	t.Helper()
	out, err := h.EditConfigSet(t.Context(), admin, id, catalog.Edit{Content: []byte(content)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// user records an environment whose first revision was made of the inputs. Nothing is rendered for it.
func (h *house) user(t testing.TB, name string, in blueberry.Inputs) blueberry.Environment {
	t.Helper()
	var e blueberry.Environment
	err := h.store.Update(t.Context(), func(tx *store.Tx) (err error) {
		e, err = insertUser(t.Context(), tx, blueberry.DefaultProject, name, in, h.clock.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func insertUser(ctx context.Context, tx *store.Tx, project, name string, in blueberry.Inputs, now time.Time) (blueberry.Environment, error) {
	e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: project, Name: name, Target: "local", Owner: "ada", Hours: 24}, now)
	if err != nil {
		return e, err
	}
	e.Version = 1
	r := blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, now), EnvironmentID: e.ID, Number: 1, Author: "ada", Reason: "created", Inputs: in, CreatedAt: now,
		Rendering: blueberry.Rendering{Digest: blueberry.DigestOf(nil)},
	}
	return e, errors.Join(tx.InsertEnvironment(ctx, e), tx.InsertRevision(ctx, r))
}

// uses is a use of a set as a revision keeps it.
func uses(set blueberry.ConfigSet, number int, follow bool) blueberry.ConfigUse {
	u := blueberry.ConfigUse{ConfigRef: blueberry.ConfigRef{Name: set.Name, Global: set.Project == ""}, SetID: set.ID, Number: number}
	if !follow {
		u.Version = number
	}
	return u
}

func shop(components ...blueberry.Component) blueberry.Blueprint {
	if len(components) == 0 {
		components = []blueberry.Component{{Name: "backend", Image: "ghcr.io/acme/backend:1"}, {Name: "frontend", Image: "ghcr.io/acme/frontend:1"}}
	}
	return blueberry.Blueprint{Name: "shop", Components: components}
}

// refusalOf gives kind, code and faults of an error, each fault as its field and code.
func refusalOf(err error) []string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return []string{fmt.Sprint(err)}
	}
	out := []string{string(e.Kind) + " " + e.Code}
	for _, f := range e.Fields {
		out = append(out, f.Field+" "+f.Code)
	}
	return out
}
