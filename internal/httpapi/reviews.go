package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// reviews are the routes of who has what, and of emergencies.
type reviews struct {
	operations Reviews
	now        func() time.Time
}

func (h reviews) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-access-review", Method: http.MethodGet, Path: "/v1/access-review", Tags: []string{tagAudit},
		Summary: "Review access", Description: "Who has what, how they came by it, and when it was last used.",
	}, h.review)
	register(r, huma.Operation{
		OperationID: "open-emergency", Method: http.MethodPost, Path: "/v1/emergencies", Tags: []string{tagAudit}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Open an emergency", Description: "Takes the power of an owner for at most an hour. Every active user is told of it, with the reason, and every step stands in the audit.",
	}, h.open)
	r.example(http.MethodPost, "/v1/emergencies", sdk.OpenEmergencyRequest{Reason: "The shop is down and its admin cannot be reached", Minutes: 30})
	register(r, huma.Operation{
		OperationID: "list-emergencies", Method: http.MethodGet, Path: "/v1/emergencies", Tags: []string{tagAudit},
		Summary: "List emergencies", Description: "Newest first.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "close-emergency", Method: http.MethodDelete, Path: "/v1/emergencies/{id}", Tags: []string{tagAudit}, DefaultStatus: http.StatusNoContent,
		Summary: "Close an emergency", Description: "Gives the power back early.",
	}, h.close)
}

func (h reviews) wireEmergency(e blueberry.Emergency) sdk.Emergency {
	return sdk.Emergency{
		ID: e.ID, UserID: e.UserID, Reason: e.Reason, Open: e.Open(h.now()), OpenedAt: instant(e.OpenedAt), EndsAt: instant(e.EndsAt), ClosedAt: instant(e.ClosedAt),
	}
}

type reviewInput struct {
	strict
	Project    string `query:"project" maxLength:"64" doc:"Only this project" example:"shop"`
	UnusedDays int    `query:"unused_days" minimum:"1" maximum:"3650" doc:"After how many days without use something counts as unused; absent means 90" example:"90"`
}

func (h reviews) review(ctx context.Context, in *reviewInput) (*answer[sdk.AccessReview], error) {
	found, err := h.operations.Review(ctx, actorOf(ctx), access.ReviewQuery{UnusedDays: in.UnusedDays, Project: in.Project})
	return answered(found, err, wireReview)
}

func wireReview(r access.Review) sdk.AccessReview {
	return sdk.AccessReview{
		At: instant(r.At), UnusedDays: r.UnusedDays,
		Users: list(r.Users, func(u access.UserReview) sdk.UserReview {
			return sdk.UserReview{User: wireUser(u.User), Unused: u.Unused, Roles: list(u.Roles, func(x access.Holding) sdk.Holding {
				return sdk.Holding{ProjectRole: sdk.ProjectRole{Project: x.Project, Role: string(x.Role)}, By: x.By}
			})}
		}),
		ServiceAccounts: list(r.Services, func(s access.ServiceReview) sdk.ServiceAccountReview {
			return sdk.ServiceAccountReview{ServiceAccount: wireServiceAccount(s.Account), LastUsedAt: instant(s.LastUsedAt), Unused: s.Unused}
		}),
		APITokens: list(r.Tokens, func(t access.TokenReview) sdk.APITokenReview {
			return sdk.APITokenReview{Token: wireAPIToken(t.Token), Of: t.Of, Unused: t.Unused}
		}),
		OAuthClients: list(r.Clients, func(c access.ClientReview) sdk.OAuthClientReview {
			return sdk.OAuthClientReview{Client: wireOAuthClient(c.Client), Unused: c.Unused}
		}),
		Truncated: r.Truncated,
	}
}

type openEmergencyInput struct {
	strict
	OnceHeader
	Body body[sdk.OpenEmergencyRequest]
}

func (h reviews) open(ctx context.Context, in *openEmergencyInput) (*answer[sdk.Emergency], error) {
	e, err := h.operations.OpenEmergency(ctx, actorOf(ctx), access.EmergencyWish{Reason: in.Body.Value.Reason, Minutes: in.Body.Value.Minutes, Found: in.Body.unknown})
	return answered(e, err, h.wireEmergency)
}

type listEmergenciesInput struct {
	strict
	IDWindow
}

func (h reviews) list(ctx context.Context, in *listEmergenciesInput) (*answer[sdk.EmergencyList], error) {
	found, err := h.operations.Emergencies(ctx, actorOf(ctx), in.Before, pageSize(in.Limit))
	return answered(found, err, func(found []blueberry.Emergency) sdk.EmergencyList {
		return sdk.EmergencyList{Items: list(found, h.wireEmergency), NextBefore: in.next(len(found), func(last int) string { return found[last].ID })}
	})
}

type emergencyByID struct {
	strict
	ID string `path:"id" doc:"Id of the emergency" example:"emg_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h reviews) close(ctx context.Context, in *emergencyByID) (*nothing, error) {
	_, err := h.operations.CloseEmergency(ctx, actorOf(ctx), in.ID)
	return &nothing{}, err
}
