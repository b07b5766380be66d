// Package gitlab reads the webhooks of GitLab, at gitlab.com and on servers of one's own, and speaks to its API.
//
// It owns how webhooks are signed, and what merge requests look like; how a token opens the API; and how statuses, notes, environments and deployments are set
// there. GitLab proves itself in one of two ways: it sends the secret (secret token), or it signs id, time and body with it (signing token).
//
// GitLab says who wrote a merge request only where the writer is who caused the event; of others the author is empty until the merge request is listed. It does
// not say what the author is to the project.
//
// Invariant: a merge request that it gives has a number, a full commit and the project that it goes to, and no fault repeats what a delivery says.
package gitlab
