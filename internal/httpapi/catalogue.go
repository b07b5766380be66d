package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/sdk"
)

// catalogue is the routes of the blueprints that are kept.
type catalogue struct {
	operations Catalogue
}

func (h catalogue) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "publish-blueprint", Method: http.MethodPost, Path: "/v1/blueprints", Tags: []string{tagBlueprints},
		DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Publish a blueprint",
		Description: "Adds a version to the blueprint of the catalogue that has its name, and makes the blueprint when there is none. It is sent, or read from a file of a repository, " +
			"which then holds the files that its components need. Content that is that of the latest version makes none: the answer is 200 then.",
	}, h.publish)
	r.unchanged("/v1/blueprints")
	r.example(http.MethodPost, "/v1/blueprints", sdk.PublishBlueprintRequest{
		Description: "Shop with back end and cache", Content: "name: shop\ncomponents:\n- name: backend\n  image: ghcr.io/acme/backend:1.4.2\n", Message: "First version",
	})
	register(r, huma.Operation{
		OperationID: "list-blueprints", Method: http.MethodGet, Path: "/v1/blueprints", Tags: []string{tagBlueprints},
		Summary: "List blueprints", Description: "Those of a project and the global ones, by name.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-blueprint", Method: http.MethodGet, Path: "/v1/blueprints/{id}", Tags: []string{tagBlueprints},
		Summary: "Read a blueprint of the catalogue",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "delete-blueprint", Method: http.MethodDelete, Path: "/v1/blueprints/{id}", Tags: []string{tagBlueprints}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a blueprint", Description: "Removes it with all its versions. While environments use it, it is refused with 409 and `errors` names them.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "list-blueprint-versions", Method: http.MethodGet, Path: "/v1/blueprints/{id}/versions", Tags: []string{tagBlueprints},
		Summary: "List versions of a blueprint", Description: "Newest first, without content.",
	}, h.versions)
	register(r, huma.Operation{
		OperationID: "get-blueprint-version", Method: http.MethodGet, Path: "/v1/blueprints/{id}/versions/{number}", Tags: []string{tagBlueprints},
		Summary: "Read a version of a blueprint", Description: "With its content as it was written, and as it was understood: its parameters are what a request may choose.",
	}, h.version)
	register(r, huma.Operation{
		OperationID: "list-blueprint-users", Method: http.MethodGet, Path: "/v1/blueprints/{id}/users", Tags: []string{tagBlueprints},
		Summary: "List what uses a blueprint", Description: "Every living environment that is made of it.",
	}, h.users)
}

// BlueprintByID names a blueprint of the catalogue.
type BlueprintByID struct {
	strict
	ID string `path:"id" doc:"Id of the blueprint" example:"bpt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

type publishInput struct {
	strict
	OnceHeader
	MatchHeader
	Body body[sdk.PublishBlueprintRequest]
}

func (h catalogue) publish(ctx context.Context, in *publishInput) (*made[sdk.PublishedBlueprint], error) {
	b := in.Body.Value
	r := catalog.NewBlueprint{Project: b.Project, Global: b.Global, Description: b.Description, Edit: edit(b.Content, b.Message, b.Source, nil, in.Body.unknown)}
	var err error
	if r.IfVersion, err = singleVersion(in.IfMatch); err != nil {
		return nil, err
	}
	p, err := h.operations.PublishBlueprint(ctx, actorOf(ctx), r)
	if err != nil {
		return nil, err
	}
	return &made[sdk.PublishedBlueprint]{
		Status: madeStatus(p.Unchanged), ETag: etag(p.Entry.Version), Location: "/v1/blueprints/" + p.Entry.ID,
		Body: sdk.PublishedBlueprint{Blueprint: wireCatalogueEntry(p.Entry), Version: wireCatalogueVersion(p.Version), Unchanged: p.Unchanged},
	}, nil
}

func (h catalogue) list(ctx context.Context, in *CatalogueList) (*answer[sdk.CataloguePage], error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	page, err := h.operations.Blueprints(ctx, actorOf(ctx), q)
	return answered(page, err, func(p blueberry.CataloguePage) sdk.CataloguePage {
		return sdk.CataloguePage{Items: list(p.Items, wireCatalogueEntry), NextCursor: p.Next}
	})
}

func (h catalogue) get(ctx context.Context, in *BlueprintByID) (*tagged[sdk.CatalogueEntry], error) {
	e, err := h.operations.BlueprintEntry(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.CatalogueEntry]{ETag: etag(e.Version), Location: "/v1/blueprints/" + e.ID, Body: wireCatalogueEntry(e)}, nil
}

type deleteBlueprintInput struct {
	BlueprintByID
	MatchHeader
}

func (h catalogue) remove(ctx context.Context, in *deleteBlueprintInput) (*nothing, error) {
	version, err := ifMatch(in.IfMatch, func() (int64, error) {
		e, err := h.operations.BlueprintEntry(ctx, actorOf(ctx), in.ID)
		return e.Version, err
	})
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeleteBlueprint(ctx, actorOf(ctx), in.ID, version)
}

type blueprintVersionsInput struct {
	BlueprintByID
	NumberWindow
}

func (h catalogue) versions(ctx context.Context, in *blueprintVersionsInput) (*answer[sdk.CatalogueVersionList], error) {
	found, err := h.operations.BlueprintVersions(ctx, actorOf(ctx), in.ID, in.Before, pageSize(in.Limit))
	return answered(found, err, func(found []blueberry.CatalogueVersion) sdk.CatalogueVersionList {
		out := sdk.CatalogueVersionList{Items: list(found, wireCatalogueVersion)}
		if n := len(found); n > 0 {
			out.NextBefore = in.next(n, found[n-1].Number)
		}
		return out
	})
}

type blueprintVersionInput struct {
	BlueprintByID
	Number int `path:"number" minimum:"1" doc:"Number of the version" example:"3"`
}

func (h catalogue) version(ctx context.Context, in *blueprintVersionInput) (*answer[sdk.CatalogueVersion], error) {
	v, err := h.operations.BlueprintVersion(ctx, actorOf(ctx), in.ID, in.Number)
	return answered(v, err, wireCatalogueVersion)
}

func (h catalogue) users(ctx context.Context, in *BlueprintByID) (*answer[sdk.EnvironmentUseList], error) {
	u, err := h.operations.BlueprintUsers(ctx, actorOf(ctx), in.ID)
	return answered(u, err, wireUses)
}
