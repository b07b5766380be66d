package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// labels is the route of labels.
type labels struct {
	operations   Labels
	environments Environments
}

func (h labels) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "set-environment-labels", Method: http.MethodPut, Path: "/v1/environments/{id}/labels", Tags: []string{tagEnvironments}, Metadata: gathers(),
		Summary: "Set the labels",
		Description: "The body is all of them: a label that is not in it goes. They change nothing of what runs, and make no revision. Keys and values are as Kubernetes has them for labels; " +
			"the prefixes `blueberry.dev/`, `kubernetes.io/` and `k8s.io/`, and those below them, are reserved.",
	}, h.set)
	r.example(http.MethodPut, "/v1/environments/{id}/labels", sdk.SetLabelsRequest{Labels: map[string]string{"team": "checkout", "tier": "web"}})
}

type labelsInput struct {
	ByID
	OnceHeader
	MatchHeader
	Body body[sdk.SetLabelsRequest]
}

func (h labels) set(ctx context.Context, in *labelsInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	l, found := blueberry.Labels(in.Body.Value.Labels), in.Body.unknown
	if l == nil { // which is no wish to take all of them away
		found.Add("labels", "required", "must be set; an empty object takes every label away")
	}
	if len(found) > 0 {
		l.Check(&found, "labels")
		return nil, found.Err()
	}
	return environmentTold(h.operations.SetLabels(ctx, actorOf(ctx), in.ID, l, version))
}
