package fleet

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Uncordon lets a target take new environments again. A drain that is under way ends; what it has begun to remove goes.
func (f *Fleet) Uncordon(ctx context.Context, actor blueberry.Actor, name string) (blueberry.Target, error) {
	return f.change(ctx, actor, name, func(_ Tx, t *blueberry.Target) (fact, error) {
		if t.Takes() {
			return fact{}, nil
		}
		told := fact{event: blueberry.TargetUncordoned, message: fmt.Sprintf("%s uncordoned target %s", actor.Name, name), before: stateFields(*t)}
		t.State, t.Reason = blueberry.TargetActive, ""
		told.after = stateFields(*t)
		return told, nil
	})
}
