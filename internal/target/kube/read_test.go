package kube

import (
	"errors"
	"hash/maphash"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

func TestPartOf(t *testing.T) {
	t.Parallel()
	owned := "metadata: {name: p, ownerReferences: [{kind: ReplicaSet, name: r, controller: true}]}\n"
	cases := map[string]struct {
		reason string
		object string
		want   part
	}{
		"running pod": {
			reason: "a pod that passes its probes counts for every step",
			object: "apiVersion: v1\nkind: Pod\n" + owned + `spec: {nodeName: node-0, containers: [{name: c}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: c, state: {running: {}}}]}`,
			want: part{pod: true, scheduled: true, started: true, ready: true},
		},
		"one container of two": {
			reason: "a pod has started when all its containers have",
			object: "apiVersion: v1\nkind: Pod\n" + owned + `spec: {nodeName: node-0, containers: [{name: c}, {name: d}]}
status: {phase: Pending, containerStatuses: [{name: c, state: {running: {}}}, {name: d, state: {waiting: {reason: ContainerCreating}}}]}`,
			want: part{pod: true, scheduled: true},
		},
		"no node": {
			reason: "a cluster that is full may have room later",
			object: "apiVersion: v1\nkind: Pod\n" + owned + `spec: {containers: [{name: c}]}
status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: no room}]}`,
			want: part{pod: true, failure: blueberry.Failure{Reason: "Unschedulable", Message: "no room"}},
		},
		"crash loop": {
			reason: "the last exit is told with it",
			object: "apiVersion: v1\nkind: Pod\n" + owned + `spec: {nodeName: node-0, containers: [{name: c}]}
status: {phase: Running, containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff, message: back-off}}, lastState: {terminated: {reason: OOMKilled, exitCode: 137}}}]}`,
			want: part{pod: true, scheduled: true, failure: blueberry.Failure{
				Reason: "CrashLoopBackOff", Message: "pod p: container c: ended with OOMKilled, exit code 137; back-off", Hard: true,
			}},
		},
		"init container": {
			reason: "an init container can keep a pod from starting as well",
			object: "apiVersion: v1\nkind: Pod\n" + owned + `spec: {nodeName: node-0, containers: [{name: c}]}
status: {phase: Pending, initContainerStatuses: [{name: i, state: {waiting: {reason: ErrImagePull, message: no such image}}}], containerStatuses: [{name: c, state: {waiting: {reason: PodInitializing}}}]}`,
			want: part{pod: true, scheduled: true, failure: blueberry.Failure{Reason: "ErrImagePull", Message: "pod p: container i: no such image", Hard: true}},
		},
		"finished pod": {
			reason: "what a Job left behind is no pod of a workload",
			object: "apiVersion: v1\nkind: Pod\n" + owned + "status: {phase: Succeeded}",
		},
		"bare pod": {
			reason: "nobody else asks for it",
			object: "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}",
			want:   part{pod: true, wanted: 1},
		},
		"deployment without replicas": {
			reason: "the API's default is one",
			object: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c}]}}}",
			want:   part{wanted: 1},
		},
		"deployment over its quota": {
			reason: "pods that cannot be made have no status to tell of",
			object: `{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 2, template: {spec: {containers: [{name: c}]}}},
status: {conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: exceeded quota}]}}`,
			want: part{wanted: 2, failure: blueberry.Failure{Reason: "FailedCreate", Message: "exceeded quota", Hard: true}},
		},
		"replica set of a deployment": {
			reason: "its Deployment counts",
			object: "apiVersion: apps/v1\nkind: ReplicaSet\n" + owned + "spec: {replicas: 2, template: {spec: {containers: [{name: c}]}}}",
		},
		"failed job": {
			reason: "it will not run again",
			object: `{apiVersion: batch/v1, kind: Job, metadata: {name: j}, status: {conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: too often}]}}`,
			want:   part{failure: blueberry.Failure{Reason: "BackoffLimitExceeded", Message: "too often", Hard: true}},
		},
		"service without selector": {
			reason: "nobody makes endpoints for it",
			object: "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: ExternalName, selector: {a: b}}",
		},
		"slice with an endpoint of unknown readiness": {
			reason: "the API says to take unknown for ready",
			object: `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: x, labels: {kubernetes.io/service-name: s}}, ports: [{port: 80}], endpoints: [{conditions: {ready: false}}, {conditions: {}}]}`,
			want:   part{slice: "s", ready: true},
		},
		"hostile shapes": {
			reason: "what is not of its form is read as not being there",
			object: `{apiVersion: v1, kind: Pod, metadata: {name: x, ownerReferences: 7}, spec: {containers: {}, nodeName: 1}, status: {conditions: [1, null], containerStatuses: [[]]}}`,
			want:   part{pod: true, wanted: 1},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			js, err := yaml.YAMLToJSON([]byte(c.object))
			if err != nil {
				t.Fatal(err)
			}
			u := &unstructured.Unstructured{}
			if err := u.UnmarshalJSON(js); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, partOf(u, false), cmp.AllowUnexported(part{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	ref := blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "n", Name: "d"}
	status := func(code int32, message string, causes ...metav1.StatusCause) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Message: message, Details: &metav1.StatusDetails{Causes: causes}}}
	}
	cases := map[string]struct {
		reason string
		err    error
		want   []string
		away   bool
	}{
		"two causes": {
			reason: "every fault at once",
			err:    status(http.StatusUnprocessableEntity, "no", metav1.StatusCause{Field: "spec.a", Message: "bad"}, metav1.StatusCause{Field: "spec.b", Message: "worse"}),
			want:   []string{"Deployment.apps n/d spec.a: bad", "Deployment.apps n/d spec.b: worse"},
		},
		"field outside of the schema": {
			reason: "server-side apply says so with 500, and it will not pass",
			err:    status(http.StatusInternalServerError, "failed to create typed patch object (n/d; apps/v1, Kind=Deployment): .spec.bogus: field not declared in schema"),
			want:   []string{"Deployment.apps n/d spec.bogus: field not declared in schema"},
		},
		"denied by a webhook": {reason: "a rule will not pass by itself", err: status(http.StatusForbidden, "not on Fridays"), want: []string{"Deployment.apps n/d: not on Fridays"}},
		"server error":        {reason: "may pass", err: status(http.StatusInternalServerError, "etcd"), away: true},
		"too many":            {reason: "may pass", err: status(http.StatusTooManyRequests, "slow down"), away: true},
		"token expired":       {reason: "may be renewed", err: status(http.StatusUnauthorized, "who"), away: true},
		"no answer":           {reason: "the connection", err: errors.New("dial tcp: connection refused"), away: true},
		"conflict":            {reason: "is tried again elsewhere", err: status(http.StatusConflict, "moved")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if away := unreachable(c.err) != ""; away != c.away {
				t.Errorf("%s: away is %t, want %t", c.reason, away, c.away)
			}
			var got []string
			for _, f := range refusal(ref, c.err) {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "---\n---\n", "a: [1", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x, labels: {blueberry.dev/project: p, blueberry.dev/environment: e}}\n",
		"- 1\n- 2\n", "apiVersion: v1\nkind: 7\nmetadata: {name: [], labels: 3}\n", "x: &a [*a]\n", "? [a]\n: b\n", "\x00", "apiVersion: v1\nkind: Pod\nmetadata: null\n",
	} {
		f.Add([]byte(s))
	}
	seed := maphash.MakeSeed()
	ref := target.Ref{Project: "p", Environment: "e", Namespace: "p-e"}
	f.Fuzz(func(t *testing.T, content []byte) {
		waves, err := parse(seed, target.Desired{Ref: ref, Files: []blueberry.RenderedFile{{Name: "a.yaml", Content: content}}})
		if err != nil && !errors.Is(err, blueberry.Invalid) {
			t.Fatalf("got error %v, want one of kind invalid", err)
		}
		for _, w := range waves {
			for _, m := range w.manifests {
				if m.ref.Name == "" || envOf(m.object.GetLabels()) != keyOf(ref) {
					t.Fatalf("let through: %+v", m)
				}
				summarize(seed, &kind{gvk: gvkOf(m.ref), apiVersion: m.ref.APIVersion}, m.object, m.left)
			}
		}
	})
}
