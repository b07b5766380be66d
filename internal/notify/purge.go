package notify

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Purge removes notices that are kept no longer, a page in a transaction, and tells how many went.
func (s *Subscriptions) Purge(ctx context.Context) (removed int, detail string, err error) {
	before := s.Now().Add(-blueberry.KeepNotices)
	for {
		n := 0
		err := s.Record.Update(ctx, func(tx Tx) (err error) {
			n, err = tx.PurgeNotices(ctx, before, blueberry.MaxPageSize)
			return err
		})
		removed += n
		if removed > 0 {
			detail = fmt.Sprintf("%d notices", removed)
		}
		if err != nil || n < blueberry.MaxPageSize {
			return removed, detail, err
		}
	}
}
