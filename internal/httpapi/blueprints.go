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
	const from = " The blueprint comes from a file of a repository, with the request, or from a tree of files sent along. Nothing is stored."
	register(r, huma.Operation{
		OperationID: "validate-blueprint", Method: http.MethodPost, Path: "/v1/blueprints/validate", Tags: []string{tagBlueprints},
		Summary: "Validate a blueprint", Description: "Every fault is told at once, as a problem." + from,
	}, h.validate)
	register(r, huma.Operation{
		OperationID: "render-blueprint", Method: http.MethodPost, Path: "/v1/blueprints/render", Tags: []string{tagBlueprints},
		Summary: "Render a blueprint", Description: "Gives the manifests that an environment of it would be made of." + from,
	}, h.render)
	example := sdk.BlueprintRequest{Blueprint: &sdk.Blueprint{Name: "shop", Components: []sdk.Component{{
		Name: "backend", Image: "ghcr.io/acme/backend:1.4.2", Port: 8080, Health: "/healthz",
	}}}}
	r.example("/v1/blueprints/validate", example)
	r.example("/v1/blueprints/render", example)
}

type blueprintInput struct {
	strict
	OnceHeader
	Body body[sdk.BlueprintRequest]
}

type checkOutput struct {
	Body sdk.BlueprintCheck
}

type renderOutput struct {
	Body sdk.BlueprintRendering
}

func (h blueprints) validate(ctx context.Context, in *blueprintInput) (*checkOutput, error) {
	p, err := h.preview(ctx, in.Body.Value)
	if err != nil {
		return nil, err
	}
	objects := 0
	for _, f := range p.Rendering.Files {
		objects += len(f.Objects)
	}
	return &checkOutput{Body: sdk.BlueprintCheck{
		Blueprint: wireBlueprint(p.Blueprint), Source: wireSource(p.Source), Digest: p.Rendering.Digest, Objects: objects,
	}}, nil
}

func (h blueprints) render(ctx context.Context, in *blueprintInput) (*renderOutput, error) {
	p, err := h.preview(ctx, in.Body.Value)
	if err != nil {
		return nil, err
	}
	return &renderOutput{Body: sdk.BlueprintRendering{
		Blueprint: wireBlueprint(p.Blueprint), Source: wireSource(p.Source), Digest: p.Rendering.Digest, Files: list(p.Rendering.Files, wireFile),
	}}, nil
}

func (h blueprints) preview(ctx context.Context, b sdk.BlueprintRequest) (provision.Preview, error) {
	r := provision.PreviewRequest{Project: b.Project, Name: b.Name, Blueprint: readBlueprint(b.Blueprint), Files: b.Files}
	if b.Source != nil {
		r.Repository, r.Ref, r.Path = b.Source.Repository, b.Source.Ref, b.Source.Path
	}
	return h.operations.Preview(ctx, actorOf(ctx), r)
}
