package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// pullCommands are the routes of commands in comments below pull requests.
type pullCommands struct {
	operations Repositories
}

func (h pullCommands) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-pull-commands", Method: http.MethodGet, Path: "/v1/pulls/{id}/commands", Tags: []string{tagRepositories},
		Summary: "List the commands below a pull request", Description: "What people wrote in comments below it as `/blueberry …`, the newest first, with who and what became of it.",
	}, h.list)
}

type listPullCommandsInput struct {
	PullByID
	Outcome string `query:"outcome" enum:"pending,done,refused,failed" doc:"Only those that are so far" example:"refused"`
	Before  string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"cmd_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h pullCommands) list(ctx context.Context, in *listPullCommandsInput) (*answer[sdk.PullCommandList], error) {
	limit := pageSize(in.Limit)
	found, err := h.operations.Commands(ctx, actorOf(ctx), blueberry.PullCommandQuery{
		PullID: in.ID, Outcome: blueberry.PullCommandOutcome(in.Outcome), Before: in.Before, Limit: limit,
	})
	return answered(found, err, func(found []blueberry.PullCommand) sdk.PullCommandList {
		out := sdk.PullCommandList{Items: list(found, wirePullCommand)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	})
}

func wirePullCommand(c blueberry.PullCommand) sdk.PullCommand {
	return sdk.PullCommand{
		ID: c.ID, PullID: c.PullID, DeliveryID: c.DeliveryID, CommentID: c.CommentID, Line: c.Line, Author: c.Author, AuthorName: c.AuthorName, Verb: string(c.Verb),
		Arguments: list(c.Arguments, same), Outcome: string(c.Outcome), Silent: c.Silent, Answer: c.Answer, AnswerID: c.AnswerID,
		CreatedAt: instant(c.CreatedAt), UpdatedAt: instant(c.UpdatedAt),
	}
}
