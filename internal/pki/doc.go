// Package pki is certificates: those that listeners show, which change without a restart, and the platform's own authority, by whose certificates internal
// clients prove themselves.
//
// It owns how certificates are read, made, renewed, trusted and revoked. It does not own where the authority's key is kept (Secrets), who may have a
// certificate, or which listener asks for one.
//
// Invariant: a pair that is broken never replaces one that works, and a private key leaves the process only to whoever asked for it to be made.
package pki
