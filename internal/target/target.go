package target

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Driver is one place that holds environments. All methods may be called from many goroutines; for one environment provision calls Sync and
// Remove from one goroutine at a time. An error of kind blueberry.Unavailable means that the place cannot be reached now; kind
// blueberry.Invalid means that it refuses what it was given, and trying again will not help; any other error may pass.
type Driver interface {
	// Sync makes the place hold the desired state as far as it can go now: it applies the waves in order, each only when all objects of the
	// waves before it are healthy, and when every wave is applied deletes Prune. It does not wait for workloads: Progress says how far it came.
	//
	// An object that is there already and carries other labels than this environment's, or none, is not taken over: the error is of kind
	// blueberry.Conflict and has a fault for each such object. A kind that the place does not know (yet) is no error: Progress.Waiting names it.
	// Whatever can be applied of a wave is applied and told in Progress, also beside an error.
	Sync(ctx context.Context, d Desired) (Progress, error)

	// Observe reports what is there now of the objects and pods of an environment. Drivers answer from what they watch, not by listing.
	Observe(ctx context.Context, ref Ref, want []blueberry.LedgerEntry) (blueberry.Observation, error)

	// Remove deletes the objects of the ledger, the namespace last, and everything else that carries the environment's labels. It does not wait; it
	// reports what is still there, in every API group of the place. An empty answer is proof that nothing is left. An object that was
	// made for the environment and lost its labels is ours all the same; one that now carries another's labels is kept, and the answer is Conflict.
	Remove(ctx context.Context, ref Ref, ledger []blueberry.LedgerEntry) ([]blueberry.ObjectRef, error)

	// Watch calls changed whenever something of an environment may have changed, until ctx ends. It survives lost connections by itself and
	// calls again for all that changed meanwhile; once connected, at its start and again after a loss, it calls changed with the zero Ref,
	// which means all. Calls come one at a time, and for one environment at most one each 100 ms (Pacer). Watch returns nil when ctx ends.
	Watch(ctx context.Context, changed func(Ref)) error

	// Check is nil when the place can be reached and lets us work.
	Check(ctx context.Context) error
}

// Ref names an environment on a target.
type Ref struct {
	Project     string
	Environment string
	Namespace   string
}

// Desired is the state a target should hold for one environment.
type Desired struct {
	Ref
	Revision int
	Files    []blueberry.RenderedFile // ordered by wave
	Prune    []blueberry.ObjectRef    // objects of earlier revisions that no file holds any more
}

// Progress is how far one Sync came.
type Progress struct {
	Done    bool                  // every wave is applied and every prune asked for
	Changed []Change              // what this call changed on the place
	Waiting string                // why it is not done: "wave 2 waits for Deployment.apps default-pr-1/db: 0 of 1 ready"
	Pruned  []blueberry.ObjectRef // of Desired.Prune: proven gone, or no longer carrying our labels and so not ours to delete
}

// Change is one object that a Sync created or altered.
type Change struct {
	blueberry.ObjectRef
	Created bool // else altered
}
