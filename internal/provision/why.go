package provision

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Why tells why an environment is not ready, or what should be known of one that is: the waterfall, and every cause that is seen now, with its evidence and
// the way out. The same state gives the same answer.
func (p *Provisioner) Why(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Why, error) {
	var ledger []blueberry.LedgerEntry
	var receipt blueberry.Receipt
	e, err := viewOf(ctx, p, actor, id, func(tx Tx, e blueberry.Environment) (_ blueberry.Environment, err error) {
		if e.Phase == blueberry.Terminating {
			if receipt, err = tx.Receipt(ctx, id); err != nil && !isCode(err, "RECEIPT_NOT_FOUND") {
				return e, err
			}
		}
		ledger, err = tx.LedgerOf(ctx, id)
		return e, err
	})
	if err != nil {
		return blueberry.Why{}, err
	}
	now := p.Now()
	w := blueberry.Why{Environment: e, Steps: blueberry.Steps(e, now), LookedAt: now}
	if e.Phase == blueberry.Terminated {
		return w, nil
	}
	var found []blueberry.Cause
	for _, l := range receipt.Leftovers {
		if len(l.Finalizers) > 0 {
			found = append(found, *heldUp(l))
		}
	}
	place, err := p.place(e.Target)
	if err != nil {
		found = append(found, blueberry.Cause{
			Code: blueberry.CauseTargetUnreachable, Severity: blueberry.Fails, Step: blueberry.Synced, Message: userText(err),
			Fix: "check the target's registration: blueberry target check " + e.Target,
		})
	} else {
		found = append(found, p.probe(ctx, place, e)...)
		found = append(found, p.seen(ctx, place, e, ledger)...)
	}
	w.Causes = blueberry.MergeCauses(found, blueberry.CausesOf(e, now))
	return w, nil
}

// seen asks a place for the causes that it sees now. That it does not answer is a cause itself.
func (p *Provisioner) seen(ctx context.Context, place Place, e blueberry.Environment, ledger []blueberry.LedgerEntry) []blueberry.Cause {
	x, ok := place.Driver.(target.Explainer)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, explainWithin)
	defer cancel()
	want, _ := split(ledger, e.Revision)
	list, err := x.Explain(ctx, refOf(e), want)
	if err != nil {
		if c, ok := blueberry.CauseOf(blueberry.Synced, err, p.Now()); ok {
			return append(list, c)
		}
	}
	return list
}
