package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/sdk"
)

// targets are the routes of targets.
type targets struct {
	reads  Targets
	writes Fleet
}

func (h targets) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-targets", Method: http.MethodGet, Path: "/v1/targets", Tags: []string{tagTargets},
		Summary: "List targets", Description: "The places that can hold environments. Each is asked now whether it is there.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "register-target", Method: http.MethodPost, Path: "/v1/targets", Tags: []string{tagTargets}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary:     "Register a target",
		Description: "A kubeconfig that cannot be used is a fault. What the target lacks is told by its checks, and stops nothing. Kubeconfigs are kept encrypted, and no call gives them back.",
	}, h.register)
	r.example(http.MethodPost, "/v1/targets", sdk.RegisterTargetRequest{
		Name: "prod", Driver: "kube", Domain: "apps.example.com", Region: "europe-west6", Kubeconfig: "apiVersion: v1\nkind: Config\n…", Context: "prod",
		Capacity: &sdk.Capacity{CPU: "64", Memory: "256Gi", Pods: 500},
	})
	register(r, huma.Operation{
		OperationID: "get-target", Method: http.MethodGet, Path: "/v1/targets/{name}", Tags: []string{tagTargets},
		Summary: "Read a target", Description: "It is asked now whether it is there.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "update-target", Method: http.MethodPatch, Path: "/v1/targets/{name}", Tags: []string{tagTargets}, Metadata: gathers(),
		Summary: "Change a target", Description: "What is absent stays, and what is empty is taken away. Another driver takes over every environment without touching what runs.",
	}, h.update)
	region := "europe-west6"
	r.example(http.MethodPatch, "/v1/targets/{name}", sdk.UpdateTargetRequest{Region: &region, Capacity: &sdk.Capacity{CPU: "64", Memory: "256Gi"}})
	register(r, huma.Operation{
		OperationID: "delete-target", Method: http.MethodDelete, Path: "/v1/targets/{name}", Tags: []string{tagTargets}, DefaultStatus: http.StatusNoContent,
		Summary: "Remove a target", Description: "409 `TARGET_IN_USE` while environments are on it.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "list-target-checks", Method: http.MethodGet, Path: "/v1/targets/{name}/checks", Tags: []string{tagTargets},
		Summary: "Check a target", Description: "Looks now at everything that is needed of it: that it is there, each right, each definition. What is missing comes with the manifest that grants it.",
	}, h.checks)
	h.mountStates(r)
	h.mountPrices(r)
}

func (h targets) mountStates(r *router) {
	register(r, huma.Operation{
		OperationID: "cordon-target", Method: http.MethodPost, Path: "/v1/targets/{name}/cordon", Tags: []string{tagTargets},
		Summary: "Cordon a target", Description: "It takes no new environments; those that are there live on.",
	}, h.cordon)
	r.example(http.MethodPost, "/v1/targets/{name}/cordon", sdk.CordonTargetRequest{Reason: "its nodes are replaced"})
	register(r, huma.Operation{
		OperationID: "uncordon-target", Method: http.MethodPost, Path: "/v1/targets/{name}/uncordon", Tags: []string{tagTargets},
		Summary: "Uncordon a target", Description: "It takes environments again. A drain that goes on ends.",
	}, h.uncordon)
	register(r, huma.Operation{
		OperationID: "drain-target", Method: http.MethodPost, Path: "/v1/targets/{name}/drain", Tags: []string{tagTargets},
		Summary:     "Drain a target",
		Description: "It takes no new environments, and those with a lease are removed. Those without one are told, and stay. With `plan` nothing is done. The answer is 202 when it begins, 200 for a plan.",
	}, h.drain)
	r.example(http.MethodPost, "/v1/targets/{name}/drain", sdk.DrainTargetRequest{Reason: "the cluster is given up", Plan: true})
	answers := r.api.OpenAPI().Paths["/v1/targets/{name}/drain"].Post.Responses
	answers["202"] = &huma.Response{Description: "It has begun", Content: answers["200"].Content}
}

// TargetByName names a target.
type TargetByName struct {
	strict
	Name string `path:"name" doc:"Name of the target" example:"local"`
}

func (h targets) list(ctx context.Context, _ *struct{ strict }) (*answer[sdk.TargetList], error) {
	found, err := h.reads.Targets(ctx, actorOf(ctx))
	return answered(found, err, func(found []fleet.TargetState) sdk.TargetList { return sdk.TargetList{Items: list(found, wireTarget)} })
}

type registerInput struct {
	strict
	OnceHeader
	Body body[sdk.RegisterTargetRequest]
}

func (h targets) register(ctx context.Context, in *registerInput) (*tagged[sdk.RegisteredTarget], error) {
	t, checks, err := h.writes.Register(ctx, actorOf(ctx), readTargetWish(in.Body.Value, in.Body.unknown))
	if err != nil {
		return nil, err
	}
	body := sdk.RegisteredTarget{Target: wireTarget(h.stateOf(ctx, t)), Checks: list(checks, wireTargetCheck)}
	return &tagged[sdk.RegisteredTarget]{ETag: etag(t.Version), Location: "/v1/targets/" + t.Name, Body: body}, nil
}

// stateOf is a target as it is after a write, with what is known of it now. Who may write and not read hears what was written.
func (h targets) stateOf(ctx context.Context, t blueberry.Target) fleet.TargetState {
	s, err := h.reads.Target(ctx, actorOf(ctx), t.Name)
	if err != nil {
		s = fleet.TargetState{Target: t}
		if t.Capacity != nil {
			s.Room = *t.Capacity
		}
	}
	return s
}

func targetAnswer(t fleet.TargetState, err error) (*tagged[sdk.Target], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.Target]{ETag: etag(t.Version), Location: "/v1/targets/" + t.Name, Body: wireTarget(t)}, nil
}

func (h targets) get(ctx context.Context, in *TargetByName) (*tagged[sdk.Target], error) {
	return targetAnswer(h.reads.Target(ctx, actorOf(ctx), in.Name))
}

// told answers with a target as it is after a write.
func (h targets) told(ctx context.Context, t blueberry.Target, err error) (*tagged[sdk.Target], error) {
	if err != nil {
		return nil, err
	}
	return targetAnswer(h.stateOf(ctx, t), nil)
}

type updateTargetInput struct {
	TargetByName
	OnceHeader
	MatchHeader
	Body body[sdk.UpdateTargetRequest]
}

func (h targets) versionOf(ctx context.Context, name, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		t, err := h.reads.Target(ctx, actorOf(ctx), name)
		return t.Version, err
	})
}

func (h targets) update(ctx context.Context, in *updateTargetInput) (*tagged[sdk.Target], error) {
	version, err := h.versionOf(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	t, err := h.writes.Update(ctx, actorOf(ctx), in.Name, readTargetChange(in.Body.Value, in.Body.unknown), version)
	return h.told(ctx, t, err)
}

type removeTargetInput struct {
	TargetByName
	MatchHeader
}

func (h targets) remove(ctx context.Context, in *removeTargetInput) (*nothing, error) {
	version, err := h.versionOf(ctx, in.Name, in.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := h.writes.Remove(ctx, actorOf(ctx), in.Name, version); err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

func (h targets) checks(ctx context.Context, in *TargetByName) (*answer[sdk.TargetCheckList], error) {
	found, err := h.reads.Check(ctx, actorOf(ctx), in.Name)
	return answered(found, err, func(found []blueberry.TargetCheck) sdk.TargetCheckList {
		out := sdk.TargetCheckList{OK: true, Items: list(found, wireTargetCheck)}
		for _, c := range found {
			out.OK = out.OK && (c.OK || c.Optional)
		}
		return out
	})
}

type cordonInput struct {
	TargetByName
	OnceHeader
	Body body[sdk.CordonTargetRequest]
}

func (h targets) cordon(ctx context.Context, in *cordonInput) (*tagged[sdk.Target], error) {
	t, err := h.writes.Cordon(ctx, actorOf(ctx), in.Name, in.Body.Value.Reason)
	return h.told(ctx, t, err)
}

type uncordonInput struct {
	TargetByName
	OnceHeader
}

func (h targets) uncordon(ctx context.Context, in *uncordonInput) (*tagged[sdk.Target], error) {
	t, err := h.writes.Uncordon(ctx, actorOf(ctx), in.Name)
	return h.told(ctx, t, err)
}

type drainInput struct {
	TargetByName
	OnceHeader
	Body body[sdk.DrainTargetRequest]
}

type drainOutput struct {
	Status int
	Body   sdk.TargetDrain
}

func (h targets) drain(ctx context.Context, in *drainInput) (*drainOutput, error) {
	plan := in.Body.Value.Plan
	d, err := h.writes.Drain(ctx, actorOf(ctx), in.Name, in.Body.Value.Reason, plan)
	if err != nil {
		return nil, err
	}
	out := &drainOutput{Status: http.StatusAccepted, Body: sdk.TargetDrain{
		Planned: plan, Environments: list(d.Environments, wireDrained), Standing: list(d.Standing, wireDrained), Going: d.Going, Hidden: d.Hidden,
	}}
	if plan {
		out.Status = http.StatusOK
	}
	return out, nil
}

// version is the route that tells what the server runs.
type version struct {
	version string
}

func (h version) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-version", Method: http.MethodGet, Path: "/v1/version", Tags: []string{tagInstallation},
		Summary: "Read the version",
	}, h.get)
}

type versionOutput struct {
	Body sdk.Version
}

func (h version) get(context.Context, *struct{ strict }) (*versionOutput, error) {
	return &versionOutput{Body: sdk.Version{Version: h.version, API: "v1"}}, nil
}
