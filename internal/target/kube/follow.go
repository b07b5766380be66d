package kube

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	clientcache "k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// listTimeout bounds the first list of a kind: 10,000 environments have as many megabytes.
const listTimeout = time.Minute

// always are the kinds that are watched from the start: what nearly every environment has. Others join when a Sync or an Observe names them.
func always() []resource {
	var out []resource
	for _, x := range []struct{ group, version, plural, kind string }{
		{"", "v1", "namespaces", "Namespace"},
		{"", "v1", "services", "Service"},
		{"", "v1", "configmaps", "ConfigMap"},
		{"", "v1", "secrets", "Secret"},
		{"", "v1", "serviceaccounts", "ServiceAccount"},
		{"", "v1", "pods", "Pod"},
		{"", "v1", "resourcequotas", "ResourceQuota"},
		{"", "v1", "limitranges", "LimitRange"},
		{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"},
		{"apps", "v1", "deployments", "Deployment"},
		{"apps", "v1", "statefulsets", "StatefulSet"},
		{"apps", "v1", "daemonsets", "DaemonSet"},
		{"batch", "v1", "jobs", "Job"},
		{"batch", "v1", "cronjobs", "CronJob"},
		{"networking.k8s.io", "v1", "ingresses", "Ingress"},
		{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"},
		{"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"},
		{"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"},
		{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"},
	} {
		gv := schema.GroupVersion{Group: x.group, Version: x.version}
		out = append(out, resource{GroupVersionResource: gv.WithResource(x.plural), kind: gv.WithKind(x.kind)})
	}
	return out
}

// workloadKinds are those that Observe needs whatever an environment is made of.
func workloadKinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Version: "v1", Kind: "Pod"}, {Version: "v1", Kind: "Service"}, {Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"},
	}
}

// begin watches the kinds of always.
func (d *Driver) begin() {
	d.begun.Do(func() {
		for _, r := range always() {
			d.follow(r, true)
		}
	})
}

// follow watches a kind until Close, and gives what is known of it. With awaited, the place is not in view before the kind is.
func (d *Driver) follow(r resource, awaited bool) *kind {
	c := d.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.kinds[r.kind]; k != nil {
		return k
	}
	k := &kind{
		gvk: r.kind, apiVersion: r.kind.GroupVersion().String(), resource: r.GroupVersionResource,
		records: map[name]*record{},
	}
	c.kinds[r.kind] = k
	if awaited {
		c.awaited[k] = nil
	}
	if d.ctx.Err() != nil {
		return k
	}
	reflector := clientcache.NewReflectorWithOptions(c.source(k), &unstructured.Unstructured{}, &sink{c, k}, clientcache.ReflectorOptions{
		Name:            "blueberry",
		TypeDescription: k.gvk.String(),
		Backoff:         &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 6, Cap: 5 * time.Second},
	})
	d.wg.Go(func() {
		// Its errors reach us through source; the library would log each of them for each kind.
		reflector.RunWithContext(klog.NewContext(d.ctx, logr.Discard()))
	})
	return k
}

// source lists and watches the objects of a kind that carry our label, and notes whether the place answers.
func (c *cache) source(k *kind) clientcache.ListerWatcher {
	client := c.client.Resource(k.resource)
	return &clientcache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, listTimeout)
			defer cancel()
			o.LabelSelector = blueberry.LabelEnvironment
			list, err := client.List(ctx, o)
			c.note(ctx, k, err, false)
			if err != nil {
				return nil, err
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.LabelSelector = blueberry.LabelEnvironment
			w, err := client.Watch(ctx, o)
			c.note(ctx, k, err, o.SendInitialEvents == nil)
			return w, err
		},
	}
}

// note keeps what the answer of the place means for our view of it. resumed says that a watch goes on from where the last one ended.
func (c *cache) note(ctx context.Context, k *kind, err error, resumed bool) {
	switch {
	case err == nil && !resumed:
		return // the objects come next: replace
	case err == nil:
		c.inView(k)
	case errors.Is(ctx.Err(), context.Canceled):
		return // we are closing
	case unreachable(err) != "":
		c.outOfView(k, err)
	case apierrors.IsNotFound(err):
		c.replace(k, nil, 0) // the kind is not served, so there is none of it
		c.inView(k)
	case apierrors.IsForbidden(err), apierrors.IsMethodNotSupported(err):
		c.mu.Lock()
		k.refused = err
		c.mu.Unlock()
		c.inView(k)
	}
}

func (c *cache) outOfView(k *kind, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaited[k] = err
	if !c.lost {
		c.lost = true
		c.log.Warn("target out of view", "error", err)
	}
}

// inView notes that a kind is known again. When it was the last one, everything may have changed.
func (c *cache) inView(k *kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.awaited[k]; !ok {
		return
	}
	delete(c.awaited, k)
	if len(c.awaited) > 0 {
		return
	}
	if c.lost {
		c.lost = false
		c.log.Info("target in view again")
	}
	for p := range c.watchers {
		p.Mark(target.Ref{})
	}
}

// await waits until the kinds are known, or tells why they are not.
func (d *Driver) await(ctx context.Context, kinds []*kind) error {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond) // only until the first list of a kind is in
	defer look.Stop()
	for _, k := range kinds {
		for {
			if known, err := d.cache.known(k); err != nil {
				return err
			} else if known {
				break
			}
			select {
			case <-look.C:
			case <-ctx.Done():
				return fault(ctx, "watch "+k.gvk.Kind, fmt.Errorf("not listed in time: %w", ctx.Err()))
			}
		}
	}
	return nil
}

// known reports whether a kind is known as of now. A kind that cannot be seen is Unavailable.
func (c *cache) known(k *kind) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.awaited[k]; err != nil {
		return false, blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE", "the target is out of view: %s", plainly(err))
	}
	if k.refused != nil && !k.isSynced {
		return false, fault(context.Background(), "watch "+k.gvk.Kind, k.refused)
	}
	_, awaited := c.awaited[k]
	return k.isSynced && !awaited, nil
}

// sink takes what the watch of one kind tells, and keeps a record of it in the cache.
type sink struct {
	cache *cache
	kind  *kind
}

// Add notes an object.
func (s *sink) Add(obj any) error { return s.Update(obj) }

// Update notes an object.
func (s *sink) Update(obj any) error {
	if r := s.record(obj); r != nil {
		s.cache.put(r)
	}
	return nil
}

// summary stands for an object while the library collects the first list, so that it never holds all objects of a place at once.
type summary struct {
	metav1.ObjectMeta // name and version: what the library reads
	record            *record
}

// Transformer is called by the library on each object of the first list.
func (s *sink) Transformer() clientcache.TransformFunc {
	return func(obj any) (any, error) {
		u, ok := obj.(*unstructured.Unstructured)
		if !ok {
			return obj, nil
		}
		meta := metav1.ObjectMeta{Namespace: u.GetNamespace(), Name: u.GetName(), ResourceVersion: u.GetResourceVersion()}
		return &summary{meta, s.cache.read(s.kind, u)}, nil
	}
}

func (s *sink) record(obj any) *record {
	switch x := obj.(type) {
	case *summary:
		return x.record
	case *unstructured.Unstructured:
		return s.cache.read(s.kind, x)
	}
	return nil
}

// Delete notes that an object is gone, or has lost our label.
func (s *sink) Delete(obj any) error {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		s.cache.remove(s.kind, name{u.GetNamespace(), u.GetName()}, versionOf(u))
	}
	return nil
}

// Replace notes all objects.
func (s *sink) Replace(list []any, version string) error {
	records := make([]*record, 0, len(list))
	for _, obj := range list {
		if r := s.record(obj); r != nil {
			records = append(records, r)
		}
	}
	v, _ := strconv.ParseUint(version, 10, 64)
	s.cache.replace(s.kind, records, v)
	s.cache.inView(s.kind)
	return nil
}

// Resync has nothing to do: nothing is derived from the records.
func (s *sink) Resync() error { return nil }
