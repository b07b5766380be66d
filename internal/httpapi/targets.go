package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/sdk"
)

// targets is the route of targets.
type targets struct {
	operations Targets
}

func (h targets) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-targets", Method: http.MethodGet, Path: "/v1/targets", Tags: []string{tagInstallation},
		Summary: "List targets", Description: "The places that can hold environments. Each is asked now whether it is there.",
	}, h.list)
}

type targetsOutput struct {
	Body sdk.TargetList
}

func (h targets) list(ctx context.Context, _ *struct{ strict }) (*targetsOutput, error) {
	found, err := h.operations.Targets(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	return &targetsOutput{Body: sdk.TargetList{Items: list(found, wireTarget)}}, nil
}

// version is the route that tells what the server runs.
type version struct {
	version string
}

func (h version) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-version", Method: http.MethodGet, Path: "/v1/version", Tags: []string{tagInstallation},
		Summary: "Read the version",
	}, h.get)
}

type versionOutput struct {
	Body sdk.Version
}

func (h version) get(context.Context, *struct{ strict }) (*versionOutput, error) {
	return &versionOutput{Body: sdk.Version{Version: h.version, API: "v1"}}, nil
}
