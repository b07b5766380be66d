package policy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// holds reports whether a condition is true of the resource that the head names, and what was said.
func holds(q policy.Question, head, condition string) (bool, string) {
	got := policy.Judge([]blueberry.Policy{{Name: "p", Text: "forbid (principal, action, " + head + ") when { " + condition + " };"}}, q)
	return len(got) == 1 && got[0].Message == "the rule forbids it", fmt.Sprint(got)
}

func TestImagesAreTakenApart(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0a", 32)
	for reference, want := range map[string][4]string{ // registry, repository, tag, digest
		"nginx":                           {"docker.io", "library/nginx", "", ""},
		"nginx:1.27":                      {"docker.io", "library/nginx", "1.27", ""},
		"acme/app:1":                      {"docker.io", "acme/app", "1", ""},
		"docker.io/nginx":                 {"docker.io", "library/nginx", "", ""},
		"index.docker.io/acme/app":        {"docker.io", "acme/app", "", ""},
		"ghcr.io/acme/app@" + digest:      {"ghcr.io", "acme/app", "", digest},
		"ghcr.io/acme/app:1@" + digest:    {"ghcr.io", "acme/app", "1", digest},
		"GHCR.io/acme/app:1":              {"ghcr.io", "acme/app", "1", ""},
		"localhost/app:1":                 {"localhost", "app", "1", ""},
		"localhost:5000/a/b/c:1":          {"localhost:5000", "a/b/c", "1", ""},
		"registry.example:5000/app":       {"registry.example:5000", "app", "", ""},
		"UPPER/app":                       {"upper", "app", "", ""},
		"ghcr.io/acme/app@sha256:abc":     {"ghcr.io", "acme/app", "", "sha256:abc"},
		" ghcr.io/acme/app":               {" ghcr.io", "acme/app", "", ""},
		"evil.example/ghcr.io/acme/app:1": {"evil.example", "ghcr.io/acme/app", "1", ""},
		"ghcr.io@evil.example/acme/app":   {"docker.io", "library/ghcr.io", "", "evil.example/acme/app"},
		"":                                {"docker.io", "library/", "", ""},
	} {
		q := policy.Question{Manifests: []policy.Manifest{manifest("v1", "Pod", "p", object{"spec": object{"containers": []any{object{"image": reference}}}})}}
		condition := fmt.Sprintf("resource.registry == %q && resource.repository == %q && resource.tag == %q && resource.digest == %q && resource.by_digest == %v", want[0], want[1], want[2], want[3], want[3] == digest)
		if ok, got := holds(q, fmt.Sprintf("resource == Image::%q", reference), condition); !ok {
			t.Errorf("%q is not %v: %s", reference, want, got)
		}
	}
}

func TestTraitsAreFoundEverywhere(t *testing.T) {
	t.Parallel()
	template := func(spec object) object { return object{"spec": object{"template": object{"spec": spec}}} }
	container := func(o object) []any { return []any{object{"name": "a"}, o} }
	for reason, c := range map[string]struct {
		manifest  policy.Manifest
		condition string
	}{
		"a container":               {manifest("apps/v1", "Deployment", "x", template(object{"containers": container(object{"image": "a:1"})})), `resource.images == ["a:1"]`},
		"an init container":         {manifest("apps/v1", "Deployment", "x", template(object{"initContainers": container(object{"image": "a:1"})})), `resource.images == ["a:1"]`},
		"a cron job":                {manifest("batch/v1", "CronJob", "x", object{"spec": object{"jobTemplate": template(object{"containers": container(object{"image": "a:1"})})}}), `resource.images == ["a:1"]`},
		"a pod template":            {manifest("v1", "PodTemplate", "x", object{"template": object{"spec": object{"containers": container(object{"image": "a:1"})}}}), `resource.images == ["a:1"]`},
		"a kind of a stranger":      {manifest("acme.example/v1", "Cache", "x", object{"spec": object{"nodes": []any{object{"image": "a:1", "hostNetwork": true}}}}), `resource.images == ["a:1"] && resource.host_network`},
		"a volume of an image":      {manifest("v1", "Pod", "x", object{"spec": object{"volumes": []any{object{"image": object{"reference": "a:1"}}}}}), `resource.images == ["a:1"]`},
		"a text named image":        {manifest("v1", "ConfigMap", "x", object{"data": object{"image": "a:1", "hostPath": "x"}}), `resource.images == [] && resource.host_paths == []`},
		"a label named image":       {policy.Manifest{ObjectRef: blueberry.ObjectRef{APIVersion: "v1", Kind: "Pod", Name: "x"}, Object: object{"metadata": object{"labels": object{"image": "a"}}}}, `resource.images == [] && resource.labels["image"] == "a" && resource.namespace == ""`},
		"a schema":                  {manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "x", object{"spec": object{"versions": []any{object{"schema": object{"openAPIV3Schema": object{"default": object{"image": "a:1"}}}}}}}), `resource.images == []`},
		"a path of the host":        {manifest("v1", "Pod", "x", object{"spec": object{"volumes": []any{object{"hostPath": object{"path": "/etc"}}, object{"hostPath": object{"path": "/"}}}}}), `resource.host_paths == ["/", "/etc"]`},
		"a volume on a host":        {manifest("v1", "PersistentVolume", "x", object{"spec": object{"hostPath": object{"path": "/data"}}}), `resource.host_paths.contains("/data")`},
		"root":                      {manifest("apps/v1", "DaemonSet", "x", template(object{"containers": container(object{"securityContext": object{"privileged": true}})})), `resource.privileged`},
		"no root":                   {manifest("apps/v1", "DaemonSet", "x", template(object{"containers": container(object{"securityContext": object{"privileged": false}})})), `!resource.privileged`},
		"what the host shares":      {manifest("v1", "Pod", "x", object{"spec": object{"hostNetwork": true, "hostPID": true, "hostIPC": true}}), `resource.host_network && resource.host_pid && resource.host_ipc`},
		"what the host keeps":       {manifest("v1", "Pod", "x", object{"spec": object{"hostNetwork": false, "hostPID": "true", "hostIPC": nil}}), `!resource.host_network && !resource.host_pid && !resource.host_ipc`},
		"a service":                 {manifest("v1", "Service", "x", nil), `resource.service_type == "ClusterIP"`},
		"a service of another kind": {manifest("serving.example/v1", "Service", "x", object{"spec": object{"type": "NodePort"}}), `resource.service_type == ""`},
		"labels that are none":      {policy.Manifest{Object: object{"metadata": object{"labels": []any{1}, "annotations": object{"a": 1, "b": "x"}}}}, `resource.labels == {} && resource.annotations == {"b": "x"}`},
		"numbers":                   {policy.Manifest{Object: object{"a": 1, "b": int64(2), "c": 3.0, "d": 0.25, "e": json.Number("5"), "f": json.Number("6.0"), "g": json.Number("0.7"), "h": 1e300}}, `resource.manifest == {"a": 1, "b": 2, "c": 3, "d": "0.25", "e": 5, "f": 6, "g": "0.7", "h": "1e+300"}`},
		"lists and nulls":           {policy.Manifest{Object: object{"l": []any{2, nil, 1, 2, object{"x": nil}}, "n": nil, "t": true}}, `resource.manifest == {"l": [1, 2, {}], "t": true}`},
		"other types of Go":         {policy.Manifest{Object: object{"x": uint8(3)}}, `resource.manifest.x == "3"`},
	} {
		if ok, got := holds(policy.Question{Manifests: []policy.Manifest{c.manifest}}, "resource is Object", c.condition); !ok {
			t.Errorf("%s: %s does not hold: %s", reason, c.condition, got)
		}
	}
}

// TestOneImageInTwoObjects: each is judged as what it is of.
func TestOneImageInTwoObjects(t *testing.T) {
	t.Parallel()
	of := func(name string) policy.Manifest {
		return manifest("v1", "Pod", name, object{"spec": object{"containers": []any{object{"image": "a:1"}, object{"image": "a:1"}}}})
	}
	q := policy.Question{Manifests: []policy.Manifest{of("x"), of("y")}}
	for _, condition := range []string{`resource.object == "Pod shop-pr-1/y"`, `resource in Object::"Pod shop-pr-1/y"`} {
		got := policy.Judge([]blueberry.Policy{{Name: "p", Text: "forbid (principal, action, resource is Image) when { " + condition + " };"}}, q)
		if len(got) != 1 || got[0].Object != "image a:1 of Pod shop-pr-1/y" {
			t.Errorf("%s: %v", condition, got)
		}
	}
}
