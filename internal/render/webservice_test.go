package render

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// oneWebService renders a web-service with values.
func oneWebService(t *testing.T, values map[string]any) map[string]map[string]any {
	t.Helper()
	in := bare(t)
	in.Blueprint.Components = []blueberry.Component{{Name: "web", Image: "a:1", Values: values}}
	r, err := Environment(in)
	if err != nil {
		t.Fatal(err)
	}
	return decodeFiles(t, r)
}

func TestWebService(t *testing.T) {
	t.Parallel()
	type values = map[string]any
	container := func(o map[string]map[string]any) map[string]any {
		return list(o["Deployment web"], "spec", "template", "spec", "containers")[0]
	}
	cases := map[string]struct {
		values values
		get    func(o map[string]map[string]any) any
		want   any
	}{
		"replicas belong to the autoscaler": {nil, func(o map[string]map[string]any) any { return at(o["Deployment web"], "spec", "replicas") }, nil},
		"replicas are its least number": {values{"replicas": 3}, func(o map[string]map[string]any) any {
			return at(o["HorizontalPodAutoscaler web"], "spec", "minReplicas")
		}, json.Number("3")},
		"the most is never below the least": {values{"replicas": 20}, func(o map[string]map[string]any) any {
			return at(o["HorizontalPodAutoscaler web"], "spec", "maxReplicas")
		}, json.Number("20")},
		"without autoscaling they are fixed": {values{"replicas": 1, "autoscaling": values{"enabled": false}}, func(o map[string]map[string]any) any { return at(o["Deployment web"], "spec", "replicas") }, json.Number("1")},
		"and there is no autoscaler":         {values{"autoscaling": values{"enabled": false}}, func(o map[string]map[string]any) any { return o["HorizontalPodAutoscaler web"] == nil }, true},
		"numbers and booleans become text":   {values{"env": values{"A": 1000000, "B": true, "C": "x: y", "D": 1.5}}, func(o map[string]map[string]any) any { return o["ConfigMap web-env"]["data"] }, map[string]any{"A": "1000000", "B": "true", "C": "x: y", "D": "1.5"}},
		"no values, no ConfigMap":            {nil, func(o map[string]map[string]any) any { return o["ConfigMap web-env"] == nil }, true},
		"a secret is a reference":            {values{"env": values{"P": values{"secretRef": "db/pass.word"}}}, func(o map[string]map[string]any) any { return list(container(o), "env")[1]["valueFrom"] }, map[string]any{"secretKeyRef": map[string]any{"name": "db", "key": "pass.word"}}},
		"whole secrets":                      {values{"envFrom": []any{values{"secret": "s"}, values{"configMap": "c"}}}, func(o map[string]map[string]any) any { return container(o)["envFrom"] }, []any{map[string]any{"secretRef": map[string]any{"name": "s"}}, map[string]any{"configMapRef": map[string]any{"name": "c"}}}},
		"PORT may be set":                    {values{"env": values{"PORT": "9"}}, func(o map[string]map[string]any) any { return container(o)["env"] }, nil},
		"command and arguments":              {values{"command": []any{"/bin/x"}, "args": []any{"-v", "{{ x }}"}}, func(o map[string]map[string]any) any { return container(o)["args"] }, []any{"-v", "{{ x }}"}},
		"a private component has no Ingress": {values{"ingress": values{"public": false}}, func(o map[string]map[string]any) any {
			return o["Ingress web"] == nil && o["NetworkPolicy allow-public-web"] == nil
		}, true},
		"a Gateway has a route": {values{"ingress": values{"gateway": values{"name": "g", "namespace": "infra"}}}, func(o map[string]map[string]any) any { return at(o["HTTPRoute web"], "spec", "parentRefs") }, []any{map[string]any{"name": "g", "namespace": "infra"}}},
		"and no Ingress, but an opening": {values{"ingress": values{"gateway": values{"name": "g"}}}, func(o map[string]map[string]any) any {
			return o["Ingress web"] == nil && o["NetworkPolicy allow-public-web"] != nil
		}, true},
		"TLS": {values{"ingress": values{"tlsSecret": "cert", "className": "nginx"}}, func(o map[string]map[string]any) any { return at(o["Ingress web"], "spec", "tls") }, []any{map[string]any{"hosts": []any{"web-pr-1.localhost"}, "secretName": "cert"}}},
		"egress": {values{"egress": []any{values{"cidr": "10.0.0.0/8", "ports": []any{5432}}}}, func(o map[string]map[string]any) any {
			return list(o["NetworkPolicy web-egress"], "spec", "egress")[0]["ports"]
		}, []any{map[string]any{"protocol": "TCP", "port": json.Number("5432")}}},
		"a probe can be off": {values{"probes": values{"liveness": values{"enabled": false}}}, func(o map[string]map[string]any) any { return container(o)["livenessProbe"] }, nil},
		"the image's user": {values{"runAsUser": nil}, func(o map[string]map[string]any) any {
			return at(o["Deployment web"], "spec", "template", "spec", "securityContext", "runAsUser")
		}, nil},
		"writable directories": {values{"writable": []any{"/var/cache"}}, func(o map[string]map[string]any) any { return list(container(o), "volumeMounts")[1]["mountPath"] }, "/var/cache"},
		"annotations that look like other types": {values{"podAnnotations": values{"a": "true", "b": "1"}}, func(o map[string]map[string]any) any {
			return at(o["Deployment web"], "spec", "template", "metadata", "annotations")
		}, map[string]any{"a": "true", "b": "1"}},
		"no preStop": {values{"preStopSeconds": 0}, func(o map[string]map[string]any) any { return container(o)["lifecycle"] }, nil},
		"nodes": {values{"nodeSelector": values{"disk": "ssd"}, "tolerations": []any{values{"key": "k", "operator": "Exists"}}}, func(o map[string]map[string]any) any {
			return at(o["Deployment web"], "spec", "template", "spec", "tolerations")
		}, []any{map[string]any{"key": "k", "operator": "Exists"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.get(oneWebService(t, c.values))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestEnvRestartsPods: a changed value changes the pod template, and nothing else does.
func TestEnvRestartsPods(t *testing.T) {
	t.Parallel()
	template := func(env string) any {
		o := oneWebService(t, map[string]any{"env": map[string]any{"A": env}})
		return at(o["Deployment web"], "spec", "template")
	}
	if cmp.Equal(template("1"), template("2")) {
		t.Error("the pods would keep the old value")
	}
	if !cmp.Equal(template("1"), template("1")) {
		t.Error("the pods would restart for nothing")
	}
}

// TestWebServiceRefuses: each wrong value is told by its own path.
func TestWebServiceRefuses(t *testing.T) {
	t.Parallel()
	type values = map[string]any
	cases := map[string]struct {
		values values
		field  string
	}{
		"unknown":            {values{"replica": 2}, "replica"},
		"unknown below":      {values{"ingress": values{"host": "x"}}, "ingress.host"},
		"a wrong type":       {values{"replicas": "two"}, "replicas"},
		"a fraction":         {values{"replicas": 1.5}, "replicas"},
		"root":               {values{"runAsUser": 0}, "runAsUser"},
		"a path":             {values{"ingress": values{"paths": []any{"/a", "b"}}}, "ingress.paths[1]"},
		"a quantity":         {values{"resources": values{"limits": values{"cpu": "much"}}}, "resources.limits.cpu"},
		"no limits":          {values{"resources": values{"limits": nil}}, "resources"},
		"a secret reference": {values{"env": values{"A": values{"secretRef": "nokey"}}}, "env.A.secretRef"},
		"an address":         {values{"egress": []any{values{"cidr": "anywhere"}}}, "egress[0].cidr"},
		"an annotation":      {values{"annotations": values{"a": 1}}, "annotations.a"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := bare(t)
			in.Blueprint.Components = []blueberry.Component{{Name: "web", Image: "a:1", Values: c.values}}
			_, err := Environment(in)
			faults := invalid(t, err)
			told := false
			for _, f := range faults {
				told = told || f.Field == "components[0].values."+c.field
			}
			if !told {
				t.Errorf("no fault at %s: %v", c.field, faults)
			}
		})
	}
}

// TestSchemaDescribesAll: every value of the chart has a description in its schema and a line in its README.
func TestSchemaDescribesAll(t *testing.T) {
	t.Parallel()
	const dir = "../../charts/web-service/"
	content, err := os.ReadFile(dir + "values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(dir + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	builtin, err := webServiceChart()
	if err != nil {
		t.Fatal(err)
	}
	var walk func(path string, s map[string]any, v any)
	walk = func(path string, s map[string]any, v any) {
		properties, _ := s["properties"].(map[string]any)
		defaults, _ := v.(map[string]any)
		for key := range defaults {
			if len(properties) > 0 && properties[key] == nil {
				t.Errorf("%s%s is in values.yaml and not in the schema", path, key)
			}
		}
		for key, p := range properties {
			p, _ := p.(map[string]any)
			if text(p, "description") == "" {
				t.Errorf("%s%s has no description", path, key)
			}
			below, _ := p["properties"].(map[string]any)
			if len(below) == 0 && !strings.HasPrefix(path+key, "blueberry") && !strings.Contains(string(readme), "| `"+path+key+"` |") {
				t.Errorf("the README does not tell %s%s", path, key)
			}
			walk(path+key+".", p, defaults[key])
		}
	}
	walk("", schema, builtin.chart.Values)
}
