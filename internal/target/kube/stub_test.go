package kube_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// stub stands for an API server where the real one cannot be made to behave in a certain way: what containers say, and what a kubelet does.
type stub struct {
	*http.ServeMux
	*kube.Driver
	ref target.Ref
}

func newStub(t testing.TB) *stub {
	t.Helper()
	s := &stub{ServeMux: http.NewServeMux(), ref: targettest.NewRef()}
	server := httptest.NewServer(s)
	d, err := kube.Open(kube.Config{REST: &rest.Config{Host: server.URL}})
	if err != nil {
		t.Fatalf("open driver: %v", err)
	}
	t.Cleanup(func() {
		d.Close()
		server.CloseClientConnections()
		server.Close()
	})
	s.Driver = d
	s.HandleFunc("GET /api", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	})
	s.HandleFunc("GET /apis", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"kind": "APIGroupList", "apiVersion": "v1"})
	})
	return s
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// refuse answers as the API does when it does not do a thing.
func refuse(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
	})
}

// pods serves running pods of the environment, each of a component of its name and with a container app.
func (s *stub) pods(names ...string) {
	s.HandleFunc("GET /api/v1/namespaces/"+s.ref.Namespace+"/pods", func(w http.ResponseWriter, r *http.Request) {
		var items []any
		for _, n := range names {
			if strings.Contains(r.FormValue("labelSelector"), blueberry.LabelComponent) && !strings.HasSuffix(r.FormValue("labelSelector"), "="+n) {
				continue
			}
			items = append(items, s.pod(n))
		}
		answer(w, map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
	})
}

func (s *stub) pod(name string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": name, "namespace": s.ref.Namespace, "uid": "uid-" + name, "labels": map[string]any{
			blueberry.LabelProject: s.ref.Project, blueberry.LabelEnvironment: s.ref.Environment, blueberry.LabelComponent: name,
		}},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "app"}}},
		"status": map[string]any{
			"conditions":        []any{map[string]any{"type": "Ready", "status": "True"}},
			"containerStatuses": []any{map[string]any{"name": "app", "containerID": "run-1", "ready": true, "state": map[string]any{"running": map[string]any{}}}},
		},
	}
}

// log serves what a pod says.
func (s *stub) log(pod string, say func(w http.ResponseWriter, r *http.Request)) {
	s.HandleFunc(fmt.Sprintf("GET /api/v1/namespaces/%s/pods/%s/log", s.ref.Namespace, pod), say)
}
