package kube

import (
	"context"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// metrics is where a metrics server answers.
func metrics() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "metrics.k8s.io", Version: "v1beta1", Resource: "pods"}
}

// Usage implements target.Meter, by the metrics API. A pod that was not measured yet is left out.
func (d *Driver) Usage(ctx context.Context, ref target.Ref) ([]target.PodUsage, error) {
	pods, err := d.pods(ctx, ref, "")
	if err != nil {
		return nil, err
	}
	measured := map[string]*unstructured.Unstructured{}
	options := metav1.ListOptions{LabelSelector: environmentLabels(ref, "")}
	err = d.eachPage(ctx, metrics(), ref.Namespace, options, func(page []unstructured.Unstructured) {
		for i := range page {
			measured[page[i].GetName()] = &page[i]
		}
	})
	switch {
	case err != nil && unmeasured(err): // the API itself has just answered
		return nil, blueberry.Errorf(blueberry.Unavailable, "METRICS_MISSING", "nothing in the target measures what pods use: its metrics API does not answer; is a metrics server installed?")
	case err != nil:
		return nil, lacking(ctx, "read what pods use in "+ref.Namespace, "list pods.metrics.k8s.io", err)
	}
	var out []target.PodUsage
	for i := range pods {
		if m := measured[pods[i].GetName()]; m != nil {
			out = append(out, usageOf(&pods[i], m))
		}
	}
	return out, nil
}

// unmeasured reports that there is no metrics API, or that the server behind it is down.
func unmeasured(err error) bool {
	status := apierrors.APIStatus(nil)
	return errors.As(err, &status) && (status.Status().Code == http.StatusNotFound || status.Status().Code >= 500)
}

// usageOf sums up the containers of a pod.
func usageOf(pod, measured *unstructured.Unstructured) target.PodUsage {
	out := target.PodUsage{Component: pod.GetLabels()[blueberry.LabelComponent], Pod: pod.GetName()}
	at, _, _ := unstructured.NestedString(measured.Object, "timestamp")
	out.At, _ = time.Parse(time.RFC3339, at) // zero when it does not say
	list, _, _ := unstructured.NestedFieldNoCopy(measured.Object, "containers")
	for _, c := range objects(list) {
		used, _ := c["usage"].(map[string]any)
		out.CPU += amount(used, "cpu")
		out.Memory += amount(used, "memory")
	}
	requests, limits := asked(pod, "requests"), asked(pod, "limits")
	out.CPURequest, out.CPULimit = requests("cpu"), limits("cpu")
	out.MemoryRequest, out.MemLimit = requests("memory"), limits("memory")
	return out
}

// asked sums up what the containers that run all the time ask for. A limit that one of them lacks is none.
func asked(pod *unstructured.Unstructured, what string) func(resource string) int64 {
	whole, _, _ := unstructured.NestedMap(pod.Object, "spec", "resources", what)
	var running []map[string]any
	list, _, _ := unstructured.NestedFieldNoCopy(pod.Object, "spec", "initContainers")
	for _, c := range objects(list) {
		if c["restartPolicy"] == "Always" {
			running = append(running, c)
		}
	}
	list, _, _ = unstructured.NestedFieldNoCopy(pod.Object, "spec", "containers")
	running = append(running, objects(list)...)
	return func(resource string) int64 {
		if n := amount(whole, resource); n > 0 {
			return n
		}
		var sum int64
		for _, c := range running {
			values, _, _ := unstructured.NestedMap(c, "resources", what)
			n := amount(values, resource)
			if n == 0 && what == "limits" {
				return 0
			}
			sum += n
		}
		return sum
	}
}

// amount reads a quantity: thousandths of a core, or bytes.
func amount(values map[string]any, resource string) int64 {
	q, err := quantity.ParseQuantity(text(values[resource]))
	switch {
	case err != nil:
		return 0
	case resource == "cpu":
		return q.MilliValue()
	}
	return q.Value()
}
