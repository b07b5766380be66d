// Package storetest opens real records for tests: SQLite in a directory of the test, and a fresh database of the PostgreSQL that BLUEBERRY_TEST_POSTGRES
// names.
//
// It owns making and removing them. It holds no fake: what a test of another room gets is the store itself.
//
// Invariant: two tests never share a record.
package storetest
