package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Signer signs plans, so that one which is applied is known to be one that was made here.
type Signer interface {
	Sign(text []byte) (keyID string, signature []byte)
}

// planLook is how long the target may take for the dry run of a plan.
const planLook = 10 * time.Second

// planRequest is what a plan was asked for, as it is kept with it. One part is set.
type planRequest struct {
	Create   *CreateRequest   `json:"create,omitempty"`
	Change   *ChangeRequest   `json:"change,omitempty"`
	Rollback *RollbackRequest `json:"rollback,omitempty"`
	Undo     *UndoRequest     `json:"undo,omitempty"`
	Destroy  bool             `json:"destroy,omitempty"`
	Subject  string           `json:"subject,omitempty"` // id of the environment, of an undo the one that ended; empty for a create
	ByItself bool             `json:"by_itself,omitempty"`

	look      bool  // ask the target what differs on it
	ifVersion int64 // of the environment; 0 means any
}

// draft makes of a request what would be recorded.
func (p *Provisioner) draft(ctx context.Context, actor blueberry.Actor, r planRequest) (*draft, error) {
	d, err := p.draftOf(ctx, actor, r)
	if err != nil {
		return d, err
	}
	return d, d.count()
}

func (p *Provisioner) draftOf(ctx context.Context, actor blueberry.Actor, r planRequest) (*draft, error) {
	switch {
	case r.Create != nil:
		return p.draftCreate(ctx, actor, *r.Create)
	case r.Change != nil:
		return p.draftChange(ctx, actor, r)
	case r.Undo != nil:
		return p.draftUndo(ctx, actor, r)
	case r.Rollback != nil:
		return p.draftRollback(ctx, actor, r)
	}
	return p.draftDestroy(ctx, actor, r)
}

// Plan tells what a change of an environment would do, and keeps it to be applied.
func (p *Provisioner) Plan(ctx context.Context, actor blueberry.Actor, id string, r PlanRequest) (blueberry.Plan, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsPlan); err != nil {
		return blueberry.Plan{}, err
	}
	parts := 0
	for _, set := range []bool{r.Change != nil, r.Rollback != nil, r.Destroy} {
		if set {
			parts++
		}
	}
	if parts != 1 {
		r.Found.Add("", "exclusive", "exactly one of change, rollback and destroy must be given")
	}
	if r.Change != nil {
		if r.Change.PlanID != "" {
			r.Found.Add("change.plan_id", "unknown_field", "is what is applied; a plan is made of all else")
		}
		r.Change.Found = append(r.Change.Found, r.Found...)
	} else if err := r.Found.Err(); err != nil {
		return blueberry.Plan{}, err
	}
	if parts != 1 {
		return blueberry.Plan{}, r.Found.Err()
	}
	return p.plan(ctx, actor, planRequest{Change: r.Change, Rollback: r.Rollback, Destroy: r.Destroy, Subject: id})
}

// plan makes, signs and keeps a plan.
func (p *Provisioner) plan(ctx context.Context, actor blueberry.Actor, r planRequest) (blueberry.Plan, error) {
	r.look = true
	d, err := p.draft(ctx, actor, r)
	if d != nil {
		defer d.release()
	}
	if err != nil {
		return blueberry.Plan{}, err
	}
	plan, err := p.write(ctx, d, r, true)
	if err != nil {
		return blueberry.Plan{}, err
	}
	return plan, p.keep(ctx, d, plan)
}

func (p *Provisioner) keep(ctx context.Context, d *draft, plan blueberry.Plan) error {
	return p.Record.Update(ctx, func(tx Tx) error {
		if plan.RenderingDigest != "" {
			if err := tx.PutRendering(ctx, d.rev.Rendering, d.now); err != nil {
				return err
			}
		}
		if err := tx.InsertPlan(ctx, plan); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, blueberry.AuditEntry{
			Actor: d.actor, Action: string(blueberry.GrantEnvironmentsPlan), Resource: plan.ID, Project: plan.Project, At: d.now,
			Detail: fmt.Sprintf("%s planned to %s %s", d.actor.Name, plan.Kind, plan.Environment),
			After: blueberry.AuditFields(map[string]any{
				"kind": plan.Kind, "environment": plan.Environment, "environment_id": plan.EnvironmentID, "base": plan.Base, "revision": plan.Revision,
			}),
		})
	})
}

// write makes the plan of a draft. look asks the target what it would make of it; what is applied at once is not asked about.
func (p *Provisioner) write(ctx context.Context, d *draft, r planRequest, look bool) (blueberry.Plan, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return blueberry.Plan{}, fmt.Errorf("encode request of plan: %w", err)
	}
	plan := blueberry.Plan{
		ID: blueberry.NewID(blueberry.PlanID, d.now), Kind: d.kind, Project: d.env.Project, Environment: d.env.Name, Actor: d.actor.Name, ActorID: d.actor.ID,
		Reason: d.rev.Reason, Base: d.base.Number, Revision: d.rev.Number, Inputs: slices.Clone(d.inputs), Quota: d.quota(), Warnings: d.warnings(),
		Lease: d.lease(), RenderingDigest: d.rev.Rendering.Digest, Request: request, CreatedAt: d.now, ExpiresAt: d.now.Add(blueberry.PlanLifetime),
	}
	if d.kind != blueberry.PlanCreate {
		plan.EnvironmentID = d.env.ID
	}
	if d.same {
		plan.Revision, plan.RenderingDigest = d.base.Number, ""
	}
	if plan.Policies, err = d.judge(); err != nil {
		return blueberry.Plan{}, fmt.Errorf("judge plan: %w", err)
	}
	if plan.Cost, err = p.planCost(ctx, d); err != nil {
		return blueberry.Plan{}, err
	}
	if look {
		if d.kind != blueberry.PlanDestroy {
			plan.Config = blueberry.CompareSettings(d.base.Settings, d.rev.Settings)
		}
		if err := p.look(ctx, d, &plan); err != nil {
			return blueberry.Plan{}, err
		}
	} else {
		plan.DryRun.Reason = "it was applied at once, and the target not asked before"
		var ledger []blueberry.LedgerEntry
		if d.kind == blueberry.PlanDestroy {
			if ledger, err = p.ledger(ctx, d.env.ID); err != nil {
				return blueberry.Plan{}, err
			}
		}
		if err := d.objects(&plan, ledger); err != nil {
			return blueberry.Plan{}, err
		}
	}
	plan.Digest = plan.DigestInputs()
	plan.KeyID, plan.Signature = p.Signer.Sign(plan.SigningText())
	return plan, nil
}

func (d *draft) warnings() []blueberry.Warning {
	out := slices.Clone(d.out.Warnings)
	for _, h := range d.res.held {
		out = append(out, blueberry.Warning{Code: "held", Field: blueberry.JoinField(h.Kind, h.Name), Message: fmt.Sprintf("%s is held and was passed over", h.Value)})
	}
	return out
}

func (d *draft) lease() blueberry.PlanLease {
	l := blueberry.PlanLease{After: d.env.Lease.ExpiresAt}
	switch d.kind {
	case blueberry.PlanCreate:
		l.Hours = d.hours
	case blueberry.PlanDestroy:
		l.Before, l.After = l.After, time.Time{}
	case blueberry.PlanChange, blueberry.PlanRollback:
		l.Before = l.After
	}
	return l
}

// objects tells what becomes of each object, from what the record knows. ledger is that of the environment; nil for a create.
func (d *draft) objects(plan *blueberry.Plan, ledger []blueberry.LedgerEntry) (err error) {
	if d.kind == blueberry.PlanDestroy {
		plan.Objects = deleted(ledger)
		return nil
	}
	if d.same {
		return nil
	}
	if d.kind == blueberry.PlanCreate { // every object is new, and stands in the rendering
		for _, f := range d.rev.Rendering.Files {
			for _, o := range f.Objects {
				plan.Objects = append(plan.Objects, blueberry.ObjectDiff{ObjectRef: o, Component: f.Component, Action: blueberry.ObjectCreated})
			}
		}
		return nil
	}
	plan.Objects, err = render.Diff(d.base.Rendering.Files, d.rev.Rendering.Files)
	return err
}

func deleted(ledger []blueberry.LedgerEntry) []blueberry.ObjectDiff {
	var out []blueberry.ObjectDiff
	for _, l := range ledger {
		if l.GoneAt.IsZero() {
			out = append(out, blueberry.ObjectDiff{ObjectRef: l.ObjectRef, Component: l.Component, Action: blueberry.ObjectDeleted})
		}
	}
	return out
}

// look asks the target: what differs on it, what it would make of the draft, and what room it has.
func (p *Provisioner) look(ctx context.Context, d *draft, plan *blueberry.Plan) error {
	var ledger []blueberry.LedgerEntry
	if d.kind != blueberry.PlanCreate {
		var err error
		if ledger, err = p.ledger(ctx, d.env.ID); err != nil {
			return err
		}
	}
	if err := d.objects(plan, ledger); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, planLook)
	defer cancel()
	if d.kind == blueberry.PlanDestroy || d.same {
		plan.DryRun.Reason = "nothing would be applied"
		return nil
	}
	comparer, ok := d.place.Driver.(target.Comparer)
	if !ok {
		plan.DryRun.Reason = "the target cannot be asked"
		return nil
	}
	desired := target.Desired{Ref: refOf(d.env), Revision: d.rev.Number, Files: d.rev.Rendering.Files, Ignore: d.env.Drift.Ignore, LeaveAlone: d.env.Drift.Reports(), Prune: unwanted(ledger, d.rev)}
	objects, err := comparer.Compare(ctx, desired)
	if err != nil {
		plan.DryRun.Reason = userText(err)
		return nil // the plan says that the target was not asked, and why
	}
	plan.DryRun.Done = true
	plan.Objects = slices.DeleteFunc(objects, func(o blueberry.ObjectDiff) bool { return o.Action == blueberry.ObjectUnchanged && !o.Refused })
	p.capacity(ctx, d, plan)
	return nil
}

// unwanted are the objects of earlier revisions that a new one no longer has.
func unwanted(ledger []blueberry.LedgerEntry, rev blueberry.Revision) []blueberry.ObjectRef {
	want := map[blueberry.ObjectRef]bool{}
	for _, f := range rev.Rendering.Files {
		for _, o := range f.Objects {
			want[o] = true
		}
	}
	var out []blueberry.ObjectRef
	for _, l := range ledger {
		if l.GoneAt.IsZero() && !want[l.ObjectRef] {
			out = append(out, l.ObjectRef)
		}
	}
	return out
}

func refOf(e blueberry.Environment) target.Ref {
	return target.Ref{Project: e.Project, Environment: e.Name, Namespace: e.Namespace}
}

// capacity compares what the target has with what the environments on it ask for. It warns only: a cluster may grow.
func (p *Provisioner) capacity(ctx context.Context, d *draft, plan *blueberry.Plan) {
	sizer, ok := d.place.Driver.(target.Sizer)
	if !ok {
		return
	}
	room, err := sizer.Capacity(ctx)
	if err != nil {
		plan.Warnings = append(plan.Warnings, blueberry.Warning{Code: "capacity_unknown", Message: "the target does not tell its capacity: " + userText(err)})
		return
	}
	var used blueberry.Usage
	if err := p.Record.View(ctx, func(tx Tx) (err error) {
		used, err = tx.TargetUsage(ctx, d.env.Target)
		return err
	}); err != nil {
		plan.Warnings = append(plan.Warnings, blueberry.Warning{Code: "capacity_unknown", Message: "the use of the target could not be read"})
		return
	}
	before := blueberry.Demand{}
	if d.base.Number > 0 {
		before = d.env.Demand
	}
	for _, x := range []struct {
		resource                   string
		room, used, after, instead int64
	}{
		{"cpu", room.CPU, used.CPU, d.rev.Demand.CPU, before.CPU},
		{"memory", room.Memory, used.Memory, d.rev.Demand.Memory, before.Memory},
		{"pods", room.Pods, used.Pods, d.rev.Demand.Pods, before.Pods},
	} {
		if x.room <= 0 {
			continue
		}
		fit := blueberry.Fit{Resource: x.resource, Scope: "target " + d.env.Target, Used: x.used, Asked: x.after - x.instead, Limit: x.room}
		plan.Capacity = append(plan.Capacity, fit)
		if !fit.Fits() {
			plan.Warnings = append(plan.Warnings, blueberry.Warning{Code: "capacity", Message: fmt.Sprintf("the target has less %s than its environments ask for at their largest", x.resource)})
		}
	}
}

// Blockers tells, as an error with a fault for each, why a plan could not be applied; nil when nothing stands in its way but its inputs.
func Blockers(plan blueberry.Plan) error {
	var f blueberry.Faults
	codes := map[string]bool{}
	for _, q := range plan.Quota {
		if !q.Fits() {
			codes["QUOTA_EXCEEDED"] = true
			f.Add("quota."+q.Resource, "quota_exceeded", "%s: %s", q.Scope, fitText(q))
		}
	}
	for _, v := range plan.Policies {
		if v.Denied {
			codes["POLICY_DENIED"] = true
			f.Add("policies."+v.Rule, "policy_denied", "%s", strings.TrimSuffix(fmt.Sprintf("%s: %s; %s", v.Object, v.Message, v.Fix), "; "))
		}
	}
	for _, o := range plan.Objects {
		if o.Refused {
			codes["TARGET_REFUSED"] = true
			f.Add(o.ObjectRef.String(), "target_refused", "%s", o.Note)
		}
	}
	if len(f) == 0 {
		return nil
	}
	code := "PLAN_BLOCKED"
	if len(codes) == 1 {
		for c := range codes {
			code = c
		}
	}
	return &blueberry.Error{Kind: blueberry.Conflict, Code: code, Detail: "the change is not allowed as it is", Fields: f}
}

func fitText(q blueberry.Fit) string {
	show := func(n int64) string { return fmt.Sprint(n) }
	switch q.Resource {
	case "cpu":
		show = func(n int64) string { return fmt.Sprintf("%dm", n) }
	case "memory", "storage":
		show = bytesText
	}
	return fmt.Sprintf("%s used, %s more asked for, the limit is %s", show(q.Used), show(q.Asked), show(q.Limit))
}

// bytesText gives bytes in the largest unit that holds them exactly.
func bytesText(n int64) string {
	units := []string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
	i := 0
	for n != 0 && n%1024 == 0 && i < len(units)-1 {
		n /= 1024
		i++
	}
	return fmt.Sprintf("%d%s", n, units[i])
}

// PlanByID reads a plan.
func (p *Provisioner) PlanByID(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Plan, error) {
	return view(ctx, p, func(tx Tx) (blueberry.Plan, error) {
		return planFor(ctx, tx, actor, id, blueberry.GrantEnvironmentsRead)
	})
}

// PlanRendering reads the manifests that a plan would put into Git.
func (p *Provisioner) PlanRendering(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Plan, blueberry.Rendering, error) {
	var plan blueberry.Plan
	r, err := view(ctx, p, func(tx Tx) (r blueberry.Rendering, err error) {
		if plan, err = planFor(ctx, tx, actor, id, blueberry.GrantEnvironmentsRead); err != nil || plan.RenderingDigest == "" {
			return r, err
		}
		return tx.Rendering(ctx, plan.RenderingDigest)
	})
	return plan, r, err
}

// Plans reads one page of the plans of an environment, newest first.
func (p *Provisioner) Plans(ctx context.Context, actor blueberry.Actor, q blueberry.PlanQuery) ([]blueberry.Plan, error) {
	return viewOf(ctx, p, actor, q.EnvironmentID, func(tx Tx, _ blueberry.Environment) ([]blueberry.Plan, error) { return tx.Plans(ctx, q) })
}
