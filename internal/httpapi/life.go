package httpapi

import (
	"context"
	"io"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Life is the operations on how environments live, what can be seen of them, and what is left when they end. Every field must be set.
type Life struct {
	Leases    Leases
	Sleeps    Sleeps
	Labels    Labels
	Moves     Moves
	Whys      Whys
	Logs      Logs
	Shells    Shells
	Archives  Archives
	Orphans   Orphans
	Retention Retention
}

// Leases are the operations on leases beyond their extension by who may.
type Leases interface {
	Pin(ctx context.Context, actor blueberry.Actor, id string, hours int, reason string, ifVersion int64) (blueberry.Environment, error)
	Unpin(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error)
	ExtendLink(ctx context.Context, actor blueberry.Actor, id string, hours int) (blueberry.ExtendLink, error)
	// ExtendLinkInfo tells what a link would do. Whoever has the link may ask.
	ExtendLinkInfo(ctx context.Context, token string) (provision.ExtendOffer, error)
	// ExtendByLink extends the lease that a link is for, once.
	ExtendByLink(ctx context.Context, token string) (blueberry.Environment, error)
}

// Sleeps are the operations on sleeping and waking.
type Sleeps interface {
	Sleep(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error)
	Wake(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) (blueberry.Environment, error)
	SetSleepPolicy(ctx context.Context, actor blueberry.Actor, id string, p blueberry.SleepPolicy, ifVersion int64) (blueberry.Environment, error)
	SetProjectLife(
		ctx context.Context, actor blueberry.Actor, project string, maxPinHours *int, sleep *blueberry.SleepPolicy, ifVersion int64,
	) (provision.ProjectState, error)
	WakeLedger(ctx context.Context, actor blueberry.Actor, id string, before int64, limit int) ([]blueberry.WakeEntry, error)
}

// Labels are the operations on labels.
type Labels interface {
	// SetLabels replaces all of them.
	SetLabels(ctx context.Context, actor blueberry.Actor, id string, labels blueberry.Labels, ifVersion int64) (blueberry.Environment, error)
}

// Moves are what is done to workloads by hand.
type Moves interface {
	Restart(ctx context.Context, actor blueberry.Actor, id, component string) (provision.Restarted, error)
	Scale(ctx context.Context, actor blueberry.Actor, id, component string, replicas int) (provision.Changed, error)
	Redeploy(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, error)
}

// Whys are what can be seen of an environment.
type Whys interface {
	Why(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Why, error)
	Timeline(ctx context.Context, actor blueberry.Actor, id string, q provision.TimelineQuery) ([]provision.TimelineEntry, error)
	Live(ctx context.Context, actor blueberry.Actor, id string, o blueberry.ObjectRef) (provision.LiveObject, error)
	Usage(ctx context.Context, actor blueberry.Actor, id string) ([]target.PodUsage, error)
	Receipt(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Receipt, error)
}

// Logs are what containers wrote.
type Logs interface {
	// Logs calls tell for each line until all is told, ctx ends, or tell fails, whose error it then gives. Before the first it has found out whether the actor
	// may.
	Logs(ctx context.Context, actor blueberry.Actor, id string, q target.LogQuery, tell func(target.LogLine) error) error
	Containers(ctx context.Context, actor blueberry.Actor, id string) ([]target.Container, error)
}

// Shells run commands in containers.
type Shells interface {
	// Shell runs a command until it ends or ctx does, and gives its exit code. Before it calls r.Opened or touches r's streams it has found out whether the
	// actor may.
	Shell(ctx context.Context, actor blueberry.Actor, id string, r target.ShellRequest) (exit int, err error)
}

// Archives are the operations on what is kept of environments that ended or failed.
type Archives interface {
	Archives(ctx context.Context, actor blueberry.Actor, q blueberry.ArchiveQuery) ([]blueberry.Archive, error)
	Archive(ctx context.Context, actor blueberry.Actor, environmentID string) (blueberry.Archive, error)
	// ArchiveFile opens one file; its size is below 0 when it is not known.
	ArchiveFile(ctx context.Context, actor blueberry.Actor, environmentID, name string) (io.ReadCloser, int64, error)
	Abandon(ctx context.Context, actor blueberry.Actor, id, reason string) (blueberry.Environment, error)
	Undo(ctx context.Context, actor blueberry.Actor, environmentID string, r provision.UndoRequest) (blueberry.Environment, error)
}

// Orphans are the operations on what scans found.
type Orphans interface {
	Orphans(ctx context.Context, actor blueberry.Actor, q blueberry.OrphanQuery) ([]blueberry.Orphan, error)
	Orphan(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Orphan, error)
	// ApproveOrphan allows the removal, and begins it.
	ApproveOrphan(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Orphan, error)
	// ScanTarget leaves the job that looks for orphans on a target.
	ScanTarget(ctx context.Context, actor blueberry.Actor, name string) error
}

// Retention is what is kept for how long.
type Retention interface {
	RetentionRules(ctx context.Context, actor blueberry.Actor) ([]blueberry.RetentionRule, error)
}

// lacks names a field that is not set; empty when all are.
func (l Life) lacks() string {
	for name, missing := range map[string]bool{
		"Leases": l.Leases == nil, "Sleeps": l.Sleeps == nil, "Labels": l.Labels == nil, "Moves": l.Moves == nil, "Whys": l.Whys == nil, "Logs": l.Logs == nil, "Shells": l.Shells == nil,
		"Archives": l.Archives == nil, "Orphans": l.Orphans == nil, "Retention": l.Retention == nil,
	} {
		if missing {
			return name
		}
	}
	return ""
}

func (l Life) mount(r *router, d Deps) {
	leases{l.Leases, d.Environments}.mount(r)
	sleeps{l.Sleeps, d.Environments, d.Projects}.mount(r)
	labels{l.Labels, d.Environments}.mount(r)
	moves{l.Moves, d.Now}.mount(r)
	whys{l.Whys}.mount(r)
	logs{l.Logs, stillMay(d.Environments, blueberry.GrantEnvironmentsLogs), d.Draining, d.Logger}.mount(r)
	shells{l.Shells, stillMay(d.Environments, blueberry.GrantEnvironmentsExec), d.Draining, d.Logger}.mount(r)
	archives{l.Archives, d.Now, d.Logger}.mount(r)
	orphans{l.Orphans}.mount(r)
	retention{l.Retention}.mount(r)
}

// stillMay gives what proves, in the midst of an answer that goes on for long, that who asks is still signed in and still holds the grant where the
// environment is.
func stillMay(environments Environments, g blueberry.Grant) func(ctx context.Context, id string) error {
	return func(ctx context.Context, id string) error {
		actor, err := exchangeOf(ctx).proveAgain(ctx)
		if err != nil {
			return err
		}
		e, err := environments.Get(ctx, actor, id)
		if err != nil {
			return err
		}
		return actor.CanIn(e.Project, g)
	}
}
