package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// oauthClients are the routes of the registry of OAuth clients, and of what was issued to them.
type oauthClients struct {
	operations OAuthClients
	tokens     OAuthTokens
}

func (h oauthClients) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-oauth-client", Method: http.MethodPost, Path: "/v1/oauth-clients", Tags: []string{tagOAuth}, DefaultStatus: http.StatusCreated,
		Summary: "Register an OAuth client", Description: "It never gets more than its maker holds. Nothing ever shows the secret again.",
	}, h.create)
	r.example(http.MethodPost, "/v1/oauth-clients", sdk.CreateOAuthClientRequest{
		Name: "Dashboards", RedirectURIs: []string{"https://dashboards.example.com/callback"},
		Flows: []string{string(blueberry.FlowCode), string(blueberry.FlowRefresh)}, Grants: []string{string(blueberry.GrantEnvironmentsRead)},
	})
	register(r, huma.Operation{
		OperationID: "list-oauth-clients", Method: http.MethodGet, Path: "/v1/oauth-clients", Tags: []string{tagOAuth},
		Summary: "List OAuth clients", Description: "By id. Never with a secret.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-oauth-client", Method: http.MethodGet, Path: "/v1/oauth-clients/{id}", Tags: []string{tagOAuth},
		Summary: "Read an OAuth client",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "update-oauth-client", Method: http.MethodPatch, Path: "/v1/oauth-clients/{id}", Tags: []string{tagOAuth},
		Summary: "Update an OAuth client", Description: "Changes what the body names. What its tokens may do changes with it, at once and on every server.",
	}, h.update)
	disabled := true
	r.example(http.MethodPatch, "/v1/oauth-clients/{id}", sdk.UpdateOAuthClientRequest{Disabled: &disabled})
	register(r, huma.Operation{
		OperationID: "delete-oauth-client", Method: http.MethodDelete, Path: "/v1/oauth-clients/{id}", Tags: []string{tagOAuth}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete an OAuth client", Description: "With what users allowed it, and with its tokens.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "rotate-oauth-client-secret", Method: http.MethodPost, Path: "/v1/oauth-clients/{id}/secret", Tags: []string{tagOAuth},
		Summary: "Give an OAuth client another secret", Description: "The one before stops working at once; tokens stay. Nothing ever shows the secret again.",
	}, h.rotate)
	register(r, huma.Operation{
		OperationID: "list-oauth-tokens", Method: http.MethodGet, Path: "/v1/oauth-tokens", Tags: []string{tagOAuth},
		Summary: "List OAuth tokens", Description: "What was issued to clients and where it is, newest first: all that one may see, or that of a user or client. Never with a secret.",
	}, h.listTokens)
	register(r, huma.Operation{
		OperationID: "revoke-oauth-token", Method: http.MethodDelete, Path: "/v1/oauth-tokens/{id}", Tags: []string{tagOAuth}, DefaultStatus: http.StatusNoContent,
		Summary: "Revoke an OAuth token", Description: "Ends an access token, or with a refresh token or code all of its family, at once and on every server.",
	}, h.revokeToken)
}

// OAuthClientByID names an OAuth client.
type OAuthClientByID struct {
	strict
	ID string `path:"id" doc:"Id of the client" example:"cli_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func wireOAuthClient(c blueberry.OAuthClient) sdk.OAuthClient {
	return sdk.OAuthClient{
		ID: c.ID, Name: c.Name, Public: c.Public, RedirectURIs: list(c.RedirectURIs, same), Flows: list(c.Flows, text), Grants: list(c.Grants, text),
		Projects: list(c.Projects, same), Trusted: c.Trusted, Disabled: c.Disabled, CreatedAt: instant(c.CreatedAt), CreatedBy: c.CreatedBy,
		LastUsedAt: instant(c.LastUsedAt), Version: c.Version,
	}
}

func oauthClientAnswer(c blueberry.OAuthClient, err error) (*tagged[sdk.OAuthClient], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.OAuthClient]{ETag: etag(c.Version), Location: "/v1/oauth-clients/" + c.ID, Body: wireOAuthClient(c)}, nil
}

func madeClientAnswer(m oauth.MadeClient, err error) (*tagged[sdk.MadeOAuthClient], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.MadeOAuthClient]{
		ETag: etag(m.Client.Version), Location: "/v1/oauth-clients/" + m.Client.ID, Body: sdk.MadeOAuthClient{Client: wireOAuthClient(m.Client), Secret: m.Secret},
	}, nil
}

type createClientInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateOAuthClientRequest]
}

func (h oauthClients) create(ctx context.Context, in *createClientInput) (*tagged[sdk.MadeOAuthClient], error) {
	b := in.Body.Value
	return madeClientAnswer(h.operations.CreateClient(ctx, actorOf(ctx), oauth.ClientWish{
		Name: b.Name, Public: b.Public, RedirectURIs: b.RedirectURIs, Flows: list(b.Flows, word[blueberry.OAuthFlow]), Grants: list(b.Grants, word[blueberry.Grant]),
		Projects: b.Projects,
	}))
}

type listClientsInput struct {
	strict
	After string `query:"after" maxLength:"64" doc:"Only those behind the one with this id; absent means from the first"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" doc:"At most so many; absent means 50" example:"50"`
}

func (h oauthClients) list(ctx context.Context, in *listClientsInput) (*answer[sdk.OAuthClientList], error) {
	found, err := h.operations.Clients(ctx, actorOf(ctx), in.After, pageSize(in.Limit))
	return answered(found, err, func(found []blueberry.OAuthClient) sdk.OAuthClientList {
		out := sdk.OAuthClientList{Items: list(found, wireOAuthClient)}
		if n := len(found); n == pageSize(in.Limit) {
			out.NextAfter = found[n-1].ID
		}
		return out
	})
}

func (h oauthClients) get(ctx context.Context, in *OAuthClientByID) (*tagged[sdk.OAuthClient], error) {
	return oauthClientAnswer(h.operations.Client(ctx, actorOf(ctx), in.ID))
}

func (h oauthClients) match(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		c, err := h.operations.Client(ctx, actorOf(ctx), id)
		return c.Version, err
	})
}

type updateClientInput struct {
	OAuthClientByID
	OnceHeader
	MatchHeader
	Body body[sdk.UpdateOAuthClientRequest]
}

// words is list for what may be left out.
func words[T ~string](in *[]string) *[]T {
	if in == nil {
		return nil
	}
	out := list(*in, word[T])
	return &out
}

func (h oauthClients) update(ctx context.Context, in *updateClientInput) (*tagged[sdk.OAuthClient], error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	return oauthClientAnswer(h.operations.UpdateClient(ctx, actorOf(ctx), in.ID, oauth.ClientChange{
		Name: b.Name, RedirectURIs: b.RedirectURIs, Flows: words[blueberry.OAuthFlow](b.Flows), Grants: words[blueberry.Grant](b.Grants), Projects: b.Projects,
		Disabled: b.Disabled,
	}, version))
}

type deleteClientInput struct {
	OAuthClientByID
	MatchHeader
}

func (h oauthClients) remove(ctx context.Context, in *deleteClientInput) (*nothing, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeleteClient(ctx, actorOf(ctx), in.ID, version)
}

type rotateClientInput struct {
	OAuthClientByID
	OnceHeader
}

func (h oauthClients) rotate(ctx context.Context, in *rotateClientInput) (*tagged[sdk.MadeOAuthClient], error) {
	return madeClientAnswer(h.operations.RotateClientSecret(ctx, actorOf(ctx), in.ID))
}

func wireOAuthToken(t oauth.TokenView) sdk.OAuthToken {
	return sdk.OAuthToken{
		ID: t.ID, Kind: string(t.Kind), Family: t.Family, ClientID: t.ClientID, UserID: t.UserID, Scopes: list(t.Scopes, same), State: string(t.State),
		Since: instant(t.Since), IssuedAt: instant(t.IssuedAt), ExpiresAt: instant(t.ExpiresAt), LastUsedAt: instant(t.LastUsedAt),
	}
}

type listOAuthTokensInput struct {
	strict
	User   string `query:"user" maxLength:"64" doc:"Only on whose account they act: id of the user" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Client string `query:"client" maxLength:"64" doc:"Only those of this client" example:"cli_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Family string `query:"family" maxLength:"64" doc:"Only those of this family" example:"gnt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	IDWindow
}

func (h oauthClients) listTokens(ctx context.Context, in *listOAuthTokensInput) (*answer[sdk.OAuthTokenList], error) {
	found, err := h.tokens.Tokens(ctx, actorOf(ctx), blueberry.OAuthTokenQuery{
		UserID: in.User, ClientID: in.Client, Family: in.Family, Before: in.Before, Limit: pageSize(in.Limit),
	})
	return answered(found, err, func(found []oauth.TokenView) sdk.OAuthTokenList {
		return sdk.OAuthTokenList{Items: list(found, wireOAuthToken), NextBefore: in.next(len(found), func(last int) string { return found[last].ID })}
	})
}

type oauthTokenByID struct {
	strict
	ID string `path:"id" doc:"Id of the token" example:"tok_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h oauthClients) revokeToken(ctx context.Context, in *oauthTokenByID) (*nothing, error) {
	return &nothing{}, h.tokens.RevokeToken(ctx, actorOf(ctx), in.ID)
}
