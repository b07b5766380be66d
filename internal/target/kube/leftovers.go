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

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// Leftovers implements target.Holdup. What is gone by now is not in the answer.
func (d *Driver) Leftovers(ctx context.Context, _ target.Ref, left []blueberry.ObjectRef) ([]blueberry.Leftover, error) {
	var out []blueberry.Leftover
	for _, o := range left {
		l, there, err := d.leftover(ctx, o)
		if err != nil {
			return nil, err
		}
		if there {
			out = append(out, l)
		}
	}
	return out, nil
}

func (d *Driver) leftover(ctx context.Context, o blueberry.ObjectRef) (blueberry.Leftover, bool, error) {
	l := blueberry.Leftover{ObjectRef: o}
	r, known, err := d.resource(ctx, gvkOf(o))
	if err != nil || !known {
		return l, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live, err := d.dynamic.Resource(r.GroupVersionResource).Namespace(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	switch {
	case gone(err):
		return l, false, nil
	case apierrors.IsForbidden(err): // it can be listed, so this is what is known
		l.Message = "cannot be read: the credential of the target lacks the right to get " + r.GroupResource().String()
		return l, true, nil
	case err != nil:
		return l, false, fault(ctx, "read "+o.String(), err)
	}
	l.Finalizers = live.GetFinalizers()
	if asked := live.GetDeletionTimestamp(); asked != nil {
		l.Since = asked.UTC()
		if grace := live.GetDeletionGracePeriodSeconds(); grace != nil { // the API notes when the object may go
			l.Since = l.Since.Add(-time.Duration(*grace) * time.Second)
		}
	}
	switch {
	case live.GetDeletionTimestamp() == nil:
		l.Message = unasked(live)
	case o.Kind == "Namespace" && o.Group() == "":
		l.Message, l.Fix = namespaceHeld(live)
	case len(l.Finalizers) > 0:
		l.Message, l.Fix = heldObject(r, live)
	case o.Kind == "Pod" && o.Group() == "":
		l.Message, l.Fix = podHeld(live)
	default:
		l.Message = "is being deleted; nothing is known to hold it"
	}
	return l, true, nil
}

// unasked is why an object is there whose deletion nobody has asked for.
func unasked(live *unstructured.Unstructured) string {
	if live.GetKind() == "Namespace" && live.GetAPIVersion() == "v1" {
		return "is deleted when everything in it is gone"
	}
	for _, owner := range live.GetOwnerReferences() {
		if owner.Controller != nil && *owner.Controller {
			return fmt.Sprintf("goes when the place notices that its %s %s is gone", owner.Kind, owner.Name)
		}
	}
	return "is there, and its deletion was not asked for yet; it may have been made anew by another hand"
}

// heldObject tells of an object whose finalizers nobody takes away.
func heldObject(r resource, live *unstructured.Unstructured) (message, fix string) {
	list := live.GetFinalizers()
	message = "waits for " + whoseFinalizers(list)
	what := r.Resource
	if r.Group != "" {
		what += "." + r.Group
	}
	in := ""
	if r.namespaced {
		in = " -n " + live.GetNamespace()
	}
	fix = fmt.Sprintf(`if whoever set %s is gone for good: kubectl patch %s %s%s --type=merge -p '{"metadata":{"finalizers":null}}' (warning: what they would have cleaned up stays, so look for it first)`,
		strings.Join(list, ", "), what, live.GetName(), in)
	return message, fix
}

// whoseFinalizers says what finalizers stand for, as far as they are known.
func whoseFinalizers(list []string) string {
	known := map[string]string{
		"kubernetes.io/pvc-protection":                "the pods that use the volume (kubernetes.io/pvc-protection)",
		"kubernetes.io/pv-protection":                 "the claim that is bound to the volume (kubernetes.io/pv-protection)",
		"service.kubernetes.io/load-balancer-cleanup": "the cloud to take its load balancer down (service.kubernetes.io/load-balancer-cleanup)",
		"batch.kubernetes.io/job-tracking":            "the Job to count the pod (batch.kubernetes.io/job-tracking)",
		metav1.FinalizerDeleteDependents:              "what depends on it to be deleted (foregroundDeletion)",
		metav1.FinalizerOrphanDependents:              "what depends on it to be let go (orphan)",
		"resources-finalizer.argocd.argoproj.io":      "Argo CD to delete what the application made (resources-finalizer.argocd.argoproj.io)",
	}
	out := make([]string, 0, len(list))
	for _, f := range list {
		if say, ok := known[f]; ok {
			out = append(out, say)
		} else {
			out = append(out, "the controller that set the finalizer "+f)
		}
	}
	return strings.Join(out, ", and for ")
}

// podHeld tells of a pod whose end no kubelet has confirmed.
func podHeld(live *unstructured.Unstructured) (message, fix string) {
	node, _, _ := unstructured.NestedString(live.Object, "spec", "nodeName")
	if node == "" {
		return "is being deleted; nothing is known to hold it", ""
	}
	return fmt.Sprintf("waits for node %s to say that its containers have ended", node),
		fmt.Sprintf("if the node is gone for good: kubectl delete pod %s -n %s --grace-period=0 --force (warning: its containers may run on if the node only lost its connection)",
			live.GetName(), live.GetNamespace())
}

// namespaceHeld tells what a namespace waits for: its own controller says so in conditions.
func namespaceHeld(live *unstructured.Unstructured) (message, fix string) {
	var said []string
	broken, content := false, false
	for _, c := range conditions(live) {
		if c["status"] != "True" {
			continue
		}
		switch c["type"] {
		case "NamespaceFinalizersRemaining", "NamespaceContentRemaining":
			content = true
		case "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure":
			broken = true
		case "NamespaceDeletionContentFailure":
		default:
			continue
		}
		said = append(said, strings.TrimSuffix(text(c["message"]), "."))
	}
	slices.Sort(said)
	message = "is being deleted; nothing is known to hold it"
	if len(said) > 0 {
		message = "is being deleted: " + strings.Join(said, "; ")
	}
	switch own := live.GetFinalizers(); {
	case broken:
		fix = "an API group does not answer, so the place does not know what is left: kubectl get apiservices shows which one; mend it, or delete its APIService " +
			"(warning: deleting it takes the kinds of that group away from everybody)"
	case content:
		fix = "the namespace goes by itself when what is in it is gone; do not take its own finalizer away (warning: what is in it would stay, out of everybody's sight)"
	case len(own) > 0:
		fix = fmt.Sprintf(`if whoever set %s is gone for good: kubectl patch namespace %s --type=merge -p '{"metadata":{"finalizers":null}}' (warning: what they would have cleaned up stays, so look for it first)`,
			strings.Join(own, ", "), live.GetName())
		message = "waits for " + whoseFinalizers(own)
	}
	return message, fix
}
