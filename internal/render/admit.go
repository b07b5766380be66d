package render

import (
	"fmt"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// admit holds every object to the rules of an environment and puts it into the environment's namespace. Each fault names component, source and object.
func (in Input) admit(faults *blueberry.Faults, parts []part, rails part) {
	scope := scopeOf(parts)
	owner := map[string]string{}
	for _, m := range rails.manifests {
		owner[identity(m)] = "Blueberry itself"
	}
	for i := range parts {
		p := &parts[i]
		field := fieldOf(p.index)
		for _, m := range p.manifests {
			if x, ok := in.refuse(m, scope); ok {
				faults.Add(field, x.code, "%s: %s", m, x.message)
				continue
			}
			if scope.cluster(m) {
				delete(child(m.object, "metadata"), "namespace")
			} else {
				child(m.object, "metadata")["namespace"] = in.Namespace
			}
			id := identity(m)
			if first, ok := owner[id]; ok {
				faults.Add(field, "duplicate", "%s: the same object comes from %s", m, first)
				continue
			}
			owner[id] = fmt.Sprintf("%s (component %s)", m.source, p.component.Name)
		}
	}
}

// identity is what makes two objects one to a cluster: the version of an API is not part of it.
func identity(m manifest) string {
	return strings.Join([]string{m.group(), m.kind(), m.namespace(), m.name()}, "/")
}

// refuse gives the reason why an object may not be part of an environment.
func (in Input) refuse(m manifest, scope scope) (problem, bool) {
	missing := func(what string) (problem, bool) {
		return problem{code: "manifest", message: "has no " + what}, true
	}
	if _, ok := m.object["metadata"].(map[string]any); !ok && m.object["metadata"] != nil {
		return problem{code: "manifest", message: "metadata is not a mapping"}, true
	}
	for _, field := range []string{"labels", "annotations"} {
		if v := at(m.object, "metadata", field); v != nil {
			if _, ok := v.(map[string]any); !ok {
				return problem{code: "manifest", message: "metadata." + field + " is not a mapping"}, true
			}
		}
	}
	switch {
	case m.apiVersion() == "":
		return missing("apiVersion")
	case m.kind() == "":
		return missing("kind")
	case m.name() == "" && text(m.object, "metadata", "generateName") != "":
		return problem{code: "generate_name", message: "asks for a generated name; every object needs a name that stays"}, true
	case m.name() == "":
		return missing("metadata.name")
	case m.kind() == "Namespace" && m.group() == "":
		return problem{code: "cluster_kind", message: "an environment has one namespace, which Blueberry makes"}, true
	case scope.cluster(m) && in.Restricted:
		return problem{code: "cluster_kind", message: m.kind() + " belongs to the whole cluster, and a restricted environment may not create it"}, true
	case scope.cluster(m) && !mayCreate(in.Project, m):
		return problem{code: "cluster_kind", message: fmt.Sprintf("%s belongs to the whole cluster, and project %s may not create it", m.kind(), in.Project.Name)}, true
	case !scope.cluster(m) && m.namespace() != "" && m.namespace() != in.Namespace:
		return problem{code: "namespace", message: fmt.Sprintf("names the namespace %s; the environment's is %s", m.namespace(), in.Namespace)}, true
	case m.kind() == "Secret" && m.group() == "" && holdsData(m.object):
		return problem{code: "secret_literal", message: "holds its data in the clear, which would stand in Git for ever; refer to a Secret that exists"}, true
	}
	return problem{}, false
}

func holdsData(secret map[string]any) bool {
	for _, field := range []string{"data", "stringData"} {
		switch v := secret[field].(type) {
		case nil:
		case map[string]any:
			for _, value := range v {
				if value != nil && value != "" {
					return true
				}
			}
		default:
			return true
		}
	}
	return false
}
