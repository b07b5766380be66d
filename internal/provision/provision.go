package provision

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
)

// Provisioner is the operations on environments and the reconciler behind them.
type Provisioner struct {
	Record     Record
	Sources    Sources
	Repository Repository
	Places     Places
	Default    string // name of the target of a request that names none
	Now        func() time.Time
	Logger     *slog.Logger
	Signer     Signer       // of plans and extend links
	Mail       Mailer       // nil while no mail is set up
	Owners     Owners       // nil: every owner wants to be told at once
	PublicURL  string       // of the pages, without a slash at its end
	Bucket     ObjectsStore // of archives; nil keeps none
	Prober     Prober       // of the addresses of environments; nil asks none
	ProbeAll   bool         // ask also where the target names no gateway
	Rules      []Rule       // of what other rooms keep for how long

	// Standing tells what an actor may do now who proved themselves earlier, or Forbidden. Nil asks for nothing more than what they could then.
	Standing func(ctx context.Context, actor blueberry.Actor) (blueberry.Actor, error)

	// AtStep is called after each step of the reconciler with its name (Steps); fault tests end the process there. Nil does nothing.
	AtStep func(step string)

	synced    syncedSet
	delivered delivered
	causes    causes
	probes    probes
	heldTold  sync.Map // "environment input" → true: what was told of what is held
}

// Sources reads application repositories. Its errors are faults of "source.repository" and "source.ref".
type Sources interface {
	// Fetch reads one at a ref, for a project, which may have a credential for it.
	Fetch(ctx context.Context, project, repository, ref string) (Tree, error)
}

// Tree is an application's repository at one commit.
type Tree struct {
	Commit string
	FS     fs.FS
	Close  func() error
}

// Repository is the GitOps repository.
type Repository interface {
	Commit(ctx context.Context, c gitops.Change) (string, error)
	Files(ctx context.Context, dir string) (map[string][]byte, error)
	Names(ctx context.Context, dir string) ([]string, error)
}

// The steps of the reconciler, in order: what has just been done when AtStep is called.
const (
	StepAccepted      = "create.accepted"    // the environment is recorded, the answer is not given
	StepStarted       = "create.started"     // phase provisioning is recorded
	StepPushed        = "create.pushed"      // Git holds the revision, the record does not know
	StepCommitted     = "create.committed"   // commit and ledger are recorded
	StepApplied       = "create.applied"     // the target was asked, the record does not know
	StepSynced        = "create.synced"      // the whole rendering is recorded as synced
	StepReady         = "create.ready"       // phase ready is recorded
	StepChanged       = "change.accepted"    // a further revision is recorded, the answer is not given; then as from create.pushed on
	StepSleepAccepted = "sleep.accepted"     // that it should sleep is recorded, the answer is not given; then as from create.pushed on
	StepSleepApplied  = "sleep.applied"      // the target was asked to run nothing, the record does not know
	StepAsleep        = "asleep"             // phase sleeping is recorded
	StepWakeAccepted  = "wake.accepted"      // that it should be awake is recorded, the answer is not given
	StepWakeApplied   = "wake.applied"       // the target was asked to run all again, the record does not know
	StepAwake         = "awake"              // phase ready is recorded after a wake
	StepLogsKept      = "archive.logs"       // what the containers wrote is in the objects, the record does not know
	StepStopped       = "destroy.stopped"    // nothing is synced any more, and the receipt says so
	StepRemoving      = "destroy.removing"   // the target was asked to remove, something is left
	StepRemoved       = "destroy.removed"    // the target has proven that nothing is left, the record does not know
	StepReceipted     = "destroy.receipted"  // the ledger says gone
	StepErased        = "destroy.erased"     // Git no longer holds the files, the record does not know
	StepArchived      = "destroy.archived"   // the archive is in the objects, the record does not know
	StepTerminated    = "destroy.terminated" // phase terminated is recorded
	StepUndone        = "undo.accepted"      // an environment is recorded as an archive has it, the answer is not given; then as from create.started on
	backstop          = 30 * time.Second     // a look without a cause, in case a watch told nothing (capabilities A4)
	commitPatience    = 20 * time.Second     // that a worker waits for its commit
	retryRepository   = 5 * time.Second      // nothing tells when a Git remote is back
)

// Steps lists every step of create, sleep, wake, destroy and undo at which a fault test ends the process.
func Steps() []string {
	return []string{
		StepAccepted, StepStarted, StepPushed, StepCommitted, StepApplied, StepSynced, StepReady,
		StepSleepAccepted, StepSleepApplied, StepAsleep, StepWakeAccepted, StepWakeApplied, StepAwake,
		StepLogsKept, StepStopped, StepRemoving, StepRemoved, StepReceipted, StepErased, StepArchived, StepTerminated, StepUndone,
	}
}

func (p *Provisioner) at(step string) {
	if p.AtStep != nil {
		p.AtStep(step)
	}
}

func (p *Provisioner) place(name string) (Place, error) {
	return p.Places.Place(name)
}

// change reads the environment, lets f alter it and do its own writes, and writes it back, all in one transaction; when someone else wrote
// meanwhile it begins anew. f tells with false that there is nothing to write.
func (p *Provisioner) change(ctx context.Context, id string, f func(tx Tx, e *blueberry.Environment) (bool, error)) (blueberry.Environment, error) {
	var out blueberry.Environment
	var err error
	for range 10 {
		err = p.Record.Update(ctx, func(tx Tx) error {
			e, err := tx.Environment(ctx, id)
			if err != nil {
				return err
			}
			write, err := f(tx, &e)
			if err != nil {
				return err
			}
			if write {
				e.UpdatedAt = p.Now()
				if err := tx.UpdateEnvironment(ctx, e); err != nil {
					return err
				}
				e.Version++
			}
			out = e
			return nil
		})
		if !versionMoved(err) {
			break
		}
	}
	return out, err
}
