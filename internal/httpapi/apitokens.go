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

const day = 24 * time.Hour

// apiTokens are the routes of API tokens.
type apiTokens struct {
	operations APITokens
	now        func() time.Time
}

func (h apiTokens) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-api-token", Method: http.MethodPost, Path: "/v1/api-tokens", Tags: []string{tagTokens}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary:     "Create an API token",
		Description: "For oneself, or for a service account. It can never do more than its user or service account can at that moment. Nothing ever shows the secret again.",
	}, h.create)
	r.example(http.MethodPost, "/v1/api-tokens", sdk.CreateAPITokenRequest{
		Name: "laptop", Grants: []string{string(blueberry.GrantEnvironmentsRead)}, Projects: []string{blueberry.DefaultProject}, Days: 30,
	})
	register(r, huma.Operation{
		OperationID: "list-api-tokens", Method: http.MethodGet, Path: "/v1/api-tokens", Tags: []string{tagTokens},
		Summary: "List API tokens", Description: "Newest first: one's own, or with `user` those of another one or of all. Never with a secret.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-api-token", Method: http.MethodGet, Path: "/v1/api-tokens/{id}", Tags: []string{tagTokens},
		Summary: "Read an API token",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "rotate-api-token", Method: http.MethodPost, Path: "/v1/api-tokens/{id}/rotation", Tags: []string{tagTokens},
		Summary: "Rotate an API token", Description: "Gives it another secret. The one before works on for a while, so that nothing breaks while it is replaced.",
	}, h.rotate)
	r.example(http.MethodPost, "/v1/api-tokens/{id}/rotation", sdk.RotateAPITokenRequest{OverlapHours: 24, Days: 90})
	register(r, huma.Operation{
		OperationID: "revoke-api-token", Method: http.MethodDelete, Path: "/v1/api-tokens/{id}", Tags: []string{tagTokens}, DefaultStatus: http.StatusNoContent,
		Summary: "Revoke an API token", Description: "Ends it at once, on every server.",
	}, h.revoke)
}

// APITokenByID names an API token.
type APITokenByID struct {
	strict
	ID string `path:"id" doc:"Id of the API token" example:"tok_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func wireAPIToken(t blueberry.APIToken) sdk.APIToken {
	return sdk.APIToken{
		ID: t.ID, Name: t.Name, UserID: t.UserID, ServiceAccountID: t.ServiceID, Grants: list(t.Grants, text), Projects: list(t.Projects, same), Hint: t.Hint,
		CreatedAt: instant(t.CreatedAt), CreatedBy: t.CreatedBy, ExpiresAt: instant(t.ExpiresAt), LastUsedAt: instant(t.LastUsedAt), RotatedAt: instant(t.RotatedAt),
		PreviousUntil: instant(t.PreviousUntil), RevokedAt: instant(t.RevokedAt), RevokedBy: t.RevokedBy, Version: t.Version,
	}
}

// text gives a word of the nouns as it stands on the wire, word one of the wire as it stands in the nouns.
func text[T ~string](x T) string { return string(x) }

func word[T ~string](x string) T { return T(x) }

func madeTokenAnswer(m access.MadeToken, err error) (*tagged[sdk.MadeAPIToken], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.MadeAPIToken]{
		ETag: etag(m.Token.Version), Location: "/v1/api-tokens/" + m.Token.ID, Body: sdk.MadeAPIToken{Token: wireAPIToken(m.Token), Secret: m.Secret},
	}, nil
}

type createTokenInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateAPITokenRequest]
}

func (h apiTokens) create(ctx context.Context, in *createTokenInput) (*tagged[sdk.MadeAPIToken], error) {
	b := in.Body.Value
	return madeTokenAnswer(h.operations.CreateToken(ctx, actorOf(ctx), access.NewToken{
		Name: b.Name, Grants: list(b.Grants, word[blueberry.Grant]), Role: blueberry.Role(b.Role), Projects: b.Projects, ServiceID: b.ServiceAccountID,
		Life: days(b.Days), Found: in.Body.unknown,
	}))
}

type listTokensInput struct {
	strict
	User           string `query:"user" maxLength:"64" doc:"Id of the user; * for all; absent means oneself" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	ServiceAccount string `query:"service_account" maxLength:"64" doc:"Id of the service account" example:"svc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	UnusedDays     int    `query:"unused_days" minimum:"1" maximum:"365" doc:"Only those that were not used for so many days" example:"90"`
	Ended          bool   `query:"ended" doc:"Those that are revoked or have expired, too" example:"true"`
	IDWindow
}

func (h apiTokens) list(ctx context.Context, in *listTokensInput) (*answer[sdk.APITokenList], error) {
	q := blueberry.APITokenQuery{UserID: in.User, ServiceID: in.ServiceAccount, Ended: in.Ended, Before: in.Before, Limit: pageSize(in.Limit)}
	if in.UnusedDays > 0 {
		q.Unused = h.now().Add(-time.Duration(in.UnusedDays) * day)
	}
	found, err := h.operations.Tokens(ctx, actorOf(ctx), q)
	return answered(found, err, func(found []blueberry.APIToken) sdk.APITokenList {
		return sdk.APITokenList{Items: list(found, wireAPIToken), NextBefore: in.next(len(found), func(last int) string { return found[last].ID })}
	})
}

func (h apiTokens) get(ctx context.Context, in *APITokenByID) (*tagged[sdk.APIToken], error) {
	t, err := h.operations.Token(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.APIToken]{ETag: etag(t.Version), Location: "/v1/api-tokens/" + t.ID, Body: wireAPIToken(t)}, nil
}

type rotateTokenInput struct {
	APITokenByID
	OnceHeader
	Body body[sdk.RotateAPITokenRequest]
}

func (h apiTokens) rotate(ctx context.Context, in *rotateTokenInput) (*tagged[sdk.MadeAPIToken], error) {
	overlap, life := time.Duration(max(min(in.Body.Value.OverlapHours, 24*mostDays), -1))*time.Hour, days(in.Body.Value.Days)
	return madeTokenAnswer(h.operations.RotateToken(ctx, actorOf(ctx), in.ID, overlap, life))
}

func (h apiTokens) revoke(ctx context.Context, in *APITokenByID) (*nothing, error) {
	return &nothing{}, h.operations.RevokeToken(ctx, actorOf(ctx), in.ID)
}
