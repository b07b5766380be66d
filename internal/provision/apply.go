package provision

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// application is what is to be applied: a plan by its id, or a request of which a plan is made inside.
type application struct {
	planID  string
	kind    blueberry.PlanKind // that the door is for
	grant   blueberry.Grant    // that it takes
	subject string             // id of the environment; empty for a create
	request planRequest
	alone   bool // the request says nothing beside the plan's id

	ifVersion int64 // of the environment; 0 means any

	also func(tx Tx, e blueberry.Environment) error // done beside the revision that it makes; nil for nothing
}

// draftAttempts is how often a request is drafted when what it leans on moves meanwhile. A draft of a plan that moved is refused the next time.
const draftAttempts = 5

// apply drafts what is asked for, holds it to its plan, and records it by record, together with the plan, which it gives. record may run more than once; it
// does not run when nothing would change.
func (p *Provisioner) apply(ctx context.Context, actor blueberry.Actor, a application, record func(tx Tx, d *draft) error) (plan blueberry.Plan, err error) {
	for range draftAttempts {
		var made *blueberry.Plan
		if a.planID != "" {
			if plan, err = p.promised(ctx, actor, a); err != nil {
				return plan, err
			}
			a.request = planRequest{}
			if err := decodeRequest(plan.Request, &a.request); err != nil {
				return plan, fmt.Errorf("decode request of plan %s: %w", plan.ID, err)
			}
			made = &plan
		}
		plan, err = p.applyOnce(ctx, actor, a, made, record)
		if !errors.Is(err, errMoved) && !versionMoved(err) {
			return plan, err
		}
	}
	return plan, blueberry.Errorf(blueberry.Conflict, "INPUTS_MOVE", "what the request leans on changes all the time; try again")
}

// decodeRequest reads what a plan was asked for. Whole numbers stay whole: the request must be the one that was planned.
func decodeRequest(content []byte, r *planRequest) error {
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	if err := dec.Decode(r); err != nil {
		return err
	}
	for _, w := range r.wishes() {
		w.Parameters, w.Overrides = blueberry.PlainValues(w.Parameters), blueberry.PlainValues(w.Overrides)
		if w.Blueprint != nil {
			for i, c := range w.Blueprint.Components {
				w.Blueprint.Components[i].Values = blueberry.PlainValues(c.Values)
			}
			w.Blueprint.Schema = blueberry.PlainValues(w.Blueprint.Schema)
			for i, x := range w.Blueprint.Parameters {
				w.Blueprint.Parameters[i].Default = blueberry.PlainNumbers(x.Default)
				for j, v := range x.Enum {
					w.Blueprint.Parameters[i].Enum[j] = blueberry.PlainNumbers(v)
				}
			}
		}
	}
	return nil
}

func (r *planRequest) wishes() []*Wish {
	var out []*Wish
	if r.Create != nil {
		out = append(out, &r.Create.Wish)
	}
	if r.Change != nil {
		out = append(out, &r.Change.Wish)
	}
	return out
}

// promised reads a plan and makes sure that it is one of ours, for this door and this actor, and may still be applied.
func (p *Provisioner) promised(ctx context.Context, actor blueberry.Actor, a application) (plan blueberry.Plan, err error) {
	if !a.alone {
		return plan, blueberry.Faults{{Field: "plan_id", Code: "exclusive", Message: "a plan says all: beside it nothing else can be asked for"}}.Err()
	}
	var public []byte
	err = p.Record.View(ctx, func(tx Tx) error {
		if plan, err = planFor(ctx, tx, actor, a.planID, a.grant); err != nil {
			return err
		}
		public, err = tx.SigningKey(ctx, plan.KeyID)
		return err
	})
	if errors.Is(err, blueberry.NotFound) && plan.ID != "" {
		err = nil // nobody knows the key: it is none of ours
	}
	switch {
	case err != nil:
		return plan, err
	case plan.Digest != plan.DigestInputs() || len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, plan.SigningText(), plan.Signature):
		return plan, blueberry.Errorf(blueberry.Conflict, "PLAN_ALTERED", "plan %s is not as it was signed", plan.ID)
	case plan.Kind != a.kind || plan.EnvironmentID != a.subject:
		return plan, blueberry.Errorf(blueberry.Conflict, "PLAN_OTHER", "plan %s is to %s %s", plan.ID, plan.Kind, plan.Environment)
	case !plan.AppliedAt.IsZero():
		return plan, planApplied(plan)
	case plan.Expired(p.Now()):
		return plan, blueberry.Errorf(blueberry.Conflict, "PLAN_EXPIRED", "plan %s could be applied until %s", plan.ID, plan.ExpiresAt.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	return plan, nil
}

func planApplied(plan blueberry.Plan) error {
	return blueberry.Errorf(blueberry.Conflict, "PLAN_APPLIED", "plan %s was applied already, at %s", plan.ID, plan.AppliedAt.UTC().Format("2006-01-02 15:04:05 MST"))
}

func (p *Provisioner) applyOnce(ctx context.Context, actor blueberry.Actor, a application, plan *blueberry.Plan, record func(tx Tx, d *draft) error) (blueberry.Plan, error) {
	var none blueberry.Plan
	a.request.look, a.request.ifVersion = plan != nil, a.ifVersion
	d, err := p.draft(ctx, actor, a.request)
	if d != nil {
		defer d.release()
	}
	if plan != nil {
		err = p.kept(ctx, d, *plan, err)
	}
	if err != nil {
		return none, err
	}
	made := plan == nil
	if made {
		inside, err := p.write(ctx, d, a.request, false)
		if err != nil {
			return none, err
		}
		plan = &inside
	}
	judged := *plan
	if !made { // for who applies it, and by what is used now
		judged.Quota = d.quota()
		if judged.Policies, err = d.judge(); err != nil {
			return none, fmt.Errorf("judge plan: %w", err)
		}
	}
	if err := Blockers(judged); err != nil {
		return *plan, err
	}
	d.rev.Plan = plan.ID
	applied := *plan
	applied.AppliedAt, applied.AppliedRevision = p.Now(), plan.Revision
	err = p.Record.Update(ctx, func(tx Tx) error {
		if err := p.still(ctx, tx, d); err != nil {
			return err
		}
		if !made { // first of all: of two who apply it at once, one is told that it was applied
			if err := tx.ClaimPlan(ctx, plan.ID, plan.Revision, applied.AppliedAt); err != nil {
				return err
			}
		}
		if d.same {
			return nil
		}
		if err := record(tx, d); err != nil || !made {
			return err
		}
		return tx.InsertPlan(ctx, applied)
	})
	if err != nil || made && d.same {
		return *plan, err
	}
	return applied, nil
}

// kept holds a draft to the plan that it was made from; err is what drafting it said. Whatever moved is told by name.
func (p *Provisioner) kept(ctx context.Context, d *draft, plan blueberry.Plan, err error) error {
	if unreachable(err) {
		return blueberry.Errorf(blueberry.Unavailable, "SOURCE_UNREACHABLE", "whether plan %s still holds cannot be said: %s", plan.ID, userText(err))
	}
	var e *blueberry.Error
	if errors.As(err, &e) && (e.Kind == blueberry.Invalid || e.Kind == blueberry.NotFound || e.Kind == blueberry.Conflict) {
		moved := blueberry.Faults(e.Fields)
		if len(moved) == 0 {
			moved.Add("inputs", "moved", "%s", e.Detail)
		}
		return movedError(plan, moved)
	}
	if err != nil {
		return err
	}
	was, is := plan.Inputs, d.inputs
	for _, list := range [][]blueberry.PlanInput{was, is} {
		if slices.ContainsFunc(list, func(i blueberry.PlanInput) bool { return i.Kind == blueberry.InputTarget && i.Value == stateUnknown }) {
			was, is = withoutTarget(was), withoutTarget(is)
		}
	}
	if moved := blueberry.Moved(was, is); len(moved) > 0 {
		return movedError(plan, moved)
	}
	if digest := d.rev.Rendering.Digest; plan.RenderingDigest != "" && digest != plan.RenderingDigest {
		return movedError(plan, blueberry.Faults{{Field: "inputs.rendering", Code: "moved", Message: "the same inputs render to something else now"}})
	}
	return nil
}

// unreachable reports whether a draft failed only because a repository could not be read at this moment.
func unreachable(err error) bool {
	var e *blueberry.Error
	return errors.As(err, &e) && slices.ContainsFunc(e.Fields, func(f blueberry.Fault) bool { return f.Code == codeUnreachable })
}

func withoutTarget(list []blueberry.PlanInput) []blueberry.PlanInput {
	return slices.DeleteFunc(slices.Clone(list), func(i blueberry.PlanInput) bool { return i.Kind == blueberry.InputTarget })
}

func movedError(plan blueberry.Plan, moved blueberry.Faults) error {
	return &blueberry.Error{Kind: blueberry.Conflict, Code: "PLAN_MOVED", Detail: fmt.Sprintf("plan %s was made for something else than what is there now; make it anew", plan.ID), Fields: moved}
}

// still makes sure, in the transaction that records a draft, that what others may change at this moment is as the draft was made for.
func (p *Provisioner) still(ctx context.Context, tx Tx, d *draft) error {
	if err := p.stillJudged(ctx, tx, d); err != nil || d.kind == blueberry.PlanDestroy || d.kind == blueberry.PlanRollback || d.restores {
		return err // a rollback takes old versions on purpose, and so does an undo
	}
	var followed []string
	for _, u := range d.rev.Config {
		if u.Follows() {
			followed = append(followed, u.SetID)
		}
	}
	if len(followed) > 0 {
		latest, err := tx.LockConfig(ctx, followed)
		if err != nil {
			return err
		}
		for _, u := range d.rev.Config {
			if u.Follows() && latest[u.SetID] != u.Number && !d.passedOver(configInput(u.ConfigRef, 0)) {
				return errMoved
			}
		}
	}
	if c := d.rev.Catalogue; c.Follow {
		latest, err := tx.LockBlueprint(ctx, c.EntryID)
		if err != nil {
			return err
		}
		if latest != c.Version && !d.passedOver(blueberry.PlanInput{Kind: blueberry.InputBlueprint, Name: refName(c)}) {
			return errMoved
		}
	}
	return nil
}

// stillJudged makes sure that rules and limits are those that the draft was judged by, and that the limits hold for all who ask at once.
func (p *Provisioner) stillJudged(ctx context.Context, tx Tx, d *draft) error {
	policies, err := tx.Policies(ctx, d.env.Project)
	if err != nil {
		return err
	}
	if policiesText(policies) != policiesText(d.res.policies) {
		return errMoved
	}
	if d.kind == blueberry.PlanDestroy {
		return nil
	}
	read := tx.Project
	if limited(d.project.Quota) {
		read = tx.LockProject
	}
	project, err := read(ctx, d.project.Name)
	if err != nil {
		return err
	}
	if project.Version != d.project.Version {
		return errMoved
	}
	if err := d.readUse(ctx, tx); err != nil {
		return err
	}
	return Blockers(blueberry.Plan{Quota: d.quota()})
}

// passedOver reports whether an older version of an input was taken because the newest is held.
func (d *draft) passedOver(in blueberry.PlanInput) bool {
	return slices.ContainsFunc(d.res.held, func(h blueberry.PlanInput) bool { return h.Kind == in.Kind && h.Name == in.Name })
}

// errMoved says that what a draft was made of has moved.
var errMoved = errors.New("what the draft was made of has moved")
