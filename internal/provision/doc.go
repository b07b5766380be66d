// Package provision is the life of an environment: create, read, change, extend, sleep, destroy, undo, what is kept afterwards and for how long, and the
// reconciler that brings what is observed to what is desired.
//
// It owns the operations and the order of the steps. It does not own the rules of a noun (internal/blueberry), the manifests (render), Git (gitops) or the
// cluster (target).
//
// Invariant: the reconciler may die at any line and run again; a write to the record names what it saw, and a step outside may be repeated.
package provision
