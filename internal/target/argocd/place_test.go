package argocd_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/argocd"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

const (
	withVar    = "BLUEBERRY_TEST_WITH" // what the development cluster runs: "argocd,rollouts"
	withoutVar = "BLUEBERRY_TEST_WITHOUT_ARGOCD"
)

// config is how to reach the API server of the tests, beside which an Argo CD runs; false when the machine is said to have none.
func config(t testing.TB) (*rest.Config, bool) {
	t.Helper()
	if os.Getenv(withoutVar) == "1" && os.Getenv("CI") == "" {
		t.Logf("%s is set: nothing is held against a real Argo CD", withoutVar)
		return nil, false
	}
	path := os.Getenv("BLUEBERRY_TEST_KUBECONFIG")
	if path == "" || !slices.Contains(strings.Split(os.Getenv(withVar), ","), "argocd") {
		t.Fatalf("no Argo CD: `go run ./e2e/testenv -with argocd -- go test ...` starts one; %s=1 does without", withoutVar)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("read kubeconfig: %v", err)
	}
	cfg.QPS, cfg.Burst = 500, 1000
	return cfg, true
}

// place is an Argo CD with a GitOps repository that it reads over HTTP.
type place struct {
	cfg    *rest.Config
	client dynamic.Interface
	repo   *gitops.Repository
	url    string
	target string
	token  string

	mu      sync.Mutex
	drivers []*argocd.Driver
}

func newPlace(t testing.TB) (*place, bool) {
	t.Helper()
	cfg, ok := config(t)
	if !ok {
		return nil, false
	}
	p := &place{cfg: cfg, target: "t" + strings.ToLower(rand.Text()[:8]), token: rand.Text()}
	var err error
	if p.client, err = dynamic.NewForConfig(cfg); err != nil {
		t.Fatalf("make client: %v", err)
	}
	if p.repo, err = gitops.Open(t.Context(), gitops.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatalf("open repository: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.repo.Run(ctx); err != nil {
			t.Errorf("run repository: %v", err)
		}
	})
	server := httptest.NewServer(p.repo.Handler(func(_ context.Context, token string) error {
		if token != p.token {
			return blueberry.Unauthenticated
		}
		return nil
	}))
	p.url = server.URL + "/git/gitops.git"
	t.Cleanup(func() {
		p.mu.Lock()
		for _, d := range p.drivers {
			d.Close()
		}
		p.mu.Unlock()
		p.clear(t)
		server.Close()
		cancel()
		wg.Wait()
	})
	p.judge(t)
	return p, true
}

// judge has Argo CD find healthy what nothing serves here: waves would wait for it for ever.
func (p *place) judge(t testing.TB) {
	t.Helper()
	const healthy = "return {status = \"Healthy\"}\n"
	p.patch(t, schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, "argocd-cm", map[string]any{"data": map[string]any{
		"resource.customizations.health.networking.k8s.io_Ingress":           healthy,
		"resource.customizations.health.autoscaling_HorizontalPodAutoscaler": healthy,
	}})
}

func (p *place) patch(t testing.TB, kind schema.GroupVersionResource, name string, patch map[string]any) {
	t.Helper()
	js, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.Resource(kind).Namespace("argocd").Patch(context.WithoutCancel(t.Context()), name, types.MergePatchType, js, metav1.PatchOptions{}); err != nil {
		t.Fatalf("patch %s: %v", name, err)
	}
}

// clear takes away what a target has in Argo CD for as long as it lives.
func (p *place) clear(t testing.TB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, kind := range []schema.GroupVersionResource{applicationKind, projectKind} {
		list, err := p.client.Resource(kind).Namespace("argocd").List(ctx, metav1.ListOptions{LabelSelector: "blueberry.dev/target=" + p.target})
		if err != nil {
			t.Errorf("list %s: %v", kind.Resource, err)
			continue
		}
		for _, x := range list.Items {
			if err := p.client.Resource(kind).Namespace("argocd").Delete(ctx, x.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Errorf("delete %s: %v", x.GetName(), err)
			}
		}
	}
}

var (
	applicationKind = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}
	projectKind     = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "appprojects"}
)

// driver opens one as the server would, on a connection of its own.
func (p *place) driver(t testing.TB, cfg *rest.Config, change ...func(*argocd.Config)) *delivered {
	t.Helper()
	c := argocd.Config{
		Kube: kube.Config{REST: cfg}, Target: p.target, Repository: p.url, Username: "argocd", Password: p.token, Contains: p.repo.Contains,
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})) // shown of tests that fail
	c.Logger = log
	for _, f := range change {
		f(&c)
	}
	d, err := argocd.Open(c)
	if err != nil {
		t.Fatalf("open driver: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drivers = append(p.drivers, d) // closed with the place: the removal after a test still needs it
	return &delivered{Driver: d, repo: p.repo, target: c.Target, last: map[target.Ref]committed{}, told: map[target.Ref]string{}, log: log}
}

// open is a driver whose connection can be cut.
func (p *place) open(t testing.TB) targettest.Bundle {
	t.Helper()
	link := newLink(t, p.cfg)
	driver := func(t testing.TB) target.Driver {
		t.Helper()
		return p.driver(t, link.config(p.cfg))
	}
	return targettest.Bundle{Driver: driver(t), Reopen: driver, Cut: link.cut, Mend: link.mend, Hand: newHand(t, p.cfg), Itself: true}
}

// committed is what was committed last, and as what.
type committed struct {
	content []byte
	commit  string
}

// delivered commits what is to be synced, as provision does before it calls a driver.
type delivered struct {
	*argocd.Driver
	repo   *gitops.Repository
	target string

	mu   sync.Mutex
	last map[target.Ref]committed
	told map[target.Ref]string
	log  *slog.Logger
}

func (d *delivered) dir(ref target.Ref) string {
	return gitops.Dir(d.target, ref.Project, ref.Environment)
}

// Sync commits before.
func (d *delivered) Sync(ctx context.Context, want target.Desired) (target.Progress, error) {
	if err := d.commit(ctx, &want); err != nil {
		return target.Progress{}, err
	}
	p, err := d.Driver.Sync(ctx, want)
	d.mu.Lock()
	defer d.mu.Unlock()
	if told := fmt.Sprint(p.Waiting, p.Changed, p.Done, err); d.told[want.Ref] != told {
		d.told[want.Ref] = told
		d.log.Debug("sync", "environment", want.Environment, "commit", want.Commit[:8], "told", told)
	}
	return p, err
}

func (d *delivered) commit(ctx context.Context, want *target.Desired) error {
	c := gitops.Change{Dir: d.dir(want.Ref), Files: map[string][]byte{}, Beside: map[string][]byte{}}
	var sum bytes.Buffer
	for _, f := range want.Files {
		c.Files[f.Name] = f.Content
		sum.Write(f.Content)
	}
	fmt.Fprint(&sum, want.Ignore)
	for path, content := range d.Files(want.Ref, want.Ignore) {
		c.Beside["targets/"+d.target+"/"+path] = content
	}
	d.mu.Lock()
	last := d.last[want.Ref]
	d.mu.Unlock()
	if want.Commit = last.commit; want.Commit != "" && bytes.Equal(last.content, sum.Bytes()) {
		return nil
	}
	if err := d.Admit(ctx, *want); err != nil {
		return err
	}
	var err error
	if want.Commit, err = d.repo.Commit(ctx, c); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	d.mu.Lock()
	d.last[want.Ref] = committed{sum.Bytes(), want.Commit}
	d.mu.Unlock()
	return d.Moved(ctx, want.Ref)
}

// Remove takes the files of Argo CD out of Git before, and the manifests after.
func (d *delivered) Remove(ctx context.Context, ref target.Ref, ledger []blueberry.LedgerEntry) ([]blueberry.ObjectRef, error) {
	if err := d.withdraw(ctx, ref); err != nil {
		return nil, err
	}
	left, err := d.Driver.Remove(ctx, ref, ledger)
	if err == nil && len(left) == 0 {
		_, err = d.repo.Commit(ctx, gitops.Change{Dir: d.dir(ref)})
	}
	return left, err
}

func (d *delivered) withdraw(ctx context.Context, ref target.Ref) error {
	d.mu.Lock()
	delete(d.last, ref)
	d.mu.Unlock()
	c := gitops.Change{Beside: map[string][]byte{}}
	for path := range d.Files(ref, nil) {
		c.Beside["targets/"+d.target+"/"+path] = nil
	}
	if _, err := d.repo.Commit(ctx, c); err != nil {
		return err
	}
	return d.Moved(ctx, ref)
}

func isKind(err error, kind blueberry.Kind) bool { return errors.Is(err, kind) }
