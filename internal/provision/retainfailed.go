package provision

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func (p *Provisioner) failedRule() Rule {
	return Rule{
		Name: "failed-environments", What: "environments that failed and were not mended; those that are pinned stay", Keep: blueberry.KeepFailed,
		Every: retentionTick * 60, Run: p.endFailed,
	}
}

// endFailed begins the removal of environments that are failed for too long.
func (p *Provisioner) endFailed(ctx context.Context) (int, string, error) {
	before := p.Now().Add(-blueberry.KeepFailed)
	ids, err := view(ctx, p, func(tx Tx) ([]string, error) { return tx.FailedBefore(ctx, before, blueberry.MaxPageSize) })
	if err != nil {
		return 0, "", err
	}
	var names []string
	for _, id := range ids {
		ended := false
		e, err := p.change(ctx, id, func(tx Tx, e *blueberry.Environment) (bool, error) {
			if ended = e.Phase == blueberry.Failed && !e.PhaseSince.After(before) && e.Lease.PinnedBy == ""; !ended {
				return false, nil
			}
			message := fmt.Sprintf("%s failed at %s and was not mended within %d days", e.Name, e.PhaseSince.UTC().Format("2006-01-02 15:04 MST"), blueberry.KeepFailed/(24*time.Hour))
			return true, p.end(ctx, tx, e, blueberry.System(), "FailedTooLong", blueberry.EnvironmentExpired, message)
		})
		if err != nil {
			return len(names), namedSome(names), fmt.Errorf("end %s: %w", id, err)
		}
		if ended {
			names = append(names, e.Project+"/"+e.Name)
		}
	}
	return len(names), namedSome(names), nil
}
