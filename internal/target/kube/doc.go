// Package kube is the target driver that applies to a Kubernetes API by itself.
//
// It owns server-side apply in waves, the check that an object is ours before it is touched, prune, removal with its proof, and what is watched: for each
// kind one stream of the objects that carry Blueberry's labels, kept as a few numbers an object, never as manifests. It does not own what is applied
// (render) nor when (provision), and it keeps nothing on disk: after a restart it learns all from the place.
//
// What a Sync would change is asked of the API too: Compare has each apply tried by a dry run, and reads who owns what from the API's notes (managedFields).
// The same notes say what is ours of a field that is left to others: that, and only that, is sent along as it is live.
//
// What people do beside the manifests (a restart, a scale) goes under a field manager of its own, so that it is no drift and outlives the next Sync. Logs and
// shells have connections of their own: a slow reader slows down what it reads and nothing else.
//
// It talks to the API through the dynamic client and not through a sync library: each object needs one read (whose is it, how does it look) and one
// apply, and the answers of exactly these two calls are what Progress reports. Health is kstatus.
//
// Invariant: nothing is altered or deleted that carries neither the labels of the environment nor, having lost them, the API's note of our own apply; and
// a namespace is deleted for its labels only.
package kube
