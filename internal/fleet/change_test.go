package fleet_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	config := func(b []byte) *[]byte { return &b }
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		for i, c := range []struct {
			reason string
			change fleet.TargetChange
			want   func(x *blueberry.Target) // what becomes of the target; nil for nothing
			audit  string
		}{
			{"nothing said", fleet.TargetChange{}, nil, ""},
			{"the same said", fleet.TargetChange{Domain: text("localhost"), Kubeconfig: config(kubeconfig("https://k"))}, nil, ""},
			{
				"the driver and what it needs",
				fleet.TargetChange{Driver: text("argocd"), Argo: fleet.ArgoChange{Namespace: text("argo"), Repository: text("https://git.example.test"), Destination: text("https://x"), Kubeconfig: config(kubeconfig("https://a"))}},
				func(x *blueberry.Target) {
					x.Driver = "argocd"
					x.Argo = blueberry.ArgoSettings{Namespace: "argo", Repository: "https://git.example.test", Destination: "https://x", Kubeconfig: kubeconfig("https://a")}
				},
				`{"argo_destination":"","argo_kubeconfig":false,"argo_namespace":"","argo_repository":"","driver":"kube"} → ` +
					`{"argo_destination":"https://x","argo_kubeconfig":true,"argo_namespace":"argo","argo_repository":"https://git.example.test","driver":"argocd"}`,
			},
			{
				"another kubeconfig",
				fleet.TargetChange{Kubeconfig: config(kubeconfig("https://new"))},
				func(x *blueberry.Target) { x.Kubeconfig = kubeconfig("https://new") },
				` → {"kubeconfig_replaced":true}`,
			},
			{"none any more", fleet.TargetChange{Kubeconfig: config(nil)}, func(x *blueberry.Target) { x.Kubeconfig = nil }, `{"kubeconfig":true} → {"kubeconfig":false}`},
			{
				"what people say",
				fleet.TargetChange{Region: text("europe-west6"), Gateway: text("http://10.0.0.5"), Domain: text("x.test"), Context: text("other"), Capacity: &blueberry.Demand{CPU: 1}},
				func(x *blueberry.Target) {
					x.Region, x.Gateway, x.Domain, x.Context, x.Capacity = "europe-west6", "http://10.0.0.5", "x.test", "other", &blueberry.Demand{CPU: 1}
				},
				`{"capacity":{"cpu":9,"memory":0,"pods":0,"storage":0},"context":"","domain":"localhost","gateway":"","region":""} → ` +
					`{"capacity":{"cpu":1,"memory":0,"pods":0,"storage":0},"context":"other","domain":"x.test","gateway":"http://10.0.0.5","region":"europe-west6"}`,
			},
			{
				"capacity forgotten",
				fleet.TargetChange{ForgetCapacity: true},
				func(x *blueberry.Target) { x.Capacity = nil },
				`{"capacity":{"cpu":9,"memory":0,"pods":0,"storage":0}} → {"capacity":null}`,
			},
		} {
			name := fmt.Sprintf("t%d", i)
			h.register(t, fleet.TargetWish{Name: name, Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://k"), Capacity: &blueberry.Demand{CPU: 9}})
			was, audits := h.kept(t, name), len(h.audit)
			got, err := h.Update(t.Context(), keeper, name, c.change, was.Version)
			if err != nil {
				t.Errorf("%s: %v", c.reason, err)
				continue
			}
			kept := h.kept(t, name)
			if c.want == nil {
				wantDiff(t, c.reason+": kept", was, kept)
				if len(h.audit) != audits {
					t.Errorf("%s: noted as %s", c.reason, h.lastAudit())
				}
				continue
			}
			want, err := h.Unsealed(was)
			if err != nil {
				t.Fatal(err)
			}
			c.want(&want)
			want.Version++
			plain, err := h.Unsealed(kept)
			if err != nil {
				t.Fatal(err)
			}
			wantDiff(t, c.reason+": kept", want, plain)
			if c.change.Kubeconfig == nil && !bytes.Equal(was.Kubeconfig, kept.Kubeconfig) {
				t.Errorf("%s: a kubeconfig that stays was sealed anew", c.reason)
			}
			want.Kubeconfig, want.Argo.Kubeconfig = nil, nil
			wantDiff(t, c.reason+": given back", want, got)
			wantDiff(t, c.reason+": the audit", "targets:write "+name+" "+c.audit, h.lastAudit())
			if told := h.told(t); told[len(told)-1] != "target.changed kim changed target "+name {
				t.Errorf("%s: the event is %s", c.reason, told[len(told)-1])
			}
		}
		_, err := h.Update(t.Context(), keeper, "t0", fleet.TargetChange{Region: text("x")}, 7)
		wantCode(t, "from another version", err, blueberry.PreconditionFailed, "VERSION_MOVED")
		_, err = h.Update(t.Context(), keeper, "none", fleet.TargetChange{}, 0)
		wantCode(t, "of none", err, blueberry.NotFound, "TARGET_NOT_FOUND")
	})
}

func TestUpdateTellsEveryFault(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	config := func(b []byte) *[]byte { return &b }
	h := newHouse(t, storetest.SQLite(t))
	h.register(t, fleet.TargetWish{Name: "real", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://k")})
	h.register(t, fleet.TargetWish{Name: "empty", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://k")})
	h.register(t, fleet.TargetWish{Name: "sim", Driver: "sim", Domain: "localhost"})
	h.register(t, fleet.TargetWish{Name: "argo", Driver: "argocd", Domain: "localhost", Kubeconfig: kubeconfig("https://k")})
	h.live(t, "argo", "default", "pr-4", asIs)
	h.live(t, "real", "default", "pr-1", asIs)
	h.live(t, "sim", "default", "pr-2", asIs)
	h.live(t, "empty", "default", "pr-3", func(e *blueberry.Environment) { e.Phase = blueberry.Terminated })
	for reason, c := range map[string]struct {
		name   string
		change fleet.TargetChange
		opens  error
		want   []string
	}{
		"what cannot be": {"real", fleet.TargetChange{Driver: text("x"), Domain: text(""), Gateway: text("x"), Found: blueberry.Faults{{Field: "a", Code: "b"}}}, nil, []string{
			"a b", "driver enum", "domain required", "gateway pattern",
		}},
		"a kubeconfig that is none": {"real", fleet.TargetChange{Kubeconfig: config([]byte("x")), Region: text("A")}, blueberry.Faults{{Field: "clusters", Code: "required"}}.Err(), []string{
			"region pattern", "kubeconfig.clusters required",
		}},
		"from real to simulated":   {"real", fleet.TargetChange{Driver: text("sim"), Region: text("A")}, nil, []string{"region pattern", "driver in_use"}},
		"from simulated to real":   {"sim", fleet.TargetChange{Driver: text("argocd")}, nil, []string{"driver in_use"}},
		"from one real to another": {"real", fleet.TargetChange{Driver: text("argocd")}, nil, nil},
		"another Argo CD": {"argo", fleet.TargetChange{Argo: fleet.ArgoChange{Namespace: text("x"), Kubeconfig: config(kubeconfig("https://a")), Destination: text("http://x")}}, nil, []string{
			"argo.namespace in_use", "argo.destination in_use", "argo.kubeconfig in_use",
		}},
		"another driver in place of Argo CD":  {"argo", fleet.TargetChange{Driver: text("kube"), Argo: fleet.ArgoChange{Namespace: text("x")}}, nil, []string{"argo.namespace in_use"}},
		"nobody lives there":                  {"empty", fleet.TargetChange{Driver: text("sim")}, nil, nil},
		"one that does not open":              {"sim", fleet.TargetChange{Region: text("europe-west6")}, errors.New("no"), nil},
		"of the configuration":                {"local", fleet.TargetChange{Region: text("europe-west6"), Capacity: &blueberry.Demand{CPU: 1}}, nil, nil},
		"of the configuration, said as it is": {"local", fleet.TargetChange{Driver: text("kube"), Domain: text("localhost"), Gateway: text("")}, nil, nil},
		"of the configuration, the rest": {"local", fleet.TargetChange{
			Driver: text("argocd"), Domain: text("x"), Kubeconfig: config(nil), Context: text("x"), Gateway: text("http://x"),
			Argo: fleet.ArgoChange{Namespace: text("x"), Kubeconfig: config(nil), Repository: text("http://x"), Destination: text("http://x")},
		}, nil, []string{
			"driver configured", "domain configured", "kubeconfig configured", "context configured", "argo.namespace configured", "argo.kubeconfig configured",
			"argo.repository configured", "argo.destination configured", "gateway configured",
		}},
	} {
		h.world.set(func(w *world) { w.fails = c.opens })
		_, err := h.Update(t.Context(), owner, c.name, c.change, 0)
		if (err == nil) != (len(c.want) == 0) {
			t.Errorf("%s: %v", reason, err)
		}
		wantDiff(t, reason, c.want, faultsOf(err))
	}
}

// Two who change different things at once both have their way.
func TestUpdatesAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.register(t, fleet.TargetWish{Name: "t1", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://k")})
		region, gateway := "europe-west6", "http://10.0.0.5"
		var wg sync.WaitGroup
		for _, c := range []fleet.TargetChange{{Region: &region}, {Gateway: &gateway}, {Capacity: &blueberry.Demand{CPU: 1}}} {
			wg.Go(func() {
				if _, err := h.Update(t.Context(), owner, "t1", c, 0); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if _, err := h.Cordon(t.Context(), owner, "t1", "maintenance"); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if x := h.kept(t, "t1"); x.Region != region || x.Gateway != gateway || x.Capacity == nil || x.State != blueberry.TargetCordoned || x.Version != 5 {
			t.Errorf("it is %+v", x)
		}
	})
}

func TestCordonAndDrain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.register(t, fleet.TargetWish{Name: "t1", Driver: "kube", Domain: "localhost"})
		leased := h.live(t, "t1", "shop", "pr-1", asIs)
		pinned := h.live(t, "t1", "default", "pr-2", func(e *blueberry.Environment) { e.Lease.PinnedBy = "ada" })
		standing := h.live(t, "t1", "default", "main", func(e *blueberry.Environment) { e.Lease = blueberry.Lease{} })
		h.live(t, "t1", "default", "going", func(e *blueberry.Environment) { e.Phase = blueberry.Terminating })
		h.live(t, "local", "default", "away", asIs)
		names := func(list []blueberry.Environment) (out []string) {
			for _, e := range list {
				out = append(out, e.ID)
			}
			slices.Sort(out)
			return out
		}
		sorted := func(ids ...string) []string { slices.Sort(ids); return ids }
		check := func(what string, p fleet.DrainPlan, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			wantDiff(t, what+": goes", []string{leased.ID}, names(p.Environments))
			wantDiff(t, what+": stays", sorted(standing.ID, pinned.ID), names(p.Standing))
			if p.Going != 1 || p.Hidden != 0 {
				t.Errorf("%s: %d are going and %d hidden", what, p.Going, p.Hidden)
			}
		}
		p, err := h.Drain(t.Context(), owner, "t1", "", true)
		check("a plan", p, err)
		if x := h.kept(t, "t1"); x.State != blueberry.TargetActive || x.Version != 1 || len(h.jobs) != 0 {
			t.Errorf("a plan left it %s, with jobs %v", x.State, h.jobs)
		}
		p, err = h.Drain(t.Context(), keeper, "t1", "", true)
		if err != nil || p.Hidden != 4 || len(p.Environments) != 0 {
			t.Errorf("who may read no environments sees %+v, %v", p, err)
		}

		steps := []struct {
			what   string
			do     func() error
			state  blueberry.TargetState
			reason string
			event  string // empty for none
			jobs   int
		}{
			{"cordoned", func() error { _, err := h.Cordon(t.Context(), keeper, "t1", "maintenance"); return err }, "cordoned", "maintenance", "target.cordoned kim cordoned target t1: maintenance", 0},
			{"again", func() error { _, err := h.Cordon(t.Context(), keeper, "t1", "maintenance"); return err }, "cordoned", "maintenance", "", 0},
			{"drained", func() error {
				p, err := h.Drain(t.Context(), owner, "t1", "it goes", false)
				check("a drain", p, err)
				return err
			}, "draining", "it goes", "target.drain_requested ada has target t1 drained: it goes", 1},
			{"again", func() error { _, err := h.Drain(t.Context(), owner, "t1", "it goes", false); return err }, "draining", "it goes", "", 2},
			{"no more than cordoned", func() error { _, err := h.Cordon(t.Context(), keeper, "t1", "it stays"); return err }, "cordoned", "it stays", "target.cordoned kim cordoned target t1: it stays", 2},
			{"open", func() error { _, err := h.Uncordon(t.Context(), keeper, "t1"); return err }, "active", "", "target.uncordoned kim uncordoned target t1", 2},
			{"again", func() error { _, err := h.Uncordon(t.Context(), keeper, "t1"); return err }, "active", "", "", 2},
		}
		told := len(h.told(t))
		for _, step := range steps {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			if x := h.kept(t, "t1"); x.State != step.state || x.Reason != step.reason {
				t.Errorf("%s: it is %s (%s)", step.what, x.State, x.Reason)
			}
			events := h.told(t)[told:]
			told += len(events)
			if want := slices.DeleteFunc([]string{step.event}, func(e string) bool { return e == "" }); !slices.Equal(want, events) {
				t.Errorf("%s: it tells %v, want %v", step.what, events, want)
			}
			if len(h.jobs) != step.jobs || step.jobs > 0 && h.jobs[0] != "target.drain t1" {
				t.Errorf("%s: the jobs are %v", step.what, h.jobs)
			}
		}
		wantDiff(t, "the audit", `targets:write t1 {"reason":"it stays","state":"cordoned"} → {"reason":"","state":"active"}`, h.lastAudit())
		for reason, text := range map[string]string{"required": "", "too_long": strings.Repeat("a", 501), "text": "a\x00b"} {
			_, err := h.Cordon(t.Context(), keeper, "t1", text)
			wantDiff(t, "a reason: "+reason, []string{"reason " + reason}, faultsOf(err))
			_, err = h.Drain(t.Context(), keeper, "t1", text, false)
			wantDiff(t, "a reason to drain: "+reason, []string{"reason " + reason}, faultsOf(err))
		}
		_, err = h.Drain(t.Context(), owner, "none", "x", true)
		wantCode(t, "a plan for none", err, blueberry.NotFound, "TARGET_NOT_FOUND")
		if len(h.jobs) != 2 {
			t.Errorf("what was refused left jobs: %v", h.jobs)
		}
	})
}

func TestRemove(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		h.register(t, fleet.TargetWish{Name: "t1", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://k")})
		h.do(t, func(tx *store.Tx) error {
			return tx.PutTarget(t.Context(), blueberry.Target{Name: "former", Driver: "kube", Domain: "localhost", Configured: true, CreatedAt: start})
		})
		e := h.live(t, "t1", "shop", "pr-1", asIs)
		remove := func(name string, version int64) error { return h.Remove(t.Context(), keeper, name, version) }
		err := remove("t1", 0)
		wantCode(t, "while one lives there", err, blueberry.Conflict, "TARGET_IN_USE")
		if !strings.Contains(err.Error(), "holds 1 environments") {
			t.Errorf("it does not count: %v", err)
		}
		e.Phase = blueberry.Terminated
		h.do(t, func(tx *store.Tx) error { return tx.UpdateEnvironment(t.Context(), e) })
		wantCode(t, "from another version", remove("t1", 9), blueberry.PreconditionFailed, "VERSION_MOVED")
		wantCode(t, "that of the configuration", remove("local", 0), blueberry.Conflict, "TARGET_CONFIGURED")
		if err := errors.Join(remove("t1", 1), remove("former", 0)); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "none", remove("t1", 0), blueberry.NotFound, "TARGET_NOT_FOUND")
		wantDiff(t, "the events", []string{
			"target.registered ada registered target t1 with driver kube", "target.removed kim removed target t1", "target.removed kim removed target former",
		}, h.told(t))
		if got := h.register(t, fleet.TargetWish{Name: "t1", Driver: "sim", Domain: "localhost"}); got.Version != 2 {
			t.Errorf("one that takes the name is at version %d", got.Version)
		}
	})
}
