package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestEveryFormOfHowEnvironmentsLive is TestEveryFormOfEveryCommand for how environments live and end, and for targets.
func TestEveryFormOfHowEnvironmentsLive(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	p.create(t, "gone-1")
	p.must(t, "env", "destroy", "gone-1", "--yes", "--wait")
	archive := strings.TrimSpace(p.must(t, "archive", "list", "-o", "name"))
	p.create(t, "pr-1")
	p.must(t, "env", "sleep", "pr-1", "--wait")
	p.must(t, "env", "wake", "pr-1", "--wait")
	orphan := leave(t, r, p)
	for _, args := range [][]string{
		{"env", "why", "pr-1"},
		{"env", "wakes", "pr-1"},
		{"env", "sleep-policy", "pr-1"},
		{"env", "label", "pr-1", "team=shop", "demo="},
		{"env", "label", "pr-1"},
		{"env", "top", "pr-1"},
		{"env", "object", "pr-1", "deployment/web"},
		{"env", "events", "pr-1", "--all"},
		{"env", "receipt", "gone-1"},
		{"env", "pin", "pr-1", "--for", "10d"},
		{"env", "unpin", "pr-1"},
		{"env", "restart", "pr-1"},
		{"env", "wake", "pr-1"},
		{"archive", "list"},
		{"archive", "get", archive},
		{"orphan", "list"},
		{"orphan", "get", orphan},
		{"retention"},
		{"status"},
		{"target", "list"},
		{"target", "get", "local"},
		{"target", "check", "local"},
		{"target", "drain", "local", "--plan"},
		{"target", "uncordon", "local"},
		{"project", "life", "default"},
	} {
		name := strings.Join(args, " ")
		for _, form := range []string{"json", "yaml"} {
			var tree any
			text := p.must(t, append(args, "-o", form)...)
			if err := yaml.Unmarshal([]byte(text), &tree); err != nil || tree == nil {
				t.Errorf("%s -o %s: %v\n%s", name, form, err, text)
			}
		}
		for _, flags := range [][]string{{"-q", "-o", "wide"}, {"-q", "-o", "name"}, {"-q", "--output", ""}} {
			if p.must(t, append(args, flags...)...) == "" && !(name == "env why pr-1" && flags[2] == "name") {
				t.Errorf("%s %v prints nothing", name, flags)
			}
			if p.err.String() != "" {
				t.Errorf("%s %v says on the way: %s", name, flags, p.err.String())
			}
		}
		p.terminal, p.env["NO_COLOR"] = true, "1"
		if got := p.must(t, args...); strings.Contains(got, "\x1b") {
			t.Errorf("%s is coloured in spite of NO_COLOR: %q", name, got)
		}
		p.terminal = false
		delete(p.env, "NO_COLOR")
	}
	contains(t, "why of one that is well", p.must(t, "env", "why", "pr-1"), "pr-1 is ", "STEP", "MAY TAKE", "\nnothing is known to be wrong\n")
	contains(t, "states", p.must(t, "__complete", "archive", "list", "--state", ""), "terminated\nfailed\n")
	contains(t, "kinds", p.must(t, "__complete", "orphan", "list", "--kind", ""), "objects\nrecord\nfiles\n")
	contains(t, "drivers", p.must(t, "__complete", "target", "add", "x", "--driver", ""), "kube\nargocd\nsim\n")
	contains(t, "targets of a flag", p.must(t, "__complete", "env", "undo", "gone-1", "--target", ""), "local\tsim\n")
	for _, what := range []string{"why", "logs", "top", "exec", "open", "object", "sleep", "wake", "sleep-policy", "wakes", "restart", "scale", "redeploy", "pin", "unpin"} {
		contains(t, what, p.must(t, "__complete", "env", what, "pr"), "pr-1\tready, expires in ")
	}
	usage(t, p, "--all shows what is there", "env", "events", "pr-1", "--all", "-w")
}

// TestWhatKubernetesSaysCannotMoveTheCursor reads answers that would.
func TestWhatKubernetesSaysCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	const evil = "\x1b]0;title\x07\x1b[2Jevil\nSECOND"
	at0 := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ref := sdk.ObjectRef{APIVersion: "v1", Kind: "Pod", Namespace: evil, Name: evil}
	answers := map[string]any{
		"/v1/environments/env_1":          sdk.Environment{ID: "env_1", Project: "default", Name: "pr-1", Phase: sdk.Failed},
		"/v1/environments/env_1/why":      sdk.Why{Phase: sdk.Failed, Message: evil, Steps: []sdk.Step{{Condition: sdk.Condition{Type: "Started", Status: "False", Message: evil}, Over: true, TookMS: 90_000, BudgetMS: 1500}}, Causes: []sdk.Cause{{Code: evil, Severity: "failure", Message: evil, Fix: evil, Evidence: []sdk.Evidence{{Source: evil, Text: evil}, {Source: "pod", Text: "2"}, {Source: "pod", Text: "3"}, {Source: "pod", Text: "4"}}}}},
		"/v1/environments/env_1/timeline": sdk.Timeline{Items: []sdk.TimelineEntry{{At: at0, Type: evil, Object: &ref, Message: evil, Actor: evil, Count: 3, Warning: true}}},
		"/v1/environments/env_1/receipt":  sdk.Receipt{Environment: "pr-1", BeganAt: at0, Lines: []sdk.ReceiptLine{{System: "kubernetes", Object: evil}}, Leftovers: []sdk.Leftover{{ObjectRef: ref, Finalizers: []string{evil}, Message: evil, Fix: evil}}},
		"/v1/orphans/orp_1":               sdk.Orphan{ID: evil, Target: evil, Kind: "objects", Objects: []sdk.ObjectRef{ref}, Leftovers: []sdk.ObjectRef{ref}, Message: evil},
		"/v1/repositories/rep_1":          sdk.Repository{ID: evil, Project: evil, Name: evil, Host: evil, URL: evil, WebhookURL: evil, Policy: sdk.PullPolicy{Bases: []string{evil}, Prefix: evil}},
		"/v1/repositories":                sdk.RepositoryList{Items: []sdk.Repository{{ID: evil, Name: evil, URL: evil, Policy: sdk.PullPolicy{Prefix: evil}}}},
		"/v1/pulls/pul_1":                 sdk.PullRequest{ID: evil, Title: evil, Author: evil, HeadRef: evil, HeadRepository: evil, Fork: true, Labels: []string{evil}, Message: evil},
		"/v1/pulls/pul_1/commands":        sdk.PullCommandList{Items: []sdk.PullCommand{{ID: evil, Author: evil, Verb: evil, Arguments: []string{evil}, Outcome: evil, CommentID: evil, Answer: evil, AnswerID: evil, DeliveryID: evil}}},
		"/v1/pulls":                       sdk.PullRequestList{Items: []sdk.PullRequest{{ID: evil, Title: evil, Author: evil, HeadRef: evil, Message: evil, Outcome: evil}}},
		"/v1/deliveries":                  sdk.DeliveryList{Items: []sdk.Delivery{{ID: evil, Event: evil, Action: evil, HostID: evil, Verdict: evil, Reason: evil}}},
		"/v1/deliveries/dlv_1":            sdk.Delivery{ID: evil, Event: evil, Verdict: evil, Reason: evil, Headers: map[string]string{evil: evil}, Body: "\x1b]0;title\x07one\ntwo\r\x1b[2J"},
		"/v1/deliveries/dlv_2":            sdk.Delivery{ID: "dlv_2", BodyBase64: evil},
		"/v1/deliveries/dlv_1/replay":     sdk.ReplayedDelivery{Delivery: sdk.Delivery{ID: evil, ReplayOf: evil, Reason: evil}, Pull: &sdk.PullRequest{BaseRepository: evil, State: evil}},
		"/v1/subscriptions/sub_1":         sdk.Subscription{ID: evil, Project: evil, Name: evil, Kind: evil, Endpoint: evil, Events: []string{evil}, Off: true, OffWhy: evil},
		"/v1/subscriptions":               sdk.SubscriptionList{Items: []sdk.Subscription{{ID: evil, Name: evil, Kind: evil, Events: []string{evil}, Health: sdk.SubscriptionHealth{FailingSince: at0, LastError: evil}}}},
		"/v1/notices/ntc_1":               sdk.Notice{ID: evil, EventType: evil, Message: evil, State: evil, Attempts: []sdk.NoticeAttempt{{At: at0, Error: evil}}},
		"/v1/notices":                     sdk.NoticeList{Items: []sdk.Notice{{ID: evil, EventType: evil, Message: evil, State: evil, Attempts: []sdk.NoticeAttempt{{At: at0, Error: evil}}}}},
		"/v1/targets/eu":                  sdk.Target{Name: evil, Message: evil, State: "cordoned", Reason: evil},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := answers[r.URL.Path]; ok {
			answerJSON(w, 200, v)
			return
		}
		answerJSON(w, 404, sdk.Problem{Status: 404, Code: "X", Detail: evil})
	}))
	defer srv.Close()
	p := at(srv.URL)
	for _, args := range [][]string{
		{"env", "why", "env_1"},
		{"env", "events", "env_1", "--all"},
		{"env", "receipt", "env_1"},
		{"orphan", "get", "orp_1"},
		{"target", "get", "eu"},
		{"repo", "get", "rep_1"},
		{"repo", "list"},
		{"pull", "get", "pul_1"},
		{"pull", "list"},
		{"pull", "commands", "pul_1"},
		{"delivery", "list"},
		{"delivery", "get", "dlv_1"},
		{"delivery", "get", "dlv_2"},
		{"delivery", "replay", "dlv_1"},
		{"subscription", "get", "sub_1"},
		{"subscription", "list"},
		{"notice", "get", "ntc_1"},
		{"notice", "list"},
	} {
		for _, form := range []string{"wide", "name"} {
			if got := p.must(t, append(args, "-o", form)...); strings.ContainsAny(got, "\x1b\x07") || strings.Contains(got, "\nSECOND") && args[1] != "why" {
				t.Errorf("%v -o %s prints %q", args, form, got)
			}
		}
	}
	why := p.must(t, "env", "why", "env_1")
	contains(t, "why", why, "pr-1 is failed: ", "Started  False   1m30s  1.5s ", "(failure): ", "    and 1 more; -o wide shows them\n", "  → ")
	p.terminal = true
	contains(t, "why in colours", p.must(t, "env", "why", "env_1"), "\x1b[31mfailed\x1b[0m")
	p.terminal = false
	contains(t, "receipt", p.must(t, "env", "receipt", "env_1"), "and is not over\n", "not yet", "left: pod/", "held by ")
	p.ends(t, cli.ExitRefused, "env", "wakes", "env_1")
}
