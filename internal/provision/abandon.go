package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// NoteNoLogs stands in the receipt of a removal that was abandoned before its logs were read.
const NoteNoLogs = "its logs were not kept: the target did not answer until it was given up"

// Abandon ends a removal that its target holds up for good: what the target still holds is named in the receipt instead of proven gone, and files, record and
// name are freed. Who may change targets may. Should the target come back, a scan finds there what was left. Asking again changes nothing.
func (p *Provisioner) Abandon(ctx context.Context, actor blueberry.Actor, id, reason string) (blueberry.Environment, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantTargetsWrite); err != nil {
		return blueberry.Environment{}, err
	}
	var faults blueberry.Faults
	if reason == "" {
		faults.Add("reason", "required", "is needed: what is left behind has to be explained")
	}
	faults.CheckText("reason", reason, blueberry.MaxConfigMessage)
	if err := faults.Err(); err != nil {
		return blueberry.Environment{}, err
	}
	return p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
		r, err := tx.Receipt(ctx, id)
		if err != nil && !errors.Is(err, blueberry.NotFound) {
			return false, err
		}
		switch {
		case !r.Abandoned.At.IsZero():
			return false, nil
		case e.Phase == blueberry.Terminated:
			return false, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_GONE", "%s is gone, and nothing of it is left", e.Name)
		case e.Phase != blueberry.Terminating:
			return false, blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_LIVES", "%s is %s: only a removal that has begun can be abandoned", e.Name, e.Phase)
		case errors.Is(err, blueberry.NotFound): // its removal began before there were receipts
			r = newReceipt(*e, "")
		}
		r.Abandoned = blueberry.Abandonment{By: actor.Name, Reason: reason, At: p.Now()}
		if err := tx.PutReceipt(ctx, r); err != nil {
			return false, err
		}
		if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, id); err != nil {
			return false, err
		}
		message := fmt.Sprintf("%s gave up what target %s still holds of %s: %s", actor.Name, e.Target, e.Name, reason)
		if err := e.Move(blueberry.Terminating, e.Reason, message, p.Now()); err != nil {
			return false, err
		}
		return true, p.act(ctx, tx, *e, actor, deed{event: blueberry.EnvironmentAbandoned, grant: blueberry.GrantTargetsWrite, message: message})
	})
}

// leftBehind names in a receipt what is not proven gone.
func leftBehind(r *blueberry.Receipt, ledger []blueberry.LedgerEntry) {
	r.Leftovers = nil
	for _, l := range ledger {
		x := line(r, systemOf(l.ObjectRef), l.ObjectRef.String())
		x.MadeAt = l.MadeAt
		if !l.GoneAt.IsZero() && x.GoneAt.IsZero() {
			x.GoneAt, x.Control = l.GoneAt, controlPruned
		}
		if x.GoneAt.IsZero() && len(r.Leftovers) < maxLeftovers {
			r.Leftovers = append(r.Leftovers, blueberry.Leftover{
				ObjectRef: l.ObjectRef, Since: r.StoppedAt, Message: "was given up",
				Fix: fmt.Sprintf("should the target come back: blueberry target scan %s finds it among the orphans", r.Target),
			})
		}
	}
}

// ending says how a removal ended.
func ending(r blueberry.Receipt) string {
	n := 0
	for _, l := range r.Lines {
		if l.GoneAt.IsZero() {
			n++
		}
	}
	if n == 0 {
		return "every object and file is proven gone"
	}
	return fmt.Sprintf("abandoned: %d objects on target %s are not proven gone", n, r.Target)
}
