package blueberry

import "slices"

// Grant is one thing an actor may do: "environments:create".
type Grant string

// The grants of the operations that exist. GrantAll is the installation owner's.
const (
	GrantAll                Grant = "*:*"
	GrantEnvironmentsCreate Grant = "environments:create"
	GrantEnvironmentsRead   Grant = "environments:read"
	GrantEnvironmentsExtend Grant = "environments:extend"
	GrantEnvironmentsDelete Grant = "environments:delete"
	GrantEnvironmentsUpdate Grant = "environments:update" // change, roll back, release a hold, drift policy
	GrantEnvironmentsPlan   Grant = "environments:plan"   // alone it changes nothing
	GrantBlueprintsRender   Grant = "blueprints:render"
	GrantBlueprintsRead     Grant = "blueprints:read"
	GrantBlueprintsWrite    Grant = "blueprints:write"
	GrantConfigRead         Grant = "config:read"
	GrantConfigWrite        Grant = "config:write"
	GrantConfigDelete       Grant = "config:delete"
	GrantPoliciesRead       Grant = "policies:read"
	GrantPoliciesWrite      Grant = "policies:write"
	GrantProjectsRead       Grant = "projects:read"
	GrantProjectsQuota      Grant = "projects:quota"
	GrantJobsRead           Grant = "jobs:read"
	GrantJobsRetry          Grant = "jobs:retry"
	GrantTargetsRead        Grant = "targets:read"
)

// ActorKind says what acts.
type ActorKind string

// What can act.
const (
	ActorUser  ActorKind = "user"
	ActorToken ActorKind = "token"
	ActorJob   ActorKind = "job"
)

// Actor is who acts, and what they may do.
type Actor struct {
	Kind   ActorKind
	ID     string
	Name   string // shown as owner and in the audit: "admin"
	Grants []Grant
}

// System is the actor of work that nobody asked for by hand: an expiry, a repair.
func System() Actor {
	return Actor{Kind: ActorJob, ID: "blueberry", Name: "blueberry", Grants: []Grant{GrantAll}}
}

// Can is nil when the actor holds the grant, else a Forbidden error that names it.
func (a Actor) Can(g Grant) error {
	if slices.Contains(a.Grants, GrantAll) || slices.Contains(a.Grants, g) {
		return nil
	}
	return Errorf(Forbidden, "GRANT_MISSING", "%s lacks the grant %s", a.Name, g)
}
