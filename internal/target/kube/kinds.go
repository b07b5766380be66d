package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// relearn is how soon after a look at the API's kinds an unknown kind is worth another look.
const relearn = time.Second

// resource is how the API serves a kind.
type resource struct {
	schema.GroupVersionResource
	kind       schema.GroupVersionKind
	namespaced bool
	verbs      []string
	preferred  bool // of all versions of the group this is the one to list
}

func (r resource) can(verb string) bool { return slices.Contains(r.verbs, verb) }

// kinds is what the API is known to serve.
type kinds struct {
	mu      sync.Mutex
	byKind  map[schema.GroupVersionKind]resource
	learned time.Time
}

// resource tells how a kind is served; false when the API does not know it.
func (d *Driver) resource(ctx context.Context, gvk schema.GroupVersionKind) (resource, bool, error) {
	k := &d.kinds
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.byKind[gvk]; ok {
		return r, true, nil
	}
	if time.Since(k.learned) < relearn {
		return resource{}, false, nil
	}
	all, _, err := d.resources(ctx)
	if err != nil {
		return resource{}, false, err
	}
	k.byKind, k.learned = map[schema.GroupVersionKind]resource{}, time.Now()
	for _, r := range all {
		k.byKind[r.kind] = r
	}
	r, ok := k.byKind[gvk]
	return r, ok, nil
}

// forget drops what is known of the kinds, because one of them turned out to be gone.
func (k *kinds) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byKind = nil
}

// resources asks the API for everything that it serves. Groups whose own server does not answer are left out and named in broken.
func (d *Driver) resources(ctx context.Context) (all []resource, broken []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	groups, lists, err := d.discovery.ServerGroupsAndResourcesWithContext(ctx)
	if failed, ok := discovery.GroupDiscoveryFailedErrorGroups(err); ok {
		for gv := range failed {
			broken = append(broken, gv.String())
		}
		slices.Sort(broken)
	} else if err != nil {
		return nil, nil, fault(ctx, "ask the target for its kinds", err)
	}
	preferred := map[string]bool{}
	for _, g := range groups {
		preferred[g.PreferredVersion.GroupVersion] = true
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, nil, fmt.Errorf("read the kinds of the target: %w", err)
		}
		all = append(all, served(gv, list.APIResources, preferred[list.GroupVersion])...)
	}
	return all, broken, nil
}

func served(gv schema.GroupVersion, list []metav1.APIResource, preferred bool) []resource {
	var out []resource
	for _, r := range list {
		if strings.Contains(r.Name, "/") { // a subresource
			continue
		}
		out = append(out, resource{
			GroupVersionResource: gv.WithResource(r.Name), kind: gv.WithKind(r.Kind), namespaced: r.Namespaced, verbs: r.Verbs, preferred: preferred,
		})
	}
	return out
}

// gvkOf is the kind of an object.
func gvkOf(ref blueberry.ObjectRef) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind)
}
