// Package devcluster gives `blueberry dev` and the tests a Kubernetes of their own: it builds the helper binary of the
// devcluster module once, starts it and stops it.
//
// It owns the binary, its key and the process. It does not own what runs inside (the module devcluster), nor when to start
// it again (its caller).
//
// Invariant: a cluster does not outlive the process that started it, however that one ends; the helper ends when its
// standard input does.
package devcluster
