// Package dirlock keeps two development clusters out of one directory.
//
// It owns the lock file and the words in it. The kernel owns the lock: it ends with the last process that holds the open
// file, so nothing that is killed leaves it behind. The file may be handed to child processes; then the lock lasts until
// they are gone too.
//
// Invariant: who has the lock is alone in the directory, children of an earlier holder included.
package dirlock
