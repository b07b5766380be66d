package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// partOf tells what an object adds to the workload of its component.
func partOf(u *unstructured.Unstructured, deleting bool) part {
	switch gvk := u.GroupVersionKind(); {
	case gvk.Group == "" && gvk.Kind == "Pod":
		return podPart(u, deleting)
	case gvk.Group == "" && gvk.Kind == "Service":
		selector, _, _ := unstructured.NestedMap(u.Object, "spec", "selector")
		kind, _, _ := unstructured.NestedString(u.Object, "spec", "type")
		return part{service: !deleting && len(selector) > 0 && kind != "ExternalName"}
	case gvk.Group == "discovery.k8s.io" && gvk.Kind == "EndpointSlice":
		return slicePart(u, deleting)
	case gvk.Group == "batch" && gvk.Kind == "Job":
		return jobPart(u)
	case gvk.Group == "batch" && gvk.Kind == "CronJob":
		return part{} // its pods come and go; its Jobs are not ours
	case controlled(u):
		return part{} // a ReplicaSet: its Deployment counts
	case gvk.Kind == "DaemonSet":
		n, _, _ := unstructured.NestedInt64(u.Object, "status", "desiredNumberScheduled")
		return part{wanted: int32(n)}
	}
	if _, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "template", "spec", "containers"); !ok {
		return part{}
	}
	n, ok, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
	if !ok {
		n = 1
	}
	return part{wanted: int32(n), failure: replicaFailure(u)}
}

// controlled reports whether another object made this one and looks after it.
func controlled(u *unstructured.Unstructured) bool {
	list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", "ownerReferences")
	for _, o := range objects(list) {
		if o["controller"] == true {
			return true
		}
	}
	return false
}

// replicaFailure is why pods cannot even be made: a quota, an admission rule.
func replicaFailure(u *unstructured.Unstructured) blueberry.Failure {
	for _, c := range conditions(u) {
		if c["type"] == "ReplicaFailure" && c["status"] == "True" {
			return blueberry.Failure{Reason: text(c["reason"]), Message: text(c["message"]), Hard: true}
		}
	}
	return blueberry.Failure{}
}

func jobPart(u *unstructured.Unstructured) part {
	if hasCondition(u, "Complete") || suspended(u) {
		return part{}
	}
	for _, c := range conditions(u) {
		if c["type"] == "Failed" && c["status"] == "True" {
			return part{failure: blueberry.Failure{Reason: text(c["reason"]), Message: text(c["message"]), Hard: true}}
		}
	}
	if controlled(u) { // a run of a CronJob: nothing waits for it
		return part{}
	}
	n, ok, _ := unstructured.NestedInt64(u.Object, "spec", "parallelism")
	if !ok {
		n = 1
	}
	return part{wanted: int32(n)}
}

func slicePart(u *unstructured.Unstructured, deleting bool) part {
	p := part{slice: u.GetLabels()["kubernetes.io/service-name"]}
	list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "ports")
	if _, headless := u.GetLabels()["service.kubernetes.io/headless"]; !headless && len(objects(list)) == 0 {
		return p // the Service leads to a port by a name that its pods do not have
	}
	list, _, _ = unstructured.NestedFieldNoCopy(u.Object, "endpoints")
	for _, e := range objects(list) {
		conds, _ := e["conditions"].(map[string]any)
		if ready, known := conds["ready"]; !deleting && (!known || ready == true) { // the API: unknown counts as ready
			p.ready = true
		}
	}
	return p
}

// podPart reads a pod. One that is on its way out, or that ended and is left behind, does not count.
func podPart(u *unstructured.Unstructured, deleting bool) part {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	if deleting || phase == "Failed" || phase == "Succeeded" {
		return part{}
	}
	p := part{pod: true}
	if !controlled(u) {
		p.wanted = 1
	}
	node, _, _ := unstructured.NestedString(u.Object, "spec", "nodeName")
	p.scheduled = node != ""
	for _, c := range conditions(u) {
		switch {
		case c["type"] == "Ready" && c["status"] == "True":
			p.ready = true
		case c["type"] == "PodScheduled" && c["status"] == "False" && c["reason"] == "Unschedulable":
			p.failure = blueberry.Failure{Reason: "Unschedulable", Message: text(c["message"])}
		}
	}
	var containers int
	for _, field := range []string{"initContainerStatuses", "containerStatuses"} {
		list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", field)
		for _, c := range objects(list) {
			state, _ := c["state"].(map[string]any)
			if field == "containerStatuses" && state["running"] != nil {
				containers++
			}
			if f := containerFailure(c, state); worse(f, p.failure) {
				f.Message = fmt.Sprintf("pod %s: %s", u.GetName(), f.Message)
				p.failure = f
			}
		}
	}
	spec, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "containers")
	p.started = containers > 0 && containers >= len(objects(spec))
	return p
}

// containerFailure is what keeps a container from running.
func containerFailure(c, state map[string]any) blueberry.Failure {
	waiting, _ := state["waiting"].(map[string]any)
	reason, message := text(waiting["reason"]), text(waiting["message"])
	last, _ := c["lastState"].(map[string]any)
	ended, _ := last["terminated"].(map[string]any)
	if ended == nil {
		ended, _ = state["terminated"].(map[string]any)
	}
	if ended != nil && ended["reason"] != nil && ended["exitCode"] != int64(0) {
		message = fmt.Sprintf("ended with %s, exit code %v; %s", text(ended["reason"]), ended["exitCode"], message)
	}
	f := blueberry.Failure{Reason: reason, Message: fmt.Sprintf("container %s: %s", text(c["name"]), message)}
	switch reason {
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PostStartHookError":
		f.Hard = true
	case "", "ContainerCreating", "PodInitializing":
		return blueberry.Failure{}
	}
	return f
}

// worse orders failures: hard before soft before none.
func worse(a, b blueberry.Failure) bool {
	if a.Hard != b.Hard {
		return a.Hard
	}
	return a.Reason != "" && b.Reason == ""
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
