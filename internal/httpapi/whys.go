package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

// whys are the routes of what can be seen of an environment.
type whys struct {
	operations Whys
}

func (h whys) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-environment-why", Method: http.MethodGet, Path: "/v1/environments/{id}/why", Tags: []string{tagInsight},
		Summary: "Ask why", Description: "The steps from request to reachable workload with the time that each took and may take, and what is wrong, found by rules: each cause with its evidence word for word, and what to do.",
	}, h.why)
	register(r, huma.Operation{
		OperationID: "list-environment-timeline", Method: http.MethodGet, Path: "/v1/environments/{id}/timeline", Tags: []string{tagInsight},
		Summary: "Read the timeline", Description: "What happened, in the record and on the target, in one order of time.",
	}, h.timeline)
	register(r, huma.Operation{
		OperationID: "get-environment-live-object", Method: http.MethodGet, Path: "/v1/environments/{id}/objects/live", Tags: []string{tagInsight},
		Summary: "Read an object as it is", Description: "Beside what the desired revision says. Managed fields are left out, and the values of secrets are hidden.",
	}, h.live)
	register(r, huma.Operation{
		OperationID: "list-environment-usage", Method: http.MethodGet, Path: "/v1/environments/{id}/usage", Tags: []string{tagInsight},
		Summary: "Read what pods use", Description: "Of late, beside what they asked for. 503 `METRICS_MISSING` when nothing on the target measures.",
	}, h.usage)
	register(r, huma.Operation{
		OperationID: "get-environment-receipt", Method: http.MethodGet, Path: "/v1/environments/{id}/receipt", Tags: []string{tagArchives},
		Summary: "Read the receipt", Description: "Of a removal, also while it goes on: everything that was made, when and how it was proven gone, and what does not go.",
	}, h.receipt)
}

func (h whys) why(ctx context.Context, in *ByID) (*answer[sdk.Why], error) {
	w, err := h.operations.Why(ctx, actorOf(ctx), in.ID)
	return answered(w, err, wireWhy)
}

type timelineInput struct {
	ByID
	After  time.Time `query:"after" doc:"Only what happened after this time" example:"2026-11-01T00:00:00Z"`
	Before time.Time `query:"before" doc:"Only what happened before this time" example:"2026-12-01T00:00:00Z"`
	Kind   []string  `query:"kind,explode" enum:"event,kubernetes" nullable:"false" doc:"Only of one of these kinds; may be given more than once"`
	Limit  int       `query:"limit" minimum:"1" maximum:"500" doc:"At most so many, the newest; absent means 50" example:"50"`
}

func (h whys) timeline(ctx context.Context, in *timelineInput) (*answer[sdk.Timeline], error) {
	q := provision.TimelineQuery{After: in.After, Before: in.Before, Kinds: in.Kind, Limit: pageSize(in.Limit)}
	found, err := h.operations.Timeline(ctx, actorOf(ctx), in.ID, q)
	return answered(found, err, func(found []provision.TimelineEntry) sdk.Timeline {
		return sdk.Timeline{Items: list(found, wireTimelineEntry)}
	})
}

type liveInput struct {
	ByID
	APIVersion string `query:"api_version" required:"true" minLength:"1" maxLength:"253" doc:"Group and version of the object" example:"apps/v1"`
	Kind       string `query:"kind" required:"true" minLength:"1" maxLength:"63" doc:"Kind of the object" example:"Deployment"`
	Namespace  string `query:"namespace" maxLength:"63" doc:"Absent for a cluster-scoped object" example:"default-pr-42"`
	Name       string `query:"name" required:"true" minLength:"1" maxLength:"253" doc:"Name of the object" example:"backend"`
}

func (h whys) live(ctx context.Context, in *liveInput) (*answer[sdk.LiveObject], error) {
	o := blueberry.ObjectRef{APIVersion: in.APIVersion, Kind: in.Kind, Namespace: in.Namespace, Name: in.Name}
	found, err := h.operations.Live(ctx, actorOf(ctx), in.ID, o)
	return answered(found, err, func(l provision.LiveObject) sdk.LiveObject {
		return sdk.LiveObject{ObjectRef: wireRef(l.Ref), Desired: string(l.Desired), Live: string(l.Live)}
	})
}

func (h whys) usage(ctx context.Context, in *ByID) (*answer[sdk.PodUsageList], error) {
	found, err := h.operations.Usage(ctx, actorOf(ctx), in.ID)
	return answered(found, err, func(found []target.PodUsage) sdk.PodUsageList {
		return sdk.PodUsageList{Items: list(found, wirePodUsage)}
	})
}

func (h whys) receipt(ctx context.Context, in *ByID) (*answer[sdk.Receipt], error) {
	found, err := h.operations.Receipt(ctx, actorOf(ctx), in.ID)
	return answered(found, err, wireReceipt)
}
