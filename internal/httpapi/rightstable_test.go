package httpapi_test

// right says who may call an operation, and what others are told. Those who may get anything but 401, 403 and 404.
type right struct {
	who      string // weakest who may: a role of the project, "owner", "member" of any project, "person" with a session, "anyone" with a credential, "public"
	denied   int    // to those who see the project, and may not; 0 means 403
	stranger int    // to those who see nothing of the project; 0 means 404
	project  string // where the call names the project, if not by its path: "body" or "query"
	service  int    // to the service account, if not what its role gets
	empty    bool   // who may gets 404: the world of the test has none of it, and the code says of what
}

// rightsTable is the IDOR table: every operation has its entry, and an operation without one fails the test.
func rightsTable() map[string]right {
	const body, query = "body", "query"
	read, change, write, rule := right{who: "viewer"}, right{who: "developer"}, right{who: "maintainer"}, right{who: "admin"}
	in := func(r right, where string) right { r.project = where; return r }
	installation := right{who: "owner", stranger: 403}
	hidden := right{who: "owner", denied: 404} // what is of another person does not exist
	own := right{who: "person", empty: true}   // only what is one's own is found, and here that is nothing
	none := func(r right) right { r.empty = true; return r }
	return map[string]right{
		"create-environment": in(change, body), "plan-new-environment": in(change, body), "list-environments": in(read, query), "get-environment": read,
		"extend-environment": change, "destroy-environment": change, "change-environment": change, "rollback-environment": change, "refresh-environment": change,
		"plan-environment": change, "get-environment-rendering": read, "list-environment-objects": read, "list-environment-events": read,
		"list-environment-plans": read, "get-plan": read, "get-plan-rendering": read, "list-environment-revisions": read, "get-environment-revision": none(read),
		"diff-environment-revisions": read, "get-environment-settings": read, "get-environment-drift": read, "set-environment-drift-policy": change,
		"list-environment-holds": read, "release-environment-holds": none(change), "list-events": {who: "member", stranger: 403},
		"watch-events": {who: "member", stranger: 403},

		"create-config-set": in(write, body), "check-config-set": in(read, body), "list-config-sets": in(read, query), "get-config-set": read, "edit-config-set": write, "restore-config-set": write,
		"delete-config-set": write, "list-config-set-versions": read, "get-config-set-version": none(read), "diff-config-set-versions": read,
		"list-config-set-users": read, "get-config-set-impact": read, "publish-blueprint": in(write, body), "list-blueprints": in(read, query),
		"get-blueprint": read, "list-blueprint-versions": read, "get-blueprint-version": none(read), "list-blueprint-users": read, "delete-blueprint": write,
		"validate-blueprint": in(change, body), "render-blueprint": in(change, body), "create-policy": in(write, body), "list-policies": in(read, query),
		"check-policy": in(read, body), "get-policy": read, "update-policy": write, "delete-policy": write,

		"list-projects": {who: "member", stranger: 403}, "create-project": installation, "get-project": read, "update-project": rule, "delete-project": {who: "owner"},
		"set-project-quota": installation, "list-project-members": read, "set-project-member": rule, "remove-project-member": rule,
		"create-service-account": rule, "list-service-accounts": write, "get-service-account": write, "update-service-account": rule, "delete-service-account": rule,
		"list-group-rules": {who: "member", stranger: 403}, "create-group-rule": in(rule, body), "delete-group-rule": rule,

		"create-user": installation, "list-users": installation, "get-user": hidden, "update-user": hidden, "delete-user": hidden, "invite-user": hidden,
		"reset-user": hidden, "list-user-sessions": installation, "revoke-user-sessions": installation,
		"list-sessions": {who: "anyone"}, "revoke-session": hidden, "get-api-token": hidden, "rotate-api-token": hidden, "revoke-api-token": hidden,
		"create-api-token": {who: "viewer", project: body, service: 422}, "list-api-tokens": {who: "anyone"},
		"create-oauth-client": installation, "list-oauth-clients": installation, "get-oauth-client": installation, "update-oauth-client": installation,
		"delete-oauth-client": installation, "rotate-oauth-client-secret": installation, "list-oauth-tokens": {who: "person"}, "revoke-oauth-token": none(hidden),
		"list-identity-providers": installation, "get-identity-provider": installation, "set-identity-provider": installation,
		"delete-identity-provider": installation,

		"get-account": {who: "anyone"}, "list-sign-in-ways": {who: "anyone"}, "list-roles": {who: "anyone"}, "get-version": {who: "anyone"}, "list-names": {who: "anyone"}, "list-passkeys": {who: "anyone"},
		"change-password": {who: "person"}, "begin-totp": {who: "person"}, "confirm-totp": {who: "person"}, "remove-totp": {who: "person"},
		"create-recovery-codes": {who: "person"}, "begin-passkey": {who: "person"}, "confirm-passkey": {who: "person"}, "delete-passkey": own,
		"unlink-identity": own, "list-consents": {who: "anyone"}, "revoke-consent": {who: "anyone", empty: true},
		"get-preferences": {who: "person"}, "set-preferences": {who: "person"}, "test-preferences": {who: "person"}, "list-own-notices": {who: "person"},
		"list-views": {who: "person"}, "save-view": {who: "person"}, "delete-view": own,

		"list-audit-entries": in(rule, query), "export-audit": in(rule, query), "verify-audit": in(rule, query), "get-audit-entry": rule, "get-access-review": installation, "open-emergency": installation,
		"list-emergencies": installation, "close-emergency": none(hidden), "list-keys": installation, "rotate-keys": installation,
		"issue-certificate": installation, "list-certificates": installation, "revoke-certificate": installation, "get-certificate-authority": installation,
		"rotate-certificate-authority": installation, "list-jobs": installation, "get-job": installation, "retry-job": installation, "cancel-job": installation,

		"get-environment-why": read, "list-environment-timeline": read, "read-environment-logs": read, "list-environment-containers": read,
		"get-environment-live-object": none(read), "list-environment-usage": read, "exec-environment": change, "get-environment-receipt": none(read),
		"sleep-environment": change, "wake-environment": change, "restart-environment": change, "scale-environment": change, "redeploy-environment": change,
		"set-environment-sleep-policy": change, "set-environment-labels": change, "list-environment-wakes": read, "pin-environment": change, "unpin-environment": change, "create-extend-link": change,
		"get-extend-link": {who: "public"}, "use-extend-link": {who: "public"}, "set-project-life": {who: "owner"},
		"list-archives": in(read, query), "get-archive": none(read), "download-archive-file": none(read), "undo-archive": change,
		"abandon-environment": {who: "owner"},

		"add-repository": in(write, body), "list-repositories": in(read, query), "get-repository": read, "change-repository": write, "remove-repository": write,
		"rotate-repository-secret": write, "list-pulls": in(read, query), "get-pull": read, "list-pull-commands": read, "approve-pull": write, "list-branches": in(read, query), "get-branch": read, "deploy-branch": write, "list-deliveries": in(change, query), "get-delivery": change,
		"replay-delivery": change,

		"report-ci": none(in(change, body)), "list-ci-reports": in(read, query), "get-ci-report": read,
		"add-scan-exception": in(write, body), "list-scan-exceptions": in(read, query), "remove-scan-exception": write,

		"add-subscription": in(write, body), "list-subscriptions": in(change, query), "get-subscription": change, "change-subscription": write,
		"remove-subscription": write, "rotate-subscription": write, "test-subscription": write, "redrive-subscription": change,
		"list-notices": in(change, query), "get-notice": change, "redrive-notice": change,

		"list-targets": {who: "member", stranger: 403}, "get-target": {who: "member", stranger: 403}, "list-target-checks": {who: "member", stranger: 403},
		"register-target": installation, "update-target": installation, "delete-target": installation, "cordon-target": installation,
		"uncordon-target": installation, "drain-target": installation, "scan-target": installation, "list-orphans": installation, "get-orphan": none(installation),
		"list-prices": {who: "member", stranger: 403}, "set-prices": installation, "remove-prices": none(installation),
		"approve-orphan": none(installation), "list-retention-rules": installation, "get-system-status": installation,

		"sign-in-by-password": {who: "public"}, "begin-passkey-sign-in": {who: "public"}, "sign-in-by-passkey": {who: "public"}, "sign-in-by-id-token": {who: "public"},
		"sign-out": {who: "public"}, "complete-setup": {who: "public"}, "accept-invitation": {who: "public"}, "request-reset": {who: "public"},
		"complete-reset": {who: "public"},
	}
}
