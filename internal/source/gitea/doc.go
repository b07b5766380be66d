// Package gitea reads the webhooks of Gitea and of Forgejo.
//
// It owns how they are signed, and what their pull requests look like. The body is JSON, or a form with the JSON in its field payload; what is signed is
// the JSON in both. They do not say what the author is to the repository.
//
// Invariant: a pull request that it gives has a number, a full commit and the repository that it goes to, and no fault repeats what a delivery says.
package gitea
