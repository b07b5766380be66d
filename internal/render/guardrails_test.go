package render

import (
	"encoding/json"
	"math"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
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

// TestEgress: what the blueprint opens is open to every pod, and to nothing else.
func TestEgress(t *testing.T) {
	t.Parallel()
	in := shop()
	in.Blueprint.Egress = []blueberry.Egress{{CIDR: "10.1.0.0/16", Ports: []int{5432, 443}}, {CIDR: "192.0.2.1/32"}}
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	policy := decodeFiles(t, out)["NetworkPolicy allow-egress"]
	want := map[string]any{"podSelector": map[string]any{}, "policyTypes": []any{"Egress"}, "egress": []any{
		map[string]any{"to": []any{map[string]any{"ipBlock": map[string]any{"cidr": "10.1.0.0/16"}}}, "ports": []any{
			map[string]any{"protocol": "TCP", "port": json.Number("5432")}, map[string]any{"protocol": "TCP", "port": json.Number("443")},
		}},
		map[string]any{"to": []any{map[string]any{"ipBlock": map[string]any{"cidr": "192.0.2.1/32"}}}},
	}}
	if diff := cmp.Diff(any(want), policy["spec"]); diff != "" {
		t.Error(diff)
	}
	if out, err = Environment(shop()); err != nil || decodeFiles(t, out)["NetworkPolicy allow-egress"] != nil {
		t.Errorf("nothing is opened, yet there is a policy: %v", err)
	}
}

// TestDemand: what is rendered at its largest, without the spare room of the quota.
func TestDemand(t *testing.T) {
	t.Parallel()
	claim := "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: p}\nspec: {resources: {requests: {storage: 1Gi}}}\n"
	claims := "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: w}\nspec:\n  replicas: 3\n  template: {spec: {containers: [{name: c, image: 'c:1', resources: {requests: {cpu: 100m, memory: 1Gi}}}]}}\n" +
		"  volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: 2Gi}}}}, {metadata: {name: e}}]\n"
	const gi = 1 << 30
	cases := map[string]struct {
		tree   fstest.MapFS
		want   blueberry.Demand
		reason string
	}{
		"nothing":  {chartOf(""), blueberry.Demand{}, "the guard rails ask for nothing"},
		"replicas": {chartOf(workload("Deployment", "replicas: 4", "requests: {cpu: 2, memory: 1Gi}")), blueberry.Demand{CPU: 10_000, Memory: 5 * gi, Pods: 5}, "one more during a change"},
		"no word":  {chartOf(workload("Deployment", "replicas: 1", "")), blueberry.Demand{CPU: 100, Memory: 128 << 20, Pods: 2}, "what the limit range gives"},
		"claims":   {chartOf(claims + claim), blueberry.Demand{CPU: 400, Memory: 4 * gi, Pods: 4, Storage: 7 * gi}, "for each pod, and by itself"},
		"hostile":  {chartOf(workload("Deployment", "replicas: 999999", "requests: {cpu: 9000000P, memory: 8E}")), blueberry.Demand{CPU: math.MaxInt64, Memory: math.MaxInt64, Pods: 12_500}, "no sum overflows"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := renderTree(t, c.tree, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, r.Demand); diff != "" {
				t.Errorf("%s: %s", c.reason, diff)
			}
		})
	}
}
