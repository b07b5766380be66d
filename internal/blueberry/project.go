package blueberry

import "time"

// DefaultProject is the project that exists from the first start.
const DefaultProject = "default"

// Project is the boundary of ownership, quota and permission.
type Project struct {
	Name         string
	ClusterKinds []string // cluster-scoped kinds it may create: "CustomResourceDefinition", "ClusterRole.rbac.authorization.k8s.io"
	Quota        Quota
	CreatedAt    time.Time
	Version      int64 // counts up with each change of the quota, and is the ETag
}
