// Package github reads the webhooks of GitHub, at github.com and on servers of one's own, and speaks to its API.
//
// It owns how webhooks are signed, and what pull requests look like; how a token, or the private key of a GitHub App, opens the API; and how statuses, comments
// and deployments are set there. The body of a webhook is JSON, or a form with the JSON in its field payload; what is signed is the body as it came.
//
// Invariant: a pull request that it gives has a number, a full commit and the repository that it goes to, and no fault repeats what a delivery says.
package github
