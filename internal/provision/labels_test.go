package provision_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestLabelsGoWithAnEnvironment: from the plan to what it makes, by hand to others, and to what an undo makes of it.
func TestLabelsGoWithAnEnvironment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newArchiveHouse(t, s)
		ctx := t.Context()
		w := blueberry.Labels{"team": "shop", "demo": ""}
		if _, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: wish(web), Labels: blueberry.Labels{"a b": "", "k8s.io/x": ""}}); !cmp.Equal(faultsOf(err), []string{"labels.a b pattern", "labels.k8s.io/x reserved"}) {
			t.Errorf("a plan with faults: %v", err)
		}
		plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: wish(web), Labels: w})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID, Labels: w}); err == nil {
			t.Error("a plan was applied with labels beside it")
		}
		e, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID})
		if err != nil || !cmp.Equal(e.Labels, w) {
			t.Fatalf("the plan made labels %v (%v)", e.Labels, err)
		}
		if got := last(h.house); !strings.Contains(string(got.After), `"labels":["demo=","team=shop"]`) {
			t.Errorf("the audit of the create says %+v", got)
		}
		h.until(t, e.ID, phase(blueberry.Ready))

		if _, err := h.SetLabels(ctx, admin, e.ID, blueberry.Labels{"-": "", "x": "y z"}, 0); !cmp.Equal(faultsOf(err), []string{"labels.- pattern", "labels.x pattern"}) {
			t.Errorf("faults: %v", err)
		}
		now := h.get(t, e.ID)
		if _, err := h.SetLabels(ctx, admin, e.ID, nil, now.Version+1); !errors.Is(err, blueberry.PreconditionFailed) {
			t.Errorf("for another version: %v", err)
		}
		if same, err := h.SetLabels(ctx, admin, e.ID, w, now.Version); err != nil || same.Version != now.Version {
			t.Errorf("what is there already is version %d after %d (%v)", same.Version, now.Version, err)
		}
		next := blueberry.Labels{"team": "pay", "tier": "web", "a": "1", "b": "2"}
		got, err := h.SetLabels(ctx, admin, e.ID, next, now.Version)
		if err != nil || !cmp.Equal(got.Labels, next) || got.Version != now.Version+1 || got.Revision != now.Revision || got.Phase != blueberry.Ready {
			t.Errorf("set to %+v (%v)", got, err)
		}
		if n := h.told(t, e.ID)[blueberry.EnvironmentLabelled]; n != 1 {
			t.Errorf("%d events", n)
		}
		if got := last(h.house); got.Action != string(blueberry.GrantEnvironmentsOperate) || got.Detail != "admin labelled pr-1 a=1, b=2, team=pay and 1 more" ||
			string(got.Before) != `{"labels":["demo=","team=shop"]}` || string(got.After) != `{"labels":["a=1","b=2","team=pay","tier=web"]}` {
			t.Errorf("the audit says %+v", got)
		}

		h.destroy(t, e.ID)
		if _, err := h.SetLabels(ctx, admin, e.ID, nil, 0); refusedWith(err) != "ENVIRONMENT_ENDING" {
			t.Errorf("of one that ended: %v", err)
		}
		if record := h.file(t, e.ID, "record.json"); !strings.Contains(record, `"team": "pay"`) {
			t.Errorf("the archive says %s", record)
		}
		h.clock.add(time.Minute)
		again, err := h.Undo(ctx, admin, e.ID, provision.UndoRequest{})
		if err != nil || !cmp.Equal(again.Labels, next) {
			t.Fatalf("undone with labels %v (%v)", again.Labels, err)
		}
		if none, err := h.SetLabels(ctx, admin, again.ID, blueberry.Labels{}, 0); err != nil || none.Labels != nil {
			t.Errorf("without any: %v (%v)", none.Labels, err)
		}
		if got := last(h.house); got.Detail != "admin took every label of pr-1 away" {
			t.Errorf("the audit says %q", got.Detail)
		}
	})
}

// last is the newest entry of the audit.
func last(h *house) blueberry.AuditEntry { return h.audit[len(h.audit)-1] }
