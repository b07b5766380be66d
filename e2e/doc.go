// Package e2e holds the stories: the real binary, started and used as a person would, against the real Kubernetes API and both databases.
//
// It owns no code of the product. The tests need what `make test` starts (e2e/testenv).
package e2e
