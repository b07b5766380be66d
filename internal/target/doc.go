// Package target is what we ask of a place that runs environments: make it hold these objects, say what is there, watch, remove, prove gone.
//
// It owns the port and the suite that every driver passes (targettest). It does not own phases or conditions (internal/blueberry), nor when to
// act (provision). Drivers: kube applies to a Kubernetes API by itself, sim is a simulated cluster.
//
// Invariant: every call may be repeated, and may be cut off at any moment; the next one carries on from what is there.
package target
