package kube_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// config is how to reach the API server of the tests.
func config(t testing.TB) *rest.Config {
	t.Helper()
	path := os.Getenv("BLUEBERRY_TEST_KUBECONFIG")
	if path == "" {
		t.Fatal("BLUEBERRY_TEST_KUBECONFIG names no kubeconfig: `make test` starts an API server and sets it")
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("read kubeconfig: %v", err)
	}
	cfg.QPS, cfg.Burst = 500, 1000
	return cfg
}

// open is a driver whose connection can be cut.
func open(t testing.TB) targettest.Bundle {
	t.Helper()
	direct := config(t)
	link := newLink(t, direct)
	driver := func(t testing.TB) target.Driver {
		t.Helper()
		d, err := kube.Open(kube.Config{REST: link.config(direct)})
		if err != nil {
			t.Fatalf("open driver: %v", err)
		}
		t.Cleanup(d.Close)
		return d
	}
	return targettest.Bundle{Driver: driver(t), Reopen: driver, Cut: link.cut, Mend: link.mend, Hand: newHand(t, direct)}
}

// link carries bytes between a driver and the API server, until it is cut.
type link struct {
	listener net.Listener
	server   string
	mu       sync.Mutex
	down     bool
	conns    map[net.Conn]bool
}

func newLink(t testing.TB, cfg *rest.Config) *link {
	t.Helper()
	u, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatalf("read server address: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	k := &link{listener: l, server: u.Host, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { k.carry(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		k.cut()
		wg.Wait()
	})
	return k
}

// config is cfg by way of the link; the certificate is still that of the server.
func (k *link) config(cfg *rest.Config) *rest.Config {
	out := rest.CopyConfig(cfg)
	out.Host = "https://" + k.listener.Addr().String()
	return out
}

func (k *link) carry(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", k.server)
	if err != nil {
		return
	}
	defer s.Close()
	if !k.add(c, s) {
		return
	}
	go func() {
		_, _ = io.Copy(s, c)
		s.Close()
	}()
	_, _ = io.Copy(c, s)
	k.mu.Lock()
	delete(k.conns, c)
	delete(k.conns, s)
	k.mu.Unlock()
}

func (k *link) add(conns ...net.Conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range conns {
		k.conns[c] = true
	}
	return !k.down
}

func (k *link) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = true
	for c := range k.conns {
		c.Close()
	}
}

func (k *link) mend() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = false
}

// hand acts on the place with the API's own means, as somebody else.
type hand struct {
	client    dynamic.Interface
	discovery *discovery.DiscoveryClient
	kinds     map[schema.GroupVersionKind]schema.GroupVersionResource
}

func newHand(t testing.TB, cfg *rest.Config) *hand {
	t.Helper()
	cfg = rest.CopyConfig(cfg)
	cfg.WarningHandler = rest.NoWarnings{}
	h := &hand{kinds: map[schema.GroupVersionKind]schema.GroupVersionResource{}}
	var err error
	if h.client, err = dynamic.NewForConfig(cfg); err != nil {
		t.Fatalf("make client: %v", err)
	}
	if h.discovery, err = discovery.NewDiscoveryClientForConfig(cfg); err != nil {
		t.Fatalf("make discovery client: %v", err)
	}
	for r := range h.resources(t) {
		h.kinds[r.kind] = r.GroupVersionResource
	}
	return h
}

type served struct {
	schema.GroupVersionResource
	kind schema.GroupVersionKind
}

// resources are all that can be listed and deleted.
func (h *hand) resources(t testing.TB) map[served]bool {
	t.Helper()
	_, lists, err := h.discovery.ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) { // the API of metrics, which another server answers, may be away
		t.Fatalf("read kinds: %v", err)
	}
	out := map[served]bool{}
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			t.Fatalf("read kinds: %v", err)
		}
		for _, r := range l.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "delete") && r.Name != "events" {
				out[served{gv.WithResource(r.Name), gv.WithKind(r.Kind)}] = true
			}
		}
	}
	return out
}

func (h *hand) of(t testing.TB, ref blueberry.ObjectRef) dynamic.ResourceInterface {
	t.Helper()
	gvr, ok := h.kinds[schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind)]
	if !ok {
		t.Fatalf("the server does not know the kind of %s", ref)
	}
	return h.client.Resource(gvr).Namespace(ref.Namespace)
}

func (h *hand) Create(t testing.TB, manifest string) {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatalf("read manifest: %v", err)
	}
	ref := blueberry.ObjectRef{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
	if _, err := h.of(t, ref).Create(t.Context(), u, metav1.CreateOptions{FieldManager: "another-hand"}); err != nil {
		t.Fatalf("create: %v", err)
	}
}

func (h *hand) Patch(t testing.TB, ref blueberry.ObjectRef, patch string) {
	t.Helper()
	o := metav1.PatchOptions{FieldManager: "another-hand"}
	if _, err := h.of(t, ref).Patch(t.Context(), ref.Name, types.MergePatchType, []byte(patch), o); err != nil {
		t.Fatalf("patch %s: %v", ref, err)
	}
}

func (h *hand) Delete(t testing.TB, ref blueberry.ObjectRef) {
	t.Helper()
	background := metav1.DeletePropagationBackground
	if err := h.of(t, ref).Delete(t.Context(), ref.Name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatalf("delete %s: %v", ref, err)
	}
}

func (h *hand) get(t testing.TB, ref blueberry.ObjectRef) *unstructured.Unstructured {
	t.Helper()
	u, err := h.of(t, ref).Get(t.Context(), ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatalf("get %s: %v", ref, err)
	}
	return u
}

func (h *hand) Object(t testing.TB, ref blueberry.ObjectRef) (map[string]any, bool) {
	t.Helper()
	u := h.get(t, ref)
	if u == nil {
		return nil, false
	}
	return u.Object, true
}

func (h *hand) Labels(t testing.TB, ref blueberry.ObjectRef) (map[string]string, bool) {
	t.Helper()
	u := h.get(t, ref)
	if u == nil {
		return nil, false
	}
	return u.GetLabels(), true
}

func selector(ref target.Ref) string {
	return blueberry.LabelProject + "=" + ref.Project + "," + blueberry.LabelEnvironment + "=" + ref.Environment
}

func (h *hand) Labelled(t testing.TB, ref target.Ref) []blueberry.ObjectRef {
	t.Helper()
	var out []blueberry.ObjectRef
	for r := range h.resources(t) {
		list, err := h.client.Resource(r.GroupVersionResource).List(t.Context(), metav1.ListOptions{LabelSelector: selector(ref)})
		if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
			continue
		}
		if err != nil {
			t.Fatalf("list %s: %v", r.Resource, err)
		}
		for _, u := range list.Items {
			out = append(out, blueberry.ObjectRef{APIVersion: r.kind.GroupVersion().String(), Kind: r.kind.Kind, Namespace: u.GetNamespace(), Name: u.GetName()})
		}
	}
	return out
}

// FailPods writes what a kubelet would write; kwok leaves a pod alone that runs.
func (h *hand) FailPods(t testing.TB, ref target.Ref, component, reason string) {
	t.Helper()
	h.pods(t, ref, component, "False", false, map[string]any{"waiting": map[string]any{"reason": reason, "message": "back-off 5m0s"}})
}

func (h *hand) HealPods(t testing.TB, ref target.Ref, component string) {
	t.Helper()
	h.pods(t, ref, component, "True", true, map[string]any{"running": map[string]any{}})
}

func (h *hand) pods(t testing.TB, ref target.Ref, component, ready string, running bool, state map[string]any) {
	t.Helper()
	pods := h.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(ref.Namespace)
	list, err := pods.List(context.Background(), metav1.ListOptions{LabelSelector: blueberry.LabelComponent + "=" + component})
	if err != nil {
		t.Fatalf("list pods: %v", err)
	}
	for _, p := range list.Items {
		status, _ := p.Object["status"].(map[string]any)
		for _, x := range status["conditions"].([]any) {
			if c := x.(map[string]any); c["type"] == "Ready" || c["type"] == "ContainersReady" {
				c["status"] = ready
			}
		}
		for _, x := range status["containerStatuses"].([]any) {
			c := x.(map[string]any)
			c["ready"], c["started"], c["state"] = running, running, state
		}
		js, err := json.Marshal(map[string]any{"status": status})
		if err != nil {
			t.Fatalf("encode status: %v", err)
		}
		if _, err := pods.Patch(t.Context(), p.GetName(), types.MergePatchType, js, metav1.PatchOptions{}, "status"); err != nil {
			t.Fatalf("%s", fmt.Sprintf("patch pod %s: %v", p.GetName(), err))
		}
	}
}
