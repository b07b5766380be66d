// Package bitbucket reads the webhooks of Bitbucket Cloud, and of Bitbucket Data Center and Server.
//
// It owns how they are signed, and what their pull requests look like; the two look different, and the name of the event says which one it is. Neither knows
// labels, nor says what the author is to the repository. A repository of Data Center is named by the key of its project: "SHOP/web".
//
// Bitbucket Cloud abbreviates the commit of a pull request to 12 digits. What they mean is found when the commit is fetched; digits that mean several commits are
// refused then.
//
// Invariant: a pull request that it gives has a number, a commit and the repository that it goes to, and no fault repeats what a delivery says.
package bitbucket
