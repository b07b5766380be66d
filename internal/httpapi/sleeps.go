package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// sleeps are the routes of sleeping and waking.
type sleeps struct {
	operations   Sleeps
	environments Environments
	projects     Projects
}

func (h sleeps) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "sleep-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/sleep", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Summary: "Let an environment sleep",
		Description: "Its pods end; its data, its addresses and its lease stay. It wakes when someone asks for it, opens one of its addresses or deploys, or as its policy says. " +
			"Asking again changes nothing.",
	}, h.sleep)
	register(r, huma.Operation{
		OperationID: "wake-environment", Method: http.MethodPost, Path: "/v1/environments/{id}/wake", Tags: []string{tagEnvironments}, DefaultStatus: http.StatusAccepted,
		Summary: "Wake an environment", Description: "It is `ready` when its pods run again. Asking again changes nothing.",
	}, h.wake)
	register(r, huma.Operation{
		OperationID: "set-environment-sleep-policy", Method: http.MethodPut, Path: "/v1/environments/{id}/sleep-policy", Tags: []string{tagEnvironments}, Metadata: gathers(),
		Summary:     "Set the sleep policy",
		Description: "Says when it sleeps by itself: after so long without a request, a deploy or a shell, and in windows of every week. The body is all of it; an empty one is that of the project.",
	}, h.setPolicy)
	r.example(http.MethodPut, "/v1/environments/{id}/sleep-policy", examplePolicy())
	register(r, huma.Operation{
		OperationID: "list-environment-wakes", Method: http.MethodGet, Path: "/v1/environments/{id}/wake-ledger", Tags: []string{tagEnvironments},
		Summary: "Read the wake ledger", Description: "Why it fell asleep and woke, newest first.",
	}, h.ledger)
	register(r, huma.Operation{
		OperationID: "set-project-life", Method: http.MethodPatch, Path: "/v1/projects/{name}/life", Tags: []string{tagProjects}, Metadata: gathers(),
		Summary:     "Set how the environments of a project live",
		Description: "How long they may be pinned, which takes the grant of quotas, and when those without a sleep policy of their own sleep. What is absent stays.",
	}, h.setProject)
	hours, policy := 336, examplePolicy()
	r.example(http.MethodPatch, "/v1/projects/{name}/life", sdk.SetProjectLifeRequest{MaxPinHours: &hours, Sleep: &policy})
}

func examplePolicy() sdk.SleepPolicy {
	return sdk.SleepPolicy{
		IdleMinutes: 60, TimeZone: "Europe/Zurich",
		Windows: []sdk.SleepWindow{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "19:00", To: "07:00"}},
	}
}

func (h sleeps) sleep(ctx context.Context, in *ChangeByID) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return environmentTold(h.operations.Sleep(ctx, actorOf(ctx), in.ID, version))
}

func (h sleeps) wake(ctx context.Context, in *ChangeByID) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return environmentTold(h.operations.Wake(ctx, actorOf(ctx), in.ID, version))
}

type sleepPolicyInput struct {
	ByID
	OnceHeader
	MatchHeader
	Body body[sdk.SleepPolicy]
}

func (h sleeps) setPolicy(ctx context.Context, in *sleepPolicyInput) (*tagged[sdk.Environment], error) {
	version, err := versionOf(ctx, h.environments, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	p, found := readSleepPolicy(in.Body.Value), in.Body.unknown
	if len(found) > 0 {
		p.Check(&found, "")
		return nil, found.Err()
	}
	return environmentTold(h.operations.SetSleepPolicy(ctx, actorOf(ctx), in.ID, p, version))
}

type wakesInput struct {
	ByID
	Before int64 `query:"before" minimum:"1" doc:"Only those with a lower seq; absent means from the newest" example:"12"`
	Limit  int   `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h sleeps) ledger(ctx context.Context, in *wakesInput) (*answer[sdk.WakeLedger], error) {
	limit := pageSize(in.Limit)
	found, err := h.operations.WakeLedger(ctx, actorOf(ctx), in.ID, in.Before, limit)
	return answered(found, err, func(found []blueberry.WakeEntry) sdk.WakeLedger {
		out := sdk.WakeLedger{Items: list(found, wireWake)}
		if n := len(found); n >= limit && found[n-1].Seq > 1 {
			out.NextBefore = found[n-1].Seq
		}
		return out
	})
}

type projectLifeInput struct {
	ProjectByName
	OnceHeader
	MatchHeader
	Body body[sdk.SetProjectLifeRequest]
}

func (h sleeps) setProject(ctx context.Context, in *projectLifeInput) (*tagged[sdk.Project], error) {
	b, found := in.Body.Value, in.Body.unknown
	var policy *blueberry.SleepPolicy
	if b.Sleep != nil {
		p := readSleepPolicy(*b.Sleep)
		policy = &p
	}
	if len(found) > 0 {
		if b.MaxPinHours != nil && (*b.MaxPinHours < -1 || *b.MaxPinHours > blueberry.MaxPinHours) {
			found.Add("max_pin_hours", "range", "is %d hours, must be -1 for none, 0 for the default, or up to %d", *b.MaxPinHours, blueberry.MaxPinHours)
		}
		if policy != nil {
			policy.Check(&found, "sleep")
		}
		return nil, found.Err()
	}
	version, err := ifMatch(in.IfMatch, func() (int64, error) {
		p, err := h.projects.ProjectState(ctx, actorOf(ctx), in.Name)
		return p.Version, err
	})
	if err != nil {
		return nil, err
	}
	return projectAnswer(h.operations.SetProjectLife(ctx, actorOf(ctx), in.Name, b.MaxPinHours, policy, version))
}
