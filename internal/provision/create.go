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

// CreateRequest asks for an environment.
type CreateRequest struct {
	Project, Name, Target string // Project and Target empty mean the default
	Hours                 int    // length of the lease; 0 asks for the blueprint's own
	Restricted            bool   `json:",omitempty"` // for code that nobody vouches for; it stays so to its end
	Wish
	Labels blueberry.Labels `json:",omitempty"`
	Drift  blueberry.DriftPolicy
	Found  blueberry.Faults `json:"-"` // what the door has found wrong already; it is told with the rest
	Key    string           `json:"-"` // idempotency key; empty for none. The same key gives the environment that it gave before
	PlanID string           `json:"-"` // apply this plan; then nothing else may be set
}

// Create accepts an environment: it validates and renders the request, tells every fault at once, and records the environment, its first revision, the plan
// of both and the job that makes it, all or nothing.
func (p *Provisioner) Create(ctx context.Context, actor blueberry.Actor, r CreateRequest) (blueberry.Environment, error) {
	r.fill(p)
	if err := p.allowedNew(ctx, actor, r); err != nil {
		return blueberry.Environment{}, err
	}
	if err := r.Found.Err(); r.PlanID != "" && err != nil {
		return blueberry.Environment{}, err
	}
	if e, err := p.made(ctx, actor, r, p.Now()); !errors.Is(err, blueberry.NotFound) {
		return e, err
	}
	var out blueberry.Environment
	a := application{
		planID: r.PlanID, kind: blueberry.PlanCreate, grant: blueberry.GrantEnvironmentsCreate, request: planRequest{Create: &r}, alone: r.alone(),
	}
	_, err := p.apply(ctx, actor, a,
		func(tx Tx, d *draft) error {
			out = d.env
			out.Version, out.RequestKey = 1, requestKey(actor, r)
			if err := insert(ctx, tx, out, d.rev); err != nil {
				return err
			}
			if err := tx.Enqueue(ctx, blueberry.JobEnvironmentReconcile, out.ID); err != nil {
				return err
			}
			message := fmt.Sprintf("%s asked for %s with %d objects until %s", actor.Name, out.Name, d.rev.Rendering.Count(), out.Lease.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
			if err := p.act(ctx, tx, out, actor, deed{blueberry.EnvironmentRequested, blueberry.GrantEnvironmentsCreate, message, nil, newFields(out, d.rev)}); err != nil {
				return err
			}
			return p.tellLeftOut(ctx, tx, out, d, blueberry.GrantEnvironmentsCreate)
		})
	if err != nil {
		return blueberry.Environment{}, err
	}
	p.at(StepAccepted)
	return out, nil
}

// insert records a new environment with its first revision, where its target takes it and its name and place are free.
func insert(ctx context.Context, tx Tx, e blueberry.Environment, rev blueberry.Revision) error {
	if err := stillTakes(ctx, tx, e.Target); err != nil {
		return err
	}
	if err := tx.InsertEnvironment(ctx, e); err != nil {
		if errors.Is(err, blueberry.Conflict) && !isCode(err, "TARGET_CORDONED") {
			return taken(e.Name)
		}
		return fmt.Errorf("record environment: %w", err)
	}
	if err := cleared(ctx, tx, e); err != nil {
		return err
	}
	return tx.InsertRevision(ctx, rev)
}

// cleared is nil unless an orphan of the name or in the namespace is being removed, which would take what is made now along. From InsertEnvironment on none
// can be approved until the transaction ends.
func cleared(ctx context.Context, tx Tx, e blueberry.Environment) error {
	for _, q := range []blueberry.OrphanQuery{{Project: e.Project, Env: e.Name}, {Namespace: e.Namespace}} {
		q.Target, q.Approved, q.Limit = e.Target, true, 1
		list, err := tx.Orphans(ctx, q)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return blueberry.Faults{{
				Field: "name", Code: "orphan_leaving",
				Message: fmt.Sprintf("what an earlier %s left on target %s is being removed, as orphan %s: create it when that is gone", e.Name, e.Target, list[0].ID),
			}}.Err()
		}
	}
	return nil
}

// PlanCreate tells what a create would do, and keeps it to be applied.
func (p *Provisioner) PlanCreate(ctx context.Context, actor blueberry.Actor, r CreateRequest) (blueberry.Plan, error) {
	planID := r.PlanID
	r.PlanID = ""
	r.fill(p)
	if err := actor.CanIn(r.Project, blueberry.GrantEnvironmentsPlan); err != nil {
		return blueberry.Plan{}, err
	}
	if planID != "" {
		r.Found.Add("plan_id", "unknown_field", "is what is applied; a plan is made of all else")
		return blueberry.Plan{}, r.Found.Err()
	}
	return p.plan(ctx, actor, planRequest{Create: &r})
}

// allowedNew is nil when the actor may create in the project that is named, or in that of the plan.
func (p *Provisioner) allowedNew(ctx context.Context, actor blueberry.Actor, r CreateRequest) error {
	if r.PlanID == "" {
		return actor.CanIn(r.Project, blueberry.GrantEnvironmentsCreate)
	}
	if actor.Can(blueberry.GrantEnvironmentsCreate) == nil {
		return nil
	}
	return p.Record.View(ctx, func(tx Tx) error {
		_, err := planFor(ctx, tx, actor, r.PlanID, blueberry.GrantEnvironmentsCreate)
		return err
	})
}

func (r *CreateRequest) fill(p *Provisioner) {
	if r.PlanID != "" {
		return
	}
	if r.Project == "" {
		r.Project = blueberry.DefaultProject
	}
	if r.Target == "" {
		r.Target = p.Default
	}
}

// alone reports whether a plan is all that the request names.
func (r CreateRequest) alone() bool {
	return r.Project == "" && r.Name == "" && r.Target == "" && r.Hours == 0 && !r.Restricted && r.Wish.empty() && len(r.Labels) == 0 && r.Drift.Mode == "" && len(r.Drift.Ignore) == 0
}

// Made gives the environment that a request with the project, name and key has made in the last day, or NotFound. It is for those who were told nothing when it
// was made, and asks for no right: the actor's own requests are all that it finds.
func (p *Provisioner) Made(ctx context.Context, actor blueberry.Actor, r CreateRequest) (blueberry.Environment, error) {
	r.fill(p)
	return p.made(ctx, actor, r, p.Now())
}

// made gives the environment that this very request has made before, or NotFound. The door gives a repeated request its first answer; here is what it
// cannot know: that the environment was recorded and the process died before the answer was kept.
func (p *Provisioner) made(ctx context.Context, actor blueberry.Actor, r CreateRequest, now time.Time) (e blueberry.Environment, err error) {
	if r.Key == "" {
		return e, blueberry.NotFound
	}
	err = p.Record.View(ctx, func(tx Tx) error {
		e, err = tx.EnvironmentOfRequest(ctx, requestKey(actor, r), now.Add(-blueberry.IdempotencyLifetime))
		return err
	})
	return e, err
}

func requestKey(actor blueberry.Actor, r CreateRequest) string {
	if r.Key == "" {
		return ""
	}
	return actor.Holder() + " " + r.Project + "/" + r.Name + r.PlanID + " " + r.Key
}

// draftCreate makes of a request what would be recorded. Every fault is told at once.
func (p *Provisioner) draftCreate(ctx context.Context, actor blueberry.Actor, r CreateRequest) (*draft, error) {
	now := p.Now()
	d := &draft{kind: blueberry.PlanCreate, actor: actor, now: now, release: func() {}}
	faults := slices.Clone(r.Found)
	hours := r.Hours
	if hours == 0 {
		hours = blueberry.DefaultLeaseHours
	}
	env, err := blueberry.NewEnvironment(blueberry.EnvironmentRequest{Project: r.Project, Name: r.Name, Target: r.Target, Owner: actor.Name, Labels: r.Labels, Hours: hours}, now)
	if err := faults.Merge("", err); err != nil {
		return nil, err
	}
	r.Drift.Check(&faults, "drift")
	r.checkHead(r.Restricted, &faults)
	r.checkBranch(r.Restricted, &faults)
	if d.place, err = p.placeOfNew(r.Target, &faults); err != nil {
		return nil, err
	}
	if err := p.checkRecord(ctx, r, d, &faults); err != nil {
		return nil, err
	}
	d.res, err = p.resolve(ctx, asked{actor: actor, project: r.Project, wish: r.Wish, restricted: r.Restricted}, &faults)
	d.release = d.res.loaded.release
	if err != nil {
		return d, err
	}
	if err := d.render(render.Input{Name: r.Name, Namespace: blueberry.Namespace(r.Project, r.Name), Revision: 1, Strict: r.Strict, Restricted: r.Restricted}, &faults); err != nil {
		return d, err
	}
	bounds := d.res.inputs.Blueprint.Lease
	hours = bounds.Hours(r.Hours)
	if bounds.Max != 0 && hours > bounds.Max {
		faults.Add("ttl_hours", "range", "is %d hours, the blueprint allows at most %d", hours, bounds.Max)
	}
	if err := faults.Err(); err != nil {
		return d, err
	}
	if env.Restricted = r.Restricted; env.Restricted {
		hours = min(hours, bounds.Most(true)) // a policy of many pull requests says how long, and most of them are not restricted
	}
	env.Lease = blueberry.NewLease(now, hours)
	env.Sleep = blueberry.Sleep{Policy: d.project.Sleep, ActiveAt: now}
	env.Source, env.Hosts, env.DeadlineAt, env.Drift, env.Demand = d.res.inputs.Source, d.out.Hosts, env.NextDeadline(), r.Drift, d.out.Demand
	d.env, d.hours = env, hours
	d.inputs = append(d.res.planInputs(d.place, d.project, d.out.Images), blueberry.PlanInput{Kind: blueberry.InputEnvironment, Name: env.Name, Value: "does not exist"})
	d.rev = blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, now), EnvironmentID: env.ID, Number: 1, Author: actor.Name, Reason: "created",
		Inputs: d.res.inputs, Settings: d.out.Settings, Demand: d.out.Demand, Rendering: d.out.Rendering, CreatedAt: now,
	}
	return d, nil
}

// checkRecord reads what the request leans on: the project with what it uses, and whether the name is free.
func (p *Provisioner) checkRecord(ctx context.Context, r CreateRequest, d *draft, faults *blueberry.Faults) error {
	d.project = blueberry.Project{Name: r.Project}
	return p.Record.View(ctx, func(tx Tx) error {
		found, err := tx.Project(ctx, r.Project)
		switch {
		case err == nil:
			d.project = found
		case errors.Is(err, blueberry.NotFound):
			faults.Add("project", "unknown", "there is no project %q", r.Project)
		default:
			return err
		}
		_, err = tx.FindEnvironment(ctx, r.Target, blueberry.Namespace(r.Project, r.Name))
		switch {
		case err == nil:
			*faults = append(*faults, takenFault(r.Name))
		case !errors.Is(err, blueberry.NotFound):
			return err
		}
		return d.readUse(ctx, tx)
	})
}

func takenFault(name string) blueberry.Fault {
	return blueberry.Fault{Field: "name", Code: "taken", Message: fmt.Sprintf("%q is the name of an environment that exists", name)}
}

// taken gives a name that was taken between the check and the write the same form as the check does.
func taken(name string) error { return blueberry.Faults{takenFault(name)}.Err() }
