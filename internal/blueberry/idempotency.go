package blueberry

import "time"

// Times of an idempotency key.
const (
	IdempotencyLifetime = 24 * time.Hour  // an answer is given again for this long
	IdempotencyPatience = 2 * time.Minute // a key reserved longer ago without an answer belongs to a process that died; it may be taken over
)

// IdempotentAnswer is what a request with an Idempotency-Key was answered. Status 0 means that it is still being worked on.
type IdempotentAnswer struct {
	Key           string
	Actor         string // id of the actor; keys of two actors never meet
	RequestDigest string // of method, path and body: the same key with another request is a mistake of the caller
	Status        int
	Header        map[string]string
	Body          []byte
	CreatedAt     time.Time
}
