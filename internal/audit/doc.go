// Package audit is the evidence of who did what: it chains the entries of the record, signs the chain, moves what is old to the objects, searches both, and
// exports them so that they can be verified without this server.
//
// It owns the chain, the checkpoints, the archives and the format of an export. It does not own the entries: every operation writes its own in its transaction,
// and the gateway those of what was denied or failed. Verifying is sdk.VerifyAudit, which needs nothing of this server.
//
// Invariant: a sealed entry is never changed, and no entry before a sealed one is ever added or left out.
//
// # The chain
//
// A moment after its commit an entry gets the next number, Seq, and its hash:
//
//	Hash = SHA-256(Prev || canonical JSON)
//
// Prev is the hash of the entry before, 32 bytes; of the first one 32 zeros. The canonical JSON is what Canonical gives: one object without white space that holds
// Seq and everything that was written. A checkpoint is an Ed25519 signature of this server under the number and the hash of an entry, and so under all before it.
//
// # The export
//
// Lines of JSON, each ends with a line feed. The order is fixed:
//
//	{"export":{"format":"blueberry-audit-1","scope":"whole","at":"…","by":"ada@example.com"}}
//	{"entry":{…},"prev":"<hex>","hash":"<hex>"}                                                    oldest first
//	{"key":{"id":"key_…","public":"<base64>"}}                                                     before the first checkpoint that it proves
//	{"checkpoint":{"seq":9,"hash":"<hex>","at":"…","key_id":"key_…","signature":"<base64>"}}       oldest first
//	{"end":{"entries":9,"digest":"<hex>","key_id":"key_…","public":"<base64>","signature":"<base64>"}}
//
// The value of "entry" is the canonical JSON, byte for byte: a verifier hashes what stands there and never encodes anything again. The digest of the last line is
// the SHA-256 of all lines before it, and the signature is under the text of SignedExport. Every line is exactly as a JSON encoder writes it, so that no byte can
// be changed without being seen.
//
// The scope is "whole" for all entries of the installation from the first: numbers without a gap, each entry hangs on the one before, and the last one has a
// checkpoint. It is "part" when a query chose entries, or the actor may not see all: then each entry is proven by its hash, neighbours by their link, entries
// that have a checkpoint by it, and all of it by the signature of the last line.
package audit
