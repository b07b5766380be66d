package httpapitest

import (
	"context"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Note keeps an audit entry.
func (h *House) Note(_ context.Context, e blueberry.AuditEntry) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, e)
	return nil
}

// Notes are the audit entries that the gateway has written.
func (h *House) Notes() []blueberry.AuditEntry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.notes)
}
