// Package github reads the webhooks of GitHub, at github.com and on servers of one's own.
//
// It owns how they are signed, and what their pull requests look like. The body is JSON, or a form with the JSON in its field payload; what is signed is the
// body as it came.
//
// Invariant: a pull request that it gives has a number, a full commit and the repository that it goes to, and no fault repeats what a delivery says.
package github
