package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// savedViews are the routes of the lists that one comes back to.
type savedViews struct{ operations SavedViews }

const needsPerson = "Only people have saved views, not tokens."

func (h savedViews) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-views", Method: http.MethodGet, Path: "/v1/account/views", Tags: []string{tagAccount},
		Summary: "List one's own saved views", Description: "By name. " + needsPerson,
	}, h.list)
	register(r, huma.Operation{
		OperationID: "save-view", Method: http.MethodPut, Path: "/v1/account/views/{name}", Tags: []string{tagAccount},
		Summary: "Save a view", Description: "Keeps a page of the console with its filter under a name, in the place of the one that has it. " + needsPerson,
	}, h.save)
	r.example(http.MethodPut, "/v1/account/views/{name}", sdk.SaveViewRequest{Page: "environments", Query: "phase=failed&sort=name"})
	register(r, huma.Operation{
		OperationID: "delete-view", Method: http.MethodDelete, Path: "/v1/account/views/{name}", Tags: []string{tagAccount}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a saved view", Description: needsPerson,
	}, h.delete)
}

func wireSavedView(v blueberry.SavedView) sdk.SavedView {
	return sdk.SavedView{Name: v.Name, Page: v.Page, Query: v.Query, CreatedAt: instant(v.CreatedAt)}
}

func (h savedViews) list(ctx context.Context, _ *strict) (*answer[sdk.SavedViewList], error) {
	found, err := h.operations.SavedViews(ctx, actorOf(ctx))
	return answered(found, err, func(found []blueberry.SavedView) sdk.SavedViewList {
		return sdk.SavedViewList{Items: list(found, wireSavedView)}
	})
}

// SavedViewByName is a view in a path.
type SavedViewByName struct {
	strict
	Name string `path:"name" maxLength:"240" doc:"Name of the view" example:"What failed"`
}

type saveViewInput struct {
	SavedViewByName
	OnceHeader
	Body body[sdk.SaveViewRequest]
}

func (h savedViews) save(ctx context.Context, in *saveViewInput) (*answer[sdk.SavedView], error) {
	if err := in.Body.unknown.Err(); err != nil {
		return nil, err
	}
	v, err := h.operations.SaveView(ctx, actorOf(ctx), blueberry.SavedView{Name: in.Name, Page: in.Body.Value.Page, Query: in.Body.Value.Query})
	return answered(v, err, wireSavedView)
}

type deleteViewInput struct {
	SavedViewByName
	OnceHeader
}

func (h savedViews) delete(ctx context.Context, in *deleteViewInput) (*nothing, error) {
	return &nothing{}, h.operations.DeleteView(ctx, actorOf(ctx), in.Name)
}
