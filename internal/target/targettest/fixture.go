package targettest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// NewRef names an environment that no other test has.
func NewRef() target.Ref {
	name := fmt.Sprintf("pr-%d", rand.Int64())
	return target.Ref{Project: "suite", Environment: name, Namespace: blueberry.Namespace("suite", name)}
}

// File writes documents as the file of a component, as a rendering has it. In the documents $ns stands for the namespace, $name for the component,
// $labels for the labels of an object, $podlabels for those of a pod.
func File(t testing.TB, ref target.Ref, wave int, component string, docs ...string) blueberry.RenderedFile {
	t.Helper()
	own := fmt.Sprintf("%s: %s, %s: %s, %s: %s", blueberry.LabelProject, ref.Project, blueberry.LabelEnvironment, ref.Environment,
		blueberry.LabelComponent, component)
	labels, note := fmt.Sprintf(`{%s, %s: "1"}`, own, blueberry.LabelRevision), fmt.Sprintf(`%s: "%d"`, blueberry.AnnotationWave, wave)
	content := strings.NewReplacer(
		"labels: $labels, annotations: {", "labels: "+labels+", annotations: {"+note+", ", "labels: $labels", "labels: "+labels+", annotations: {"+note+"}",
		"$ns", ref.Namespace, "$name", component,
		"$podlabels", "{"+own+"}",
	).Replace(strings.Join(docs, "---\n"))
	f := blueberry.RenderedFile{Name: blueberry.FileName(wave, component), Wave: wave, Component: component, Content: []byte(content)}
	dec := yaml.NewDecoder(bytes.NewReader(f.Content))
	for range docs {
		var o struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct{ Namespace, Name string }
		}
		if err := dec.Decode(&o); err != nil {
			t.Fatalf("read fixture %s: %v", f.Name, err)
		}
		f.Objects = append(f.Objects, blueberry.ObjectRef{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name})
	}
	return f
}

// LedgerOf is what provision would keep for the files.
func LedgerOf(files []blueberry.RenderedFile) []blueberry.LedgerEntry {
	var out []blueberry.LedgerEntry
	for _, f := range files {
		for _, o := range f.Objects {
			out = append(out, blueberry.LedgerEntry{ObjectRef: o, Component: f.Component, Wave: f.Wave, Revision: 1})
		}
	}
	return out
}

// Platform is the file that comes before all others: the namespace and its guard rails.
func Platform(t testing.TB, ref target.Ref, more ...string) blueberry.RenderedFile {
	t.Helper()
	return File(t, ref, -1, blueberry.PlatformComponent, append([]string{namespaceDoc, quotaDoc, limitsDoc, denyDoc, accountDoc}, more...)...)
}

// Web is the file of a component that serves HTTP: nine objects.
func Web(t testing.TB, ref target.Ref, wave int, component, image string) blueberry.RenderedFile {
	t.Helper()
	docs := []string{deploymentDoc(image), serviceDoc, configDoc, budgetDoc, ingressDoc, openingDoc, serviceAccountDoc, secretDoc, scalerDoc}
	return File(t, ref, wave, component, docs...)
}

const (
	goodImage   = "registry.invalid/app:1.0"
	brokenImage = "registry.invalid/broken:1.0"

	namespaceDoc = "apiVersion: v1\nkind: Namespace\nmetadata: {name: $ns, labels: $labels}\n"
	quotaDoc     = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: environment, namespace: $ns, labels: $labels}\nspec: {hard: {pods: \"50\"}}\n"
	limitsDoc    = `apiVersion: v1
kind: LimitRange
metadata: {name: environment, namespace: $ns, labels: $labels}
spec: {limits: [{type: Container, default: {cpu: 500m, memory: 512Mi}, defaultRequest: {cpu: 50m, memory: 64Mi}}]}
`
	denyDoc = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: $ns, labels: $labels}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
`
	accountDoc        = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: $ns, labels: $labels}\nautomountServiceAccountToken: false\n"
	configDoc         = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $name, namespace: $ns, labels: $labels}\ndata: {GREETING: hello}\n"
	secretDoc         = "apiVersion: v1\nkind: Secret\nmetadata: {name: $name, namespace: $ns, labels: $labels}\nstringData: {KEY: not-a-secret}\n"
	serviceAccountDoc = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"
	serviceDoc        = `apiVersion: v1
kind: Service
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {selector: {blueberry.dev/component: $name}, ports: [{name: http, port: 80, targetPort: 8080}]}
`
	budgetDoc = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {maxUnavailable: 1, selector: {matchLabels: {blueberry.dev/component: $name}}}
`
	ingressDoc = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {rules: [{host: $name-$ns.localhost, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: $name, port: {name: http}}}}]}}]}
`
	openingDoc = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {podSelector: {matchLabels: {blueberry.dev/component: $name}}, ingress: [{ports: [{port: 8080}]}], policyTypes: [Ingress]}
`
	scalerDoc = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: $name}, minReplicas: 1, maxReplicas: 3}
`
	jobDoc = `apiVersion: batch/v1
kind: Job
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {template: {metadata: {labels: $podlabels}, spec: {restartPolicy: Never, containers: [{name: job, image: registry.invalid/job:1.0}]}}}
`
)

// deploymentDoc has no replicas, as a rendering with an autoscaler has none: one pod.
func deploymentDoc(image string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  selector: {matchLabels: {blueberry.dev/component: $name}}
  template:
    metadata: {labels: $podlabels}
    spec: {containers: [{name: app, image: "` + image + `", ports: [{containerPort: 8080}]}]}
`
}
