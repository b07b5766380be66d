package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// empty reports whether nothing is wished.
func (w Wish) empty() bool {
	return w.Repository == nil && w.Ref == nil && w.Path == nil && w.Blueprint == nil && w.Catalogue == nil && w.ConfigSets == nil && w.Parameters == nil &&
		w.Overrides == nil && w.Head == nil && w.Branch == nil && w.Commits == nil && w.Images == nil && !w.Strict
}

// Change gives an environment a new revision: what the request names is new, all else stays as it is. Without a difference nothing is recorded.
func (p *Provisioner) Change(ctx context.Context, actor blueberry.Actor, id string, r ChangeRequest) (Changed, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsUpdate); err != nil {
		return Changed{}, err
	}
	if err := r.Found.Err(); r.PlanID != "" && err != nil {
		return Changed{}, err
	}
	kind := blueberry.PlanChange
	alone := r.Wish.empty() && r.Reason == "" && !r.Refresh && !r.Sides
	return p.revise(ctx, actor, application{planID: r.PlanID, kind: kind, subject: id, alone: alone, request: planRequest{Change: &r, Subject: id}}, r.IfVersion)
}

// Refresh does at once what a delivery about the repository of the environment would have done: it takes the newest commit and the newest versions of what
// is followed, unless they are held.
func (p *Provisioner) Refresh(ctx context.Context, actor blueberry.Actor, id string) (Changed, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsUpdate); err != nil {
		return Changed{}, err
	}
	r := planRequest{Change: &ChangeRequest{Refresh: true, Reason: "refreshed"}, Subject: id, ByItself: true}
	return p.revise(ctx, actor, application{kind: blueberry.PlanChange, subject: id, request: r}, 0)
}

// revise applies what gives an environment a new revision.
func (p *Provisioner) revise(ctx context.Context, actor blueberry.Actor, a application, ifVersion int64) (Changed, error) {
	var out Changed
	var err error
	a.ifVersion, a.grant = ifVersion, blueberry.GrantEnvironmentsUpdate
	out.Plan, err = p.apply(ctx, actor, a, func(tx Tx, d *draft) error {
		e, err := tx.Environment(ctx, d.env.ID)
		if err != nil {
			return err
		}
		if err := checkVersion(e, ifVersion); err != nil {
			return err
		}
		if e.Revision != d.base.Number {
			return errMoved
		}
		if err := changeable(e); err != nil {
			return err
		}
		if err := p.desire(ctx, tx, &e, d); err != nil || a.also == nil {
			return err
		}
		return a.also(tx, e)
	})
	if err != nil {
		return out, err
	}
	if out.Plan.Changes() {
		p.at(StepChanged)
	}
	out.Environment, err = p.read(ctx, a.subject)
	return out, err
}

// changeable tells why an environment can have no new revision.
func changeable(e blueberry.Environment) error {
	if !alive(e) {
		return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_ENDING", "%s is %s and cannot be changed any more", e.Name, e.Phase)
	}
	return nil
}

// desire records a draft as what is desired from now on.
func (p *Provisioner) desire(ctx context.Context, tx Tx, e *blueberry.Environment, d *draft) error {
	now := p.Now()
	e.Revision, e.Source, e.Hosts, e.Demand, e.Commit, e.UpdatedAt = d.rev.Number, d.rev.Source, d.out.Hosts, d.rev.Demand, "", now
	e.Requests = d.requests
	e.DriftSince = time.Time{}
	if e.Phase != blueberry.Pending && e.Phase != blueberry.Provisioning {
		if err := e.Move(blueberry.Updating, "RevisionRequested", fmt.Sprintf("revision %d is on its way", d.rev.Number), now); err != nil {
			return err
		}
	}
	blueberry.RenewConditions(e.Conditions, now)
	e.DeadlineAt = e.NextDeadline()
	if err := p.deployed(ctx, tx, e, d.actor); err != nil {
		return err
	}
	if err := tx.UpdateEnvironment(ctx, *e); err != nil {
		return err
	}
	if err := tx.InsertRevision(ctx, d.rev); err != nil {
		return err
	}
	if len(d.holds) > 0 {
		if err := tx.PutHolds(ctx, d.holds); err != nil {
			return err
		}
	}
	if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, e.ID); err != nil {
		return err
	}
	t, message := blueberry.EnvironmentChanged, fmt.Sprintf("%s changed %s to revision %d: %s", d.actor.Name, e.Name, d.rev.Number, d.rev.Reason)
	if d.kind == blueberry.PlanRollback {
		t, message = blueberry.EnvironmentRolledBack, fmt.Sprintf("%s rolled %s back to revision %d, as revision %d: %s%s", d.actor.Name, e.Name, d.rev.RestoredFrom, d.rev.Number, d.rev.Reason, heldText(d.holds))
	}
	if err := p.act(ctx, tx, *e, d.actor, deed{t, blueberry.GrantEnvironmentsUpdate, message, revisionFields(d.base), revisionFields(d.rev)}); err != nil {
		return err
	}
	return p.tellLeftOut(ctx, tx, *e, d, blueberry.GrantEnvironmentsUpdate)
}

func heldText(holds []blueberry.Hold) string {
	if len(holds) == 0 {
		return ""
	}
	var parts []string
	for _, h := range holds {
		parts = append(parts, strings.TrimSpace(h.Kind+" "+h.Name)+" "+h.Value)
	}
	return "; holds " + strings.Join(parts, ", ")
}

// draftChange makes of a request what would be recorded.
func (p *Provisioner) draftChange(ctx context.Context, actor blueberry.Actor, request planRequest) (*draft, error) {
	r, byItself := *request.Change, request.ByItself
	d, err := p.begin(ctx, actor, request, blueberry.PlanChange)
	if err != nil {
		return nil, err
	}
	faults := slices.Clone(r.Found)
	faults.CheckText("reason", r.Reason, blueberry.MaxConfigMessage)
	r.checkHead(d.env.Restricted, &faults)
	r.checkBranch(d.env.Restricted, &faults)
	if d.env.Restricted {
		r.checkRestricted(actor, d.base.Source, &faults)
	}
	holds := d.holds
	d.holds = nil
	d.res, err = p.resolve(ctx, asked{
		actor: actor, project: d.env.Project, wish: r.Wish, base: &d.base.Inputs, refresh: r.Refresh, refreshSides: r.Sides, restricted: d.env.Restricted,
		holds: holds, byItself: byItself,
	}, &faults)
	d.release = d.res.loaded.release
	if err != nil {
		return d, err
	}
	next := d.base.Number + 1
	if err := d.render(render.Input{Name: d.env.Name, Namespace: d.env.Namespace, Revision: next, Strict: r.Strict}, &faults); err != nil {
		return d, err
	}
	if err := faults.Err(); err != nil {
		return d, err
	}
	reason := r.Reason
	if reason == "" {
		reason = "changed"
	}
	d.rev = blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, d.now), EnvironmentID: d.env.ID, Number: next, Author: actor.Name, Reason: reason,
		Inputs: d.res.inputs, Settings: d.out.Settings, Demand: d.out.Demand, Rendering: d.out.Rendering, CreatedAt: d.now,
	}
	if d.same, err = d.likeBase(byItself); err != nil {
		return d, err
	}
	d.inputs = append(d.res.planInputs(d.place, d.project, d.out.Images), d.inputs...)
	return d, nil
}

// likeBase reports whether the draft is what the environment has already. What came by itself is the same when it renders the same; what someone asked for
// also has to be made of the same.
func (d *draft) likeBase(byItself bool) (bool, error) {
	as, err := render.Relabel(d.rev.Rendering, d.base.Number)
	if err != nil {
		return false, fmt.Errorf("compare renderings: %w", err)
	}
	if as.Digest != d.base.Rendering.Digest {
		return false, nil
	}
	return byItself || digestOf(d.rev.Inputs) == digestOf(d.base.Inputs), nil
}

// begin reads what every draft of an environment that exists leans on. The holds of the draft are those of the environment.
func (p *Provisioner) begin(ctx context.Context, actor blueberry.Actor, r planRequest, kind blueberry.PlanKind) (*draft, error) {
	id := r.Subject
	d := &draft{kind: kind, actor: actor, now: p.Now(), release: func() {}}
	err := p.Record.View(ctx, func(tx Tx) (err error) {
		if d.env, err = tx.Environment(ctx, id); err != nil {
			return err
		}
		if err := checkVersion(d.env, r.ifVersion); err != nil {
			return err
		}
		if kind != blueberry.PlanDestroy {
			if err := changeable(d.env); err != nil {
				return err
			}
		}
		if kind == blueberry.PlanDestroy { // whose manifests may even be damaged
			d.base, err = tx.RevisionInputs(ctx, id, d.env.Revision)
		} else {
			d.base, err = tx.Revision(ctx, id, d.env.Revision)
		}
		if err != nil {
			return err
		}
		if d.base.Settings, err = tx.RevisionSettings(ctx, id, d.env.Revision); err != nil {
			return err
		}
		if d.project, err = tx.Project(ctx, d.env.Project); err != nil {
			return err
		}
		if d.holds, err = tx.Holds(ctx, id); err != nil {
			return err
		}
		if d.res.policies, err = tx.Policies(ctx, d.env.Project); err != nil {
			return err
		}
		return d.readUse(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	if d.place, err = p.place(d.env.Target); err != nil && kind != blueberry.PlanDestroy {
		return nil, err
	}
	if !d.env.Lease.ExpiresAt.IsZero() {
		d.hours = d.env.Lease.HoursLeft(d.now)
	}
	d.inputs = []blueberry.PlanInput{{Kind: blueberry.InputEnvironment, Name: d.env.Name, Value: fmt.Sprintf("revision %d of %s", d.env.Revision, d.env.ID)}}
	if r.look {
		d.inputs = append(d.inputs, blueberry.PlanInput{Kind: blueberry.InputTarget, Name: d.env.Target, Value: p.targetState(ctx, d)})
	}
	return d, nil
}

// stateLook is how long the target may take to tell what differs on it.
const stateLook = 2 * time.Second

// stateUnknown is the state of a target that does not answer, or on which a revision is on its way. It is compared with no other.
const stateUnknown = "not known"

// targetState says what differs on the target from what was applied.
func (p *Provisioner) targetState(ctx context.Context, d *draft) string {
	if d.env.Synced != d.env.Revision || d.kind == blueberry.PlanDestroy {
		return stateUnknown
	}
	ledger, err := p.ledger(ctx, d.env.ID)
	if err != nil {
		return stateUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, stateLook)
	defer cancel()
	want, _ := split(ledger, d.env.Revision)
	obs, err := d.place.Driver.Observe(ctx, refOf(d.env), want)
	if err != nil {
		return stateUnknown
	}
	if !obs.Drifted() {
		return "as applied"
	}
	comparer, ok := d.place.Driver.(target.Comparer)
	if !ok {
		return "differs"
	}
	base, err := asDesired(d.env, d.base)
	if err != nil {
		return stateUnknown
	}
	objects, err := comparer.Compare(ctx, desiredOf(d.env, base))
	if err != nil {
		return stateUnknown
	}
	objects = slices.DeleteFunc(objects, func(o blueberry.ObjectDiff) bool { return o.Action == blueberry.ObjectUnchanged })
	if len(objects) == 0 {
		return "as applied"
	}
	var names []string
	for i := range objects {
		names = append(names, objects[i].ObjectRef.String())
		for j := range objects[i].Fields { // who and when is told, and is no part of the state
			objects[i].Fields[j].Manager, objects[i].Fields[j].Since = "", time.Time{}
		}
	}
	return fmt.Sprintf("%s differ (%s)", strings.Join(names[:min(3, len(names))], ", "), digestOf(objects)[len("sha256:"):][:12])
}

func desiredOf(e blueberry.Environment, rev blueberry.Revision) target.Desired {
	return target.Desired{Ref: refOf(e), Revision: rev.Number, Files: rev.Rendering.Files, Ignore: e.Drift.Ignore, LeaveAlone: e.Drift.Reports()}
}
