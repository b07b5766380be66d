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

// The columns of the graph, from the outside to the inside.
const (
	columnEntry    = iota // ingresses and routes
	columnService         // services, and what moves workloads
	columnWorkload        // deployments, jobs
	columnInside          // pods, config, data
	columns
	columnNone = -1 // is in the list only
)

var columnNames = [columns]string{"Ways in", "Services", "Workloads", "Pods, config and data"}

// columnOf says where an object stands.
func columnOf(kind string) int {
	switch kind {
	case "Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "IngressRoute":
		return columnEntry
	case "Service", "HorizontalPodAutoscaler":
		return columnService
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout":
		return columnWorkload
	case "Pod", "ConfigMap", "Secret", "PersistentVolumeClaim", "ExternalSecret", "SealedSecret":
		return columnInside
	}
	return columnNone
}

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

// layOut gives each node of a column its place: beside what it leads to, below what stands there already. It gives the size of the drawing, none for no node.
func layOut(nodes []node) (width, height int) {
	var in [columns][]int
	for i, n := range nodes {
		if n.Column != columnNone {
			in[n.Column] = append(in[n.Column], i)
		}
	}
	// Workloads are in the order of the list; what is inside follows the first workload that leads there.
	rank := map[int]int{}
	for at, w := range in[columnWorkload] {
		for _, k := range nodes[w].Leads {
			if _, ok := rank[k]; !ok {
				rank[k] = at
			}
		}
	}
	slices.SortStableFunc(in[columnInside], func(a, b int) int {
		ra, oka := rank[a]
		rb, okb := rank[b]
		switch {
		case oka != okb && oka:
			return -1
		case oka != okb:
			return 1
		case ra != rb:
			return ra - rb
		}
		return 0
	})
	for column := columns - 1; column >= 0; column-- {
		want := map[int]int{}
		for at, i := range in[column] {
			sum, n := 0, 0
			for _, k := range nodes[i].Leads {
				if nodes[k].Column > column {
					sum, n = sum+nodes[k].Y, n+1
				}
			}
			want[i] = graphTop + at*rowPitch
			if n > 0 {
				want[i] = sum / n
			}
		}
		if column < columnWorkload {
			slices.SortStableFunc(in[column], func(a, b int) int { return want[a] - want[b] })
		}
		next := graphTop
		for _, i := range in[column] {
			y := next
			if column != columnInside {
				y = max(next, want[i])
			}
			nodes[i].X, nodes[i].Y = graphMargin+column*columnPitch, y
			next = y + rowPitch
			height = max(height, next)
		}
	}
	return graphMargin*2 + (columns-1)*columnPitch + nodeWidth, height
}

// edge is the path of a line from one node to another.
func edge(a, b node) string {
	if a.Column == b.Column {
		return fmt.Sprintf("M%d %dc-14 0-14 %d 0 %d", a.X, a.Y+nodeHeight/2, b.Y-a.Y, b.Y-a.Y)
	}
	x1, y1, x2, y2 := a.X+nodeWidth, a.Y+nodeHeight/2, b.X, b.Y+nodeHeight/2
	mid := x2 - (columnPitch-nodeWidth)/2
	return fmt.Sprintf("M%d %dH%dC%d %d %d %d %d %d", x1, y1, mid-(columnPitch-nodeWidth)/2, mid, y1, mid, y2, x2, y2)
}

// caption is the kind of an object and, where there is room, how it is.
func (n node) caption() string {
	if both := n.Kind + " · " + n.Word; len([]rune(both)) <= 27 {
		return both
	}
	return fitting(n.Kind, 25)
}

// nodesOf is the objects of one component, by their places in the graph.
type nodesOf struct {
	Component string
	At        []int
}

// byComponent groups the objects; those of the platform itself come last.
func (t topologyView) byComponent() (out []nodesOf) {
	for i, n := range t.Nodes {
		k := slices.IndexFunc(out, func(g nodesOf) bool { return g.Component == n.Component })
		if k < 0 {
			out = append(out, nodesOf{Component: n.Component})
			k = len(out) - 1
		}
		out[k].At = append(out[k].At, i)
	}
	slices.SortStableFunc(out, func(a, b nodesOf) int { return lastOfPlatform(a.Component) - lastOfPlatform(b.Component) })
	return out
}

// fitting is a name as far as it fits into a node.
func fitting(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most/2]) + "…" + string(r[len(r)-(most-most/2-1):])
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
