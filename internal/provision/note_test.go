package provision_test

import (
	"context"
	"database/sql"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// note is the queue of the tests: they run the worker themselves, and see what was asked for.
func (h *house) note(_ context.Context, _ *sql.Tx, kind blueberry.JobKind, subject string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.enqueued = append(h.enqueued, string(kind)+" "+subject)
	return nil
}

func (h *house) takeEnqueued() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.enqueued
	h.enqueued = nil
	return out
}
