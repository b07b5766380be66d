package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// identityProviders are the routes of identity providers and of the roles that their groups give.
type identityProviders struct {
	operations IdentityProviders
}

func (h identityProviders) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-identity-providers", Method: http.MethodGet, Path: "/v1/identity-providers", Tags: []string{tagProviders},
		Summary: "List identity providers", Description: "By name. Never with a secret.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-identity-provider", Method: http.MethodGet, Path: "/v1/identity-providers/{name}", Tags: []string{tagProviders},
		Summary: "Read an identity provider",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "set-identity-provider", Method: http.MethodPut, Path: "/v1/identity-providers/{name}", Tags: []string{tagProviders}, Metadata: gathers(),
		Summary: "Set an identity provider", Description: "Makes it, or says all that it is to be. The secret is kept encrypted, and nothing ever shows it.",
	}, h.set)
	secret := "GOCSPX-…"
	r.example(http.MethodPut, "/v1/identity-providers/{name}", sdk.SetIdentityProviderRequest{
		Kind: string(blueberry.ProviderOIDC), Label: "Google", Issuer: "https://accounts.google.com", ClientID: "blueberry", ClientSecret: &secret,
		AllowedDomains: []string{"example.com"},
	})
	register(r, huma.Operation{
		OperationID: "delete-identity-provider", Method: http.MethodDelete, Path: "/v1/identity-providers/{name}", Tags: []string{tagProviders},
		DefaultStatus: http.StatusNoContent,
		Summary:       "Delete an identity provider", Description: "With the group rules of it; nobody can come in by it any more.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "create-group-rule", Method: http.MethodPost, Path: "/v1/group-rules", Tags: []string{tagProviders}, DefaultStatus: http.StatusCreated,
		Summary: "Create a group rule", Description: "Gives everyone whose identity provider names the group a role in a project, or makes them owners of the installation.",
	}, h.createRule)
	r.example(http.MethodPost, "/v1/group-rules", sdk.CreateGroupRuleRequest{
		Provider: "google", Group: "platform", Project: blueberry.DefaultProject, Role: string(blueberry.RoleDeveloper),
	})
	register(r, huma.Operation{
		OperationID: "list-group-rules", Method: http.MethodGet, Path: "/v1/group-rules", Tags: []string{tagProviders},
		Summary: "List group rules", Description: "Those of the projects whose members one may see.",
	}, h.listRules)
	register(r, huma.Operation{
		OperationID: "delete-group-rule", Method: http.MethodDelete, Path: "/v1/group-rules/{id}", Tags: []string{tagProviders}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a group rule", Description: "The role is gone at once, on every server.",
	}, h.removeRule)
}

// ProviderByName names an identity provider.
type ProviderByName struct {
	strict
	Name string `path:"name" maxLength:"40" doc:"Name of the identity provider" example:"google"`
}

func wireProvider(p blueberry.IdentityProvider) sdk.IdentityProvider {
	return sdk.IdentityProvider{
		ID: p.ID, Name: p.Name, Kind: string(p.Kind), Label: p.Label, Issuer: p.Issuer, ClientID: p.ClientID, HasClientSecret: len(p.ClientSecret) > 0,
		Scopes: list(p.Scopes, same), GroupsClaim: p.GroupsClaim, AllowedDomains: list(p.AllowedDomains, same), SignUp: p.SignUp, Disabled: p.Disabled,
		CreatedAt: instant(p.CreatedAt), UpdatedAt: instant(p.UpdatedAt), Version: p.Version,
	}
}

func (h identityProviders) list(ctx context.Context, _ *struct{ strict }) (*answer[sdk.IdentityProviderList], error) {
	found, err := h.operations.Providers(ctx, actorOf(ctx))
	return answered(found, err, func(found []blueberry.IdentityProvider) sdk.IdentityProviderList {
		return sdk.IdentityProviderList{Items: list(found, wireProvider)}
	})
}

func (h identityProviders) get(ctx context.Context, in *ProviderByName) (*tagged[sdk.IdentityProvider], error) {
	p, err := h.operations.Provider(ctx, actorOf(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.IdentityProvider]{ETag: etag(p.Version), Location: "/v1/identity-providers/" + p.Name, Body: wireProvider(p)}, nil
}

func (h identityProviders) match(ctx context.Context, name, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		p, err := h.operations.Provider(ctx, actorOf(ctx), name)
		return p.Version, err
	})
}

type setProviderInput struct {
	ProviderByName
	OnceHeader
	MatchHeader
	Body body[sdk.SetIdentityProviderRequest]
}

func (h identityProviders) set(ctx context.Context, in *setProviderInput) (*tagged[sdk.IdentityProvider], error) {
	version, err := h.match(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	p, err := h.operations.PutProvider(ctx, actorOf(ctx), access.ProviderWish{
		Name: in.Name, Kind: blueberry.ProviderKind(b.Kind), Label: b.Label, Issuer: b.Issuer, ClientID: b.ClientID, ClientSecret: b.ClientSecret, Scopes: b.Scopes,
		GroupsClaim: b.GroupsClaim, AllowedDomains: b.AllowedDomains, SignUp: b.SignUp, Disabled: b.Disabled, Found: in.Body.unknown,
	}, version)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.IdentityProvider]{ETag: etag(p.Version), Location: "/v1/identity-providers/" + p.Name, Body: wireProvider(p)}, nil
}

type deleteProviderInput struct {
	ProviderByName
	MatchHeader
}

func (h identityProviders) remove(ctx context.Context, in *deleteProviderInput) (*nothing, error) {
	version, err := h.match(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeleteProvider(ctx, actorOf(ctx), in.Name, version)
}

func wireGroupRule(g blueberry.GroupRule) sdk.GroupRule {
	return sdk.GroupRule{ID: g.ID, Provider: g.Provider, Group: g.Group, Project: g.Project, Role: string(g.Role), CreatedAt: instant(g.CreatedAt)}
}

type createRuleInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateGroupRuleRequest]
}

func (h identityProviders) createRule(ctx context.Context, in *createRuleInput) (*answer[sdk.GroupRule], error) {
	b := in.Body.Value
	g, err := h.operations.AddGroupRule(ctx, actorOf(ctx), blueberry.GroupRule{
		Provider: b.Provider, Group: b.Group, Project: b.Project, Role: blueberry.Role(b.Role),
	})
	return answered(g, err, wireGroupRule)
}

func (h identityProviders) listRules(ctx context.Context, _ *struct{ strict }) (*answer[sdk.GroupRuleList], error) {
	found, err := h.operations.GroupRules(ctx, actorOf(ctx))
	return answered(found, err, func(found []blueberry.GroupRule) sdk.GroupRuleList {
		return sdk.GroupRuleList{Items: list(found, wireGroupRule)}
	})
}

type groupRuleByID struct {
	strict
	ID string `path:"id" doc:"Id of the group rule" example:"grp_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h identityProviders) removeRule(ctx context.Context, in *groupRuleByID) (*nothing, error) {
	return &nothing{}, h.operations.DeleteGroupRule(ctx, actorOf(ctx), in.ID)
}

// roles are the routes of what roles hold.
type roles struct{}

func (h roles) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-roles", Method: http.MethodGet, Path: "/v1/roles", Tags: []string{tagAccount},
		Summary: "List roles", Description: "What each holds, as the server judges by it.",
	}, h.list)
}

func (h roles) list(context.Context, *struct{ strict }) (*answer[sdk.RoleList], error) {
	out := sdk.RoleList{Grants: list(blueberry.Grants(), text)}
	for _, role := range slices.Concat([]blueberry.Role{blueberry.RoleOwner}, blueberry.ProjectRoles()) {
		of := "project"
		if role == blueberry.RoleOwner {
			of = "installation"
		}
		out.Items = append(out.Items, sdk.Role{Name: string(role), Of: of, Grants: list(role.Grants(), text)})
	}
	return &answer[sdk.RoleList]{Body: out}, nil
}
