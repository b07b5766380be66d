package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// notices are the routes of what was told to whom.
type notices struct {
	operations Subscriptions
}

func (h notices) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-notices", Method: http.MethodGet, Path: "/v1/notices", Tags: []string{tagSubscriptions},
		Summary: "List notices", Description: "What subscriptions were told, or are to be, in the last 30 days, the newest first, with every attempt.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-notice", Method: http.MethodGet, Path: "/v1/notices/{id}", Tags: []string{tagSubscriptions},
		Summary: "Read a notice",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "redrive-notice", Method: http.MethodPost, Path: "/v1/notices/{id}/redrive", Tags: []string{tagSubscriptions},
		Summary: "Send a notice again", Description: "One that is dead or was delivered, under the same event id. 409 `NOTICE_WAITING` for one that has not been given up, `SUBSCRIPTION_OFF` while its subscription is off.",
	}, h.redrive)
}

type listNoticesInput struct {
	strict
	Project      string `query:"project" maxLength:"64" doc:"Only of this project" example:"default"`
	Subscription string `query:"subscription" maxLength:"64" doc:"Only of the subscription with this id" example:"sub_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	State        string `query:"state" enum:"waiting,delivered,dead" doc:"Only in this state" example:"dead"`
	Before       string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"ntc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit        int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h notices) list(ctx context.Context, in *listNoticesInput) (*answer[sdk.NoticeList], error) {
	limit := pageSize(in.Limit)
	q := blueberry.NoticeQuery{SubscriptionID: in.Subscription, State: blueberry.NoticeState(in.State), Before: in.Before, Limit: limit}
	found, err := h.operations.Notices(ctx, actorOf(ctx), in.Project, q)
	return answered(found, err, noticeList(limit))
}

// noticeList makes a run of what was found, of which there may be more when it has reached the limit.
func noticeList(limit int) func(found []blueberry.Notice) sdk.NoticeList {
	return func(found []blueberry.Notice) sdk.NoticeList {
		out := sdk.NoticeList{Items: list(found, wireNotice)}
		if n := len(found); n >= limit {
			out.NextBefore = found[n-1].ID
		}
		return out
	}
}

// NoticeByID names a notice.
type NoticeByID struct {
	strict
	ID string `path:"id" doc:"Id of the notice" example:"ntc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h notices) get(ctx context.Context, in *NoticeByID) (*answer[sdk.Notice], error) {
	n, err := h.operations.Notice(ctx, actorOf(ctx), in.ID)
	return answered(n, err, wireNotice)
}

type redriveNoticeInput struct {
	NoticeByID
	OnceHeader
}

func (h notices) redrive(ctx context.Context, in *redriveNoticeInput) (*answer[sdk.Notice], error) {
	n, err := h.operations.Redrive(ctx, actorOf(ctx), in.ID)
	return answered(n, err, wireNotice)
}
