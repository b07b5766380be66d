package kube_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

func replace(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }

// place makes an object outside of the environment, which goes with the test. In the manifest $env stands for the environment's name.
func (e *environment) place(t *testing.T, manifest string) {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(replace(manifest, "$env", e.Environment, "$ns", e.Namespace)), &u.Object); err != nil {
		t.Fatalf("read manifest: %v", err)
	}
	ref := blueberry.ObjectRef{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
	e.hand.Create(t, replace(manifest, "$env", e.Environment, "$ns", e.Namespace))
	client := e.hand.of(t, ref)
	t.Cleanup(func() { _ = client.Delete(context.WithoutCancel(t.Context()), ref.Name, metav1.DeleteOptions{}) })
}

const podProbe = `{apiVersion: v1, kind: Pod, metadata: {name: probe, namespace: $ns}, spec: {containers: [{name: app, image: "registry.invalid/app:1.0"}]}}`

// denied returns when what decides on admission has heard of what it shall hold: it lets things through until then.
func (e *environment) denied(t *testing.T, manifest, says string) {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(replace(manifest, "$ns", e.Namespace)), &u.Object); err != nil {
		t.Fatalf("read manifest: %v", err)
	}
	client := e.hand.of(t, blueberry.ObjectRef{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()})
	targettest.Until(t.Context(), t, u.GetKind()+" is denied", func() string {
		if _, err := client.Create(t.Context(), u, metav1.CreateOptions{DryRun: []string{"All"}}); err == nil || !strings.Contains(err.Error(), says) {
			return fmt.Sprint("not yet: ", err)
		}
		return ""
	})
}

// deniedFaults are pods that the place does not let controllers make.
func deniedFaults() map[string]injected {
	pods := []string{deploymentOf("{}", appSpec)}
	return map[string]injected{
		"pod security": {
			change: func(t *testing.T, e *environment) {
				e.hand.Patch(t, blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace}, `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}`)
				e.denied(t, podProbe, "violates PodSecurity")
			},
			docs: pods, want: blueberry.CausePodSecurity, says: "pod security level restricted:latest denies the pods of Deployment web: allowPrivilegeEscalation", proof: "violates PodSecurity",
		},
		"admission policy": {
			change: func(t *testing.T, e *environment) {
				e.place(t, `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: $env}
spec:
  failurePolicy: Fail
  matchConstraints: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $ns}}, resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "false", message: "images come from our own registry", reason: Forbidden}]
`)
				e.place(t, `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: $env}, spec: {policyName: $env, validationActions: [Deny]}}`)
				e.denied(t, podProbe, "our own registry")
			},
			docs: pods, want: blueberry.CauseAdmissionDenied, says: "images come from our own registry", proof: "ValidatingAdmissionPolicy",
		},
		"admission webhook is down": {
			change: func(t *testing.T, e *environment) { e.deadWebhook(t, "pods", "") },
			docs:   pods, want: blueberry.CauseWebhookTimeout, says: "admission webhook down.example.com does not answer, so the pods of Deployment web cannot be made", proof: "failed calling webhook",
		},
		"service account missing": {
			docs: []string{deploymentOf("{}", `{serviceAccountName: runner, containers: [{name: app, image: "registry.invalid/app:1.0"}]}`)},
			want: blueberry.CauseAdmissionDenied, says: "service account runner is not there", proof: `serviceaccount "runner" not found`,
		},
	}
}

// deadWebhook is an admission webhook for the environment's namespace that nobody answers.
func (e *environment) deadWebhook(t *testing.T, resource, group string) {
	t.Helper()
	e.place(t, fmt.Sprintf(`apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: $env}
webhooks:
- name: down.example.com
  clientConfig: {url: "https://127.0.0.1:1/deny"}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $ns}}
  rules: [{apiGroups: [%q], apiVersions: ["*"], operations: [CREATE], resources: [%s]}]
  failurePolicy: Fail
  sideEffects: None
  timeoutSeconds: 1
  admissionReviewVersions: [v1]
`, group, resource))
	probe := podProbe
	if resource == "services" {
		probe = `{apiVersion: v1, kind: Service, metadata: {name: probe, namespace: $ns}, spec: {ports: [{port: 80}]}}`
	}
	e.denied(t, probe, "down.example.com")
}

func serviceOf(selector, port string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: $name, namespace: $ns, labels: $labels}\nspec: {selector: " + selector + ", ports: [{name: http, port: 80, targetPort: " + port + "}]}\n"
}

func ingressOf(class string) string {
	return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {` + class + `rules: [{host: web.localhost, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: $name, port: {name: http}}}}]}}]}
`
}

func networkFaults() map[string]injected {
	runs := deploymentOf("{}", appSpec)
	fits := serviceOf("{blueberry.dev/component: $name}", "8080")
	return map[string]injected{
		"Service selects nothing": {
			docs: []string{runs, serviceOf("{app: wep}", "8080")}, want: blueberry.CauseNoEndpoints, says: "it selects app=wep, and no pod of the namespace has these labels", proof: "app=wep",
		},
		"Service leads to no port": {
			docs: []string{runs, serviceOf("{blueberry.dev/component: $name}", "web")}, want: blueberry.CauseNoEndpoints, says: "a port named web", proof: "targetPort: web",
		},
		"Ingress without a class": {docs: []string{runs, fits, ingressOf("")}, want: blueberry.CauseIngressClass, says: "names no ingress class", proof: "no ingress class"},
		"Ingress of an unknown class": {
			docs: []string{runs, fits, ingressOf("ingressClassName: nowhere, ")}, want: blueberry.CauseIngressClass, says: "names ingress class nowhere, which is not there", proof: "nowhere",
		},
		"Ingress without an address": {
			change: func(t *testing.T, e *environment) {
				e.place(t, `{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: $env}, spec: {controller: example.com/none}}`)
			},
			docs: []string{runs, fits, ingressOf("ingressClassName: $env, ")}, want: blueberry.CauseIngressAddress, says: "has no address", proof: "no controller has given it an address",
		},
		"load balancer without an address": {
			docs: []string{runs, replace(fits, "spec: {", "spec: {type: LoadBalancer, ")}, want: blueberry.CauseIngressAddress, says: "no load balancer has given it an address", proof: "no load balancer",
		},
		"certificate pending": {
			change: func(t *testing.T, e *environment) { e.definition(t, "cert-manager.io", "Certificate", "certificates") },
			docs:   []string{runs, "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: $name, namespace: $ns, labels: $labels}\nspec: {dnsNames: [web.example.com], secretName: tls}\n"},
			broken: func(t *testing.T, e *environment) {
				e.setStatus(t, blueberry.ObjectRef{APIVersion: "cert-manager.io/v1", Kind: "Certificate", Namespace: e.Namespace, Name: "web"},
					`{"conditions": [{"type": "Ready", "status": "False", "reason": "DoesNotExist", "message": "Issuing certificate as Secret does not exist"}]}`)
			},
			want: blueberry.CauseCertificate, says: "the certificate web for web.example.com is not issued: Issuing certificate", proof: "DoesNotExist",
		},
	}
}

// definition makes a kind known to the place, for good: others may use it.
func (e *environment) definition(t *testing.T, group, kind, plural string) {
	t.Helper()
	crds := e.hand.client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	u := &unstructured.Unstructured{}
	err := yaml.Unmarshal([]byte(replace(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $plural.$group}
spec:
  group: $group
  scope: Namespaced
  names: {kind: $kind, plural: $plural}
  versions: [{name: $version, served: true, storage: true, subresources: {status: {}}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`, "$plural", plural, "$group", group, "$kind", kind, "$version", map[bool]string{true: "v1alpha1", false: "v1"}[group == "argoproj.io"])), &u.Object)
	if err != nil {
		t.Fatalf("read definition: %v", err)
	}
	if _, err := crds.Create(t.Context(), u, metav1.CreateOptions{}); err != nil && !strings.Contains(err.Error(), "already exists") {
		t.Fatalf("create definition: %v", err)
	}
	targettest.Until(t.Context(), t, "the kind is served", func() string {
		for r := range e.hand.resources(t) {
			if r.kind.Group == group && r.kind.Kind == kind {
				e.hand.kinds[r.kind] = r.GroupVersionResource
				return ""
			}
		}
		return "not yet"
	})
}

func (e *environment) setStatus(t *testing.T, ref blueberry.ObjectRef, status string) {
	t.Helper()
	if _, err := e.hand.of(t, ref).Patch(t.Context(), ref.Name, types.MergePatchType, []byte(`{"status": `+status+`}`), metav1.PatchOptions{}, "status"); err != nil {
		t.Fatalf("patch status of %s: %v", ref, err)
	}
}

func otherFaults() map[string]injected {
	rollout := "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: $name, namespace: $ns, labels: $labels}\nspec: {replicas: 1}\n"
	told := func(status string) func(*testing.T, *environment) {
		return func(t *testing.T, e *environment) {
			ref := blueberry.ObjectRef{APIVersion: "argoproj.io/v1alpha1", Kind: "Rollout", Namespace: e.Namespace, Name: "web"}
			// A controller that is there leaves alone what is for another one.
			e.hand.Patch(t, ref, `{"metadata": {"labels": {"argo-rollouts.argoproj.io/controller-instance-id": "another"}}}`)
			e.setStatus(t, ref, status)
		}
	}
	define := func(t *testing.T, e *environment) { e.definition(t, "argoproj.io", "Rollout", "rollouts") }
	faults := map[string]injected{
		"Rollout paused": {
			change: define, docs: []string{rollout}, broken: told(`{"phase": "Paused", "message": "CanaryPauseStep"}`),
			want: blueberry.CauseRolloutPaused, says: "is paused (CanaryPauseStep)", proof: "Paused",
		},
		"Rollout degraded": {
			change: define, docs: []string{rollout}, broken: told(`{"phase": "Degraded", "abort": true, "message": "metric success-rate assessed Failed"}`),
			want: blueberry.CauseObjectFailed, says: "was aborted: metric success-rate", proof: "Degraded",
		},
		"namespace held by a finalizer": {
			docs: []string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $name, namespace: $ns, labels: $labels, finalizers: [example.com/hold]}\n"},
			broken: func(t *testing.T, e *environment) {
				config := blueberry.ObjectRef{APIVersion: "v1", Kind: "ConfigMap", Namespace: e.Namespace, Name: "web"}
				t.Cleanup(func() {
					_, err := e.hand.of(t, config).Patch(context.WithoutCancel(t.Context()), "web", types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`), metav1.PatchOptions{})
					if err != nil {
						t.Errorf("let go of the ConfigMap: %v", err)
					}
				})
				e.hand.Delete(t, blueberry.ObjectRef{APIVersion: "v1", Kind: "Namespace", Name: e.Namespace})
			},
			want: blueberry.CauseNamespaceGoing, says: "finalizer example.com/hold of ConfigMap web holds it", proof: "example.com/hold",
		},
		"an object says that it failed": {
			docs: []string{replace(deploymentOf(asleep, appSpec), "  replicas: 1\n", "  replicas: 1\n  paused: true\n")},
			broken: func(t *testing.T, e *environment) {
				e.setStatus(t, blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: e.Namespace, Name: "web"},
					`{"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "it took too long"}]}`)
			},
			want: blueberry.CauseObjectFailed, says: "Deployment web has failed", proof: "eadline",
		},
	}
	if strings.Contains(os.Getenv("BLUEBERRY_TEST_WITH"), "rollouts") {
		// The real controller is there, and says itself how Rollouts are: what a test writes into their status is not what it finds.
		delete(faults, "Rollout paused")
		delete(faults, "Rollout degraded")
	}
	return faults
}
