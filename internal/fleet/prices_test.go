package fleet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestPricesOfTargets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, ctx := newHouse(t, s), t.Context()
		h.register(t, fleet.TargetWish{Name: "eu", Driver: "kube", Domain: "localhost", Kubeconfig: kubeconfig("https://k")})
		set := func(w fleet.PricesWish) {
			t.Helper()
			if _, err := h.SetPrices(ctx, keeper, w); err != nil {
				t.Fatal(err)
			}
		}
		all := fleet.PricesWish{Currency: "EUR", CPUHour: "0.031", MemoryHour: "0.004", StorageMonth: "0.1"}
		set(all)
		set(all) // changes nothing
		set(fleet.PricesWish{Target: "eu", Currency: "CHF", CPUHour: "1"})
		history, current, err := h.Prices(ctx, reader)
		if err != nil || len(history) != 2 || len(current) != 2 || current[0].CPUHour != 31_000 || current[0].By != "kim" || current[1].Target != "eu" {
			t.Fatalf("%+v, %+v, %v", history, current, err)
		}
		if got := h.lastAudit(); !strings.Contains(got, `"cpu_hour":"1.00"`) || !strings.Contains(got, `"currency":"CHF"`) {
			t.Errorf("noted as %s", got)
		}
		if err := h.RemovePrices(ctx, keeper, ""); err != nil {
			t.Fatal(err)
		}
		if err := h.RemovePrices(ctx, keeper, ""); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
		if err := h.Remove(ctx, keeper, "eu", 0); err != nil {
			t.Fatal(err)
		}
		if _, current, _ := h.Prices(ctx, keeper); len(current) != 0 {
			t.Errorf("another target of the name would begin with %+v", current)
		}
		if _, err := h.SetPrices(ctx, keeper, fleet.PricesWish{Target: "eu", Currency: "EUR", CPUHour: "1"}); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("prices of a target that is gone: %v", err)
		}
	})
}

func TestPricesTellEveryFaultAndHoldRights(t *testing.T) {
	t.Parallel()
	h, ctx := newHouse(t, storetest.SQLite(t)), t.Context()
	_, err := h.SetPrices(ctx, keeper, fleet.PricesWish{Currency: "euro", CPUHour: "0,031", MemoryHour: "-1", StorageMonth: "99999999"})
	var e *blueberry.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Field+" "+f.Code)
	}
	if d := cmp.Diff([]string{"cpu_hour pattern", "memory_hour pattern", "currency pattern", "storage_month range"}, got); d != "" {
		t.Error(d)
	}
	if _, err := h.SetPrices(ctx, reader, fleet.PricesWish{Currency: "EUR", CPUHour: "1"}); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("a reader sets: %v", err)
	}
	if err := h.RemovePrices(ctx, reader, ""); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("a reader removes: %v", err)
	}
	if _, _, err := h.Prices(ctx, stranger); !errors.Is(err, blueberry.Forbidden) {
		t.Errorf("a stranger reads: %v", err)
	}
}
