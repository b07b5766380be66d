package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// jobs are the routes of durable work.
type jobs struct {
	operations Jobs
}

func (h jobs) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-jobs", Method: http.MethodGet, Path: "/v1/jobs", Tags: []string{tagJobs},
		Summary: "List jobs", Description: "Newest first. With `state=dead` these are the dead letters.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-job", Method: http.MethodGet, Path: "/v1/jobs/{id}", Tags: []string{tagJobs},
		Summary: "Read a job",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "retry-job", Method: http.MethodPost, Path: "/v1/jobs/{id}/retry", Tags: []string{tagJobs},
		Summary: "Retry a job", Description: "Lets it run now, with all its attempts before it.",
	}, h.retry)
	register(r, huma.Operation{
		OperationID: "cancel-job", Method: http.MethodPost, Path: "/v1/jobs/{id}/cancel", Tags: []string{tagJobs},
		Summary: "Cancel a job", Description: "A job that runs ends at its next step.",
	}, h.cancel)
}

type listJobsInput struct {
	strict
	Kind    string   `query:"kind" doc:"Only of this kind" example:"environment.reconcile"`
	Subject string   `query:"subject" doc:"Only about this" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	State   []string `query:"state,explode" enum:"waiting,running,retrying,dead,completed,cancelled" nullable:"false" doc:"Only in one of these states; may be given more than once"`
	Limit   int      `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
	Cursor  string   `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
}

type listJobsOutput struct {
	Body sdk.JobPage
}

func (h jobs) list(ctx context.Context, in *listJobsInput) (*listJobsOutput, error) {
	states := slices.Sorted(slices.Values(in.State))
	filter := strings.Join(append([]string{in.Kind, in.Subject}, states...), "\n")
	cursor, err := parseJobCursor(in.Cursor, filter)
	if err != nil {
		return nil, err
	}
	q := blueberry.JobQuery{
		Kind: blueberry.JobKind(in.Kind), Subject: in.Subject, Limit: in.Limit, Before: cursor.Before,
		States: list(states, func(s string) blueberry.JobState { return blueberry.JobState(s) }),
	}
	if q.Limit == 0 {
		q.Limit = blueberry.DefaultPageSize
	}
	found, next, err := h.operations.List(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := sdk.JobPage{Items: list(found, wireJob)}
	if next != 0 {
		out.NextCursor = jobCursor{Before: next, Filter: filter}.String()
	}
	return &listJobsOutput{Body: out}, nil
}

// JobInput names a job.
type JobInput struct {
	strict
	ID int64 `path:"id" minimum:"1" doc:"Number of the job" example:"311"`
}

type changeJobInput struct {
	JobInput
	OnceHeader
}

type jobOutput struct {
	Body sdk.Job
}

func (h jobs) get(ctx context.Context, in *JobInput) (*jobOutput, error) {
	j, err := h.operations.Get(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: wireJob(j)}, nil
}

func (h jobs) retry(ctx context.Context, in *changeJobInput) (*jobOutput, error) {
	j, err := h.operations.Retry(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: wireJob(j)}, nil
}

func (h jobs) cancel(ctx context.Context, in *changeJobInput) (*jobOutput, error) {
	j, err := h.operations.Cancel(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: wireJob(j)}, nil
}
