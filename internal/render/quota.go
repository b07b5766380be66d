package render

import (
	"encoding/json"
	"math"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// What a container is taken to need when it says nothing, and what every environment may use beyond what is rendered: for hooks, surges, a person's
// debug pod. The numbers are those of small web programs.
const (
	defaultCPU    = "50m"
	defaultMemory = "64Mi"
	defaultLimit  = "1Gi" // of memory
	spareCPU      = "1"
	spareMemory   = "2Gi"
	sparePods     = 10
	daemonNodes   = 10 // nodes that a DaemonSet is taken to run on
)

// need is what the rendered workloads ask for when each runs its most pods, one more during a change included. A quota below it would stop the
// environment from becoming what its blueprint says; one above it would guard nothing.
type need struct {
	pods        int64
	cpu, memory resource.Quantity
	storage     resource.Quantity // of volume claims
	limit       resource.Quantity // largest memory request of a container that has no limit

	claimCount            int64
	disk                  resource.Quantity // of the nodes, as a restricted environment limits each container
	cpuLimit, memoryLimit resource.Quantity // of all, each without one as a restricted environment gives it
}

func needOf(parts []part) need {
	n := need{limit: resource.MustParse(defaultLimit)}
	most := map[string]int64{} // "Kind name" → pods at most
	for _, p := range parts {
		for _, m := range p.manifests {
			if m.kind() == "HorizontalPodAutoscaler" {
				most[text(m.object, "spec", "scaleTargetRef", "kind")+" "+text(m.object, "spec", "scaleTargetRef", "name")] = number(m.object, 1, "spec", "maxReplicas")
			}
		}
	}
	for _, p := range parts {
		for _, m := range p.manifests {
			n.add(m, most[m.kind()+" "+m.name()])
		}
	}
	return n
}

// add counts the pods and claims of one object, scaled to at most so many by an autoscaler.
func (n *need) add(m manifest, most int64) {
	var pods int64
	spec := at(m.object, "spec", "template", "spec")
	n.claims(m, most)
	switch m.kind() {
	case "Deployment", "Rollout", "StatefulSet", "ReplicaSet", "ReplicationController":
		pods = max(number(m.object, 1, "spec", "replicas"), most)
		pods += (pods + 3) / 4 // the default surge of a Deployment
	case "DaemonSet":
		pods = daemonNodes
	case "Job":
		pods = number(m.object, 1, "spec", "parallelism")
	case "CronJob":
		spec = at(m.object, "spec", "jobTemplate", "spec", "template", "spec")
		pods = 2 * number(m.object, 1, "spec", "jobTemplate", "spec", "parallelism")
	case "Pod":
		pods, spec = 1, m.object["spec"]
	}
	pod, ok := spec.(map[string]any)
	if pods <= 0 || !ok {
		return
	}
	n.pods += pods
	for _, containers := range []string{"containers", "initContainers"} {
		for _, c := range list(pod, containers) {
			cpu, memory := request(c, "cpu", defaultCPU), request(c, "memory", defaultMemory)
			cpu.Mul(pods)
			if at(c, "resources", "limits", "memory") == nil && memory.Cmp(n.limit) > 0 {
				n.limit = memory.DeepCopy()
			}
			memory.Mul(pods)
			n.mostOf(c, pods)
			n.cpu.Add(cpu)
			n.memory.Add(memory)
		}
	}
}

// claims counts the storage of a claim, or of those that an object makes for each of its pods.
func (n *need) claims(m manifest, most int64) {
	if m.kind() == "PersistentVolumeClaim" && m.group() == "" {
		n.storage.Add(storage(m.object))
		n.claimCount++
	}
	pods := max(number(m.object, 1, "spec", "replicas"), most)
	for _, claim := range list(m.object, "spec", "volumeClaimTemplates") {
		q := storage(claim)
		q.Mul(pods)
		n.storage.Add(q)
		n.claimCount += pods
	}
}

// mostOf counts the limits of a container of so many pods.
func (n *need) mostOf(container map[string]any, pods int64) {
	only := map[string]any{"resources": object{"limits": at(container, "resources", "limits")}}
	cpu, memory := request(only, "cpu", restrictedLimitCPU), request(only, "memory", restrictedLimitMemory)
	disk := resource.MustParse(restrictedLimitDisk)
	cpu.Mul(pods)
	memory.Mul(pods)
	disk.Mul(pods)
	n.cpuLimit.Add(cpu)
	n.memoryLimit.Add(memory)
	n.disk.Add(disk)
}

func storage(claim map[string]any) resource.Quantity {
	spec, _ := claim["spec"].(map[string]any)
	return request(spec, "storage", "0")
}

// demand is the need as other rooms count it. What does not fit is the most that does.
func (n need) demand() blueberry.Demand {
	return blueberry.Demand{CPU: whole(n.cpu, resource.Milli), Memory: whole(n.memory, 0), Pods: n.pods, Storage: whole(n.storage, 0)}
}

func whole(q resource.Quantity, scale resource.Scale) int64 {
	if most := resource.NewScaledQuantity(math.MaxInt64, scale); q.Cmp(*most) >= 0 {
		return math.MaxInt64
	}
	return q.ScaledValue(scale)
}

// request is what a container asks for: what it says, else its limit (as Kubernetes reads it), else what the LimitRange gives it.
func request(container map[string]any, name, otherwise string) resource.Quantity {
	for _, from := range []string{"requests", "limits"} {
		var s string
		switch v := at(container, "resources", from, name).(type) {
		case string:
			s = v
		case json.Number:
			s = v.String()
		}
		if q, err := resource.ParseQuantity(s); err == nil && q.Sign() >= 0 {
			return q
		}
	}
	return resource.MustParse(otherwise)
}

// number reads a count; values beyond what an environment can mean are cut, so that sums cannot overflow.
func number(o map[string]any, otherwise int64, path ...string) int64 {
	v, ok := at(o, path...).(json.Number)
	if !ok {
		return otherwise
	}
	n, err := v.Int64()
	if err != nil {
		return otherwise
	}
	return min(max(n, 0), 10_000)
}

func (n need) quota() object {
	cpu, memory := resource.MustParse(spareCPU), resource.MustParse(spareMemory)
	cpu.Add(n.cpu)
	memory.Add(n.memory)
	return object{
		"pods":                   strconv.FormatInt(n.pods+sparePods, 10),
		"requests.cpu":           cpu.String(),
		"requests.memory":        memory.String(),
		"persistentvolumeclaims": "20",
		"requests.storage":       "200Gi",
		"services.loadbalancers": "2",
		"services.nodeports":     "10",
	}
}

func (n need) limits() object {
	return object{
		"type":           "Container",
		"defaultRequest": object{"cpu": defaultCPU, "memory": defaultMemory},
		"default":        object{"memory": n.limit.String()},
	}
}
