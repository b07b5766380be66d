package store

import (
	"context"
	"fmt"
)

// Migration tells the number of the newest migration that the record has, and of the newest that there is.
func (s *Store) Migration(ctx context.Context) (has, want int64, err error) {
	p, err := s.migrator()
	if err != nil {
		return 0, 0, err
	}
	for _, m := range p.ListSources() {
		want = max(want, m.Version)
	}
	if has, err = p.GetDBVersion(ctx); err != nil {
		return 0, want, fmt.Errorf("read version of the record: %w", err)
	}
	return has, want, nil
}
