// Package source is the applications' repositories: it reads one at a branch, tag or commit and keeps what it read.
//
// It owns the check of repository addresses and refs, the fetch, the limits on what comes from outside, and the cache of trees. It does not know what
// is in a tree (render), and holds no credential: it reads what the server may read without being asked for a password.
//
// A tree is the files of one commit as Git stores them: no filter, line ending or attribute changes them, a Git LFS file is its pointer, a submodule is an
// empty directory.
//
// Invariant: a tree that was given holds every file of its commit, and nothing outside of it can be read through it.
package source
