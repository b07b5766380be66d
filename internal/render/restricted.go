package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// restrictedCode is the code of what is told of a restricted environment.
const restrictedCode = "restricted"

// restrictedKinds are the kinds that a restricted environment may have. What is not among them is left out: what is not known cannot be trusted to give
// neither secrets nor a token nor a way out.
func restrictedKinds(group string) []string {
	switch group {
	case "":
		return []string{"ConfigMap", "PersistentVolumeClaim", "Pod", "Service"}
	case "apps":
		return []string{"Deployment", "ReplicaSet", "StatefulSet"}
	case "argoproj.io":
		return []string{"Rollout"}
	case "batch":
		return []string{"CronJob", "Job"}
	case "gateway.networking.k8s.io":
		return []string{"GRPCRoute", "HTTPRoute"}
	case "networking.k8s.io":
		return []string{"Ingress"}
	case "policy":
		return []string{"PodDisruptionBudget"}
	}
	return nil
}

// restrict takes from the objects of a restricted environment what it may not have, and tells of each thing. What stays is on a list of what is known to be
// harmless. It looks at what was rendered, so it does not matter by which layer, chart or patch a thing came in.
func (m *merger) restrict(parts []part) {
	scope := scopeOf(parts)
	if len(m.in.Blueprint.Egress) > 0 {
		m.leftOut("egress", "the openings to the outside")
	}
	for i, s := range m.in.Blueprint.Services {
		m.leftOut(fmt.Sprintf("services[%d]", i), "the data service "+s.Name)
	}
	for i := range parts {
		p := &parts[i]
		field := fieldOf(p.index)
		p.manifests = slices.DeleteFunc(p.manifests, func(x manifest) bool {
			if scope.cluster(x) || x.kind() == "" || slices.Contains(restrictedKinds(x.group()), x.kind()) {
				return false // of the cluster: it is refused, not left out
			}
			if x.kind() != "ServiceAccount" || mapping(x.object, "metadata", "annotations") != nil || x.object["imagePullSecrets"] != nil {
				m.leftOut(field, x.String()) // one that says nothing is no loss
			}
			return true
		})
		p.manifests = slices.DeleteFunc(p.manifests, func(x manifest) bool {
			t := tightening{m: m, field: field, object: x}
			return !t.run()
		})
	}
}

func (m *merger) leftOut(field, what string) {
	m.warnings = append(m.warnings, blueberry.Warning{Code: restrictedCode, Field: field, Message: "left out, as the environment is restricted: " + what})
}

// tightening is the work on one object.
type tightening struct {
	m      *merger
	field  string
	object manifest
}

func (t tightening) leftOut(format string, args ...any) {
	t.m.leftOut(t.field, fmt.Sprintf("%s: %s", t.object, fmt.Sprintf(format, args...)))
}

func (t tightening) refuse(format string, args ...any) {
	t.m.faults.Add(t.field, restrictedCode, "%s: %s, which a restricted environment may not", t.object, fmt.Sprintf(format, args...))
}

// run reports whether the object stays.
func (t tightening) run() bool {
	o := t.object.object
	switch t.object.kind() {
	case "Service":
		if !t.service(o) {
			return false
		}
	case "PersistentVolumeClaim":
		t.claim(o)
	case "Deployment", "ReplicaSet", "Rollout", "StatefulSet":
		if spec, ok := o["spec"].(map[string]any); ok && number(o, 1, "spec", "replicas") > 1 {
			spec["replicas"] = 1
			t.leftOut("all pods but one")
		}
	}
	if spec := mapping(o, "spec"); t.object.kind() == "Rollout" && spec != nil { // its steps may measure with what others keep
		spec["strategy"] = object{"canary": object{}}
	}
	for _, claim := range list(o, "spec", "volumeClaimTemplates") {
		t.claim(claim)
	}
	for _, template := range podTemplates(o) {
		t.metadata(template)
	}
	t.metadata(o)
	for _, at := range [][]string{{"spec"}, {"spec", "template", "spec"}, {"spec", "jobTemplate", "spec", "template", "spec"}} {
		if len(at) == 1 != (t.object.kind() == "Pod") {
			continue
		}
		if pod := mapping(o, at...); pod != nil {
			t.pod(pod)
		}
	}
	return true
}

// mapping reads a mapping at a path, nil when there is none.
func mapping(o map[string]any, path ...string) map[string]any {
	v, _ := at(o, path...).(map[string]any)
	return v
}

// service keeps one inside the cluster, at pods of the environment, and reports whether it stays: whoever serves public traffic would fetch what one of
// type ExternalName names, or what somebody else says are its addresses.
func (t tightening) service(o map[string]any) bool {
	spec := mapping(o, "spec")
	if len(mapping(spec, "selector")) == 0 {
		t.leftOut("it selects no pods")
		return false
	}
	switch kind := text(spec, "type"); kind {
	case "", "ClusterIP":
	case "LoadBalancer", "NodePort":
		t.leftOut("that it is a %s", kind)
		spec["type"] = "ClusterIP"
		for _, key := range []string{"allocateLoadBalancerNodePorts", "loadBalancerIP", "loadBalancerClass", "loadBalancerSourceRanges", "externalTrafficPolicy", "healthCheckNodePort"} {
			delete(spec, key)
		}
		for _, p := range list(spec, "ports") {
			delete(p, "nodePort")
		}
	default:
		t.leftOut("it is of type %s", kind)
		return false
	}
	if spec["externalIPs"] != nil {
		t.leftOut("its external addresses")
		delete(spec, "externalIPs")
	}
	return true
}

// claim has a volume begin empty.
func (t tightening) claim(o map[string]any) {
	spec := mapping(o, "spec")
	for _, key := range []string{"dataSource", "dataSourceRef", "selector", "volumeName"} {
		if spec[key] != nil {
			t.leftOut("%s of the claim", key)
			delete(spec, key)
		}
	}
}

// metadata takes away what has others put credentials into pods.
func (t tightening) metadata(o map[string]any) {
	for _, at := range []string{"labels", "annotations"} {
		values := mapping(o, "metadata", at)
		for key := range values {
			prefix, _, _ := strings.Cut(key, "/")
			for _, injector := range []string{
				"azure.workload.identity", "vault.hashicorp.com", "vault.security.banzaicloud.io",
				"secrets-webhook.security.bank-vaults.io", "k8s.v1.cni.cncf.io", "v1.multus-cni.io",
			} {
				if prefix == injector {
					t.leftOut("%s %s", strings.TrimSuffix(at, "s"), key)
					delete(values, key)
				}
			}
		}
	}
}

// pod takes secrets, tokens and what belongs to the node from a pod.
func (t tightening) pod(pod map[string]any) {
	for _, key := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		if pod[key] == true {
			t.refuse("asks for %s", key)
		}
	}
	if text(pod, "dnsPolicy") == "Default" {
		delete(pod, "dnsPolicy")
	}
	delete(pod, "serviceAccountName") // it has that of the environment, which may do nothing
	delete(pod, "serviceAccount")
	if pod["automountServiceAccountToken"] == true {
		t.leftOut("the token of its service account")
	}
	pod["automountServiceAccountToken"] = false
	for _, key := range []string{"priorityClassName", "priority", "resourceClaims", "nodeName"} {
		if pod[key] != nil {
			t.leftOut("%s", key)
			delete(pod, key)
		}
	}
	gone := t.volumes(pod)
	for _, containers := range []string{"containers", "initContainers", "ephemeralContainers"} {
		for _, c := range list(pod, containers) {
			t.container(c, gone)
		}
	}
}

// volumes leaves those that hold nothing but what the environment has itself, and gives the names of the others.
func (t tightening) volumes(pod map[string]any) map[string]bool {
	gone := map[string]bool{}
	all, ok := pod["volumes"].([]any)
	if !ok {
		delete(pod, "volumes")
	}
	var kept []any
	for _, v := range all {
		volume, _ := v.(map[string]any)
		name := text(volume, "name")
		if !t.volume(volume) {
			gone[name] = true
			t.leftOut("volume %s", name)
			continue
		}
		kept = append(kept, v)
	}
	if len(gone) > 0 {
		pod["volumes"] = kept
		if len(kept) == 0 {
			delete(pod, "volumes")
		}
	}
	return gone
}

// volume reports whether one may stay, and takes away what may not of one that is put together.
func (t tightening) volume(v map[string]any) bool {
	for key := range v {
		if !slices.Contains([]string{"name", "emptyDir", "configMap", "downwardAPI", "persistentVolumeClaim", "ephemeral", "projected"}, key) {
			return false
		}
	}
	if claim := mapping(v, "ephemeral", "volumeClaimTemplate"); claim != nil {
		t.claim(claim)
	}
	projected := mapping(v, "projected")
	if projected == nil {
		return v["projected"] == nil
	}
	sources, _ := projected["sources"].([]any)
	kept := slices.DeleteFunc(slices.Clone(sources), func(s any) bool {
		source, _ := s.(map[string]any)
		for key := range source {
			if key != "configMap" && key != "downwardAPI" {
				t.leftOut("%s in volume %s", key, text(v, "name"))
				return true
			}
		}
		return false
	})
	projected["sources"] = kept
	return len(kept) > 0
}

// container takes from a container what comes of secrets and of volumes that are gone.
func (t tightening) container(c map[string]any, gone map[string]bool) {
	name := text(c, "name")
	t.keep(c, "env", func(v map[string]any) bool {
		from, given := v["valueFrom"]
		if !given {
			return true
		}
		source, _ := from.(map[string]any)
		for key := range source {
			if !slices.Contains([]string{"configMapKeyRef", "fieldRef", "resourceFieldRef"}, key) {
				t.leftOut("%s of container %s, which is a secret", text(v, "name"), name)
				return false
			}
		}
		return true
	})
	t.keep(c, "envFrom", func(v map[string]any) bool {
		for key := range v {
			if key != "configMapRef" && key != "prefix" {
				t.leftOut("variables of container %s, which are secrets", name)
				return false
			}
		}
		return true
	})
	for _, mounts := range []string{"volumeMounts", "volumeDevices"} {
		t.keep(c, mounts, func(v map[string]any) bool { return !gone[text(v, "name")] })
	}
	if at(c, "securityContext", "privileged") == true {
		t.refuse("has a container %s that is privileged", name)
	}
	for _, caller := range [][]string{{"livenessProbe"}, {"readinessProbe"}, {"startupProbe"}, {"lifecycle", "postStart"}, {"lifecycle", "preStop"}} {
		for _, way := range []string{"httpGet", "tcpSocket"} { // the node would ask, whom no network policy holds
			if asked := mapping(c, append(slices.Clone(caller), way)...); asked["host"] != nil {
				t.leftOut("the host that the %s of container %s asks", caller[len(caller)-1], name)
				delete(asked, "host")
			}
		}
	}
	t.resources(c)
}

// resources gives a container that asks for more than it would be limited to a limit of its own: else no pod of it could be made.
func (t tightening) resources(c map[string]any) {
	resources := mapping(c, "resources")
	if resources["claims"] != nil {
		delete(resources, "claims")
	}
	for _, list := range []string{"requests", "limits"} { // each gets the same: what a container writes fills the disk of the node for all
		if asked, ok := resources[list].(map[string]any); ok {
			delete(asked, diskResource)
		}
	}
	for name, otherwise := range map[string]string{"cpu": restrictedLimitCPU, "memory": restrictedLimitMemory} {
		asked := at(c, "resources", "requests", name)
		if asked == nil || at(c, "resources", "limits", name) != nil {
			continue
		}
		if q := request(c, name, "0"); q.Cmp(resource.MustParse(otherwise)) > 0 {
			if limits := child(resources, "limits"); limits != nil {
				limits[name] = asked
			}
		}
	}
}

// keep leaves the items of a list that are wanted. What is no mapping is none of them.
func (t tightening) keep(o map[string]any, key string, want func(map[string]any) bool) {
	all, ok := o[key].([]any)
	if !ok {
		delete(o, key)
		return
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(v any) bool {
		item, ok := v.(map[string]any)
		return !ok || !want(item)
	})
	if o[key] = kept; len(kept) == 0 {
		delete(o, key)
	}
}

// What a container of a restricted environment gets when it says nothing.
const (
	restrictedLimitCPU    = "500m"
	restrictedLimitMemory = "512Mi"
	restrictedLimitDisk   = "512Mi"
	restrictedDisk        = "32Mi" // that is asked for
)

// diskResource is the disk of a node, as Kubernetes names it.
const diskResource = "ephemeral-storage"

// quota is what the environment may use in its namespace.
func (in Input) quota(n need) object {
	if !in.Restricted {
		return n.quota()
	}
	return object{
		"pods":                   strconv.Itoa(blueberry.RestrictedPods),
		"requests.cpu":           resource.NewMilliQuantity(blueberry.RestrictedCPU, resource.DecimalSI).String(),
		"requests.memory":        resource.NewQuantity(blueberry.RestrictedMemory, resource.BinarySI).String(),
		"limits.cpu":             resource.NewMilliQuantity(blueberry.RestrictedCPULimit, resource.DecimalSI).String(),
		"limits.memory":          resource.NewQuantity(blueberry.RestrictedMemoryLimit, resource.BinarySI).String(),
		"limits." + diskResource: resource.NewQuantity(blueberry.RestrictedDisk, resource.BinarySI).String(),
		"persistentvolumeclaims": strconv.Itoa(blueberry.RestrictedStorageClaims),
		"requests.storage":       resource.NewQuantity(blueberry.RestrictedStorage, resource.BinarySI).String(),
		"services.loadbalancers": "0",
		"services.nodeports":     "0",
	}
}

// limits is what a container gets that says nothing.
func (in Input) limits(n need) object {
	if !in.Restricted {
		return n.limits()
	}
	return object{
		"type":           "Container",
		"defaultRequest": object{"cpu": defaultCPU, "memory": defaultMemory, diskResource: restrictedDisk},
		"default":        object{"cpu": restrictedLimitCPU, "memory": restrictedLimitMemory, diskResource: restrictedLimitDisk},
	}
}

// restricted tells what asks for more than a restricted environment may have: its quota would keep it from ever becoming ready.
func (n need) restricted(f *blueberry.Faults) {
	tell := func(what string, asked, most fmt.Stringer) {
		f.Add("components", restrictedCode, "ask for %s %s; a restricted environment may have %s at most", asked, what, most)
	}
	if n.pods > blueberry.RestrictedPods {
		f.Add("components", restrictedCode, "ask for %d pods, those during a change included; a restricted environment may have %d at most", n.pods, blueberry.RestrictedPods)
	}
	if n.claimCount > blueberry.RestrictedStorageClaims {
		f.Add("components", restrictedCode, "ask for %d volumes; a restricted environment may have %d at most", n.claimCount, blueberry.RestrictedStorageClaims)
	}
	for _, x := range []struct {
		what  string
		asked resource.Quantity
		most  *resource.Quantity
	}{
		{"CPU", n.cpu, resource.NewMilliQuantity(blueberry.RestrictedCPU, resource.DecimalSI)},
		{"of memory", n.memory, resource.NewQuantity(blueberry.RestrictedMemory, resource.BinarySI)},
		{"CPU as limits", n.cpuLimit, resource.NewMilliQuantity(blueberry.RestrictedCPULimit, resource.DecimalSI)},
		{"of memory as limits", n.memoryLimit, resource.NewQuantity(blueberry.RestrictedMemoryLimit, resource.BinarySI)},
		{"of the nodes' disks, 512 MiB for each container,", n.disk, resource.NewQuantity(blueberry.RestrictedDisk, resource.BinarySI)},
		{"of storage", n.storage, resource.NewQuantity(blueberry.RestrictedStorage, resource.BinarySI)},
	} {
		if x.asked.Cmp(*x.most) > 0 {
			tell(x.what, &x.asked, x.most)
		}
	}
}
