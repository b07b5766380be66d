package sim

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Driver holds environments on a simulated place. It has no memory of its own. Of the abilities it lacks those that would be pretence: nothing runs here, so
// there is no shell, and no use of anything.
type Driver struct {
	Place *Place
}

var (
	_ target.Driver   = Driver{}
	_ target.Comparer = Driver{}
	_ target.Sizer    = Driver{}

	_ target.LogReader   = Driver{}
	_ target.EventReader = Driver{}
	_ target.LiveReader  = Driver{}
	_ target.Operator    = Driver{}
	_ target.Scanner     = Driver{}
	_ target.Holdup      = Driver{}
	_ target.Checker     = Driver{}
)

// call is what every call begins with: the delay, and whether the place can be reached.
func (p *Place) call(ctx context.Context) error {
	p.mu.Lock()
	delay := p.faults.Delay
	p.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("call the simulated place: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reach()
}

func (p *Place) reach() error {
	if p.faults.Unreachable {
		return blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE", "the simulated place is made unreachable")
	}
	return nil
}

// Check implements target.Driver.
func (d Driver) Check(ctx context.Context) error { return d.Place.call(ctx) }

// Watch implements target.Driver.
func (d Driver) Watch(ctx context.Context, changed func(target.Ref)) error {
	p := d.Place
	w := &target.Pacer{}
	p.mu.Lock()
	p.watchers[w] = true
	if !p.faults.Unreachable {
		w.Mark(target.Ref{})
	}
	p.mu.Unlock()
	w.Run(ctx, changed)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watchers, w)
	return nil
}

// Observe implements target.Driver.
func (d Driver) Observe(ctx context.Context, ref target.Ref, want []blueberry.LedgerEntry) (blueberry.Observation, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return blueberry.Observation{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	env := p.envs[keyOf(ref)]
	out := blueberry.Observation{At: time.Now().UTC()}
	for _, w := range want {
		x := blueberry.ObjectState{ObjectRef: w.ObjectRef, Component: w.Component, Health: blueberry.HealthMissing}
		if o := p.find(w.ObjectRef); o != nil && o.env != nil && o.env == env {
			x.Health, x.Message = o.health()
			x.Drifted = o.altered
		}
		out.Objects = append(out.Objects, x)
	}
	if env != nil {
		out.Workloads = env.workloads()
	}
	return out, nil
}

func (o *object) health() (blueberry.Health, string) {
	switch {
	case o.deleting:
		return blueberry.HealthInProgress, "is being deleted"
	case o.work != nil:
		return o.work.health()
	}
	return blueberry.HealthCurrent, ""
}

// workloads sums up the pods of each component, ordered by name.
func (e *environment) workloads() []blueberry.WorkloadState {
	var out []blueberry.WorkloadState
	at := func(component string) *blueberry.WorkloadState {
		i := slices.IndexFunc(out, func(w blueberry.WorkloadState) bool { return w.Component == component })
		if i < 0 {
			out = append(out, blueberry.WorkloadState{Component: component})
			i = len(out) - 1
		}
		return &out[i]
	}
	for _, o := range e.members {
		if o.work != nil && !o.deleting {
			o.work.add(at(o.component), o.name)
		}
	}
	for _, o := range e.members {
		if !o.endpoints || o.deleting {
			continue
		}
		if w := at(o.component); w.Wanted > 0 { // else nothing should answer
			w.Services++
			if w.Ready > 0 {
				w.Reachable++
			}
		}
	}
	out = slices.DeleteFunc(out, func(w blueberry.WorkloadState) bool { return w == blueberry.WorkloadState{Component: w.Component} })
	slices.SortFunc(out, func(a, b blueberry.WorkloadState) int { return strings.Compare(a.Component, b.Component) })
	return out
}

// Remove implements target.Driver.
func (d Driver) Remove(ctx context.Context, ref target.Ref, ledger []blueberry.LedgerEntry) ([]blueberry.ObjectRef, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stage := range []bool{false, true} { // the namespace when nothing else is left
		env := p.envs[keyOf(ref)]
		if env == nil {
			break
		}
		isNamespace := func(o *object) bool { return o.kind.is("", "Namespace") }
		if stage && !slices.ContainsFunc(env.members, func(o *object) bool { return !isNamespace(o) }) || !stage {
			for _, o := range slices.Clone(env.members) {
				if isNamespace(o) == stage && !o.deleting {
					p.remove(o)
				}
			}
		}
	}
	left := p.labelled(keyOf(ref))
	if len(left) > 0 {
		return left, nil
	}
	// What lies in the namespace goes with it; of all else, labels that another hand took off or changed must not make a false proof.
	for _, l := range ledger {
		o := p.find(l.ObjectRef)
		switch {
		case o == nil || !o.ours || l.Namespace == ref.Namespace:
		case o.env != nil:
			return nil, blueberry.Errorf(blueberry.Conflict, "OBJECT_TAKEN", "%s was made for this environment, but its labels now say environment %s of project %s", l.ObjectRef, o.env.key.environment, o.env.key.project)
		default:
			if !o.deleting {
				p.remove(o)
			}
			if p.find(l.ObjectRef) != nil {
				left = append(left, l.ObjectRef)
			}
		}
	}
	return left, nil
}

// Sync implements target.Driver.
func (d Driver) Sync(ctx context.Context, want target.Desired) (target.Progress, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return target.Progress{}, err
	}
	sum := sumOf(p.seed, want)
	p.mu.Lock()
	env := p.envs[keyOf(want.Ref)]
	clean := env != nil && env.clean == sum && len(want.Prune) == 0
	p.mu.Unlock()
	if clean {
		return target.Progress{Done: true}, nil
	}
	waves, err := read(want)
	if err != nil {
		return target.Progress{}, err
	}
	for _, w := range waves {
		slices.SortStableFunc(w.manifests, func(a, b manifest) int { return rank(a) - rank(b) })
	}
	progress, err := p.sync(want, waves)
	if err == nil && progress.Done {
		p.mu.Lock()
		if env := p.envs[keyOf(want.Ref)]; env != nil {
			env.clean = sum
			for _, o := range env.members {
				if o.altered || o.deleting { // by another hand while we were busy
					env.clean = 0
				}
			}
		}
		p.mu.Unlock()
	}
	return progress, err
}

func sumOf(seed maphash.Seed, want target.Desired) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	fmt.Fprintf(&h, "%q\n", want.Ignore)
	for _, f := range want.Files {
		fmt.Fprintf(&h, "%d %s %d\n", f.Wave, f.Name, len(f.Content))
		h.Write(f.Content)
	}
	return max(1, h.Sum64())
}

type wave struct {
	number    int
	manifests []manifest
}

// read parses all files, in their order; every fault is told at once.
func read(want target.Desired) ([]wave, error) {
	var waves []wave
	var faults blueberry.Faults
	for _, f := range want.Files {
		if len(waves) == 0 || waves[len(waves)-1].number != f.Wave {
			waves = append(waves, wave{number: f.Wave})
		}
		last := &waves[len(waves)-1]
		parse(f.Content, func(i int, m manifest, err error) {
			if err == nil && envOf(m.labels) != keyOf(want.Ref) {
				err = fmt.Errorf("%s %s does not carry the labels of the environment", m.ref.Kind, m.ref.Name)
			}
			if err != nil {
				faults.Add(fmt.Sprintf("%s[%d]", f.Name, i), "manifest", "%v", err)
				return
			}
			m.component, m.left = f.Component, target.Ignored(want.Ignore, m.ref)
			last.manifests = append(last.manifests, m)
		})
	}
	return waves, faults.Err()
}

// rank puts first what holds the rest.
func rank(m manifest) int {
	if m.ref.Kind == "Namespace" || m.ref.Kind == "CustomResourceDefinition" {
		return 0
	}
	return 1
}

func envOf(labels map[string]string) envKey {
	return envKey{labels[blueberry.LabelProject], labels[blueberry.LabelEnvironment]}
}
