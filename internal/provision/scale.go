package provision

import (
	"context"
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// MaxReplicas is the largest number of pods that a component can be scaled to by hand.
const MaxReplicas = 100

// Scale gives a component another number of pods: as a revision, by an override of its replicas, so that it is in Git and stays. Of a component with an
// autoscaler it is the least number. A component that takes no replicas, or whose blueprint keeps them for itself, is a fault. One that sleeps wakes.
func (p *Provisioner) Scale(ctx context.Context, actor blueberry.Actor, id, component string, replicas int) (Changed, error) {
	if err := p.allowed(ctx, actor, id, blueberry.GrantEnvironmentsOperate); err != nil {
		return Changed{}, err
	}
	if replicas < 1 || replicas > MaxReplicas {
		return Changed{}, blueberry.Faults{{
			Field: "replicas", Code: "range", Message: fmt.Sprintf("is %d, must be 1 to %d; an environment that should run nothing sleeps", replicas, MaxReplicas),
		}}.Err()
	}
	request, err := p.scaleRequest(ctx, id, component, replicas)
	if err != nil {
		return Changed{}, err
	}
	if err := p.scalable(ctx, actor, request, component, replicas); err != nil {
		return Changed{}, err
	}
	return p.revise(ctx, actor, application{
		kind: blueberry.PlanChange, subject: id, request: request,
		also: func(tx Tx, e blueberry.Environment) error {
			return p.tell(ctx, tx, e, blueberry.EnvironmentScaled, actor, fmt.Sprintf("%s scaled %s of %s to %d", actor.Name, component, e.Name, replicas))
		},
	}, 0)
}

// scaleRequest asks for the overrides that there are, with the number of pods of one component.
func (p *Provisioner) scaleRequest(ctx context.Context, id, component string, replicas int) (planRequest, error) {
	rev, err := view(ctx, p, func(tx Tx) (blueberry.Revision, error) {
		e, err := tx.Environment(ctx, id)
		if err != nil {
			return blueberry.Revision{}, err
		}
		return tx.RevisionInputs(ctx, id, e.Revision)
	})
	if err != nil {
		return planRequest{}, err
	}
	if err := componentOf(rev, component); err != nil {
		return planRequest{}, err
	}
	overrides := map[string]any{}
	for name, values := range rev.Overrides {
		overrides[name] = values
	}
	own := map[string]any{}
	if values, ok := overrides[component].(map[string]any); ok {
		for key, v := range values {
			own[key] = v
		}
	}
	own["replicas"] = replicas
	overrides[component] = own
	return planRequest{Subject: id, Change: &ChangeRequest{
		Wish: Wish{Overrides: overrides}, Reason: fmt.Sprintf("scaled %s to %d", component, replicas),
	}}, nil
}

// scalable drafts what a scale would make and tells, as a fault of "component" or "replicas", why it would not have that number of pods.
func (p *Provisioner) scalable(ctx context.Context, actor blueberry.Actor, request planRequest, component string, replicas int) error {
	d, err := p.draft(ctx, actor, request)
	if d != nil {
		defer d.release()
	}
	if err != nil {
		return err
	}
	field := blueberry.JoinField("overrides", component) + ".replicas"
	for _, w := range d.out.Warnings {
		if w.Field == field {
			return blueberry.Faults{{Field: "replicas", Code: w.Code, Message: strings.TrimSuffix(w.Message, "; the value is dropped")}}.Err()
		}
	}
	list, err := render.Manifests(d.rev.Rendering.Files)
	if err != nil {
		return err
	}
	for _, m := range list {
		spec, _ := m.Object["spec"].(map[string]any)
		if m.Component == component && (spec["replicas"] == int64(replicas) || spec["minReplicas"] == int64(replicas)) {
			return nil
		}
	}
	return blueberry.Faults{{
		Field: "component", Code: "not_scalable", Message: fmt.Sprintf("%q has no workload that takes its number of pods from replicas; change the values that its chart has for it", component),
	}}.Err()
}
