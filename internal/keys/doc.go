// Package keys holds the keys of this installation: the one that signs what Blueberry must be able to recognise as its own, and the keyset that seals what is kept.
//
// It owns the files of these keys, which only their owner can read, the Ed25519 signatures and the AES-256-GCM encryption made with them, and the asking of a
// KMS for the key of the keyset's file. It does not keep public keys and sealed values: those are rows of the record, so that every replica can prove what
// another one signed, and open what it sealed.
//
// Invariant: a private key never leaves its file, and a sealed value opens only in the place that it was sealed for.
package keys
