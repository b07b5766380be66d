//go:generate go test . -run TestDocumentIsTheGoldenFile -update

// Package httpapi is the HTTP door: the operations of the activities as /v1, with its OpenAPI document and a reference page made from it.
//
// It owns routes, decoding, what an error becomes on the wire (problem.go is the one place), and the gateway before every route: request
// ids, the access log, panics, security headers, who is asking (token or session), where a call comes from, rate limits, idempotency keys, limits of size and
// time, and audit entries for what was refused. Beside /v1 it owns the inbox at /hooks, where calls prove themselves by their signature. It does not own any
// rule: what a request means and who may do it is decided by the operation that it calls.
//
// Invariant: the route table is the server and the document. A route that is not in the document does not exist below /v1, and a call that is
// refused is answered with a problem document that names every fault that could be found.
package httpapi
