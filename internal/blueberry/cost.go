package blueberry

import (
	"slices"
	"strings"
	"time"
)

// Requests is what a rendering asks of its target to run as it stands: the part of it that can be priced. Demand is what it may grow to.
type Requests struct {
	Revision int `json:"revision"` // that it is of; 0 for not known
	// Parts are the components that ask for something, in the order of the rendering.
	Parts []ComponentRequests `json:"parts,omitempty"`
	// NotCounted says, for people, what of the rendering has a cost that cannot be told before.
	NotCounted []string `json:"not_counted,omitempty"`
}

// ComponentRequests is what one component asks for.
type ComponentRequests struct {
	Component string `json:"component"`
	Pods      int64  `json:"pods,omitempty"`
	CPU       int64  `json:"cpu,omitempty"`     // thousandths of a core
	Memory    int64  `json:"memory,omitempty"`  // bytes
	Storage   int64  `json:"storage,omitempty"` // bytes of volumes, which stay while it sleeps
}

// CostPart is what one component costs in an hour.
type CostPart struct {
	ComponentRequests
	CPUCost, MemoryCost, StorageCost Amount
	SoFar                            Amount // of an environment: until now
}

// Awake is the cost of an hour awake: the sum of the three.
func (p CostPart) Awake() Amount { return p.CPUCost.Plus(p.MemoryCost).Plus(p.StorageCost) }

// Asleep is the cost of an hour asleep: volumes alone.
func (p CostPart) Asleep() Amount { return p.StorageCost }

// hour is the one or the other.
func (p CostPart) hour(asleep bool) Amount {
	if asleep {
		return p.Asleep()
	}
	return p.Awake()
}

// Rate is what requests cost in an hour.
type Rate struct {
	Currency string
	Parts    []CostPart
}

// Awake is the sum of the parts.
func (r Rate) Awake() Amount { return r.hour(false) }

// Asleep is the sum of the parts.
func (r Rate) Asleep() Amount { return r.hour(true) }

func (r Rate) hour(asleep bool) (sum Amount) {
	for _, p := range r.Parts {
		sum = sum.Plus(p.hour(asleep))
	}
	return sum
}

const gibibyte = 1 << 30

// maxAsked bounds what one part counts with: a pebibyte, a trillion cores. Then no product is out of bounds.
const maxAsked = 1 << 50

// Rate prices requests. Each of the three costs of each part is rounded to a millionth; the rest are sums.
func (p Prices) Rate(r Requests) Rate {
	out := Rate{Currency: p.Currency, Parts: make([]CostPart, len(r.Parts))}
	asked := func(n int64) int64 { return min(max(n, 0), maxAsked) }
	for i, c := range r.Parts {
		out.Parts[i] = CostPart{
			ComponentRequests: c,
			CPUCost:           p.CPUHour.times(asked(c.CPU), 1000),
			MemoryCost:        p.MemoryHour.times(asked(c.Memory), gibibyte),
			StorageCost:       p.StorageMonth.times(asked(c.Storage), gibibyte*hoursOfMonth),
		}
	}
	return out
}

// over is what an hourly cost comes to in a span of time; nothing for one that is not above zero.
func (a Amount) over(d time.Duration) Amount {
	return a.times(max(0, d.Microseconds()), time.Hour.Microseconds())
}

// PlanCost is what a change costs, at the prices that held when the plan was made.
type PlanCost struct {
	Before, After Rate // of a create and of a destroy one has no parts
	NotCounted    []string
	ToLeaseEnd    Amount // After, awake, from when the plan was made until the lease ends
	Ends          bool   // there is such an end
}

// NewPlanCost compares what runs with what would run. span is how long the lease lasts from now on, zero for one without end.
func NewPlanCost(p Prices, before, after Requests, span time.Duration) *PlanCost {
	c := &PlanCost{Before: p.Rate(before), After: p.Rate(after), NotCounted: after.NotCounted, Ends: span > 0}
	if c.Ends {
		c.ToLeaseEnd = c.After.Awake().over(span)
	}
	return c
}

// CostSpan is a span of time in which an environment asked for the same: the record of what it costs. The spans of one environment follow one another
// without gap or overlap while it is on its target.
type CostSpan struct {
	EnvironmentID string
	Seq           int64 // from 1
	Revision      int
	Asleep        bool
	Parts         []ComponentRequests
	BeganAt       time.Time
	EndedAt       time.Time // zero while it goes on
}

// counted reports whether time is counted for an environment, and as asleep: from the first step of its making until it is proven gone. What falls asleep is
// awake until its pods are gone. One whose requests are not known is not counted.
func (e Environment) counted() (asleep, yes bool) {
	if e.Phase == Pending || e.Phase == Terminated || e.Requests.Revision == 0 || e.Requests.Revision != e.Revision {
		return false, false
	}
	return e.Sleep.Asleep && e.Sleep.Step == "", true
}

// NextSpan tells how the record of an environment's cost goes on now that it is written as e: ended is the open span with its end, nil when none ends, and
// begun the one that begins, nil when none does. last is its last span, the zero span for none.
//
// A clock that was set back neither counts time twice nor loses it: a span ends where the next begins, and never before it began.
func NextSpan(last CostSpan, e Environment) (ended, begun *CostSpan) {
	now := e.UpdatedAt
	if e.Phase == Terminated && !e.TerminatedAt.IsZero() {
		now = e.TerminatedAt
	}
	asleep, counted := e.counted()
	open := last.Seq > 0 && last.EndedAt.IsZero()
	if open && counted && last.Asleep == asleep && last.Revision == e.Revision {
		return nil, nil
	}
	if open {
		end := last
		end.EndedAt = now
		if now.Before(last.BeganAt) {
			end.EndedAt = last.BeganAt
		}
		ended, last = &end, end
	}
	if counted {
		begun = &CostSpan{EnvironmentID: e.ID, Seq: last.Seq + 1, Revision: e.Revision, Asleep: asleep, Parts: e.Requests.Parts, BeganAt: now}
		if now.Before(last.EndedAt) {
			begun.BeganAt = last.EndedAt
		}
	}
	return ended, begun
}

// EnvironmentCost is what an environment costs now, and has cost.
type EnvironmentCost struct {
	Currency   string // of the prices that hold, else of those that held last
	Priced     bool   // prices hold now; else Now, Awake, Asleep and ToLeaseEnd are not known
	Now        Amount // of this hour, as it is: awake, asleep, or nothing while it is not on its target
	Awake      Amount // of an hour awake
	Asleep     Amount // of an hour asleep
	SoFar      Amount // the sum of the parts
	ToLeaseEnd Amount // what is to come until the lease ends, if it stays as it is
	Ends       bool   // there is such an end
	Parts      []CostPart
	Others     []Money // so far in other currencies, from before the prices were told in this one
	NotCounted []string
	Since      time.Time     // from when on its time is counted; zero for not yet
	Unpriced   time.Duration // how much of that time no price held for
	AsOf       time.Time
}

// Money is an amount of a currency.
type Money struct {
	Currency string
	Amount   Amount
}

// CostOf sums up an environment until now. nil says that no prices hold and none ever did while it was there.
func CostOf(e Environment, spans []CostSpan, sheet PriceSheet, now time.Time) *EnvironmentCost {
	out := EnvironmentCost{AsOf: now}
	t := newTally()
	for _, s := range spans {
		if out.Since.IsZero() || s.BeganAt.Before(out.Since) {
			out.Since = s.BeganAt
		}
		end := s.EndedAt
		if end.IsZero() {
			end = now
		}
		t.add(e.Target, s, end, sheet)
	}
	out.Unpriced = t.unpriced
	prices, priced := sheet.At(e.Target, now)
	if !priced && t.last == "" {
		return nil
	}
	out.Currency = t.last
	if priced {
		out.Priced, out.Currency = true, prices.Currency
	}
	out.price(e, prices, now)
	t.into(&out)
	return &out
}

// price tells what the environment costs from now on.
func (c *EnvironmentCost) price(e Environment, prices Prices, now time.Time) {
	if !c.Priced || e.Phase == Terminated || e.Requests.Revision != e.Revision {
		return
	}
	rate := prices.Rate(e.Requests)
	c.Parts, c.Awake, c.Asleep, c.NotCounted = rate.Parts, rate.Awake(), rate.Asleep(), e.Requests.NotCounted
	if asleep, counted := e.counted(); counted {
		c.Now = rate.hour(asleep)
	}
	if left := e.Lease.ExpiresAt.Sub(now); !e.Lease.ExpiresAt.IsZero() && e.Phase != Terminating {
		c.Ends, c.ToLeaseEnd = true, c.Now.over(left)
	}
}

// tally is what spans cost, by currency and component.
type tally struct {
	sums       map[string]map[string]Amount // currency → component → so far
	components []string                     // in the order in which they came
	last       string                       // currency of the latest priced time
	unpriced   time.Duration
}

func newTally() *tally { return &tally{sums: map[string]map[string]Amount{}} }

// add counts one span, at the prices that held in each part of it.
func (t *tally) add(target string, s CostSpan, end time.Time, sheet PriceSheet) {
	for _, x := range sheet.periods(target, s.BeganAt) {
		until := end
		if !x.until.IsZero() && x.until.Before(end) {
			until = x.until
		}
		length := until.Sub(x.from)
		switch {
		case length <= 0:
			continue
		case !x.known:
			t.unpriced += length
			continue
		}
		t.last = x.prices.Currency
		sums := t.sums[t.last]
		if sums == nil {
			sums = map[string]Amount{}
			t.sums[t.last] = sums
		}
		for _, p := range x.prices.Rate(Requests{Parts: s.Parts}).Parts {
			if !slices.Contains(t.components, p.Component) {
				t.components = append(t.components, p.Component)
			}
			sums[p.Component] = sums[p.Component].Plus(p.hour(s.Asleep).over(length))
		}
	}
}

// into writes the sums of the currency of c to its parts; components that are gone get parts of their own. Other currencies are told beside.
func (t *tally) into(c *EnvironmentCost) {
	for _, name := range t.components {
		soFar, there := t.sums[c.Currency][name]
		if !there {
			continue
		}
		i := slices.IndexFunc(c.Parts, func(p CostPart) bool { return p.Component == name })
		if i < 0 {
			i = len(c.Parts)
			c.Parts = append(c.Parts, CostPart{ComponentRequests: ComponentRequests{Component: name}})
		}
		c.Parts[i].SoFar = soFar
		c.SoFar = c.SoFar.Plus(soFar)
	}
	for currency, parts := range t.sums {
		if currency == c.Currency {
			continue
		}
		m := Money{Currency: currency}
		for _, a := range parts {
			m.Amount = m.Amount.Plus(a)
		}
		c.Others = append(c.Others, m)
	}
	slices.SortFunc(c.Others, func(a, b Money) int { return strings.Compare(a.Currency, b.Currency) })
}
