package provision

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Receipt reads what a removal has proven gone so far, and what is left: NotFound with code RECEIPT_NOT_FOUND for an environment whose removal has not begun.
func (p *Provisioner) Receipt(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Receipt, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, _ blueberry.Environment) (blueberry.Receipt, error) { return tx.Receipt(ctx, id) })
}

// The systems that a receipt has lines of.
const (
	systemTarget = "kubernetes"
	systemGit    = "git"
	systemArgo   = "argocd"
)

// How a line was proven.
const (
	controlSeen   = "not among what the target still holds with the labels of the environment"
	controlProven = "the target holds no object of this name, and none of any kind with the labels of the environment"
	controlPruned = "a later revision did without it, and the target had none of this name"
	controlGit    = "the branch's head has no file at this path"
)

// newReceipt begins a receipt at the moment at which a removal begins.
func newReceipt(e blueberry.Environment, by string) blueberry.Receipt {
	return blueberry.Receipt{
		EnvironmentID: e.ID, Project: e.Project, Environment: e.Name, Target: e.Target, Reason: e.Reason, By: by, BeganAt: e.PhaseSince,
	}
}

// openReceipt reads the receipt of a removal that goes on. One that began before there were receipts gets its now.
func (p *Provisioner) openReceipt(ctx context.Context, e blueberry.Environment) (r blueberry.Receipt, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		r, err = tx.Receipt(ctx, e.ID)
		return err
	})
	if errors.Is(err, blueberry.NotFound) {
		return newReceipt(e, ""), nil
	}
	return r, err
}

func (p *Provisioner) putReceipt(ctx context.Context, r blueberry.Receipt) error {
	return p.Record.Update(ctx, func(tx Tx) error { return writeReceipt(ctx, tx, r) })
}

// writeReceipt writes what the work has found, and keeps what a person has decided meanwhile.
func writeReceipt(ctx context.Context, tx Tx, r blueberry.Receipt) error {
	there, err := tx.Receipt(ctx, r.EnvironmentID)
	if err != nil && !errors.Is(err, blueberry.NotFound) {
		return err
	}
	r.Abandoned = there.Abandoned
	return tx.PutReceipt(ctx, r)
}

// note adds a sentence to a receipt, once.
func note(r *blueberry.Receipt, text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

func systemOf(o blueberry.ObjectRef) string {
	if o.Kind == "Application" && o.Group() == "argoproj.io" {
		return systemArgo
	}
	return systemTarget
}

// line gives the line of a thing, made when it is not there.
func line(r *blueberry.Receipt, system, object string) *blueberry.ReceiptLine {
	for i := range r.Lines {
		if r.Lines[i].System == system && r.Lines[i].Object == object {
			return &r.Lines[i]
		}
	}
	r.Lines = append(r.Lines, blueberry.ReceiptLine{System: system, Object: object})
	return &r.Lines[len(r.Lines)-1]
}

// maxFoundLines is how many things a receipt has lines of that no manifest made: pods and the like, that a removal has met.
const maxFoundLines = 300

// looked brings the lines of a receipt to what a look at the target found: left is what is still there. When nothing is left all is proven.
func looked(r *blueberry.Receipt, ledger []blueberry.LedgerEntry, left []blueberry.ObjectRef, now time.Time) {
	there := map[blueberry.ObjectRef]bool{}
	for _, o := range left {
		there[o] = true
	}
	for _, l := range ledger {
		x := line(r, systemOf(l.ObjectRef), l.ObjectRef.String())
		x.MadeAt = l.MadeAt
		switch {
		case there[l.ObjectRef]:
			x.GoneAt, x.Waited, x.Control = time.Time{}, 0, ""
		case !l.GoneAt.IsZero() && l.GoneAt.Before(r.BeganAt):
			x.GoneAt, x.Waited, x.Control = l.GoneAt, 0, controlPruned
		default:
			goneNow(r, x, now, len(left) == 0)
		}
		delete(there, l.ObjectRef)
	}
	known := map[string]bool{}
	for _, l := range ledger {
		known[l.ObjectRef.String()] = true
	}
	found := len(r.Lines) - len(ledger)
	for _, o := range left {
		if there[o] && found < maxFoundLines {
			x := line(r, systemOf(o), o.String())
			x.GoneAt, x.Waited, x.Control = time.Time{}, 0, ""
			known[o.String()] = true
			found++
		}
	}
	for i := range r.Lines { // what was met by an earlier look
		if x := &r.Lines[i]; !known[x.Object] && x.System != systemGit {
			goneNow(r, x, now, len(left) == 0)
		}
	}
}

func goneNow(r *blueberry.Receipt, x *blueberry.ReceiptLine, now time.Time, proven bool) {
	if x.GoneAt.IsZero() {
		x.GoneAt, x.Waited, x.Control = now, now.Sub(r.BeganAt), controlSeen
	}
	if proven {
		x.Control = controlProven
	}
}

// erased adds the files that are proven gone from Git.
func erased(r *blueberry.Receipt, paths []string, now time.Time) {
	for _, path := range paths {
		if x := line(r, systemGit, path); x.GoneAt.IsZero() {
			x.GoneAt, x.Waited, x.Control = now, now.Sub(r.BeganAt), controlGit
		}
	}
}

// lastGone is when the last thing was gone that is.
func lastGone(r blueberry.Receipt) time.Time {
	last := r.BeganAt
	for _, l := range r.Lines {
		if l.GoneAt.After(last) {
			last = l.GoneAt
		}
	}
	return last
}
