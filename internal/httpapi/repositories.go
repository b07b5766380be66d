package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Repositories are the operations on repositories, on what their hosts send, and on their pull requests.
type Repositories interface {
	Add(ctx context.Context, actor blueberry.Actor, w source.RepositoryWish) (source.Added, error)
	Repository(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Repository, error)
	List(ctx context.Context, actor blueberry.Actor, project string, q blueberry.RepositoryQuery) ([]blueberry.Repository, error)
	Change(ctx context.Context, actor blueberry.Actor, id string, c source.RepositoryChange, ifVersion int64) (blueberry.Repository, error)
	// Rotate makes a new webhook secret, which is value unless that is empty. The former one works for a week more.
	Rotate(ctx context.Context, actor blueberry.Actor, id, value string) (source.Added, error)
	Remove(ctx context.Context, actor blueberry.Actor, id string, ifVersion int64) error
	// WebhookURL is the address that the host of a repository is told.
	WebhookURL(id string) string

	Pulls(ctx context.Context, actor blueberry.Actor, project string, q blueberry.PullQuery) ([]blueberry.PullRequest, error)
	Pull(ctx context.Context, actor blueberry.Actor, id string) (blueberry.PullRequest, error)
	// Approve vouches for one commit of a pull request.
	Approve(ctx context.Context, actor blueberry.Actor, id, commit string, found blueberry.Faults) (blueberry.PullRequest, error)
	// Commands reads those in comments below a pull request.
	Commands(ctx context.Context, actor blueberry.Actor, q blueberry.PullCommandQuery) ([]blueberry.PullCommand, error)

	Branches(ctx context.Context, actor blueberry.Actor, project string, q blueberry.BranchQuery) ([]blueberry.Branch, error)
	Branch(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Branch, error)
	// Deploy has the environment of a branch move to the commit that the branch has now.
	Deploy(ctx context.Context, actor blueberry.Actor, id, commit string, found blueberry.Faults) (blueberry.Branch, error)

	Deliveries(ctx context.Context, actor blueberry.Actor, project string, q blueberry.DeliveryQuery) ([]blueberry.Delivery, error)
	Delivery(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Delivery, error)
	// Replay reads a delivery again; dry only tells what would follow.
	Replay(ctx context.Context, actor blueberry.Actor, id string, dry bool) (source.Replayed, error)
	CI

	// Expects tells before its body is read whether a call of a host or a pipeline is for a repository that there is.
	Expects(ctx context.Context, c source.Call) error
	// Receive takes a call of a host, which proves itself by its signature.
	Receive(ctx context.Context, c source.Call) (blueberry.Delivery, error)
}

// repositories are the routes of repositories.
type repositories struct {
	operations Repositories
}

func (h repositories) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "add-repository", Method: http.MethodPost, Path: "/v1/repositories", Tags: []string{tagRepositories}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary:     "Add a repository",
		Description: "Its pull requests get environments as the policy says, once its host sends deliveries to `webhook_url`, signed with the secret. The secret is told here alone.",
	}, h.add)
	r.example(http.MethodPost, "/v1/repositories", sdk.AddRepositoryRequest{
		Name: "acme/shop", Host: "github", URL: "https://github.com/acme/shop.git", Policy: sdk.PullPolicy{Bases: []string{"main", "release/*"}, AtOnce: 5, Hours: 24},
	})
	register(r, huma.Operation{
		OperationID: "list-repositories", Method: http.MethodGet, Path: "/v1/repositories", Tags: []string{tagRepositories},
		Summary: "List repositories", Description: "By id, without secrets.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-repository", Method: http.MethodGet, Path: "/v1/repositories/{id}", Tags: []string{tagRepositories},
		Summary: "Read a repository",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "change-repository", Method: http.MethodPatch, Path: "/v1/repositories/{id}", Tags: []string{tagRepositories}, Metadata: gathers(),
		Summary: "Change a repository", Description: "What is absent stays. A policy takes the place of the whole one before, and counts for every pull request that is open; rules take the place of all rules.",
	}, h.change)
	r.example(http.MethodPatch, "/v1/repositories/{id}", sdk.ChangeRepositoryRequest{Policy: &sdk.PullPolicy{Labels: []string{"preview"}, Drafts: true}})
	register(r, huma.Operation{
		OperationID: "remove-repository", Method: http.MethodDelete, Path: "/v1/repositories/{id}", Tags: []string{tagRepositories}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove a repository", Description: "With its deliveries and what is known of its pull requests. Their environments stay until their leases end or someone destroys them.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "rotate-repository-secret", Method: http.MethodPost, Path: "/v1/repositories/{id}/secret", Tags: []string{tagRepositories},
		Summary: "Make a new webhook secret", Description: "The former one works for a week more; one before that ends now. The new one is told here alone. The body may be left out.",
	}, h.rotate)
	r.example(http.MethodPost, "/v1/repositories/{id}/secret", sdk.RotateRepositorySecretRequest{})
	r.api.OpenAPI().Paths["/v1/repositories/{id}/secret"].Post.RequestBody.Required = false
}

// RepositoryByID names a repository.
type RepositoryByID struct {
	strict
	ID string `path:"id" doc:"Id of the repository" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h repositories) wire(r blueberry.Repository) sdk.Repository {
	return wireRepository(r, h.operations.WebhookURL(r.ID))
}

func (h repositories) told(r blueberry.Repository, err error) (*tagged[sdk.Repository], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.Repository]{ETag: etag(r.Version), Location: "/v1/repositories/" + r.ID, Body: h.wire(r)}, nil
}

func (h repositories) added(a source.Added, err error) (*tagged[sdk.AddedRepository], error) {
	if err != nil {
		return nil, err
	}
	r := a.Repository
	body := sdk.AddedRepository{Repository: h.wire(r), Secret: a.Secret.Value}
	return &tagged[sdk.AddedRepository]{ETag: etag(r.Version), Location: "/v1/repositories/" + r.ID, Body: body}, nil
}

type addRepositoryInput struct {
	strict
	OnceHeader
	Body body[sdk.AddRepositoryRequest]
}

func (h repositories) add(ctx context.Context, in *addRepositoryInput) (*tagged[sdk.AddedRepository], error) {
	b := in.Body.Value
	return h.added(h.operations.Add(ctx, actorOf(ctx), source.RepositoryWish{
		Project: b.Project, Name: b.Name, Host: blueberry.HostKind(b.Host), URL: b.URL, Secret: b.Secret, Policy: pullPolicy(b.Policy),
		Rules: list(b.Rules, readRule), HostAPI: blueberry.HostAPI(b.HostAPI), Credential: b.Credential, Found: in.Body.unknown,
	}))
}

type listRepositoriesInput struct {
	strict
	Project string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	After   string `query:"after" maxLength:"64" doc:"Only those behind the one with this id" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h repositories) list(ctx context.Context, in *listRepositoriesInput) (*answer[sdk.RepositoryList], error) {
	limit := pageSize(in.Limit)
	found, err := h.operations.List(ctx, actorOf(ctx), in.Project, blueberry.RepositoryQuery{After: in.After, Limit: limit})
	return answered(found, err, func(found []blueberry.Repository) sdk.RepositoryList {
		out := sdk.RepositoryList{Items: list(found, h.wire)}
		if n := len(found); n >= limit {
			out.NextAfter = found[n-1].ID
		}
		return out
	})
}

func (h repositories) get(ctx context.Context, in *RepositoryByID) (*tagged[sdk.Repository], error) {
	return h.told(h.operations.Repository(ctx, actorOf(ctx), in.ID))
}

func (h repositories) versionOf(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		r, err := h.operations.Repository(ctx, actorOf(ctx), id)
		return r.Version, err
	})
}

type changeRepositoryInput struct {
	RepositoryByID
	OnceHeader
	MatchHeader
	Body body[sdk.ChangeRepositoryRequest]
}

func (h repositories) change(ctx context.Context, in *changeRepositoryInput) (*tagged[sdk.Repository], error) {
	version, err := h.versionOf(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	c := source.RepositoryChange{URL: in.Body.Value.URL, Credential: in.Body.Value.Credential, Found: in.Body.unknown}
	if a := in.Body.Value.HostAPI; a != nil {
		api := blueberry.HostAPI(*a)
		c.HostAPI = &api
	}
	if in.Body.Value.Rules != nil {
		rules := list(*in.Body.Value.Rules, readRule)
		c.Rules = &rules
	}
	if p := in.Body.Value.Policy; p != nil {
		policy := pullPolicy(*p)
		c.Policy = &policy
	}
	return h.told(h.operations.Change(ctx, actorOf(ctx), in.ID, c, version))
}

type removeRepositoryInput struct {
	RepositoryByID
	MatchHeader
}

func (h repositories) remove(ctx context.Context, in *removeRepositoryInput) (*nothing, error) {
	version, err := h.versionOf(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := h.operations.Remove(ctx, actorOf(ctx), in.ID, version); err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

type rotateRepositorySecretInput struct {
	RepositoryByID
	OnceHeader
	Body body[sdk.RotateRepositorySecretRequest]
}

func (h repositories) rotate(ctx context.Context, in *rotateRepositorySecretInput) (*tagged[sdk.AddedRepository], error) {
	return h.added(h.operations.Rotate(ctx, actorOf(ctx), in.ID, in.Body.Value.Secret))
}
