package blueberry

import "time"

// DefaultProject is the project that exists from the first start.
const DefaultProject = "default"

// Project is the boundary of ownership, quota and permission.
type Project struct {
	Name         string
	Description  string   // for people; at most MaxDescription characters
	ClusterKinds []string // cluster-scoped kinds it may create: "CustomResourceDefinition", "ClusterRole.rbac.authorization.k8s.io"
	Quota        Quota
	MaxPinHours  int         // how long its environments may be pinned; 0 means DefaultMaxPinHours, below 0 not at all
	Sleep        SleepPolicy // of its environments that have none of their own
	CreatedAt    time.Time
	Version      int64 // counts up with each change, and is the ETag
}

// PinHours is how many hours an environment of the project may be pinned; 0 for not at all.
func (p Project) PinHours() int {
	switch {
	case p.MaxPinHours < 0:
		return 0
	case p.MaxPinHours == 0:
		return DefaultMaxPinHours
	}
	return p.MaxPinHours
}

// MaxDescription is how many characters a description has at most.
const MaxDescription = 500

// Member is a user's role in a project.
type Member struct {
	Project   string
	UserID    string
	Role      Role
	CreatedAt time.Time
	UpdatedAt time.Time
}

// GroupRule gives everyone whose sign-in at a provider names a group a role. Project is empty for RoleOwner, which is of the installation.
type GroupRule struct {
	ID        string
	Provider  string // name of the identity provider
	Group     string // as the provider's claim spells it
	Project   string
	Role      Role
	CreatedAt time.Time
}

// ServiceAccount is a program of a project: it acts by API tokens, never by sign-in.
type ServiceAccount struct {
	ID          string
	Project     string
	Name        string // unique in the project
	Description string
	Role        Role // in its project
	Disabled    bool
	CreatedAt   time.Time
	CreatedBy   string // name of the actor
	Version     int64
}
