// Package github has people sign in with GitHub, on github.com or on an enterprise server.
//
// It owns GitHub's OAuth and what its API tells of an account: the verified primary address, organizations and teams. It does not decide whose account an
// identity is: that is access.
//
// Invariant: an address is told as verified only when GitHub says so of the primary one, and the account is named by its number, never by its login.
package github
