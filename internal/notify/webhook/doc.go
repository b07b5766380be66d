// Package webhook sends events to programs, as CloudEvents that are signed in the form of the Standard Webhooks.
//
// It owns the headers and the signature. It does not retry, and keeps nothing: the room does.
//
// Invariant: nothing is sent that no living secret has signed.
package webhook
