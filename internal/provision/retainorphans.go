package provision

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func (p *Provisioner) orphansRule() Rule {
	return Rule{
		Name: "orphans", What: "a scan of each target for what has our labels and no record, and the reverse; what it finds is removed only when someone allows it",
		Every: backstopEvery, Run: p.scanAll,
	}
}

// scanAll has every target scanned that this server has a driver for.
func (p *Provisioner) scanAll(ctx context.Context) (int, string, error) {
	places := p.Places.All()
	err := p.Record.Update(ctx, func(tx Tx) error {
		for _, place := range places {
			if err := tx.Enqueue(ctx, blueberry.JobTargetScan, place.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, "", err
	}
	return 0, fmt.Sprintf("scans of %d targets begun", len(places)), nil
}
