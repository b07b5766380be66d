package sdk

import (
	"context"
	"iter"
	"net/http"
)

// AddRepository adds a repository, and gives it with the webhook secret, which no other call tells, and the URL to give to its host. A Problem of status 422 has
// every fault by field; 409 REPOSITORY_EXISTS says that the project has one of the name. It is not repeated by itself.
func (c *Client) AddRepository(ctx context.Context, r AddRepositoryRequest, options ...CallOption) (AddedRepository, error) {
	return fetch[AddedRepository](ctx, c, single(r, "repositories"), options...)
}

// ListRepositories reads one run of repositories, by id.
func (c *Client) ListRepositories(ctx context.Context, f RepositoryFilter) (RepositoryList, error) {
	k := newCall(http.MethodGet, "repositories")
	k.set("project", f.Project)
	k.set("after", f.After)
	k.setInt("limit", int64(f.Limit))
	return fetch[RepositoryList](ctx, c, k)
}

// AllRepositories reads run after run. It ends after the first error.
func (c *Client) AllRepositories(ctx context.Context, f RepositoryFilter) iter.Seq2[Repository, error] {
	return pages(f.After, func(after string) ([]Repository, string, error) {
		f.After = after
		run, err := c.ListRepositories(ctx, f)
		return run.Items, run.NextAfter, err
	})
}

// GetRepository reads one repository by id, or gives a Problem of status 404 REPOSITORY_NOT_FOUND.
func (c *Client) GetRepository(ctx context.Context, id string) (Repository, error) {
	return fetch[Repository](ctx, c, newCall(http.MethodGet, "repositories", id))
}

// ChangeRepository changes what the request names; a policy takes the place of the whole one before. With IfMatch a Problem of status 412 says that it has
// changed meanwhile; one of status 422 has every fault by field.
func (c *Client) ChangeRepository(ctx context.Context, id string, r ChangeRepositoryRequest, options ...CallOption) (Repository, error) {
	return fetch[Repository](ctx, c, patch(r, "repositories", id), options...)
}

// RemoveRepository forgets a repository with its deliveries and what is known of its pull requests. Their environments stay.
func (c *Client) RemoveRepository(ctx context.Context, id string, options ...CallOption) error {
	return c.do(ctx, newCall(http.MethodDelete, "repositories", id), options...)
}

// RotateRepositorySecret makes a new webhook secret, and gives it: no other call tells it. The former one works for a week more. It is not repeated by itself,
// because a second time would end the former one.
func (c *Client) RotateRepositorySecret(ctx context.Context, id string, r RotateRepositorySecretRequest, options ...CallOption) (AddedRepository, error) {
	return fetch[AddedRepository](ctx, c, single(r, "repositories", id, "secret"), options...)
}

// ListPulls reads one run of pull requests, the newest first.
func (c *Client) ListPulls(ctx context.Context, f PullFilter) (PullRequestList, error) {
	k := newCall(http.MethodGet, "pulls")
	k.set("project", f.Project)
	k.set("repository", f.Repository)
	k.set("state", f.State)
	k.set("outcome", f.Outcome)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[PullRequestList](ctx, c, k)
}

// AllPulls reads run after run, the newest first. It ends after the first error.
func (c *Client) AllPulls(ctx context.Context, f PullFilter) iter.Seq2[PullRequest, error] {
	return pages(f.Before, func(before string) ([]PullRequest, string, error) {
		f.Before = before
		run, err := c.ListPulls(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetPull reads one pull request by id, or gives a Problem of status 404 PULL_NOT_FOUND.
func (c *Client) GetPull(ctx context.Context, id string) (PullRequest, error) {
	return fetch[PullRequest](ctx, c, newCall(http.MethodGet, "pulls", id))
}

// ApprovePull vouches for one commit of a pull request whose author nobody vouches for. A Problem of status 409 PULL_MOVED says that it has another commit now.
func (c *Client) ApprovePull(ctx context.Context, id string, r ApprovePullRequest, options ...CallOption) (PullRequest, error) {
	return fetch[PullRequest](ctx, c, post(r, "pulls", id, "approve"), options...)
}

// ListDeliveries reads one run of deliveries without headers and bodies, the newest first.
func (c *Client) ListDeliveries(ctx context.Context, f DeliveryFilter) (DeliveryList, error) {
	k := newCall(http.MethodGet, "deliveries")
	k.set("project", f.Project)
	k.set("repository", f.Repository)
	k.set("pull", f.Pull)
	k.set("verdict", f.Verdict)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[DeliveryList](ctx, c, k)
}

// AllDeliveries reads run after run, the newest first. It ends after the first error.
func (c *Client) AllDeliveries(ctx context.Context, f DeliveryFilter) iter.Seq2[Delivery, error] {
	return pages(f.Before, func(before string) ([]Delivery, string, error) {
		f.Before = before
		run, err := c.ListDeliveries(ctx, f)
		return run.Items, run.NextBefore, err
	})
}

// GetDelivery reads one delivery with headers and body, or gives a Problem of status 404 DELIVERY_NOT_FOUND.
func (c *Client) GetDelivery(ctx context.Context, id string) (Delivery, error) {
	return fetch[Delivery](ctx, c, newCall(http.MethodGet, "deliveries", id))
}

// ReplayDelivery reads a delivery again, as if it came now; a dry run only tells what would follow. A Problem of status 409 DELIVERY_EMPTY says that nothing of
// its body was kept.
func (c *Client) ReplayDelivery(ctx context.Context, id string, dry bool, options ...CallOption) (ReplayedDelivery, error) {
	k := post(nil, "deliveries", id, "replay")
	if dry {
		k.set("dry_run", "true")
	}
	return fetch[ReplayedDelivery](ctx, c, k, options...)
}
