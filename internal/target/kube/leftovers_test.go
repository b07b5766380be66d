package kube

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// TestWhatHoldsAnObject reads what the API says of objects that do not go.
func TestWhatHoldsAnObject(t *testing.T) {
	t.Parallel()
	claims := resource{GroupVersionResource: schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}, namespaced: true}
	for name, c := range map[string]struct {
		live   string
		read   func(*unstructured.Unstructured) (message, fix string)
		want   []string // in the message
		fix    string
		reason string
	}{
		"a claim in use": {
			`{metadata: {name: data, namespace: shop, finalizers: [kubernetes.io/pvc-protection]}}`,
			func(u *unstructured.Unstructured) (string, string) { return heldObject(claims, u) },
			[]string{"the pods that use the volume"},
			`kubectl patch persistentvolumeclaims data -n shop --type=merge -p '{"metadata":{"finalizers":null}}' (warning: `, "what it stands for is known",
		},
		"a load balancer and somebody": {
			`{metadata: {name: web, finalizers: [service.kubernetes.io/load-balancer-cleanup, example.com/x]}}`,
			func(u *unstructured.Unstructured) (string, string) {
				return heldObject(resource{GroupVersionResource: schema.GroupVersionResource{Group: "g", Resource: "things"}}, u)
			},
			[]string{"its load balancer", "the controller that set the finalizer example.com/x"},
			"kubectl patch things.g web --type=merge", "each is named",
		},
		"a pod on a node": {
			`{metadata: {name: web-1, namespace: shop}, spec: {nodeName: node-7}}`, podHeld,
			[]string{"node node-7"},
			"kubectl delete pod web-1 -n shop --grace-period=0 --force (warning: its containers may run on", "no kubelet says that it has ended",
		},
		"a pod on no node": {`{metadata: {name: web-1}}`, podHeld, []string{"nothing is known"}, "", "there is nothing to force"},
		"a namespace with content": {
			`{status: {conditions: [{type: NamespaceContentRemaining, status: "True", message: "Some resources are remaining: configmaps. has 1 resource instances"},
{type: NamespaceFinalizersRemaining, status: "True", message: "Some content has finalizers remaining: example.com/hold in 1 resource instances"},
{type: NamespaceDeletionDiscoveryFailure, status: "False", message: "All resources successfully discovered"}]}}`,
			namespaceHeld,
			[]string{"configmaps. has 1", "example.com/hold in 1"},
			"do not take its own finalizer away", "its controller says which kinds",
		},
		"a namespace and a dead API group": {
			`{status: {conditions: [{type: NamespaceDeletionDiscoveryFailure, status: "True", message: "Discovery failed for some groups, 1 failing"}]}}`,
			namespaceHeld,
			[]string{"Discovery failed"},
			"kubectl get apiservices", "nobody knows what is left of that group",
		},
		"a namespace that somebody holds": {
			`{metadata: {name: shop, finalizers: [example.com/hold]}}`, namespaceHeld, []string{"example.com/hold"}, "kubectl patch namespace shop --type=merge", "nothing is in it",
		},
	} {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(c.live), &u.Object); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		message, fix := c.read(u)
		for _, want := range c.want {
			if !strings.Contains(message, want) {
				t.Errorf("%s: message %q lacks %q: %s", name, message, want, c.reason)
			}
		}
		if !strings.Contains(fix, c.fix) || (c.fix == "") != (fix == "") {
			t.Errorf("%s: fix %q, want %q: %s", name, fix, c.fix, c.reason)
		}
	}
}
