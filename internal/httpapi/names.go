package httpapi

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// names is the route of what can be chosen by its name.
type names struct {
	projects Projects
	targets  Targets
}

func (h names) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-names", Method: http.MethodGet, Path: "/v1/names", Tags: []string{tagProjects},
		Summary:     "List names",
		Description: "The projects and targets that you may see, as lists are narrowed by them. It is read from the record alone: nothing is summed up, and no target is asked.",
	}, h.list)
}

func (h names) list(ctx context.Context, _ *struct{ strict }) (*answer[sdk.Names], error) {
	actor := actorOf(ctx)
	out := sdk.Names{Projects: []string{}, Targets: []sdk.TargetName{}}
	if actor.CanSomewhere(blueberry.GrantProjectsRead) == nil {
		found, err := h.projects.ProjectNames(ctx, actor)
		if err != nil {
			return nil, err
		}
		out.Projects = list(found, same)
	}
	if actor.CanSomewhere(blueberry.GrantTargetsRead) == nil {
		found, err := h.targets.TargetNames(ctx, actor)
		if err != nil {
			return nil, err
		}
		out.Targets = list(found, func(t blueberry.Target) sdk.TargetName {
			return sdk.TargetName{Name: t.Name, Driver: t.Driver, State: string(cmp.Or(t.State, blueberry.TargetActive))}
		})
	}
	return &answer[sdk.Names]{Body: out}, nil
}
