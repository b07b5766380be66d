package blueberry

import "time"

// PlatformSecret is a value that Blueberry itself needs and keeps encrypted: a key that it derives others from, a password of the mail server.
type PlatformSecret struct {
	Name      string
	Version   int64  // counts the changes, from 1
	Value     []byte // sealed for "platform_secrets.value:<name>"; never clear
	CreatedAt time.Time
	UpdatedAt time.Time
}
