// Package keys signs what Blueberry must be able to recognise as its own, and proves it.
//
// It owns the private key of this server, in a file that only its owner can read, and the Ed25519 signatures made with it. It does not keep public keys: those
// are rows of the record, so that every replica can prove what another one signed.
//
// Invariant: a private key never leaves its file.
package keys
