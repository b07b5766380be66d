package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// serviceAccounts are the routes of service accounts.
type serviceAccounts struct {
	operations ServiceAccounts
}

func (h serviceAccounts) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-service-account", Method: http.MethodPost, Path: "/v1/projects/{name}/service-accounts", Tags: []string{tagServiceAccounts},
		DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Create a service account", Description: "A program of the project. It acts by API tokens: `POST /v1/api-tokens` with its id.",
	}, h.create)
	r.example(http.MethodPost, "/v1/projects/{name}/service-accounts", sdk.CreateServiceAccountRequest{
		Name: "ci", Description: "Previews of pull requests", Role: string(blueberry.RoleDeveloper),
	})
	register(r, huma.Operation{
		OperationID: "list-service-accounts", Method: http.MethodGet, Path: "/v1/projects/{name}/service-accounts", Tags: []string{tagServiceAccounts},
		Summary: "List service accounts of a project",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-service-account", Method: http.MethodGet, Path: "/v1/service-accounts/{id}", Tags: []string{tagServiceAccounts},
		Summary: "Read a service account",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "update-service-account", Method: http.MethodPatch, Path: "/v1/service-accounts/{id}", Tags: []string{tagServiceAccounts},
		Summary: "Update a service account", Description: "Changes what the body names. The tokens of one that is disabled are refused at once, on every server.",
	}, h.update)
	disabled := true
	r.example(http.MethodPatch, "/v1/service-accounts/{id}", sdk.UpdateServiceAccountRequest{Disabled: &disabled})
	register(r, huma.Operation{
		OperationID: "delete-service-account", Method: http.MethodDelete, Path: "/v1/service-accounts/{id}", Tags: []string{tagServiceAccounts},
		DefaultStatus: http.StatusNoContent,
		Summary:       "Delete a service account", Description: "Its tokens are revoked.",
	}, h.remove)
}

// ServiceAccountByID names a service account.
type ServiceAccountByID struct {
	strict
	ID string `path:"id" doc:"Id of the service account" example:"svc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func serviceAccountAnswer(s blueberry.ServiceAccount, err error) (*tagged[sdk.ServiceAccount], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.ServiceAccount]{ETag: etag(s.Version), Location: "/v1/service-accounts/" + s.ID, Body: wireServiceAccount(s)}, nil
}

func wireServiceAccount(s blueberry.ServiceAccount) sdk.ServiceAccount {
	return sdk.ServiceAccount{
		ID: s.ID, Project: s.Project, Name: s.Name, Description: s.Description, Role: string(s.Role), Disabled: s.Disabled,
		CreatedAt: instant(s.CreatedAt), CreatedBy: s.CreatedBy, Version: s.Version,
	}
}

type createServiceAccountInput struct {
	ProjectByName
	OnceHeader
	Body body[sdk.CreateServiceAccountRequest]
}

func (h serviceAccounts) create(ctx context.Context, in *createServiceAccountInput) (*tagged[sdk.ServiceAccount], error) {
	b := in.Body.Value
	return serviceAccountAnswer(h.operations.CreateServiceAccount(ctx, actorOf(ctx), access.NewServiceAccount{
		Project: in.Name, Name: b.Name, Description: b.Description, Role: blueberry.Role(b.Role), Found: in.Body.unknown,
	}))
}

func (h serviceAccounts) list(ctx context.Context, in *ProjectByName) (*answer[sdk.ServiceAccountList], error) {
	found, err := h.operations.ServiceAccounts(ctx, actorOf(ctx), in.Name)
	return answered(found, err, func(found []blueberry.ServiceAccount) sdk.ServiceAccountList {
		return sdk.ServiceAccountList{Items: list(found, wireServiceAccount)}
	})
}

func (h serviceAccounts) get(ctx context.Context, in *ServiceAccountByID) (*tagged[sdk.ServiceAccount], error) {
	return serviceAccountAnswer(h.operations.ServiceAccount(ctx, actorOf(ctx), in.ID))
}

func (h serviceAccounts) match(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		s, err := h.operations.ServiceAccount(ctx, actorOf(ctx), id)
		return s.Version, err
	})
}

type updateServiceAccountInput struct {
	ServiceAccountByID
	OnceHeader
	MatchHeader
	Body body[sdk.UpdateServiceAccountRequest]
}

func (h serviceAccounts) update(ctx context.Context, in *updateServiceAccountInput) (*tagged[sdk.ServiceAccount], error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	return serviceAccountAnswer(h.operations.UpdateServiceAccount(ctx, actorOf(ctx), in.ID, access.ServiceAccountChange{
		Description: b.Description, Role: (*blueberry.Role)(b.Role), Disabled: b.Disabled,
	}, version))
}

type deleteServiceAccountInput struct {
	ServiceAccountByID
	MatchHeader
}

func (h serviceAccounts) remove(ctx context.Context, in *deleteServiceAccountInput) (*nothing, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeleteServiceAccount(ctx, actorOf(ctx), in.ID, version)
}
