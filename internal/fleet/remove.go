package fleet

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Remove forgets a target with its kubeconfigs; nothing on it is touched. Conflict with code TARGET_IN_USE while environments live on it, and with code
// TARGET_CONFIGURED for the one of the server's configuration.
func (f *Fleet) Remove(ctx context.Context, actor blueberry.Actor, name string, ifVersion int64) error {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return err
	}
	return f.Record.Update(ctx, func(tx Tx) error {
		t, err := tx.LockTarget(ctx, name)
		if err != nil {
			return err
		}
		if err := checkVersion(t, ifVersion); err != nil {
			return err
		}
		if f.own(t) {
			return blueberry.Errorf(blueberry.Conflict, "TARGET_CONFIGURED", "target %s is of the server's configuration and would be back at its next start", name)
		}
		if err := tx.DeleteTarget(ctx, name); err != nil {
			return err
		}
		if _, err := f.dropPrices(ctx, tx, actor, name); err != nil { // another target of this name begins without
			return err
		}
		return f.tell(ctx, tx, actor, name, fact{event: blueberry.TargetRemoved, message: fmt.Sprintf("%s removed target %s", actor.Name, name), before: fields(t)})
	})
}
