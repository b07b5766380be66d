package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to make databases of our own

	"github.com/blueberry-idp/blueberry/e2e/installation"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestKillAtEveryStep kills the server with SIGKILL right after each step of a life, starts it again, and sees that what was asked for comes to be once, and
// goes without a trace. The driver argocd does so for a few steps, and for all of them, twenty times over with further kills at any moment, with
// BLUEBERRY_TEST_SOAK=1 (make soak).
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	soak := os.Getenv("BLUEBERRY_TEST_SOAK") != ""
	seeds := 1
	if soak {
		seeds = 20
	}
	slots := make(chan struct{}, 3) // each has a server of its own; the machine has few cores
	n := 0
	for _, driver := range []string{"kube", "argocd"} {
		for _, database := range []string{"sqlite", "postgres"} {
			for _, step := range provision.Steps() {
				if driver == "argocd" && !soak && (database != "sqlite" || !slices.Contains(argoSample, step)) {
					continue
				}
				for seed := 1; seed <= seeds; seed++ {
					n++
					k := kill{step: step, seed: seed, name: fmt.Sprintf("kill-%d", n)}
					t.Run(fmt.Sprintf("%s/%s/%s/%d", driver, database, step, seed), func(t *testing.T) {
						t.Parallel()
						slots <- struct{}{}
						defer func() { <-slots }()
						h := kubeHost(t)
						if driver == "argocd" {
							h = argoHost(t)
						}
						if database == "postgres" {
							h.Database = newDatabase(t)
						}
						k.run(t, h)
					})
				}
			}
		}
	}
}

// argoSample are the steps after which Argo CD holds something that the record does not know, or the other way round.
var argoSample = []string{provision.StepPushed, provision.StepApplied, provision.StepSleepApplied, provision.StepStopped, provision.StepRemoved}

// kill is one life with a death at one step.
type kill struct {
	step, name string
	seed       int // 1 dies the first time that the step is reached, 2 the second, 3 the third; from 4 on the next server dies as well, at any moment
}

// acts are the chapters of a life in which steps lie, by what their names begin with; each is preceded by those of its list.
func (k kill) acts() []string {
	switch chapter, _, _ := strings.Cut(k.step, "."); chapter {
	case "sleep", "asleep":
		return []string{"create", "sleep!", "wake", "destroy"}
	case "wake", "awake":
		return []string{"create", "sleep", "wake!", "destroy"}
	case "change":
		return []string{"create", "change!", "destroy"}
	case "archive", "destroy":
		return []string{"create", "destroy!"}
	case "undo":
		return []string{"create", "destroy", "undo!", "destroy"}
	}
	return []string{"create!", "destroy"}
}

func (k kill) nth() int { return 1 + (k.seed-1)%3 }

func (k kill) run(t *testing.T, h installation.Host) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var e sdk.Environment
	var s *installation.Server
	turns := 0 // commits beyond the revision and its removal
	for _, act := range k.acts() {
		act, dies := strings.CutSuffix(act, "!")
		var fault []string
		if dies {
			fault = []string{"BLUEBERRY_FAULT_STEP=" + k.step, fmt.Sprintf("BLUEBERRY_FAULT_NTH=%d", k.nth())}
		}
		if s != nil && dies {
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			s = nil
		}
		if s == nil {
			s = start(t, h, fault...)
		}
		asked, err := k.ask(ctx, s, act, e)
		var lost *sdk.UnreachableError
		if err != nil && !(dies && errors.As(err, &lost)) {
			t.Fatalf("%s: %v", act, err)
		}
		if dies && died(ctx, t, s, k.nth()) {
			if k.seed > 3 { // once more, at any moment
				s = start(t, h)
				time.Sleep(time.Duration(rand.N(1500)) * time.Millisecond) //nolint:forbidigo // the moment is what is tried
				s.Kill()
			}
			s = start(t, h)
			if err != nil { // the answer was lost with the process; asking again gives the same
				asked = k.askAgain(ctx, t, s, act, e)
			}
		}
		e = waitPhase(ctx, t, s, asked.ID, comesTo(act))
		switch act {
		case "create":
			provenMade(ctx, t, s, e)
		case "sleep", "wake", "change":
			turns++
		case "undo":
			turns = 0
		case "destroy":
			provenGone(ctx, t, s, e, turns)
		}
	}
}

func comesTo(act string) sdk.Phase {
	switch act {
	case "sleep":
		return sdk.Sleeping
	case "destroy":
		return sdk.Terminated
	}
	return sdk.Ready
}

// ask asks once for an act.
func (k kill) ask(ctx context.Context, s *installation.Server, act string, e sdk.Environment) (sdk.Environment, error) {
	quick := *s.Client
	quick.Waits = []time.Duration{}
	key := sdk.IdempotencyKey(act + "-" + k.name + e.ID)
	switch act {
	case "sleep":
		return quick.SleepEnvironment(ctx, e.ID)
	case "wake":
		return quick.WakeEnvironment(ctx, e.ID)
	case "change":
		out, err := quick.ChangeEnvironment(ctx, e.ID, sdk.ChangeEnvironmentRequest{Overrides: map[string]any{"backend": map[string]any{"env": map[string]any{"LOG_LEVEL": "debug"}}}}, key)
		return orSame(out.Environment, e), err
	case "undo":
		return quick.UndoArchive(ctx, e.ID, sdk.UndoRequest{}, key)
	case "destroy":
		return quick.DestroyEnvironment(ctx, e.ID)
	}
	return ask(ctx, s, k.name)
}

func orSame(e, other sdk.Environment) sdk.Environment {
	if e.ID == "" {
		return other
	}
	return e
}

// askAgain asks as before. On PostgreSQL a key belongs to the dead process for two minutes more, since another one might still work on it; what was made is
// there all the same.
func (k kill) askAgain(ctx context.Context, t *testing.T, s *installation.Server, act string, e sdk.Environment) sdk.Environment {
	t.Helper()
	again, err := k.ask(ctx, s, act, e)
	var p *sdk.Problem
	if errors.As(err, &p) && p.Code == sdk.CodeIdempotencyInProgress {
		page, err := s.Client.ListEnvironments(ctx, sdk.EnvironmentFilter{Name: k.name})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d environments %s (%v)", len(page.Items), k.name, err)
		}
		return page.Items[0]
	}
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// died waits until the fault has ended the process. A step that is not reached often enough for the nth time does not end it, which is fine from the second on.
func died(ctx context.Context, t *testing.T, s *installation.Server, nth int) bool {
	t.Helper()
	patience := 5 * time.Minute
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
		got, err := os.ReadFile(fmt.Sprintf("%s/targets/%s/default/%s/%s", repo, e.Target, e.Name, f.Path))
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
func provenGone(ctx context.Context, t *testing.T, s *installation.Server, e sdk.Environment, turns int) {
	t.Helper()
	listed, err := tryKubectl(ctx, t, "api-resources", "--verbs=list", "-o", "name")
	for err != nil && ctx.Err() == nil { // the API of metrics, which another server answers, may be away
		listed, err = tryKubectl(ctx, t, "api-resources", "--verbs=list", "-o", "name")
	}
	kinds := strings.Join(slices.DeleteFunc(strings.Fields(listed), func(kind string) bool { return strings.HasSuffix(kind, ".metrics.k8s.io") }), ",") // which are of pods, and go a little later
	left := kubectl(ctx, t, "get", kinds, "-A", "-l", blueberry.LabelProject+"=default,"+blueberry.LabelEnvironment+"="+e.Name, "-o", "name", "--ignore-not-found")
	if strings.TrimSpace(left) != "" {
		t.Errorf("left on the cluster:\n%s", left)
	}
	clone := t.TempDir()
	git(ctx, t, clone, "clone", "-q", s.GitURL(), "repo")
	if _, err := os.Stat(clone + "/repo/targets/" + e.Target + "/default/" + e.Name); !os.IsNotExist(err) {
		t.Errorf("files are left in Git (%v)", err)
	}
	// Its revision, each turn, and the removal; with Argo CD the file of the Application goes in a commit of its own, before.
	want := 2 + turns
	if e.HeldBy == "argocd" {
		want++
	}
	if n := strings.Count(git(ctx, t, clone+"/repo", "log", "--format=%(trailers:key=Blueberry-Environment)"), e.ID); n != want {
		t.Errorf("%d commits of the environment, want %d", n, want)
	}
	receipt, err := s.Client.GetEnvironmentReceipt(ctx, e.ID)
	if err != nil || receipt.EndedAt.IsZero() || len(receipt.Leftovers) > 0 {
		t.Errorf("the receipt is not complete: %+v (%v)", receipt, err)
	}
	if a, err := s.Client.GetArchive(ctx, e.ID); err != nil || len(a.Files) == 0 {
		t.Errorf("the archive holds %d files (%v)", len(a.Files), err)
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
