package provision

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	backstopEvery = 6 * time.Hour
	overdue       = time.Minute // how long a lease or a deadline has to be past before it counts as missed
)

func (p *Provisioner) leasesRule() Rule {
	return Rule{
		Name: "leases", What: "environments whose lease ended or whose deadline passed, and that nobody looked at: the backstop of exact leases", Every: backstopEvery,
		Run: p.fixOverdue,
	}
}

// fixOverdue has every environment looked at that should have been, and tells each: the deadlines are exact, so there should be none.
func (p *Provisioner) fixOverdue(ctx context.Context) (int, string, error) {
	before := p.Now().Add(-overdue)
	ids, err := view(ctx, p, func(tx Tx) ([]string, error) { return tx.OverdueEnvironments(ctx, before, blueberry.MaxPageSize) })
	if err != nil {
		return 0, "", err
	}
	var names []string
	for _, id := range ids {
		name := ""
		err := p.Record.Update(ctx, func(tx Tx) error {
			name = ""
			e, err := tx.Environment(ctx, id)
			if err != nil || e.Phase == blueberry.Terminated {
				return err
			}
			what := fmt.Sprintf("its deadline passed at %s", e.DeadlineAt.UTC().Format("2006-01-02 15:04:05 MST"))
			if alive(e) && e.Lease.Expired(before) {
				what = fmt.Sprintf("its lease ended at %s", e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04:05 MST"))
			}
			name = e.Project + "/" + e.Name
			if err := p.tell(ctx, tx, e, blueberry.RetentionFixed, blueberry.System(), fmt.Sprintf("had %s looked at: %s, and nobody had", e.Name, what)); err != nil {
				return err
			}
			return tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, id)
		})
		if err != nil {
			return len(names), namedSome(names), fmt.Errorf("have %s looked at: %w", id, err)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return len(names), namedSome(names), nil
}
