package kube

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What the scheduler says: "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). preemption: …".
var (
	nodesSay   = regexp.MustCompile(`^\d+/(\d+) nodes are available: ([^.]*(?:\.[^ .][^.]*)*)`) // up to the end of the sentence
	countedSay = regexp.MustCompile(`(?:^|, )(\d+) `)
	noClaim    = regexp.MustCompile(`persistentvolumeclaim "([^"]+)" (?:not found|is being deleted)`)
)

// obstacle is one reason of the scheduler, with on how many nodes it stands.
type obstacle struct {
	code  blueberry.CauseCode
	nodes int
	text  string
}

// obstacles reads the scheduler's message, what stands on most nodes first; of as many nodes the earlier in the waterfall.
func obstacles(message string) (list []obstacle, total int) {
	m := nodesSay.FindStringSubmatch(message)
	if m == nil {
		return nil, 0
	}
	total, _ = strconv.Atoi(m[1])
	starts := countedSay.FindAllStringSubmatchIndex(m[2], -1)
	for i, at := range starts {
		end := len(m[2])
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		n, _ := strconv.Atoi(m[2][at[2]:at[3]])
		o := obstacle{blueberry.CauseUnschedulable, n, m[2][at[1]:end]}
		switch {
		case o.text == "Insufficient cpu":
			o.code = blueberry.CauseNoCPU
		case o.text == "Insufficient memory":
			o.code = blueberry.CauseNoMemory
		case strings.Contains(o.text, "taint"):
			o.code = blueberry.CauseTaint
		}
		list = append(list, o)
	}
	order := blueberry.CauseCodes()
	slices.SortStableFunc(list, func(a, b obstacle) int {
		if a.nodes != b.nodes {
			return b.nodes - a.nodes
		}
		return slices.Index(order, a.code) - slices.Index(order, b.code)
	})
	return list, total
}

// unscheduled finds out why a pod has no node.
func (l *look) unscheduled(ctx context.Context, s suspect, pod *unstructured.Unstructured) ([]blueberry.Cause, error) {
	message, evidence := "", blueberry.Evidence{}
	for _, c := range conditions(pod) {
		if c["type"] == "PodScheduled" && c["status"] == "False" {
			message = text(c["message"])
			at, _ := time.Parse(time.RFC3339, text(c["lastTransitionTime"]))
			evidence = blueberry.NewEvidence("condition PodScheduled of "+s.ref.String(), text(c["reason"])+": "+message, at)
		}
	}
	if message == "" {
		l.open = true // the scheduler has not had its turn
		return nil, nil
	}
	var out blueberry.Cause
	list, total := obstacles(message)
	switch {
	case strings.Contains(message, "PersistentVolumeClaim"), noClaim.MatchString(message), strings.Contains(message, "persistent volumes to bind"):
		return l.claimsOf(ctx, s, pod, message, evidence)
	case len(list) > 0 && list[0].code == blueberry.CauseTaint:
		nodes, err := l.nodes(ctx)
		if err != nil {
			return nil, err
		}
		out = tainted(s, pod, nodes, list[0], total)
		l.open = out.Code == blueberry.CauseNodeNotReady // the pod does not change when they are
	case len(list) > 0 && list[0].code != blueberry.CauseUnschedulable:
		nodes, err := l.nodes(ctx)
		if err != nil {
			return nil, err
		}
		out = tooBig(s, pod, nodes, list[0], total)
	default:
		out = s.cause(blueberry.CauseUnschedulable, blueberry.Waits, "no node takes pod %s: %s", s.ref.Name, clip(message))
		out.Fix = fmt.Sprintf("correct node selector, affinity or ports of component %s, or give the target a node that fits", s.component)
		if len(list) > 0 {
			out.Message = fmt.Sprintf("no node takes pod %s: %d of %d %s", s.ref.Name, list[0].nodes, total, list[0].text)
		}
	}
	out.Evidence = append(out.Evidence, evidence)
	return []blueberry.Cause{out}, nil
}

// tooBig is a pod that asks for more than any node has free.
func tooBig(s suspect, pod *unstructured.Unstructured, nodes []unstructured.Unstructured, o obstacle, total int) blueberry.Cause {
	resource, field := "cpu", "CPU"
	if o.code == blueberry.CauseNoMemory {
		resource, field = "memory", "memory"
	}
	asks := requested(pod, resource)
	out := s.cause(o.code, blueberry.Waits, "pod %s asks for %s of %s, and %d of %d nodes have less free", s.ref.Name, asks.String(), field, o.nodes, total)
	out.Fix = fmt.Sprintf("lower resources.requests.%s or replicas of component %s, end environments that nobody needs, or give the target a bigger node", resource, s.component)
	biggest := quantity.Quantity{}
	for i := range nodes {
		if q := allocatable(&nodes[i], resource); q.Cmp(biggest) > 0 {
			biggest = *q
		}
	}
	if !biggest.IsZero() {
		out.Message += fmt.Sprintf("; the biggest holds %s in all", biggest.String())
		out.Evidence = append(out.Evidence, blueberry.NewEvidence("nodes", fmt.Sprintf("the biggest has allocatable %s %s", resource, biggest.String()), s.at))
	}
	return out
}

// requested is what the containers of a pod ask for together; an init container counts when it asks for more than all of them.
func requested(pod *unstructured.Unstructured, resource string) quantity.Quantity {
	var sum quantity.Quantity
	ask := func(c map[string]any) quantity.Quantity {
		resources, _ := c["resources"].(map[string]any)
		requests, _ := resources["requests"].(map[string]any)
		q, err := quantity.ParseQuantity(text(requests[resource]))
		if err != nil {
			return quantity.Quantity{}
		}
		return q
	}
	list, _, _ := unstructured.NestedFieldNoCopy(pod.Object, "spec", "containers")
	for _, c := range objects(list) {
		sum.Add(ask(c))
	}
	list, _, _ = unstructured.NestedFieldNoCopy(pod.Object, "spec", "initContainers")
	for _, c := range objects(list) {
		if q := ask(c); q.Cmp(sum) > 0 {
			sum = q
		}
	}
	return sum
}

// tainted is a pod that does not tolerate the taints of the nodes. Nodes that are not ready have taints too, set by the place.
func tainted(s suspect, pod *unstructured.Unstructured, nodes []unstructured.Unstructured, o obstacle, total int) blueberry.Cause {
	tolerations, _, _ := unstructured.NestedFieldNoCopy(pod.Object, "spec", "tolerations")
	on := map[string]int{}
	var lost []string
	for i := range nodes {
		taints, _, _ := unstructured.NestedFieldNoCopy(nodes[i].Object, "spec", "taints")
		for _, t := range objects(taints) {
			if t["effect"] == "PreferNoSchedule" || tolerates(objects(tolerations), t) {
				continue
			}
			if key := text(t["key"]); key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable" {
				lost = append(lost, nodes[i].GetName())
			}
			on[taintText(t)]++
		}
	}
	if len(lost) > 0 && len(lost) >= o.nodes {
		slices.Sort(lost)
		lost = slices.Compact(lost)
		out := s.cause(blueberry.CauseNodeNotReady, blueberry.Waits, "pod %s gets no node: %d of %d are not ready (%s)", s.ref.Name, len(lost), total, clip(strings.Join(lost, ", ")))
		out.Fix = "mend or replace the nodes: kubectl describe node " + lost[0]
		return out
	}
	var list []string
	for t, n := range on {
		list = append(list, fmt.Sprintf("%s on %d", t, n))
	}
	slices.Sort(list)
	out := s.cause(blueberry.CauseTaint, blueberry.Waits, "pod %s does not tolerate the taints of %d of %d nodes", s.ref.Name, o.nodes, total)
	if len(list) > 0 {
		out.Message += ": " + clip(strings.Join(list, ", "))
		out.Evidence = append(out.Evidence, blueberry.NewEvidence("taints of nodes that the pod does not tolerate", strings.Join(list, "\n"), s.at))
	}
	out.Fix = fmt.Sprintf("add a toleration to component %s, or give the target a node without these taints", s.component)
	return out
}

func taintText(t map[string]any) string {
	s := text(t["key"])
	if v := text(t["value"]); v != "" {
		s += "=" + v
	}
	return s + ":" + text(t["effect"])
}

func tolerates(tolerations []map[string]any, taint map[string]any) bool {
	return slices.ContainsFunc(tolerations, func(t map[string]any) bool {
		if e := text(t["effect"]); e != "" && e != taint["effect"] {
			return false
		}
		if key := text(t["key"]); key != "" && key != taint["key"] {
			return false
		}
		return t["operator"] == "Exists" || text(t["value"]) == text(taint["value"]) && text(t["key"]) != ""
	})
}

// nodesKept is how long the nodes are remembered: many environments may be short of the same.
const nodesKept = 15 * time.Second

// nodesSeen are the nodes of the place, as last listed for an Explain.
type nodesSeen struct {
	mu   sync.Mutex
	list []unstructured.Unstructured
	at   time.Time

	kindsAsked time.Time // for those of cert-manager
}

// nodes lists the nodes; none when they are not for us to see.
func (l *look) nodes(ctx context.Context) ([]unstructured.Unstructured, error) {
	n := &l.seen
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.began.Sub(n.at) < nodesKept {
		return n.list, nil
	}
	// Version 0 is answered from the memory of the API server.
	list, err := l.list(ctx, schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, "", metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	n.list, n.at = list, l.began
	for i := range list { // what is asked of them is small
		unstructured.RemoveNestedField(list[i].Object, "status", "images")
		unstructured.RemoveNestedField(list[i].Object, "metadata", "managedFields")
	}
	return list, nil
}
