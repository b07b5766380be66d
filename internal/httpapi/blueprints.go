package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// blueprints are the routes of blueprints.
type blueprints struct {
	operations Blueprints
}

func (h blueprints) mount(r *router) {
	const from = " The blueprint comes from a file of a repository, from the catalogue, with the request, or from a tree of files sent along. Nothing is stored."
	register(r, huma.Operation{
		OperationID: "validate-blueprint", Method: http.MethodPost, Path: "/v1/blueprints/validate", Tags: []string{tagBlueprints}, Metadata: gathers(),
		Summary: "Validate a blueprint", Description: "Every fault is told at once, as a problem." + from,
	}, h.validate)
	register(r, huma.Operation{
		OperationID: "render-blueprint", Method: http.MethodPost, Path: "/v1/blueprints/render", Tags: []string{tagBlueprints}, Metadata: gathers(),
		Summary: "Render a blueprint", Description: "Gives the manifests that an environment of it would be made of, and its effective values with where each comes from." + from,
	}, h.render)
	example := sdk.BlueprintRequest{Blueprint: &sdk.Blueprint{Name: "shop", Components: []sdk.Component{{
		Name: "backend", Image: "ghcr.io/acme/backend:1.4.2", Port: 8080, Health: "/healthz",
	}}}}
	r.example(http.MethodPost, "/v1/blueprints/validate", example)
	r.example(http.MethodPost, "/v1/blueprints/render", example)
}

type blueprintInput struct {
	strict
	StrictQuery
	OnceHeader
	Body body[sdk.BlueprintRequest]
}

func (h blueprints) validate(ctx context.Context, in *blueprintInput) (*answer[sdk.BlueprintCheck], error) {
	p, err := h.preview(ctx, in)
	return answered(p, err, func(p provision.Preview) sdk.BlueprintCheck {
		return sdk.BlueprintCheck{
			Blueprint: wireBlueprint(p.Blueprint), Source: wireSource(p.Source), Digest: p.Rendering.Digest, Objects: p.Rendering.Count(),
			Warnings: list(p.Warnings, wireWarning),
		}
	})
}

func (h blueprints) render(ctx context.Context, in *blueprintInput) (*answer[sdk.BlueprintRendering], error) {
	p, err := h.preview(ctx, in)
	return answered(p, err, func(p provision.Preview) sdk.BlueprintRendering {
		return sdk.BlueprintRendering{
			Blueprint: wireBlueprint(p.Blueprint), Source: wireSource(p.Source), Digest: p.Rendering.Digest, Files: list(p.Rendering.Files, wireFile),
			Settings: list(p.Settings, wireSetting), Warnings: list(p.Warnings, wireWarning),
		}
	})
}

func (h blueprints) preview(ctx context.Context, in *blueprintInput) (provision.Preview, error) {
	p, err := h.operations.Preview(ctx, actorOf(ctx), readPreview(in.Body.Value, in.Strict, in.Body.unknown))
	return p, asAsked(err, in.Body.Value.Blueprint, "")
}
