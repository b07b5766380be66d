package blueberry

import "time"

// Certificate lets an internal client connect by mTLS. Its key is never kept.
type Certificate struct {
	Serial    string // hex
	Name      string // who it is
	NotBefore time.Time
	NotAfter  time.Time
	IssuedBy  string // name of the actor
	RevokedAt time.Time
	RevokedBy string
}
