package kube

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// maxSeen bounds what a scan remembers: 64 Ki fingerprints are one megabyte. An owner that is not among them is asked for.
const maxSeen = 1 << 16

// scan is one look at everything with our labels.
type scan struct {
	driver *Driver
	found  func(ref target.Ref, o blueberry.ObjectRef, since time.Time)
	seen   map[uint64]bool // fingerprints of uids of objects that are there
}

// Scan implements target.Scanner: metadata only, a page at a time, in constant memory. The Namespace of a Ref is that of the rule, wherever the object lies.
// When an API group does not answer, the scan is not complete and the error Unavailable; what was found by then is true all the same.
func (d *Driver) Scan(ctx context.Context, found func(ref target.Ref, o blueberry.ObjectRef, since time.Time)) error {
	kinds, err := d.deletable(ctx)
	if err != nil {
		return err
	}
	// Owners before what they own.
	slices.SortFunc(kinds, func(a, b resource) int {
		return cmp.Or(tier(a)-tier(b), cmp.Compare(a.GroupResource().String(), b.GroupResource().String()))
	})
	s := &scan{driver: d, found: found, seen: map[uint64]bool{}}
	for _, r := range kinds {
		if err := s.kind(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func tier(r resource) int {
	switch r.Resource {
	case "pods":
		return 2
	case "replicasets", "jobs", "endpointslices", "controllerrevisions":
		return 1
	}
	return 0
}

// kind looks at the objects of one kind. One that we may not read, or that went away, has none of ours.
func (s *scan) kind(ctx context.Context, r resource) error {
	options := metav1.ListOptions{LabelSelector: blueberry.LabelEnvironment, Limit: pageSize}
	for {
		page, err := s.driver.page(ctx, r, "", options)
		switch {
		case apierrors.IsResourceExpired(err) && carryOn(err) != "": // the listing took longer than the API keeps its state: go on with the newest
			options.Continue = carryOn(err)
			continue
		case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err), apierrors.IsForbidden(err):
			return nil
		case err != nil:
			return fault(ctx, "list "+r.Resource, err)
		}
		for i := range page.Items {
			if err := s.object(ctx, r, &page.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return nil
		}
	}
}

// carryOn is the place from which the API lets an expired listing go on.
func carryOn(err error) string {
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}

func (s *scan) object(ctx context.Context, r resource, o *metav1.PartialObjectMetadata) error {
	s.remember(string(o.UID))
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		lives, err := s.lives(ctx, o.Namespace, owner)
		if lives || err != nil {
			return err
		}
	}
	key := envOf(o.Labels)
	ref := target.Ref{Project: key.project, Environment: key.environment, Namespace: blueberry.Namespace(key.project, key.environment)}
	s.found(ref, found{r, *o}.ref(), o.CreationTimestamp.UTC())
	return nil
}

func (s *scan) remember(uid string) {
	if len(s.seen) < maxSeen {
		s.seen[maphash.String(s.driver.cache.seed, uid)] = true
	}
}

// lives reports whether the controller of an object is there.
func (s *scan) lives(ctx context.Context, namespace string, owner *metav1.OwnerReference) (bool, error) {
	if s.seen[maphash.String(s.driver.cache.seed, string(owner.UID))] {
		return true, nil
	}
	r, known, err := s.driver.resource(ctx, schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind))
	if err != nil || !known {
		return false, err
	}
	if !r.namespaced {
		namespace = ""
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := s.driver.metadata.Resource(r.GroupVersionResource).Namespace(namespace).Get(ctx, owner.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		return false, nil
	case apierrors.IsForbidden(err): // it cannot be told, and a scan accuses nobody without proof
		return true, nil
	case err != nil:
		return false, fault(ctx, "read "+owner.Kind+" "+owner.Name, err)
	case live.UID != owner.UID:
		return false, nil
	}
	s.remember(string(owner.UID))
	return true, nil
}
