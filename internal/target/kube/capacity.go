package kube

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Capacity implements target.Sizer. Storage is not known: what a node has beside its pods is not what claims are made of.
func (d *Driver) Capacity(ctx context.Context) (blueberry.Demand, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// Version 0 is answered from the memory of the API server: nodes come and go slowly.
	list, err := d.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "nodes"}).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if apierrors.IsForbidden(err) {
		return blueberry.Demand{}, blueberry.Errorf(blueberry.Forbidden, "TARGET_UNREADABLE",
			"how much the target holds is not known: its credential lacks the right to list nodes, in all of the cluster")
	}
	if err != nil {
		return blueberry.Demand{}, fault(ctx, "list nodes", err)
	}
	var sum blueberry.Demand
	for i := range list.Items {
		if n := &list.Items[i]; takesPods(n) {
			sum.CPU += allocatable(n, "cpu").MilliValue()
			sum.Memory += allocatable(n, "memory").Value()
			sum.Pods += allocatable(n, "pods").Value()
		}
	}
	return sum, nil
}

// takesPods reports whether a node is ready and pods of any kind may go there.
func takesPods(node *unstructured.Unstructured) bool {
	if cordoned, _, _ := unstructured.NestedBool(node.Object, "spec", "unschedulable"); cordoned || !hasCondition(node, "Ready") {
		return false
	}
	taints, _, _ := unstructured.NestedFieldNoCopy(node.Object, "spec", "taints")
	for _, t := range objects(taints) {
		if t["effect"] == "NoSchedule" || t["effect"] == "NoExecute" {
			return false
		}
	}
	return true
}

// allocatable is what a node gives to pods of a resource; zero when that cannot be read.
func allocatable(node *unstructured.Unstructured, name string) *quantity.Quantity {
	value, _, _ := unstructured.NestedString(node.Object, "status", "allocatable", name)
	q, err := quantity.ParseQuantity(value)
	if err != nil {
		return &quantity.Quantity{}
	}
	return &q
}
