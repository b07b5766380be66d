package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// UndoRequest asks for an environment that ended to be made again. What is empty is as it was.
type UndoRequest struct {
	Name, Target string
	Hours        int              // length of the new lease; 0 asks for the blueprint's own
	Found        blueberry.Faults `json:"-"` // what the door has found wrong already; it is told with the rest
	Key          string           `json:"-"` // idempotency key; empty for none. The same key gives the environment that it gave before
}

// Undo makes an environment that ended within the last 24 hours again: a new one, whose first revision is the last of the old one, made of the same inputs.
// Under the same name on the same target its manifests are the same, byte for byte but for the revision's label; elsewhere they are rendered anew. Quota and
// policies judge it as they do a create. Conflict with code UNDO_TOO_LATE after the 24 hours, UNDO_TOO_EARLY while it has not ended; while something has its
// name, the fault of a create on "name". What data its volumes held is gone.
func (p *Provisioner) Undo(ctx context.Context, actor blueberry.Actor, environmentID string, r UndoRequest) (out blueberry.Environment, err error) {
	if err := p.allowed(ctx, actor, environmentID, blueberry.GrantEnvironmentsCreate); err != nil {
		return out, err
	}
	key := ""
	if r.Key != "" {
		key = actor.Holder() + " undo/" + environmentID + " " + r.Key
		if e, err := p.undone(ctx, key); !errors.Is(err, blueberry.NotFound) {
			return e, err
		}
	}
	a := application{
		kind: blueberry.PlanCreate, grant: blueberry.GrantEnvironmentsCreate, request: planRequest{Undo: &r, Subject: environmentID},
	}
	_, err = p.apply(ctx, actor, a, func(tx Tx, d *draft) error {
		out = d.env
		out.Version, out.RequestKey = 1, key
		return p.recordUndo(ctx, tx, d, environmentID, out)
	})
	if err != nil {
		return blueberry.Environment{}, err
	}
	p.at(StepUndone)
	return out, nil
}

// undone gives the environment that this very request has made before, or NotFound.
func (p *Provisioner) undone(ctx context.Context, key string) (blueberry.Environment, error) {
	return view(ctx, p, func(tx Tx) (blueberry.Environment, error) {
		return tx.EnvironmentOfRequest(ctx, key, p.Now().Add(-blueberry.IdempotencyLifetime))
	})
}

func (p *Provisioner) recordUndo(ctx context.Context, tx Tx, d *draft, environmentID string, e blueberry.Environment) error {
	old, err := tx.Environment(ctx, environmentID)
	if err != nil {
		return err
	}
	if err := p.undoable(old); err != nil {
		return err
	}
	if err := insert(ctx, tx, e, d.rev); err != nil {
		return err
	}
	switch a, err := tx.Archive(ctx, environmentID); {
	case err == nil:
		a.RestoredAs = e.ID
		if err := tx.PutArchive(ctx, a); err != nil {
			return err
		}
	case !errors.Is(err, blueberry.NotFound):
		return err
	}
	if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
		return err
	}
	message := fmt.Sprintf("%s made %s again as revision %d of it was, until %s", d.actor.Name, e.Name, d.rev.RestoredFrom, e.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
	return p.act(ctx, tx, e, d.actor, deed{blueberry.EnvironmentRestored, blueberry.GrantEnvironmentsCreate, message, nil, newFields(e, d.rev)})
}

// undoable tells why an environment cannot be made again.
func (p *Provisioner) undoable(old blueberry.Environment) error {
	if old.Phase != blueberry.Terminated {
		return blueberry.Errorf(blueberry.Conflict, "UNDO_TOO_EARLY", "%s is %s; only what has ended can be made again", old.Name, old.Phase)
	}
	if end := old.TerminatedAt.Add(blueberry.UndoWindow); !p.Now().Before(end) {
		return blueberry.Errorf(blueberry.Conflict, "UNDO_TOO_LATE", "%s could be made again until %s", old.Name, end.UTC().Format("2006-01-02 15:04 MST"))
	}
	return nil
}

// draftUndo makes of an archive what would be recorded. Every fault is told at once.
func (p *Provisioner) draftUndo(ctx context.Context, actor blueberry.Actor, request planRequest) (*draft, error) {
	d := &draft{kind: blueberry.PlanCreate, actor: actor, now: p.Now(), release: func() {}, restores: true}
	d.res.loaded.release = d.release
	r := *request.Undo
	old, rev, err := p.readEnded(ctx, request.Subject)
	if err != nil {
		return nil, err
	}
	if err := p.undoable(old); err != nil {
		return nil, err
	}
	c := CreateRequest{Project: old.Project, Name: r.Name, Target: r.Target, Hours: r.Hours, Restricted: old.Restricted}
	if c.Name == "" {
		c.Name = old.Name
	}
	if c.Target == "" {
		c.Target = old.Target
	}
	faults := slices.Clone(r.Found)
	hours := r.Hours
	if hours == 0 {
		hours = blueberry.DefaultLeaseHours
	}
	env, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: c.Project, Name: c.Name, Target: c.Target, Owner: actor.Name, Hours: hours}, d.now)
	if err := faults.Merge("", err); err != nil {
		return nil, err
	}
	if d.place, err = p.placeOfNew(c.Target, &faults); err != nil {
		return nil, err
	}
	if err := p.checkRecord(ctx, c, d, &faults); err != nil {
		return nil, err
	}
	d.res.inputs = rev.Inputs
	if err := p.Record.View(ctx, func(tx Tx) (err error) {
		d.res.policies, err = tx.Policies(ctx, old.Project)
		return err
	}); err != nil {
		return nil, err
	}
	if c.Name == old.Name && c.Target == old.Target {
		if err = d.relabel(old, rev); err == nil {
			d.checkScope(&faults)
		}
	} else {
		err = p.renderAgain(ctx, d, c, rev, &faults)
		d.release = d.res.loaded.release
	}
	if err != nil {
		return d, err
	}
	bounds := rev.Blueprint.Lease
	hours = bounds.Hours(r.Hours)
	if bounds.Max != 0 && hours > bounds.Max {
		faults.Add("ttl_hours", "range", "is %d hours, the blueprint allows at most %d", hours, bounds.Max)
	}
	if err := faults.Err(); err != nil {
		return d, err
	}
	if env.Restricted = old.Restricted; env.Restricted {
		hours = min(hours, bounds.Most(true))
	}
	env.Lease, env.Source, env.Hosts, env.Drift, env.Demand = blueberry.NewLease(d.now, hours), rev.Source, d.out.Hosts, old.Drift, d.out.Demand
	env.Labels, env.Sleep.Policy, env.Sleep.Own = old.Labels, old.Sleep.Policy, old.Sleep.Own
	env.DeadlineAt = env.NextDeadline()
	d.env, d.hours = env, hours
	d.inputs = []blueberry.PlanInput{
		{Kind: blueberry.InputEnvironment, Name: env.Name, Value: fmt.Sprintf("does not exist; made again of %s", old.ID)},
		{Kind: blueberry.InputPolicies, Value: policiesText(d.res.policies)},
		{Kind: blueberry.InputQuota, Name: d.project.Name, Value: digestOf(d.project.Quota)},
	}
	d.rev = blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, d.now), EnvironmentID: env.ID, Number: 1, Author: actor.Name,
		Reason: fmt.Sprintf("made again of %s, revision %d", old.ID, rev.Number), Inputs: rev.Inputs, Settings: d.out.Settings, Demand: d.out.Demand,
		RestoredFrom: rev.Number, Rendering: d.out.Rendering, CreatedAt: d.now,
	}
	return d, nil
}

// readEnded reads an environment with its last revision.
func (p *Provisioner) readEnded(ctx context.Context, id string) (e blueberry.Environment, rev blueberry.Revision, err error) {
	err = p.Record.View(ctx, func(tx Tx) error {
		if e, err = tx.Environment(ctx, id); err != nil {
			return err
		}
		if rev, err = tx.Revision(ctx, id, e.Revision); err != nil {
			return err
		}
		rev.Settings, err = tx.RevisionSettings(ctx, id, e.Revision)
		return err
	})
	return e, rev, err
}

// relabel takes the rendering as it was.
func (d *draft) relabel(old blueberry.Environment, rev blueberry.Revision) (err error) {
	if d.out.Rendering, err = render.Relabel(rev.Rendering, 1); err != nil {
		return fmt.Errorf("bring back revision %d: %w", rev.Number, err)
	}
	d.out.Hosts, d.out.Demand, d.out.Settings = old.Hosts, rev.Demand, rev.Settings
	return nil
}

// renderAgain renders the same inputs for another name or target.
func (p *Provisioner) renderAgain(ctx context.Context, d *draft, c CreateRequest, rev blueberry.Revision, faults *blueberry.Faults) (err error) {
	d.res.versions = map[string]blueberry.ConfigVersion{}
	err = p.Record.View(ctx, func(tx Tx) error {
		for i, u := range rev.Config {
			v, err := tx.ConfigVersion(ctx, u.SetID, u.Number)
			if errors.Is(err, blueberry.NotFound) {
				faults.Add(fmt.Sprintf("config_sets[%d]", i), "unknown", "%s is gone; under its old name on its old target the environment can be made again without it", u.ConfigRef)
				continue
			}
			if err != nil {
				return err
			}
			d.res.versions[u.SetID] = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	s := rev.Source
	if d.res.loaded, err = p.load(ctx, c.Project, origin{Repository: s.Repository, Ref: s.Ref, Path: s.Path, Commit: s.Commit, Blueprint: &rev.Blueprint}, faults); err != nil {
		return err
	}
	if err := p.sides(ctx, asked{project: c.Project, base: &rev.Inputs, restricted: c.Restricted}, &d.res, faults); err != nil {
		return err
	}
	return d.render(render.Input{Name: c.Name, Namespace: blueberry.Namespace(c.Project, c.Name), Revision: 1, Restricted: c.Restricted}, faults)
}

// UndoUntil is until when an archive can be made again; zero when it cannot.
func UndoUntil(a blueberry.Archive) time.Time {
	if a.State != blueberry.ArchivedEnded || a.Receipt == nil {
		return time.Time{}
	}
	return a.Receipt.EndedAt.Add(blueberry.UndoWindow)
}

// checkScope notes kinds beyond a namespace that the project may not create any more: what is brought back byte for byte is not rendered again.
func (d *draft) checkScope(faults *blueberry.Faults) {
	for _, f := range d.out.Rendering.Files {
		for _, o := range f.Objects {
			kind := o.Kind
			if g := o.Group(); g != "" {
				kind += "." + g
			}
			if o.Namespace != "" || o.APIVersion == "v1" && o.Kind == "Namespace" || slices.Contains(d.project.ClusterKinds, o.Kind) || slices.Contains(d.project.ClusterKinds, kind) {
				continue
			}
			faults.Add("project", "forbidden", "may not create %s any more, which the environment has: %s", kind, o)
		}
	}
}
