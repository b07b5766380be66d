package blueberry

import "slices"

// Grant is one thing an actor may do, on the installation or in a project: "environments:create".
type Grant string

// The grants of the operations that exist. GrantAll is the installation owner's.
const (
	GrantAll                  Grant = "*:*"
	GrantEnvironmentsCreate   Grant = "environments:create"
	GrantEnvironmentsRead     Grant = "environments:read"
	GrantEnvironmentsExtend   Grant = "environments:extend"
	GrantEnvironmentsDelete   Grant = "environments:delete"
	GrantEnvironmentsUpdate   Grant = "environments:update"  // change, roll back, release a hold, drift policy
	GrantEnvironmentsPlan     Grant = "environments:plan"    // alone it changes nothing
	GrantEnvironmentsOperate  Grant = "environments:operate" // sleep, wake, restart, scale, redeploy, sleep policy
	GrantEnvironmentsLogs     Grant = "environments:logs"    // what its containers wrote
	GrantEnvironmentsExec     Grant = "environments:exec"    // a shell in its containers
	GrantBlueprintsRender     Grant = "blueprints:render"
	GrantBlueprintsRead       Grant = "blueprints:read"
	GrantBlueprintsWrite      Grant = "blueprints:write"
	GrantConfigRead           Grant = "config:read"
	GrantConfigWrite          Grant = "config:write"
	GrantConfigDelete         Grant = "config:delete"
	GrantPoliciesRead         Grant = "policies:read"
	GrantPoliciesWrite        Grant = "policies:write"
	GrantProjectsRead         Grant = "projects:read"
	GrantProjectsCreate       Grant = "projects:create" // on the installation only
	GrantProjectsDelete       Grant = "projects:delete" // on the installation only
	GrantProjectsUpdate       Grant = "projects:update"
	GrantProjectsQuota        Grant = "projects:quota"     // on the installation only: nobody sets their own bounds
	GrantRepositoriesRead     Grant = "repositories:read"  // and their pull requests
	GrantRepositoriesWrite    Grant = "repositories:write" // and the secrets of their webhooks
	GrantPullsApprove         Grant = "pulls:approve"      // to vouch for a commit of somebody whom nobody knows
	GrantBranchesDeploy       Grant = "branches:deploy"    // to move the environment of a branch to a commit of it
	GrantDeliveriesRead       Grant = "deliveries:read"    // what hosts sent, with bodies
	GrantDeliveriesReplay     Grant = "deliveries:replay"
	GrantCIReport             Grant = "ci:report"           // to say what CI says of a commit
	GrantCIExcept             Grant = "ci:except"           // to let findings of scans pass for a time
	GrantSubscriptionsRead    Grant = "subscriptions:read"  // without addresses and secrets
	GrantSubscriptionsWrite   Grant = "subscriptions:write" // and their secrets
	GrantNoticesRead          Grant = "notices:read"        // what was told to whom, with every attempt
	GrantNoticesRedrive       Grant = "notices:redrive"
	GrantMembersRead          Grant = "members:read"
	GrantMembersWrite         Grant = "members:write" // members, group rules of the project
	GrantServiceAccountsRead  Grant = "service-accounts:read"
	GrantServiceAccountsWrite Grant = "service-accounts:write" // and their API tokens
	GrantUsersRead            Grant = "users:read"             // on the installation only, as all below but for audit:read and targets:read
	GrantUsersWrite           Grant = "users:write"
	GrantTokensRead           Grant = "api-tokens:read" // those of others; one's own need no grant
	GrantTokensWrite          Grant = "api-tokens:write"
	GrantSessionsRead         Grant = "sessions:read" // those of others
	GrantSessionsRevoke       Grant = "sessions:revoke"
	GrantClientsRead          Grant = "oauth-clients:read"
	GrantClientsWrite         Grant = "oauth-clients:write"
	GrantProvidersRead        Grant = "identity-providers:read"
	GrantProvidersWrite       Grant = "identity-providers:write"
	GrantAuditRead            Grant = "audit:read" // in a project: what was done there
	GrantAccessReview         Grant = "access:review"
	GrantEmergenciesRead      Grant = "emergencies:read"
	GrantEmergenciesOpen      Grant = "emergencies:open" // break-glass; a user has it by User.BreakGlass
	GrantKeysRead             Grant = "keys:read"
	GrantKeysRotate           Grant = "keys:rotate"
	GrantCertificatesRead     Grant = "certificates:read"
	GrantCertificatesIssue    Grant = "certificates:issue"
	GrantJobsRead             Grant = "jobs:read"
	GrantJobsRetry            Grant = "jobs:retry"
	GrantTargetsRead          Grant = "targets:read"
	GrantTargetsWrite         Grant = "targets:write" // on the installation only, as all below
	GrantOrphansRead          Grant = "orphans:read"
	GrantOrphansRemove        Grant = "orphans:remove"
	GrantRetentionRead        Grant = "retention:read"
	GrantSystemRead           Grant = "system:read" // how the server and all that it leans on is
)

// Grants lists every grant but GrantAll, in the order of the noun list.
func Grants() []Grant {
	return []Grant{
		GrantEnvironmentsCreate, GrantEnvironmentsRead, GrantEnvironmentsExtend, GrantEnvironmentsDelete, GrantEnvironmentsUpdate, GrantEnvironmentsPlan,
		GrantEnvironmentsOperate, GrantEnvironmentsLogs, GrantEnvironmentsExec,
		GrantBlueprintsRender, GrantBlueprintsRead, GrantBlueprintsWrite, GrantConfigRead, GrantConfigWrite, GrantConfigDelete,
		GrantPoliciesRead, GrantPoliciesWrite, GrantProjectsRead, GrantProjectsCreate, GrantProjectsDelete, GrantProjectsUpdate, GrantProjectsQuota,
		GrantRepositoriesRead, GrantRepositoriesWrite, GrantPullsApprove, GrantBranchesDeploy, GrantDeliveriesRead, GrantDeliveriesReplay, GrantCIReport, GrantCIExcept,
		GrantSubscriptionsRead, GrantSubscriptionsWrite, GrantNoticesRead, GrantNoticesRedrive,
		GrantMembersRead, GrantMembersWrite, GrantServiceAccountsRead, GrantServiceAccountsWrite, GrantUsersRead, GrantUsersWrite,
		GrantTokensRead, GrantTokensWrite, GrantSessionsRead, GrantSessionsRevoke, GrantClientsRead, GrantClientsWrite,
		GrantProvidersRead, GrantProvidersWrite, GrantAuditRead, GrantAccessReview, GrantEmergenciesRead, GrantEmergenciesOpen,
		GrantKeysRead, GrantKeysRotate, GrantCertificatesRead, GrantCertificatesIssue, GrantJobsRead, GrantJobsRetry, GrantTargetsRead,
		GrantTargetsWrite, GrantOrphansRead, GrantOrphansRemove, GrantRetentionRead, GrantSystemRead,
	}
}

// CheckGrants notes what is no grant, and what is named twice.
func (f *Faults) CheckGrants(field string, grants []Grant) {
	for i, g := range grants {
		at := JoinField(field, "["+itoa(i)+"]")
		switch {
		case g != GrantAll && !slices.Contains(Grants(), g):
			f.Add(at, "unknown", "%q is no grant", string(g))
		case slices.Contains(grants[:i], g):
			f.Add(at, "duplicate", "%s is named twice", g)
		}
	}
}
