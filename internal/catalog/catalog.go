package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// writeAttempts is how often an operation begins anew that lost against another writer.
const writeAttempts = 10

// maxUsersTold is how many of those who use a thing are named when it cannot go.
const maxUsersTold = 20

// again runs a write until it does not lose against another one.
func again(write func() error) error {
	var err error
	for range writeAttempts {
		if err = write(); !versionMoved(err) {
			break
		}
	}
	return err
}

// versionMoved reports whether a write lost against another one, so that it is worth beginning anew.
func versionMoved(err error) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && e.Kind == blueberry.Conflict && e.Code == codeMoved
}

const codeMoved = "VERSION_MOVED"

// errMoved begins a write anew: what it was made for is not what is there.
func errMoved(name string) error {
	return blueberry.Errorf(blueberry.Conflict, codeMoved, "%s was written by someone else meanwhile", name)
}

// checkVersion refuses a write that was made for another version of a row. 0 means any.
func checkVersion(name string, is, want int64) error {
	if want != 0 && want != is {
		return blueberry.Errorf(blueberry.PreconditionFailed, codeMoved, "%s is at version %d, the request was made for version %d", name, is, want)
	}
	return nil
}

// checkNone refuses a write that was made for a version of what is not there yet.
func checkNone(name string, want int64) error {
	if want != 0 {
		return blueberry.Errorf(blueberry.PreconditionFailed, codeMoved, "there is no %s yet, the request was made for version %d", name, want)
	}
	return nil
}

// fact is what an operation did: its event, which has no environment, and its audit entry.
type fact struct {
	event    blueberry.EventType // empty for none
	project  string
	resource string // id
	grant    blueberry.Grant
	message  string

	before, after map[string]any // the fields that it changed, for the audit; values of config sets are never among them
}

func (c *Catalog) tell(ctx context.Context, tx Tx, actor blueberry.Actor, f fact) error {
	now := c.Now()
	if f.event != "" {
		if err := tx.AppendEvent(ctx, blueberry.Event{Type: f.event, Project: f.project, Actor: actor.Name, Message: f.message, At: now}); err != nil {
			return err
		}
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: actor, Action: string(f.grant), Resource: f.resource, Project: f.project, Detail: f.message, At: now,
		Before: blueberry.AuditFields(f.before), After: blueberry.AuditFields(f.after),
	})
}

// versionFields is the number of a version, for the audit; of none it is nothing.
func versionFields(number int) map[string]any {
	if number == 0 {
		return nil
	}
	return map[string]any{"version": number}
}

// label names a thing of the catalogue for people, as a reference does.
func label(project, name string) string {
	if project == "" {
		return blueberry.GlobalScope + "/" + name
	}
	return name
}

// inUse reports whether a removal was refused because environments use what was to go.
func inUse(err error) bool { return errors.Is(err, blueberry.Conflict) && !versionMoved(err) }

// used is the refusal to remove what environments are made of. It names those that the actor may read.
func used(code, what string, users Users) error {
	var f blueberry.Faults
	more := users.Hidden
	for i, u := range users.Items {
		if i == maxUsersTold {
			more += len(users.Items) - i
			break
		}
		f.Add("users."+u.Project+"/"+u.Name, "used", "uses version %d", u.Number)
	}
	switch {
	case more > 0 && len(f) > 0:
		f.Add("users", "more", "and %d more", more)
	case more > 0:
		f.Add("users", "hidden", "%d environments of other projects", more)
	}
	return &blueberry.Error{Kind: blueberry.Conflict, Code: code, Detail: what + " is used and cannot go", Fields: f}
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// pageLimit bounds the length of a page.
func pageLimit(limit int) int {
	if limit <= 0 {
		return blueberry.DefaultPageSize
	}
	return min(limit, blueberry.MaxPageSize)
}
