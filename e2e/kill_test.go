package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to make databases of our own

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestKillAtEveryStep kills the server with SIGKILL right after each step of create and destroy, starts it again, and sees that the environment comes to
// be once and goes without a trace. BLUEBERRY_TEST_SOAK=1 does it for the second and third time that a step is reached as well.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	rounds := 1
	if os.Getenv("BLUEBERRY_TEST_SOAK") != "" {
		rounds = 3
	}
	slots := make(chan struct{}, 3) // each has a server of its own; the machine has few cores
	n := 0
	for _, database := range []string{"sqlite", "postgres"} {
		for _, step := range provision.Steps() {
			for round := 1; round <= rounds; round++ {
				n++
				name := fmt.Sprintf("kill-%d", n)
				t.Run(fmt.Sprintf("%s/%s/%d", database, step, round), func(t *testing.T) {
					t.Parallel()
					slots <- struct{}{}
					defer func() { <-slots }()
					h := kubeHost(t)
					if database == "postgres" {
						h.Database = newDatabase(t)
					}
					killAt(t, h, name, step, round)
				})
			}
		}
	}
}

func killAt(t *testing.T, h installation.Host, name, step string, nth int) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	fault := []string{"BLUEBERRY_FAULT_STEP=" + step, fmt.Sprintf("BLUEBERRY_FAULT_NTH=%d", nth)}
	creating := strings.HasPrefix(step, "create.")

	var env []string
	if creating {
		env = fault
	}
	s := start(t, h, env...)
	e, err := ask(ctx, s, name)
	var lost *sdk.UnreachableError
	if err != nil && !(creating && errors.As(err, &lost)) {
		t.Fatal(err)
	}
	if creating && died(ctx, t, s, nth) {
		s = start(t, h)
		if err != nil { // the answer was lost with the process; the same request gives the same environment
			e = askAgain(ctx, t, s, name)
		}
	}
	e = waitPhase(ctx, t, s, e.ID, sdk.Ready)
	provenMade(ctx, t, s, e)

	if !creating {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		s = start(t, h, fault...)
	}
	// The answer may be lost when the server dies while it is on its way; asking again is harmless.
	quick := *s.Client
	quick.Waits = []time.Duration{}
	_, err = quick.DestroyEnvironment(ctx, e.ID)
	if creating && err != nil {
		t.Fatal(err)
	}
	if !creating && died(ctx, t, s, nth) {
		s = start(t, h)
		if err != nil {
			if _, err := s.Client.DestroyEnvironment(ctx, e.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	e = waitPhase(ctx, t, s, e.ID, sdk.Terminated)
	provenGone(ctx, t, s, e)
}

// died waits until the fault has ended the process. A step that is not reached often enough for the nth time does not end it, which is fine from the second on.
func died(ctx context.Context, t *testing.T, s *installation.Server, nth int) bool {
	t.Helper()
	patience := 90 * time.Second
	if nth > 1 {
		patience = 15 * time.Second
	}
	select {
	case <-s.Ended():
		if !s.Killed() {
			t.Fatalf("the server ended by itself: %v", s.Command.ProcessState)
		}
		return true
	case <-ctx.Done():
	case <-time.After(patience):
	}
	if nth == 1 {
		t.Fatal("the step was never reached")
	}
	return false
}

func create(ctx context.Context, t *testing.T, s *installation.Server, name string) sdk.Environment {
	t.Helper()
	e, err := ask(ctx, s, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// askAgain asks with the same key. On PostgreSQL the key belongs to the dead process for two minutes more, since another one might still work on it;
// the environment is there all the same.
func askAgain(ctx context.Context, t *testing.T, s *installation.Server, name string) sdk.Environment {
	t.Helper()
	e, err := ask(ctx, s, name)
	var p *sdk.Problem
	if errors.As(err, &p) && p.Code == sdk.CodeIdempotencyInProgress {
		page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Name: name})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d environments %s (%v)", len(page.Items), name, err)
		}
		return page.Items[0]
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ask asks once for an environment, always with the same key.
func ask(ctx context.Context, s *installation.Server, name string) (sdk.Environment, error) {
	hours := 2
	quick := *s.Client
	quick.Waits = []time.Duration{}
	return quick.CreateEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: name, TTLHours: &hours, Blueprint: &sdk.Blueprint{Name: "shop", Components: []sdk.Component{
		{Name: "backend", Image: "ghcr.io/acme/backend:1.4.2", Port: 8080, Health: "/healthz", Values: map[string]any{"autoscaling": map[string]any{"enabled": false}, "replicas": 1}},
	}}}, sdk.IdempotencyKey("key-"+name))
}

// provenMade: one commit for the revision, files as rendered, every object there, no fact told twice.
func provenMade(ctx context.Context, t *testing.T, s *installation.Server, e sdk.Environment) {
	t.Helper()
	clone := t.TempDir()
	git(ctx, t, clone, "clone", "-q", s.GitURL(), "repo")
	repo := clone + "/repo"
	if n := strings.Count(git(ctx, t, repo, "log", "--format=%(trailers:key=Blueberry-Environment)"), e.ID); n != 1 {
		t.Errorf("%d commits of the environment, want 1", n)
	}
	r, err := s.Client.GetEnvironmentRendering(ctx, e.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Files {
		got, err := os.ReadFile(fmt.Sprintf("%s/targets/local/default/%s/%s", repo, e.Name, f.Path))
		if err != nil || string(got) != f.Content {
			t.Errorf("%s in Git differs from the rendering (%v)", f.Path, err)
		}
	}
	objects, err := s.Client.ListEnvironmentObjects(ctx, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, o := range objects.Items {
		key := o.APIVersion + o.Kind + o.Namespace + o.Name
		if seen[key] || !o.GoneAt.IsZero() {
			t.Errorf("ledger has %+v twice or as gone", o)
		}
		seen[key] = true
	}
	for _, what := range []string{"namespace/" + e.Namespace, "deployment/backend", "service/backend"} {
		kubectl(ctx, t, "-n", e.Namespace, "get", what)
	}
	events := eventTypes(ctx, t, s.Client, e.ID)
	for _, once := range []blueberry.EventType{blueberry.EnvironmentRequested, blueberry.EnvironmentProvisioning, blueberry.EnvironmentCommitted, blueberry.EnvironmentSynced, blueberry.EnvironmentReady} {
		if events[string(once)] != 1 {
			t.Errorf("%s was told %d times", once, events[string(once)])
		}
	}
}

// provenGone: no object with our labels in any API group, no file in Git, one removal, the ledger a receipt.
func provenGone(ctx context.Context, t *testing.T, s *installation.Server, e sdk.Environment) {
	t.Helper()
	kinds := strings.Join(strings.Fields(kubectl(ctx, t, "api-resources", "--verbs=list", "-o", "name")), ",")
	left := kubectl(ctx, t, "get", kinds, "-A", "-l", blueberry.LabelProject+"=default,"+blueberry.LabelEnvironment+"="+e.Name, "-o", "name", "--ignore-not-found")
	if strings.TrimSpace(left) != "" {
		t.Errorf("left on the cluster:\n%s", left)
	}
	clone := t.TempDir()
	git(ctx, t, clone, "clone", "-q", s.GitURL(), "repo")
	if _, err := os.Stat(clone + "/repo/targets/local/default/" + e.Name); !os.IsNotExist(err) {
		t.Errorf("files are left in Git (%v)", err)
	}
	if n := strings.Count(git(ctx, t, clone+"/repo", "log", "--format=%(trailers:key=Blueberry-Environment)"), e.ID); n != 2 {
		t.Errorf("%d commits of the environment, want its revision and its removal", n)
	}
	objects, err := s.Client.ListEnvironmentObjects(ctx, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects.Items {
		if o.GoneAt.IsZero() {
			t.Errorf("the receipt does not say that %s %s is gone", o.Kind, o.Name)
		}
	}
	events := eventTypes(ctx, t, s.Client, e.ID)
	for _, once := range []blueberry.EventType{blueberry.EnvironmentDestroyAsked, blueberry.EnvironmentTerminated} {
		if events[string(once)] != 1 {
			t.Errorf("%s was told %d times", once, events[string(once)])
		}
	}
}

// newDatabase makes an empty PostgreSQL database and drops it at the test's end.
func newDatabase(t *testing.T) string {
	t.Helper()
	admin := required(t, "BLUEBERRY_TEST_POSTGRES")
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("e2e_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = db.ExecContext(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		_ = db.Close()
	})
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
