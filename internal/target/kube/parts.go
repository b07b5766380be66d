package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// What follows is for drivers that stand on this one, because another applies in their name (Config.Applier).

// Fault turns the error of a call to the API into one of ours, as all methods of the driver do: Unavailable when the API did not answer or cannot work now,
// else wrapped with the doing.
func Fault(ctx context.Context, doing string, err error) error { return fault(ctx, doing, err) }

// Clients gives the driver's client for calls, and the one for watches, whose calls are not paced with the others.
func (d *Driver) Clients() (calls, watches dynamic.Interface) { return d.dynamic, d.cache.client }

// Obstacles looks for what stands in the way of a first apply. The error is of kind Invalid for a file that is no manifest, and of kind Conflict with a fault
// for each object that is there already and not ours; waiting names an object that is being deleted. What is known as ours takes no call.
func (d *Driver) Obstacles(ctx context.Context, want target.Desired) (waiting string, err error) {
	d.begin()
	placed, err := d.placed(ctx, want)
	if err != nil {
		return "", err
	}
	var refused refusals
	going := make([]string, len(placed))
	missing := map[string]bool{} // namespaces
	look := func(ctx context.Context, i int) (found bool, err error) {
		found, going[i], err = d.obstacle(ctx, want.Ref, placed[i])
		return found, refused.take(err)
	}
	for i, p := range placed {
		if p.ref.Kind == "Namespace" && p.ref.APIVersion == "v1" {
			found, err := look(ctx, i)
			if err != nil {
				return "", err
			}
			missing[p.ref.Name] = !found
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, p := range placed {
		if p.ref.Kind == "Namespace" && p.ref.APIVersion == "v1" || p.ref.Namespace != "" && missing[p.ref.Namespace] {
			continue
		}
		g.Go(func() error {
			_, err := look(gctx, i)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	if err := refused.err(); err != nil {
		return "", err
	}
	if i := slices.IndexFunc(going, func(s string) bool { return s != "" }); i >= 0 {
		waiting = going[i]
	}
	return waiting, nil
}

// placedManifest is a manifest whose kind the place knows.
type placedManifest struct {
	manifest
	resource
	kind *kind // nil when it cannot be watched
}

// placed reads the manifests, and leaves out those of a kind that the place does not know.
func (d *Driver) placed(ctx context.Context, want target.Desired) ([]placedManifest, error) {
	waves, err := parse(d.cache.seed, want)
	if err != nil {
		return nil, err
	}
	var out []placedManifest
	var kinds []*kind
	for _, w := range waves {
		for _, m := range w.manifests {
			r, ok, err := d.locate(ctx, want.Ref, &m)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			k, err := d.watched(ctx, m.ref)
			if err != nil {
				return nil, err
			}
			if k != nil && !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
			out = append(out, placedManifest{m, r, k})
		}
	}
	return out, d.await(ctx, kinds)
}

// obstacle looks at the place of one object.
func (d *Driver) obstacle(ctx context.Context, ref target.Ref, p placedManifest) (found bool, going string, err error) {
	if p.kind != nil {
		d.cache.mu.Lock()
		r := p.kind.records[name{p.ref.Namespace, p.ref.Name}]
		d.cache.mu.Unlock()
		if r != nil && r.env == keyOf(ref) {
			if r.deleting {
				going = fmt.Sprintf("%s: %s", p.ref, leaving)
			}
			return true, going, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.metadata.Resource(p.GroupVersionResource).Namespace(p.ref.Namespace).Get(ctx, p.ref.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		return false, "", nil
	case err != nil:
		return false, "", fault(ctx, "read "+p.ref.String(), err)
	}
	if owner := foreign(ref, p.ref.Kind, live); owner != "" {
		return true, "", &blueberry.Error{Kind: blueberry.Conflict, Fields: []blueberry.Fault{
			{Field: p.ref.String(), Code: "taken", Message: "is there already and belongs to " + owner},
		}}
	}
	if live.DeletionTimestamp != nil {
		going = fmt.Sprintf("%s: %s", p.ref, leaving)
	}
	return true, going, nil
}

// Seen reports whether anything of an environment is known to be there.
func (d *Driver) Seen(ref target.Ref) bool {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	env := d.cache.envs[keyOf(ref)]
	return env != nil && len(env.records) > 0
}

// ClusterKinds lists the kinds among the manifests that belong to no namespace, in order. Those that the place does not know are left out.
func (d *Driver) ClusterKinds(ctx context.Context, want target.Desired) ([]schema.GroupKind, error) {
	waves, err := parse(d.cache.seed, want)
	if err != nil {
		return nil, err
	}
	var out []schema.GroupKind
	for _, w := range waves {
		for _, m := range w.manifests {
			r, ok, err := d.locate(ctx, want.Ref, &m)
			if err != nil {
				return nil, err
			}
			if gk := r.kind.GroupKind(); ok && !r.namespaced && !slices.Contains(out, gk) {
				out = append(out, gk)
			}
		}
	}
	return out, nil
}

// Adopt notes that the manifests stand as they were applied by another in our name, so that Observe tells what is altered from then on. With fresh, nothing
// of the environment was there before. Each object whose document is not known as applied takes one read. It tells what was made or altered since the last
// call, also what another hand did in between and is put right again; and the first object that is not there.
func (d *Driver) Adopt(ctx context.Context, want target.Desired, fresh bool) (changed []target.Change, missing blueberry.ObjectRef, err error) {
	placed, err := d.placed(ctx, want)
	if err != nil {
		return nil, missing, err
	}
	known := d.cache.knows(keyOf(want.Ref))
	var mu sync.Mutex
	changes := make([]*target.Change, len(placed))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, p := range placed {
		if _, ok := d.cache.holds(p.kind, want.Ref, p.manifest); ok {
			continue
		}
		g.Go(func() error {
			c, there, err := d.adopt(gctx, want.Ref, p, known, fresh)
			mu.Lock()
			defer mu.Unlock()
			if !there && missing == (blueberry.ObjectRef{}) {
				missing = p.ref
			}
			changes[i] = c
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, missing, err
	}
	for _, c := range changes {
		if c != nil {
			changed = append(changed, *c)
		}
	}
	return changed, missing, nil
}

func (d *Driver) adopt(ctx context.Context, ref target.Ref, p placedManifest, known, fresh bool) (*target.Change, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.dynamic.Resource(p.GroupVersionResource).Namespace(p.ref.Namespace).Get(ctx, p.ref.Name, metav1.GetOptions{})
	if gone(err) || err == nil && (envOf(live.GetLabels()) != keyOf(ref) || live.GetDeletionTimestamp() != nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fault(ctx, "read "+p.ref.String(), err)
	}
	d.cache.mu.Lock()
	env := d.cache.environment(keyOf(ref))
	last, had := env.applied[p.ref]
	remade, touched := env.touched[p.ref]
	delete(env.touched, p.ref)
	d.cache.mu.Unlock()
	d.cache.noteApplied(d.follow(p.resource, false), ref, p.manifest, live)
	switch {
	case touched:
		return &target.Change{ObjectRef: p.ref, Created: remade}, true, nil
	case !had && (fresh || known):
		return &target.Change{ObjectRef: p.ref, Created: true}, true, nil
	case had && last.hash != p.hash:
		return &target.Change{ObjectRef: p.ref}, true, nil
	}
	return nil, true, nil
}

// Prune asks for the deletion of objects that carry the environment's labels, and tells which are proven gone, or not ours, and which are left.
func (d *Driver) Prune(ctx context.Context, ref target.Ref, old []blueberry.ObjectRef) (gone, left []blueberry.ObjectRef, err error) {
	return d.prune(ctx, ref, old)
}

// HandOver makes what one field manager owns of an environment's objects another's, so that neither keeps alive what the other takes out, and takes
// annotations off. The objects stay as they are. It may be called again at any time.
func (d *Driver) HandOver(ctx context.Context, ref target.Ref, from, to string, off ...string) error {
	kinds, err := d.deletable(ctx)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, r := range kinds {
		g.Go(func() error {
			list, err := d.labelled(gctx, ref, r, ref.Namespace)
			if apierrors.IsForbidden(err) {
				return nil // of a kind that we may not read we have made nothing
			}
			for _, f := range list {
				if err == nil {
					err = d.handOver(gctx, f, from, to, off)
				}
			}
			return err
		})
	}
	return g.Wait()
}

func (d *Driver) handOver(ctx context.Context, f found, from, to string, off []string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := d.metadata
	if d.plain != nil {
		client = d.plain
	}
	objects := client.Resource(f.GroupVersionResource).Namespace(f.Namespace)
	live := &f.PartialObjectMetadata
	for range attempts {
		patch, err := handOverPatch(live, from, to, off)
		if err != nil || patch == nil {
			return err
		}
		_, err = objects.Patch(ctx, live.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
		if err == nil || gone(err) {
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) { // invalid: a test of the patch failed
			return fault(ctx, "hand over "+f.ref().String(), err)
		}
		if live, err = objects.Get(ctx, live.Name, metav1.GetOptions{}); err != nil {
			if gone(err) {
				return nil
			}
			return fault(ctx, "read "+f.ref().String(), err)
		}
	}
	return fmt.Errorf("hand over %s: %s", f.ref(), restless)
}

// handOverPatch is a JSON patch of the notes of an object; nil when there is nothing to do.
func handOverPatch(live *metav1.PartialObjectMetadata, from, to string, off []string) ([]byte, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	var patch []operation
	notes, moved, err := handedOver(live.ManagedFields, from, to)
	if err != nil {
		return nil, fmt.Errorf("hand over %s: %w", live.Name, err)
	}
	if moved {
		patch = append(patch, operation{"replace", "/metadata/managedFields", notes})
	}
	for _, a := range off {
		if _, ok := live.Annotations[a]; ok {
			patch = append(patch, operation{"remove", "/metadata/annotations/" + escapePointer(a), nil})
		}
	}
	if patch == nil {
		return nil, nil
	}
	patch = append(patch, operation{"replace", "/metadata/resourceVersion", live.ResourceVersion})
	return json.Marshal(patch)
}

// handedOver gives the notes with all that from applied noted of to.
func handedOver(notes []metav1.ManagedFieldsEntry, from, to string) ([]metav1.ManagedFieldsEntry, bool, error) {
	of := func(manager string) int {
		return slices.IndexFunc(notes, func(e metav1.ManagedFieldsEntry) bool {
			return e.Manager == manager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == ""
		})
	}
	i, j := of(from), of(to)
	if i < 0 {
		return nil, false, nil
	}
	out := slices.Clone(notes)
	if j < 0 {
		out[i].Manager = to
		return out, true, nil
	}
	a, errA := fieldSet(notes[i])
	b, errB := fieldSet(notes[j])
	if err := errors.Join(errA, errB); err != nil {
		return nil, false, err
	}
	js, err := a.Union(b).ToJSON()
	if err != nil {
		return nil, false, err
	}
	out[j].FieldsV1 = &metav1.FieldsV1{Raw: js}
	return slices.Delete(out, i, i+1), true, nil
}

func fieldSet(e metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if e.FieldsV1 == nil {
		return set, nil
	}
	return set, set.FromJSON(e.FieldsV1.GetRawReader())
}

func escapePointer(s string) string {
	out := ""
	for _, r := range s {
		switch r {
		case '~':
			out += "~0"
		case '/':
			out += "~1"
		default:
			out += string(r)
		}
	}
	return out
}
