package render

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestRequestsFollowTheRuleOfKubernetes(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, template: {metadata: {labels: {a: b}}, spec: "
	for reason, c := range map[string]struct {
		manifests string
		want      blueberry.ComponentRequests
		left      []string
	}{
		"pods times containers": {
			head + "{containers: [{name: a, resources: {requests: {cpu: 250m, memory: 128Mi}}}, {name: b, resources: {requests: {cpu: '0.5', memory: 64Mi}}}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 1500, Memory: 384 << 20},
			nil,
		},
		"a limit stands for a request, and the namespace for neither": {
			head + "{containers: [{name: a, resources: {limits: {cpu: 1}}}, {name: b}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 2100, Memory: 256 << 20},
			nil,
		},
		"an init container that asks for less": {
			head + "{initContainers: [{name: i, resources: {requests: {cpu: 100m, memory: 32Mi}}}], containers: [{name: a, resources: {requests: {cpu: 250m, memory: 128Mi}}}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 500, Memory: 256 << 20},
			nil,
		},
		"one that asks for more counts alone, each by its own": {
			head + "{initContainers: [{name: i, resources: {requests: {cpu: 1, memory: 32Mi}}}, {name: j, resources: {requests: {cpu: 100m, memory: 1Gi}}}], " +
				"containers: [{name: a, resources: {requests: {cpu: 250m, memory: 128Mi}}}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 2000, Memory: 2 << 30},
			nil,
		},
		"a sidecar stays": {
			head + "{initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 100m, memory: 32Mi}}}], containers: [{name: a, resources: {requests: {cpu: 250m, memory: 128Mi}}}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 700, Memory: 320 << 20},
			nil,
		},
		"an init container runs beside the sidecars before it, not those behind": {
			head + "{initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 100m, memory: 32Mi}}}, {name: i, resources: {requests: {cpu: 1, memory: 32Mi}}}, " +
				"{name: u, restartPolicy: Always, resources: {requests: {cpu: 200m, memory: 32Mi}}}], containers: [{name: a, resources: {requests: {cpu: 250m, memory: 128Mi}}}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 2200, Memory: 384 << 20},
			nil,
		},
		"what the pod says itself, and its runtime": {
			head + "{resources: {requests: {cpu: 2}}, overhead: {cpu: 10m, memory: 16Mi}, containers: [{name: a, resources: {requests: {cpu: 250m, memory: 128Mi}}}]}}}",
			blueberry.ComponentRequests{Pods: 2, CPU: 4020, Memory: 288 << 20},
			nil,
		},
		"volumes": {
			"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 3, serviceName: db, template: {spec: {containers: [{name: a, resources: {requests: {cpu: 1, memory: 1Gi}}}]}}, " +
				"volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 10Gi}}}}]}\n---\n" +
				"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: files}\nspec: {resources: {requests: {storage: 5Gi}}}",
			blueberry.ComponentRequests{Pods: 3, CPU: 3000, Memory: 3 << 30, Storage: 35 << 30},
			nil,
		},
		"what cannot be told before": {
			household,
			// web 3, scaled at its least 2, db 1, canary at its least 0: six pods of 50m and 64Mi
			blueberry.ComponentRequests{Pods: 6, CPU: 300, Memory: 384 << 20, Storage: 2 << 30},
			[]string{
				"Deployment scaled grows from 2 to 5 pods when it has to", "Rollout canary grows from 0 to 100 pods when it has to", "DaemonSet agent runs on each node",
				"CronJob nightly runs only for a while", "Job once runs only for a while",
			},
		},
		"nothing": {"apiVersion: v1\nkind: Service\nmetadata: {name: web}", blueberry.ComponentRequests{}, nil},
	} {
		manifests, problems := readManifests("x", c.manifests)
		if len(problems) > 0 {
			t.Fatalf("%s: %+v", reason, problems)
		}
		got := requestsOf([]part{{component: blueberry.Component{Name: "web"}, manifests: manifests}}, 3)
		want := blueberry.Requests{Revision: 3}
		if c.want != (blueberry.ComponentRequests{}) {
			c.want.Component = "web"
			want.Parts = []blueberry.ComponentRequests{c.want}
		}
		var left []string
		for _, x := range c.left {
			left = append(left, "web: "+x)
		}
		want.NotCounted = left
		slices.Sort(got.NotCounted)
		slices.Sort(want.NotCounted)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", reason, d)
		}
	}
}

// What was rendered and what is read back ask for the same.
func TestRequestsOfARenderingAreThoseOfItsFiles(t *testing.T) {
	t.Parallel()
	in := Input{
		Project: blueberry.Project{Name: "default"}, Name: "pr-1", Namespace: "default-pr-1", Revision: 4, Domain: "localhost",
		Blueprint: blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "acme/web:1"}, {Name: "api", Image: "acme/api:1"}}},
	}
	out, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Requests(out.Rendering, 4)
	if err != nil || len(out.Requests.Parts) != 2 {
		t.Fatalf("%+v, %v", out.Requests, err)
	}
	if d := cmp.Diff(out.Requests, again); d != "" {
		t.Error(d)
	}
}
