// Package source is the applications' repositories: it reads one at a branch, tag or commit and keeps what it read; it takes in what their hosts send, and has
// their pull requests bring their own environments.
//
// It owns the check of repository addresses and refs, the fetch, the limits on what comes from outside, and the cache of trees; the inbox of deliveries, their
// signatures, order and retention, and what is known of pull requests. It does not know what is in a tree (render), nor how an environment is made: that it
// asks for by the port Environments. Kinds of hosts are drivers below it.
//
// A tree is the files of one commit as Git stores them: no filter, line ending or attribute changes them, a Git LFS file is its pointer, a submodule is an
// empty directory.
//
// Invariants: a tree that was given holds every file of its commit, and nothing outside of it can be read through it. A delivery is in the record before it
// is answered; one that no live secret signed changes nothing but the list of deliveries. What a pull request brings about depends on what is known of it, and
// not on how many deliveries said so, nor in which order.
package source
