package kube

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// maxEvents is how many events of an environment are told: the newest. Kubernetes keeps them for an hour.
const maxEvents = 5000

// Events implements target.EventReader: those in the namespace, and those about the namespace.
func (d *Driver) Events(ctx context.Context, ref target.Ref) ([]target.PlaceEvent, error) {
	cctx, cancel := context.WithTimeout(ctx, callTimeout)
	ns, err := d.metadata.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(cctx, ref.Namespace, metav1.GetOptions{})
	cancel()
	switch {
	case gone(err): // and its events with it
		return nil, nil
	case err != nil:
		return nil, lacking(ctx, "read namespace "+ref.Namespace, "get namespaces", err)
	case foreign(ref, "Namespace", ns) != "":
		return nil, nil
	}
	var out []target.PlaceEvent
	gvr := schema.GroupVersionResource{Version: "v1", Resource: "events"}
	names := d.cache.components(ref)
	take := func(page []unstructured.Unstructured) {
		for i := range page {
			e := eventOf(&page[i])
			e.Component = names.of(e.Object)
			out = append(out, e)
		}
		if len(out) > 2*maxEvents {
			out = oldestFirst(out)
		}
	}
	err = d.eachPage(ctx, gvr, ref.Namespace, metav1.ListOptions{}, take)
	if err == nil { // what lives in no namespace has its events in "default"
		about := metav1.ListOptions{FieldSelector: "involvedObject.kind=Namespace,involvedObject.name=" + ref.Namespace}
		if err = d.eachPage(ctx, gvr, metav1.NamespaceDefault, about, take); apierrors.IsForbidden(err) {
			err = nil
		}
	}
	if err != nil {
		return nil, lacking(ctx, "list the events of "+ref.Namespace, "list events", err)
	}
	return oldestFirst(out), nil
}

// oldestFirst orders events, oldest first, and leaves out the oldest of too many.
func oldestFirst(list []target.PlaceEvent) []target.PlaceEvent {
	slices.SortStableFunc(list, func(a, b target.PlaceEvent) int {
		return cmp.Or(a.Last.Compare(b.Last), a.First.Compare(b.First), strings.Compare(a.Object.String(), b.Object.String()), strings.Compare(a.Reason, b.Reason))
	})
	return slices.Clip(list[max(0, len(list)-maxEvents):])
}

// eventOf reads an event, of the old form or the new.
func eventOf(u *unstructured.Unstructured) target.PlaceEvent {
	at := func(fields ...string) time.Time {
		s, _, _ := unstructured.NestedString(u.Object, fields...)
		t, _ := time.Parse(time.RFC3339Nano, s) // zero when it is not there
		return t.UTC()
	}
	number := func(fields ...string) int {
		n, _, _ := unstructured.NestedInt64(u.Object, fields...)
		return int(n)
	}
	about, _ := u.Object["involvedObject"].(map[string]any)
	source, _ := u.Object["source"].(map[string]any)
	e := target.PlaceEvent{
		First: firstTime(at("firstTimestamp"), at("eventTime"), u.GetCreationTimestamp().UTC()),
		Count: max(1, number("count"), number("series", "count")), Warning: u.Object["type"] == "Warning", Reason: text(u.Object["reason"]),
		Object: blueberry.ObjectRef{
			APIVersion: text(about["apiVersion"]), Kind: text(about["kind"]), Namespace: text(about["namespace"]), Name: text(about["name"]),
		},
		Source: cmp.Or(text(source["component"]), text(u.Object["reportingComponent"])), Message: text(u.Object["message"]),
	}
	e.Last = firstTime(at("series", "lastObservedTime"), at("lastTimestamp"), e.First)
	return e
}

// firstTime gives the first that is known.
func firstTime(list ...time.Time) time.Time {
	for _, t := range list {
		if !t.IsZero() && t.Unix() > 0 {
			return t
		}
	}
	return time.Time{}
}

// componentNames tells by name which component an object is of.
type componentNames struct {
	objects   map[name]string   // by kind and name
	workloads map[string]string // by name: what they make is named after them
}

// components gives what is known of the objects of an environment.
func (c *cache) components(ref target.Ref) componentNames {
	out := componentNames{objects: map[name]string{}, workloads: map[string]string{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	env := c.envs[keyOf(ref)]
	if env == nil {
		return out
	}
	for r := range env.records {
		if r.component == "" || r.name.namespace != ref.Namespace {
			continue
		}
		out.objects[name{r.kind.gvk.Kind, r.name.name}] = r.component
		switch r.kind.gvk.Kind {
		case "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Rollout", "Service":
			out.workloads[r.name.name] = r.component
		}
	}
	return out
}

// of gives the component of an object, also of one that is gone when it is named after a workload that is there; empty when it is not known.
func (n componentNames) of(o blueberry.ObjectRef) string {
	if c, ok := n.objects[name{o.Kind, o.Name}]; ok {
		return c
	}
	switch o.Kind {
	case "Pod", "ReplicaSet", "Job", "EndpointSlice", "PersistentVolumeClaim", "ControllerRevision":
	default:
		return ""
	}
	best := "" // "web-api-7d4b9-x2x8k" is of "web-api" and not of "web"
	for w := range n.workloads {
		if len(w) > len(best) && (strings.HasPrefix(o.Name, w+"-") || o.Kind == "PersistentVolumeClaim" && strings.Contains(o.Name+"-", "-"+w+"-")) {
			best = w
		}
	}
	return n.workloads[best]
}
