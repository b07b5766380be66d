package kube

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestImageCode(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		waits, message string
		want           blueberry.CauseCode
	}{
		"containerd, no such tag":       {"ErrImagePull", `rpc error: code = NotFound desc = failed to pull and unpack image "reg.example/denied/app:401": reg.example/denied/app:401: not found`, blueberry.CauseImageMissing},
		"docker, no such tag":           {"ErrImagePull", "manifest for reg.example/denied/app:401 not found: manifest unknown: manifest unknown", blueberry.CauseImageMissing},
		"Docker Hub, private or absent": {"ErrImagePull", "pull access denied for reg.example/denied/app, repository does not exist or may require 'docker login'", blueberry.CauseImageDenied},
		"containerd, no credential":     {"ErrImagePull", "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized", blueberry.CauseImageDenied},
		"cloud registry":                {"ErrImagePull", "no basic auth credentials", blueberry.CauseImageDenied},
		"rate limit":                    {"ErrImagePull", "429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit", blueberry.CauseImageLimited},
		"the name says nothing":         {"ImagePullBackOff", `Back-off pulling image "reg.example/denied/app:401"`, blueberry.CauseImagePull},
		"no route":                      {"ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout", blueberry.CauseImagePull},
		"never pulled":                  {"ErrImageNeverPull", "Container image is not present with pull policy of Never", blueberry.CauseImageMissing},
	} {
		if got := imageCode(c.waits, c.message, "reg.example/denied/app:401"); got != c.want {
			t.Errorf("%s: got %s, want %s", reason, got, c.want)
		}
	}
}

func TestObstacles(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		message string
		want    []obstacle
		total   int
	}{
		"of as many nodes the first in the waterfall": {
			"0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 Insufficient cpu. preemption: 0/2 nodes are available: 1 Preemption is not helpful for scheduling.",
			[]obstacle{{blueberry.CauseNoCPU, 1, "Insufficient cpu"}, {blueberry.CauseTaint, 1, "node(s) had untolerated taint(s)"}},
			2,
		},
		"what stands on most nodes first": {
			"0/5 nodes are available: 1 Insufficient cpu, 4 node(s) had untolerated taint {dedicated: gpu}. no new claims to deallocate, preemption: not helpful",
			[]obstacle{{blueberry.CauseTaint, 4, "node(s) had untolerated taint {dedicated: gpu}"}, {blueberry.CauseNoCPU, 1, "Insufficient cpu"}},
			5,
		},
		"a point within a word ends nothing": {
			"0/1 nodes are available: 1 Insufficient example.com/gpu.",
			[]obstacle{{blueberry.CauseUnschedulable, 1, "Insufficient example.com/gpu"}},
			1,
		},
		"another text": {"no nodes available to schedule pods", nil, 0},
	} {
		got, total := obstacles(c.message)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(obstacle{})); diff != "" || total != c.total {
			t.Errorf("%s: of %d nodes (-want +got):\n%s", reason, total, diff)
		}
	}
}

func TestDenialCode(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`pods "web-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5`:                                                   blueberry.CodeTargetQuota,
		`pods "web-1" is forbidden: failed quota: small: must specify limits.cpu for: app`:                                                                     blueberry.CodeTargetQuota,
		`pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true`:                                                            blueberry.CodeTargetPodSecurity,
		`admission webhook "v.example.com" denied the request: no latest`:                                                                                      blueberry.CodeTargetDenied,
		`Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://x": context deadline exceeded`:                 blueberry.CodeTargetWebhook,
		`pods is forbidden: User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "pods" in API group "" in the namespace "a"`: blueberry.CodeTargetForbidden,
		`pods "web-1" is forbidden: maximum cpu usage per Container is 1, but limit is 2`:                                                                      blueberry.CodeTargetDenied,
		`Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1`:                                                                                   "",
	} {
		if got := denialCode(message); got != want {
			t.Errorf("%s\n\tis %q, want %q", message, got, want)
		}
	}
}

func TestTolerates(t *testing.T) {
	t.Parallel()
	taint := map[string]any{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
	for reason, c := range map[string]struct {
		toleration map[string]any
		want       bool
	}{
		"the same":           {map[string]any{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}, true},
		"any effect":         {map[string]any{"key": "dedicated", "operator": "Equal", "value": "gpu"}, true},
		"any value":          {map[string]any{"key": "dedicated", "operator": "Exists"}, true},
		"everything":         {map[string]any{"operator": "Exists"}, true},
		"another value":      {map[string]any{"key": "dedicated", "value": "cpu"}, false},
		"another effect":     {map[string]any{"key": "dedicated", "value": "gpu", "effect": "NoExecute"}, false},
		"another key":        {map[string]any{"key": "node", "operator": "Exists"}, false},
		"no key and no word": {map[string]any{}, false},
	} {
		if got := tolerates([]map[string]any{c.toleration}, taint); got != c.want {
			t.Errorf("%s: got %t", reason, got)
		}
	}
}

func TestAWebhookThatDoesNotAnswerIsNoUnreachablePlace(t *testing.T) {
	t.Parallel()
	down := apierrors.NewInternalError(errors.New(`failed calling webhook "v.example.com": failed to call webhook: Post "https://10.0.0.1:8443/x?timeout=10s": context deadline exceeded`))
	err := fault(t.Context(), "apply Pod a/b", down)
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != blueberry.Unavailable || e.Code != blueberry.CodeTargetWebhook || e.Detail != "apply Pod a/b: the target's admission webhook v.example.com does not answer: no answer in time" {
		t.Errorf("got %v", err)
	}
}

// TestKnownCausesStay: while a place answers too slowly, what was found out of an object that has not changed is told, and of one that has changed it is not.
func TestKnownCausesStay(t *testing.T) {
	t.Parallel()
	client, err := dynamic.NewForConfig(&rest.Config{Host: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	pod := suspect{
		kind: &kind{resource: schema.GroupVersionResource{Version: "v1", Resource: "pods"}}, version: 7, why: podNotReady,
		ref: blueberry.ObjectRef{APIVersion: "v1", Kind: "Pod", Namespace: "n", Name: "web"},
	}
	cause := []blueberry.Cause{{Code: blueberry.CauseCrash, Object: pod.ref}}
	for name, c := range map[string]struct {
		was  explained
		want []blueberry.Cause
	}{
		"as it is":          {explained{version: 7, why: podNotReady, causes: cause}, cause},
		"read later":        {explained{version: 8, why: podNotReady, causes: cause}, cause},
		"of a version ago":  {explained{version: 6, why: podNotReady, causes: cause}, nil},
		"of something else": {explained{version: 7, why: held, causes: cause}, nil},
		"not known":         {explained{}, nil},
	} {
		key := envKey{"default", "pr-1"}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		d := &Driver{dynamic: client, cache: &cache{envs: map[envKey]*environment{key: {explained: map[blueberry.ObjectRef]explained{pod.ref: c.was}}}}}
		l := &look{Driver: d, env: key, began: time.Now(), logged: map[string]bool{}}
		for again := range 2 { // also when it was told so before
			got, err := l.all(over, []suspect{pod})
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s, before it is looked at, %d: %v (-want +got):\n%s", name, again, err, diff)
			}
		}
		now, err := l.one(over, pod, c.was)
		if diff := cmp.Diff(c.want, now.causes); diff != "" || err != nil || now.tries == 0 {
			t.Errorf("%s, while it is looked at: %d tries, %v (-want +got):\n%s", name, now.tries, err, diff)
		}
	}
}
