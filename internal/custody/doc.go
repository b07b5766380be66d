// Package custody looks after the platform's own keys: those that encrypt secrets in the record, and the authority that issues certificates to internal clients.
//
// It owns the operations on them, and that everything in the record comes to a new key. It does not own the keys themselves (engine keys), the form of
// certificates (engine pki), or who may ask (the actor's grants).
//
// Invariant: a key goes only when nothing is sealed with it any more.
package custody
