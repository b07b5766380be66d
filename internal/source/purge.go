package source

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Purge removes deliveries that are kept no longer, a page in a transaction, and tells how many went.
func (s *Repositories) Purge(ctx context.Context) (removed int, detail string, err error) {
	before := s.Now().Add(-blueberry.KeepDeliveries)
	for {
		n := 0
		err := s.Record.Update(ctx, func(tx Tx) (err error) {
			n, err = tx.PurgeDeliveries(ctx, before, blueberry.MaxPageSize)
			return err
		})
		removed += n
		if removed > 0 {
			detail = fmt.Sprintf("%d deliveries", removed)
		}
		if err != nil || n < blueberry.MaxPageSize {
			return removed, detail, err
		}
	}
}
