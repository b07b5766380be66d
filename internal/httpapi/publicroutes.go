package httpapi

// publicRoutes are the patterns of the operations that need no credential: those by which one gets one. The gateway lets them pass sign-in and the document
// shows them with an empty security. A test holds both to each other.
func publicRoutes() map[string]bool {
	return map[string]bool{
		"POST /v1/sessions":                 true,
		"POST /v1/sessions/passkey/options": true,
		"POST /v1/sessions/passkey":         true,
		"POST /v1/sessions/id-token":        true,
		"DELETE /v1/sessions/current":       true, // it reads the cookie itself: signing out works with a session that has ended
		"POST /v1/setup":                    true,
		"POST /v1/invitations/acceptance":   true,
		"POST /v1/resets":                   true,
		"POST /v1/resets/completion":        true,
		"GET /v1/extend-links/{token}":      true, // the link is the credential
		"POST /v1/extend-links/{token}":     true,
	}
}

// passwordRoutes are those whose body holds a password. Their calls are not remembered under an Idempotency-Key: a fast digest of such a body is a digest of
// the password.
func passwordRoutes() map[string]bool {
	return map[string]bool{
		"POST /v1/account/password":         true,
		"POST /v1/account/totp/removal":     true,
		"PUT /v1/identity-providers/{name}": true, // a client secret that people chose
		"POST /v1/repositories":             true, // a webhook secret that people may have chosen
		"POST /v1/repositories/{id}/secret": true,

		"POST /v1/subscriptions":             true, // addresses are secrets, and a secret of a webhook may have been brought along
		"PATCH /v1/subscriptions/{id}":       true,
		"POST /v1/subscriptions/{id}/rotate": true,
	}
}

// secretRoutes are those whose answer tells a secret for the only time. With an Idempotency-Key they are done once, but the answer is not kept.
func secretRoutes() map[string]bool {
	return map[string]bool{
		"POST /v1/users":                     true, // the link of an invitation, when no mail is set up
		"POST /v1/users/{id}/invitation":     true,
		"POST /v1/users/{id}/reset":          true,
		"POST /v1/account/totp":              true,
		"POST /v1/account/totp/confirmation": true,
		"POST /v1/account/recovery-codes":    true,
		"POST /v1/account/passkeys":          true,
		"POST /v1/api-tokens":                true,
		"POST /v1/api-tokens/{id}/rotation":  true,
		"POST /v1/oauth-clients":             true,
		"POST /v1/oauth-clients/{id}/secret": true,
		"POST /v1/certificates":              true,

		"POST /v1/environments/{id}/extend-links": true,
	}
}

// secretSegment is behind which part of a path a secret stands: neither the log nor the audit nor a problem may repeat it, whatever answers there.
const secretSegment = "extend-links"
