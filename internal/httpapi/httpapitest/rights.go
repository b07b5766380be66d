package httpapitest

import "github.com/blueberry-idp/blueberry/internal/httpapi"

// Aliases, so that no field has the name of a method.
type (
	users             = httpapi.Users
	sessions          = httpapi.Sessions
	account           = httpapi.Account
	proofs            = httpapi.Proofs
	signIns           = httpapi.SignIns
	projectWrites     = httpapi.ProjectWrites
	members           = httpapi.Members
	serviceAccounts   = httpapi.ServiceAccounts
	apiTokens         = httpapi.APITokens
	oauthClients      = httpapi.OAuthClients
	oauthTokens       = httpapi.OAuthTokens
	identityProviders = httpapi.IdentityProviders
	reviews           = httpapi.Reviews
	auditReads        = httpapi.AuditReads
	keys              = httpapi.Keys
	certificates      = httpapi.Certificates
)

// rightsAway is the operations on who may do what, which the house has not. A call of one panics.
func rightsAway() httpapi.Rights {
	return httpapi.Rights{
		Users: struct{ users }{}, Sessions: struct{ sessions }{}, Account: struct{ account }{}, Proofs: struct{ proofs }{}, SignIns: struct{ signIns }{},
		ProjectWrites: struct{ projectWrites }{}, Members: struct{ members }{}, ServiceAccounts: struct{ serviceAccounts }{}, APITokens: struct{ apiTokens }{},
		OAuthClients: struct{ oauthClients }{}, OAuthTokens: struct{ oauthTokens }{}, IdentityProviders: struct{ identityProviders }{}, Reviews: struct{ reviews }{},
		AuditReads: struct{ auditReads }{}, Keys: struct{ keys }{}, Certificates: struct{ certificates }{},
	}
}
