package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// revisions are the routes that read revisions.
type revisions struct {
	operations Revisions
}

func (h revisions) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-environment-revisions", Method: http.MethodGet, Path: "/v1/environments/{id}/revisions", Tags: []string{tagRevisions},
		Summary: "List revisions", Description: "Newest first, without their blueprints.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-environment-revision", Method: http.MethodGet, Path: "/v1/environments/{id}/revisions/{number}", Tags: []string{tagRevisions},
		Summary: "Read a revision", Description: "What it was made of. Its manifests and its effective values are read by paths of their own.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "diff-environment-revisions", Method: http.MethodGet, Path: "/v1/environments/{id}/diff", Tags: []string{tagRevisions},
		Summary: "Compare two revisions", Description: "Tells inputs, effective values and objects that differ, field by field. What `from` and `to` leave out means the desired revision and the one before it.",
	}, h.diff)
	register(r, huma.Operation{
		OperationID: "get-environment-settings", Method: http.MethodGet, Path: "/v1/environments/{id}/settings", Tags: []string{tagRevisions},
		Summary: "Read effective values", Description: "Every value of a revision with the layer that set it, and what it replaced. References to secrets stay references.",
	}, h.settings)
}

func wireRevision(r blueberry.Revision) sdk.Revision {
	return sdk.Revision{
		ID: r.ID, Number: r.Number, Author: r.Author, Reason: r.Reason, Source: wireSource(r.Source), Head: r.Head, BlueprintRef: r.Catalogue.String(),
		BlueprintFollows: r.Catalogue.Follow, ConfigSets: list(r.Config, wireConfigUse), Parameters: r.Parameters, Overrides: r.Overrides,
		Branch: r.Branch, Repositories: list(r.Sources, wireSourceRepository), Commits: r.Commits, Images: r.Images,
		Demand: wireDemand(r.Demand), PlanID: r.Plan, RestoredFrom: r.RestoredFrom, Commit: r.Commit, CreatedAt: instant(r.CreatedAt),
	}
}

func wireSourceRepository(s blueberry.ComponentSource) sdk.SourceRepository {
	return sdk.SourceRepository(s)
}

func wireConfigUse(u blueberry.ConfigUse) sdk.ConfigUse {
	return sdk.ConfigUse{Ref: u.String(), ConfigSetID: u.SetID, Number: u.Number, Follows: u.Follows(), Default: u.Default, Author: u.Author, Digest: u.Digest}
}

type revisionsInput struct {
	ByID
	NumberWindow
}

func (h revisions) list(ctx context.Context, in *revisionsInput) (*answer[sdk.RevisionList], error) {
	found, err := h.operations.Revisions(ctx, actorOf(ctx), blueberry.RevisionQuery{EnvironmentID: in.ID, Before: in.Before, Limit: pageSize(in.Limit)})
	return answered(found, err, func(found []blueberry.Revision) sdk.RevisionList {
		out := sdk.RevisionList{Items: list(found, wireRevision)}
		if n := len(found); n > 0 {
			out.NextBefore = in.next(n, found[n-1].Number)
		}
		return out
	})
}

type revisionInput struct {
	ByID
	Number int `path:"number" minimum:"1" doc:"Number of the revision" example:"2"`
}

func (h revisions) get(ctx context.Context, in *revisionInput) (*answer[sdk.Revision], error) {
	r, err := h.operations.RevisionInputs(ctx, actorOf(ctx), in.ID, in.Number)
	return answered(r, err, func(r blueberry.Revision) sdk.Revision {
		out := wireRevision(r)
		b := wireBlueprint(r.Blueprint)
		out.Blueprint = &b
		return out
	})
}

type diffInput struct {
	ByID
	Comparison
}

func (h revisions) diff(ctx context.Context, in *diffInput) (*answer[sdk.RevisionDiff], error) {
	from, err := h.before(ctx, in)
	if err != nil {
		return nil, err
	}
	d, err := h.operations.DiffRevisions(ctx, actorOf(ctx), in.ID, from, in.To)
	return answered(d, err, func(d provision.RevisionDiff) sdk.RevisionDiff {
		return sdk.RevisionDiff{
			From: wireRevision(d.From), To: wireRevision(d.To), Config: list(d.Config, wireSettingChange), Objects: list(d.Objects, wireObjectDiff),
			Inputs: list(d.Inputs, func(c provision.InputChange) sdk.InputChange { return sdk.InputChange(c) }),
		}
	})
}

// before is the revision to compare from; absent, the one before the other.
func (h revisions) before(ctx context.Context, in *diffInput) (int, error) {
	if in.From != 0 {
		return in.From, nil
	}
	to, err := h.operations.RevisionInputs(ctx, actorOf(ctx), in.ID, in.To)
	if err == nil && to.Number <= 1 {
		err = blueberry.Faults{{Field: "from", Code: "required", Message: "there is nothing before the first revision"}}.Err()
	}
	return to.Number - 1, err
}

type settingsInput struct {
	ByID
	Revision int    `query:"revision" minimum:"1" doc:"Number of the revision; absent means the desired one" example:"2"`
	Path     string `query:"path" maxLength:"2048" doc:"Only the value at this path and those below it: component, then keys; a key that is not a plain word stands in brackets and quotes" example:"backend.env.LOG_LEVEL"`
}

func (h revisions) settings(ctx context.Context, in *settingsInput) (*answer[sdk.EnvironmentSettings], error) {
	var path []string
	if in.Path != "" {
		var ok bool
		if path, ok = blueberry.SplitPath(in.Path); !ok {
			return nil, blueberry.Faults{{Field: "path", Code: "path", Message: "is not a path of values, as backend.env.LOG_LEVEL"}}.Err()
		}
	}
	rev, found, err := h.operations.Settings(ctx, actorOf(ctx), in.ID, in.Revision)
	return answered(found, err, func(found []blueberry.Setting) sdk.EnvironmentSettings {
		found = settingsAt(found, path)
		return sdk.EnvironmentSettings{Revision: rev.Number, Settings: list(found, wireSetting), Values: tree(found)}
	})
}
