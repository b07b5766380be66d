package fleet_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// house is a Fleet on a real record and a real keyset, with clusters that are told what to answer.
type house struct {
	*fleet.Fleet
	store *storetest.Store
	world *world

	mu    sync.Mutex
	jobs  []string // that were enqueued: kind and subject
	audit []blueberry.AuditEntry
}

var (
	owner    = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_1", Name: "ada", Grants: []blueberry.Grant{blueberry.GrantAll}}
	keeper   = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_2", Name: "kim", Grants: []blueberry.Grant{blueberry.GrantTargetsRead, blueberry.GrantTargetsWrite}}
	reader   = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_3", Name: "rob", Projects: map[string][]blueberry.Grant{"shop": {blueberry.GrantTargetsRead}}}
	stranger = blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_4", Name: "eve"}
	start    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// secretToken is in every kubeconfig of the tests, and nowhere else.
const secretToken = "the-token-of-the-cluster"

func kubeconfig(server string) []byte {
	return fmt.Appendf(nil, `{clusters: [{name: away, cluster: {server: "https://away"}}, {name: here, cluster: {server: %q}}], users: [{name: u, user: {token: %s}}],
contexts: [{name: ctx, context: {cluster: here, user: u}}, {name: other, context: {cluster: away, user: u}}], current-context: ctx}`, server, secretToken)
}

// world is the outside: how each cluster answers, by the name of its target.
type world struct {
	mu     sync.Mutex
	opened []blueberry.Target // as Open got them
	open   int                // drivers that were not closed
	fails  error              // of Open
	checks map[string]error
	lacks  map[string][]blueberry.TargetCheck // of a driver that can tell
	holds  map[string]blueberry.Demand
}

func (w *world) set(f func(w *world)) { w.mu.Lock(); defer w.mu.Unlock(); f(w) }

func (w *world) Open(_ context.Context, t blueberry.Target) (fleet.Driver, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, t)
	if w.fails != nil {
		return nil, w.fails
	}
	w.open++
	d := driver{w, t.Name}
	if w.lacks[t.Name] != nil || w.holds[t.Name] != (blueberry.Demand{}) {
		return telling{d}, nil
	}
	return d, nil
}

// driver can be asked whether it is there and nothing else.
type driver struct {
	w    *world
	name string
}

func (d driver) Check(ctx context.Context) error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if _, ok := ctx.Deadline(); !ok {
		return errors.New("is asked without an end")
	}
	return d.w.checks[d.name]
}

func (d driver) Close() { d.w.set(func(w *world) { w.open-- }) }

// telling can also say what it lacks and what it holds.
type telling struct{ driver }

func (d telling) CheckAll(ctx context.Context) ([]blueberry.TargetCheck, error) {
	if err := d.Check(ctx); err != nil {
		return nil, err
	}
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return d.w.lacks[d.name], nil
}

func (d telling) Capacity(context.Context) (blueberry.Demand, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return d.w.holds[d.name], nil
}

type record struct {
	s *storetest.Store
	h *house
}

func (r record) Update(ctx context.Context, f func(fleet.Tx) error) error {
	return r.s.Update(ctx, func(tx *store.Tx) error { return f(noting{tx, r.h}) })
}

func (r record) View(ctx context.Context, f func(fleet.Tx) error) error {
	return r.s.View(ctx, func(tx *store.Tx) error { return f(tx) })
}

type noting struct {
	fleet.Tx
	h *house
}

func (n noting) AppendAudit(ctx context.Context, a blueberry.AuditEntry) error {
	n.h.mu.Lock()
	n.h.audit = append(n.h.audit, a)
	n.h.mu.Unlock()
	return n.Tx.AppendAudit(ctx, a)
}

func newHouse(t *testing.T, s *storetest.Store) *house {
	t.Helper()
	keyset, err := keys.OpenKeyset(t.Context(), keys.KeysetConfig{File: filepath.Join(t.TempDir(), "keyset.json"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: s, world: &world{checks: map[string]error{}, lacks: map[string][]blueberry.TargetCheck{}, holds: map[string]blueberry.Demand{}}}
	h.Fleet = &fleet.Fleet{
		Record: record{s, h}, Seal: keyset, Open: h.world.Open, Drivers: []string{"kube", "argocd", "sim"}, Own: "local",
		Now: func() time.Time { return start }, Logger: slog.New(slog.DiscardHandler),
	}
	s.SetEnqueuer(func(_ context.Context, _ *sql.Tx, kind blueberry.JobKind, subject string) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.jobs = append(h.jobs, string(kind)+" "+subject)
		return nil
	})
	h.do(t, func(tx *store.Tx) error {
		return errors.Join(tx.PutTarget(t.Context(), blueberry.Target{
			Name: "local", Driver: "kube", Domain: "localhost", KubeconfigFile: "/etc/kube", Argo: blueberry.ArgoSettings{KubeconfigFile: "/etc/argo"}, Configured: true, CreatedAt: start, UpdatedAt: start,
		}), tx.InsertProject(t.Context(), blueberry.Project{Name: "shop", CreatedAt: start}))
	})
	t.Cleanup(func() {
		h.world.set(func(w *world) {
			if w.open != 0 {
				t.Errorf("%d drivers were not closed", w.open)
			}
		})
		h.tellsNoSecret(t)
	})
	return h
}

func (h *house) do(t *testing.T, f func(tx *store.Tx) error) {
	t.Helper()
	if err := h.store.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// kept is a target as the record has it.
func (h *house) kept(t *testing.T, name string) (out blueberry.Target) {
	t.Helper()
	err := h.store.View(t.Context(), func(tx *store.Tx) (err error) {
		out, err = tx.Target(t.Context(), name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *house) register(t *testing.T, w fleet.TargetWish) blueberry.Target {
	t.Helper()
	out, _, err := h.Register(t.Context(), owner, w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// live puts an environment on a target.
func (h *house) live(t *testing.T, target, project, name string, change func(e *blueberry.Environment)) blueberry.Environment {
	t.Helper()
	e, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: project, Name: name, Target: target, Owner: "ada", Hours: 24}, start)
	if err != nil {
		t.Fatal(err)
	}
	e.Demand = blueberry.Demand{CPU: 100, Memory: 200, Pods: 1}
	change(&e)
	h.do(t, func(tx *store.Tx) error { return tx.InsertEnvironment(t.Context(), e) })
	return e
}

func asIs(*blueberry.Environment) {}

// told is every event, as type and message.
func (h *house) told(t *testing.T) (out []string) {
	t.Helper()
	err := h.store.View(t.Context(), func(tx *store.Tx) error {
		events, err := tx.Events(t.Context(), blueberry.EventQuery{})
		for _, e := range events {
			out = append(out, string(e.Type)+" "+e.Message)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lastAudit is the last entry, as action, resource, before and after.
func (h *house) lastAudit() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.audit) == 0 {
		return ""
	}
	a := h.audit[len(h.audit)-1]
	return fmt.Sprintf("%s %s %s → %s", a.Action, a.Resource, a.Before, a.After)
}

// tellsNoSecret looks into the whole record: what is in a kubeconfig stands nowhere in the clear.
func (h *house) tellsNoSecret(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	var audit string
	for _, a := range h.audit {
		audit += fmt.Sprintf("%s %s %s\n", a.Detail, a.Before, a.After)
	}
	h.mu.Unlock()
	if strings.Contains(audit, secretToken) {
		t.Errorf("the audit tells the secret: %s", audit)
	}
	err := h.store.View(context.Background(), func(tx *store.Tx) error {
		targets, err := tx.Targets(context.Background())
		for _, x := range targets {
			if strings.Contains(string(x.Kubeconfig)+string(x.Argo.Kubeconfig), secretToken) {
				t.Errorf("the record holds the secret of %s in the clear", x.Name)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// faultsOf is each fault of an error as "field code", in order.
func faultsOf(err error) (out []string) {
	var e *blueberry.Error
	if errors.As(err, &e) {
		for _, x := range e.Fields {
			out = append(out, x.Field+" "+x.Code)
		}
	}
	return out
}

func wantCode(t *testing.T, what string, err error, kind blueberry.Kind, code string) {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code {
		t.Errorf("%s: got %v, want %s %s", what, err, kind, code)
	}
}

func wantDiff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s:\n%s", what, d)
	}
}
