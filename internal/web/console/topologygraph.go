package console

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/sdk"
)

// node is one object of the graph.
type node struct {
	Kind, Name, Component string
	Shape                 shape
	Word                  string // how it is, for people
	To                    string // page about it; empty for none
	Leads                 []int  // to these nodes
	Column                int
	X, Y                  int // of its upper left corner; only of those in a column

	shape outline
}

// outline is what a manifest says of how objects lead to each other.
type outline struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Spec yaml.Node `yaml:"spec"`
}

// maxPods is how many pods of a workload are drawn; the others are counted.
const maxPods = 6

// Sizes of the drawing, in its own units.
const (
	nodeWidth, nodeHeight = 196, 46
	columnPitch, rowPitch = 240, 58
	graphTop, graphMargin = 34, 4
)

// topologyView is how the objects of one environment lead to each other.
type topologyView struct {
	environmentView
	Nodes         []node
	Width, Height int
	Problem       string // why nothing is known of the pods
}

// drawn reports whether anything stands in a column.
func (t topologyView) drawn() bool { return t.Height > 0 }

func environmentTopology(v *visit) (page, error) {
	e, err := v.environment("topology")
	if err != nil {
		return page{}, err
	}
	t := topologyView{environmentView: e}
	list, err := v.api.ListEnvironmentObjects(v.ctx, e.ID)
	if err != nil {
		return page{}, err
	}
	var outlines []outline
	if e.Phase != sdk.Terminated {
		r, err := v.api.GetEnvironmentRendering(v.ctx, e.ID, e.Revision)
		if err != nil {
			return page{}, err
		}
		outlines = outlinesOf(r)
	}
	var containers []sdk.Container
	var why sdk.Why
	if e.Phase != sdk.Terminating && e.Phase != sdk.Terminated {
		containers, t.Problem = v.containers(e)
		why, _ = v.why(e.ID) // what the target does not say is not drawn
	}
	t.Nodes = graph(e.Environment, list.Items, outlines, containers, why.Causes)
	t.Width, t.Height = layOut(t.Nodes)
	return e.page("Topology", page{Body: topologyBody(t)}), nil
}

// outlinesOf reads the manifests of a rendering. A document that is no object is left out: it is not ours to judge here.
func outlinesOf(r sdk.Rendering) (out []outline) {
	for _, f := range r.Files {
		for d := yaml.NewDecoder(strings.NewReader(f.Content)); ; {
			var o outline
			err := d.Decode(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			var odd *yaml.TypeError
			if err != nil && !errors.As(err, &odd) {
				break
			}
			if o.Kind != "" {
				out = append(out, o)
			}
		}
	}
	return out
}

// graph makes the nodes and how they lead to each other.
func graph(e sdk.Environment, objects []sdk.Object, outlines []outline, containers []sdk.Container, causes []sdk.Cause) []node {
	var nodes []node
	for _, o := range objects {
		if !o.GoneAt.IsZero() && e.Phase != sdk.Terminated {
			continue
		}
		n := node{Kind: o.Kind, Name: o.Name, Component: o.Component, Column: columnOf(o.Kind), Shape: good, Word: "there"}
		switch {
		case !o.GoneAt.IsZero():
			n.Shape, n.Word = idle, "gone"
		case o.MadeAt.IsZero() && e.SyncedRevision < o.Revision:
			n.Shape, n.Word = busy, "being made"
		}
		if o.GoneAt.IsZero() {
			n.To = objectPath(e.ID, o)
		}
		for _, x := range outlines {
			if x.Kind == o.Kind && x.Metadata.Name == o.Name && x.APIVersion == o.APIVersion {
				n.shape = x
			}
		}
		nodes = append(nodes, n)
	}
	nodes = withPods(e, nodes, containers)
	for i := range nodes {
		nodes[i].Leads = append(nodes[i].Leads, leads(nodes, i)...)
		slices.Sort(nodes[i].Leads)
		nodes[i].Leads = slices.Compact(nodes[i].Leads)
	}
	judge(nodes, causes)
	return nodes
}

// withPods adds the pods of each workload.
func withPods(e sdk.Environment, nodes []node, containers []sdk.Container) []node {
	workloads := len(nodes)
	for i := range workloads {
		w := &nodes[i]
		if w.Column != columnWorkload || w.Word == "gone" {
			continue
		}
		c := componentView{}
		for _, x := range containers {
			if workloadOf(nodes[:workloads], x) == i {
				c.Containers = append(c.Containers, x)
			}
		}
		if len(c.Containers) == 0 {
			if e.Sleep.Asleep && (w.Kind == "Deployment" || w.Kind == "StatefulSet") {
				w.Shape, w.Word = doze, "asleep"
			}
			continue
		}
		ready, all := c.pods()
		w.Shape, w.Word = c.shape(false), c.word()
		if w.Kind == "Job" || w.Kind == "CronJob" {
			w.Shape, w.Word = shapeOfContainer(c.Containers[len(c.Containers)-1]), c.Containers[len(c.Containers)-1].State
		}
		pods := podsOf(c.Containers)
		for k, name := range pods {
			if k == maxPods-1 && len(pods) > maxPods {
				nodes = append(nodes, node{
					Kind: "Pods", Name: fmt.Sprintf("and %d more", len(pods)-k), Component: w.Component, Column: columnInside, Shape: w.Shape, Word: fmt.Sprintf("%d of all %d ready", ready, all),
					To: environmentPath(e.ID, "logs") + "?" + url.Values{"component": {w.Component}}.Encode(),
				})
				w = &nodes[i]
				w.Leads = append(w.Leads, len(nodes)-1)
				break
			}
			p := node{Kind: "Pod", Name: name, Component: w.Component, Column: columnInside, Shape: good, Word: "running", To: environmentPath(e.ID, "logs") + "?" + url.Values{"pod": {name}}.Encode()}
			for _, x := range c.Containers {
				if x.Pod == name && (p.Shape == good || !x.Ready) && !x.Init {
					p.Shape, p.Word = shapeOfContainer(x), x.State
				}
			}
			nodes = append(nodes, p)
			w = &nodes[i] // it may have moved
			w.Leads = append(w.Leads, len(nodes)-1)
		}
	}
	return nodes
}

// workloadOf is the workload that a pod has its name of; -1 for none.
func workloadOf(nodes []node, c sdk.Container) int {
	best := -1
	for i, n := range nodes {
		if n.Column == columnWorkload && n.Component == c.Component && strings.HasPrefix(c.Pod, n.Name+"-") && (best < 0 || len(n.Name) > len(nodes[best].Name)) {
			best = i
		}
	}
	return best
}

// leads gives where an object leads by its manifest: an ingress to services, a service to workloads that have its labels, an autoscaler to what it moves, a workload to
// config and data that it names.
func leads(nodes []node, i int) (out []int) {
	add := func(kind, name string) {
		for k, n := range nodes {
			if k != i && n.Name == name && (n.Kind == kind || kind == "") {
				out = append(out, k)
			}
		}
	}
	n := nodes[i]
	switch n.Column {
	case columnEntry:
		walk(&n.shape.Spec, func(key string, value *yaml.Node) {
			switch key {
			case "service", "backendRef": // of an Ingress
				add("Service", textAt(value, "name"))
			case "serviceName":
				add("Service", value.Value)
			case "backendRefs", "services": // of an HTTPRoute, and of others
				for _, x := range value.Content {
					add("Service", textAt(x, "name"))
				}
			}
		})
	case columnService:
		if target := at(&n.shape.Spec, "scaleTargetRef"); target != nil {
			add(textAt(target, "kind"), textAt(target, "name"))
		}
		if selector := labelsAt(&n.shape.Spec, "selector"); len(selector) > 0 {
			for k, w := range nodes {
				if w.Column == columnWorkload && holds(labelsAt(&w.shape.Spec, "template", "metadata", "labels"), selector) {
					out = append(out, k)
				}
			}
		}
	case columnWorkload:
		walk(&n.shape.Spec, func(key string, value *yaml.Node) {
			switch key {
			case "configMapRef", "configMapKeyRef", "configMap":
				add("ConfigMap", textAt(value, "name"))
			case "secretRef", "secretKeyRef":
				add("Secret", textAt(value, "name"))
			case "secret":
				add("Secret", textAt(value, "secretName"))
				add("Secret", textAt(value, "name"))
			case "imagePullSecrets":
				for _, x := range value.Content {
					add("Secret", textAt(x, "name"))
				}
			case "persistentVolumeClaim":
				add("PersistentVolumeClaim", textAt(value, "claimName"))
			}
		})
	case columnInside:
		if n.Kind == "ExternalSecret" || n.Kind == "SealedSecret" {
			add("Secret", n.Name)
		}
	}
	return slices.DeleteFunc(out, func(k int) bool { return nodes[k].Name == "" })
}

// judge tells of each object what is known to be wrong with it. What a service leads to says how it is.
func judge(nodes []node, causes []sdk.Cause) {
	for i := range nodes {
		n := &nodes[i]
		if n.Kind != "Service" || n.Word != "there" {
			continue
		}
		workloads, ready := 0, 0
		for _, k := range n.Leads {
			if nodes[k].Column != columnWorkload {
				continue
			}
			workloads++
			for _, p := range nodes[k].Leads {
				if nodes[p].Kind == "Pod" && nodes[p].Shape == good {
					ready++
				}
			}
			if nodes[k].Shape == doze {
				n.Shape, n.Word = doze, "asleep"
			}
		}
		switch {
		case ready > 0:
			n.Word = "reaches pods"
		case workloads > 0 && n.Shape != doze:
			n.Shape, n.Word = warn, "reaches no ready pod"
		}
	}
	for _, c := range causes {
		if c.Object == nil {
			continue
		}
		for i := range nodes {
			if n := &nodes[i]; n.Kind == c.Object.Kind && n.Name == c.Object.Name {
				n.Shape, n.Word = shapeOfSeverity(c.Severity), c.Code
			}
		}
	}
}

// walk calls f with every key of a tree.
func walk(n *yaml.Node, f func(key string, value *yaml.Node)) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			f(n.Content[i].Value, n.Content[i+1])
			walk(n.Content[i+1], f)
		}
		return
	}
	for _, x := range n.Content {
		walk(x, f)
	}
}

// at is what stands at a path of keys; nil for nothing.
func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		var next *yaml.Node
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == key {
					next = n.Content[i+1]
				}
			}
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}

func textAt(n *yaml.Node, path ...string) string {
	if x := at(n, path...); x != nil && x.Kind == yaml.ScalarNode {
		return x.Value
	}
	return ""
}

func labelsAt(n *yaml.Node, path ...string) map[string]string {
	x := at(n, path...)
	if x == nil || x.Kind != yaml.MappingNode {
		return nil
	}
	out := map[string]string{}
	for i := 0; i+1 < len(x.Content); i += 2 {
		out[x.Content[i].Value] = x.Content[i+1].Value
	}
	return out
}

// holds reports whether labels have all of a selector.
func holds(labels, selector map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}
