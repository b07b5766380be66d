package kube

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// warning is what should be known of an object that is current by kstatus, and keeps nothing from being ready (capabilities A4): where no controller gives an
// Ingress its address, none ever will.
func warning(u *unstructured.Unstructured) string {
	switch gvk := u.GroupVersionKind(); {
	case gvk.Group == "networking.k8s.io" && gvk.Kind == "Ingress":
		switch {
		case hasAddress(u):
			return ""
		case ingressClass(u) == "":
			return "it has no ingress class, so no controller serves it"
		}
		return fmt.Sprintf("no controller has given it an address; its class is %s", ingressClass(u))
	case gvk.Group == "" && gvk.Kind == "Service":
		if kind, _, _ := unstructured.NestedString(u.Object, "spec", "type"); kind == "LoadBalancer" && !hasAddress(u) {
			return "no load balancer has given it an address"
		}
	case gvk.Group == "gateway.networking.k8s.io" && strings.HasSuffix(gvk.Kind, "Route"):
		return routeWarning(u)
	}
	return ""
}

func hasAddress(u *unstructured.Unstructured) bool {
	list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "loadBalancer", "ingress")
	return len(objects(list)) > 0
}

// ingressClass is the class that an Ingress names, in the new way or the old.
func ingressClass(u *unstructured.Unstructured) string {
	class, _, _ := unstructured.NestedString(u.Object, "spec", "ingressClassName")
	if class == "" {
		class = u.GetAnnotations()["kubernetes.io/ingress.class"]
	}
	return class
}

// routeWarning is empty when a Gateway takes the route.
func routeWarning(u *unstructured.Unstructured) string {
	list, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "parents")
	refused := ""
	for _, p := range objects(list) {
		ref, _ := p["parentRef"].(map[string]any)
		for _, c := range objects(p["conditions"]) {
			switch {
			case c["type"] != "Accepted":
			case c["status"] == "True":
				return ""
			case refused == "":
				refused = fmt.Sprintf("gateway %s does not accept it: %s", text(ref["name"]), text(c["message"]))
			}
		}
	}
	if refused == "" {
		return "no gateway has taken it"
	}
	return refused
}

func isRollout(u *unstructured.Unstructured) bool {
	gvk := u.GroupVersionKind()
	return gvk.Group == "argoproj.io" && gvk.Kind == "Rollout"
}

// rolloutHealth reads a Rollout, of which kstatus knows nothing. One that is paused is on its way: it waits for someone, or for its time.
func rolloutHealth(u *unstructured.Unstructured) (blueberry.Health, string) {
	phase, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	message, _, _ := unstructured.NestedString(u.Object, "status", "message")
	switch phase {
	case "Healthy":
		return blueberry.HealthCurrent, ""
	case "Degraded":
		return blueberry.HealthFailed, message
	case "Paused":
		return blueberry.HealthInProgress, "is paused: " + message
	}
	return blueberry.HealthInProgress, message
}
