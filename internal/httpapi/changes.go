package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// changes are the routes that give an environment a new revision.
type changes struct {
	operations   Changes
	environments Environments
	now          func() time.Time
}

func (h changes) mount(r *router) {
	const same = " Without a difference nothing is recorded: the environment is as it was, and `plan.changes` is false."
	register(r, huma.Operation{
		OperationID: "change-environment", Method: http.MethodPatch, Path: "/v1/environments/{id}", Tags: []string{tagEnvironments},
		DefaultStatus: http.StatusAccepted, Metadata: gathers(),
		Summary: "Change an environment",
		Description: "Makes a new revision: what the request names is new, all else stays as it is. With `plan_id` it does just what a plan says, or is refused with 409 " +
			"when something that the plan leans on has moved." + same,
	}, h.change)
	r.example(http.MethodPatch, "/v1/environments/{id}", exampleChange())
	register(r, huma.Operation{
		OperationID: "rollback-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/rollback", Tags: []string{tagRevisions},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Roll an environment back",
		Description: "Makes a new revision equal to an old one. The inputs that it takes away are held: nothing automatic brings them back until the hold is released. " +
			"Everything else the environment follows goes on." + same,
	}, h.rollback)
	r.example(http.MethodPost, "/v1/environments/{id}/rollback", exampleRollback())
	register(r, huma.Operation{
		OperationID: "refresh-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/refresh", Tags: []string{tagEnvironments},
		DefaultStatus: http.StatusAccepted,
		Summary:       "Refresh an environment",
		Description: "Brings it to the newest commit of its ref and the newest versions of the config sets and of the blueprint that it follows, unless they are held: " +
			"what a delivery about its repository does by itself." + same,
	}, h.refresh)
}

func exampleChange() sdk.ChangeEnvironmentRequest {
	return sdk.ChangeEnvironmentRequest{Overrides: map[string]any{"backend": map[string]any{"env": map[string]any{"LOG_LEVEL": "debug"}}}, Reason: "log more"}
}

func exampleRollback() sdk.RollbackEnvironmentRequest {
	return sdk.RollbackEnvironmentRequest{Revision: 1, Reason: "errors after the release"}
}

type changeInput struct {
	ByID
	StrictQuery
	OnceHeader
	MatchHeader
	Body body[sdk.ChangeEnvironmentRequest]
}

func (h changes) change(ctx context.Context, in *changeInput) (*tagged[sdk.ChangedEnvironment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	r := readChange(in.Body.Value, in.Strict, "", in.Body.unknown)
	r.IfVersion = version
	c, err := h.operations.Change(ctx, actorOf(ctx), in.ID, r)
	return h.answer(c, asAsked(err, in.Body.Value.Blueprint, ""))
}

type rollbackInput struct {
	ByID
	OnceHeader
	MatchHeader
	Body body[sdk.RollbackEnvironmentRequest]
}

func (h changes) rollback(ctx context.Context, in *rollbackInput) (*tagged[sdk.ChangedEnvironment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	c, err := h.operations.Rollback(ctx, actorOf(ctx), in.ID, provision.RollbackRequest{Number: b.Revision, Reason: b.Reason, PlanID: b.PlanID, IfVersion: version})
	return h.answer(c, err)
}

type refreshInput struct {
	ByID
	OnceHeader
}

func (h changes) refresh(ctx context.Context, in *refreshInput) (*tagged[sdk.ChangedEnvironment], error) {
	c, err := h.operations.Refresh(ctx, actorOf(ctx), in.ID)
	return h.answer(c, err)
}

func (h changes) answer(c provision.Changed, err error) (*tagged[sdk.ChangedEnvironment], error) {
	if err != nil {
		return nil, err
	}
	e := environmentAnswer(c.Environment)
	return &tagged[sdk.ChangedEnvironment]{ETag: e.ETag, Location: e.Location, Body: sdk.ChangedEnvironment{Environment: e.Body, Plan: wirePlan(c.Plan, h.now())}}, nil
}
