package fleet

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Prices reads all that ever were set, the oldest first, and those that hold now. Who may read targets knows what they cost.
func (f *Fleet) Prices(ctx context.Context, actor blueberry.Actor) (history blueberry.PriceSheet, current []blueberry.Prices, err error) {
	if err := actor.CanSomewhere(blueberry.GrantTargetsRead); err != nil {
		return nil, nil, err
	}
	err = f.Record.View(ctx, func(tx Tx) (err error) {
		history, err = tx.Prices(ctx, "", true)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	now := f.Now()
	for _, p := range history {
		if p.Since.After(now) {
			now = p.Since // the clock was set back: the last that was said holds
		}
	}
	return history, history.Current(now), nil
}

// PricesWish is what a target is to cost. Prices are decimal numbers; an empty one is nothing.
type PricesWish struct {
	Target                            string // empty: every target that has none of its own
	Currency                          string
	CPUHour, MemoryHour, StorageMonth string
	Found                             blueberry.Faults // what was wrong with the request before it came here
}

// prices reads a wish, and notes every fault.
func (w PricesWish) prices() (blueberry.Prices, error) {
	faults, broken := w.Found, false
	read := func(field, text string) blueberry.Amount {
		if text == "" {
			return 0
		}
		a, err := blueberry.ParseAmount(text)
		if err != nil {
			broken = true
			faults.Add(field, "pattern", "%s", err)
		}
		return a
	}
	p := blueberry.Prices{
		Target: w.Target, Currency: w.Currency, CPUHour: read("cpu_hour", w.CPUHour), MemoryHour: read("memory_hour", w.MemoryHour),
		StorageMonth: read("storage_month", w.StorageMonth),
	}
	var found blueberry.Faults
	p.Check(&found)
	for _, x := range found {
		if x.Field != "" || !broken { // that nothing is above zero follows from what could not be read
			faults = append(faults, x)
		}
	}
	return p, faults.Err()
}

// SetPrices says what a target costs from now on. Asking for what holds already changes nothing.
func (f *Fleet) SetPrices(ctx context.Context, actor blueberry.Actor, w PricesWish) (blueberry.Prices, error) {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return blueberry.Prices{}, err
	}
	p, err := w.prices()
	if err != nil {
		return blueberry.Prices{}, err
	}
	for range writeAttempts {
		if err = f.Record.Update(ctx, func(tx Tx) error {
			p.Since, p.By = f.Now(), actor.Name
			was, held, err := f.held(ctx, tx, p.Target)
			if err != nil {
				return err
			}
			if held && was.Same(p) {
				p = was
				return nil
			}
			if err := tx.AppendPrices(ctx, p); err != nil {
				return err
			}
			return f.tell(ctx, tx, actor, scopeName(p.Target), fact{
				event: blueberry.TargetChanged, message: fmt.Sprintf("%s set the prices of %s", actor.Name, scopeText(p.Target)), before: priceFields(was), after: priceFields(p),
			})
		}); !versionMoved(err) {
			break
		}
	}
	return p, err
}

// RemovePrices takes prices back: of a target those of every target hold again, of every target none. NotFound with code PRICES_NOT_FOUND when there are
// none.
func (f *Fleet) RemovePrices(ctx context.Context, actor blueberry.Actor, target string) error {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return err
	}
	return f.Record.Update(ctx, func(tx Tx) error {
		was, err := f.dropPrices(ctx, tx, actor, target)
		if err != nil {
			return err
		}
		if was == nil {
			return blueberry.Errorf(blueberry.NotFound, "PRICES_NOT_FOUND", "no prices are set for %s", scopeText(target))
		}
		return f.tell(ctx, tx, actor, scopeName(target), fact{
			event: blueberry.TargetChanged, message: fmt.Sprintf("%s removed the prices of %s", actor.Name, scopeText(target)), before: priceFields(*was),
		})
	})
}

// held gives the prices that were last set for just this target, or for every one. The target is held until the transaction ends, so that two who set its
// prices at once come one after the other.
func (f *Fleet) held(ctx context.Context, tx Tx, target string) (last blueberry.Prices, ok bool, err error) {
	if target != "" {
		if _, err := tx.LockTarget(ctx, target); err != nil {
			return last, false, err
		}
	}
	return lastPrices(ctx, tx, target)
}

func lastPrices(ctx context.Context, tx Tx, target string) (last blueberry.Prices, ok bool, err error) {
	sheet, err := tx.Prices(ctx, target, false)
	if err != nil {
		return last, false, err
	}
	for _, p := range sheet { // the oldest first
		if p.Target == target {
			last, ok = p, !p.Removed
		}
	}
	return last, ok, nil
}

// dropPrices has the prices of a target end, and gives those that held; nil when there were none.
func (f *Fleet) dropPrices(ctx context.Context, tx Tx, actor blueberry.Actor, target string) (*blueberry.Prices, error) {
	was, ok, err := lastPrices(ctx, tx, target)
	if err != nil || !ok {
		return nil, err
	}
	return &was, tx.AppendPrices(ctx, blueberry.Prices{Target: target, Since: f.Now(), By: actor.Name, Removed: true})
}

// scopeName is what prices are of, in the audit.
func scopeName(target string) string {
	if target == "" {
		return "*"
	}
	return target
}

func scopeText(target string) string {
	if target == "" {
		return "every target that has none of its own"
	}
	return "target " + target
}

func priceFields(p blueberry.Prices) map[string]any {
	if p.Currency == "" {
		return nil
	}
	return map[string]any{
		"currency": p.Currency, "cpu_hour": p.CPUHour.String(), "memory_hour": p.MemoryHour.String(), "storage_month": p.StorageMonth.String(),
	}
}
