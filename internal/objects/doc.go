// Package objects keeps things by name outside of the record: archives now, logs, reports and backups later. They are in a directory, or in a bucket of S3 or of
// what speaks its protocol.
//
// It owns the connection, the names that are allowed, and that an object is there whole or not at all. It does not know what is in an object, and it does not
// list what should be there: whoever puts one keeps its name and its digest.
//
// Invariant: an object that Put reported is there for good, byte for byte; one that it did not report is there whole, or not at all.
package objects
