package argocd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/argocd"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

const image = "registry.invalid/app:1.0"

// environment is one of a test, removed when that ends.
type environment struct {
	target.Ref
	place *place
	files []blueberry.RenderedFile
}

func (p *place) environment(t testing.TB, d target.Driver) *environment {
	t.Helper()
	e := &environment{Ref: targettest.NewRef(), place: p}
	t.Cleanup(func() { e.remove(t, d) })
	return e
}

func (e *environment) remove(t testing.TB, d target.Driver) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	targettest.Until(ctx, t, "nothing is left", func() string {
		left, err := d.Remove(ctx, e.Ref, targettest.LedgerOf(e.files))
		if err != nil || len(left) > 0 {
			return strings.Join([]string{text(err), refs(left)}, " ")
		}
		return ""
	})
}

func (e *environment) desired(files ...blueberry.RenderedFile) target.Desired {
	e.files = files
	return target.Desired{Ref: e.Ref, Revision: 1, Files: files}
}

// settle syncs until all is applied and healthy.
func (e *environment) settle(t testing.TB, d target.Driver, want target.Desired) {
	t.Helper()
	e.settleIn(t.Context(), t, d, want)
}

func (e *environment) settleIn(ctx context.Context, t testing.TB, d target.Driver, want target.Desired) {
	t.Helper()
	targettest.Until(ctx, t, "all is applied", func() string {
		p, err := d.Sync(t.Context(), want)
		if err != nil {
			return err.Error()
		}
		if !p.Done {
			return orNothing(p.Waiting)
		}
		return ""
	})
	targettest.Until(ctx, t, "all is healthy", func() string {
		o, err := d.Observe(t.Context(), e.Ref, targettest.LedgerOf(e.files))
		if err != nil {
			return err.Error()
		}
		if !o.Healthy() {
			return orNothing(refs(o.Missing())) + " not healthy"
		}
		return ""
	})
}

func orNothing(s string) string {
	if s == "" {
		return "nothing said"
	}
	return s
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func refs(list []blueberry.ObjectRef) string {
	var out []string
	for _, o := range list {
		out = append(out, o.String())
	}
	return strings.Join(out, ", ")
}

// uids are those of the environment's pods, by name.
func (e *environment) uids(t testing.TB) map[string]string {
	t.Helper()
	list, err := e.place.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(e.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatalf("list pods: %v", err)
	}
	out := map[string]string{}
	for _, x := range list.Items {
		out[x.GetName()] = string(x.GetUID())
	}
	return out
}

func (e *environment) live(t testing.TB, kind schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	u, err := e.place.client.Resource(kind).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return u
}

func (e *environment) application() string { return "blueberry-" + e.place.target + "-" + e.Namespace }

const configDoc = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $name, namespace: $ns, labels: $labels}\ndata: {A: one, B: two}\n"

var configKind = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// TestCommitIsAppliedBeforeArgoLooks: Argo CD looks at Git by itself every two minutes, which is longer than a test waits.
func TestCommitIsAppliedBeforeArgoLooks(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second) // less than Argo CD takes to look by itself
	defer cancel()
	d := p.driver(t, p.cfg)
	e := p.environment(t, d)
	e.settleIn(ctx, t, d, e.desired(targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "back", configDoc)))
	e.settleIn(ctx, t, d, e.desired(targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "back", strings.Replace(configDoc, "one", "another", 1))))
	if got, _, _ := unstructured.NestedString(e.live(t, configKind, e.Namespace, "back").Object, "data", "A"); got != "another" {
		t.Errorf("data.A is %q", got)
	}
}

func TestApplicationDeletedByHandComesBack(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	d := p.driver(t, p.cfg)
	e := p.environment(t, d)
	want := e.desired(targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", image))
	e.settle(t, d, want)
	before := e.uids(t)
	targettest.Until(t.Context(), t, "the root Application has it", func() string {
		u := e.live(t, applicationKind, "argocd", e.application())
		if u == nil || u.GetAnnotations()["argocd.argoproj.io/tracking-id"] == "" {
			return "it has not"
		}
		return ""
	})
	was := e.live(t, applicationKind, "argocd", e.application())
	if err := p.client.Resource(applicationKind).Namespace("argocd").Delete(t.Context(), e.application(), metav1.DeleteOptions{}); err != nil {
		t.Fatalf("delete: %v", err)
	}
	targettest.Until(t.Context(), t, "the Application is back without us", func() string {
		if u := e.live(t, applicationKind, "argocd", e.application()); u == nil || u.GetUID() == was.GetUID() {
			return "it is not"
		}
		return ""
	})
	e.settle(t, d, want)
	if diff := cmp.Diff(before, e.uids(t)); diff != "" {
		t.Errorf("pods (-before +after):\n%s", diff)
	}
}

// TestMoveBetweenDrivers: an environment goes from the kube driver to Argo CD and back, and nothing that runs is touched. Each driver takes out what it no
// longer wants, though another one put it there.
func TestMoveBetweenDrivers(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	plain, err := kube.Open(kube.Config{REST: p.cfg})
	if err != nil {
		t.Fatalf("open kube driver: %v", err)
	}
	t.Cleanup(plain.Close)
	argo := p.driver(t, p.cfg)
	e := p.environment(t, argo)
	revision := func(data string) target.Desired {
		return e.desired(targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", image), targettest.File(t, e.Ref, 1, "conf", strings.Replace(configDoc, "A: one, B: two", data, 1)))
	}
	holds := func(when string, want map[string]string) {
		t.Helper()
		got, _, _ := unstructured.NestedStringMap(e.live(t, configKind, e.Namespace, "conf").Object, "data")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	e.settle(t, plain, revision("A: one, B: two, C: three"))
	before := e.uids(t)
	e.settle(t, argo, revision("A: one, B: two, C: three"))
	e.settle(t, argo, revision("A: one, B: two"))
	holds("with Argo CD", map[string]string{"A": "one", "B": "two"})

	if err := argo.withdraw(t.Context(), e.Ref); err != nil {
		t.Fatalf("withdraw: %v", err)
	}
	targettest.Until(t.Context(), t, "Argo CD lets go", func() string { return text(argo.Release(t.Context(), e.Ref)) })
	if u := e.live(t, applicationKind, "argocd", e.application()); u != nil {
		t.Error("let go, and the Application is there")
	}
	if a := e.live(t, configKind, e.Namespace, "conf").GetAnnotations()["argocd.argoproj.io/tracking-id"]; a != "" {
		t.Errorf("let go, and an object is still tracked: %s", a)
	}
	again, err := kube.Open(kube.Config{REST: p.cfg})
	if err != nil {
		t.Fatalf("open kube driver: %v", err)
	}
	t.Cleanup(again.Close)
	progress := targettest.Ask(t, "sync", func() (target.Progress, error) { return again.Sync(t.Context(), revision("A: one, B: two")) })
	if len(progress.Changed) > 0 {
		t.Errorf("the kube driver found changes to make: %+v", progress)
	}
	e.settle(t, again, revision("A: one"))
	holds("with the kube driver again", map[string]string{"A": "one"})
	if diff := cmp.Diff(before, e.uids(t)); diff != "" {
		t.Errorf("pods (-before +after):\n%s", diff)
	}
}

// TestTwoTargetsShareAnArgo: each has its own root Application and looks after its own environments only.
func TestTwoTargetsShareAnArgo(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	other, ok := newPlace(t)
	if !ok {
		return
	}
	first, second := p.driver(t, p.cfg), other.driver(t, other.cfg)
	a, b := p.environment(t, first), other.environment(t, second)
	a.settle(t, first, a.desired(targettest.Platform(t, a.Ref), targettest.File(t, a.Ref, 0, "back", configDoc)))
	want := b.desired(targettest.Platform(t, b.Ref), targettest.File(t, b.Ref, 0, "back", configDoc))
	b.settle(t, second, want)
	a.remove(t, first)
	if progress, err := second.Sync(t.Context(), want); err != nil || !progress.Done || len(progress.Changed) > 0 {
		t.Errorf("after the other target's environment is gone: %+v, %v", progress, err)
	}
	if u := b.live(t, applicationKind, "argocd", b.application()); u == nil {
		t.Error("the other target's Application went too")
	}
}

// clock is a time that a test moves.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// deserted is a namespace that no controller of Argo CD looks after.
func (p *place) deserted(t *testing.T) string {
	t.Helper()
	namespaces := p.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "deserted-" + p.target}}}
	if _, err := namespaces.Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatalf("make namespace: %v", err)
	}
	t.Cleanup(func() {
		if err := namespaces.Delete(context.WithoutCancel(t.Context()), ns.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete namespace: %v", err)
		}
	})
	return ns.GetName()
}

// TestServersAllowAtTheSameTime: of what several servers let one project make, nothing is lost.
func TestServersAllowAtTheSameTime(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	ns := p.deserted(t)
	docs := map[string]string{
		"ClusterRole":        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: $ns-x, labels: $labels}\n",
		"PriorityClass":      "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: $ns-x, labels: $labels}\nvalue: 1\n",
		"StorageClass":       "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: $ns-x, labels: $labels}\nprovisioner: none\n",
		"IngressClass":       "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: $ns-x, labels: $labels}\n",
		"RuntimeClass":       "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: $ns-x, labels: $labels}\nhandler: none\n",
		"ClusterRoleBinding": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: $ns-x, labels: $labels}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n",
	}
	project := targettest.NewRef().Project
	var wg sync.WaitGroup
	for _, doc := range docs {
		d := p.driver(t, p.cfg, func(x *argocd.Config) { x.Namespace = ns })
		e := &environment{Ref: targettest.NewRef(), place: p}
		want := e.desired(targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "back", doc))
		wg.Go(func() {
			if _, err := d.Sync(t.Context(), want); err != nil {
				t.Errorf("sync: %v", err)
			}
		})
	}
	wg.Wait()
	list, err := p.client.Resource(projectKind).Namespace(ns).Get(t.Context(), "blueberry-"+p.target+"-"+project, metav1.GetOptions{})
	if err != nil {
		t.Fatalf("read AppProject: %v", err)
	}
	allowed, _, _ := unstructured.NestedSlice(list.Object, "spec", "clusterResourceWhitelist")
	got := map[string]bool{}
	for _, k := range allowed {
		got[k.(map[string]any)["kind"].(string)] = true
	}
	for kind := range docs {
		if !got[kind] {
			t.Errorf("%s is not allowed; only %v", kind, slices.Sorted(maps.Keys(got)))
		}
	}
}

// TestArgoThatDoesNothingIsTold: in a namespace that no controller looks after, an Application is not acted on; then the test acts as the controller.
func TestArgoThatDoesNothingIsTold(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	ns := p.deserted(t)
	c := &clock{}
	d := p.driver(t, p.cfg, func(x *argocd.Config) { x.Namespace, x.Now = ns, c.now })
	e := &environment{Ref: targettest.NewRef(), place: p}
	want := e.desired(targettest.Platform(t, e.Ref))
	progress, err := d.Sync(t.Context(), want)
	if err != nil || progress.Done || progress.Waiting == "" {
		t.Fatalf("the first sync: %+v, %v", progress, err)
	}
	c.pass(time.Minute)
	targettest.Until(t.Context(), t, "it is told", func() string {
		_, err := d.Sync(t.Context(), want)
		var told *blueberry.Error
		if !errors.As(err, &told) || told.Kind != blueberry.Unavailable || told.Code != "ARGOCD_SILENT" || !strings.Contains(told.Detail, "argocd-application-controller") {
			return orNothing(text(err))
		}
		return ""
	})
	causes, err := d.Explain(t.Context(), e.Ref, targettest.LedgerOf(e.files))
	if err != nil || len(causes) != 1 || causes[0].Code != blueberry.CauseArgoUnreachable || causes[0].Fix == "" {
		t.Errorf("explained as %+v, %v, want that Argo CD does not act", causes, err)
	}
	apps := p.client.Resource(applicationKind).Namespace(ns)
	u, err := apps.Get(t.Context(), e.application(), metav1.GetOptions{})
	if err != nil {
		t.Fatalf("read Application: %v", err)
	}
	revision, _, _ := unstructured.NestedString(u.Object, "operation", "sync", "revision")
	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	unstructured.RemoveNestedField(u.Object, "operation")
	u.Object["status"] = map[string]any{"sync": map[string]any{
		"status": "OutOfSync", "revision": revision,
		"comparedTo": map[string]any{"source": spec["source"], "destination": spec["destination"], "ignoreDifferences": spec["ignoreDifferences"]},
	}, "resources": []any{map[string]any{"version": "v1", "kind": "Namespace", "name": e.Namespace, "status": "OutOfSync"}}}
	if _, err := apps.Update(t.Context(), u, metav1.UpdateOptions{}); err != nil {
		t.Fatalf("act as the controller: %v", err)
	}
	targettest.Until(t.Context(), t, "it is over", func() string {
		_, err := d.Sync(t.Context(), want)
		return text(err)
	})
}

// TestRefusedObjectIsExplained: what Argo CD says of an object is a cause.
func TestRefusedObjectIsExplained(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	d := p.driver(t, p.cfg)
	e := p.environment(t, d)
	bad := strings.Replace(configDoc, "A: one", "1/not a key!: one", 1)
	want := e.desired(targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "back", bad))
	targettest.Until(t.Context(), t, "it is refused", func() string {
		progress, err := d.Sync(t.Context(), want)
		if !isKind(err, blueberry.Invalid) {
			return orNothing(text(err) + progress.Waiting)
		}
		return ""
	})
	targettest.Until(t.Context(), t, "it is explained", func() string { // between two tries of Argo CD there is nothing to explain
		causes := targettest.Ask(t, "explain", func() ([]blueberry.Cause, error) { return d.Explain(t.Context(), e.Ref, targettest.LedgerOf(e.files)) })
		if slices.ContainsFunc(causes, func(c blueberry.Cause) bool {
			return c.Code == blueberry.CauseArgoSync && c.Object.Name == "back" && c.Severity == blueberry.Fails && len(c.Evidence) == 1
		}) {
			return ""
		}
		return fmt.Sprintf("explained as %+v, want that Argo CD cannot apply the ConfigMap", causes)
	})
}

// TestUnknownFieldIsRefused: Argo CD is told to leave the schema to the API, which refuses what it does not know.
func TestUnknownFieldIsRefused(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	d := p.driver(t, p.cfg)
	e := p.environment(t, d)
	bad := configDoc + "bogus: {a: b}\n"
	want := e.desired(targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "back", bad))
	targettest.Until(t.Context(), t, "it is refused", func() string {
		progress, err := d.Sync(t.Context(), want)
		if !isKind(err, blueberry.Invalid) || !strings.Contains(text(err), "bogus") {
			return orNothing(text(err) + progress.Waiting)
		}
		return ""
	})
}

// TestChecksTellWhatArgoNeeds also holds that the credential is written nowhere but into Argo CD's own Secret.
func TestChecksTellWhatArgoNeeds(t *testing.T) {
	t.Parallel()
	p, ok := newPlace(t)
	if !ok {
		return
	}
	var log lockedBuffer
	d := p.driver(t, p.cfg, func(c *argocd.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	targettest.Ask(t, "check", func() (any, error) { return nil, d.Check(t.Context()) })
	checks := targettest.Ask(t, "check all", func() ([]blueberry.TargetCheck, error) { return d.CheckAll(t.Context()) })
	failed := map[string]bool{}
	for _, c := range checks {
		failed[c.Name] = !c.OK
		if !c.OK && c.Message == "" {
			t.Errorf("%s fails without a word", c.Name)
		}
	}
	for _, name := range []string{"argocd create applications", "argocd root application", "argocd reads the repository", "argocd health of Ingress"} {
		if bad, there := failed[name]; bad || !there {
			t.Errorf("%s: failed %t, there %t", name, bad, there)
		}
	}
	list, err := p.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace("argocd").List(t.Context(), metav1.ListOptions{LabelSelector: "argocd.argoproj.io/secret-type=repository"})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("no repository Secret: %v", err)
	}
	for what, text := range map[string]string{"log": log.String(), "file in Git": string(joined(d.Files(targettest.NewRef(), nil)))} {
		if strings.Contains(text, p.token) {
			t.Errorf("the %s shows the credential", what)
		}
	}
}

func joined(files map[string][]byte) []byte {
	var out []byte
	for content := range maps.Values(files) {
		out = append(out, content...)
	}
	return out
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
