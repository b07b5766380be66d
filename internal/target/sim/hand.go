package sim

import (
	"encoding/json"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Create makes an object as another hand would: whatever its labels, Blueberry has not applied it.
func (p *Place) Create(content []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	parse(p.seed, content, func(_ int, m manifest, err error) {
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
	p.fill(o, m)
	o.ours = false
	p.add(o)
	return nil
}

// Patch alters an object as another hand would, by a JSON merge patch. Of labels and finalizers it keeps what it says; all else is only known to differ.
func (p *Place) Patch(ref blueberry.ObjectRef, patch []byte) error {
	var change struct {
		Metadata struct {
			Labels     map[string]*string
			Finalizers json.RawMessage
		}
		Spec, Data json.RawMessage
	}
	if err := json.Unmarshal(patch, &change); err != nil {
		return fmt.Errorf("read patch: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.find(ref)
	if o == nil {
		return fmt.Errorf("patch %s: it is not there", ref)
	}
	p.relabel(o, change.Metadata.Labels)
	if f := change.Metadata.Finalizers; f != nil {
		o.finalizers = string(f) != "null" && string(f) != "[]"
	}
	o.altered = o.altered || change.Spec != nil || change.Data != nil || change.Metadata.Labels != nil
	if o.env != nil {
		o.env.clean = 0
	}
	p.mark(o.env)
	p.sweep(o)
	return nil
}

// relabel changes whose labels an object carries.
func (p *Place) relabel(o *object, labels map[string]*string) {
	var key envKey
	if o.env != nil {
		key = o.env.key
	}
	for name, field := range map[string]*string{blueberry.LabelProject: &key.project, blueberry.LabelEnvironment: &key.environment} {
		if v, ok := labels[name]; ok {
			*field = ""
			if v != nil {
				*field = *v
			}
		}
	}
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

// Labels gives Blueberry's labels of an object; false when there is no such object.
func (p *Place) Labels(ref blueberry.ObjectRef) (map[string]string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.find(ref)
	if o == nil {
		return nil, false
	}
	if o.env == nil {
		return nil, true
	}
	return map[string]string{blueberry.LabelProject: o.env.key.project, blueberry.LabelEnvironment: o.env.key.environment, blueberry.LabelComponent: o.component}, true
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
