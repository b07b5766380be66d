package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// plans are the routes of plans.
type plans struct {
	operations Plans
	now        func() time.Time
}

func (h plans) mount(r *router) {
	const kept = " It may be applied for 30 minutes, once, and only while none of its inputs has moved."
	register(r, huma.Operation{
		OperationID: "plan-new-environment", Method: http.MethodPost, Path: "/v1/environments/plan", Tags: []string{tagPlans},
		DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Plan a new environment", Description: "Tells what creating it would do: the request is that of `POST /v1/environments`." + kept,
	}, h.create)
	r.example(http.MethodPost, "/v1/environments/plan", exampleCreate())
	register(r, huma.Operation{
		OperationID: "plan-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/plan", Tags: []string{tagPlans},
		DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Plan a change of an environment", Description: "Tells what a change, a rollback or the end of an environment would do. Exactly one of the three is given." + kept,
	}, h.plan)
	change := exampleChange()
	r.example(http.MethodPost, "/v1/environments/{id}/plan", sdk.PlanEnvironmentRequest{Change: &change})
	register(r, huma.Operation{
		OperationID: "list-environment-plans", Method: http.MethodGet, Path: "/v1/environments/{id}/plans", Tags: []string{tagPlans},
		Summary: "List plans of an environment", Description: "Newest first. Those that were not applied are forgotten some time after they expired.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-plan", Method: http.MethodGet, Path: "/v1/plans/{id}", Tags: []string{tagPlans},
		Summary: "Read a plan",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "get-plan-rendering", Method: http.MethodGet, Path: "/v1/plans/{id}/rendering", Tags: []string{tagPlans},
		Summary: "Read the manifests of a plan", Description: "The files are, byte for byte, what applying it commits. A plan that makes no revision has none.",
	}, h.rendering)
}

func (h plans) answer(p blueberry.Plan, err error) (*answer[sdk.Plan], error) {
	return answered(p, err, h.wire)
}

func (h plans) wire(p blueberry.Plan) sdk.Plan { return wirePlan(p, h.now()) }

// planned is the answer about a plan that was made.
type planned struct {
	Location string `header:"Location" doc:"Path of the plan"`
	Body     sdk.Plan
}

func (h plans) made(p blueberry.Plan, err error) (*planned, error) {
	if err != nil {
		return nil, err
	}
	return &planned{Location: "/v1/plans/" + p.ID, Body: h.wire(p)}, nil
}

func (h plans) create(ctx context.Context, in *createInput) (*planned, error) {
	r := readCreate(in.Body.Value, in.Strict, in.Body.unknown)
	if r.PlanID != "" {
		r.Found.Add("plan_id", "forbidden", "is for applying a plan, not for making one")
	}
	p, err := h.operations.PlanCreate(ctx, actorOf(ctx), r)
	return h.made(p, asAsked(err, in.Body.Value.Blueprint, ""))
}

type planInput struct {
	ByID
	StrictQuery
	OnceHeader
	Body body[sdk.PlanEnvironmentRequest]
}

func (h plans) plan(ctx context.Context, in *planInput) (*planned, error) {
	r, b := provision.PlanRequest{Destroy: in.Body.Value.Destroy, Found: in.Body.unknown}, in.Body.Value
	part := ""
	var blueprint *sdk.Blueprint
	if b.Change != nil {
		c := readChange(*b.Change, in.Strict, "change", nil)
		r.Change, r.Found, part, blueprint = &c, append(r.Found, c.Found...), "change", b.Change.Blueprint
		c.Found = nil
		refusePlan(&r.Found, part, &c.PlanID)
	}
	if b.Rollback != nil {
		back := provision.RollbackRequest{Number: b.Rollback.Revision, Reason: b.Rollback.Reason, PlanID: b.Rollback.PlanID}
		r.Rollback, part = &back, "rollback"
		refusePlan(&r.Found, part, &back.PlanID)
	}
	p, err := h.operations.Plan(ctx, actorOf(ctx), in.ID, r)
	if r.Change != nil && (r.Rollback != nil || r.Destroy) || r.Rollback != nil && r.Destroy {
		part = "" // what is wrong then is the whole
	}
	return h.made(p, asAsked(err, blueprint, part))
}

func refusePlan(found *blueberry.Faults, part string, id *string) {
	if *id != "" {
		found.Add(part+".plan_id", "forbidden", "is for applying a plan, not for making one")
		*id = ""
	}
}

type planByID struct {
	strict
	ID string `path:"id" doc:"Id of the plan" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h plans) get(ctx context.Context, in *planByID) (*answer[sdk.Plan], error) {
	p, err := h.operations.PlanByID(ctx, actorOf(ctx), in.ID)
	return h.answer(p, err)
}

func (h plans) rendering(ctx context.Context, in *planByID) (*answer[sdk.Rendering], error) {
	p, r, err := h.operations.PlanRendering(ctx, actorOf(ctx), in.ID)
	return answered(r, err, func(r blueberry.Rendering) sdk.Rendering {
		return sdk.Rendering{Revision: p.Revision, Digest: p.RenderingDigest, Files: list(r.Files, wireFile)}
	})
}

type plansInput struct {
	ByID
	Before string `query:"before" maxLength:"64" doc:"Only plans that are older than the one with this id" example:"pln_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h plans) list(ctx context.Context, in *plansInput) (*answer[sdk.PlanList], error) {
	limit := pageSize(in.Limit)
	found, err := h.operations.Plans(ctx, actorOf(ctx), blueberry.PlanQuery{EnvironmentID: in.ID, Before: in.Before, Limit: limit})
	return answered(found, err, func(found []blueberry.Plan) sdk.PlanList {
		out := sdk.PlanList{Items: list(found, h.wire)}
		if len(found) == limit {
			out.NextBefore = found[limit-1].ID
		}
		return out
	})
}
