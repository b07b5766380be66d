package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// leases are the routes of pins and of links that extend a lease.
type leases struct {
	operations   Leases
	environments Environments
}

func (h leases) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "pin-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/pin", Tags: []string{tagEnvironments},
		Summary:     "Pin an environment",
		Description: "Keeps it for longer than a lease can last: for the hours from now, at most as long as its project allows. The owner of the environment may, and who may change the project.",
	}, h.pin)
	r.example(http.MethodPost, "/v1/environments/{id}/pin", sdk.PinEnvironmentRequest{Hours: 336, Reason: "the customer tries it until the end of the month"})
	register(r, huma.Operation{
		OperationID: "unpin-environment", Method: http.MethodDelete, Path: "/v1/environments/{id}/pin", Tags: []string{tagEnvironments},
		Summary: "Unpin an environment", Description: "Its lease then ends no later than one that is asked for now.",
	}, h.unpin)
	register(r, huma.Operation{
		OperationID: "create-extend-link", Method: http.MethodPost, Path: "/v1/environments/{id}/extend-links", Tags: []string{tagEnvironments},
		DefaultStatus: http.StatusCreated,
		Summary:       "Make a link that extends a lease",
		Description: "Whoever has the link can extend the lease once, without an account. It works until the lease ends as it is now, and no more once the lease has moved. " +
			"The answer is the only one that tells it.",
	}, h.link)
	r.example(http.MethodPost, "/v1/environments/{id}/extend-links", sdk.CreateExtendLinkRequest{Hours: 24})
	register(r, huma.Operation{
		OperationID: "get-extend-link", Method: http.MethodGet, Path: "/v1/extend-links/{token}", Tags: []string{tagEnvironments},
		Summary: "Read what an extend link would do", Description: "Changes nothing: programs that look at links in mails may.",
	}, h.info)
	register(r, huma.Operation{
		OperationID: "use-extend-link", Method: http.MethodPost, Path: "/v1/extend-links/{token}", Tags: []string{tagEnvironments},
		Summary: "Extend a lease by a link", Description: "Once. The audit names who made the link.",
	}, h.use)
}

type pinInput struct {
	ByID
	OnceHeader
	MatchHeader
	Body body[sdk.PinEnvironmentRequest]
}

func (h leases) pin(ctx context.Context, in *pinInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return environmentTold(h.operations.Pin(ctx, actorOf(ctx), in.ID, in.Body.Value.Hours, in.Body.Value.Reason, version))
}

// ChangeByID names an environment that a call without a body changes.
type ChangeByID struct {
	ByID
	OnceHeader
	MatchHeader
}

type unpinInput struct {
	ByID
	MatchHeader
}

func (h leases) unpin(ctx context.Context, in *unpinInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return environmentTold(h.operations.Unpin(ctx, actorOf(ctx), in.ID, version))
}

func environmentTold(e blueberry.Environment, err error) (*tagged[sdk.Environment], error) {
	if err != nil {
		return nil, err
	}
	return environmentAnswer(e), nil
}

type linkInput struct {
	ByID
	OnceHeader
	Body body[sdk.CreateExtendLinkRequest]
}

func (h leases) link(ctx context.Context, in *linkInput) (*answer[sdk.ExtendLink], error) {
	l, err := h.operations.ExtendLink(ctx, actorOf(ctx), in.ID, in.Body.Value.Hours)
	return answered(l, err, func(l blueberry.ExtendLink) sdk.ExtendLink {
		return sdk.ExtendLink{URL: l.URL, Hours: l.Hours, ExpiresAt: instant(l.ExpiresAt)}
	})
}

// ByToken names what a secret link is for. Neither the log nor the audit nor a problem repeats it (secretSegment).
type ByToken struct {
	strict
	Token string `path:"token" maxLength:"2048" doc:"The secret of the link" example:"bll_…"`
}

func (h leases) info(ctx context.Context, in *ByToken) (*answer[sdk.ExtendOffer], error) {
	o, err := h.operations.ExtendLinkInfo(ctx, in.Token)
	return answered(o, err, func(o provision.ExtendOffer) sdk.ExtendOffer {
		return sdk.ExtendOffer{
			Project: o.Environment.Project, Environment: o.Environment.Name, Hours: o.Hours, ExpiresAt: instant(o.Environment.Lease.ExpiresAt), Ends: instant(o.Ends),
		}
	})
}

func (h leases) use(ctx context.Context, in *ByToken) (*answer[sdk.ExtendedLease], error) {
	e, err := h.operations.ExtendByLink(ctx, in.Token)
	return answered(e, err, func(e blueberry.Environment) sdk.ExtendedLease {
		return sdk.ExtendedLease{Project: e.Project, Environment: e.Name, ExpiresAt: instant(e.Lease.ExpiresAt)}
	})
}
