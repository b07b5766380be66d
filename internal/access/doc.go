// Package access says who is asking and what they may do: users, projects and their members, sign-in, sessions, API tokens, service accounts, emergencies.
//
// It owns accounts, how a person or program proves who it is, and what that gives. It does not own the check of a grant, which is the first line of each
// operation (blueberry.Actor), the OAuth protocol (access/oauth), or the pages on which people sign in (web).
//
// Invariant: the value of a secret is in no record, log or answer after it was made, and nobody gives what they do not hold.
package access
