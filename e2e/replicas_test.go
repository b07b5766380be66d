package e2e_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestTwoServers: two processes share one PostgreSQL and one Git remote. One is killed while both work; the other finishes everything, once.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	remote := filepath.Join(t.TempDir(), "gitops.git")
	git(ctx, t, ".", "init", "-q", "--bare", "-b", "main", remote)

	one, two := kubeHost(t), kubeHost(t)
	one.Database = newDatabase(t)
	two.Database = one.Database
	shared := []string{"--gitops-remote", remote, "--keyset-file", filepath.Join(one.State, "keyset.json")}
	one.Args, two.Args = append(one.Args, shared...), append(two.Args, shared...)
	a, b := start(t, one), start(t, two)

	var made []sdk.Environment
	for i := range 6 {
		s := a
		if i%2 == 1 {
			s = b
		}
		made = append(made, create(ctx, t, s, fmt.Sprintf("two-%d", i)))
	}
	waitEvent(ctx, t, a, made[0].ID, blueberry.EnvironmentCommitted)
	a.Kill()
	for _, e := range made {
		waitPhase(ctx, t, b, e.ID, sdk.Ready)
	}
	log := git(ctx, t, remote, "log", "--format=%(trailers:key=Blueberry-Environment)", "main")
	for _, e := range made {
		if n := strings.Count(log, e.ID); n != 1 {
			t.Errorf("%s has %d commits, want 1", e.Name, n)
		}
		events := eventTypes(ctx, t, b.Client, e.ID)
		for _, once := range []blueberry.EventType{blueberry.EnvironmentCommitted, blueberry.EnvironmentSynced, blueberry.EnvironmentReady} {
			if events[string(once)] != 1 {
				t.Errorf("%s: %s was told %d times", e.Name, once, events[string(once)])
			}
		}
	}
	for _, e := range made {
		if _, err := b.Client.DestroyEnvironment(ctx, e.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range made {
		waitPhase(ctx, t, b, e.ID, sdk.Terminated)
	}
}
