package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// projects are the routes of projects.
type projects struct {
	operations Projects
}

func (h projects) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-projects", Method: http.MethodGet, Path: "/v1/projects", Tags: []string{tagProjects},
		Summary: "List projects", Description: "Each with its quota and what its environments use.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-project", Method: http.MethodGet, Path: "/v1/projects/{name}", Tags: []string{tagProjects},
		Summary: "Read a project", Description: "With its quota and what its environments use.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "set-project-quota", Method: http.MethodPut, Path: "/v1/projects/{name}/quota", Tags: []string{tagProjects}, Metadata: gathers(),
		Summary:     "Set the quota of a project",
		Description: "The body is all limits: one that it leaves out is none. What runs already stays, also above a limit; it stops growth. Every plan says what fits.",
	}, h.setQuota)
	twenty, forty, ten := int64(20), int64(40), int64(10)
	r.example(http.MethodPut, "/v1/projects/{name}/quota", sdk.Quota{
		Limits: sdk.Limits{Environments: &twenty, CPU: "16", Memory: "32Gi", Pods: &forty},
		Kinds:  map[string]sdk.Limits{string(blueberry.Preview): {Environments: &ten}},
	})
}

// ProjectByName names a project.
type ProjectByName struct {
	strict
	Name string `path:"name" doc:"Name of the project" example:"default"`
}

func wireProject(p provision.ProjectState) sdk.Project {
	out := sdk.Project{
		Name: p.Name, Description: p.Description, ClusterKinds: list(p.ClusterKinds, same), Quota: wireQuota(p.Quota), UsedByKind: map[string]sdk.Usage{},
		MaxPinHours: p.MaxPinHours, Sleep: wireSleepPolicy(p.Sleep), CreatedAt: instant(p.CreatedAt),
		Version: p.Version,
	}
	var all blueberry.Usage
	for _, kind := range blueberry.EnvironmentKinds() {
		all = all.Add(p.Used[kind])
		out.UsedByKind[string(kind)] = wireUsage(p.Used[kind])
	}
	out.Used = wireUsage(all)
	return out
}

func wireUsage(u blueberry.Usage) sdk.Usage {
	return sdk.Usage{
		Environments: u.Environments, CPU: sdk.QuantityText("cpu", u.CPU), Memory: sdk.QuantityText("memory", u.Memory), Pods: u.Pods,
		Storage: sdk.QuantityText("storage", u.Storage),
	}
}

func wireQuota(q blueberry.Quota) sdk.Quota {
	out := sdk.Quota{Limits: wireLimits(q.Limits)}
	for kind, l := range q.Kinds {
		if out.Kinds == nil {
			out.Kinds = map[string]sdk.Limits{}
		}
		out.Kinds[string(kind)] = wireLimits(l)
	}
	return out
}

func wireLimits(l blueberry.Limits) sdk.Limits {
	text := func(resource string, amount *int64) string {
		if amount == nil {
			return ""
		}
		return sdk.QuantityText(resource, *amount)
	}
	return sdk.Limits{
		Environments: l.Environments, CPU: text("cpu", l.CPU), Memory: text("memory", l.Memory), Pods: l.Pods, Storage: text("storage", l.Storage),
	}
}

// readQuota notes everything that is wrong with a quota, in its form and beyond.
func readQuota(q sdk.Quota, found *blueberry.Faults) blueberry.Quota {
	out := blueberry.Quota{Limits: readLimits("", q.Limits, found)}
	for kind, l := range q.Kinds {
		if out.Kinds == nil {
			out.Kinds = map[blueberry.EnvironmentKind]blueberry.Limits{}
		}
		out.Kinds[blueberry.EnvironmentKind(kind)] = readLimits("kinds."+kind, l, found)
	}
	out.Check(found, "")
	return out
}

func readLimits(at string, l sdk.Limits, found *blueberry.Faults) blueberry.Limits {
	read := func(resource, text string) *int64 {
		if text == "" {
			return nil
		}
		amount, fault := parseQuantity(resource, text)
		if fault != nil {
			found.Add(blueberry.JoinField(at, resource), fault.Code, "%s", fault.Message)
			return nil
		}
		return &amount
	}
	return blueberry.Limits{
		Environments: l.Environments, CPU: read("cpu", l.CPU), Memory: read("memory", l.Memory), Pods: l.Pods, Storage: read("storage", l.Storage),
	}
}

func projectAnswer(p provision.ProjectState, err error) (*tagged[sdk.Project], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.Project]{ETag: etag(p.Version), Location: "/v1/projects/" + p.Name, Body: wireProject(p)}, nil
}

func (h projects) list(ctx context.Context, _ *struct{ strict }) (*answer[sdk.ProjectList], error) {
	found, err := h.operations.Projects(ctx, actorOf(ctx))
	return answered(found, err, func(found []provision.ProjectState) sdk.ProjectList {
		return sdk.ProjectList{Items: list(found, wireProject)}
	})
}

func (h projects) get(ctx context.Context, in *ProjectByName) (*tagged[sdk.Project], error) {
	return projectAnswer(h.operations.ProjectState(ctx, actorOf(ctx), in.Name))
}

type quotaInput struct {
	ProjectByName
	OnceHeader
	MatchHeader
	Body body[sdk.Quota]
}

func (h projects) setQuota(ctx context.Context, in *quotaInput) (*tagged[sdk.Project], error) {
	found := in.Body.unknown
	q := readQuota(in.Body.Value, &found)
	if err := found.Err(); err != nil {
		return nil, err
	}
	version, err := ifMatch(in.IfMatch, func() (int64, error) {
		p, err := h.operations.ProjectState(ctx, actorOf(ctx), in.Name)
		return p.Version, err
	})
	if err != nil {
		return nil, err
	}
	return projectAnswer(h.operations.SetQuota(ctx, actorOf(ctx), in.Name, q, version))
}
