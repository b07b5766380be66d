package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// moves reports whether an object is a workload that runs on and can be moved by hand.
func (o *object) moves() bool {
	switch o.kind.kind {
	case "Deployment", "StatefulSet", "DaemonSet", "Rollout":
		return o.work != nil && !o.deleting
	}
	return false
}

// movable gives the workloads of an environment, or of a component of it, ordered by name.
func (p *Place) movable(ref target.Ref, component string) []*object {
	var out []*object
	if env := p.envs[keyOf(ref)]; env != nil {
		for _, o := range env.members {
			if o.moves() && (component == "" || o.component == component) {
				out = append(out, o)
			}
		}
	}
	slices.SortFunc(out, func(a, b *object) int { return strings.Compare(a.ref().String(), b.ref().String()) })
	return out
}

// alter changes a live object beside its manifest, as a person does who is not another hand. The caller holds p.mu.
func (p *Place) alter(o *object, fields map[string]any) {
	m := manifestOf(patch(o.live.object(), fields))
	o.live = o.live.words.keep(m.object)
	o.altered = o.drifted()
	p.fill(o, m)
	o.env.clean = 0
	p.mark(o.env)
}

// Restart implements target.Operator.
func (d Driver) Restart(ctx context.Context, ref target.Ref, component string, now time.Time) ([]blueberry.ObjectRef, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []blueberry.ObjectRef
	for _, o := range p.movable(ref, component) {
		p.alter(o, map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{
			"kubectl.kubernetes.io/restartedAt": now.UTC().Format(time.RFC3339),
		}}}}})
		out = append(out, o.ref())
	}
	if out == nil {
		return nil, blueberry.Errorf(blueberry.NotFound, "WORKLOAD_NOT_FOUND", "there is no workload that can be restarted")
	}
	return out, nil
}

// Scale implements target.Operator.
func (d Driver) Scale(ctx context.Context, ref target.Ref, workload blueberry.ObjectRef, replicas int) error {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.find(workload)
	switch {
	case replicas < 0:
		return blueberry.Errorf(blueberry.Invalid, "REPLICAS_INVALID", "%d is no number of pods", replicas)
	case o == nil || o.env == nil || o.env.key != keyOf(ref):
		return blueberry.Errorf(blueberry.NotFound, "WORKLOAD_NOT_FOUND", "%s is not there, or not of the environment", workload)
	case !o.moves() || o.kind.kind == "DaemonSet":
		return blueberry.Errorf(blueberry.Invalid, "WORKLOAD_NOT_SCALABLE", "%s has no number of pods that can be set", workload)
	}
	p.alter(o, map[string]any{"spec": map[string]any{"replicas": int64(replicas)}})
	return nil
}

// Replicas implements target.Operator. A DaemonSet is not among them: its nodes say how many pods it has.
func (d Driver) Replicas(ctx context.Context, ref target.Ref) (map[blueberry.ObjectRef]int, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[blueberry.ObjectRef]int{}
	for _, o := range p.movable(ref, "") {
		if o.kind.kind != "DaemonSet" {
			out[o.ref()] = int(o.work.wanted)
		}
	}
	return out, nil
}
