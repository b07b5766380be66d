// Package web is the pages: today those on which people sign in, accept an invitation, agree to what a program asks for, let a device in, and look after
// their account.
//
// It owns the pages, their cookies and where a person goes next. It does not own what they do (access), or headers, limits and the proof of where a form
// came from (the gateway in front of it).
//
// Invariant: every page works without a script but for passkeys, and no secret is in a page but the one that it was made to show once.
package web

//go:generate ../../bin/templ generate -path .
