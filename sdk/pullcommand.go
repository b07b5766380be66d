package sdk

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// PullCommand is one command in a comment below a pull request.
type PullCommand struct {
	ID         string    `json:"id" doc:"Id of the command" example:"cmd_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	PullID     string    `json:"pull_id" doc:"Pull request that it stands below" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	DeliveryID string    `json:"delivery_id" doc:"Delivery that told of the comment" example:"dlv_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	CommentID  string    `json:"comment_id" doc:"Its comment, as the host calls it" example:"1893274651"`
	Line       int       `json:"line" doc:"Of the comment, from 1" example:"1"`
	Author     string    `json:"author" doc:"Who wrote it, as the host is asked what they may" example:"ada"`
	AuthorName string    `json:"author_name,omitempty" doc:"The same for people, where that is another name" example:"ada"`
	Verb       string    `json:"verb" doc:"What it asks for: deploy, plan, logs, extend, sleep, wake, destroy, approve, set or help; or what somebody wrote that is none" example:"extend"`
	Arguments  []string  `json:"arguments" nullable:"false" doc:"What stands behind it; of what looks like a secret, without the value" example:"[\"24h\"]"`
	Outcome    string    `json:"outcome" enum:"pending,done,refused,failed" doc:"How far it is: refused when its writer may not or it asks for what cannot be, failed when it could not be carried out in time" example:"done"`
	Silent     bool      `json:"silent,omitempty" doc:"Whether it gets no answer, because its writer may not push to the repository, or writes too many" example:"false"`
	Answer     string    `json:"answer,omitempty" doc:"What was answered, in Markdown; absent while it is pending" example:"✓ **/blueberry extend 24h**: the lease of pr-42 lasts until Tue, 03 Mar 2026 12:00:00 UTC"`
	AnswerID   string    `json:"answer_id,omitempty" doc:"Comment that answers, as the host calls it; absent before" example:"1893274660"`
	CreatedAt  time.Time `json:"created_at" doc:"When it came"`
	UpdatedAt  time.Time `json:"updated_at" doc:"When something of it last changed"`
}

// PullCommandList is a run of commands.
type PullCommandList struct {
	Items      []PullCommand `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string        `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"cmd_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// PullCommandFilter says which commands of a pull request to list. The zero value asks for all.
type PullCommandFilter struct {
	Outcome string // pending, done, refused or failed; empty for all
	Before  string // id: only older ones
	Limit   int    // 0 means the server's default
}

// ListPullCommands reads one run of the commands in comments below a pull request, the newest first, or gives a Problem of status 404 PULL_NOT_FOUND.
func (c *Client) ListPullCommands(ctx context.Context, pullID string, f PullCommandFilter) (PullCommandList, error) {
	k := newCall(http.MethodGet, "pulls", pullID, "commands")
	k.set("outcome", f.Outcome)
	k.set("before", f.Before)
	k.setInt("limit", int64(f.Limit))
	return fetch[PullCommandList](ctx, c, k)
}

// AllPullCommands reads run after run, the newest first. It ends after the first error.
func (c *Client) AllPullCommands(ctx context.Context, pullID string, f PullCommandFilter) iter.Seq2[PullCommand, error] {
	return pages(f.Before, func(before string) ([]PullCommand, string, error) {
		f.Before = before
		run, err := c.ListPullCommands(ctx, pullID, f)
		return run.Items, run.NextBefore, err
	})
}
