package console

import (
	"fmt"
	"slices"
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
