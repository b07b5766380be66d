package kube

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

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
// call, also what another hand did in between and is put right again; and the first object that is not there, or that another hand was at since who applies
// has looked.
func (d *Driver) Adopt(ctx context.Context, want target.Desired, fresh bool, looked func(since time.Time) bool) (changed []target.Change, missing blueberry.ObjectRef, err error) {
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
			c, there, err := d.adopt(gctx, want.Ref, p, known, fresh, looked)
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

func (d *Driver) adopt(ctx context.Context, ref target.Ref, p placedManifest, known, fresh bool, looked func(since time.Time) bool) (*target.Change, bool, error) {
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
	by, touched := env.touched[p.ref]
	if touched && !looked(by.at) {
		d.cache.mu.Unlock()
		return nil, false, nil
	}
	delete(env.touched, p.ref)
	d.cache.mu.Unlock()
	d.cache.noteApplied(d.follow(p.resource, false), ref, p.manifest, live)
	switch {
	case touched:
		return &target.Change{ObjectRef: p.ref, Created: by.deleted}, true, nil
	case !had && (fresh || known):
		return &target.Change{ObjectRef: p.ref, Created: true}, true, nil
	case had && last.document() != p.document():
		return &target.Change{ObjectRef: p.ref}, true, nil
	}
	return nil, true, nil
}

// document is the fingerprint of what a manifest says, without what of it is left to others.
func (m manifest) document() uint64 { return document(m.hash, m.left) }

func (a applied) document() uint64 { return document(a.hash, a.left) }

func document(hash uint64, left *exempt) uint64 {
	if left != nil {
		hash ^= left.sum
	}
	return hash
}

// Expect notes that objects will be put right by who applies in our name: the next Adopt tells them as changed.
func (d *Driver) Expect(ref target.Ref, objects []blueberry.ObjectRef) {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	for _, o := range objects {
		d.cache.environment(keyOf(ref)).touch(o, false)
	}
}

// Touched is when another hand last touched an object that was not seen to be put right since; zero for never.
func (d *Driver) Touched(ref target.Ref) time.Time {
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	var last time.Time
	if env := d.cache.envs[keyOf(ref)]; env != nil {
		for _, by := range env.touched {
			if by.at.After(last) {
				last = by.at
			}
		}
	}
	return last
}

// TakeOver makes the applier's what other hands wrote into objects of ours, so that its next apply takes it out: list items that ours cannot stand beside
// would keep an object from ever being repaired. Controllers keep what is theirs. It reports whether there was anything.
func (d *Driver) TakeOver(ctx context.Context, ref target.Ref, objects []blueberry.ObjectRef) (took bool, err error) {
	for _, o := range objects {
		r, known, err := d.resource(ctx, gvkOf(o))
		if err != nil {
			return took, err
		}
		if !known {
			continue
		}
		f, there, err := d.plainly(ctx, r, o)
		if err != nil {
			return took, err
		}
		if !there || envOf(f.Labels) != keyOf(ref) {
			continue
		}
		for _, hand := range handsIn(f.ManagedFields) {
			took = true
			if err := d.handOver(ctx, f, metav1.ManagedFieldsOperationUpdate, hand, d.applied.Manager, nil); err != nil {
				return took, err
			}
		}
	}
	return took, nil
}

// plainly reads the metadata of an object as the API notes it.
func (d *Driver) plainly(ctx context.Context, r resource, o blueberry.ObjectRef) (found, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.plain.Resource(r.GroupVersionResource).Namespace(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if gone(err) {
		return found{}, false, nil
	}
	if err != nil {
		return found{}, false, fault(ctx, "read "+o.String(), err)
	}
	return found{r, *live}, true, nil
}

// Prune asks for the deletion of objects that carry the environment's labels, and tells which are proven gone, or not ours, and which are left.
func (d *Driver) Prune(ctx context.Context, ref target.Ref, old []blueberry.ObjectRef) (gone, left []blueberry.ObjectRef, err error) {
	return d.prune(ctx, ref, old)
}
