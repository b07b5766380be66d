package kube_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
	"github.com/blueberry-idp/blueberry/internal/target/targettest"
)

// TestCausesOfSync has the place refuse what is asked of it, keeps that in a condition as provision does, and reads the cause from there.
func TestCausesOfSync(t *testing.T) {
	t.Parallel()
	as := func(change func(*rest.Config)) func(*testing.T, *environment) {
		return func(t *testing.T, e *environment) {
			cfg := rest.CopyConfig(config(t))
			change(cfg)
			d, err := kube.Open(kube.Config{REST: cfg})
			if err != nil {
				t.Fatalf("open driver: %v", err)
			}
			t.Cleanup(d.Close)
			own := e.Driver
			e.Driver = d
			t.Cleanup(func() { e.Driver = own })
		}
	}
	for fault, c := range map[string]struct {
		docs   []string
		before func(*testing.T, *environment) // when the namespace is there
		want   blueberry.CauseCode
		says   string
	}{
		"RBAC denies us": {
			docs: []string{deploymentOf("{}", appSpec)}, before: as(func(c *rest.Config) { c.Impersonate = rest.ImpersonationConfig{UserName: "nobody"} }),
			want: blueberry.CauseRightsMissing, says: "nobody may not",
		},
		"the credential is not known": {
			docs: []string{deploymentOf("{}", appSpec)}, before: as(func(c *rest.Config) {
				c.BearerToken, c.CertData, c.KeyData, c.CertFile, c.KeyFile = "expired", nil, nil, "", ""
			}),
			want: blueberry.CauseCredentialExpired, says: "401 Unauthorized",
		},
		"the place is away": {
			docs: []string{deploymentOf("{}", appSpec)}, before: func(_ *testing.T, e *environment) { e.Cut() },
			want: blueberry.CauseTargetUnreachable, says: "the target does not answer",
		},
		"a field that there is not": {docs: []string{deploymentOf("{}", `{container: []}`)}, want: blueberry.CauseManifestInvalid, says: "spec.template.spec.container"},
		"a field that is missing":   {docs: []string{deploymentOf("{}", `{containers: []}`)}, want: blueberry.CauseManifestInvalid, says: "Required value"},
		"a value that is not taken": {
			docs: []string{replace(deploymentOf("{}", appSpec), "replicas: 1", "replicas: -1")}, want: blueberry.CauseConfigWrong, says: "spec.replicas",
		},
		"an admission webhook is down": {
			docs: []string{serviceOf("{app: web}", "80")}, before: func(t *testing.T, e *environment) { e.deadWebhook(t, "services", "") },
			want: blueberry.CauseWebhookTimeout, says: "down.example.com does not answer: the connection is refused",
		},
		"a limit of the namespace": {
			docs: []string{"apiVersion: v1\nkind: Pod\nmetadata: {name: $name, namespace: $ns, labels: $labels}\nspec: " +
				`{containers: [{name: app, image: "registry.invalid/app:1.0", resources: {limits: {cpu: "9"}}}]}` + "\n"},
			before: func(t *testing.T, e *environment) {
				e.place(t, "apiVersion: v1\nkind: LimitRange\nmetadata: {name: most, namespace: $ns}\nspec: {limits: [{type: Container, max: {cpu: \"1\"}}]}\n")
				e.denied(t, replace(podProbe, "registry.invalid/app:1.0\"", "registry.invalid/app:1.0\", resources: {limits: {cpu: 9}}"), "maximum cpu usage")
			},
			want: blueberry.CauseAdmissionDenied, says: "maximum cpu usage",
		},
		"a quota of the namespace": {
			docs: []string{"apiVersion: v1\nkind: Secret\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"},
			before: func(t *testing.T, e *environment) {
				e.place(t, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: $ns}\nspec: {hard: {count/secrets: \"0\"}}\n")
				quota := blueberry.ObjectRef{APIVersion: "v1", Kind: "ResourceQuota", Namespace: e.Namespace, Name: "none"}
				targettest.Until(t.Context(), t, "the quota is counted", func() string {
					if o, _ := e.hand.Object(t, quota); o["status"] == nil || !strings.Contains(asText(o["status"]), "used") {
						return "not yet"
					}
					return ""
				})
			},
			want: blueberry.CauseQuota, says: "exceeded quota: none",
		},
		"an object of others": {
			docs: []string{"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"},
			before: func(t *testing.T, e *environment) {
				e.place(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: $ns}\n")
			},
			want: blueberry.CauseObjectTaken, says: "belongs to nobody that Blueberry knows",
		},
		"a kind that is not known": {
			docs: []string{"apiVersion: unheard.example.com/v1\nkind: Widget\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"},
			want: blueberry.CauseKindUnknown, says: "CustomResourceDefinition",
		},
		"a wave that waits": {docs: []string{deploymentOf(asleep, appSpec)}, want: blueberry.CauseWaveWaiting, says: "wave 0 waits for Deployment.apps"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e := newEnvironment(t)
			files := []blueberry.RenderedFile{targettest.Platform(t, e.Ref)}
			e.sync(t, files...)
			files = append(files, targettest.File(t, e.Ref, 0, "web", c.docs...),
				targettest.File(t, e.Ref, 1, "last", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: $name, namespace: $ns, labels: $labels}\n"))
			e.last = files
			if c.before != nil {
				c.before(t, e)
			}
			defer e.Mend()
			env := blueberry.Environment{Phase: blueberry.Provisioning, Conditions: blueberry.NewConditions(time.Now())}
			targettest.Until(t.Context(), t, "the place refuses", func() string {
				p, err := e.Driver.Sync(t.Context(), target.Desired{Ref: e.Ref, Revision: 1, Files: files})
				reason := blueberry.ReasonWaiting
				switch {
				case errors.Is(err, blueberry.Unavailable):
					reason = blueberry.ReasonTargetUnavailable
				case err != nil:
					reason = blueberry.ReasonRefused
				case p.Waiting == "":
					t.Fatal("the place takes it all")
				}
				code, message := p.Code, p.Waiting
				if err != nil {
					code, message = blueberry.ConditionCode(err), err.Error()
				}
				blueberry.SetCondition(env.Conditions, blueberry.Condition{
					Type: blueberry.Synced, Status: blueberry.False, Reason: reason, Code: code, Message: message,
				}, time.Now())
				causes := blueberry.CausesOf(env, time.Now())
				if len(causes) == 0 || causes[0].Code != c.want || !strings.Contains(causes[0].Message, c.says) {
					return asText(causes) + message
				}
				return ""
			})
		})
	}
}

// TestExplainAsksNothingTwice counts the reads of an environment that stays as it is.
func TestExplainAsksNothingTwice(t *testing.T) {
	t.Parallel()
	counter := &counting{}
	cfg := config(t)
	cfg.Wrap(counter.wrap)
	e := newEnvironment(t)
	d, err := kube.Open(kube.Config{REST: cfg})
	if err != nil {
		t.Fatalf("open driver: %v", err)
	}
	t.Cleanup(d.Close)
	e.Driver = d
	e.sync(t, targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "web", deploymentOf("{blueberry.dev/fail: CreateContainerConfigError}", appSpec), ingressOf("")))
	targettest.Until(t.Context(), t, "all is explained", func() string {
		codes := codesOf(e.explain(t))
		if !slices.Contains(codes, blueberry.CauseContainer) || !slices.Contains(codes, blueberry.CauseIngressClass) {
			return asText(codes)
		}
		return ""
	})
	targettest.Until(t.Context(), t, "nothing is asked", func() string { // the pod may still change
		before := counter.reads.Load()
		for range 10 {
			e.explain(t)
		}
		if n := counter.reads.Load() - before; n > 0 {
			return asText(n)
		}
		return ""
	})
}

func codesOf(causes []blueberry.Cause) []blueberry.CauseCode {
	var out []blueberry.CauseCode
	for _, c := range causes {
		out = append(out, c.Code)
	}
	return out
}

func TestAnIngressWithoutAnAddressKeepsNothingFromReady(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	e.sync(t, targettest.Platform(t, e.Ref), targettest.File(t, e.Ref, 0, "web", deploymentOf("{}", appSpec), ingressOf("")))
	targettest.Until(t.Context(), t, "the environment is healthy, with a warning", func() string {
		o := e.observe(t)
		if !o.Healthy() || len(o.Warnings()) != 1 || !strings.Contains(o.Warnings()[0], "it has no ingress class") {
			return asText(o)
		}
		return ""
	})
}

// BenchmarkExplain asks about an environment of 20 objects, one pod of which does not start, and nothing changes.
func BenchmarkExplain(b *testing.B) {
	bundle := open(b)
	ref := targettest.NewRef()
	files := []blueberry.RenderedFile{
		targettest.Platform(b, ref), targettest.Web(b, ref, 0, "back", "registry.invalid/app:1.0"), targettest.File(b, ref, 0, "front", deploymentOf("{blueberry.dev/fail: CreateContainerConfigError}", appSpec),
			ingressOf(""), serviceOf("{blueberry.dev/component: front}", "8080"), configOf("a"), configOf("b"), configOf("c")),
	}
	ledger := targettest.LedgerOf(files)
	b.Cleanup(func() {
		for {
			if left, err := bundle.Driver.Remove(b.Context(), ref, ledger); err != nil || len(left) == 0 {
				return
			}
		}
	})
	explainer, _ := bundle.Driver.(target.Explainer)
	for {
		p, err := bundle.Driver.Sync(b.Context(), target.Desired{Ref: ref, Revision: 1, Files: files})
		if err != nil {
			b.Fatalf("sync: %v", err)
		}
		causes, err := explainer.Explain(b.Context(), ref, ledger)
		if err != nil {
			b.Fatalf("explain: %v", err)
		}
		if p.Done && slices.Contains(codesOf(causes), blueberry.CauseContainer) {
			break
		}
	}
	b.ReportMetric(float64(len(ledger)), "objects")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := explainer.Explain(b.Context(), ref, ledger); err != nil {
			b.Fatalf("explain: %v", err)
		}
	}
}

func configOf(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: $ns, labels: $labels}\n"
}

// counting counts the requests of a client that are no watches.
type counting struct{ reads atomic.Int64 }

func (c *counting) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("watch") == "" {
			c.reads.Add(1)
		}
		return next.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
