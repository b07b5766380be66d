package blueberry

import "slices"

// Role is a named list of grants.
type Role string

// The roles. RoleOwner is of the installation, the others of a project; each holds what those after it do.
const (
	RoleOwner      Role = "owner"
	RoleAdmin      Role = "admin"
	RoleMaintainer Role = "maintainer"
	RoleDeveloper  Role = "developer"
	RoleViewer     Role = "viewer"
)

// ProjectRoles lists the roles that a member of a project can have, the strongest first.
func ProjectRoles() []Role { return []Role{RoleAdmin, RoleMaintainer, RoleDeveloper, RoleViewer} }

// Adds is what a role holds beyond the one below it.
func (r Role) adds() []Grant {
	switch r {
	case RoleViewer:
		return []Grant{
			GrantEnvironmentsRead, GrantBlueprintsRead, GrantConfigRead, GrantPoliciesRead, GrantProjectsRead, GrantMembersRead, GrantTargetsRead,
			GrantEnvironmentsLogs, GrantRepositoriesRead,
		}
	case RoleDeveloper:
		return []Grant{
			GrantEnvironmentsCreate, GrantEnvironmentsExtend, GrantEnvironmentsUpdate, GrantEnvironmentsDelete, GrantEnvironmentsPlan, GrantBlueprintsRender,
			GrantEnvironmentsOperate, GrantEnvironmentsExec, GrantDeliveriesRead, GrantDeliveriesReplay, GrantCIReport,
			GrantSubscriptionsRead, GrantNoticesRead, GrantNoticesRedrive,
		}
	case RoleMaintainer:
		return []Grant{GrantBlueprintsWrite, GrantConfigWrite, GrantConfigDelete, GrantPoliciesWrite, GrantServiceAccountsRead, GrantRepositoriesWrite, GrantPullsApprove, GrantBranchesDeploy, GrantCIExcept, GrantSubscriptionsWrite}
	case RoleAdmin:
		return []Grant{GrantProjectsUpdate, GrantMembersWrite, GrantServiceAccountsWrite, GrantAuditRead}
	}
	return nil
}

// Grants is everything that a role holds; nothing for what is no role.
func (r Role) Grants() []Grant {
	if r == RoleOwner {
		return []Grant{GrantAll}
	}
	roles := ProjectRoles()
	i := slices.Index(roles, r)
	if i < 0 {
		return nil
	}
	var out []Grant
	for _, below := range roles[i:] {
		out = append(out, below.adds()...)
	}
	return out
}

// CheckProjectRole notes what is no role of a project.
func (f *Faults) CheckProjectRole(field string, r Role) {
	if !slices.Contains(ProjectRoles(), r) {
		f.Add(field, "enum", "%q is not admin, maintainer, developer or viewer", string(r))
	}
}
