package sim

import (
	"fmt"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Create makes an object as another hand would: whatever its labels, Blueberry has not applied it.
func (p *Place) Create(content []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	parse(content, func(_ int, m manifest, err error) {
		if err == nil {
			err = p.createForeign(m)
		}
		if err != nil {
			failed = err
		}
	})
	return failed
}

func (p *Place) createForeign(m manifest) error {
	k := p.kinds[groupKind{m.ref.Group(), m.ref.Kind}]
	switch {
	case k == nil:
		return fmt.Errorf("create %s: the place does not know the kind", m.ref)
	case p.namespaces[m.ref.Namespace] == nil:
		return fmt.Errorf("create %s: there is no such namespace", m.ref)
	case p.find(m.ref) != nil:
		return fmt.Errorf("create %s: it is there already", m.ref)
	}
	o := &object{kind: k, apiVersion: m.ref.APIVersion, namespace: m.ref.Namespace, name: m.ref.Name}
	if key := envOf(m.labels); key != (envKey{}) {
		o.env = p.environment(key)
	}
	o.live, o.touched = o.words().keep(m.object), time.Now().UTC()
	p.fill(o, m)
	p.add(o)
	return nil
}

// Patch alters an object as another hand would, by a JSON merge patch.
func (p *Place) Patch(ref blueberry.ObjectRef, change []byte) error {
	var fields map[string]any
	if err := decode(change, &fields); err != nil {
		return fmt.Errorf("read patch: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.find(ref)
	if o == nil {
		return fmt.Errorf("patch %s: it is not there", ref)
	}
	m := manifestOf(patch(o.live.object(), fields))
	p.relabel(o, envOf(m.labels))
	o.live, o.touched, o.finalizers = o.live.words.keep(m.object), time.Now().UTC(), m.held
	o.altered = o.drifted()
	p.fill(o, m)
	if o.env != nil {
		o.env.clean = 0
	}
	p.mark(o.env)
	p.sweep(o)
	return nil
}

// drifted reports whether an apply of what was applied would change an object.
func (o *object) drifted() bool {
	applied := o.applied.object()
	if applied == nil {
		return false
	}
	_, after := o.after(manifest{object: applied, left: o.left})
	return o.live.words.keep(after) != o.live
}

// words are those of the environment whose labels the object carries.
func (o *object) words() *words {
	if o.env == nil {
		return &words{}
	}
	return o.env.words
}

// relabel changes whose labels an object carries.
func (p *Place) relabel(o *object, key envKey) {
	if key == (envKey{}) {
		p.give(o, nil)
		return
	}
	if o.env == nil || o.env.key != key {
		p.give(o, p.environment(key))
	}
}

// Delete asks for an object to be deleted as another hand would.
func (p *Place) Delete(ref blueberry.ObjectRef) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.find(ref)
	if o == nil {
		return fmt.Errorf("delete %s: it is not there", ref)
	}
	p.remove(o)
	return nil
}

// Object gives what an object says; false when there is no such object.
func (p *Place) Object(ref blueberry.ObjectRef) (map[string]any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.find(ref)
	if o == nil {
		return nil, false
	}
	return o.live.object(), true
}

// Labels gives the labels of an object; false when there is no such object.
func (p *Place) Labels(ref blueberry.ObjectRef) (map[string]string, bool) {
	object, ok := p.Object(ref)
	return manifestOf(object).labels, ok
}

// FailPods makes the pods of a component fail for a reason ("CrashLoopBackOff") until HealPods.
func (p *Place) FailPods(ref target.Ref, component, reason string) {
	p.each(ref, component, func(o *object) { p.breakPods(o, reason) })
}

// HealPods starts the pods of a component again.
func (p *Place) HealPods(ref target.Ref, component string) {
	p.each(ref, component, p.heal)
}

func (p *Place) each(ref target.Ref, component string, do func(*object)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	env := p.envs[keyOf(ref)]
	if env == nil {
		return
	}
	for _, o := range env.members {
		if o.work != nil && o.component == component {
			do(o)
		}
	}
}
