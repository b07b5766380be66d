package httpapitest

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/provision"
)

// Authenticate knows two tokens.
func (h *House) Authenticate(_ context.Context, token string) (blueberry.Actor, error) {
	if h.revoked.Load() {
		return blueberry.Actor{}, blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid API token is needed")
	}
	switch token {
	case Token:
		return blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_admin", Name: "admin", Grants: []blueberry.Grant{blueberry.GrantAll}}, nil
	case Poor:
		return blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_poor", Name: "poor"}, nil
	case Guest:
		return memberOf("guest", blueberry.GrantMembersRead), nil
	case Viewer:
		return memberOf("viewer", blueberry.RoleViewer.Grants()...), nil
	}
	return blueberry.Actor{}, blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid API token is needed")
}

func memberOf(name string, grants ...blueberry.Grant) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorToken, ID: "tok_" + name, Name: name, Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: grants}}
}

// Events reads events.
func (h *House) Events(_ context.Context, actor blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantEnvironmentsRead); err != nil {
		return nil, err
	}
	if q.EnvironmentID != "" {
		if _, err := h.find(q.EnvironmentID); err != nil {
			return nil, err
		}
	}
	var out []blueberry.Event
	for _, e := range h.events {
		if e.Seq > q.After && (q.EnvironmentID == "" || q.EnvironmentID == e.EnvironmentID) && len(out) < q.Limit {
			out = append(out, e)
		}
	}
	return out, nil
}

// EventsUntil is Events, and tells the Seq up to which there is nothing more to read.
func (h *House) EventsUntil(ctx context.Context, actor blueberry.Actor, q blueberry.EventQuery) ([]blueberry.Event, int64, error) {
	h.mu.Lock()
	until := q.After
	if n := len(h.events); n > 0 {
		until = max(until, h.events[n-1].Seq)
	}
	h.mu.Unlock()
	found, err := h.Events(ctx, actor, q)
	if n := len(found); n > 0 && (n == q.Limit || found[n-1].Seq > until) {
		until = found[n-1].Seq
	}
	return found, until, err
}

// Wait waits for events.
func (h *House) Wait(ctx context.Context, after int64) error {
	for {
		h.mu.Lock()
		moved := h.moved
		there := len(h.events) > 0 && h.events[len(h.events)-1].Seq > after
		h.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Preview checks a blueprint.
func (h *House) Preview(_ context.Context, actor blueberry.Actor, r provision.PreviewRequest) (provision.Preview, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.enter(actor, blueberry.GrantBlueprintsRender); err != nil {
		return provision.Preview{}, err
	}
	f := slices.Clone(r.Found)
	var b blueberry.Blueprint
	switch {
	case r.Blueprint != nil:
		b = *r.Blueprint
		_ = f.Merge("blueprint", b.Check())
	case r.Files != nil:
		path := cmp.Or(sourceOf(r.Wish).Path, blueberry.BlueprintFile)
		content, ok := r.Files[path]
		if !ok {
			f.Add("source.path", "blueprint_not_found", "%s is not in the repository", path)
			break
		}
		if err := yaml.Unmarshal(content, &b); err != nil {
			f.Add("blueprint", "yaml", "%v", err)
			break
		}
		_ = f.Merge("blueprint", b.Check())
	default:
		repository(r.Wish, &f)
	}
	if err := f.Err(); err != nil {
		return provision.Preview{}, err
	}
	return provision.Preview{Blueprint: b, Rendering: rendering(), Source: sourceOf(r.Wish)}, nil
}

// Targets gives two: one that answers.
func (h *House) Targets(_ context.Context, actor blueberry.Actor) ([]fleet.TargetState, error) {
	if err := actor.Can(blueberry.GrantTargetsRead); err != nil {
		return nil, err
	}
	return []fleet.TargetState{
		{Target: blueberry.Target{Name: "local", Driver: "kube", Domain: Domain}, Reachable: true},
		{Target: blueberry.Target{Name: "other", Driver: "kube", Domain: "other.test"}, Message: "connection refused"},
	}, nil
}

// TargetNames gives the same two.
func (h *House) TargetNames(ctx context.Context, actor blueberry.Actor) ([]blueberry.Target, error) {
	found, err := h.Targets(ctx, actor)
	out := make([]blueberry.Target, len(found))
	for i, t := range found {
		out[i] = t.Target
	}
	return out, err
}

// ReserveIdempotency takes a key.
func (h *House) ReserveIdempotency(_ context.Context, actor, key, digest string, now time.Time) (*blueberry.IdempotentAnswer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.answers[actor+" "+key]; ok && (known.Status != 0 || now.Sub(known.CreatedAt) < blueberry.IdempotencyPatience) {
		out := *known
		return &out, nil
	}
	h.answers[actor+" "+key] = &blueberry.IdempotentAnswer{Key: key, Actor: actor, RequestDigest: digest, CreatedAt: now}
	return nil, nil
}

// FinishIdempotency keeps an answer.
func (h *House) FinishIdempotency(_ context.Context, a blueberry.IdempotentAnswer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers[a.Actor+" "+a.Key] = &a
	return nil
}

// ReleaseIdempotency forgets a key.
func (h *House) ReleaseIdempotency(_ context.Context, actor, key string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.answers, actor+" "+key)
	return nil
}

type jobs struct{ *House }

// List reads jobs, newest first.
func (j jobs) List(_ context.Context, actor blueberry.Actor, q blueberry.JobQuery) (out []blueberry.Job, next int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := actor.Can(blueberry.GrantJobsRead); err != nil {
		return nil, 0, err
	}
	for _, x := range slices.Backward(j.jobs) {
		if (q.Before == 0 || x.ID < q.Before) && (q.Kind == "" || q.Kind == x.Kind) && (q.Subject == "" || q.Subject == x.Subject) &&
			(len(q.States) == 0 || slices.Contains(q.States, x.State)) {
			if len(out) == q.Limit {
				return out, out[len(out)-1].ID, nil
			}
			out = append(out, *x)
		}
	}
	return out, 0, nil
}

// Get reads one.
func (j jobs) Get(_ context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error) {
	return j.change(actor, blueberry.GrantJobsRead, id, func(*blueberry.Job) error { return nil })
}

// Retry lets it run.
func (j jobs) Retry(_ context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error) {
	return j.change(actor, blueberry.GrantJobsRetry, id, func(x *blueberry.Job) error {
		x.State, x.Attempt = blueberry.JobWaiting, 0
		return nil
	})
}

// Cancel ends it.
func (j jobs) Cancel(_ context.Context, actor blueberry.Actor, id int64) (blueberry.Job, error) {
	return j.change(actor, blueberry.GrantJobsRetry, id, func(x *blueberry.Job) error {
		if x.State == blueberry.JobCompleted {
			return blueberry.Errorf(blueberry.Conflict, "JOB_FINISHED", "job %d has finished", x.ID)
		}
		x.State = blueberry.JobCancelled
		return nil
	})
}

func (j jobs) change(actor blueberry.Actor, g blueberry.Grant, id int64, f func(*blueberry.Job) error) (blueberry.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := actor.Can(g); err != nil {
		return blueberry.Job{}, err
	}
	for _, x := range j.jobs {
		if x.ID == id {
			err := f(x)
			return *x, err
		}
	}
	return blueberry.Job{}, blueberry.Errorf(blueberry.NotFound, "JOB_NOT_FOUND", "there is no job %d", id)
}

// Detail is Get with what the desired revision is made of.
func (h *House) Detail(ctx context.Context, actor blueberry.Actor, id string) (blueberry.Environment, blueberry.Revision, error) {
	e, err := h.Get(ctx, actor, id)
	if err != nil {
		return e, blueberry.Revision{}, err
	}
	r, err := h.RevisionInputs(ctx, actor, id, e.Revision)
	return e, r, err
}

// Cost tells nothing: the house has no prices.
func (h *House) Cost(context.Context, blueberry.Actor, string) (*blueberry.EnvironmentCost, error) {
	return nil, nil
}

// Revoke ends every token of the house.
func (h *House) Revoke() { h.revoked.Store(true) }

// Creates is how often Create was called.
func (h *House) Creates() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.creates
}

// Move takes the newest environment with the name to a phase and tells it as an event.
func (h *House) Move(t testing.TB, name string, to blueberry.Phase, e blueberry.EventType, reason, message string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, env := range slices.Backward(h.envs) {
		if env.Name != name {
			continue
		}
		now := time.Now()
		if err := env.Move(to, reason, message, now); err != nil {
			t.Errorf("move %s: %v", name, err)
		}
		switch to {
		case blueberry.Ready:
			for i := range env.Conditions {
				env.Conditions[i].Status, env.Conditions[i].Reason, env.Conditions[i].Message = blueberry.True, "Complete", "1 of 1"
			}
			env.Synced = env.Revision
		case blueberry.Terminated:
			env.TerminatedAt = now
		}
		env.Version++
		env.UpdatedAt = now
		h.tell(env, e, "blueberry", message)
		return
	}
	t.Errorf("there is no environment %s", name)
}
