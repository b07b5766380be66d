package fleet

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Cordon keeps new environments from a target. Those that are there live on; a drain that is under way ends.
func (f *Fleet) Cordon(ctx context.Context, actor blueberry.Actor, name, reason string) (blueberry.Target, error) {
	return f.changeState(ctx, actor, name, blueberry.TargetCordoned, reason)
}

// changeState cordons a target or has it drained. Asking for what is there already changes nothing.
func (f *Fleet) changeState(ctx context.Context, actor blueberry.Actor, name string, to blueberry.TargetState, reason string) (blueberry.Target, error) {
	return f.change(ctx, actor, name, func(tx Tx, t *blueberry.Target) (fact, error) {
		if err := checkReason(reason); err != nil {
			return fact{}, err
		}
		if to == blueberry.TargetDraining {
			if err := tx.Enqueue(ctx, blueberry.JobTargetDrain, name); err != nil {
				return fact{}, err
			}
		}
		if t.State == to && t.Reason == reason {
			return fact{}, nil
		}
		told := fact{event: blueberry.TargetCordonedBy, message: fmt.Sprintf("%s cordoned target %s: %s", actor.Name, name, reason), before: stateFields(*t)}
		if to == blueberry.TargetDraining {
			told.event, told.message = blueberry.TargetDrained, fmt.Sprintf("%s has target %s drained: %s", actor.Name, name, reason)
		}
		t.State, t.Reason = to, reason
		told.after = stateFields(*t)
		return told, nil
	})
}

// checkReason: whoever finds a target closed wants to know why.
func checkReason(reason string) error {
	var faults blueberry.Faults
	if reason == "" {
		faults.Add("reason", "required", "must be set")
	}
	faults.CheckText("reason", reason, blueberry.MaxDescription)
	return faults.Err()
}

func stateFields(t blueberry.Target) map[string]any {
	return map[string]any{"state": string(t.State), "reason": t.Reason}
}
