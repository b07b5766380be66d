package cli

import "github.com/spf13/cobra"

// accessCommands are the commands on who may do what.
func accessCommands(s *shared) []*cobra.Command {
	return []*cobra.Command{
		newLogin(s), newLogout(s), newWhoami(s), newContext(s), newUser(s), newServiceAccount(s), newToken(s), newSession(s), newOAuthClient(s), newOAuthToken(s),
		newProvider(s), newGroupRule(s), newRole(s), newAudit(s), newAccess(s), newEmergency(s), newKey(s), newCertificate(s),
	}
}

func newContext(s *shared) *cobra.Command {
	return group("context", "Contexts: servers that one works with", `A context is a server with the login there. Which one counts: --context, then $BLUEBERRY_CONTEXT, then the current one. --server, --token-file and the variables BLUEBERRY_URL, BLUEBERRY_TOKEN and BLUEBERRY_TOKEN_FILE stand above the current one. The credential of a context is sent to its server alone.`,
		newContextList(s), newContextUse(s), newContextShow(s), newContextDelete(s))
}

func newUser(s *shared) *cobra.Command {
	return group("user", "Users: people with an account", `A user is named by the address of their account, or by its id.`,
		newUserList(s), newUserGet(s), newUserCreate(s), newUserUpdate(s), newUserInvite(s), newUserReset(s), newUserDelete(s))
}

func newServiceAccount(s *shared) *cobra.Command {
	return group("service-account", "Service accounts: programs of a project", `A service account acts by API tokens, with its role in its project. It is named as PROJECT/NAME, as NAME in the project of --project, or by its id.`,
		newServiceAccountList(s), newServiceAccountGet(s), newServiceAccountCreate(s), newServiceAccountUpdate(s), newServiceAccountDelete(s))
}

func newToken(s *shared) *cobra.Command {
	return group("token", "API tokens: for programs", `An API token can do what its user or service account can, and no more than it was made for. It is named by its id, or by its name if only one of one's own has it.`,
		newTokenList(s), newTokenGet(s), newTokenCreate(s), newTokenRotate(s), newTokenRevoke(s))
}

func newSession(s *shared) *cobra.Command {
	return group("session", "Sessions: who is signed in with a browser", "", newSessionList(s), newSessionRevoke(s))
}

func newOAuthClient(s *shared) *cobra.Command {
	return group("oauth-client", "OAuth clients: programs that act for users, or for themselves", "",
		newOAuthClientList(s), newOAuthClientGet(s), newOAuthClientCreate(s), newOAuthClientUpdate(s), newOAuthClientRotateSecret(s), newOAuthClientDelete(s))
}

func newOAuthToken(s *shared) *cobra.Command {
	return group("oauth-token", "OAuth tokens: what was issued to OAuth clients", "", newOAuthTokenList(s), newOAuthTokenRevoke(s))
}

func newProvider(s *shared) *cobra.Command {
	return group("provider", "Identity providers: who vouches for people", "", newProviderList(s), newProviderGet(s), newProviderSet(s), newProviderDelete(s))
}

func newGroupRule(s *shared) *cobra.Command {
	return group("group-rule", "Group rules: roles by groups of an identity provider", "", newGroupRuleList(s), newGroupRuleAdd(s), newGroupRuleDelete(s))
}

func newRole(s *shared) *cobra.Command {
	return group("role", "Roles: named lists of grants", "", newRoleList(s))
}

func newAudit(s *shared) *cobra.Command {
	return group("audit", "Audit: who did what", "", newAuditList(s), newAuditGet(s), newAuditExport(s), newAuditVerify(s))
}

func newAccess(s *shared) *cobra.Command {
	return group("access", "Access: who has what", "", newAccessReview(s))
}

func newEmergency(s *shared) *cobra.Command {
	return group("emergency", "Emergencies: the power of an owner for a short time", "", newEmergencyOpen(s), newEmergencyClose(s), newEmergencyList(s))
}

func newKey(s *shared) *cobra.Command {
	c := group("key", "Keys: what encrypts the secrets in the record", "", newKeyList(s), newKeyRotate(s))
	c.Aliases = []string{"keys"}
	return c
}

func newCertificate(s *shared) *cobra.Command {
	return group("certificate", "Certificates: of internal clients, for mTLS", "", newCertificateList(s), newCertificateIssue(s), newCertificateRevoke(s), newCertificateCA(s), newCertificateRotateCA(s))
}
