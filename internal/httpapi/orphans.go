package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// orphans are the routes of what scans found, and of the scans.
type orphans struct {
	operations Orphans
}

func (h orphans) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "scan-target", Method: http.MethodPost, Path: "/v1/targets/{name}/scan", Tags: []string{tagTargets}, DefaultStatus: http.StatusAccepted,
		Summary: "Scan a target", Description: "Begins to compare everything with our labels on the target, and the GitOps repository, with the record. What it finds are orphans.",
	}, h.scan)
	register(r, huma.Operation{
		OperationID: "list-orphans", Method: http.MethodGet, Path: "/v1/orphans", Tags: []string{tagTargets},
		Summary: "List orphans", Description: "What is on a target or in Git and of no living environment, and environments of which nothing is there. Nothing is removed before someone approves.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-orphan", Method: http.MethodGet, Path: "/v1/orphans/{id}", Tags: []string{tagTargets},
		Summary: "Read an orphan",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "approve-orphan", Method: http.MethodPost, Path: "/v1/orphans/{id}/approval", Tags: []string{tagTargets}, DefaultStatus: http.StatusAccepted,
		Summary: "Approve the removal of an orphan", Description: "Begins to remove it, if no living environment has its name or its namespace by then. Asking again changes nothing.",
	}, h.approve)
}

type scanInput struct {
	TargetByName
	OnceHeader
}

func (h orphans) scan(ctx context.Context, in *scanInput) (*nothing, error) {
	if err := h.operations.ScanTarget(ctx, actorOf(ctx), in.Name); err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

type listOrphansInput struct {
	strict
	Target string `query:"target" maxLength:"64" doc:"Only on this target" example:"local"`
	Kind   string `query:"kind" enum:"objects,record,files" doc:"Only of this kind" example:"objects"`
	After  string `query:"after" maxLength:"64" doc:"Only those behind the one with this id" example:"orp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h orphans) list(ctx context.Context, in *listOrphansInput) (*answer[sdk.OrphanList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.OrphanQuery{Target: in.Target, Kind: blueberry.OrphanKind(in.Kind), After: in.After, Limit: limit}
	found, err := h.operations.Orphans(ctx, actorOf(ctx), q)
	return answered(found, err, func(found []blueberry.Orphan) sdk.OrphanList {
		out := sdk.OrphanList{Items: list(found, wireOrphan)}
		if n := len(found); n >= limit {
			out.NextAfter = found[n-1].ID
		}
		return out
	})
}

// OrphanByID names an orphan.
type OrphanByID struct {
	strict
	ID string `path:"id" doc:"Id of the orphan" example:"orp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h orphans) get(ctx context.Context, in *OrphanByID) (*answer[sdk.Orphan], error) {
	o, err := h.operations.Orphan(ctx, actorOf(ctx), in.ID)
	return answered(o, err, wireOrphan)
}

type approveInput struct {
	OrphanByID
	OnceHeader
}

func (h orphans) approve(ctx context.Context, in *approveInput) (*answer[sdk.Orphan], error) {
	o, err := h.operations.ApproveOrphan(ctx, actorOf(ctx), in.ID)
	return answered(o, err, wireOrphan)
}

// retention is the route of what is kept for how long.
type retention struct {
	operations Retention
}

func (h retention) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-retention-rules", Method: http.MethodGet, Path: "/v1/retention", Tags: []string{tagArchives},
		Summary: "List retention rules", Description: "What is kept for how long, when each rule ran last, and what went or had to be put right.",
	}, h.list)
}

func (h retention) list(ctx context.Context, _ *struct{ strict }) (*answer[sdk.RetentionRuleList], error) {
	found, err := h.operations.RetentionRules(ctx, actorOf(ctx))
	return answered(found, err, func(found []blueberry.RetentionRule) sdk.RetentionRuleList {
		return sdk.RetentionRuleList{Items: list(found, wireRetentionRule)}
	})
}
