package kube_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// TestUnknownFieldsAreRefused: the path of a field that the schema does not have is told, also of a custom kind.
func TestUnknownFieldsAreRefused(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	group := "g" + strings.ReplaceAll(e.Environment, "-", "") + ".example.com"
	definition := `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gears.` + group + `, labels: $labels}
spec:
  group: ` + group + `
  scope: Namespaced
  names: {plural: gears, singular: gear, kind: Gear}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {teeth: {type: integer}}}}}}}]
`
	platform := targettest.Platform(t, e.Ref, definition)
	gear := "apiVersion: " + group + "/v1\nkind: Gear\nmetadata: {name: first, namespace: $ns, labels: $labels}\nspec: {teeth: 12, tooth: 1}\n"
	deployment := strings.Split(scaledDeployment, "---\n")[0]
	template := strings.Replace(strings.Replace(deployment, "{name: app,", "{name: app, imag: x,", 1), "name: back", "name: front", 1)
	files := []blueberry.RenderedFile{platform, targettest.File(t, e.Ref, 0, "back", strings.Replace(deployment, "replicas: 1", "replica: 1", 1), template, gear)}
	missed := func(ref target.Ref, files []blueberry.RenderedFile, want map[string][]string) string {
		t.Helper()
		got, err := e.Driver.(target.Comparer).Compare(t.Context(), target.Desired{Ref: ref, Files: files})
		if err != nil {
			t.Fatalf("compare: %v", err)
		}
		for _, x := range got {
			for _, path := range want[x.Kind+" "+x.Name] {
				if !x.Refused || !x.Checked || !strings.Contains(x.Note, path) {
					return fmt.Sprintf("%s is refused: %t (checked: %t), note %q, want it refused for %s", x.ObjectRef, x.Refused, x.Checked, x.Note, path)
				}
			}
		}
		return ""
	}
	want := map[string][]string{"Deployment back": {"spec.replica: "}, "Deployment front": {`spec.template.spec.containers[name="app"].imag: `}}
	if m := missed(e.Ref, files, want); m != "" {
		t.Errorf("with no namespace: %s", m)
	}
	e.sync(t, platform)
	want["Gear first"] = []string{"spec.tooth: "}
	targettest.Until(t.Context(), t, "all unknown fields are refused", func() string { return missed(e.Ref, files, want) })
	other := targettest.NewRef()
	if m := missed(other, []blueberry.RenderedFile{targettest.File(t, other, 0, "back", gear)}, want); m != "" {
		t.Errorf("of a kind that is there, with no namespace: %s", m)
	}
}

// limited is a driver that may do what a role lets it, as a user whom the cluster does not know otherwise.
func limited(t *testing.T, rules string) *kube.Driver {
	t.Helper()
	name := "limited-" + targettest.NewRef().Environment
	h := newHand(t, config(t))
	h.Create(t, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: "+name+"}\nrules: "+rules+"\n")
	h.Create(t, fmt.Sprintf(`apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %s}
subjects: [{kind: User, name: %s, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: ClusterRole, name: %s, apiGroup: rbac.authorization.k8s.io}
`, name, name, name))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, kind := range []string{"ClusterRole", "ClusterRoleBinding"} {
			ref := blueberry.ObjectRef{APIVersion: "rbac.authorization.k8s.io/v1", Kind: kind, Name: name}
			if err := h.of(t, ref).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
				t.Errorf("delete %s: %v", ref, err)
			}
		}
	})
	cfg := rest.CopyConfig(config(t))
	cfg.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: []string{"system:authenticated"}}
	lets, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatalf("make client: %v", err)
	}
	targettest.Until(t.Context(), t, "the place knows the role", func() string {
		_, err := lets.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).List(t.Context(), metav1.ListOptions{Limit: 1})
		if err != nil {
			return err.Error()
		}
		return ""
	})
	d, err := kube.Open(kube.Config{REST: cfg})
	if err != nil {
		t.Fatalf("open driver: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestMissingRightsAreTold(t *testing.T) {
	t.Parallel()
	ref := targettest.NewRef()
	files := []blueberry.RenderedFile{targettest.Platform(t, ref), targettest.Web(t, ref, 0, "back", "registry.invalid/app:1.0")}
	d := limited(t, `[{apiGroups: [""], resources: [namespaces], verbs: [get, list, watch, create, patch, delete]}]`)
	targettest.Ask(t, "check", func() (any, error) { return nil, d.Check(t.Context()) })
	if _, err := d.Capacity(t.Context()); !errors.Is(err, blueberry.Forbidden) || !strings.Contains(err.Error(), "list nodes") {
		t.Errorf("got error %v, want one of kind forbidden that names the right", err)
	}
	prune := files[1].Objects[:1]
	got, err := d.Compare(t.Context(), target.Desired{Ref: ref, Files: files, Prune: prune})
	if err != nil {
		t.Fatalf("compare: %v", err)
	}
	for i, x := range got {
		// Of what it may not try nothing is known: neither that it is right nor that it is wrong.
		if mine := x.Kind == "Namespace"; x.Checked != mine || x.Refused || (x.Note == "") != mine {
			t.Errorf("object %d, %s: %+v", i, x.ObjectRef, x)
		}
	}
}

// TestRulesOfAnotherNamespaceDoNotRefuse: what cannot be tried in its own namespace is tried in another, whose rules say nothing of it.
func TestRulesOfAnotherNamespaceDoNotRefuse(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	rule := "deny-" + e.Environment
	for _, doc := range []string{
		`{name: $rule}, spec: {failurePolicy: Fail, matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]},
validations: [{expression: "!('blueberry.dev/environment' in object.metadata.labels) || object.metadata.labels['blueberry.dev/environment'] != '$env' || object.metadata.namespace != 'default'"}]}`,
		`{name: $rule}, spec: {policyName: $rule, validationActions: [Deny]}`,
	} {
		kind := "ValidatingAdmissionPolicy"
		if strings.Contains(doc, "policyName") {
			kind += "Binding"
		}
		doc = strings.NewReplacer("$rule", rule, "$env", e.Environment).Replace(doc)
		e.hand.Create(t, "{apiVersion: admissionregistration.k8s.io/v1, kind: "+kind+", metadata: "+doc+"}")
		t.Cleanup(func() {
			ref := blueberry.ObjectRef{APIVersion: "admissionregistration.k8s.io/v1", Kind: kind, Name: rule}
			if err := e.hand.of(t, ref).Delete(context.WithoutCancel(t.Context()), rule, metav1.DeleteOptions{}); err != nil {
				t.Errorf("delete %s: %v", ref, err)
			}
		})
	}
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0")}
	targettest.Until(t.Context(), t, "the rule is heeded", func() string {
		for _, x := range e.compare(t, files...) {
			switch {
			case x.Refused, x.Kind != "ConfigMap" && !x.Checked:
				t.Fatalf("%s: %+v, want it checked", x.ObjectRef, x)
			case x.Kind == "ConfigMap" && !x.Checked && strings.Contains(x.Note, "namespace is not there yet"):
				return ""
			}
		}
		return "the ConfigMap is checked"
	})
}

// TestOtherHandsAreTakenOver: Sync gets past list items that ours cannot stand beside, and Compare tells so.
func TestOtherHandsAreTakenOver(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0")}
	e.sync(t, files...)
	service := files[1].Objects[1]
	e.hand.Patch(t, service, `{"spec": {"ports": [{"name": "http", "port": 81, "targetPort": 8080}, {"name": "more", "port": 82}], "sessionAffinity": "ClientIP"}}`)
	e.Driver = e.Reopen(t)
	var x blueberry.ObjectDiff
	for _, d := range e.compare(t, files...) {
		if d.ObjectRef == service {
			x = d
		}
	}
	var paths []string
	for _, f := range x.Fields {
		paths = append(paths, f.Path)
	}
	if x.Action != blueberry.ObjectUpdated || x.Refused || !x.Checked || !strings.Contains(strings.Join(paths, " "), "spec.ports") {
		t.Errorf("got %+v, want the ports to be put back", x)
	}
	e.sync(t, files...)
	for _, d := range e.compare(t, files...) {
		if d.Action != blueberry.ObjectUnchanged {
			t.Errorf("afterwards %s: %+v", d.ObjectRef, d.Fields)
		}
	}
}
