package blueberry

import "time"

// APIToken lets a program act. The secret is shown once and kept as a hash only.
type APIToken struct {
	ID         string
	Name       string
	Hash       []byte // SHA-256 of the secret
	Grants     []Grant
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero for never
	LastUsedAt time.Time // zero for never
}

// Expired reports whether the token has ended.
func (t APIToken) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}
