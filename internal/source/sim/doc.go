// Package sim is a small Git host that speaks the wire formats of Gitea: for trying out pull requests without an account anywhere, and for tests.
//
// It owns repositories that stock git clones, fetches and pushes over HTTP, pull requests that follow their branches, comments, labels, statuses, webhooks that
// are sent in order and again when they fail, pages to look at, and faults on purpose. It knows one token, which may do everything and act as any name (the
// header Sudo), and it does not know users, reviews, issues, nor anything that Blueberry does not ask a host for.
//
// Invariant: what was answered is on disk, in one file beside the bare repositories, together with the webhooks that follow from it. No name from outside is
// part of a path.
package sim
