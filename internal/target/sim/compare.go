package sim

import (
	"context"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// stranger is who owns what Create and Patch wrote.
const stranger = "another-hand"

// Capacity implements target.Sizer.
func (d Driver) Capacity(ctx context.Context) (blueberry.Demand, error) {
	if err := d.Place.call(ctx); err != nil {
		return blueberry.Demand{}, err
	}
	return d.Place.cfg.Capacity, nil
}

// Compare implements target.Comparer.
func (d Driver) Compare(ctx context.Context, want target.Desired) ([]blueberry.ObjectDiff, error) {
	p := d.Place
	if err := p.call(ctx); err != nil {
		return nil, err
	}
	waves, err := read(want)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []blueberry.ObjectDiff
	for _, w := range waves {
		for _, m := range w.manifests {
			out = append(out, p.compare(want.Ref, m))
		}
	}
	for _, ref := range want.Prune {
		out = append(out, p.comparePruned(want.Ref, ref))
	}
	return out, nil
}

// compare tells what an apply would make of one object.
func (p *Place) compare(ref target.Ref, m manifest) blueberry.ObjectDiff {
	k := p.locate(ref, &m)
	out := blueberry.ObjectDiff{ObjectRef: m.ref, Component: m.component, Action: blueberry.ObjectCreated}
	if k == nil {
		out.Note = unknownKind
		return out
	}
	o := p.find(m.ref)
	if o != nil && !o.deleting {
		out.Action = blueberry.ObjectUpdated
	}
	switch why := p.refusal(ref, k, o, m); {
	case why != "":
		out.Checked, out.Refused, out.Note = true, true, why
	case o == nil:
		out.Checked, out.Fields = true, target.Diff(nil, m.object)
	case o.deleting:
		out.Note = "is being deleted, and made anew when it is gone"
	default:
		_, after := o.after(m)
		out.Checked, out.Fields = true, o.owners(target.Diff(o.live.object(), after))
		if len(out.Fields) == 0 {
			out.Action = blueberry.ObjectUnchanged
		}
	}
	return out
}

// refusal says why the place would not take an object; empty when it would.
func (p *Place) refusal(ref target.Ref, k *kind, o *object, m manifest) string {
	var faults []string
	for _, f := range m.faults {
		f.Field = strings.TrimPrefix(f.Field, m.ref.String()+" ")
		faults = append(faults, f.String())
	}
	if len(faults) > 0 {
		return strings.Join(faults, "; ")
	}
	if o != nil {
		if whose := o.foreign(p.envs[keyOf(ref)]); whose != "" {
			return "is there already and belongs to " + whose
		}
		return ""
	}
	if p.namespaces[m.ref.Namespace] == nil {
		return ""
	}
	return p.denied(&object{kind: k, namespace: m.ref.Namespace})
}

// owners adds to each field who owns what is live there: what was not applied was written by another hand.
func (o *object) owners(fields []blueberry.FieldDiff) []blueberry.FieldDiff {
	applied := o.applied.object()
	for i := range fields {
		f := &fields[i]
		keys, ok := blueberry.SplitPath(f.Path)
		if !ok || !f.HasBefore || o.touched.IsZero() {
			continue
		}
		live, _ := target.Field(o.live.object(), keys)
		if was, there := target.Field(applied, keys); !there || !blueberry.SameValue(was, live) {
			f.Manager, f.Since = stranger, o.touched
		}
	}
	return fields
}

// comparePruned tells what becomes of an object that no file holds any more.
func (p *Place) comparePruned(ref target.Ref, old blueberry.ObjectRef) blueberry.ObjectDiff {
	out := blueberry.ObjectDiff{ObjectRef: old, Action: blueberry.ObjectUnchanged, Checked: true}
	o := p.find(old)
	switch {
	case o == nil:
		out.Note = "is not there"
		return out
	case o.env == nil || o.env != p.envs[keyOf(ref)]:
		out.Note = "does not carry the labels of the environment, so it is not ours to delete"
		return out
	case o.deleting:
		out.Note = "is being deleted"
	}
	out.Action, out.Component, out.Fields = blueberry.ObjectDeleted, o.component, target.Diff(o.live.object(), nil)
	return out
}
