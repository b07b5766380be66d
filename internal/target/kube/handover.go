package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/blueberry-idp/blueberry/internal/target"
)

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
					err = d.handOver(gctx, f, metav1.ManagedFieldsOperationApply, from, to, off)
				}
			}
			return err
		})
	}
	return g.Wait()
}

func (d *Driver) handOver(ctx context.Context, f found, by metav1.ManagedFieldsOperationType, from, to string, off []string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := d.metadata
	if d.plain != nil {
		client = d.plain
	}
	objects := client.Resource(f.GroupVersionResource).Namespace(f.Namespace)
	live := &f.PartialObjectMetadata
	for range attempts {
		patch, err := handOverPatch(live, by, from, to, off)
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
func handOverPatch(live *metav1.PartialObjectMetadata, by metav1.ManagedFieldsOperationType, from, to string, off []string) ([]byte, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	var patch []operation
	notes, moved, err := handedOver(live.ManagedFields, by, from, to)
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

// handedOver gives the notes with all that from wrote or applied noted as applied by to.
func handedOver(notes []metav1.ManagedFieldsEntry, by metav1.ManagedFieldsOperationType, from, to string) ([]metav1.ManagedFieldsEntry, bool, error) {
	of := func(by metav1.ManagedFieldsOperationType, manager string) int {
		return slices.IndexFunc(notes, func(e metav1.ManagedFieldsEntry) bool {
			return e.Manager == manager && e.Operation == by && e.Subresource == ""
		})
	}
	i, j := of(by, from), of(metav1.ManagedFieldsOperationApply, to)
	if i < 0 {
		return nil, false, nil
	}
	out := slices.Clone(notes)
	if j < 0 {
		out[i].Manager, out[i].Operation = to, metav1.ManagedFieldsOperationApply
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
	out[j].FieldsV1 = metav1.NewFieldsV1(string(js))
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
