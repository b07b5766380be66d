package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// environments are the routes of environments.
type environments struct {
	operations Environments
	now        func() time.Time
}

func (h environments) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-environment", Method: http.MethodPost, Path: "/v1/environments", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Metadata:    map[string]any{metaGathers: true},
		Summary:     "Create an environment",
		Description: "Validates and renders the request and records it; the environment is then made in the background. Follow it by its events or by `GET` until its phase is `ready`.",
	}, h.create)
	hours := blueberry.DefaultLeaseHours
	r.example("/v1/environments", sdk.CreateEnvironmentRequest{
		Name: "pr-42", TTLHours: &hours, Source: &sdk.Source{Repository: "https://git.example.com/acme/shop.git", Ref: "main"},
	})
	register(r, huma.Operation{
		OperationID: "list-environments", Method: http.MethodGet, Path: "/v1/environments", Tags: []string{tagEnvironments},
		Summary: "List environments", Description: "Without a phase, terminated environments are left out.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-environment", Method: http.MethodGet, Path: "/v1/environments/{id}", Tags: []string{tagEnvironments},
		Summary: "Read an environment", Description: "With `If-None-Match` the answer is 304 while the environment is unchanged.",
	}, h.get)
	r.api.OpenAPI().Paths["/v1/environments/{id}"].Get.Responses["304"] = &huma.Response{Description: "The client has this version already"}
	register(r, huma.Operation{
		OperationID: "destroy-environment", Method: http.MethodDelete, Path: "/v1/environments/{id}", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Summary:     "Destroy an environment",
		Description: "Begins the removal. The environment is `terminated` when every object is proven gone. Asking again changes nothing.",
	}, h.destroy)
	register(r, huma.Operation{
		OperationID: "extend-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/extend", Tags: []string{tagEnvironments},
		Summary: "Extend a lease", Description: "Adds hours to what is left. A lease never ends later than 168 hours from now.",
	}, h.extend)
	register(r, huma.Operation{
		OperationID: "get-environment-rendering", Method: http.MethodGet, Path: "/v1/environments/{id}/rendering", Tags: []string{tagEnvironments},
		Summary: "Read the manifests of a revision", Description: "The files are, byte for byte, what the GitOps repository holds.",
	}, h.rendering)
	register(r, huma.Operation{
		OperationID: "list-environment-objects", Method: http.MethodGet, Path: "/v1/environments/{id}/objects", Tags: []string{tagEnvironments},
		Summary: "List what was made", Description: "Every Kubernetes object of the environment. Of a terminated one it is the receipt: each object with the time it was proven gone.",
	}, h.objects)
}

// ByID is exported, like all parts that inputs embed, because reflection sets only exported fields.
type ByID struct {
	strict
	ID string `path:"id" doc:"Id of the environment" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// OnceHeader documents what the gateway does with the key.
type OnceHeader struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key with the same request gets the same answer for 24 hours" example:"7f9c2ba4e88f827d"`
}

// MatchHeader makes a change conditional.
type MatchHeader struct {
	IfMatch string `header:"If-Match" doc:"ETag of the version that the change is meant for; otherwise 412" example:"\"7\""`
}

type environmentOutput struct {
	ETag     string `header:"ETag" doc:"Version of the environment"`
	Location string `header:"Location" doc:"Path of the environment"`
	Body     sdk.Environment
}

func environmentAnswer(e blueberry.Environment) *environmentOutput {
	return &environmentOutput{ETag: etag(e.Version), Location: "/v1/environments/" + e.ID, Body: wireEnvironment(e)}
}

type createInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateEnvironmentRequest]
}

func (h environments) create(ctx context.Context, in *createInput) (*environmentOutput, error) {
	b := in.Body.Value
	r := provision.CreateRequest{Project: b.Project, Name: b.Name, Target: b.Target, Hours: blueberry.DefaultLeaseHours, Blueprint: readBlueprint(b.Blueprint), Key: in.IdempotencyKey, Found: in.Body.unknown}
	if b.TTLHours != nil {
		r.Hours = *b.TTLHours
	}
	if b.Source != nil {
		r.Repository, r.Ref, r.Path = b.Source.Repository, b.Source.Ref, b.Source.Path
	}
	e, err := h.operations.Create(ctx, actorOf(ctx), r)
	if err != nil {
		return nil, err
	}
	return environmentAnswer(e), nil
}

type listInput struct {
	strict
	Project string      `query:"project" doc:"Only of this project" example:"default"`
	Name    string      `query:"name" doc:"Only with this very name" example:"pr-42"`
	Search  string      `query:"q" maxLength:"200" doc:"Only with this text in name, owner or repository; case does not matter" example:"pr-"`
	Owner   string      `query:"owner" doc:"Only of this owner" example:"admin"`
	Phase   []sdk.Phase `query:"phase,explode" enum:"pending,provisioning,ready,degraded,updating,sleeping,failed,terminating,terminated" nullable:"false" doc:"Only in one of these phases; may be given more than once"`
	Sort    string      `query:"sort" enum:"created_at,-created_at,updated_at,-updated_at,expires_at,-expires_at,name,-name,phase,-phase" doc:"Column to sort by, descending with a dash. Absent means -created_at" example:"-created_at"`
	Limit   int         `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
	Cursor  string      `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
}

type listOutput struct {
	Body sdk.EnvironmentPage
}

func (h environments) list(ctx context.Context, in *listInput) (*listOutput, error) {
	q := blueberry.EnvironmentQuery{
		Project: in.Project, Name: in.Name, Search: in.Search, Owner: in.Owner, Limit: in.Limit, Cursor: in.Cursor,
		Phases: list(in.Phase, func(p sdk.Phase) blueberry.Phase { return blueberry.Phase(p) }),
		Sort:   blueberry.SortByCreated, Desc: true,
	}
	if in.Sort != "" {
		column, desc := strings.CutPrefix(in.Sort, "-")
		q.Sort, q.Desc = blueberry.EnvironmentSort(column), desc
	}
	if q.Limit == 0 {
		q.Limit = blueberry.DefaultPageSize
	}
	page, err := h.operations.List(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	return &listOutput{Body: sdk.EnvironmentPage{Items: list(page.Items, wireEnvironment), NextCursor: page.Next}}, nil
}

type getInput struct {
	ByID
	IfNoneMatch string `header:"If-None-Match" doc:"ETag of the version that the client has; 304 while it is current" example:"\"7\""`
}

type getOutput struct {
	Status int
	ETag   string `header:"ETag" doc:"Version of the environment"`
	Body   *sdk.Environment
}

func (h environments) get(ctx context.Context, in *getInput) (*getOutput, error) {
	e, err := h.operations.Get(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := &getOutput{Status: http.StatusOK, ETag: etag(e.Version)}
	if noneMatch(in.IfNoneMatch, e.Version) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	wire := wireEnvironment(e)
	out.Body = &wire
	return out, nil
}

type destroyInput struct {
	ByID
	MatchHeader
}

func (h environments) destroy(ctx context.Context, in *destroyInput) (*environmentOutput, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	e, err := h.operations.Destroy(ctx, actorOf(ctx), in.ID, version)
	if err != nil {
		return nil, err
	}
	return environmentAnswer(e), nil
}

type extendInput struct {
	ByID
	OnceHeader
	MatchHeader
	Body body[sdk.ExtendEnvironmentRequest]
}

func (h environments) extend(ctx context.Context, in *extendInput) (*environmentOutput, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	e, err := h.operations.Extend(ctx, actorOf(ctx), in.ID, in.Body.Value.Hours, version)
	if err != nil {
		return nil, err
	}
	return environmentAnswer(e), nil
}

func (h environments) match(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		e, err := h.operations.Get(ctx, actorOf(ctx), id)
		return e.Version, err
	})
}

type renderingInput struct {
	ByID
	Revision int `query:"revision" minimum:"1" doc:"Number of the revision; absent means the desired one" example:"1"`
}

type renderingOutput struct {
	Body sdk.Rendering
}

func (h environments) rendering(ctx context.Context, in *renderingInput) (*renderingOutput, error) {
	r, err := h.operations.Revision(ctx, actorOf(ctx), in.ID, in.Revision)
	if err != nil {
		return nil, err
	}
	return &renderingOutput{Body: sdk.Rendering{Revision: r.Number, Digest: r.Rendering.Digest, Commit: r.Commit, Files: list(r.Rendering.Files, wireFile)}}, nil
}

type objectsOutput struct {
	Body sdk.ObjectList
}

func (h environments) objects(ctx context.Context, in *ByID) (*objectsOutput, error) {
	objects, err := h.operations.Objects(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &objectsOutput{Body: sdk.ObjectList{Items: list(objects, wireObject)}}, nil
}
