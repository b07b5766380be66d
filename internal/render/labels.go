package render

import (
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// label puts our labels on an object and on the pods it makes. Those of Kubernetes' own vocabulary give way to what the chart says; ours do not. Pods do
// not get the revision: a new number alone must restart nothing. Selectors are left alone.
func (in Input) label(object map[string]any, component string) {
	labels := child(object, "metadata", "labels")
	for key, value := range map[string]string{
		"app.kubernetes.io/name":       component,
		"app.kubernetes.io/instance":   component,
		"app.kubernetes.io/component":  component,
		"app.kubernetes.io/part-of":    in.Blueprint.Name,
		"app.kubernetes.io/managed-by": "blueberry",
	} {
		if _, ok := labels[key]; !ok {
			labels[key] = value
		}
	}
	in.own(labels, component)
	labels[blueberry.LabelRevision] = strconv.Itoa(in.Revision)
	for _, template := range podTemplates(object) {
		if l := child(template, "metadata", "labels"); l != nil {
			in.own(l, component)
			delete(l, blueberry.LabelRevision)
		}
	}
}

func (in Input) own(labels map[string]any, component string) {
	labels[blueberry.LabelProject] = in.Project.Name
	labels[blueberry.LabelEnvironment] = in.Name
	labels[blueberry.LabelComponent] = component
}

// podTemplates are the parts of an object from which Kubernetes makes other objects: pods, jobs, volume claims.
func podTemplates(object map[string]any) []map[string]any {
	var out []map[string]any
	add := func(path ...string) {
		if m, ok := at(object, path...).(map[string]any); ok {
			out = append(out, m)
		}
	}
	switch text(object, "kind") {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout":
		add("spec", "template")
	case "CronJob":
		add("spec", "jobTemplate")
		add("spec", "jobTemplate", "spec", "template")
	}
	claims, _ := at(object, "spec", "volumeClaimTemplates").([]any)
	for _, c := range claims {
		if m, ok := c.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
