package kube

import (
	"slices"
	"strings"
)

// right is what the driver asks of the API about one kind of thing, in all of the cluster.
type right struct {
	group    string
	resource string // "pods/log"
	kind     string // for people: "Pod", "logs of Pod"
	verbs    []string
	optional bool
	without  string // what does not work without it
}

// name is that of the check: "read Deployment.apps".
func (r right) name() string {
	word := "use"
	switch {
	case slices.Contains(r.verbs, "list"):
		word = "read"
	case slices.Contains(r.verbs, "delete"):
		word = "write"
	}
	kind := r.kind
	if r.group != "" {
		kind += "." + r.group
	}
	return word + " " + kind
}

// slug is the name of the role that grants it.
func (r right) slug() string {
	word, _, _ := strings.Cut(r.name(), " ")
	s := strings.ReplaceAll(r.resource, "/", "-")
	if r.group != "" {
		s += "." + r.group
	}
	return "blueberry:" + word + ":" + s
}

// rights are all that the driver uses. A test runs it with these and no others, and looks that it uses each.
func rights() []right {
	read, write := []string{"get", "list", "watch"}, []string{"create", "patch", "delete"}
	const broken = "no environment of the target works"
	var out []right
	for _, x := range always() {
		r := right{group: x.Group, resource: x.Resource, kind: x.kind.Kind, verbs: read, without: broken}
		if x.Resource == "endpointslices" { // a controller makes them
			r.verbs = []string{"list", "watch"}
			out = append(out, r)
			continue
		}
		out = append(out, r)
		r.verbs, r.without = write, "no environment that has such objects can be made, changed or removed"
		r.optional = x.Resource == "pods" // blueprints have workloads that make them
		out = append(out, r)
	}
	able := func(group, resource, kind, without string, verbs ...string) {
		out = append(out, right{group: group, resource: resource, kind: kind, verbs: verbs, optional: true, without: without})
	}
	able("", "events", "Event", "the target's events are not shown", "list")
	able("", "nodes", "Node", "how much the target holds is not known, nor what is wrong with the node of a pod", "get", "list")
	able("apps", "replicasets", "ReplicaSet", "pods that nothing looks after any more are not found", "get", "list")
	able("networking.k8s.io", "ingressclasses", "IngressClass", "why an Ingress is not served is not told", "list")
	able("storage.k8s.io", "storageclasses", "StorageClass", "why a volume is not made is not told", "get")
	able("", "pods/log", "logs of Pod", "logs are not shown, nor kept", "get")
	able("", "pods/exec", "shells in Pod", "no shell can be opened", "get", "create")
	able("apps", "deployments/scale", "scale of Deployment", "environments cannot sleep or be scaled", "patch")
	able("apps", "statefulsets/scale", "scale of StatefulSet", "environments cannot sleep or be scaled", "patch")
	return out
}

// definition is a kind that a target may have, and what we do with it then.
type definition struct {
	group, resource, kind string
	scale                 bool
	without               string
}

func (d definition) name() string { return "definition " + d.resource + "." + d.group }

// rights are those that are of use once the kind is there.
func (d definition) rights() []right {
	r := right{group: d.group, resource: d.resource, kind: d.kind, verbs: []string{"get", "list", "watch"}, optional: true, without: d.without}
	if d.group == metrics().Group { // what is measured can only be listed
		r.verbs = []string{"list"}
		return []right{r}
	}
	out := []right{r}
	if d.group == "cert-manager.io" { // its steps, in which it says what it waits for
		for _, step := range []right{
			{group: d.group, resource: "certificaterequests", kind: "CertificateRequest"},
			{group: "acme.cert-manager.io", resource: "orders", kind: "Order"},
			{group: "acme.cert-manager.io", resource: "challenges", kind: "Challenge"},
		} {
			step.verbs, step.optional, step.without = []string{"list"}, true, d.without
			out = append(out, step)
		}
	}
	r.verbs = []string{"create", "patch", "delete"}
	out = append(out, r)
	if d.scale {
		r.resource, r.kind, r.verbs = d.resource+"/scale", "scale of "+d.kind, []string{"patch"}
		out = append(out, r)
	}
	return out
}

// definitions are the kinds that are not of Kubernetes itself.
func definitions() []definition {
	return []definition{
		{group: "argoproj.io", resource: "rollouts", kind: "Rollout", scale: true, without: "components cannot be rolled out step by step"},
		{group: "gateway.networking.k8s.io", resource: "httproutes", kind: "HTTPRoute", without: "components are reached by Ingress, not by a Gateway"},
		{group: "cert-manager.io", resource: "certificates", kind: "Certificate", without: "why a certificate is not there is not told"},
		{group: metrics().Group, resource: metrics().Resource, kind: "PodMetrics", without: "what pods use is not shown"},
	}
}
