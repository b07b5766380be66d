package kube

import (
	"context"
	"fmt"
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

// pageSize is how many objects one answer of the API has at most.
const pageSize = 500

// environmentLabels selects what is of an environment, and of a component of it when one is named.
func environmentLabels(ref target.Ref, component string) string {
	s := blueberry.LabelProject + "=" + ref.Project + "," + blueberry.LabelEnvironment + "=" + ref.Environment
	if component != "" {
		s += "," + blueberry.LabelComponent + "=" + component
	}
	return s
}

// eachPage lists objects a page at a time. The error is that of the API.
func (d *Driver) eachPage(ctx context.Context, gvr schema.GroupVersionResource, namespace string, o metav1.ListOptions, each func([]unstructured.Unstructured)) error {
	o.Limit = pageSize
	client := d.dynamic.Resource(gvr).Namespace(namespace)
	for {
		cctx, cancel := context.WithTimeout(ctx, callTimeout)
		list, err := client.List(cctx, o)
		cancel()
		if err != nil {
			return err
		}
		each(list.Items)
		if o.Continue = list.GetContinue(); o.Continue == "" {
			return nil
		}
	}
}

// pods lists the pods of an environment, or of a component of it, ordered by name.
func (d *Driver) pods(ctx context.Context, ref target.Ref, component string) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	gvr := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	err := d.eachPage(ctx, gvr, ref.Namespace, metav1.ListOptions{LabelSelector: environmentLabels(ref, component)}, func(page []unstructured.Unstructured) {
		out = append(out, page...)
	})
	if err != nil {
		return nil, lacking(ctx, "list the pods of "+ref.Namespace, "list pods", err)
	}
	slices.SortFunc(out, func(a, b unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out, nil
}

// lacking is fault, but for a right that we lack: that is Forbidden and named.
func lacking(ctx context.Context, doing, right string, err error) error {
	if apierrors.IsForbidden(err) {
		return blueberry.Errorf(blueberry.Forbidden, blueberry.CodeTargetForbidden, "%s: the target lacks a right for us: %s", doing, right)
	}
	return fault(ctx, doing, err)
}

// containers reads a pod: first the init containers, each sort in the order of the pod.
func containers(pod *unstructured.Unstructured) []target.Container {
	var out []target.Container
	for _, sort := range []struct{ spec, status string }{
		{"initContainers", "initContainerStatuses"}, {"containers", "containerStatuses"}, {"ephemeralContainers", "ephemeralContainerStatuses"},
	} {
		states := map[string]map[string]any{}
		list, _, _ := unstructured.NestedFieldNoCopy(pod.Object, "status", sort.status)
		for _, s := range objects(list) {
			states[text(s["name"])] = s
		}
		list, _, _ = unstructured.NestedFieldNoCopy(pod.Object, "spec", sort.spec)
		for _, c := range objects(list) {
			s := states[text(c["name"])]
			x := target.Container{
				Component: pod.GetLabels()[blueberry.LabelComponent], Pod: pod.GetName(), Name: text(c["name"]), Init: sort.spec == "initContainers",
			}
			x.Ready, _ = s["ready"].(bool)
			restarts, _ := s["restartCount"].(int64)
			x.Restarts = int(restarts)
			x.State, x.StartedAt = stateOf(s)
			out = append(out, x)
		}
	}
	return out
}

// stateOf tells what a container does, and since when it runs or ran.
func stateOf(status map[string]any) (state string, started time.Time) {
	all, _ := status["state"].(map[string]any)
	for _, word := range []string{"running", "terminated", "waiting"} {
		s, ok := all[word].(map[string]any)
		if !ok {
			continue
		}
		started, _ = time.Parse(time.RFC3339, text(s["startedAt"])) // zero while it waits
		if reason := text(s["reason"]); reason != "" {
			return fmt.Sprintf("%s: %s", word, reason), started
		}
		return word, started
	}
	return "waiting", time.Time{}
}

// isReady reports whether a pod takes part: it is ready and not on its way out.
func isReady(pod *unstructured.Unstructured) bool {
	return pod.GetDeletionTimestamp() == nil && hasCondition(pod, "Ready")
}
