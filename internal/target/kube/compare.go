package kube

import (
	"context"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// subject is one manifest that is compared.
type subject struct {
	manifest
	resource
	known bool // the place serves its kind
}

// Compare implements target.Comparer. Each object takes a read and a dry run of its apply; one that is known to stand as it was applied, by this very
// document, takes no call.
func (d *Driver) Compare(ctx context.Context, want target.Desired) ([]blueberry.ObjectDiff, error) {
	waves, err := parse(d.cache.seed, want)
	if err != nil {
		return nil, err
	}
	var subjects []subject
	for _, w := range waves {
		for _, m := range w.manifests {
			s := subject{manifest: m}
			if s.resource, s.known, err = d.locate(ctx, want.Ref, &s.manifest); err != nil {
				return nil, err
			}
			subjects = append(subjects, s)
		}
	}
	unmade, err := d.unmade(ctx, want.Ref, subjects)
	if err != nil {
		return nil, err
	}
	out := make([]blueberry.ObjectDiff, len(subjects)+len(want.Prune))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, s := range subjects {
		g.Go(func() (err error) {
			out[i], err = d.compare(gctx, want.Ref, s, unmade[s.ref.Namespace])
			return err
		})
	}
	for i, o := range want.Prune {
		g.Go(func() (err error) {
			out[len(subjects)+i], err = d.comparePruned(gctx, want.Ref, o)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// unmade tells which namespaces of the subjects are not there, or will not be.
func (d *Driver) unmade(ctx context.Context, ref target.Ref, subjects []subject) (map[string]bool, error) {
	names := map[string]bool{ref.Namespace: false}
	for _, s := range subjects {
		if s.known && s.namespaced {
			names[s.ref.Namespace] = false
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for name := range names {
		live, err := d.metadata.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(ctx, name, metav1.GetOptions{})
		switch {
		case gone(err):
			names[name] = true
		case apierrors.IsForbidden(err): // its objects will tell
		case err != nil:
			return nil, fault(ctx, "read namespace "+name, err)
		default:
			names[name] = live.DeletionTimestamp != nil
		}
	}
	return names, nil
}

// compare tells what an apply would make of one object.
func (d *Driver) compare(ctx context.Context, ref target.Ref, s subject, unmade bool) (blueberry.ObjectDiff, error) {
	out := blueberry.ObjectDiff{ObjectRef: s.ref, Component: s.component, Action: blueberry.ObjectCreated}
	if !s.known {
		out.Note = unknownKind
		return out, nil
	}
	if unmade {
		return out, d.compareUnmade(ctx, s, &out)
	}
	if d.stands(ref, s) {
		out.Action, out.Checked = blueberry.ObjectUnchanged, true
		return out, nil
	}
	client := d.dynamic.Resource(s.GroupVersionResource).Namespace(s.ref.Namespace)
	for range attempts {
		again, err := d.compareOnce(ctx, ref, client, s, &out)
		if !again {
			return out, err
		}
	}
	out.Note = restless
	return out, nil
}

// stands reports whether an object is known to be as this very document made it.
func (d *Driver) stands(ref target.Ref, s subject) bool {
	d.cache.mu.Lock()
	k := d.cache.kinds[gvkOf(s.ref)]
	d.cache.mu.Unlock()
	_, ok := d.cache.holds(k, ref, s.manifest)
	return ok
}

// compareOnce reads the object and has its apply tried. It says again when someone else came between.
func (d *Driver) compareOnce(ctx context.Context, ref target.Ref, client dynamic.ResourceInterface, s subject, out *blueberry.ObjectDiff) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out.Action = blueberry.ObjectCreated
	live, err := client.Get(ctx, s.ref.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		live = nil
	case apierrors.IsForbidden(err):
		out.Note = "cannot be read: " + err.Error()
		return false, nil
	case err != nil:
		return false, fault(ctx, "read "+s.ref.String(), err)
	case foreign(ref, s.ref.Kind, live) != "":
		out.Action, out.Checked, out.Refused = blueberry.ObjectUpdated, true, true
		out.Note = "is there already and belongs to " + foreign(ref, s.ref.Kind, live)
		return false, nil
	case live.GetDeletionTimestamp() != nil:
		out.Note = leaving + ", and made anew when it is gone"
		return false, nil
	}
	if live != nil {
		out.Action = blueberry.ObjectUpdated
	}
	answer, err := dryRun(ctx, client, s.over(live), live != nil)
	switch {
	case apierrors.IsConflict(err):
		return true, nil
	case live != nil && d.makesAnew(live, err):
		return false, d.compareAnew(ctx, client, s, live, err, out)
	case err != nil:
		return false, d.compareFailed(ctx, s.ref, err, out)
	}
	out.Checked = true
	if live == nil {
		out.Fields = target.Diff(nil, unallotted(answer, s.object))
		return false, nil
	}
	noop := owned(d.cache.seed, live, s.left) == owned(d.cache.seed, answer, s.left) && content(d.cache.seed, live) == content(d.cache.seed, answer)
	s.left.overlook(answer, live)
	out.Fields = owners(live, target.Diff(live.Object, answer.Object))
	if len(out.Fields) == 0 {
		out.Action = blueberry.ObjectUnchanged
	}
	if noop { // after a restart this is how we learn what stands, without a write
		d.cache.noteApplied(d.follow(s.resource, false), ref, s.manifest, live)
	}
	return false, nil
}

// dryRun has the API try an apply, up to the point where it would be kept.
func dryRun(ctx context.Context, client dynamic.ResourceInterface, body *unstructured.Unstructured, force bool) (*unstructured.Unstructured, error) {
	return patch(ctx, client, body, metav1.PatchOptions{Force: &force, DryRun: []string{metav1.DryRunAll}})
}

// owners adds to each field who owns what is live there.
func owners(live *unstructured.Unstructured, fields []blueberry.FieldDiff) []blueberry.FieldDiff {
	for i := range fields {
		f := &fields[i]
		if keys, ok := blueberry.SplitPath(f.Path); ok && f.HasBefore {
			f.Manager, f.Since = owner(live, keys)
		}
	}
	return fields
}

// compareFailed tells what a refused dry run means. Only a place that does not answer is an error.
func (d *Driver) compareFailed(ctx context.Context, ref blueberry.ObjectRef, err error, out *blueberry.ObjectDiff) error {
	switch waits := notYet(err); {
	case waits != "":
		if apierrors.IsNotFound(err) {
			d.kinds.forget()
		}
		out.Note = waits
		return nil
	case noDryRun(err):
		out.Note = "cannot be tried: " + err.Error()
		return nil
	}
	if faults := refusal(ref, err); faults != nil {
		out.Checked, out.Refused, out.Note = true, true, note(ref, faults)
		return nil
	}
	return fault(ctx, "try to apply "+ref.String(), err)
}

// comparePruned tells what becomes of an object that no file holds any more.
func (d *Driver) comparePruned(ctx context.Context, ref target.Ref, o blueberry.ObjectRef) (blueberry.ObjectDiff, error) {
	out := blueberry.ObjectDiff{ObjectRef: o, Action: blueberry.ObjectUnchanged, Checked: true}
	r, known, err := d.resource(ctx, gvkOf(o))
	if err != nil || !known {
		out.Note = "is not there: the target does not know this kind"
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := d.dynamic.Resource(r.GroupVersionResource).Namespace(o.Namespace)
	live, err := client.Get(ctx, o.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		out.Note = "is not there"
		return out, nil
	case apierrors.IsForbidden(err):
		out.Action, out.Checked, out.Note = blueberry.ObjectDeleted, false, "cannot be read: "+err.Error()
		return out, nil
	case err != nil:
		return out, fault(ctx, "read "+o.String(), err)
	case envOf(live.GetLabels()) != keyOf(ref):
		out.Note = "does not carry the labels of the environment, so it is not ours to delete"
		return out, nil
	}
	out.Action, out.Component, out.Fields = blueberry.ObjectDeleted, live.GetLabels()[blueberry.LabelComponent], target.Diff(live.Object, nil)
	if live.GetDeletionTimestamp() != nil {
		out.Note = leaving
		return out, nil
	}
	options := deletion(live.GetUID())
	options.DryRun = []string{metav1.DryRunAll}
	err = client.Delete(ctx, o.Name, options)
	switch {
	case err == nil:
	case gone(err), replaced(err):
		out.Note = restless
	default:
		return out, d.compareFailed(ctx, o, err, &out)
	}
	return out, nil
}

// note puts faults of one object into a sentence, by their paths in it.
func note(ref blueberry.ObjectRef, faults []blueberry.Fault) string {
	text := ""
	for i, f := range faults {
		if i > 0 {
			text += "; "
		}
		f.Field = fieldIn(ref, f.Field)
		text += f.String()
	}
	return text
}
