//go:generate go test . -run "TestReferenceIsCurrent|TestRolesAreCurrent" -update

// Package app puts the rooms together: it reads the configuration, opens what a server needs, starts and stops it in order, and serves the platform's own health.
//
// It owns wiring and nothing else; it is the only room that knows all others.
//
// Invariant: after a kill at any moment the same start works again, and nothing accepted is lost.
package app
