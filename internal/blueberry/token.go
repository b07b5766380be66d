package blueberry

import "time"

// APIToken lets a program act. The secret is shown once and kept as a hash only.
type APIToken struct {
	ID         string
	Name       string
	Hash       []byte   // SHA-256 of the secret
	UserID     string   // on whose account it acts
	ServiceID  string   // the service account that it is of; one of both, or neither for the installation's own admin token
	Grants     []Grant  // no more than these, and never more than its user or service account holds at that moment
	Projects   []string // nowhere else; empty for everywhere
	Hint       string   // last characters of the secret, to tell tokens apart
	CreatedAt  time.Time
	CreatedBy  string    // name of the actor
	ExpiresAt  time.Time // zero for never, which only the installation's own has
	LastUsedAt time.Time // zero for never
	RevokedAt  time.Time
	RevokedBy  string

	// While a rotation overlaps, the secret before works too.
	PreviousHash  []byte
	PreviousUntil time.Time
	RotatedAt     time.Time

	Warned  int // days before its end of the last warning: 14, 3, 1; 0 for none
	Version int64
}

// Expired reports whether the token has ended.
func (t APIToken) Expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// TokenWarnings are the days before the end of a token at which its people are warned.
func TokenWarnings() []int { return []int{14, 3, 1} }

// DueWarning is the warning that a token is due: the fewest days of TokenWarnings that are not less than what is left; 0 for none, or when it was given.
func (t APIToken) DueWarning(now time.Time) int {
	if t.ExpiresAt.IsZero() || t.Expired(now) || !t.RevokedAt.IsZero() {
		return 0
	}
	due := 0
	for _, days := range TokenWarnings() { // the longest first
		if t.ExpiresAt.Sub(now) <= time.Duration(days)*24*time.Hour {
			due = days
		}
	}
	if t.Warned != 0 && t.Warned <= due {
		return 0
	}
	return due
}
