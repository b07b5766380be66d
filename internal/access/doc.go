// Package access says who is asking and what they may do: API tokens today, users, sessions and OAuth later.
//
// It owns tokens: how they look, that only their hash is kept, and that a token is proven before anything else happens. It does not own the check of a grant, which is
// the first line of each operation (blueberry.Actor.Can).
//
// Invariant: the value of a token is in no record, log or answer after it was made.
package access
