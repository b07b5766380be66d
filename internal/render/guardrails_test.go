package render

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestOpenings: the pods behind an Ingress of any chart are open to the ingress controllers, and no others.
func TestOpenings(t *testing.T) {
	t.Parallel()
	r, err := renderTree(t, chartOf(`
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: front}, ports: [{port: 80, targetPort: 8080}, {port: 81}]}
---
apiVersion: v1
kind: Service
metadata: {name: inner}
spec: {selector: {app: inner}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: x}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: front, port: {number: 80}}}}]}}]}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := decodeFiles(t, r)
	policy := got["NetworkPolicy allow-public-front"]
	if diff := cmp.Diff(any(map[string]any{"app": "front"}), at(policy, "spec", "podSelector", "matchLabels")); diff != "" {
		t.Error(diff)
	}
	ports := list(list(policy, "spec", "ingress")[0], "ports")
	if len(ports) != 2 || ports[0]["port"] != json.Number("8080") || ports[1]["port"] != json.Number("81") {
		t.Errorf("ports are %v", ports)
	}
	if got["NetworkPolicy allow-public-inner"] != nil {
		t.Error("a service that nobody made public is open")
	}
}

// TestQuotaAdmits: what is rendered fits into the quota when every workload runs its most pods and changes.
func TestQuotaAdmits(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tree        fstest.MapFS
		pods, cpu   string
		memoryLimit string
	}{
		"nothing":    {chartOf(""), "10", "1", "1Gi"},
		"replicas":   {chartOf(workload("Deployment", "replicas: 4", "requests: {cpu: 2}")), "15", "11", "1Gi"},
		"autoscaled": {chartOf(workload("Deployment", "replicas: 1", "requests: {cpu: 1}") + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec: {maxReplicas: 8, scaleTargetRef: {kind: Deployment, name: w}}\n"), "20", "11", "1Gi"},
		"by limit":   {chartOf(workload("StatefulSet", "replicas: 1", "limits: {cpu: 500m}")), "12", "2", "1Gi"},
		"daemon":     {chartOf(workload("DaemonSet", "x: 1", "requests: {cpu: 100m}")), "20", "2", "1Gi"},
		"large":      {chartOf(workload("Deployment", "replicas: 1", "requests: {memory: 6Gi}")), "12", "1100m", "6Gi"},
		"hostile":    {chartOf(workload("Deployment", "replicas: 99999999999999999999", "requests: {cpu: -5}")), "12", "1100m", "1Gi"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := renderTree(t, c.tree, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := decodeFiles(t, r)
			hard, _ := at(got["ResourceQuota environment"], "spec", "hard").(map[string]any)
			limit := at(list(got["LimitRange environment"], "spec", "limits")[0], "default", "memory")
			if hard["pods"] != c.pods || hard["requests.cpu"] != c.cpu || limit != c.memoryLimit {
				t.Errorf("pods %v, cpu %v, limit %v; want %s, %s, %s", hard["pods"], hard["requests.cpu"], limit, c.pods, c.cpu, c.memoryLimit)
			}
		})
	}
}

func workload(kind, spec, resources string) string {
	return "apiVersion: apps/v1\nkind: " + kind + "\nmetadata: {name: w}\nspec:\n  " + spec + "\n  template: {spec: {containers: [{name: c, image: 'c:1', resources: {" + resources + "}}]}}\n"
}
