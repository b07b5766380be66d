package provision

import (
	"context"
	"time"
)

func (p *Provisioner) plansRule() Rule {
	return Rule{
		Name: "plans", What: "plans that nobody applied in time", Keep: keepPlans, Every: time.Hour,
		Run: func(ctx context.Context) (n int, _ string, err error) {
			err = p.Record.Update(ctx, func(tx Tx) error {
				n, err = tx.SweepPlans(ctx, p.Now().Add(-keepPlans))
				return err
			})
			return n, "", err
		},
	}
}
