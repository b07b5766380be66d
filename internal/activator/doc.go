// Package activator is the door to what runs in environments: a reverse proxy that finds them by host, notes that they are used, and wakes the one that
// sleeps while it holds the request.
//
// It owns the way of a request from a browser to the ingress of a target. It does not own the environments, which provision sleeps and wakes, nor routing
// within a cluster, which is the ingress's.
//
// Its one invariant: a request that it has let in is answered by the environment, or it says plainly why not; falling asleep, sleeping and waking are no
// reasons within Patience.
package activator
