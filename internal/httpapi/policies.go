package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/sdk"
)

// policies are the routes of policies.
type policies struct {
	operations Policies
}

func (h policies) mount(r *router) {
	const rules = "@message(\"the image has no digest\")\n@fix(\"name the image by its digest\")\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"
	register(r, huma.Operation{
		OperationID: "create-policy", Method: http.MethodPost, Path: "/v1/policies", Tags: []string{tagPolicies}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Create a policy", Description: "It judges every plan from now on, also those that were made before and are not applied yet.",
	}, h.create)
	r.example(http.MethodPost, "/v1/policies", sdk.CreatePolicyRequest{Name: "images", Text: rules})
	register(r, huma.Operation{
		OperationID: "list-policies", Method: http.MethodGet, Path: "/v1/policies", Tags: []string{tagPolicies},
		Summary: "List policies", Description: "Those of the installation and of a project, or of every project.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "check-policy", Method: http.MethodPost, Path: "/v1/policies/check", Tags: []string{tagPolicies}, DefaultStatus: http.StatusNoContent, Metadata: gathers(),
		Summary: "Check a policy", Description: "Tells every fault of its text, with line and column, as a problem. Nothing is stored.",
	}, h.check)
	r.example(http.MethodPost, "/v1/policies/check", sdk.CreatePolicyRequest{Name: "images", Text: rules})
	register(r, huma.Operation{
		OperationID: "get-policy", Method: http.MethodGet, Path: "/v1/policies/{id}", Tags: []string{tagPolicies},
		Summary: "Read a policy",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "update-policy", Method: http.MethodPut, Path: "/v1/policies/{id}", Tags: []string{tagPolicies}, Metadata: gathers(),
		Summary: "Update a policy", Description: "Gives it another text. Its name and where it belongs stay: verdicts are known by them.",
	}, h.update)
	r.example(http.MethodPut, "/v1/policies/{id}", sdk.UpdatePolicyRequest{Text: rules})
	register(r, huma.Operation{
		OperationID: "delete-policy", Method: http.MethodDelete, Path: "/v1/policies/{id}", Tags: []string{tagPolicies}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a policy",
	}, h.remove)
}

// PolicyByID names a policy.
type PolicyByID struct {
	strict
	ID string `path:"id" doc:"Id of the policy" example:"pol_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func policyAnswer(p blueberry.Policy, err error) (*tagged[sdk.Policy], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.Policy]{ETag: etag(p.Version), Location: "/v1/policies/" + p.ID, Body: wirePolicy(p)}, nil
}

type createPolicyInput struct {
	strict
	OnceHeader
	Body body[sdk.CreatePolicyRequest]
}

func (in createPolicyInput) request() catalog.NewPolicy {
	b := in.Body.Value
	return catalog.NewPolicy{Project: b.Project, Installation: b.Installation, Name: b.Name, Text: b.Text, Found: in.Body.unknown}
}

func (h policies) create(ctx context.Context, in *createPolicyInput) (*tagged[sdk.Policy], error) {
	return policyAnswer(h.operations.CreatePolicy(ctx, actorOf(ctx), in.request()))
}

func (h policies) check(ctx context.Context, in *createPolicyInput) (*nothing, error) {
	return &nothing{}, h.operations.CheckPolicy(ctx, actorOf(ctx), in.request())
}

type listPoliciesInput struct {
	strict
	Project string `query:"project" doc:"Only those that judge this project; absent means of every project" example:"default"`
}

func (h policies) list(ctx context.Context, in *listPoliciesInput) (*answer[sdk.PolicyList], error) {
	found, err := h.operations.Policies(ctx, actorOf(ctx), in.Project)
	return answered(found, err, func(found []blueberry.Policy) sdk.PolicyList { return sdk.PolicyList{Items: list(found, wirePolicy)} })
}

func (h policies) get(ctx context.Context, in *PolicyByID) (*tagged[sdk.Policy], error) {
	return policyAnswer(h.operations.Policy(ctx, actorOf(ctx), in.ID))
}

func (h policies) match(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		p, err := h.operations.Policy(ctx, actorOf(ctx), id)
		return p.Version, err
	})
}

type updatePolicyInput struct {
	PolicyByID
	OnceHeader
	MatchHeader
	Body body[sdk.UpdatePolicyRequest]
}

func (h policies) update(ctx context.Context, in *updatePolicyInput) (*tagged[sdk.Policy], error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return policyAnswer(h.operations.UpdatePolicy(ctx, actorOf(ctx), in.ID, catalog.NewPolicy{Text: in.Body.Value.Text, Found: in.Body.unknown, IfVersion: version}))
}

type deletePolicyInput struct {
	PolicyByID
	MatchHeader
}

func (h policies) remove(ctx context.Context, in *deletePolicyInput) (*nothing, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeletePolicy(ctx, actorOf(ctx), in.ID, version)
}
