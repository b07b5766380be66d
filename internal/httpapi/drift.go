package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// drift is the routes of drift and of holds.
type drift struct {
	operations   Drift
	environments Environments
}

func (h drift) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-environment-drift", Method: http.MethodGet, Path: "/v1/environments/{id}/drift", Tags: []string{tagDrift},
		Summary: "Read drift", Description: "Asks the target what differs from what was applied, field by field, with who did it and when where the target tells.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "set-environment-drift-policy", Method: http.MethodPut, Path: "/v1/environments/{id}/drift-policy", Tags: []string{tagDrift}, Metadata: gathers(),
		Summary: "Set the drift policy", Description: "Says whether drift is put back or told, and which fields are left to others: to an autoscaler, a rollout, another team.",
	}, h.setPolicy)
	r.example(http.MethodPut, "/v1/environments/{id}/drift-policy", sdk.DriftPolicy{
		Mode: string(blueberry.DriftRepair), Ignore: []sdk.DriftIgnore{{Kind: "Deployment", Name: "*", Path: "spec.replicas"}},
	})
	register(r, huma.Operation{
		OperationID: "list-environment-holds", Method: http.MethodGet, Path: "/v1/environments/{id}/holds", Tags: []string{tagRevisions},
		Summary: "List holds", Description: "The inputs that a rollback took away: nothing automatic brings them back.",
	}, h.holds)
	register(r, huma.Operation{
		OperationID: "release-environment-holds", Method: http.MethodPost, Path: "/v1/environments/{id}/holds/release", Tags: []string{tagRevisions},
		Summary: "Release holds", Description: "Lets held inputs come back, all of them or those that the body names, and looks at once whether they should.",
	}, h.release)
	r.example(http.MethodPost, "/v1/environments/{id}/holds/release", sdk.ReleaseHoldsRequest{Kind: blueberry.InputConfigSet, Name: "shop", Value: "3"})
}

func driftMode(p blueberry.DriftPolicy) blueberry.DriftMode {
	if p.Reports() {
		return blueberry.DriftReport
	}
	return blueberry.DriftRepair
}

func wireDrift(d blueberry.Drift) sdk.Drift {
	return sdk.Drift{
		At: instant(d.At), Since: instant(d.Since), Objects: list(d.Objects, wireObjectDiff),
		Policy: sdk.DriftPolicy{Mode: string(driftMode(d.Policy)), Ignore: wireIgnores(d.Policy)},
	}
}

func readDriftPolicy(p sdk.DriftPolicy) blueberry.DriftPolicy {
	out := blueberry.DriftPolicy{Mode: blueberry.DriftMode(p.Mode)}
	for _, i := range p.Ignore {
		out.Ignore = append(out.Ignore, blueberry.DriftIgnore(i))
	}
	return out
}

func (h drift) get(ctx context.Context, in *ByID) (*answer[sdk.Drift], error) {
	d, err := h.operations.Drift(ctx, actorOf(ctx), in.ID)
	return answered(d, err, wireDrift)
}

type driftPolicyInput struct {
	ByID
	OnceHeader
	MatchHeader
	Body body[sdk.DriftPolicy]
}

func (h drift) setPolicy(ctx context.Context, in *driftPolicyInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	p, found := readDriftPolicy(in.Body.Value), in.Body.unknown
	if len(found) > 0 {
		p.Check(&found, "")
		return nil, found.Err()
	}
	e, err := h.operations.SetDriftPolicy(ctx, actorOf(ctx), in.ID, p, version)
	if err != nil {
		return nil, err
	}
	return environmentAnswer(e), nil
}

func (h drift) holds(ctx context.Context, in *ByID) (*answer[sdk.HoldList], error) {
	found, err := h.operations.Holds(ctx, actorOf(ctx), in.ID)
	return answered(found, err, func(found []blueberry.Hold) sdk.HoldList { return sdk.HoldList{Items: list(found, wireHold)} })
}

type releaseInput struct {
	ByID
	OnceHeader
	Body body[sdk.ReleaseHoldsRequest]
}

func (h drift) release(ctx context.Context, in *releaseInput) (*answer[sdk.ReleasedHolds], error) {
	n, err := h.operations.ReleaseHolds(ctx, actorOf(ctx), in.ID, provision.HoldRelease(in.Body.Value))
	return answered(n, err, func(n int) sdk.ReleasedHolds { return sdk.ReleasedHolds{Released: n} })
}

func wireIgnores(p blueberry.DriftPolicy) []sdk.DriftIgnore {
	return list(p.Ignore, func(i blueberry.DriftIgnore) sdk.DriftIgnore { return sdk.DriftIgnore(i) })
}
