package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

const (
	leftoverAfter = 5 * time.Second // then it is asked why something does not go
	maxLeftovers  = 50              // that a receipt names
)

// remaining says what still stands in the way, and when to look again. What stays for longer than it should is named with what holds it and the way out.
func (p *Provisioner) remaining(ctx context.Context, place Place, e blueberry.Environment, r blueberry.Receipt, left []blueberry.ObjectRef) (time.Duration, error) {
	again, message := backstop, stillThere(left)
	r.Leftovers = nil
	if waited := p.Now().Sub(r.StoppedAt); waited < leftoverAfter {
		again = leftoverAfter - max(0, waited)
	} else {
		r.Leftovers = p.leftovers(ctx, place, e, r, left)
	}
	var cause *blueberry.Cause
	if i := slices.IndexFunc(r.Leftovers, func(l blueberry.Leftover) bool { return len(l.Finalizers) > 0 }); i >= 0 {
		cause = heldUp(r.Leftovers[i])
		message = cause.Message + "; " + cause.Fix
	}
	_, err := p.change(ctx, e.ID, func(tx Tx, e *blueberry.Environment) (bool, error) {
		if e.Phase != blueberry.Terminating {
			return false, nil
		}
		if err := writeReceipt(ctx, tx, r); err != nil {
			return false, err
		}
		write := p.unblock(ctx, tx, e, blueberry.Synced)
		write = p.set(e, blueberry.Synced, blueberry.False, "Removing", message) || write
		told, err := p.tellCause(ctx, tx, e, cause)
		if err != nil {
			return false, err
		}
		if e.Message == message {
			return write || told, nil
		}
		return true, e.Move(blueberry.Terminating, e.Reason, message, p.Now())
	})
	return again, err
}

func stillThere(left []blueberry.ObjectRef) string {
	if n := len(left) - 1; n > 0 {
		return fmt.Sprintf("%s and %d more objects are still there", left[0], n)
	}
	return fmt.Sprintf("%s is still there", left[0])
}

// leftovers asks the place why things do not go; what it cannot say is named all the same. Those that something holds come first.
func (p *Provisioner) leftovers(ctx context.Context, place Place, e blueberry.Environment, r blueberry.Receipt, left []blueberry.ObjectRef) []blueberry.Leftover {
	var out []blueberry.Leftover
	if h, ok := place.Driver.(target.Holdup); ok {
		found, err := h.Leftovers(ctx, refOf(e), left)
		if err != nil && ctx.Err() == nil {
			p.Logger.Warn("ask target what holds an object", "target", e.Target, "environment", e.ID, "error", err)
		}
		out = found
	}
	named := map[blueberry.ObjectRef]bool{}
	for _, l := range out {
		named[l.ObjectRef] = true
	}
	for _, o := range left {
		if !named[o] {
			out = append(out, blueberry.Leftover{ObjectRef: o, Since: r.StoppedAt, Message: "is still there; the target does not say why"})
		}
	}
	slices.SortStableFunc(out, func(a, b blueberry.Leftover) int { return min(1, len(b.Finalizers)) - min(1, len(a.Finalizers)) })
	return out[:min(len(out), maxLeftovers)]
}

// heldUp is the cause of a removal that a finalizer holds up.
func heldUp(l blueberry.Leftover) *blueberry.Cause {
	c := &blueberry.Cause{
		Code: blueberry.CauseNamespaceGoing, Severity: blueberry.Waits, Step: blueberry.Synced, Object: l.ObjectRef, Fix: l.Fix,
		Message: fmt.Sprintf("%s is being deleted and is held by finalizer %s", l.ObjectRef, strings.Join(l.Finalizers, ", ")),
	}
	if c.Fix == "" {
		c.Fix = "let the controller that set it finish, or take it off the object"
	}
	return c
}
