// Package supervise keeps a child process running: starts it, starts it again when it dies, ends it.
//
// It owns the process, its log file and the pipe by which the child learns that its parent is gone. It does not know when
// a child is ready.
//
// Invariant: no child outlives its supervisor, however that one ends: each child holds the reading end of a pipe whose only
// writing end is the supervisor's, and ends when it reads the end of it (EndWithParent, or the shell beside a program that is
// not ours).
package supervise
