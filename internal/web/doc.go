// Package web is the pages of who is not signed in yet, and the questions that programs have for a person: those on which people set up an installation, sign in,
// accept an invitation, extend a lease by a link, agree to what a program asks for, and let a device in. What they work with, their own account among it, is in console;
// what every page has is in look.
//
// It owns these pages, their cookies and where a person goes next. It does not own what they do (access), or headers, limits and the proof of where a form
// came from (the gateway in front of it).
//
// Invariant: every page works without a script but for passkeys, and no secret is in a page but the one that it was made to show once.
package web

//go:generate ../../bin/templ generate -path .
