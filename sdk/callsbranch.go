package sdk

import (
	"context"
	"iter"
	"net/http"
)

// ListBranches reads one run of branches that have a rule, the newest first.
func (c *Client) ListBranches(ctx context.Context, f BranchFilter) (BranchList, error) {
	k := newCall(http.MethodGet, "branches")
	k.set("project", f.Project)
	k.set("repository", f.Repository)
	k.set("name", f.Name)
	k.set("outcome", f.Outcome)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[BranchList](ctx, c, k)
}

// AllBranches reads run after run, the newest first. It ends after the first error.
func (c *Client) AllBranches(ctx context.Context, f BranchFilter) iter.Seq2[Branch, error] {
	return pages(f.Before, func(before string) ([]Branch, string, error) {
		f.Before = before
		run, err := c.ListBranches(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetBranch reads one branch by id, or gives a Problem of status 404 BRANCH_NOT_FOUND.
func (c *Client) GetBranch(ctx context.Context, id string) (Branch, error) {
	return fetch[Branch](ctx, c, newCall(http.MethodGet, "branches", id))
}

// DeployBranch has the environment of a branch move to the commit that the branch has now. A Problem of status 409 BRANCH_MOVED says that it has another one
// than the request names.
func (c *Client) DeployBranch(ctx context.Context, id string, r DeployBranchRequest, options ...CallOption) (Branch, error) {
	return fetch[Branch](ctx, c, post(r, "branches", id, "deploy"), options...)
}
