// Package httpapitest is a small house behind the HTTP door, for tests of the door and of what calls it.
//
// It owns an in-memory stand-in for the operations, just true enough for the wire: names are taken once, versions count up, events have an
// order, keys are remembered. It does not own the real rules of provisioning; those are tested in their rooms, and the whole in e2e.
//
// Invariant: it never moves on its own. An environment changes when a test says so, or when a caller asks for it.
package httpapitest
