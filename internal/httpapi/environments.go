package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// environments are the routes of environments.
type environments struct {
	operations Environments
	revisions  Revisions
}

func (h environments) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-environment", Method: http.MethodPost, Path: "/v1/environments", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Metadata: gathers(),
		Summary:  "Create an environment",
		Description: "Validates and renders the request and records it; the environment is then made in the background. Follow it by its events or by `GET` until its phase is `ready`. " +
			"With `plan_id` it does just what a plan says, or is refused with 409 when something that the plan leans on has moved.",
	}, h.create)
	r.example(http.MethodPost, "/v1/environments", exampleCreate())
	register(r, huma.Operation{
		OperationID: "list-environments", Method: http.MethodGet, Path: "/v1/environments", Tags: []string{tagEnvironments},
		Summary: "List environments", Description: "Without a phase, terminated environments are left out.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-environment", Method: http.MethodGet, Path: "/v1/environments/{id}", Tags: []string{tagEnvironments},
		Summary: "Read an environment", Description: "With `If-None-Match` the answer is 304 while the environment is unchanged. Its cost grows all the same: it is that of `as_of`.",
	}, h.get)
	r.api.OpenAPI().Paths["/v1/environments/{id}"].Get.Responses["304"] = &huma.Response{Description: "The client has this version already"}
	register(r, huma.Operation{
		OperationID: "destroy-environment", Method: http.MethodDelete, Path: "/v1/environments/{id}", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Summary:     "Destroy an environment",
		Description: "Begins the removal. The environment is `terminated` when every object is proven gone. Asking again changes nothing. With `plan_id` it does just what a plan says.",
	}, h.destroy)
	register(r, huma.Operation{
		OperationID: "extend-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/extend", Tags: []string{tagEnvironments},
		Summary: "Extend a lease", Description: "Adds hours to what is left. A lease never ends later than 168 hours from now.",
	}, h.extend)
	r.example(http.MethodPost, "/v1/environments/{id}/extend", sdk.ExtendEnvironmentRequest{Hours: 24})
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

func environmentAnswer(e blueberry.Environment) *tagged[sdk.Environment] {
	return &tagged[sdk.Environment]{ETag: etag(e.Version), Location: "/v1/environments/" + e.ID, Body: wireEnvironment(e)}
}

type createInput struct {
	strict
	StrictQuery
	OnceHeader
	Body body[sdk.CreateEnvironmentRequest]
}

func exampleCreate() sdk.CreateEnvironmentRequest {
	hours := blueberry.DefaultLeaseHours
	return sdk.CreateEnvironmentRequest{
		Name: "pr-42", TTLHours: &hours, Source: &sdk.Source{Repository: "https://git.example.com/acme/shop.git", Ref: "main"},
		ConfigSets: []string{"shop", "global/logging@2"}, Overrides: map[string]any{"backend": map[string]any{"env": map[string]any{"LOG_LEVEL": "debug"}}},
	}
}

func (h environments) create(ctx context.Context, in *createInput) (*tagged[sdk.Environment], error) {
	r := readCreate(in.Body.Value, in.Strict, in.Body.unknown)
	r.Key = in.IdempotencyKey
	e, err := h.operations.Create(ctx, actorOf(ctx), r)
	if err != nil {
		return nil, asAsked(err, in.Body.Value.Blueprint, "")
	}
	return environmentAnswer(e), nil
}

type listInput struct {
	strict
	Project    string      `query:"project" doc:"Only of this project" example:"default"`
	Name       string      `query:"name" doc:"Only with this very name" example:"pr-42"`
	Search     string      `query:"q" maxLength:"200" doc:"Only with this text in name, owner, repository or labels; case does not matter" example:"pr-"`
	Owner      string      `query:"owner" doc:"Only of this owner" example:"admin"`
	Target     string      `query:"target" doc:"Only on this target" example:"local"`
	Label      []string    `query:"label,explode" nullable:"false" doc:"Only with this label: key=value, or a key alone for any value. May be given more than once; all of them hold" example:"[\"team=checkout\"]"`
	Restricted string      `query:"restricted" enum:"yes,no" doc:"Only those that are restricted, or only those that are not; absent means both" example:"no"`
	Phase      []sdk.Phase `query:"phase,explode" enum:"pending,provisioning,ready,degraded,updating,sleeping,failed,terminating,terminated" nullable:"false" doc:"Only in one of these phases; may be given more than once"`
	Sort       string      `query:"sort" enum:"created_at,-created_at,updated_at,-updated_at,expires_at,-expires_at,name,-name,phase,-phase" doc:"Column to sort by, descending with a dash. Absent means -created_at" example:"-created_at"`
	Limit      int         `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
	Cursor     string      `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
}

func (h environments) list(ctx context.Context, in *listInput) (*answer[sdk.EnvironmentPage], error) {
	selectors, err := blueberry.ParseLabelSelectors(in.Label, "label")
	if err != nil {
		return nil, err
	}
	q := blueberry.EnvironmentQuery{
		Project: in.Project, Name: in.Name, Search: in.Search, Owner: in.Owner, Target: in.Target, Labels: selectors, Limit: pageSize(in.Limit), Cursor: in.Cursor,
		Phases: list(in.Phase, func(p sdk.Phase) blueberry.Phase { return blueberry.Phase(p) }),
		Sort:   blueberry.SortByCreated, Desc: true,
	}
	if in.Restricted != "" {
		yes := in.Restricted == "yes"
		q.Restricted = &yes
	}
	if in.Sort != "" {
		column, desc := strings.CutPrefix(in.Sort, "-")
		q.Sort, q.Desc = blueberry.EnvironmentSort(column), desc
	}
	page, err := h.operations.List(ctx, actorOf(ctx), q)
	return answered(page, err, func(p blueberry.EnvironmentPage) sdk.EnvironmentPage {
		return sdk.EnvironmentPage{Items: list(p.Items, wireEnvironment), NextCursor: p.Next}
	})
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
	e, rev, err := h.operations.Detail(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := &getOutput{Status: http.StatusOK, ETag: etag(e.Version)}
	if noneMatch(in.IfNoneMatch, e.Version) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	cost, err := h.operations.Cost(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	wire := wireEnvironment(e)
	wire.Cost = wireEnvironmentCost(cost)
	wire.BlueprintRef = rev.Catalogue.String()
	wire.Branch, wire.Repositories, wire.Commits, wire.Images = rev.Branch, list(rev.Sources, wireSourceRepository), rev.Commits, rev.Images
	wire.ConfigSets = list(rev.Config, func(u blueberry.ConfigUse) string {
		u.Version = u.Number
		return u.String()
	})
	out.Body = &wire
	return out, nil
}

type destroyInput struct {
	ByID
	MatchHeader
	PlanID string `query:"plan_id" doc:"Do just what this plan says" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h environments) destroy(ctx context.Context, in *destroyInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.operations, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	e, err := h.operations.Destroy(ctx, actorOf(ctx), in.ID, in.PlanID, version)
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

func (h environments) extend(ctx context.Context, in *extendInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.operations, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	e, err := h.operations.Extend(ctx, actorOf(ctx), in.ID, in.Body.Value.Hours, version)
	if err != nil {
		return nil, err
	}
	return environmentAnswer(e), nil
}

// versionOf reads an If-Match about an environment.
func versionOf(ctx context.Context, operations Environments, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		e, err := operations.Get(ctx, actorOf(ctx), id)
		return e.Version, err
	})
}

type renderingInput struct {
	ByID
	Revision int `query:"revision" minimum:"1" doc:"Number of the revision; absent means the desired one" example:"1"`
}

func (h environments) rendering(ctx context.Context, in *renderingInput) (*answer[sdk.Rendering], error) {
	r, err := h.revisions.Revision(ctx, actorOf(ctx), in.ID, in.Revision)
	return answered(r, err, func(r blueberry.Revision) sdk.Rendering {
		return sdk.Rendering{Revision: r.Number, Digest: r.Rendering.Digest, Commit: r.Commit, Files: list(r.Rendering.Files, wireFile)}
	})
}

func (h environments) objects(ctx context.Context, in *ByID) (*answer[sdk.ObjectList], error) {
	objects, err := h.operations.Objects(ctx, actorOf(ctx), in.ID)
	return answered(objects, err, func(o []blueberry.LedgerEntry) sdk.ObjectList { return sdk.ObjectList{Items: list(o, wireObject)} })
}
