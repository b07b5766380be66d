package provision_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func (h *house) setPrices(t *testing.T, p blueberry.Prices) {
	t.Helper()
	p.Since = h.clock.now()
	if err := h.store.Update(t.Context(), func(tx *store.Tx) error { return tx.AppendPrices(t.Context(), p) }); err != nil {
		t.Fatal(err)
	}
}

func (h *house) cost(t *testing.T, id string) *blueberry.EnvironmentCost {
	t.Helper()
	c, err := h.Cost(t.Context(), admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sized is a component that asks for so many thousandths of a core and one GiB in each of its pods.
func sized(name string, replicas, milli int) blueberry.Component {
	c := fixed(name, replicas)
	c.Values["resources"] = map[string]any{"requests": map[string]any{"cpu": fmt.Sprintf("%dm", milli), "memory": "1Gi"}}
	return c
}

// A core costs 1 and a GiB 2: what an environment is planned for is what it costs, hour by hour, and its end says all of it.
func TestCostOfALife(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, ctx := newHouse(t, s), t.Context()
		wish := func(replicas int) provision.Wish {
			return provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{sized("web", replicas, 1000)}}}
		}
		request := provision.CreateRequest{Name: "pr-1", Hours: 24, Wish: wish(1)}
		plan, err := h.PlanCreate(ctx, admin, request)
		if err != nil || plan.Cost != nil {
			t.Fatalf("without prices: %+v, %v", plan.Cost, err)
		}
		h.setPrices(t, blueberry.Prices{Currency: "EUR", CPUHour: 1_000_000, MemoryHour: 2_000_000})
		if plan, err = h.PlanCreate(ctx, admin, request); err != nil {
			t.Fatal(err)
		}
		if c := plan.Cost; c == nil || c.Before.Awake() != 0 || c.After.Awake() != 3_000_000 || c.After.Asleep() != 0 || c.ToLeaseEnd != 72_000_000 {
			t.Fatalf("planned: %+v", c)
		}
		if kept, err := h.PlanByID(ctx, admin, plan.ID); err != nil || kept.Cost.After.Awake() != 3_000_000 {
			t.Errorf("kept: %+v, %v", kept.Cost, err)
		}
		e, err := h.Create(ctx, admin, request)
		if err != nil {
			t.Fatal(err)
		}
		if c := h.cost(t, e.ID); c.SoFar != 0 || c.Now != 0 || !c.Since.IsZero() {
			t.Errorf("before its first step: %+v", c)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		h.clock.add(2 * time.Hour)
		if c := h.cost(t, e.ID); c.SoFar != 6_000_000 || c.Now != 3_000_000 || c.ToLeaseEnd != 66_000_000 {
			t.Errorf("after two hours: %+v", c)
		}

		plan, err = h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &provision.ChangeRequest{Wish: wish(3)}})
		if err != nil || plan.Cost.Before.Awake() != 3_000_000 || plan.Cost.After.Awake() != 9_000_000 || plan.Cost.ToLeaseEnd != 22*9_000_000 {
			t.Fatalf("a change: %+v, %v", plan.Cost, err)
		}
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan.ID}); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		h.clock.add(time.Hour) // 9 more
		h.sleep(t, e.ID)
		h.clock.add(5 * time.Hour) // nothing: it has no volumes
		if c := h.cost(t, e.ID); c.SoFar != 15_000_000 || c.Now != 0 || c.Awake != 9_000_000 {
			t.Errorf("asleep: %+v", c)
		}
		if _, err := h.Wake(ctx, admin, e.ID, 0); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		if plan, err = h.Plan(ctx, admin, e.ID, provision.PlanRequest{Rollback: &provision.RollbackRequest{Number: 1}}); err != nil || plan.Cost.After.Awake() != 3_000_000 {
			t.Errorf("a rollback: %+v, %v", plan.Cost, err)
		}
		h.setPrices(t, blueberry.Prices{Target: "local", Currency: "EUR", CPUHour: 2_000_000, MemoryHour: 2_000_000})
		h.clock.add(time.Hour) // 12 more
		if plan, err = h.Plan(ctx, admin, e.ID, provision.PlanRequest{Destroy: true}); err != nil || plan.Cost.Before.Awake() != 12_000_000 || plan.Cost.After.Awake() != 0 || plan.Cost.Ends {
			t.Errorf("the end: %+v, %v", plan.Cost, err)
		}
		if _, err := h.Destroy(ctx, admin, e.ID, "", 0); err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Terminated))
		h.clock.add(1000 * time.Hour)
		r, err := h.Receipt(ctx, admin, e.ID)
		if err != nil || r.Cost == nil || r.Cost.SoFar != 27_000_000 || r.Cost.Currency != "EUR" {
			t.Errorf("the receipt: %+v, %v", r.Cost, err)
		}
		if c := h.cost(t, e.ID); c.SoFar != 27_000_000 || c.Now != 0 || c.Ends {
			t.Errorf("in the end: %+v", c)
		}
	})
}

// Of an environment that was recorded before requests were kept, time is counted from the next look on, and a plan of a change knows what it costs now.
func TestCostOfWhatIsOlder(t *testing.T) {
	t.Parallel()
	h, ctx := newHouse(t, storetest.SQLite(t)), t.Context()
	h.setPrices(t, blueberry.Prices{Currency: "EUR", CPUHour: 1_000_000})
	e := h.create(t, "old", sized("web", 1, 1000))
	h.until(t, e.ID, phase(blueberry.Ready))
	if err := h.store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Environment(ctx, e.ID)
		if err != nil {
			return err
		}
		e.Requests, e.UpdatedAt = blueberry.Requests{}, h.clock.now()
		return tx.UpdateEnvironment(ctx, e)
	}); err != nil {
		t.Fatal(err)
	}
	h.clock.add(time.Hour)
	if c := h.cost(t, e.ID); c.SoFar != 0 {
		t.Errorf("time is counted that nobody knows the cost of: %+v", c)
	}
	plan, err := h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &provision.ChangeRequest{Wish: provision.Wish{Blueprint: &blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{sized("web", 2, 1000)}}}}})
	if err != nil || plan.Cost.Before.Awake() != 1_000_000 || plan.Cost.After.Awake() != 2_000_000 {
		t.Errorf("a change: %+v, %v", plan.Cost, err)
	}
	h.until(t, e.ID, phase(blueberry.Ready))
	h.clock.add(time.Hour)
	if c := h.cost(t, e.ID); c.SoFar != 1_000_000 || c.Now != 1_000_000 {
		t.Errorf("after the next look: %+v", c)
	}
}

func TestCostIsForWhoMayRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	e := h.create(t, "pr-1")
	stranger := blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_9", Name: "eve"}
	if c, err := h.Cost(t.Context(), stranger, e.ID); err == nil {
		t.Errorf("told to a stranger: %+v", c)
	}
}
