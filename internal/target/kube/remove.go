package kube

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// found is one object of an environment that is being removed.
type found struct {
	resource
	metav1.PartialObjectMetadata
}

func (f found) ref() blueberry.ObjectRef {
	return blueberry.ObjectRef{APIVersion: f.kind.GroupVersion().String(), Kind: f.kind.Kind, Namespace: f.Namespace, Name: f.Name}
}

func (f found) isNamespace() bool {
	return f.kind == schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
}

// Remove implements target.Driver. It looks at all that carries the labels, in every kind that the API serves now, deletes what is not on its way out,
// and looks again. While the namespace is there it looks inside; its last look, the proof, is at all namespaces.
func (d *Driver) Remove(ctx context.Context, ref target.Ref, ledger []blueberry.LedgerEntry) ([]blueberry.ObjectRef, error) {
	d.begin()
	kinds, err := d.deletable(ctx)
	if err != nil {
		return nil, err
	}
	scope := ref.Namespace
	var there []found
	for range 3 { // objects, then the namespace, then all namespaces; what needs longer is for the next call
		if there, err = d.remains(ctx, ref, kinds, scope, ledger); err != nil {
			return nil, err
		}
		if len(there) == 0 {
			if scope == "" {
				d.cache.forget(keyOf(ref))
				return nil, nil
			}
			scope = ""
			continue
		}
		acted, err := d.removeStage(ctx, ref, there)
		if err != nil {
			return nil, err
		}
		if !acted {
			return refsOf(there), nil
		}
	}
	if there, err = d.remains(ctx, ref, kinds, scope, ledger); err != nil {
		return nil, err
	}
	if len(there) == 0 && scope != "" {
		there, err = d.remains(ctx, ref, kinds, "", ledger)
	}
	if err == nil && len(there) == 0 {
		d.cache.forget(keyOf(ref))
	}
	return refsOf(there), err
}

// removeStage deletes what may go now: everything that no other object looks after; once that is gone, the namespace and whatever is still alive
// elsewhere. Pods and the like inside the namespace are taken by the garbage collector.
func (d *Driver) removeStage(ctx context.Context, ref target.Ref, there []found) (acted bool, err error) {
	var top, last []found
	for _, f := range there {
		switch owned := metav1.GetControllerOfNoCopy(&f.PartialObjectMetadata) != nil; {
		case f.isNamespace():
			last = append(last, f)
		case !owned:
			top = append(top, f)
		case f.Namespace != ref.Namespace:
			last = append(last, f)
		}
	}
	stage := top
	if len(top) == 0 {
		stage = last
	}
	stage = slices.DeleteFunc(stage, func(f found) bool { return f.DeletionTimestamp != nil })
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, f := range stage {
		g.Go(func() error {
			gctx, cancel := context.WithTimeout(gctx, callTimeout)
			defer cancel()
			err := d.metadata.Resource(f.GroupVersionResource).Namespace(f.Namespace).Delete(gctx, f.Name, deletion(f.UID))
			if err == nil || gone(err) || replaced(err) {
				return nil
			}
			if faults := refusal(f.ref(), err); faults != nil {
				return &blueberry.Error{Kind: blueberry.Invalid, Code: refusalCode(err), Detail: "the target refuses to delete an object", Fields: faults}
			}
			return fault(gctx, "delete "+f.ref().String(), err)
		})
	}
	return len(stage) > 0, g.Wait()
}

// remains lists what is there of an environment: all that carries its labels in the namespace (empty for all namespaces) and outside of any, and the
// objects of the ledger outside the namespace that lost their labels but not the trace of our apply.
func (d *Driver) remains(ctx context.Context, ref target.Ref, kinds []resource, namespace string, ledger []blueberry.LedgerEntry) ([]found, error) {
	var mu sync.Mutex
	var out []found
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, r := range kinds {
		g.Go(func() error {
			list, err := d.labelled(gctx, ref, r, namespace)
			if apierrors.IsForbidden(err) {
				err = nil            // of a kind that we may not read we have made nothing,
				if made(ledger, r) { // or the proof would be none
					err = blueberry.Errorf(blueberry.Forbidden, "TARGET_UNREADABLE", "the target does not let us list %s, so nothing is proven gone", r.Resource)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out = append(out, list...)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	seen := map[blueberry.ObjectRef]bool{}
	for _, f := range out {
		seen[f.ref()] = true
	}
	for _, e := range ledger {
		// What lies in the namespace goes with it; of all else, labels that another hand took off or changed must not make a false proof.
		if e.Namespace == ref.Namespace || seen[e.ObjectRef] {
			continue
		}
		f, ok, err := d.traced(ctx, ref, e.ObjectRef)
		if err != nil {
			return nil, err
		}
		if ok && !seen[f.ref()] {
			out = append(out, f)
		}
	}
	return out, nil
}

// made reports whether the ledger has an object of the kind.
func made(ledger []blueberry.LedgerEntry, r resource) bool {
	return slices.ContainsFunc(ledger, func(e blueberry.LedgerEntry) bool { return e.Group() == r.Group && e.Kind == r.kind.Kind })
}

// labelled lists the objects of one kind that carry the labels of the environment. Forbidden is the API's own error.
func (d *Driver) labelled(ctx context.Context, ref target.Ref, r resource, namespace string) ([]found, error) {
	if !r.namespaced {
		namespace = ""
	}
	options := metav1.ListOptions{
		LabelSelector: blueberry.LabelProject + "=" + ref.Project + "," + blueberry.LabelEnvironment + "=" + ref.Environment,
		Limit:         500,
	}
	var out []found
	for {
		page, err := d.page(ctx, r, namespace, options)
		switch {
		case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
			return nil, nil // the kind went away meanwhile
		case apierrors.IsForbidden(err):
			return nil, err
		case err != nil:
			return nil, fault(ctx, "list "+r.Resource, err)
		}
		for _, x := range page.Items {
			out = append(out, found{r, x})
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return out, nil
		}
	}
}

func (d *Driver) page(ctx context.Context, r resource, namespace string, o metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return d.metadata.Resource(r.GroupVersionResource).Namespace(namespace).List(ctx, o)
}

// traced reads an object of the ledger, and reports whether it is there and ours.
func (d *Driver) traced(ctx context.Context, ref target.Ref, o blueberry.ObjectRef) (found, bool, error) {
	r, known, err := d.resource(ctx, gvkOf(o))
	if err != nil || !known {
		return found{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.metadata.Resource(r.GroupVersionResource).Namespace(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if gone(err) {
		return found{}, false, nil
	}
	if err != nil {
		return found{}, false, fault(ctx, "read "+o.String(), err)
	}
	switch whose := foreign(ref, r.kind.Kind, live); {
	case whose == "":
		return found{r, *live}, true, nil
	case touched(live): // we have made it, and now it says that it is another's
		return found{}, false, blueberry.Errorf(blueberry.Conflict, "OBJECT_TAKEN", "%s was made for this environment, but its labels now say %s; nothing is proven gone until they are put right or it is deleted", o, whose)
	}
	return found{}, false, nil // it never was ours
}

// deletable gives every kind whose objects can be listed and deleted, each once. Without all of them nothing can be proven.
func (d *Driver) deletable(ctx context.Context) ([]resource, error) {
	all, broken, err := d.resources(ctx)
	if err != nil {
		return nil, err
	}
	if len(broken) > 0 {
		return nil, blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE",
			"the target cannot tell what it holds: %s does not answer", strings.Join(broken, ", "))
	}
	best := map[schema.GroupResource]resource{}
	for _, r := range all {
		if !r.can("list") || !r.can("delete") || r.Resource == "events" {
			continue
		}
		if _, have := best[r.GroupResource()]; !have || r.preferred {
			best[r.GroupResource()] = r
		}
	}
	out := make([]resource, 0, len(best))
	for _, r := range best {
		out = append(out, r)
	}
	return out, nil
}

func refsOf(list []found) []blueberry.ObjectRef {
	var out []blueberry.ObjectRef
	for _, f := range list {
		out = append(out, f.ref())
	}
	slices.SortFunc(out, func(a, b blueberry.ObjectRef) int { return strings.Compare(a.String(), b.String()) })
	return out
}
