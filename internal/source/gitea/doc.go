// Package gitea reads the webhooks of Gitea and of Forgejo, and speaks to their API.
//
// It owns how webhooks are signed, and what pull requests look like; how a token opens the API; and how statuses and comments are set there. Neither host knows
// deployments. The body of a webhook is JSON, or a form with the JSON in its field payload; what is signed is the JSON in both. They do not say what the author
// is to the repository.
//
// Invariant: a pull request that it gives has a number, a full commit and the repository that it goes to, and no fault repeats what a delivery says.
package gitea
