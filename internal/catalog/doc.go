//go:generate go test . -run TestSampleCases -update

// Package catalog is what environments are made of and judged by: config sets, the blueprints of the catalogue, policies. People define, version, compare
// and restore them here, and ask what a change of one would do.
//
// It owns those operations. It does not own the merge and the rendering (render), the rules' language (policy), or the environments that use what is here
// (provision): a new version leaves a job that has them looked at.
//
// Invariant: a version never changes and never goes while an environment uses it.
package catalog
