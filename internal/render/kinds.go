package render

import (
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// clusterKinds are the kinds of Kubernetes itself, and of the Gateway API, that belong to no namespace.
func clusterKinds(group string) []string {
	switch group {
	case "":
		return []string{"ComponentStatus", "Namespace", "Node", "PersistentVolume"}
	case "admissionregistration.k8s.io":
		return []string{
			"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
			"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
		}
	case "apiextensions.k8s.io":
		return []string{"CustomResourceDefinition"}
	case "apiregistration.k8s.io":
		return []string{"APIService"}
	case "authentication.k8s.io":
		return []string{"SelfSubjectReview", "TokenReview"}
	case "authorization.k8s.io":
		return []string{"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"}
	case "certificates.k8s.io":
		return []string{"CertificateSigningRequest", "ClusterTrustBundle"}
	case "flowcontrol.apiserver.k8s.io":
		return []string{"FlowSchema", "PriorityLevelConfiguration"}
	case "gateway.networking.k8s.io":
		return []string{"GatewayClass"}
	case "internal.apiserver.k8s.io":
		return []string{"StorageVersion"}
	case "networking.k8s.io":
		return []string{"IPAddress", "IngressClass", "ServiceCIDR"}
	case "node.k8s.io":
		return []string{"RuntimeClass"}
	case "policy", "extensions":
		return []string{"PodSecurityPolicy"}
	case "rbac.authorization.k8s.io":
		return []string{"ClusterRole", "ClusterRoleBinding"}
	case "resource.k8s.io":
		return []string{"DeviceClass", "DeviceTaintRule", "ResourceSlice"}
	case "scheduling.k8s.io":
		return []string{"PriorityClass"}
	case "storage.k8s.io":
		return []string{"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"}
	case "storagemigration.k8s.io":
		return []string{"StorageVersionMigration"}
	}
	return nil
}

// scope says which kinds belong to the cluster: those of the table, and those that a CustomResourceDefinition of the same rendering says do.
type scope map[string]bool // "Kind.group"

func scopeOf(parts []part) scope {
	s := scope{}
	for _, p := range parts {
		for _, m := range p.manifests {
			if m.kind() == "CustomResourceDefinition" && text(m.object, "spec", "scope") == "Cluster" {
				s[text(m.object, "spec", "names", "kind")+"."+text(m.object, "spec", "group")] = true
			}
		}
	}
	return s
}

func (s scope) cluster(m manifest) bool {
	return s[m.kind()+"."+m.group()] || slices.Contains(clusterKinds(m.group()), m.kind())
}

// mayCreate reports whether a project may create a kind that belongs to the cluster.
func mayCreate(p blueberry.Project, m manifest) bool {
	return slices.Contains(p.ClusterKinds, m.kind()) || slices.Contains(p.ClusterKinds, m.kind()+"."+m.group())
}
