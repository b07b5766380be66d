package render

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestRefusesObjects(t *testing.T) {
	t.Parallel()
	object := func(kind, rest string) string { return "---\nkind: " + kind + "\n" + rest + "\n" }
	cases := map[string]struct {
		template string
		allowed  []string // cluster kinds of the project
		code     string   // empty: it is accepted
		says     string
	}{
		"no apiVersion":       {object("ConfigMap", "metadata: {name: x}"), nil, "manifest", "apiVersion"},
		"no kind":             {"apiVersion: v1\nmetadata: {name: x}", nil, "manifest", "kind"},
		"no name":             {object("ConfigMap", "apiVersion: v1"), nil, "manifest", "metadata.name"},
		"metadata is text":    {object("ConfigMap", "apiVersion: v1\nmetadata: text"), nil, "manifest", "metadata"},
		"labels are a list":   {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x, labels: [a]}"), nil, "manifest", "labels"},
		"a list of text":      {object("List", "apiVersion: v1\nitems: [text]"), nil, "manifest", "item 1"},
		"text":                {"just a text", nil, "yaml", "document 1"},
		"broken YAML":         {"a: [", nil, "yaml", "c/templates/object.yaml"},
		"generateName":        {object("Job", "apiVersion: batch/v1\nmetadata: {generateName: x-}"), nil, "generate_name", "name"},
		"Namespace":           {object("Namespace", "apiVersion: v1\nmetadata: {name: x}"), []string{"Namespace"}, "cluster_kind", "one namespace"},
		"ClusterRole":         {object("ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}"), nil, "cluster_kind", "ClusterRole"},
		"ClusterRole allowed": {object("ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}"), []string{"ClusterRole.rbac.authorization.k8s.io"}, "", ""},
		"other group allowed": {object("ClusterRole", "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}"), []string{"ClusterRole.example.dev"}, "cluster_kind", ""},
		"in a List":           {object("List", "apiVersion: v1\nitems: [{apiVersion: v1, kind: PersistentVolume, metadata: {name: x}}]"), nil, "cluster_kind", "PersistentVolume"},
		"other namespace":     {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x, namespace: kube-system}"), nil, "namespace", "kube-system"},
		"own namespace":       {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x, namespace: default-pr-1}"), nil, "", ""},
		"secret with data":    {object("Secret", "apiVersion: v1\nmetadata: {name: x}\nstringData: {password: hunter2}"), nil, "secret_literal", "Secret x"},
		"secret without data": {object("Secret", "apiVersion: v1\nmetadata: {name: x}\ndata: {}"), nil, "", ""},
		"twice":               {object("ConfigMap", "apiVersion: v1\nmetadata: {name: x}") + object("ConfigMap", "apiVersion: v1\nmetadata: {name: x}"), nil, "duplicate", "ConfigMap x"},
		"twice by version":    {object("HorizontalPodAutoscaler", "apiVersion: autoscaling/v1\nmetadata: {name: x}") + object("HorizontalPodAutoscaler", "apiVersion: autoscaling/v2\nmetadata: {name: x}"), nil, "duplicate", ""},
		"ours":                {object("ServiceAccount", "apiVersion: v1\nmetadata: {name: default}"), nil, "duplicate", "Blueberry"},
		"kind of a CRD": {
			object("CustomResourceDefinition", "apiVersion: apiextensions.k8s.io/v1\nmetadata: {name: x}\nspec: {group: example.dev, scope: Cluster, names: {kind: Galaxy}}") +
				object("Galaxy", "apiVersion: example.dev/v1\nmetadata: {name: x}"),
			[]string{"CustomResourceDefinition"},
			"cluster_kind", "Galaxy",
		},
		"unknown kind": {object("Galaxy", "apiVersion: example.dev/v1\nmetadata: {name: x}"), nil, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := bare(t)
			in.Project.ClusterKinds = c.allowed
			in.Source = chartOf(c.template)
			in.Blueprint.Components = []blueberry.Component{{Name: "web", Chart: "c"}}
			r, err := Environment(in)
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				for name, o := range decodeFiles(t, r) {
					if cluster := strings.HasPrefix(name, "ClusterRole") || strings.HasPrefix(name, "Namespace"); cluster == (at(o, "metadata", "namespace") == "default-pr-1") {
						t.Errorf("%s is in namespace %v", name, at(o, "metadata", "namespace"))
					}
				}
				return
			}
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Code != c.code || faults[0].Field != "components[0]" || !strings.Contains(faults[0].Message, c.says) {
				t.Errorf("got %v", faults)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the fault tells the secret")
			}
		})
	}
}
