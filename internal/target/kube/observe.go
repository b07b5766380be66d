package kube

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Observe implements target.Driver. It answers from what is watched; the first time that a kind is named it waits for the list of that kind.
func (d *Driver) Observe(ctx context.Context, ref target.Ref, want []blueberry.LedgerEntry) (blueberry.Observation, error) {
	of, err := d.view(ctx, want)
	if err != nil {
		return blueberry.Observation{}, err
	}
	return d.cache.observe(ref, want, of), nil
}

// view waits until all is in view that an environment is made of, and gives the kind of each wanted object; nil when the place does not know it.
func (d *Driver) view(ctx context.Context, want []blueberry.LedgerEntry) ([]*kind, error) {
	d.begin()
	needed := map[*kind]bool{}
	of := make([]*kind, len(want))
	for i, w := range want {
		k, err := d.watched(ctx, w.ObjectRef)
		if err != nil {
			return nil, err
		}
		if of[i] = k; k != nil {
			needed[k] = true
		}
	}
	d.cache.mu.Lock()
	for _, gvk := range workloadKinds() {
		needed[d.cache.kinds[gvk]] = true
	}
	d.cache.mu.Unlock()
	list := make([]*kind, 0, len(needed))
	for k := range needed {
		list = append(list, k)
	}
	return of, d.await(ctx, list)
}

// watched gives the kind of an object, and begins to watch it when it is the first; nil when the place does not know the kind.
func (d *Driver) watched(ctx context.Context, ref blueberry.ObjectRef) (*kind, error) {
	gvk := gvkOf(ref)
	d.cache.mu.Lock()
	k := d.cache.kinds[gvk]
	d.cache.mu.Unlock()
	if k != nil {
		return k, nil
	}
	r, ok, err := d.resource(ctx, gvk)
	if err != nil || !ok || !r.can("watch") || !r.can("list") {
		return nil, err
	}
	return d.follow(r, false), nil
}

// observe puts the records of an environment together.
func (c *cache) observe(ref target.Ref, want []blueberry.LedgerEntry, of []*kind) blueberry.Observation {
	c.mu.Lock()
	defer c.mu.Unlock()
	env := c.envs[keyOf(ref)]
	if env == nil {
		env = &environment{}
	}
	out := blueberry.Observation{At: time.Now().UTC()}
	for i, w := range want {
		x := blueberry.ObjectState{ObjectRef: w.ObjectRef, Component: w.Component, Health: blueberry.HealthMissing}
		switch k := of[i]; {
		case k == nil:
			x.Message = "the target does not know this kind"
		default:
			r := k.records[name{w.Namespace, w.Name}]
			if r == nil || r.env != keyOf(ref) {
				break
			}
			x.Health, x.Message, x.Warning = r.health, r.message, r.warning
			last, ok := env.applied[w.ObjectRef]
			_, touched := env.touched[w.ObjectRef]
			x.Drifted = ok && (last.drifted(r) || touched)
		}
		out.Objects = append(out.Objects, x)
	}
	out.Workloads = workloads(env.records)
	return out
}

// workloads sums up the pods and services of each component, ordered by name.
func workloads(records map[*record]bool) []blueberry.WorkloadState {
	by := map[string]*blueberry.WorkloadState{}
	at := func(r *record) *blueberry.WorkloadState {
		if by[r.component] == nil {
			by[r.component] = &blueberry.WorkloadState{Component: r.component}
		}
		return by[r.component]
	}
	served := map[name]bool{} // services with an endpoint
	for r := range records {
		if r.part.slice != "" && r.part.ready {
			served[name{r.name.namespace, r.part.slice}] = true
		}
	}
	for r := range records {
		p := r.part
		if p == (part{}) || p.slice != "" {
			continue
		}
		w := at(r)
		w.Wanted += int(p.wanted)
		if p.pod {
			w.Scheduled += count(p.scheduled)
			w.Started += count(p.started)
			w.Ready += count(p.ready)
		}
		if p.service {
			w.Services++
			w.Reachable += count(served[r.name])
		}
		if worse(p.failure, w.Failure) || (p.failure.Hard == w.Failure.Hard && p.failure.Reason != "" && p.failure.Message < w.Failure.Message) {
			w.Failure = p.failure // of equals the first by text, so that the answer does not flicker
		}
	}
	var out []blueberry.WorkloadState
	for _, w := range by {
		if w.Wanted == 0 { // nothing should run, so nothing should answer
			w.Services, w.Reachable = 0, 0
		}
		if *w != (blueberry.WorkloadState{Component: w.Component}) {
			out = append(out, *w)
		}
	}
	slices.SortFunc(out, func(a, b blueberry.WorkloadState) int { return strings.Compare(a.Component, b.Component) })
	return out
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
