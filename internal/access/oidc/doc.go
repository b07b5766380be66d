// Package oidc has people sign in at issuers of OpenID Connect, as Google, Dex and Keycloak are, and proves ID tokens of Firebase projects.
//
// It owns discovery, the exchange of the code and every check of an ID token. It does not decide whose account an identity is: that is access.
//
// Invariant: claims are given only from an ID token that this issuer signed, for this client, that is valid now, and, after a redirect, was asked for by it.
package oidc
