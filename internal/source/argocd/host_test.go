package argocd_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/argocd"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const app, namespace = "blueberry-local-default-pr-7", "default-pr-7"

func says(file string, s blueberry.EnvironmentSign) hosttest.Delivery {
	return hosttest.Says(file, "", source.Incoming{Sign: &s})
}

func suite() hosttest.Suite {
	return hosttest.Suite{Host: argocd.Host{}, Event: "X-Blueberry-Event", Deliveries: []hosttest.Delivery{
		says("failed", blueberry.EnvironmentSign{
			Application: app, Namespace: namespace, Event: "sync-failed", At: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
			Message: "sync OutOfSync, health Degraded, operation Failed, revision 1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d: one or more objects failed to apply: quota is used up",
		}),
		says("degraded", blueberry.EnvironmentSign{Application: "shop", Namespace: namespace, Event: "health-degraded", Message: "sync Synced, health Degraded, operation Succeeded"}),
		says("named", blueberry.EnvironmentSign{Application: app, Event: "migration-done", Message: "42 tables"}),
		says("bare", blueberry.EnvironmentSign{Namespace: namespace, Event: "notification"}),
	}}
}

func TestRead(t *testing.T) { suite().Read(t) }

func TestHostile(t *testing.T) { suite().Hostile(t) }

func TestFaults(t *testing.T) {
	suite().Faults(t,
		[]string{"app", "namespace", "project", "sync", "health", "phase", "revision", "message", "finishedAt"},
		hosttest.Fault{Path: "app", Value: "a\x00b"},
		hosttest.Fault{Path: "app", Value: strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "namespace", Value: "a\nb"},
		hosttest.Fault{Path: "health", Value: strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "finishedAt", Value: "zebra"},
	)
	if _, err := (argocd.Host{}).Read(nil, []byte(`{"sync":"Synced"}`)); err == nil || !strings.Contains(err.Error(), "app") {
		t.Errorf("of no application: %v", err)
	}
}

func TestToken(t *testing.T) {
	hosttest.Signatures(t, argocd.Host{}, hosttest.Way{
		Name: "token", Header: "X-Blueberry-Token", Token: true,
		Sign: func(secret string, _ time.Time, _ []byte) http.Header {
			return http.Header{"X-Blueberry-Token": {secret}}
		},
	})
}

func FuzzRead(f *testing.F) { suite().Fuzz(f) }

// TestTheTemplateOfTheGuide: what the guide has people put into Argo CD gives bodies that are read, whatever an Application holds, and also before its first
// operation.
func TestTheTemplateOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/guide/pull-requests.md")
	if err != nil {
		t.Fatal(err)
	}
	_, snippet, ok := strings.Cut(string(guide), "<!-- argocd-notifications -->\n```yaml\n")
	snippet, _, _ = strings.Cut(snippet, "\n```")
	if !ok {
		t.Fatal("the guide has no snippet")
	}
	var config struct {
		Data map[string]string `yaml:"data"`
	}
	if err := yaml.NewDecoder(strings.NewReader(snippet)).Decode(&config); err != nil {
		t.Fatal(err)
	}
	var said struct {
		Webhook map[string]struct {
			Method string `yaml:"method"`
			Body   string `yaml:"body"`
		} `yaml:"webhook"`
	}
	if err := yaml.Unmarshal([]byte(config.Data["template.blueberry"]), &said); err != nil || said.Webhook["blueberry"].Method != "POST" {
		t.Fatalf("%+v, %v", said, err)
	}
	body := template.Must(template.New("body").Funcs(sprig.GenericFuncMap()).Parse(said.Webhook["blueberry"].Body))
	told := func(app map[string]any, later time.Duration) map[string]any { // as its engine hands it over
		return map[string]any{"app": app, "time": map[string]any{"Now": func() time.Time { return time.Date(2026, 1, 31, 9, 30, 10, 0, time.UTC).Add(later) }}}
	}
	for name, c := range map[string]struct {
		app  map[string]any
		want string
	}{
		"before its first operation": {map[string]any{
			"metadata": map[string]any{"name": app}, "spec": map[string]any{"project": "p", "destination": map[string]any{"namespace": namespace}},
		}, "notification"},
		"with all": {map[string]any{
			"metadata": map[string]any{"name": app}, "spec": map[string]any{"project": "p", "destination": map[string]any{"namespace": namespace}},
			"status": map[string]any{
				"sync": map[string]any{"status": "OutOfSync", "revision": "abc"}, "health": map[string]any{"status": "Healthy"},
				"operationState": map[string]any{"phase": "Failed", "message": "it \"failed\":\n\\ <&>", "finishedAt": "2026-01-31T09:30:00Z"},
			},
		}, "sync-failed"},
	} {
		var out strings.Builder
		if err := body.Execute(&out, told(c.app, 0)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := argocd.Host{}.Read(nil, []byte(out.String()))
		if err != nil || got.Sign == nil || got.Sign.Application != app || got.Sign.Namespace != namespace || got.Sign.Event != c.want {
			t.Errorf("%s: %+v, %v of %s", name, got.Sign, err, out.String())
		}
		for later, same := range map[time.Duration]bool{time.Second: true, time.Hour: false} { // what has the same bytes came before
			var again strings.Builder
			if err := body.Execute(&again, told(c.app, later)); err != nil || (again.String() == out.String()) != same {
				t.Errorf("%s, %s later: %s, %v", name, later, again.String(), err)
			}
		}
	}
	var service struct {
		Headers []struct{ Name, Value string } `yaml:"headers"`
	}
	if err := yaml.Unmarshal([]byte(config.Data["service.webhook.blueberry"]), &service); err != nil || len(service.Headers) == 0 || service.Headers[0].Name != "X-Blueberry-Token" {
		t.Errorf("%+v, %v", service, err)
	}
}
