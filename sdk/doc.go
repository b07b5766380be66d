// Package sdk is the Go client of a Blueberry server, and the wire types of its API.
//
// It owns what goes over the wire: the JSON of every request and answer, the problem document, and how a call is made, repeated and given
// up. It does not know what a request means: the server alone judges it. The server's handlers use these same types, so client and server
// cannot drift apart.
//
// Invariant: this package needs the standard library alone, and a call is repeated only if repeating it cannot do its work twice: reads,
// removals, and every other write, because the client gives each an Idempotency-Key.
package sdk
