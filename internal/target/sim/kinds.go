package sim

import "strings"

type groupKind struct{ group, kind string }

// kind is one kind that the place knows.
type kind struct {
	groupKind
	namespaced bool
}

func (k *kind) is(group, name string) bool { return k.groupKind == groupKind{group, name} }

// plural is the name of the kind in a quota; right for the kinds that people count.
func (k *kind) plural() string {
	s := strings.ToLower(k.kind)
	switch {
	case strings.HasSuffix(s, "y"):
		s = strings.TrimSuffix(s, "y") + "ies"
	case strings.HasSuffix(s, "s"):
		s += "es"
	default:
		s += "s"
	}
	if k.group != "" {
		s += "." + k.group
	}
	return s
}

// builtIn are the kinds of a Kubernetes as it is installed.
func builtIn() map[groupKind]*kind {
	out := map[groupKind]*kind{}
	for group, names := range map[string]string{
		"":                          "ConfigMap Endpoints LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount",
		"apps":                      "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
		"autoscaling":               "HorizontalPodAutoscaler",
		"batch":                     "CronJob Job",
		"coordination.k8s.io":       "Lease",
		"discovery.k8s.io":          "EndpointSlice",
		"networking.k8s.io":         "Ingress NetworkPolicy",
		"policy":                    "PodDisruptionBudget",
		"rbac.authorization.k8s.io": "Role RoleBinding",
	} {
		for _, n := range strings.Fields(names) {
			out[groupKind{group, n}] = &kind{groupKind{group, n}, true}
		}
	}
	for group, names := range map[string]string{
		"":                             "Namespace Node PersistentVolume",
		"apiextensions.k8s.io":         "CustomResourceDefinition",
		"admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration",
		"networking.k8s.io":            "IngressClass",
		"rbac.authorization.k8s.io":    "ClusterRole ClusterRoleBinding",
		"scheduling.k8s.io":            "PriorityClass",
		"storage.k8s.io":               "StorageClass",
	} {
		for _, n := range strings.Fields(names) {
			out[groupKind{group, n}] = &kind{groupKind{group, n}, false}
		}
	}
	return out
}
