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

	// Check is nil when the place can be reached and lets us work. What an ability needs beyond that (Comparer, Sizer) is no matter of Check.
	Check(ctx context.Context) error
}

// Comparer is a Driver that can tell what a Sync would do. It is found by assertion.
type Comparer interface {
	// Compare tells what a Sync of d that meets no obstacle would make of the place: one entry for each object of the files, in their order, then one
	// for each object of d.Prune, in its order. It changes nothing, not even for a moment. For a plan d is what shall be; for drift it is what was
	// synced last: then what differs is what another hand did.
	//
	// Of each object, Fields is what differs (Diff): Before is what is live, After what would be. The place itself has been asked, by a dry run of
	// the apply that Sync makes, so After has its defaults. An object that is made anew has one field with an empty path. FieldDiff.Manager and Since
	// tell who owns the live field and since when, if that is another and the place knows.
	//
	//   - Checked says that the place has answered for this object. An object whose namespace is not there yet is checked all the same, as one of its
	//     sort elsewhere; what only that namespace could say (a quota, an admission rule) is not, and the Note says so.
	//   - Refused says that Sync would fail on the object: Note is why, with the path of each field that is wrong.
	//   - A kind that the place does not know is created by its Action, and not Checked.
	//   - An object of d.Prune that is not there, or is not ours to delete, is unchanged.
	//   - An object that stands just as a Sync of d would leave it is known by that from then on, as if it had been synced: Observe tells its drift.
	//
	// What is wrong with one object is no error. An error of kind Invalid means that a file is no manifest; Unavailable is as for Driver.
	Compare(ctx context.Context, d Desired) ([]blueberry.ObjectDiff, error)
}

// Sizer is a Driver that can tell how much its place holds. It is found by assertion.
type Sizer interface {
	// Capacity is the sum of what the nodes give to pods, over those that are ready and take pods of any kind; what environments use of it
	// already is not subtracted. A zero is not known: storage, nearly everywhere. An error of kind Forbidden means that the place does not let us
	// see its nodes, and names the right that is missing; everything else works without it.
	Capacity(ctx context.Context) (blueberry.Demand, error)
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
	Commit   string                   // of the GitOps repository that holds Files; empty when a Delivery is not asked

	// Ignore names fields that are left to others. An object that is made gets them as the files say. From then on Sync neither puts back what another
	// hand writes there nor takes the field from it, Compare tells no difference, and Observe no drift. A field that leaves the list is ours again: the
	// next Sync writes it. The path of a field names items of lists as FieldDiff.Path does.
	Ignore []blueberry.DriftIgnore

	// LeaveAlone tells a place that puts right by itself what another hand altered not to (blueberry.DriftReport). Sync itself always does.
	LeaveAlone bool
}

// Progress is how far one Sync came.
type Progress struct {
	Done    bool                  // every wave is applied and every prune asked for
	Changed []Change              // what this call changed on the place
	Waiting string                // why it is not done: "wave 2 waits for Deployment.apps default-pr-1/db: 0 of 1 ready"
	Code    string                // the sort of Waiting, for a condition to keep: CodeWaveWaiting, CodeKindUnknown, CodeNamespaceGoing; empty for any other
	Pruned  []blueberry.ObjectRef // of Desired.Prune: proven gone, or no longer carrying our labels and so not ours to delete
}

// Change is one object that a Sync created or altered.
type Change struct {
	blueberry.ObjectRef
	Created bool // else altered
}
