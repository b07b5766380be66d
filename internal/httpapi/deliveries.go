package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/sdk"
)

// deliveries are the routes of what hosts sent.
type deliveries struct {
	operations Repositories
}

func (h deliveries) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: "/v1/deliveries", Tags: []string{tagRepositories},
		Summary: "List deliveries", Description: "What hosts sent to `/hooks/{id}` in the last 30 days, the newest first, without headers and bodies.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-delivery", Method: http.MethodGet, Path: "/v1/deliveries/{id}", Tags: []string{tagRepositories},
		Summary: "Read a delivery", Description: "With its headers and its body. Signatures and tokens are never kept, and nothing of the body of a delivery that was refused.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "replay-delivery", Method: http.MethodPost, Path: "/v1/deliveries/{id}/replay", Tags: []string{tagRepositories},
		Summary: "Read a delivery again", Description: "As if it came now; its pull request is looked at also when it says no news. 409 `DELIVERY_EMPTY` when nothing of its body was kept.",
	}, h.replay)
}

type listDeliveriesInput struct {
	strict
	Project    string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Repository string `query:"repository" maxLength:"64" doc:"Only of the repository with this id" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Pull       string `query:"pull" maxLength:"64" doc:"Only about the pull request with this id" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Verdict    string `query:"verdict" enum:"accepted,ignored,duplicate,unreadable,refused" doc:"Only with this verdict" example:"refused"`
	Before     string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"dlv_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h deliveries) list(ctx context.Context, in *listDeliveriesInput) (*answer[sdk.DeliveryList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.DeliveryQuery{RepositoryID: in.Repository, PullID: in.Pull, Verdict: blueberry.DeliveryVerdict(in.Verdict), Before: in.Before, Limit: limit}
	found, err := h.operations.Deliveries(ctx, actorOf(ctx), in.Project, q)
	return answered(found, err, func(found []blueberry.Delivery) sdk.DeliveryList {
		out := sdk.DeliveryList{Items: list(found, wireDelivery)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	})
}

// DeliveryByID names a delivery.
type DeliveryByID struct {
	strict
	ID string `path:"id" doc:"Id of the delivery" example:"dlv_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h deliveries) get(ctx context.Context, in *DeliveryByID) (*answer[sdk.Delivery], error) {
	d, err := h.operations.Delivery(ctx, actorOf(ctx), in.ID)
	return answered(d, err, wireWholeDelivery)
}

type replayInput struct {
	DeliveryByID
	OnceHeader
	DryRun bool `query:"dry_run" doc:"Only tell what would follow: nothing is kept and nothing begins" example:"true"`
}

func (h deliveries) replay(ctx context.Context, in *replayInput) (*answer[sdk.ReplayedDelivery], error) {
	done, err := h.operations.Replay(ctx, actorOf(ctx), in.ID, in.DryRun)
	return answered(done, err, func(r source.Replayed) sdk.ReplayedDelivery {
		out := sdk.ReplayedDelivery{DryRun: in.DryRun, Delivery: wireDelivery(r.Delivery)}
		if r.Pull != nil {
			p := wirePull(*r.Pull)
			out.Pull = &p
		}
		return out
	})
}
