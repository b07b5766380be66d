package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// moves are the routes of what is done to workloads by hand.
type moves struct {
	operations Moves
	now        func() time.Time
}

func (h moves) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "restart-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/restart", Tags: []string{tagEnvironments},
		Summary: "Restart pods", Description: "Lets the pods of a component, or of all, be made anew, without an interruption where the workload allows it.",
	}, h.restart)
	r.example(http.MethodPost, "/v1/environments/{id}/restart", sdk.RestartEnvironmentRequest{Component: "backend"})
	register(r, huma.Operation{
		OperationID: "scale-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/scale", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Summary:     "Scale a component",
		Description: "Asks for a new revision in which the component runs so many pods. It is judged like any change: by the fields that the blueprint leaves open, by quota and policies.",
	}, h.scale)
	r.example(http.MethodPost, "/v1/environments/{id}/scale", sdk.ScaleEnvironmentRequest{Component: "web", Replicas: 2})
	register(r, huma.Operation{
		OperationID: "redeploy-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/redeploy", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Summary: "Redeploy an environment", Description: "Commits and applies the same revision anew, and restarts its pods.",
	}, h.redeploy)
}

type restartInput struct {
	ByID
	OnceHeader
	Body body[sdk.RestartEnvironmentRequest]
}

func (h moves) restart(ctx context.Context, in *restartInput) (*answer[sdk.RestartedEnvironment], error) {
	done, err := h.operations.Restart(ctx, actorOf(ctx), in.ID, in.Body.Value.Component)
	return answered(done, err, func(r provision.Restarted) sdk.RestartedEnvironment {
		return sdk.RestartedEnvironment{Environment: wireEnvironment(r.Environment), Workloads: list(r.Workloads, wireRef)}
	})
}

type scaleInput struct {
	ByID
	OnceHeader
	Body body[sdk.ScaleEnvironmentRequest]
}

func (h moves) scale(ctx context.Context, in *scaleInput) (*tagged[sdk.ChangedEnvironment], error) {
	c, err := h.operations.Scale(ctx, actorOf(ctx), in.ID, in.Body.Value.Component, in.Body.Value.Replicas)
	return changes{now: h.now}.answer(c, err)
}

type redeployInput struct {
	ByID
	OnceHeader
}

func (h moves) redeploy(ctx context.Context, in *redeployInput) (*tagged[sdk.Environment], error) {
	return environmentTold(h.operations.Redeploy(ctx, actorOf(ctx), in.ID))
}
