// Package blueberry holds the nouns of the platform and their rules: what an environment, a blueprint, a lease, a
// revision, an observation is, what makes one valid and how it may change.
//
// It owns validation, naming, the phase table and the error kinds. It does not read, write, wait or log: every function
// here is a pure function of its arguments, and time comes in as now.
//
// Invariant: this package compiles with the standard library alone and never reaches database/sql, net/http or os/exec.
package blueberry
