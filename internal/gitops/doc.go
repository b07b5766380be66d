// Package gitops is the GitOps repository: the desired state of every environment as files, with one commit for each revision.
//
// It owns the committer (group commit, replay after a rejected push), the layout of the repository and the smart-HTTP server of the embedded one. It
// does not know what is in the files.
//
// Invariant: a revision whose commit was returned is in the repository for good, and a Commit that is repeated changes nothing.
package gitops
