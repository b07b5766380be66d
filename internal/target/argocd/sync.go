package argocd

import (
	"context"
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Sync implements target.Driver: it has Argo CD apply a commit, and tells how far that came. Argo CD's operation is its own; what it does with objects
// shows by what it says of them, and by what is on the destination cluster.
func (d *Driver) Sync(ctx context.Context, want target.Desired) (target.Progress, error) {
	if want.Commit == "" {
		return target.Progress{}, blueberry.Errorf(blueberry.Invalid, "COMMIT_MISSING", "Argo CD applies commits, and none is named")
	}
	app, err := d.apps.get(ctx, d.config.applicationName(want.Ref))
	switch {
	case err != nil:
		return target.Progress{}, err
	case app == nil:
		return d.make(ctx, want)
	case app.deleting:
		return waiting("the Application %s is being deleted", app.name), nil
	}
	d.memory.edit(want.Ref, func(r *remembered) { r.removing = time.Time{} })
	v, err := d.view(ctx, want, app)
	if err != nil {
		return target.Progress{}, err
	}
	switch told, err := d.keep(ctx, want, app); {
	case err != nil:
		return target.Progress{}, err
	case told && app.pending:
		return d.advance(ctx, want, v)
	case told:
		return waiting("Argo CD is told what to apply, and how"), nil
	case v.holds():
		return d.settle(ctx, want, v)
	}
	return d.advance(ctx, want, v)
}

func waiting(format string, args ...any) target.Progress {
	return target.Progress{Waiting: fmt.Sprintf(format, args...)}
}

// make makes the Application, unless something of others is in its way, and asks for its first sync along with it.
func (d *Driver) make(ctx context.Context, want target.Desired) (target.Progress, error) {
	going, err := d.Obstacles(ctx, want)
	if err != nil || going != "" {
		return target.Progress{Waiting: going}, err
	}
	if err := d.prepare(ctx); err != nil {
		return target.Progress{}, err
	}
	if err := d.prepareProject(ctx, want); err != nil {
		return target.Progress{}, err
	}
	isFresh := !d.Seen(want.Ref)
	if !isFresh {
		if err := d.HandOver(ctx, want.Ref, fieldManager, applier); err != nil {
			return target.Progress{}, err
		}
	}
	u := d.config.application(want.Ref, want.Ignore, want.LeaveAlone)
	spec := specOf(u)
	notes := u.GetAnnotations()
	notes[noteTaken], notes[noteAsked] = "true", stamp(d.now())
	u.SetAnnotations(notes)
	// By its branch and not by the commit: of many that are made at once most find the same head, and Argo CD reads the repository once for all of them.
	u.Object["operation"] = operation("", true)
	live, err := d.apply(ctx, applicationKind(), u)
	if err != nil {
		return target.Progress{}, err
	}
	d.apps.put(live)
	d.memory.edit(want.Ref, func(r *remembered) {
		r.fresh, r.accepted, r.removing = isFresh, [2]string{spec, specOf(live)}, time.Time{}
	})
	return waiting("Argo CD is asked to apply commit %.12s", want.Commit), nil
}

// keep makes the Application what it should be, and reports whether it was not. While an operation is asked for it is left as it is: an apply would take one
// out that we asked for in the apply before.
func (d *Driver) keep(ctx context.Context, want target.Desired, app *application) (bool, error) {
	u := d.config.application(want.Ref, want.Ignore, want.LeaveAlone)
	spec := specOf(u)
	var accepted [2]string
	d.memory.edit(want.Ref, func(r *remembered) { accepted = r.accepted })
	same := app.spec == spec || accepted == [2]string{spec, app.spec}
	if same && app.isTaken && app.ref == want.Ref {
		return false, d.permit(ctx, want)
	}
	if app.pending {
		return !same, nil // to be marked as taken over can wait
	}
	if err := d.prepare(ctx); err != nil {
		return false, err
	}
	if err := d.prepareProject(ctx, want); err != nil {
		return false, err
	}
	if app.ref == want.Ref && !same {
		if err := d.expect(ctx, want); err != nil {
			return false, err
		}
	}
	if !app.isTaken { // the root Application was faster
		if err := d.HandOver(ctx, want.Ref, fieldManager, applier); err != nil {
			return false, err
		}
	}
	notes := u.GetAnnotations()
	notes[noteTaken], notes[noteAsked] = "true", stamp(d.now())
	if !same {
		notes[noteRefresh] = "normal" // a change of how to sync alone would leave its last comparison standing as if it were of now
	}
	u.SetAnnotations(notes)
	live, err := d.apply(ctx, applicationKind(), u)
	if err != nil {
		return false, err
	}
	d.apps.put(live)
	d.memory.edit(want.Ref, func(r *remembered) { r.accepted = [2]string{spec, specOf(live)} })
	return true, nil
}

// permit is prepareProject, once for each commit.
func (d *Driver) permit(ctx context.Context, want target.Desired) error {
	var is string
	d.memory.edit(want.Ref, func(r *remembered) { is = r.permitted })
	if is == want.Commit {
		return nil
	}
	if err := d.prepareProject(ctx, want); err != nil {
		return err
	}
	d.memory.edit(want.Ref, func(r *remembered) { r.permitted = want.Commit })
	return nil
}

// expect notes what a change of the exceptions will make Argo CD put right, so that it is told as changed.
func (d *Driver) expect(ctx context.Context, want target.Desired) error {
	diffs, err := d.Compare(ctx, want)
	if err != nil {
		return err
	}
	var out []blueberry.ObjectRef
	for _, x := range diffs {
		if x.Action == blueberry.ObjectUpdated && !x.Refused {
			out = append(out, x.ObjectRef)
		}
	}
	d.Expect(want.Ref, out)
	return nil
}

// view is an Application seen with one commit in mind.
type view struct {
	*application
	knows    bool // it compared with a revision that has the commit
	synced   bool // its last or present sync is to one that has
	missing  int  // objects that are not as in Git, without those that are not in it
	leaves   bool // what others altered stays
	hasTried bool // a sync of the commit has ended
}

func (d *Driver) view(ctx context.Context, want target.Desired, app *application) (view, error) {
	v := view{application: app, leaves: want.LeaveAlone}
	var err error
	if v.knows, err = d.contains(ctx, app.revision, want.Commit); err != nil {
		return v, err
	}
	if v.synced, err = d.contains(ctx, app.op.revision, want.Commit); err != nil {
		return v, err
	}
	for _, x := range app.astray {
		if !x.prune {
			v.missing++
		}
	}
	v.hasTried = v.synced && !app.op.running() && app.op.phase != ""
	return v, nil
}

// holds reports whether the place holds the commit in full, but for what it should not hold any more.
func (v view) holds() bool {
	if v.leaves && v.hasTried && v.op.phase == "Succeeded" {
		return true // it did once, and what others made of it stays
	}
	return v.knows && v.compared && v.missing == 0 && (v.status == "Synced" || v.status == "OutOfSync")
}

// looked reports whether Argo CD has compared since then: by its clock, in whole seconds, or because we asked it to.
func (v view) looked(since time.Time) bool {
	return v.leaves || !v.reconciled.Before(since.Add(time.Second)) || !v.asked.Before(since) && !v.refresh && !v.pending
}

// settle is the end of a Sync: what stands is known from now on, and what should go is proven gone.
func (d *Driver) settle(ctx context.Context, want target.Desired, v view) (target.Progress, error) {
	var out target.Progress
	var isFresh bool
	if healing, err := d.healing(ctx, want, v); err != nil || healing != (blueberry.ObjectRef{}) {
		return waiting("Argo CD puts %s back", healing), err
	}
	d.memory.edit(want.Ref, func(r *remembered) { isFresh = r.fresh })
	changed, lost, err := d.Adopt(ctx, d.told(want), isFresh, v.looked)
	out.Changed = changed
	if err != nil {
		return out, err
	}
	if lost != (blueberry.ObjectRef{}) && !v.leaves {
		out.Waiting = fmt.Sprintf("Argo CD puts %s back", lost)
		if !v.refresh && !v.pending && d.now().Sub(v.asked) > apart { // it may not have noticed, or was told that drift is none of its business
			return out, d.refresh(ctx, v)
		}
		return out, nil
	}
	d.memory.edit(want.Ref, func(r *remembered) { r.fresh = false })
	var left []blueberry.ObjectRef
	if out.Pruned, left, err = d.Prune(ctx, want.Ref, want.Prune); err != nil {
		return out, err
	}
	if len(left) > 0 {
		out.Waiting = fmt.Sprintf("%s is being deleted", left[0])
		return out, nil
	}
	out.Done = true
	return out, nil
}

// healing is an object that another hand altered and that is not as it should be yet, although Argo CD says so: its comparison may be of a moment before. Who
// wrote long ago is left to that comparison, which may know of exceptions that a dry run does not.
func (d *Driver) healing(ctx context.Context, want target.Desired, v view) (blueberry.ObjectRef, error) {
	at := d.Touched(want.Ref)
	if v.leaves || at.IsZero() || d.now().Sub(at) > overdue {
		return blueberry.ObjectRef{}, nil
	}
	diffs, err := d.Compare(ctx, want)
	if err != nil {
		return blueberry.ObjectRef{}, err
	}
	for _, x := range diffs {
		if x.Action == blueberry.ObjectUpdated && !x.Refused {
			if !v.refresh && !v.pending && d.now().Sub(v.asked) > apart {
				err = d.refresh(ctx, v)
			}
			return x.ObjectRef, err
		}
	}
	return blueberry.ObjectRef{}, nil
}

// advance asks Argo CD for what is next, and tells why the commit is not applied.
func (d *Driver) advance(ctx context.Context, want target.Desired, v view) (target.Progress, error) {
	switch {
	case v.op.phase == "Terminating":
		return waiting("Argo CD ends its sync of an earlier commit"), d.silent(v)
	case v.op.phase == "Running" && v.op.revision != "" && !v.synced:
		return waiting("Argo CD ends its sync of an earlier commit"), d.terminate(ctx, v)
	case v.op.running() && v.op.phase == "Running" && v.pending:
		if v.op.retries > 0 || !v.op.finished.IsZero() {
			if _, err := d.clear(ctx, want.Ref, v); err != nil {
				return target.Progress{}, err
			}
		}
		return d.inWave(ctx, want, v)
	case v.pending:
		return waiting("Argo CD is asked to apply commit %.12s", want.Commit), d.silent(v)
	}
	if err := d.troubled(ctx, want, v); err != nil {
		return target.Progress{}, err
	}
	switch {
	case v.hasTried && v.op.failed():
		return d.failed(ctx, want, v)
	case v.refresh:
		return waiting("Argo CD is asked to look for commit %.12s", want.Commit), d.silent(v)
	case !v.knows && (!v.hasTried || d.now().Sub(v.op.finished) > overdue):
		if d.now().Sub(v.asked) < apart { // it looked, and did not see the commit yet
			return waiting("Argo CD does not see commit %.12s yet", want.Commit), nil
		}
		return waiting("Argo CD is asked to look for commit %.12s", want.Commit), d.refresh(ctx, v)
	case !v.knows:
		return waiting("Argo CD compares what it applied with commit %.12s", want.Commit), nil
	case !v.compared:
		return waiting("Argo CD compares with commit %.12s anew", want.Commit), nil
	case !v.hasTried && (v.leaves || d.now().Sub(v.reconciled) > overdue), v.hasTried && d.now().Sub(v.reconciled) > resync:
		return waiting("Argo CD is asked to apply commit %.12s", want.Commit), d.start(ctx, v)
	}
	for _, x := range v.astray {
		if !x.prune {
			return waiting("%s is not as in commit %.12s yet", x.ObjectRef, want.Commit), nil
		}
	}
	return waiting("Argo CD compares commit %.12s", want.Commit), nil
}

// refresh asks Argo CD to compare with Git.
func (d *Driver) refresh(ctx context.Context, v view) error {
	return d.merge(ctx, v.name, map[string]any{"metadata": map[string]any{"annotations": d.asking(true)}})
}

// start asks for a sync of the revision that Argo CD compared with.
func (d *Driver) start(ctx context.Context, v view) error {
	return d.merge(ctx, v.name, map[string]any{
		"metadata":  map[string]any{"resourceVersion": fmt.Sprint(v.version), "annotations": d.asking(false)},
		"operation": operation(v.revision, false),
	})
}

// terminate ends a sync that a later commit has overtaken: it may wait for ever for what that mends.
func (d *Driver) terminate(ctx context.Context, v view) error {
	return d.merge(ctx, v.name, map[string]any{
		"metadata": map[string]any{"resourceVersion": fmt.Sprint(v.version), "annotations": d.asking(false)},
		"status":   map[string]any{"operationState": map[string]any{"phase": "Terminating"}},
	})
}
