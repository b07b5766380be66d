package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestKillInAChange kills the server with SIGKILL after each step of a change that is made by a plan: the change happens once, and Git holds what the plan
// stood for.
func TestKillInAChange(t *testing.T) {
	t.Parallel()
	slots := make(chan struct{}, 2)
	for _, database := range []string{"sqlite", "postgres"} {
		for i, step := range []string{provision.StepChanged, provision.StepPushed, provision.StepCommitted} {
			t.Run(database+"/"+step, func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				killInAChange(t, database, step, fmt.Sprintf("change-%s-%d", database[:2], i))
			})
		}
	}
}

func killInAChange(t *testing.T, database, step, name string) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	h := kubeHost(t)
	if database == "postgres" {
		h.Database = newDatabase(t)
	}
	s := start(t, h)
	e := waitPhase(ctx, t, s, create(ctx, t, s, name).ID, sdk.Ready)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}

	s = start(t, h, "BLUEBERRY_FAULT_STEP="+step)
	change := &sdk.ChangeEnvironmentRequest{Overrides: map[string]any{"backend": map[string]any{"env": map[string]any{"LOG_LEVEL": "debug"}}}}
	plan, err := s.Client.PlanEnvironment(ctx, e.ID, sdk.PlanEnvironmentRequest{Change: change})
	if err != nil {
		t.Fatal(err)
	}
	quick := *s.Client
	quick.Waits = []time.Duration{}
	_, err = quick.ChangeEnvironment(ctx, e.ID, sdk.ChangeEnvironmentRequest{PlanID: plan.ID})
	var lost *sdk.UnreachableError
	if err != nil && !errors.As(err, &lost) {
		t.Fatal(err)
	}
	died(ctx, t, s, 1)
	s = start(t, h)
	var applied *sdk.Problem
	if _, err := s.Client.ChangeEnvironment(ctx, e.ID, sdk.ChangeEnvironmentRequest{PlanID: plan.ID}); !errors.As(err, &applied) || applied.Code != "PLAN_APPLIED" {
		t.Errorf("the plan that was applied can be applied again: %v", err)
	}
	for e.SyncedRevision != 2 || e.Phase != sdk.Ready {
		select {
		case <-ctx.Done():
			t.Fatalf("stuck: %+v", e)
		case <-time.After(100 * time.Millisecond):
		}
		if e, err = s.Client.GetEnvironment(ctx, e.ID); err != nil {
			t.Fatal(err)
		}
	}
	revisions, err := s.Client.ListEnvironmentRevisions(ctx, e.ID, sdk.Window{})
	if err != nil || len(revisions.Items) != 2 || revisions.Items[0].PlanID != plan.ID {
		t.Errorf("revisions %+v (%v)", revisions.Items, err)
	}
	committedOnce(ctx, t, s.GitURL(), s.Client, e, plan)
}

// committedOnce: Git has one commit of the second revision, and holds what the plan said.
func committedOnce(ctx context.Context, t *testing.T, url string, c *sdk.Client, e sdk.Environment, plan sdk.Plan) {
	t.Helper()
	clone := t.TempDir()
	git(ctx, t, clone, "clone", "-q", url, "repo")
	repo := clone + "/repo"
	if n := strings.Count(git(ctx, t, repo, "log", "--format=%(trailers:key=Blueberry-Environment)"), e.ID); n != 2 {
		t.Errorf("%d commits of the environment, want 2", n)
	}
	r, err := c.GetEnvironmentRendering(ctx, e.ID, 0)
	if err != nil || r.Digest != plan.RenderingDigest {
		t.Fatalf("the rendering is %s, the plan said %s (%v)", r.Digest, plan.RenderingDigest, err)
	}
	for _, f := range r.Files {
		got, err := os.ReadFile(fmt.Sprintf("%s/targets/local/default/%s/%s", repo, e.Name, f.Path))
		if err != nil || string(got) != f.Content {
			t.Errorf("%s in Git differs from the rendering (%v)", f.Path, err)
		}
	}
	if events := eventTypes(ctx, t, c, e.ID); events["environment.change_requested"] != 1 || events["environment.committed"] != 2 || events["environment.synced"] != 2 {
		t.Errorf("events %v", events)
	}
}
