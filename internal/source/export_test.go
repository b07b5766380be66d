package source

import "io/fs"

// ReadHeads is readHeads.
func ReadHeads(text string) map[string]string { return readHeads(text) }

// Plain is plain.
func Plain(s string) string { return plain(s) }

// NewTree is a tree of a test.
func NewTree(commit string, files fs.FS) *Tree {
	return &Tree{Commit: commit, FS: files, close: func() error { return nil }}
}
