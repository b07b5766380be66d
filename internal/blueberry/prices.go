package blueberry

import (
	"cmp"
	"slices"
	"time"
)

// Prices is what a target costs, from a moment on until others take its place. What was counted before stays as it was.
type Prices struct {
	Target       string // empty: of every target that has none of its own
	Currency     string // ISO 4217: "EUR"
	CPUHour      Amount // of one core that is asked for, for an hour
	MemoryHour   Amount // of one GiB of memory that is asked for, for an hour
	StorageMonth Amount // of one GiB of volumes that is asked for, for a month of 730 hours
	Since        time.Time
	By           string // actor
	Removed      bool   // nothing is known from then on; of a target: those of every target hold again
}

// hoursOfMonth is a twelfth of a year of 365 days, as clouds count.
const hoursOfMonth = 730

// Check notes what is wrong with prices. Not every word of three letters is a currency, but the list of those that are changes.
func (p Prices) Check(f *Faults) {
	if !currencyForm(p.Currency) {
		f.Add("currency", "pattern", "%q is no currency: three capital letters, as EUR", p.Currency)
	}
	for _, x := range []struct {
		field string
		price Amount
	}{{"cpu_hour", p.CPUHour}, {"memory_hour", p.MemoryHour}, {"storage_month", p.StorageMonth}} {
		if x.price < 0 || x.price > MaxPrice {
			f.Add(x.field, "range", "is %s, must be 0 to %s", x.price, Amount(MaxPrice))
		}
	}
	if p.CPUHour == 0 && p.MemoryHour == 0 && p.StorageMonth == 0 {
		f.Add("", "required", "at least one price must be above zero")
	}
}

func currencyForm(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, r := range s {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return true
}

// Same reports whether two prices ask the same.
func (p Prices) Same(o Prices) bool {
	return p.Currency == o.Currency && p.CPUHour == o.CPUHour && p.MemoryHour == o.MemoryHour && p.StorageMonth == o.StorageMonth && p.Removed == o.Removed
}

// PriceSheet is all prices that ever held for a target: its own, and those of every target. The order does not matter.
type PriceSheet []Prices

// At gives the prices that hold for the target at a moment, and whether there are any: its own, else those of every target.
func (s PriceSheet) At(target string, at time.Time) (Prices, bool) {
	for _, scope := range []string{target, ""} {
		last, found := Prices{}, false
		for _, p := range s {
			if p.Target == scope && !p.Since.After(at) && (!found || !p.Since.Before(last.Since)) {
				last, found = p, true
			}
		}
		if found && !last.Removed {
			return last, true
		}
	}
	return Prices{}, false
}

// pricePeriod is a span of time in which one price holds; Until is zero for the last.
type pricePeriod struct {
	from, until time.Time
	prices      Prices
	known       bool
}

// periods parts time from a moment on by what holds for the target.
func (s PriceSheet) periods(target string, from time.Time) []pricePeriod {
	turns := []time.Time{from}
	for _, p := range s {
		if (p.Target == target || p.Target == "") && p.Since.After(from) {
			turns = append(turns, p.Since)
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	turns = slices.CompactFunc(turns, time.Time.Equal)
	out := make([]pricePeriod, len(turns))
	for i, at := range turns {
		out[i].from = at
		out[i].prices, out[i].known = s.At(target, at)
		if i > 0 {
			out[i-1].until = at
		}
	}
	return out
}

// Current gives what holds at a moment, by target, those of every target first.
func (s PriceSheet) Current(at time.Time) []Prices {
	last := map[string]Prices{}
	for _, p := range s {
		if was, ok := last[p.Target]; !p.Since.After(at) && (!ok || !p.Since.Before(was.Since)) {
			last[p.Target] = p
		}
	}
	var out []Prices
	for _, p := range last {
		if !p.Removed {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Prices) int { return cmp.Compare(a.Target, b.Target) })
	return out
}
