package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// errPassing is a fault that was asked for (Faults.ApplyErrors).
var errPassing = errors.New("the simulated place fails now and then")

// sync applies the waves, and prunes.
func (p *Place) sync(want target.Desired, waves []wave) (target.Progress, error) {
	var out target.Progress
	for i, w := range waves {
		if err := p.applyWave(want.Ref, w, i == len(waves)-1, &out); err != nil || out.Waiting != "" {
			return out, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.reach(); err != nil {
		return out, err
	}
	for _, ref := range want.Prune {
		o := p.find(ref)
		if o != nil && o.env == p.envs[keyOf(want.Ref)] && !o.deleting {
			p.remove(o)
		}
		if o = p.find(ref); o != nil && o.env == p.envs[keyOf(want.Ref)] {
			out.Waiting = fmt.Sprintf("%s is being deleted", ref)
			continue
		}
		out.Pruned = append(out.Pruned, ref)
	}
	out.Done = out.Waiting == ""
	return out, nil
}

// applyWave applies the objects of one wave. It goes on past one that is refused, so that all faults are told at once.
func (p *Place) applyWave(ref target.Ref, w wave, last bool, out *target.Progress) error {
	var taken, invalid blueberry.Faults
	waiting := "" // for what could not be applied: told before what is not healthy
	unhealthy := ""
	for _, m := range w.manifests {
		r, err := p.applyOne(ref, m)
		if err != nil {
			return err
		}
		taken, invalid = append(taken, r.taken...), append(invalid, r.invalid...)
		if r.change != nil {
			out.Changed = append(out.Changed, *r.change)
		}
		if waiting == "" && r.waiting != "" {
			waiting = fmt.Sprintf("%s: %s", m.ref, r.waiting)
		}
		if unhealthy == "" && !last && r.health != blueberry.HealthCurrent {
			unhealthy = fmt.Sprintf("wave %d waits for %s: %s", w.number, m.ref, r.message)
		}
		if m.ref.Kind == "Namespace" && (r.waiting != "" || r.taken != nil) {
			break // nothing can be put into it
		}
	}
	switch {
	case len(taken) > 0:
		return &blueberry.Error{
			Kind: blueberry.Conflict, Code: blueberry.CodeObjectTaken, Detail: "objects of the environment are there already and belong to someone else",
			Fields: append(taken, invalid...),
		}
	case len(invalid) > 0:
		return &blueberry.Error{Kind: blueberry.Invalid, Code: refusalCode(invalid), Detail: "the target refuses objects of the environment", Fields: invalid}
	}
	switch {
	case waiting != "":
		out.Waiting, out.Code = waiting, waitingCode(waiting)
	case unhealthy != "":
		out.Waiting, out.Code = unhealthy, blueberry.CodeWaveWaiting
	}
	return nil
}

// refusalCode is what a condition keeps of a refusal: what is denied here is over a quota, and anything else is a manifest that is not valid.
func refusalCode(faults []blueberry.Fault) string {
	if slices.ContainsFunc(faults, func(f blueberry.Fault) bool { return f.Code != denied }) {
		return blueberry.CodeTargetRefused
	}
	return blueberry.CodeTargetQuota
}

// denied is the code of the fault of an object that is over a quota.
const denied = "object_denied"

func waitingCode(waiting string) string {
	switch {
	case strings.HasSuffix(waiting, unknownKind):
		return blueberry.CodeKindUnknown
	case strings.HasSuffix(waiting, namespaceGoing):
		return blueberry.CodeNamespaceGoing
	}
	return ""
}

// result is what became of one manifest.
type result struct {
	change         *target.Change
	waiting        string
	health         blueberry.Health
	message        string
	taken, invalid []blueberry.Fault
}

// applyOne makes the place hold one object. Between two of them the place may be cut off, as a real one.
func (p *Place) applyOne(ref target.Ref, m manifest) (result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.reach(); err != nil {
		return result{}, err
	}
	if p.faults.ApplyErrors > 0 && p.random.Float64() < p.faults.ApplyErrors {
		return result{}, fmt.Errorf("apply %s: %w", m.ref, errPassing)
	}
	k := p.locate(ref, &m)
	if k == nil {
		return result{waiting: unknownKind}, nil
	}
	if len(m.faults) > 0 {
		return result{invalid: m.faults}, nil
	}
	ns := p.namespaces[m.ref.Namespace]
	if ns == nil {
		return result{waiting: "the place does not have its namespace yet"}, nil
	}
	env := p.environment(keyOf(ref))
	env.settle(ref.Namespace)
	o := p.find(m.ref)
	if o == nil {
		return p.create(env, ns, k, m), nil
	}
	if whose := o.foreign(env); whose != "" {
		return result{taken: []blueberry.Fault{{Field: m.ref.String(), Code: "taken", Message: "is there already and belongs to " + whose}}}, nil
	}
	if o.deleting {
		return result{waiting: "is being deleted"}, nil
	}
	return p.update(env, o, m), nil
}

// Why an object waits.
const (
	unknownKind    = "the target does not know this kind; is its CustomResourceDefinition installed?"
	namespaceGoing = "its namespace is being deleted"
)

// locate gives the kind of a manifest, and fills in its namespace; nil when the place does not know the kind.
func (p *Place) locate(ref target.Ref, m *manifest) *kind {
	k := p.kinds[groupKind{m.ref.Group(), m.ref.Kind}]
	switch {
	case k == nil:
		return nil
	case !k.namespaced:
		m.ref.Namespace = ""
	case m.ref.Namespace == "":
		m.ref.Namespace = ref.Namespace
	}
	meta, _ := m.object["metadata"].(map[string]any) // it is one: the name stands in it
	delete(meta, "namespace")
	if m.ref.Namespace != "" {
		meta["namespace"] = m.ref.Namespace
	}
	return k
}

// foreign says to whom an object belongs if not to the environment. The default service account of a namespace is nobody's.
func (o *object) foreign(env *environment) string {
	switch {
	case o.env == env && env != nil, o.env == nil && o.ours, o.env == nil && o.kind.is("", "ServiceAccount") && o.name == "default":
		return ""
	case o.env != nil:
		return fmt.Sprintf("environment %s of project %s", o.env.key.environment, o.env.key.project)
	}
	return "nobody that Blueberry knows"
}

func (p *Place) create(env *environment, ns *namespace, k *kind, m manifest) result {
	o := &object{kind: k, apiVersion: m.ref.APIVersion, namespace: m.ref.Namespace, name: m.ref.Name, env: env, ours: true, component: m.labels[blueberry.LabelComponent]}
	if ns.self != nil && ns.self.deleting {
		return result{waiting: namespaceGoing}
	}
	if why := p.denied(o); why != "" {
		return result{invalid: []blueberry.Fault{{Field: m.ref.String(), Code: denied, Message: why}}}
	}
	said := env.words.keep(m.object)
	o.apply(said, said, m.left)
	p.fill(o, m)
	p.add(o)
	r := result{change: &target.Change{ObjectRef: m.ref, Created: true}}
	r.health, r.message = o.health()
	return r
}

// update applies over what is there. What says the same afterwards was not changed.
func (p *Place) update(env *environment, o *object, m manifest) result {
	var r result
	if o.altered || o.env != env || !slices.Equal(o.left, m.left) || o.applied != env.words.keep(m.object) {
		applied, after := o.after(m)
		before := env.words.keep(o.live.object())
		o.apply(env.words.keep(applied), env.words.keep(after), m.left)
		if before != o.live || o.env != env {
			p.fill(o, manifestOf(after))
			p.give(o, env)
			r.change = &target.Change{ObjectRef: m.ref}
		}
	}
	r.health, r.message = o.health()
	return r
}

// after is what an apply of a manifest says, and what it makes of the live object.
func (o *object) after(m manifest) (applied, after map[string]any) {
	live := o.live.object()
	leave(m.object, live, m.left)
	return m.object, merge(live, o.applied.object(), m.object)
}

// apply notes what an apply said and made.
func (o *object) apply(applied, live content, left []string) {
	o.applied, o.live, o.left, o.ours, o.altered, o.touched = applied, live, left, true, false, time.Time{}
}

// fill has the place do what an object says.
func (p *Place) fill(o *object, m manifest) {
	o.component = m.labels[blueberry.LabelComponent]
	o.finalizers = o.finalizers || m.held
	if o.kind.is("", "Service") {
		selector, _ := m.spec["selector"].(map[string]any)
		o.endpoints = len(selector) > 0 && m.spec["type"] != "ExternalName"
	}
	if o.kind.is("", "ResourceQuota") {
		hard, _ := m.spec["hard"].(map[string]any)
		o.quota = map[string]int{}
		for k, v := range hard {
			if n, err := strconv.Atoi(fmt.Sprint(v)); err == nil {
				o.quota[k] = n
			}
		}
	}
	if o.kind.is("apiextensions.k8s.io", "CustomResourceDefinition") {
		names, _ := m.spec["names"].(map[string]any)
		gk := groupKind{fmt.Sprint(m.spec["group"]), fmt.Sprint(names["kind"])}
		p.kinds[gk] = &kind{gk, m.spec["scope"] != "Cluster"}
	}
	if w := m.work(p.seed); w != nil && (o.work == nil || o.work.template != w.template || o.work.wanted != w.wanted) {
		p.begin(o, w)
	}
}
