package provision

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// Rollback gives an environment a new revision equal to an old one, and holds what the bad one was made of and the old one was not: nothing automatic
// brings it back until the hold is released.
func (p *Provisioner) Rollback(ctx context.Context, actor blueberry.Actor, id string, r RollbackRequest) (Changed, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsUpdate); err != nil {
		return Changed{}, err
	}
	alone := r.Number == 0 && r.Reason == ""
	return p.revise(ctx, actor, application{planID: r.PlanID, kind: blueberry.PlanRollback, subject: id, alone: alone, request: planRequest{Rollback: &r, Subject: id}}, r.IfVersion)
}

func (p *Provisioner) draftRollback(ctx context.Context, actor blueberry.Actor, request planRequest) (*draft, error) {
	r, id := *request.Rollback, request.Subject
	d, err := p.begin(ctx, actor, request, blueberry.PlanRollback)
	if err != nil {
		return nil, err
	}
	d.holds = nil
	var faults blueberry.Faults
	faults.CheckText("reason", r.Reason, blueberry.MaxConfigMessage)
	if r.Number < 1 || r.Number >= d.base.Number {
		faults.Add("revision", "range", "is %d; %s is at revision %d, and can go back to an earlier one", r.Number, d.env.Name, d.base.Number)
	}
	if err := faults.Err(); err != nil {
		return d, err
	}
	var old blueberry.Revision
	err = p.Record.View(ctx, func(tx Tx) (err error) {
		if old, err = tx.Revision(ctx, id, r.Number); err != nil {
			return err
		}
		old.Settings, err = tx.RevisionSettings(ctx, id, r.Number)
		return err
	})
	if err != nil {
		return d, err
	}
	reason := r.Reason
	if reason == "" {
		reason = fmt.Sprintf("back to revision %d", r.Number)
	}
	d.rev = blueberry.Revision{
		ID: blueberry.NewID(blueberry.RevisionID, d.now), EnvironmentID: id, Number: d.base.Number + 1, Author: actor.Name, Reason: reason,
		Inputs: old.Inputs, Settings: old.Settings, Demand: old.Demand, RestoredFrom: r.Number, CreatedAt: d.now,
	}
	if d.rev.Rendering, err = render.Relabel(old.Rendering, d.rev.Number); err != nil {
		return d, fmt.Errorf("bring back revision %d: %w", r.Number, err)
	}
	d.out.Hosts = hostsOf(old)
	if len(old.Settings) == 0 { // it is older than settings
		d.out.Hosts, d.rev.Demand = d.env.Hosts, d.env.Demand
	}
	if d.same, err = d.likeBase(false); err != nil {
		return d, err
	}
	d.holds = holdsOf(d, reason)
	d.inputs = append(d.inputs,
		blueberry.PlanInput{Kind: blueberry.InputPolicies, Value: policiesText(d.res.policies)},
		blueberry.PlanInput{Kind: blueberry.InputQuota, Name: d.project.Name, Value: digestOf(d.project.Quota)})
	return d, nil
}

// hostsOf are the hosts of a revision, in the order of its components, as its settings say that they were computed.
func hostsOf(rev blueberry.Revision) []string {
	var out []string
	for _, c := range rev.Blueprint.Components {
		at := blueberry.JoinPath(c.Name, "blueberry", "host")
		for _, s := range rev.Settings {
			if host, ok := s.Value.(string); ok && s.Path == at && host != "" && s.Layer == blueberry.LayerComputed {
				out = append(out, host)
			}
		}
	}
	return out
}

// holdsOf are the inputs of the revision that is left which the one that comes back was not made of. An image is held where it alone differs: else its commit
// is, and what CI builds of the next one may well be the same.
func holdsOf(d *draft, reason string) []blueberry.Hold {
	was, will := heldInputs(d.base.Inputs), map[blueberry.PlanInput]bool{}
	for _, in := range heldInputs(d.rev.Inputs) {
		will[in] = true
	}
	for _, c := range d.base.Blueprint.Components {
		image := d.base.Images[c.Name]
		if image == "" || d.base.CommitOf(c) != d.rev.CommitOf(c) {
			continue
		}
		will[imageInput(c.Name, d.rev.Images[c.Name])] = true
		was = append(was, imageInput(c.Name, image))
	}
	var out []blueberry.Hold
	for _, in := range was {
		if !will[in] {
			out = append(out, blueberry.Hold{EnvironmentID: d.env.ID, PlanInput: in, By: d.actor.Name, Reason: reason, Since: d.now})
		}
	}
	return out
}

// heldInputs are the inputs that something automatic may bring: commits, and versions of what can be followed.
func heldInputs(in blueberry.Inputs) []blueberry.PlanInput {
	var out []blueberry.PlanInput
	if in.Source.Commit != "" {
		out = append(out, blueberry.PlanInput{Kind: blueberry.InputCommit, Name: in.Source.Repository, Value: in.Source.Commit})
	}
	for _, s := range in.Sources {
		out = append(out, sideInput(s))
	}
	if c := in.Catalogue; c.Name != "" {
		out = append(out, blueberry.PlanInput{Kind: blueberry.InputBlueprint, Name: refName(c), Value: fmt.Sprint(c.Version)})
	}
	for _, u := range in.Config {
		out = append(out, configInput(u.ConfigRef, u.Number))
	}
	return out
}

// Holds reads what is held for an environment, oldest first.
func (p *Provisioner) Holds(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.Hold, error) {
	return viewOf(ctx, p, actor, id, func(tx Tx, _ blueberry.Environment) ([]blueberry.Hold, error) { return tx.Holds(ctx, id) })
}

// ReleaseHolds lets what was held come back by itself, and looks at once whether it should. It tells how many holds there were.
func (p *Provisioner) ReleaseHolds(ctx context.Context, actor blueberry.Actor, id string, r HoldRelease) (int, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsUpdate); err != nil {
		return 0, err
	}
	n := 0
	err := p.Record.Update(ctx, func(tx Tx) error {
		n = 0
		e, err := tx.Environment(ctx, id)
		if err != nil {
			return err
		}
		holds, err := tx.Holds(ctx, id)
		if err != nil {
			return err
		}
		for _, h := range holds {
			if r.Kind != "" && r.Kind != h.Kind || r.Name != "" && r.Name != h.Name || r.Value != "" && r.Value != h.Value {
				continue
			}
			there, err := tx.ReleaseHold(ctx, id, h.PlanInput)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			n++
			message := fmt.Sprintf("%s released the hold on %s %s %s of %s", actor.Name, h.Kind, h.Name, h.Value, e.Name)
			if err := p.act(ctx, tx, e, actor, deed{
				blueberry.EnvironmentHoldReleased, blueberry.GrantEnvironmentsUpdate, message, holdFields(h.PlanInput), nil,
			}); err != nil {
				return err
			}
		}
		if n == 0 {
			return blueberry.Errorf(blueberry.NotFound, "HOLD_NOT_FOUND", "%s holds nothing of that kind, name and value", e.Name)
		}
		return tx.Enqueue(ctx, blueberry.JobEnvironmentFollow, id)
	})
	return n, err
}
