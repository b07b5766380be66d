package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// branches are the routes of branches that have environments of their own.
type branches struct {
	operations Repositories
}

func (h branches) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-branches", Method: http.MethodGet, Path: "/v1/branches", Tags: []string{tagRepositories},
		Summary: "List branches that have environments", Description: "Those that a rule of their repository is or was of, the newest first: where they are, and what was made of it.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-branch", Method: http.MethodGet, Path: "/v1/branches/{id}", Tags: []string{tagRepositories},
		Summary: "Read a branch",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "deploy-branch", Method: http.MethodPost, Path: "/v1/branches/{id}/deploy", Tags: []string{tagRepositories}, Metadata: gathers(),
		Summary: "Deploy a branch",
		Description: "Its environment moves to the commit that the branch has now, where its rule waits for that; one that has ended is made again. " +
			"409 `BRANCH_MOVED` says which commit it has now, when that is another than the one named.",
	}, h.deploy)
	r.example(http.MethodPost, "/v1/branches/{id}/deploy", sdk.DeployBranchRequest{Commit: "9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"})
}

type listBranchesInput struct {
	strict
	Project    string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Repository string `query:"repository" maxLength:"64" doc:"Only of the repository with this id" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Name       string `query:"name" maxLength:"255" doc:"Only of this name" example:"main"`
	Outcome    string `query:"outcome" enum:"skipped,waiting,blocked,refused,built,ended" doc:"Only with environments that are so far" example:"waiting"`
	Before     string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"brn_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h branches) list(ctx context.Context, in *listBranchesInput) (*answer[sdk.BranchList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.BranchQuery{RepositoryID: in.Repository, Name: in.Name, Outcome: blueberry.PullOutcome(in.Outcome), Before: in.Before, Limit: limit}
	found, err := h.operations.Branches(ctx, actorOf(ctx), in.Project, q)
	return answered(found, err, func(found []blueberry.Branch) sdk.BranchList {
		out := sdk.BranchList{Items: list(found, wireBranch)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	})
}

// BranchByID names a branch.
type BranchByID struct {
	strict
	ID string `path:"id" doc:"Id of the branch" example:"brn_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h branches) get(ctx context.Context, in *BranchByID) (*answer[sdk.Branch], error) {
	b, err := h.operations.Branch(ctx, actorOf(ctx), in.ID)
	return answered(b, err, wireBranch)
}

type deployBranchInput struct {
	BranchByID
	OnceHeader
	Body body[sdk.DeployBranchRequest]
}

func (h branches) deploy(ctx context.Context, in *deployBranchInput) (*answer[sdk.Branch], error) {
	b, err := h.operations.Deploy(ctx, actorOf(ctx), in.ID, in.Body.Value.Commit, in.Body.unknown)
	return answered(b, err, wireBranch)
}

func wireBranch(b blueberry.Branch) sdk.Branch {
	return sdk.Branch{
		ID: b.ID, RepositoryID: b.RepositoryID, Project: b.Project, Name: b.Name, HeadCommit: b.HeadCommit, HostAt: instant(b.HostAt), Outcome: string(b.Outcome),
		Message: b.Message, Environment: b.Environment, EnvironmentID: b.EnvironmentID, BuiltCommit: b.BuiltCommit, DeployedBy: b.ApprovedBy,
		DeployedAt: instant(b.ApprovedAt), Deployed: b.ApprovedCommit, CreatedAt: instant(b.CreatedAt), UpdatedAt: instant(b.UpdatedAt), Version: b.Version,
	}
}

func wireRule(r blueberry.BranchRule) sdk.BranchRule {
	return sdk.BranchRule{
		Branch: r.Branch, Environment: r.Environment, Mode: string(r.Mode), Off: r.Off, Keep: r.Keep, Hours: r.Hours, Target: r.Target, Blueprint: r.Blueprint, ConfigSet: r.ConfigSet,
	}
}

func readRule(r sdk.BranchRule) blueberry.BranchRule {
	return blueberry.BranchRule{
		Branch: r.Branch, Environment: r.Environment, Mode: blueberry.BranchMode(r.Mode), Off: r.Off, Keep: r.Keep, Hours: r.Hours, Target: r.Target, Blueprint: r.Blueprint,
		ConfigSet: r.ConfigSet,
	}
}
