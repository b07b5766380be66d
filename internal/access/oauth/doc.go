// Package oauth is the OAuth 2.0 server: authorization code with PKCE, client credentials, refresh with rotation, device authorization, revocation,
// introspection, metadata, and the registry of clients.
//
// It owns the protocol, its secrets and their states. It does not own who a person is (access), the pages on which they decide (web), or what a grant lets
// one do (the operations).
//
// Lives: a code 60 s, an access token 3,600 s, a refresh token 30 days, which begin anew with each rotation: a family ends after 30 days in which nobody used
// it. Rotation leaves the access tokens beside it alone. All of that is judged by Server.Now in the storage that is handed to the library (turn); the
// library's own checks of the system's clock get nothing that they could refuse.
//
// Invariant: a code or refresh token that is used a second time ends every token of its family.
package oauth
