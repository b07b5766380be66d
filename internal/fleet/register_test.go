package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.world.lacks["zurich"] = []blueberry.TargetCheck{{Name: "reach", OK: true}, {Name: "read Deployment.apps", Message: "is missing"}}
		got, checks, err := h.Register(t.Context(), keeper, fleet.TargetWish{
			Name: "zurich", Driver: "argocd", Domain: "previews.example.test", Region: "europe-west6", Kubeconfig: kubeconfig("https://zurich"), Context: "ctx",
			Argo:    fleet.ArgoWish{Namespace: "argo", Kubeconfig: kubeconfig("https://argo"), Repository: "https://git.example.test/r", Destination: "https://zurich"},
			Gateway: "http://10.0.0.5", Capacity: &blueberry.Demand{CPU: 1000},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := blueberry.Target{
			Name: "zurich", Driver: "argocd", Domain: "previews.example.test", Region: "europe-west6", State: blueberry.TargetActive, Context: "ctx",
			Argo:    blueberry.ArgoSettings{Namespace: "argo", Repository: "https://git.example.test/r", Destination: "https://zurich"},
			Gateway: "http://10.0.0.5", Capacity: &blueberry.Demand{CPU: 1000}, CreatedAt: start, UpdatedAt: start, Version: 1,
		}
		wantDiff(t, "what is given back", want, got)
		wantDiff(t, "what it lacks", h.world.lacks["zurich"], checks)
		want.Kubeconfig, want.Argo.Kubeconfig = kubeconfig("https://zurich"), kubeconfig("https://argo")
		plain, err := h.Unsealed(h.kept(t, "zurich"))
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, "what is kept", want, plain)
		wantDiff(t, "what was opened", want, h.world.opened[0])
		wantDiff(t, "the events", []string{"target.registered kim registered target zurich with driver argocd"}, h.told(t))
		audit := `targets:write zurich  → {"argo_destination":"https://zurich","argo_kubeconfig":true,"argo_namespace":"argo","argo_repository":"https://git.example.test/r",` +
			`"capacity":{"cpu":1000,"memory":0,"pods":0,"storage":0},"context":"ctx","domain":"previews.example.test","driver":"argocd","gateway":"http://10.0.0.5","kubeconfig":true,"region":"europe-west6"}`
		wantDiff(t, "the audit", audit, h.lastAudit())

		_, _, err = h.Register(t.Context(), keeper, fleet.TargetWish{Name: "zurich", Driver: "sim", Domain: "localhost"})
		wantCode(t, "a second one of the name", err, blueberry.Conflict, "TARGET_EXISTS")
		wantDiff(t, "its faults", []string{"name taken"}, faultsOf(err))
		if len(h.audit) != 1 {
			t.Errorf("what was refused is in the audit: %s", h.lastAudit())
		}
	})
}

// A kubeconfig that was moved to another target does not open there.
func TestAKubeconfigIsBoundToItsTarget(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.register(t, fleet.TargetWish{Name: "one", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://one")})
	moved := h.kept(t, "one")
	moved.Name = "two"
	if _, err := h.Unsealed(moved); err == nil {
		t.Error("it opens")
	}
	h.Seal = nil
	_, _, err := h.Register(t.Context(), owner, fleet.TargetWish{Name: "three", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://three")})
	wantCode(t, "without keys", err, blueberry.Unavailable, "KEYS_MISSING")
}

func TestRegisterTellsEveryFault(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	unusable := blueberry.Faults{
		{Field: "kubeconfig.users[0].exec", Code: "forbidden", Message: "runs a program"},
		{Field: "clusters[0].server", Code: "pattern", Message: "is no address"},
		{Field: "argo.kubeconfig", Code: "malformed", Message: "is none"},
	}.Err()
	good := func() fleet.TargetWish { return fleet.TargetWish{Name: "t1", Driver: "kube", Domain: "localhost"} }
	for reason, c := range map[string]struct {
		change func(w *fleet.TargetWish)
		opens  error
		want   []string
	}{
		"nothing": {func(w *fleet.TargetWish) { *w = fleet.TargetWish{} }, nil, []string{"name required", "driver enum", "domain required"}},
		"everything": {func(w *fleet.TargetWish) {
			*w = fleet.TargetWish{
				Name: "T 1", Driver: "nomad", Domain: "-x", Region: "Zürich", Context: "a\nb", Kubeconfig: []byte("x"),
				Argo:    fleet.ArgoWish{Namespace: "A", Repository: "git@example.com:r", Destination: "ftp://x"},
				Gateway: "http://user:pw@10.0.0.5", Capacity: &blueberry.Demand{CPU: -1, Memory: -1, Pods: -1, Storage: -1},
				Found: blueberry.Faults{{Field: "size", Code: "unknown"}},
			}
		}, nil, []string{
			"size unknown", "name pattern", "driver enum", "domain pattern", "region pattern", "context text", "argo.namespace pattern", "argo.repository pattern",
			"argo.destination pattern", "gateway forbidden", "capacity.cpu range", "capacity.memory range", "capacity.pods range", "capacity.storage range",
		}},
		"too long": {func(w *fleet.TargetWish) {
			w.Name, w.Gateway, w.Context = strings.Repeat("a", 41), "http://"+strings.Repeat("a", 500), strings.Repeat("a", 254)
			w.Kubeconfig = make([]byte, 1<<20+1)
		}, nil, []string{"name too_long", "kubeconfig too_long", "context too_long", "gateway too_long"}},
		"a simulation with a cluster": {func(w *fleet.TargetWish) { w.Driver, w.Kubeconfig = "sim", []byte("x") }, nil, []string{"kubeconfig forbidden"}},
		"an unusable kubeconfig, and more": {
			func(w *fleet.TargetWish) { w.Domain = "-x" }, unusable,
			[]string{"domain pattern", "kubeconfig.users[0].exec forbidden", "kubeconfig.clusters[0].server pattern", "argo.kubeconfig malformed"},
		},
		"an unusable kubeconfig without a field": {func(*fleet.TargetWish) {}, blueberry.Errorf(blueberry.Invalid, "X", "no"), []string{"kubeconfig unusable"}},
	} {
		w := good()
		c.change(&w)
		h.world.set(func(x *world) { x.fails = c.opens })
		_, _, err := h.Register(t.Context(), owner, w)
		if !errors.Is(err, blueberry.Invalid) {
			t.Errorf("%s: %v", reason, err)
		}
		wantDiff(t, reason, c.want, faultsOf(err))
	}
	h.world.set(func(x *world) { x.fails = errors.New("disk is full") })
	if _, _, err := h.Register(t.Context(), owner, good()); err == nil || errors.Is(err, blueberry.Invalid) {
		t.Errorf("what is no fault of the request is told as %v", err)
	}
	if got := h.told(t); len(got) != 0 {
		t.Errorf("what was refused is told: %v", got)
	}
}

// What a target lacks, or that it is not there, is told and keeps nothing from being registered.
func TestCheck(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	for i, c := range []struct {
		reason string
		lacks  []blueberry.TargetCheck
		err    error
		want   []blueberry.TargetCheck
	}{
		{"a driver that tells nothing more", nil, nil, []blueberry.TargetCheck{{Name: "reach", OK: true}}},
		{"and is not there", nil, blueberry.Errorf(blueberry.Unavailable, "X", "the target does not answer"), []blueberry.TargetCheck{{Name: "reach", Message: "the target does not answer"}}},
		{"one that tells all", []blueberry.TargetCheck{{Name: "reach", OK: true}, {Name: "x"}}, nil, []blueberry.TargetCheck{{Name: "reach", OK: true}, {Name: "x"}}},
		{"and is not there", []blueberry.TargetCheck{{Name: "x"}}, errors.New("dial 10.0.0.1: secret " + secretToken), []blueberry.TargetCheck{{Name: "reach", Message: "cannot reach the target; the log of the server says why"}}},
		{"too slow", nil, fmt.Errorf("ask: %w", context.DeadlineExceeded), []blueberry.TargetCheck{{Name: "reach", Message: "does not answer in time"}}},
	} {
		name := fmt.Sprintf("t%d", i)
		h.world.set(func(w *world) { w.lacks[name], w.checks[name] = c.lacks, c.err })
		_, checks, err := h.Register(t.Context(), owner, fleet.TargetWish{Name: name, Driver: "kube", Domain: "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, c.reason+", when it is registered", c.want, checks)
		checks, err = h.Check(t.Context(), reader, name)
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, c.reason+", later", c.want, checks)
	}
	h.world.set(func(w *world) { w.fails = blueberry.Faults{{Field: "kubeconfig", Code: "x", Message: "is none"}}.Err() })
	checks, err := h.Check(t.Context(), reader, "t0")
	if err != nil || len(checks) != 1 || checks[0].OK || checks[0].Name != "open" || !strings.Contains(checks[0].Message, "kubeconfig: is none") {
		t.Errorf("one that does not open: %+v, %v", checks, err)
	}
	h.world.set(func(w *world) { w.fails = nil })
	_, err = h.Check(t.Context(), reader, "none")
	wantCode(t, "none", err, blueberry.NotFound, "TARGET_NOT_FOUND")
}

func TestTargets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.world.set(func(w *world) {
			w.holds["said"], w.holds["asked"] = blueberry.Demand{CPU: 1}, blueberry.Demand{CPU: 2, Pods: 3}
			w.checks["local"] = blueberry.Errorf(blueberry.Unavailable, "X", "the target does not answer")
		})
		h.register(t, fleet.TargetWish{
			Name: "said", Driver: "argocd", Domain: "localhost", Kubeconfig: kubeconfig("https://user:pw@said:6443"), Argo: fleet.ArgoWish{Kubeconfig: kubeconfig("https://argo")}, Capacity: &blueberry.Demand{Pods: 7},
		})
		h.register(t, fleet.TargetWish{Name: "asked", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://asked"), Context: "other"})
		h.live(t, "asked", "default", "pr-1", asIs)
		h.live(t, "asked", "shop", "pr-1", asIs)
		h.live(t, "asked", "shop", "pr-2", func(e *blueberry.Environment) { e.Phase = blueberry.Terminated })
		usage := blueberry.Usage{Environments: 2, Demand: blueberry.Demand{CPU: 200, Memory: 400, Pods: 2}}
		h.world.set(func(w *world) { w.opened = nil })

		bare := func(name string) blueberry.Target {
			x := h.kept(t, name)
			x.Kubeconfig, x.Argo.Kubeconfig = nil, nil
			return x
		}
		asked := fleet.TargetState{Target: bare("asked"), Reachable: true, Usage: usage, Room: blueberry.Demand{CPU: 2, Pods: 3}, HasKubeconfig: true, Server: "https://away"}
		local := fleet.TargetState{Target: bare("local"), Message: "the target does not answer"}
		said := fleet.TargetState{
			Target: bare("said"), Reachable: true, Room: blueberry.Demand{Pods: 7}, HasKubeconfig: true, Server: "https://said:6443", HasArgoKubeconfig: true, ArgoServer: "https://argo",
		}
		all, err := h.Targets(t.Context(), keeper)
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, "who looks after them sees", []fleet.TargetState{asked, local, said}, all)
		local.KubeconfigFile, local.Argo.KubeconfigFile = "", ""
		all, err = h.Targets(t.Context(), reader)
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, "who uses them sees", []fleet.TargetState{asked, local, said}, all)
		one, err := h.Target(t.Context(), reader, "asked")
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, "one", asked, one)

		h.Running = func(name string) (fleet.Asker, bool) { return telling{driver{h.world, name}}, name == "asked" }
		h.world.set(func(w *world) { w.opened = nil })
		one, err = h.Target(t.Context(), reader, "asked")
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, "one that is open", asked, one)
		if len(h.world.opened) != 0 {
			t.Error("it was opened once more")
		}
		_, err = h.Target(t.Context(), reader, "none")
		wantCode(t, "none", err, blueberry.NotFound, "TARGET_NOT_FOUND")
	})
}

// Each operation asks for its grant before it does or tells anything.
func TestRights(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.do(t, func(tx *store.Tx) error {
		return tx.InsertTarget(t.Context(), blueberry.Target{Name: "t1", Driver: "kube", Domain: "localhost", CreatedAt: start})
	})
	reads := map[string]func(a blueberry.Actor) error{
		"target":  func(a blueberry.Actor) error { _, err := h.Target(t.Context(), a, "t1"); return err },
		"targets": func(a blueberry.Actor) error { _, err := h.Targets(t.Context(), a); return err },
		"check":   func(a blueberry.Actor) error { _, err := h.Check(t.Context(), a, "t1"); return err },
	}
	writes := map[string]func(a blueberry.Actor) error{
		"register": func(a blueberry.Actor) error { _, _, err := h.Register(t.Context(), a, fleet.TargetWish{}); return err },
		"update": func(a blueberry.Actor) error {
			_, err := h.Update(t.Context(), a, "none", fleet.TargetChange{}, 0)
			return err
		},
		"cordon":   func(a blueberry.Actor) error { _, err := h.Cordon(t.Context(), a, "none", "x"); return err },
		"uncordon": func(a blueberry.Actor) error { _, err := h.Uncordon(t.Context(), a, "none"); return err },
		"drain":    func(a blueberry.Actor) error { _, err := h.Drain(t.Context(), a, "none", "x", false); return err },
		"plan":     func(a blueberry.Actor) error { _, err := h.Drain(t.Context(), a, "none", "", true); return err },
		"remove":   func(a blueberry.Actor) error { return h.Remove(t.Context(), a, "none", 0) },
	}
	for name, op := range reads {
		wantCode(t, name+" of a stranger", op(stranger), blueberry.Forbidden, "GRANT_MISSING")
		if err := op(reader); err != nil {
			t.Errorf("%s of a reader: %v", name, err)
		}
	}
	for name, op := range writes {
		wantCode(t, name+" of a stranger", op(stranger), blueberry.Forbidden, "GRANT_MISSING")
		wantCode(t, name+" of a reader", op(reader), blueberry.Forbidden, "GRANT_MISSING")
		if err := op(keeper); errors.Is(err, blueberry.Forbidden) {
			t.Errorf("%s of a keeper: %v", name, err)
		}
	}
}
