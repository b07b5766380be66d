package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

// pulls are the routes of pull requests.
type pulls struct {
	operations Repositories
}

func (h pulls) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-pulls", Method: http.MethodGet, Path: "/v1/pulls", Tags: []string{tagRepositories},
		Summary: "List pull requests", Description: "The newest first: what their hosts said last of them, and what was made of it.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-pull", Method: http.MethodGet, Path: "/v1/pulls/{id}", Tags: []string{tagRepositories},
		Summary: "Read a pull request",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "approve-pull", Method: http.MethodPost, Path: "/v1/pulls/{id}/approve", Tags: []string{tagRepositories}, Metadata: gathers(),
		Summary: "Approve a commit of a pull request",
		Description: "Of somebody whom nobody vouches for: while the pull request has this commit, its environment is one as those of members have, made anew. The next push falls back. " +
			"409 `PULL_MOVED` says which commit it has now, when that is another.",
	}, h.approve)
	r.example(http.MethodPost, "/v1/pulls/{id}/approve", sdk.ApprovePullRequest{Commit: "9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"})
}

type listPullsInput struct {
	strict
	Project    string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Repository string `query:"repository" maxLength:"64" doc:"Only of the repository with this id" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	State      string `query:"state" enum:"open,closed,merged" doc:"Only in this state at their host" example:"open"`
	Outcome    string `query:"outcome" enum:"skipped,waiting,blocked,refused,built,ended" doc:"Only with environments that are so far" example:"built"`
	Before     string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h pulls) list(ctx context.Context, in *listPullsInput) (*answer[sdk.PullRequestList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.PullQuery{
		RepositoryID: in.Repository, State: blueberry.PullState(in.State), Outcome: blueberry.PullOutcome(in.Outcome), Before: in.Before, Limit: limit,
	}
	found, err := h.operations.Pulls(ctx, actorOf(ctx), in.Project, q)
	return answered(found, err, func(found []blueberry.PullRequest) sdk.PullRequestList {
		out := sdk.PullRequestList{Items: list(found, wirePull)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	})
}

// PullByID names a pull request.
type PullByID struct {
	strict
	ID string `path:"id" doc:"Id of the pull request" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h pulls) get(ctx context.Context, in *PullByID) (*answer[sdk.PullRequest], error) {
	p, err := h.operations.Pull(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	ci, err := h.operations.CIOf(ctx, p)
	return answered(ci, err, func(ci source.CIStanding) sdk.PullRequest {
		out, said := wirePull(p), wirePullCI(ci)
		out.CI = &said
		return out
	})
}

type approvePullInput struct {
	PullByID
	OnceHeader
	Body body[sdk.ApprovePullRequest]
}

func (h pulls) approve(ctx context.Context, in *approvePullInput) (*answer[sdk.PullRequest], error) {
	p, err := h.operations.Approve(ctx, actorOf(ctx), in.ID, in.Body.Value.Commit, in.Body.unknown)
	return answered(p, err, wirePull)
}
