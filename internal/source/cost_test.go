package source_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// TestHostIsToldTheCost: in one line where prices are set, not at all where none are, and in the end with the receipt. What moves by less than a cent is no news.
func TestHostIsToldTheCost(t *testing.T) {
	t.Parallel()
	h, b, r := spoken(t, storetest.SQLite(t), blueberry.PullPolicy{})
	h.send(t, r, "1", opened(7, 1))
	h.work(t, 5)
	become := func(cost *blueberry.EnvironmentCost, change func(e *blueberry.Environment)) string {
		h.world.mu.Lock()
		h.world.cost = cost
		h.world.mu.Unlock()
		h.become(t, r, 7, change)
		h.later(time.Minute)
		h.work(t, 5)
		return b.comments[7][0]
	}
	ready := func(e *blueberry.Environment) { e.Phase, e.Message = blueberry.Ready, "" }
	if got := become(nil, ready); strings.Contains(got, "Cost") {
		t.Errorf("without prices:\n%s", got)
	}
	cost := blueberry.EnvironmentCost{Currency: "EUR", Priced: true, Now: 18_870, SoFar: 241_000, ToLeaseEnd: 1_204_999, Ends: true}
	if got, want := become(&cost, ready), "| Cost | 0.01887 EUR an hour, 0.24 EUR so far, 1.20 EUR more until the lease ends |\n"; !strings.Contains(got, want) {
		t.Errorf("with prices:\n%s", got)
	}
	was := b.calls
	cost.SoFar += 500
	become(&cost, ready)
	if b.calls != was {
		t.Errorf("%d calls to tell of less than a cent", b.calls-was)
	}
	gone := blueberry.EnvironmentCost{Currency: "EUR", SoFar: 3_000, Others: []blueberry.Money{{Currency: "CHF", Amount: 2_000_000}}}
	if got := become(&gone, ready); !strings.Contains(got, "| Cost | less than 0.01 EUR so far, 2.00 CHF before the prices were told in EUR |\n") {
		t.Errorf("when prices are gone:\n%s", got)
	}
	if got := become(&cost, func(e *blueberry.Environment) { e.Phase = blueberry.Terminated }); !strings.Contains(got, "It cost 0.24 EUR.") {
		t.Errorf("in the end:\n%s", got)
	}
}
