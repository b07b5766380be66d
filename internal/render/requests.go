package render

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Requests is what the manifests of a rendering ask of their target to run as they stand: what a scheduler sets aside for their pods, by Kubernetes' rule,
// and their volumes. A workload with an autoscaler counts with the fewest pods that it may have. What runs only now and then, or on each node, is named and
// not counted.
func Requests(r blueberry.Rendering, revision int) (blueberry.Requests, error) {
	var parts []part
	for _, f := range r.Files {
		all, err := readFile(f)
		if err != nil {
			return blueberry.Requests{}, err
		}
		parts = append(parts, part{component: blueberry.Component{Name: f.Component}, wave: f.Wave, manifests: all})
	}
	return requestsOf(parts, revision), nil
}

// requestsOf is Requests of what is not written yet. The order of the parts does not matter.
func requestsOf(parts []part, revision int) blueberry.Requests {
	out, scaled := blueberry.Requests{Revision: revision}, autoscalers(parts)
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.wave, b.wave), cmp.Compare(a.component.Name, b.component.Name))
	})
	for _, p := range parts {
		var sum asking
		for _, m := range p.manifests {
			sum.object(m, scaled)
		}
		if asked := sum.part(p.component.Name); asked != (blueberry.ComponentRequests{Component: p.component.Name}) {
			out.Parts = append(out.Parts, asked)
		}
		for _, what := range sum.left {
			out.NotCounted = append(out.NotCounted, p.component.Name+": "+what)
		}
	}
	return out
}

// bounds is between how many pods an autoscaler keeps a workload.
type bounds struct{ least, most int64 }

// autoscalers gives the bounds of workloads by "Kind name".
func autoscalers(parts []part) map[string]bounds {
	out := map[string]bounds{}
	for _, p := range parts {
		for _, m := range p.manifests {
			ref := cmp.Or(text(m.object, "spec", "scaleTargetRef", "kind"), "Deployment") + " " + text(m.object, "spec", "scaleTargetRef", "name")
			switch m.kind() {
			case "HorizontalPodAutoscaler":
				least := number(m.object, 1, "spec", "minReplicas")
				out[ref] = bounds{least, number(m.object, least, "spec", "maxReplicas")}
			case "ScaledObject": // of KEDA, with the numbers that it takes when none are said
				out[ref] = bounds{number(m.object, 0, "spec", "minReplicaCount"), number(m.object, 100, "spec", "maxReplicaCount")}
			}
		}
	}
	return out
}

// asking is what the objects of one component ask for together.
type asking struct {
	pods                 int64
	cpu, memory, storage resource.Quantity
	left                 []string
}

func (a *asking) object(m manifest, scaled map[string]bounds) {
	pods, spec := int64(0), at(m.object, "spec", "template", "spec")
	switch m.kind() {
	case "Deployment", "Rollout", "StatefulSet", "ReplicaSet", "ReplicationController":
		pods = number(m.object, 1, "spec", "replicas")
		if b, ok := scaled[m.kind()+" "+m.name()]; ok {
			pods = b.least
			if b.most > pods {
				a.leave("%s %s grows from %d to %d pods when it has to", m.kind(), m.name(), pods, b.most)
			}
		}
	case "Pod":
		pods, spec = 1, m.object["spec"]
	case "PersistentVolumeClaim":
		a.storage.Add(storage(m.object))
		return
	case "DaemonSet":
		a.leave("DaemonSet %s runs on each node", m.name())
		return
	case "Job", "CronJob":
		a.leave("%s %s runs only for a while", m.kind(), m.name())
		return
	}
	for _, claim := range list(m.object, "spec", "volumeClaimTemplates") {
		q := storage(claim)
		q.Mul(pods)
		a.storage.Add(q)
	}
	pod, ok := spec.(map[string]any)
	if pods <= 0 || !ok {
		return
	}
	cpu, memory := ofPod(pod, "cpu", defaultCPU), ofPod(pod, "memory", defaultMemory)
	cpu.Mul(pods)
	memory.Mul(pods)
	a.cpu.Add(cpu)
	a.memory.Add(memory)
	a.pods += pods
	for _, v := range list(pod, "volumes") {
		if at(v, "ephemeral") != nil {
			a.leave("volume %s of %s %s lives as long as its pod", text(v, "name"), m.kind(), m.name())
		}
	}
}

func (a *asking) leave(format string, args ...any) {
	if what := fmt.Sprintf(format, args...); !slices.Contains(a.left, what) {
		a.left = append(a.left, what)
	}
}

func (a *asking) part(component string) blueberry.ComponentRequests {
	return blueberry.ComponentRequests{
		Component: component, Pods: a.pods, CPU: whole(a.cpu, resource.Milli), Memory: whole(a.memory, 0), Storage: whole(a.storage, 0),
	}
}

// ofPod is what the scheduler sets aside for one pod: what its containers and sidecars ask for together, or, if that is more, what the greediest step of its
// beginning asks for: an init container beside the sidecars that were started before it. The pod may say it itself, and its runtime may add to it.
func ofPod(pod map[string]any, name, otherwise string) resource.Quantity {
	var sum, sidecars, most resource.Quantity
	for _, c := range list(pod, "containers") {
		sum.Add(request(c, name, otherwise))
	}
	for _, c := range list(pod, "initContainers") {
		asked := request(c, name, otherwise)
		if text(c, "restartPolicy") == "Always" { // a sidecar: it stays
			sidecars.Add(asked)
			asked = sidecars.DeepCopy()
		} else {
			asked.Add(sidecars)
		}
		if asked.Cmp(most) > 0 {
			most = asked
		}
	}
	sum.Add(sidecars)
	if most.Cmp(sum) > 0 {
		sum = most
	}
	if at(pod, "resources", "requests", name) != nil || at(pod, "resources", "limits", name) != nil {
		sum = request(pod, name, otherwise)
	}
	sum.Add(request(map[string]any{"resources": map[string]any{"requests": at(pod, "overhead")}}, name, "0"))
	return sum
}
