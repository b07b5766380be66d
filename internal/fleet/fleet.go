package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Fleet is the operations on targets.
type Fleet struct {
	Record Record
	Seal   Sealer // of kubeconfigs
	// Open makes a driver of a target with its kubeconfigs in the clear. It does not talk to the target. What is wrong with a kubeconfig is Invalid, with a
	// fault for each thing, by its field ("kubeconfig.clusters[0].server", "argo.kubeconfig") or by the path in the kubeconfig alone.
	Open    func(ctx context.Context, t blueberry.Target) (Driver, error)
	Running func(name string) (Asker, bool) // the driver that this process has open for a target, so that a read need not open one; nil for none
	Drivers []string                        // that a target can have
	Own     string                          // name of the target of the server's configuration; empty: every configured one is
	Now     func() time.Time
	Logger  *slog.Logger
}

// Asker can say whether its target can be reached. What else it can tell (target.Checker, target.Sizer) is found by assertion.
type Asker interface {
	// Check is nil when the target can be reached and lets us work.
	Check(ctx context.Context) error
}

// Driver is an Asker that was opened for one question.
type Driver interface {
	Asker
	Close()
}

// Sealer encrypts what must not be read off the record. bound is what the value belongs to; it must be the same when it is opened.
type Sealer interface {
	Seal(plain []byte, bound string) ([]byte, error)
	Open(sealed []byte, bound string) ([]byte, error)
}

// own reports whether the server's configuration says what a target is, anew at each start.
func (f *Fleet) own(t blueberry.Target) bool { return t.Configured && (f.Own == "" || f.Own == t.Name) }

// writeAttempts is how often an operation begins anew that lost against another writer.
const writeAttempts = 10

// change is changeOnce, begun anew while it loses against another writer.
func (f *Fleet) change(ctx context.Context, actor blueberry.Actor, name string, alter func(tx Tx, t *blueberry.Target) (fact, error)) (blueberry.Target, error) {
	if err := actor.Can(blueberry.GrantTargetsWrite); err != nil {
		return blueberry.Target{}, err
	}
	var out blueberry.Target
	var err error
	for range writeAttempts {
		if out, err = f.changeOnce(ctx, actor, name, alter); !versionMoved(err) {
			break
		}
	}
	return out, err
}

// changeOnce reads a target under a lock, lets alter say what becomes of it and what is told of that, and writes it, all in one transaction. A fact without
// an event says that nothing changed.
func (f *Fleet) changeOnce(ctx context.Context, actor blueberry.Actor, name string, alter func(tx Tx, t *blueberry.Target) (fact, error)) (out blueberry.Target, err error) {
	err = f.Record.Update(ctx, func(tx Tx) error {
		t, err := tx.LockTarget(ctx, name)
		if err != nil {
			return err
		}
		told, err := alter(tx, &t)
		if out = t; err != nil || told.event == "" {
			return err
		}
		t.UpdatedAt = f.Now()
		if err := tx.UpdateTarget(ctx, t); err != nil {
			return err
		}
		t.Version++
		out = t
		return f.tell(ctx, tx, actor, name, told)
	})
	if err != nil {
		return blueberry.Target{}, err
	}
	return withoutSecrets(out), nil
}

// versionMoved reports whether a write lost against another one, so that it is worth beginning anew.
func versionMoved(err error) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Kind == blueberry.Conflict && e.Code == codeMoved
}

const codeMoved = "VERSION_MOVED"

// checkVersion refuses a write that was made for another version of a target. 0 means any.
func checkVersion(t blueberry.Target, want int64) error {
	if want != 0 && want != t.Version {
		return blueberry.Errorf(blueberry.PreconditionFailed, codeMoved, "target %s is at version %d, the request was made for version %d", t.Name, t.Version, want)
	}
	return nil
}

// fact is what an operation did, for its event and its audit entry. Kubeconfigs are never among the fields.
type fact struct {
	event         blueberry.EventType
	message       string
	before, after map[string]any
}

func (f *Fleet) tell(ctx context.Context, tx Tx, actor blueberry.Actor, name string, told fact) error {
	now := f.Now()
	if err := tx.AppendEvent(ctx, blueberry.Event{Type: told.event, Actor: actor.Name, Message: told.message, At: now}); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(blueberry.GrantTargetsWrite), Resource: name, Detail: told.message, At: now,
		Before: blueberry.AuditFields(told.before), After: blueberry.AuditFields(told.after),
	})
}

// fields is a target for the audit.
func fields(t blueberry.Target) map[string]any {
	return map[string]any{
		"driver": t.Driver, "domain": t.Domain, "region": t.Region, "context": t.Context, "argo_namespace": t.Argo.Namespace, "argo_repository": t.Argo.Repository,
		"argo_destination": t.Argo.Destination, "gateway": t.Gateway, "capacity": capacityFields(t.Capacity), "kubeconfig": len(t.Kubeconfig) > 0, "argo_kubeconfig": len(t.Argo.Kubeconfig) > 0,
	}
}

func capacityFields(c *blueberry.Demand) map[string]any {
	if c == nil {
		return nil
	}
	return map[string]any{"cpu": c.CPU, "memory": c.Memory, "pods": c.Pods, "storage": c.Storage}
}

// changed gives what of two sets of fields differs.
func changed(before, after map[string]any) (b, a map[string]any) {
	b, a = map[string]any{}, map[string]any{}
	for k, v := range after {
		if !reflect.DeepEqual(before[k], v) {
			b[k], a[k] = before[k], v
		}
	}
	return b, a
}

// trouble is what people may read of an error. What is not ours is for the log alone.
func (f *Fleet) trouble(ctx context.Context, doing string, err error) string {
	var e *blueberry.Error
	if errors.As(err, &e) {
		text := e.Detail
		for _, x := range e.Fields {
			text += "; " + x.String()
		}
		return text
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "does not answer in time"
	}
	f.Logger.WarnContext(ctx, "target is in trouble", "doing", doing, "error", blueberry.Redact(err.Error()))
	return fmt.Sprintf("cannot %s; the log of the server says why", doing)
}
