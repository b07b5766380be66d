package kube_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// nobody makes a service account without any right, and gives a way to be it.
func nobody(t *testing.T, h *hand, as *rest.Config) *rest.Config {
	t.Helper()
	namespace := targettest.NewRef().Namespace
	h.Create(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+"}\n")
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = h.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Delete(ctx, namespace, metav1.DeleteOptions{})
	})
	h.Create(t, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: blueberry, namespace: "+namespace+"}\n")
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": map[string]any{"name": "blueberry"}, "spec": map[string]any{},
	}}
	accounts := h.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}).Namespace(namespace)
	got, err := accounts.Create(t.Context(), request, metav1.CreateOptions{}, "token")
	if err != nil {
		t.Fatalf("ask for a token: %v", err)
	}
	token, _, _ := unstructured.NestedString(got.Object, "status", "token")
	out := rest.AnonymousClientConfig(as)
	out.BearerToken, out.QPS, out.Burst = token, 500, 1000
	return out
}

// rule is one thing that a manifest grants, or that was asked for.
type rule struct{ group, resource, verb string }

// grantAll applies what checks offer, and gives what they grant.
func (h *hand) grantAll(t *testing.T, checks []blueberry.TargetCheck) map[rule]bool {
	t.Helper()
	out := map[rule]bool{}
	for _, c := range checks {
		for _, doc := range strings.Split(c.Manifest, "---\n") {
			u := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
				t.Fatalf("the manifest of %q: %v", c.Name, err)
			}
			if u.Object == nil {
				continue
			}
			rules, _, _ := unstructured.NestedSlice(u.Object, "rules")
			for _, x := range rules {
				r := x.(map[string]any)
				for _, verb := range r["verbs"].([]any) {
					out[rule{r["apiGroups"].([]any)[0].(string), r["resources"].([]any)[0].(string), verb.(string)}] = true
				}
			}
			kind := h.of(t, blueberry.ObjectRef{APIVersion: u.GetAPIVersion(), Kind: u.GetKind()})
			if _, err := kind.Apply(t.Context(), u.GetName(), u, metav1.ApplyOptions{FieldManager: "somebody", Force: true}); err != nil {
				t.Fatalf("grant what %q lacks: %v", c.Name, err)
			}
			if u.GetKind() == "ClusterRoleBinding" {
				t.Cleanup(func() { _ = kind.Delete(context.WithoutCancel(t.Context()), u.GetName(), metav1.DeleteOptions{}) })
			}
		}
	}
	return out
}

// usage notes what a driver asks of the API, and what it was denied.
type usage struct {
	next   http.RoundTripper
	mu     *sync.Mutex
	asked  map[rule]bool
	denied map[rule]bool
}

func (u usage) RoundTrip(req *http.Request) (*http.Response, error) {
	r, ok := ruleOf(req)
	resp, err := u.next.RoundTrip(req)
	u.mu.Lock()
	defer u.mu.Unlock()
	if ok {
		u.asked[r] = true
		if r.verb == "patch" && strings.Contains(req.Header.Get("Content-Type"), "apply") {
			u.asked[rule{r.group, r.resource, "create"}] = true // as the API takes an apply of what is not there
		}
		if r.resource == "pods/exec" { // the way of WebSocket is GET, and since 1.35 it takes the right to create too
			u.asked[rule{r.group, r.resource, "create"}] = true
		}
		if err == nil && resp.StatusCode == http.StatusForbidden {
			u.denied[r] = true
		}
	}
	return resp, err
}

// ruleOf reads a request as the API's authorizer does.
func ruleOf(req *http.Request) (rule, bool) {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	var r rule
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		r.group, parts = parts[1], parts[3:]
	default:
		return r, false
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	r.resource = parts[0]
	if len(parts) > 2 {
		r.resource += "/" + parts[2]
	}
	switch {
	case req.Method == http.MethodGet && req.URL.Query().Get("watch") != "":
		r.verb = "watch"
	case req.Method == http.MethodGet && len(parts) == 1:
		r.verb = "list"
	default:
		r.verb = map[string]string{"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}[req.Method]
	}
	return r, true
}

const everythingDoc = `apiVersion: v1
kind: Pod
metadata: {name: $name, namespace: $ns, labels: $podlabels}
spec: {containers: [{name: app, image: registry.invalid/app:1.0}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {template: {metadata: {labels: $podlabels}, spec: {restartPolicy: Never, containers: [{name: job, image: registry.invalid/job:1.0}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: $name, namespace: $ns, labels: $labels}
spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: registry.invalid/job:1.0}]}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  serviceName: $name
  selector: {matchLabels: {app: $name}}
  template: {metadata: {labels: {app: $name}}, spec: {containers: [{name: app, image: registry.invalid/app:1.0}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  selector: {matchLabels: {app: $name-d}}
  template: {metadata: {labels: {app: $name-d}}, spec: {containers: [{name: app, image: registry.invalid/app:1.0}]}}
`

const rolloutDoc = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: $name, namespace: $ns, labels: $labels}
spec:
  strategy: {canary: {}}
  selector: {matchLabels: {app: $name}}
  template: {metadata: {labels: {app: $name}}, spec: {containers: [{name: app, image: registry.invalid/app:1.0}]}}
`

// TestTheRightsThatAreCheckedAreThoseThatAreUsed has the driver do all it can with just what CheckAll asks for.
func TestTheRightsThatAreCheckedAreThoseThatAreUsed(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	admin := e.Driver
	defer func() { e.Driver = admin }() // who cleans up
	cfg := nobody(t, e.hand, config(t))
	used := usage{mu: &sync.Mutex{}, asked: map[rule]bool{}, denied: map[rule]bool{}}
	d := openWith(t, cfg)
	checkAll := func() ([]blueberry.TargetCheck, error) { return d.CheckAll(t.Context()) }
	checks := targettest.Ask(t, "check", checkAll)
	for _, c := range checks {
		if strings.HasPrefix(c.Name, "read ") && (c.OK || !strings.Contains(c.Manifest, "kind: ServiceAccount")) {
			t.Errorf("check %+v, want that it is missing and how a service account gets it", c)
		}
	}
	granted := e.hand.grantAll(t, checks)
	targettest.Until(t.Context(), t, "all rights are there", func() string {
		checks = targettest.Ask(t, "check", checkAll)
		for _, c := range checks {
			if !c.OK && !strings.HasPrefix(c.Name, "definition ") {
				return fmt.Sprintf("%+v", c)
			}
		}
		return ""
	})
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { used := used; used.next = next; return used })
	e.Driver = openWith(t, cfg) // no watch of its was denied before
	everything(t, e, granted[rule{"argoproj.io", "rollouts", "get"}])
	d, _ = e.Driver.(*kube.Driver)
	targettest.Until(t.Context(), t, "it is removed", func() string {
		left, err := d.Remove(t.Context(), e.Ref, targettest.LedgerOf(e.last))
		if err != nil {
			t.Fatalf("remove: %v", err)
		}
		if len(left) == 0 {
			return ""
		}
		if _, err := d.Leftovers(t.Context(), e.Ref, left); err != nil {
			t.Fatalf("leftovers: %v", err)
		}
		return fmt.Sprint(left)
	})
	used.mu.Lock()
	defer used.mu.Unlock()
	// What only an environment that is not well takes: Explain looks there then.
	sick := map[rule]bool{{"", "nodes", "get"}: true, {"storage.k8s.io", "storageclasses", "get"}: true, {"networking.k8s.io", "ingressclasses", "list"}: true}
	for r := range granted {
		known := r.group != "gateway.networking.k8s.io" && !strings.HasSuffix(r.group, "cert-manager.io") // this test has none of them
		if known && !sick[r] && !used.asked[r] {
			t.Errorf("the right to %s %s.%s is asked for and never used", r.verb, r.resource, r.group)
		}
	}
	for r := range used.denied {
		if r.verb != "list" || granted[rule{r.group, r.resource, "list"}] { // Remove and Scan try every kind
			t.Errorf("the right to %s %s.%s is used and not asked for", r.verb, r.resource, r.group)
		}
	}
}

func openWith(t *testing.T, cfg *rest.Config) *kube.Driver {
	t.Helper()
	d, err := kube.Open(kube.Config{REST: cfg})
	if err != nil {
		t.Fatalf("open driver: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

// everything has a driver do all that it can.
func everything(t *testing.T, e *environment, rollouts bool) {
	t.Helper()
	d, _ := e.Driver.(*kube.Driver)
	files := []blueberry.RenderedFile{
		targettest.Platform(t, e.Ref), targettest.Web(t, e.Ref, 0, "back", "registry.invalid/app:1.0"),
		targettest.File(t, e.Ref, 1, "all", strings.Split(everythingDoc, "---\n")...),
	}
	if rollouts {
		files = append(files, targettest.File(t, e.Ref, 1, "step", rolloutDoc))
	}
	e.sync(t, files...)
	e.compare(t, files...)
	targettest.Until(t.Context(), t, "it is observed", func() string {
		if o := e.observe(t); len(o.Missing()) > 0 {
			return fmt.Sprint(o.Missing())
		}
		return ""
	})
	// An object of ours that somebody else's controller looks after: a scan asks whether that is there.
	others := strings.NewReplacer("$ns", e.Namespace).Replace("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: others, namespace: $ns}\nspec: {replicas: 0, " +
		"selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: {containers: [{name: app, image: registry.invalid/app}]}}}\n")
	e.hand.Create(t, others)
	owner := e.hand.get(t, blueberry.ObjectRef{APIVersion: "apps/v1", Kind: "ReplicaSet", Namespace: e.Namespace, Name: "others"})
	e.hand.Create(t, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: of-others, namespace: %s, labels: {%s: %s, %s: %s}, "+
		"ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: others, uid: %s, controller: true}]}\n",
		e.Namespace, blueberry.LabelProject, e.Project, blueberry.LabelEnvironment, e.Environment, owner.GetUID()))
	calls := map[string]func(ctx context.Context) error{
		"capacity": func(ctx context.Context) error { _, err := d.Capacity(ctx); return err },
		"events":   func(ctx context.Context) error { _, err := d.Events(ctx, e.Ref); return err },
		"live": func(ctx context.Context) error {
			_, err := d.Live(ctx, e.Ref, files[1].Objects[0])
			return err
		},
		"logs": func(ctx context.Context) error {
			return d.Logs(ctx, e.Ref, target.LogQuery{}, func(target.LogLine) error { return nil })
		},
		"scan": func(ctx context.Context) error {
			return d.Scan(ctx, func(target.Ref, blueberry.ObjectRef, time.Time) {})
		},
		"restart":  func(ctx context.Context) error { _, err := d.Restart(ctx, e.Ref, "", time.Now()); return err },
		"replicas": func(ctx context.Context) error { _, err := d.Replicas(ctx, e.Ref); return err },
		"usage": func(ctx context.Context) error {
			if _, err := d.Usage(ctx, e.Ref); !errors.Is(err, blueberry.Unavailable) { // where nothing measures
				return err
			}
			return nil
		},
		"shell": func(ctx context.Context) error { // the node is pretended: what the API says of it is no matter here
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			_, err := d.Shell(ctx, e.Ref, target.ShellRequest{Component: "back", Command: []string{"true"}, Stdout: io.Discard})
			if errors.Is(err, blueberry.Forbidden) || errors.Is(err, blueberry.NotFound) {
				return err
			}
			return nil
		},
	}
	if x, ok := e.Driver.(target.Explainer); ok {
		calls["explain"] = func(ctx context.Context) error {
			_, err := x.Explain(ctx, e.Ref, targettest.LedgerOf(files))
			return err
		}
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range calls {
			if !yield(n) {
				return
			}
		}
	}) {
		err := calls[name](t.Context())
		for errors.Is(err, blueberry.Unavailable) && t.Context().Err() == nil {
			err = calls[name](t.Context())
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, o := range slices.Concat(files[1].Objects, files[2].Objects, files[len(files)-1].Objects) {
		if o.Kind == "Deployment" || o.Kind == "StatefulSet" || o.Kind == "Rollout" {
			if err := d.Scale(t.Context(), e.Ref, o, 1); err != nil {
				t.Errorf("scale %s: %v", o, err)
			}
		}
	}
}

func TestACredentialThatIsNotAccepted(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, "Unauthorized", "Unauthorized") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the watches that Close cuts off
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	old := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1700000000}`)) + ".c2ln"
	certificate, key := clientCertificate(t, time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC))
	for name, c := range map[string]struct {
		cfg  rest.Config
		want string
	}{
		"token without a date": {rest.Config{BearerToken: "opaque"}, "is not accepted"},
		"token that ended":     {rest.Config{BearerToken: old}, "2023-11-14"},
		"certificate that ended": {
			rest.Config{TLSClientConfig: rest.TLSClientConfig{CertData: certificate, KeyData: key}}, "2024-02-03",
		},
	} {
		c.cfg.Host, c.cfg.CAData = server.URL, ca
		d := openWith(t, &c.cfg)
		checks, err := d.CheckAll(t.Context())
		if err != nil || len(checks) != 2 || !checks[0].OK || checks[1].Name != "credential" || checks[1].OK || !strings.Contains(checks[1].Message, c.want) {
			t.Errorf("%s: %+v, %v; want that the place is reached and %q", name, checks, err, c.want)
		}
		ref := targettest.NewRef()
		for what, call := range map[string]func() error{
			"containers": func() error { _, err := d.Containers(t.Context(), ref); return err },
			"follow": func() error {
				return d.Logs(t.Context(), ref, target.LogQuery{Follow: true}, func(target.LogLine) error { return nil })
			},
			"restart": func() error { _, err := d.Restart(t.Context(), ref, "", time.Now()); return err },
			"scan":    func() error { return d.Scan(t.Context(), func(target.Ref, blueberry.ObjectRef, time.Time) {}) },
		} {
			var e *blueberry.Error
			if err := call(); !errors.As(err, &e) || e.Kind != blueberry.Unavailable || e.Code != blueberry.CodeTargetUnauthorized {
				t.Errorf("%s, %s: got error %v, want unavailable with %s", name, what, err, blueberry.CodeTargetUnauthorized)
			}
		}
	}
}

// clientCertificate is one that ends at a time, and its key, in PEM.
func clientCertificate(t testing.TB, end time.Time) (certificate, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "somebody"}, NotBefore: end.Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	js, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: js})
}
