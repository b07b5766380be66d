package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Applier is someone else who applies our manifests to the place (Config.Applier). What it owns is then ours: drift is what is taken from it, and Compare
// tries its applies.
type Applier struct {
	Manager string                        // the name under which the API notes the fields that it owns
	Marked  func(live metav1.Object) bool // whether it applied an object for us, by a trace of its own; objects with our labels need none
}

// formerly is how we call what an earlier driver of ours owns of an object: as long as nobody has handed it over, it is one of many hands.
const formerly = "blueberry-before"

// as gives the clients of a driver for whom another applies.
func (d *Driver) as(a Applier) {
	d.applied = &a
	d.cache.latches = true
	d.dynamic = &appliedDynamic{d.dynamic, a}
	d.cache.client = &appliedDynamic{d.cache.client, a}
	d.plain = d.metadata
	d.metadata = &appliedMetadata{d.metadata, a}
}

// read lets the notes of an object say that what the applier owns is ours.
func (a Applier) read(live metav1.Object) {
	if live.GetLabels()[blueberry.LabelEnvironment] == "" && !a.Marked(live) {
		return // an object of somebody else, who may have the same applier
	}
	fields := live.GetManagedFields()
	for i := range fields {
		if fields[i].Operation != metav1.ManagedFieldsOperationApply {
			continue
		}
		switch fields[i].Manager {
		case a.Manager:
			fields[i].Manager = fieldManager
		case fieldManager:
			fields[i].Manager = formerly
		}
	}
	live.SetManagedFields(fields)
}

// readRaw is read for an object whose notes are many: it alters them in place.
func (a Applier) readRaw(u *unstructured.Unstructured) {
	if u.GetLabels()[blueberry.LabelEnvironment] == "" && !a.Marked(u) {
		return
	}
	for _, e := range entries(u) {
		if e["operation"] != string(metav1.ManagedFieldsOperationApply) {
			continue
		}
		switch e["manager"] {
		case a.Manager:
			e["manager"] = fieldManager
		case fieldManager:
			e["manager"] = formerly
		}
	}
}

// appliedDynamic reads objects as Applier.read says, and tries applies in the applier's name.
type appliedDynamic struct {
	dynamic.Interface
	applier Applier
}

// Resource implements dynamic.Interface.
func (c *appliedDynamic) Resource(r schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	all := c.Interface.Resource(r)
	return &appliedKind{appliedObjects{all, c.applier}, all}
}

type appliedKind struct {
	appliedObjects
	all dynamic.NamespaceableResourceInterface
}

// Namespace implements dynamic.NamespaceableResourceInterface.
func (c *appliedKind) Namespace(name string) dynamic.ResourceInterface {
	return &appliedObjects{c.all.Namespace(name), c.applier}
}

type appliedObjects struct {
	dynamic.ResourceInterface
	applier Applier
}

// Get implements dynamic.ResourceInterface.
func (c *appliedObjects) Get(ctx context.Context, name string, o metav1.GetOptions, sub ...string) (*unstructured.Unstructured, error) {
	u, err := c.ResourceInterface.Get(ctx, name, o, sub...)
	if err == nil {
		c.applier.readRaw(u)
	}
	return u, err
}

// List implements dynamic.ResourceInterface.
func (c *appliedObjects) List(ctx context.Context, o metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	list, err := c.ResourceInterface.List(ctx, o)
	if err == nil {
		for i := range list.Items {
			c.applier.readRaw(&list.Items[i])
		}
	}
	return list, err
}

// Watch implements dynamic.ResourceInterface.
func (c *appliedObjects) Watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	w, err := c.ResourceInterface.Watch(ctx, o)
	if err != nil {
		return nil, err
	}
	return watch.Filter(w, func(e watch.Event) (watch.Event, bool) {
		if u, ok := e.Object.(*unstructured.Unstructured); ok && e.Type != watch.Bookmark {
			c.applier.readRaw(u)
		}
		return e, true
	}), nil
}

// Patch implements dynamic.ResourceInterface.
func (c *appliedObjects) Patch(ctx context.Context, name string, t types.PatchType, js []byte, o metav1.PatchOptions, sub ...string) (*unstructured.Unstructured, error) {
	if t == types.ApplyPatchType && len(o.DryRun) > 0 && o.FieldManager == fieldManager {
		o.FieldManager = c.applier.Manager
	}
	u, err := c.ResourceInterface.Patch(ctx, name, t, js, o, sub...)
	if err == nil {
		c.applier.readRaw(u)
	}
	return u, err
}

// appliedMetadata does the same for what is read of an object's metadata alone.
type appliedMetadata struct {
	metadata.Interface
	applier Applier
}

// Resource implements metadata.Interface.
func (c *appliedMetadata) Resource(r schema.GroupVersionResource) metadata.Getter {
	all := c.Interface.Resource(r)
	return &metadataKind{metadataObjects{all, c.applier}, all}
}

type metadataKind struct {
	metadataObjects
	all metadata.Getter
}

// Namespace implements metadata.Getter.
func (c *metadataKind) Namespace(name string) metadata.ResourceInterface {
	return &metadataObjects{c.all.Namespace(name), c.applier}
}

type metadataObjects struct {
	metadata.ResourceInterface
	applier Applier
}

// Get implements metadata.ResourceInterface.
func (c *metadataObjects) Get(ctx context.Context, name string, o metav1.GetOptions, sub ...string) (*metav1.PartialObjectMetadata, error) {
	m, err := c.ResourceInterface.Get(ctx, name, o, sub...)
	if err == nil {
		c.applier.read(m)
	}
	return m, err
}
