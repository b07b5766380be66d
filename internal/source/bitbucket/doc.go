// Package bitbucket reads the webhooks of Bitbucket Cloud, and of Bitbucket Data Center and Server, and speaks to their APIs.
//
// It owns how webhooks are signed, and what pull requests look like; how a token opens the API; and how build statuses and comments are set there. Cloud and Data
// Center have little in common: the name of an event, and the address of the API, say which one it is. Neither knows labels or deployments but its own, nor says what
// the author is to the repository. A repository of Data Center is named by the key of its project: "SHOP/web".
//
// Bitbucket Cloud abbreviates the commit of a pull request to 12 digits. What they mean is found when the commit is fetched; digits that mean several commits are
// refused then.
//
// Invariant: a pull request that it gives has a number, a commit and the repository that it goes to, and no fault repeats what a delivery says.
package bitbucket
