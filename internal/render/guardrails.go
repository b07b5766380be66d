package render

import (
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// railsSource is where the platform's own objects say they come from.
const railsSource = "blueberry"

type object = map[string]any

// guardRails are the objects of the environment itself: its namespace, what may run in it and who may connect to whom.
func (in Input) guardRails(parts []part, need need) []manifest {
	out := []manifest{
		in.rail("v1", "Namespace", "", object{"metadata": object{"labels": object{
			// Charts of the wild seldom pass "restricted"; "baseline" keeps out what reaches the node. What falls short is told in warnings and the audit.
			"pod-security.kubernetes.io/enforce": "baseline",
			"pod-security.kubernetes.io/warn":    "restricted",
			"pod-security.kubernetes.io/audit":   "restricted",
		}}}),
		in.rail("networking.k8s.io/v1", "NetworkPolicy", "default-deny", object{"spec": object{
			"podSelector": object{}, "policyTypes": []any{"Ingress", "Egress"},
		}}),
		in.rail("networking.k8s.io/v1", "NetworkPolicy", "allow-dns", object{"spec": object{
			"podSelector": object{}, "policyTypes": []any{"Egress"},
			"egress": []any{object{
				// The cluster's DNS, and the address that node-local caches of it listen on.
				"to":    []any{namespaces("kube-system"), object{"ipBlock": object{"cidr": "169.254.20.10/32"}}},
				"ports": []any{object{"protocol": "UDP", "port": 53}, object{"protocol": "TCP", "port": 53}},
			}},
		}}),
		in.rail("networking.k8s.io/v1", "NetworkPolicy", "allow-same-environment", object{"spec": object{
			"podSelector": object{}, "policyTypes": []any{"Ingress", "Egress"},
			"ingress": []any{object{"from": []any{object{"podSelector": object{}}}}},
			"egress":  []any{object{"to": []any{object{"podSelector": object{}}}}},
		}}),
	}
	if rules := egress(in.Blueprint.Egress); len(rules) > 0 && !in.Restricted {
		out = append(out, in.rail("networking.k8s.io/v1", "NetworkPolicy", "allow-egress", object{"spec": object{
			"podSelector": object{}, "policyTypes": []any{"Egress"}, "egress": rules,
		}}))
	}
	out = append(out, in.publicOpenings(parts)...)
	return append(out,
		in.rail("v1", "ResourceQuota", "environment", object{"spec": object{"hard": in.quota(need)}}),
		in.rail("v1", "LimitRange", "environment", object{"spec": object{"limits": []any{in.limits(need)}}}),
		// The account that pods have when they name none. Kubernetes makes it too, with a token.
		in.rail("v1", "ServiceAccount", "default", object{"automountServiceAccountToken": false}),
	)
}

// egress opens what the blueprint says every pod may connect to.
func egress(openings []blueberry.Egress) []any {
	var rules []any
	for _, o := range openings {
		rule := object{"to": []any{object{"ipBlock": object{"cidr": o.CIDR}}}}
		var ports []any
		for _, p := range o.Ports {
			ports = append(ports, object{"protocol": "TCP", "port": p})
		}
		if len(ports) > 0 {
			rule["ports"] = ports
		}
		rules = append(rules, rule)
	}
	return rules
}

// rail makes one object of the platform; without a name it is the namespace itself.
func (in Input) rail(apiVersion, kind, name string, body object) manifest {
	meta := child(body, "metadata")
	meta["name"] = name
	if name == "" {
		meta["name"] = in.Namespace
	} else {
		meta["namespace"] = in.Namespace
	}
	body["apiVersion"], body["kind"] = apiVersion, kind
	return manifest{object: body, source: railsSource}
}

func namespaces(names ...any) object {
	return object{"namespaceSelector": object{"matchExpressions": []any{
		object{"key": "kubernetes.io/metadata.name", "operator": "In", "values": names},
	}}}
}

// gateways are the namespaces that public traffic comes from: where ingress controllers are usually installed, and any that says so by label.
func gateways() []any {
	return []any{
		namespaces("envoy-gateway-system", "gateway-system", "haproxy-controller", "ingress-nginx", "istio-ingress", "istio-system", "kong", "projectcontour", "traefik"),
		object{"namespaceSelector": object{"matchLabels": object{"blueberry.dev/ingress": "true"}}},
	}
}

// publicOpenings open the pods behind every Ingress and route of the environment to the ingress controllers, at the ports of their service.
func (in Input) publicOpenings(parts []part) []manifest {
	services := map[string]map[string]any{}
	var public []string
	for _, p := range parts {
		for _, m := range p.manifests {
			switch {
			case m.kind() == "Service" && m.group() == "":
				services[m.name()] = m.object
			case m.kind() == "Ingress" && m.group() == "networking.k8s.io":
				public = append(public, backends(m.object, "service", "name")...)
			case strings.HasSuffix(m.kind(), "Route") && m.group() == "gateway.networking.k8s.io":
				public = append(public, routed(m.object)...)
			}
		}
	}
	slices.Sort(public)
	var out []manifest
	for _, name := range slices.Compact(public) {
		selector, ok := at(services[name], "spec", "selector").(map[string]any)
		if !ok || len(selector) == 0 {
			continue
		}
		rule := object{"from": gateways()}
		if ports := targetPorts(services[name]); len(ports) > 0 {
			rule["ports"] = ports
		}
		out = append(out, in.rail("networking.k8s.io/v1", "NetworkPolicy", "allow-public-"+name, object{"spec": object{
			"podSelector": object{"matchLabels": selector}, "policyTypes": []any{"Ingress"}, "ingress": []any{rule},
		}}))
	}
	return out
}

// backends are the services that an Ingress names.
func backends(ingress map[string]any, path ...string) []string {
	var out []string
	add := func(backend any) {
		if b, ok := backend.(map[string]any); ok {
			if name := text(b, path...); name != "" {
				out = append(out, name)
			}
		}
	}
	add(at(ingress, "spec", "defaultBackend"))
	for _, rule := range list(ingress, "spec", "rules") {
		for _, p := range list(rule, "http", "paths") {
			add(p["backend"])
		}
	}
	return out
}

// routed are the services that a route of the Gateway API names.
func routed(route map[string]any) []string {
	var out []string
	for _, rule := range list(route, "spec", "rules") {
		for _, b := range list(rule, "backendRefs") {
			if kind := text(b, "kind"); kind == "" || kind == "Service" {
				out = append(out, text(b, "name"))
			}
		}
	}
	return out
}

// targetPorts are the ports of a service's pods, as a network policy names them.
func targetPorts(service map[string]any) []any {
	var out []any
	for _, p := range list(service, "spec", "ports") {
		port := p["targetPort"]
		if port == nil {
			port = p["port"]
		}
		if port == nil {
			continue
		}
		protocol := text(p, "protocol")
		if protocol == "" {
			protocol = "TCP"
		}
		out = append(out, object{"protocol": protocol, "port": port})
	}
	return out
}

// list reads a list of mappings at a path.
func list(o map[string]any, path ...string) []map[string]any {
	items, _ := at(o, path...).([]any)
	var out []map[string]any
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
