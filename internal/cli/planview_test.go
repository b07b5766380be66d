package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// viewed is when the pictures of these tests are looked at.
var viewed = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

// golden holds a picture as a file; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what is drawn; go test ./internal/cli -update writes it (-file +drawn):\n%s", file, diff)
	}
}

// pictures draws something as people see it: plainly, in colours, and with nothing left out.
func pictures(t *testing.T, name string, draw func(p *picture)) {
	t.Helper()
	for form, p := range map[string]*picture{"": {width: 80}, "-colours": {width: 80, colours: true}, "-wide": {width: 80, wide: true}} {
		draw(p)
		text := p.text.String()
		golden(t, name+form, text)
		if !p.colours && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x9b }) {
			t.Errorf("%s%s holds control characters: %q", name, form, text)
		}
		for l := range strings.Lines(text) {
			if form == "" && utf8.RuneCountInString(l) > 81 && strings.Contains(strings.TrimSpace(l), "/longline ") {
				t.Errorf("%s: a line is over 80 columns: %q", name, l)
			}
		}
	}
}

func value(layer, name string, version int, v any) *sdk.SettingValue {
	return &sdk.SettingValue{Value: v, Origin: sdk.Origin{Layer: layer, Name: name, Version: version}}
}

// changePlan is a plan with something of everything.
func changePlan() sdk.Plan {
	const ns = "default-pr-42"
	script := func(level string) string {
		return "#!/bin/sh\nset -eu\necho starting\nexport LEVEL=" + level + "\nexec serve\n# the end\n# of it\n# all\n"
	}
	return sdk.Plan{
		ID: "pln_06d5xw7k3c8qf2v9m4n1r0t6ya", Kind: "change", Project: "default", Environment: "pr-42", EnvironmentID: "env_1", Actor: "admin", Reason: "log more \x1b[2J and scale",
		Base: 1, Revision: 2, Changes: true, Appliable: true,
		Inputs: []sdk.PlanInput{{Kind: "environment", Name: "pr-42", Value: "revision 1 of env_1"}, {Kind: "config_set", Name: "shop", Value: "4"}, {Kind: "policies", Value: "sha256:00"}},
		Digest: "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
		Objects: []sdk.ObjectDiff{
			{APIVersion: "apps/v1", Kind: "Deployment", Namespace: ns, Name: "backend", Action: "update", Checked: true, Fields: []sdk.FieldDiff{
				{Path: "spec.replicas", Op: "replace", Before: 1.0, After: 2.0},
				{Path: "spec.template.spec.containers[name=backend].env[name=REGION]", Op: "add", After: map[string]any{"name": "REGION", "value": "eu-west-1"}},
				{Path: "spec.template.spec.containers[name=backend].image", Op: "replace", Before: "ghcr.io/acme/backend:1.4.2", After: "ghcr.io/acme/backend@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"},
				{Path: `metadata.annotations["example.com/x"]`, Op: "remove", Before: "true"},
			}},
			{APIVersion: "v1", Kind: "ConfigMap", Namespace: ns, Name: "backend", Action: "update", Fields: []sdk.FieldDiff{
				{Path: `data["start.sh"]`, Op: "replace", Before: script("info"), After: script("debug")},
				{Path: "data.LOG_LEVEL", Op: "replace", Before: "info", After: "debug\x1b]0;title\x07"},
				{Path: "data.motd", Op: "add", After: "hello\nworld\n"},
			}},
			{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler", Namespace: ns, Name: "backend", Action: "create", Note: "its kind is not known to the target yet"},
			{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: "widgets.example.com", Action: "delete"},
			{APIVersion: "v1", Kind: "Service", Namespace: ns, Name: "old", Action: "unchanged", Refused: true, Note: "spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive"},
		},
		Config: []sdk.SettingChange{
			{Path: "backend.env.LOG_LEVEL", Before: value("config_set", "shop", 3, "info"), After: value("config_set", "shop", 4, "debug")},
			{Path: "backend.env.OLD", Before: value("blueprint", "shop", 2, "x"), After: &sdk.SettingValue{Deleted: true, Origin: sdk.Origin{Layer: "environment"}}},
			{Path: "backend.env.REGION", After: value("environment", "region", 0, "eu-west-1")},
			{Path: "backend.host", Before: value("computed", "", 0, "a.example.com"), After: value("computed", "", 0, "b.example.com")},
			{Path: "backend.limit", Before: value("chart", "web-service", 0, 1e6), After: value("environment", "", 0, "1000000")},
			{Path: "backend.args", Before: value("chart", "web-service", 0, []any{"a", 1.0, nil})},
		},
		Quota: []sdk.Fit{
			{Resource: "environments", Scope: "project default", Used: 3, Asked: 0, Limit: 20, Fits: true},
			{Resource: "cpu", Scope: "project default", Used: 3500, Asked: 500, Limit: 4000, Fits: true},
			{Resource: "memory", Scope: "preview environments of project default", Used: 2 << 30, Asked: -512 << 20, Limit: 4 << 30, Fits: true},
		},
		Capacity: []sdk.Fit{{Resource: "cpu", Scope: "target local", Used: 7500, Asked: 500, Limit: 7000}},
		Policies: []sdk.PolicyVerdict{
			{Rule: "default/leases", Object: "environment pr-42", Message: "the lease of an outsider is over 8 hours", Fix: "ask for a lease of at most 8 hours, or have someone of the project ask for it"},
			{Rule: "installation/images-by-digest", Object: "Deployment.apps default-pr-42/backend", Denied: true, Message: "the image has no digest", Fix: "name the image by its digest"},
		},
		Warnings: []sdk.Warning{{Code: "forbidden_field", Field: "overrides.backend.resources", Message: "is forbidden by the blueprint and was dropped"}, {Code: "capacity", Message: "the target has less cpu than its environments ask for at their largest"}},
		Lease:    sdk.PlanLease{Before: viewed.Add(23 * time.Hour), After: viewed.Add(23 * time.Hour)},
		DryRun:   sdk.DryRun{Done: true}, KeyID: "key_1",
		CreatedAt: viewed.Add(-time.Minute), ExpiresAt: viewed.Add(29 * time.Minute),
	}
}

func TestPlanPictures(t *testing.T) {
	t.Parallel()
	blocked := changePlan()
	blocked.Appliable, blocked.Objects, blocked.Config, blocked.Capacity, blocked.Warnings = false, nil, nil, nil, nil
	blocked.Quota[1].Asked, blocked.Quota[1].Fits = 1000, false
	blocked.Blockers = []string{"project default: cpu: 3500m used, 1000m more asked for, the limit is 4000m", "Deployment.apps default-pr-42/backend: the image has no digest; name the image by its digest"}
	blocked.DryRun = sdk.DryRun{Reason: "target local is down: dial tcp 10.0.0.1:6443: connect: connection refused by the other side"}
	for name, plan := range map[string]sdk.Plan{
		"change":  changePlan(),
		"blocked": blocked,
		"create": {
			ID: "pln_2", Kind: "create", Project: "shop", Environment: "demo", Revision: 1, Changes: true, Appliable: true, Lease: sdk.PlanLease{After: viewed.Add(24 * time.Hour), Hours: 24},
			Objects:   []sdk.ObjectDiff{{APIVersion: "v1", Kind: "Namespace", Name: "shop-demo", Action: "create"}, {APIVersion: "v1", Kind: "Service", Namespace: "shop-demo", Name: "web", Action: "create", Fields: []sdk.FieldDiff{{Op: "add", After: map[string]any{"kind": "Service", "spec": map[string]any{"ports": []any{80.0}}}}}}},
			Config:    []sdk.SettingChange{{Path: `web.env["a.b"]`, After: value("blueprint", "", 0, "")}, {Path: "web.port", After: value("chart", "web-service", 0, 8080.0)}},
			CreatedAt: viewed, ExpiresAt: viewed.Add(30 * time.Minute), DryRun: sdk.DryRun{Reason: "the target cannot be asked"},
			Cost: &sdk.PlanCost{
				Currency: "EUR", HourBefore: "0.00", HourAfter: "0.18", HourChange: "0.18", AsleepBefore: "0.00", AsleepAfter: "0.01", ToLeaseEnd: "4.32",
				Parts:      []sdk.CostPart{{Component: "web", Pods: 2, CPU: "500m", Memory: "1Gi", Storage: "10Gi", CPUCost: "0.15", MemoryCost: "0.02", StorageCost: "0.01", Hour: "0.18", HourAsleep: "0.01"}},
				NotCounted: []string{"web: Job migrate runs only for a while"},
			},
		},
		"same": {
			ID: "pln_3", Kind: "change", Project: "default", Environment: "pr-42", Base: 2, Revision: 2, Appliable: true, CreatedAt: viewed, ExpiresAt: viewed.Add(30 * time.Minute),
			DryRun: sdk.DryRun{Reason: "nothing would be applied"},
		},
		"rollback": {
			ID: "pln_4", Kind: "rollback", Project: "default", Environment: "pr-42", Base: 5, Revision: 6, Changes: true, Appliable: true, AppliedRevision: 6, AppliedAt: viewed.Add(-time.Minute),
			Lease: sdk.PlanLease{Before: viewed.Add(time.Hour), After: viewed.Add(2 * time.Hour)}, DryRun: sdk.DryRun{Done: true}, ExpiresAt: viewed.Add(time.Minute),
		},
		"destroy": {
			ID: "pln_5", Kind: "destroy", Project: "default", Environment: "pr-42", Base: 5, Changes: true, Appliable: true, Lease: sdk.PlanLease{Before: viewed.Add(time.Hour)},
			Objects: []sdk.ObjectDiff{{APIVersion: "v1", Kind: "Service", Namespace: "default-pr-42", Name: "web", Action: "delete"}}, ExpiresAt: viewed.Add(-time.Minute),
		},
	} {
		pictures(t, "plan-"+name, func(p *picture) { p.plan(viewed, plan) })
	}
}

// TestALargePlanIsCut holds what is shown of many fields, and what is said of the rest.
func TestALargePlanIsCut(t *testing.T) {
	t.Parallel()
	plan := changePlan()
	plan.Objects = nil
	for i := range 30 {
		o := sdk.ObjectDiff{APIVersion: "v1", Kind: "ConfigMap", Name: fmt.Sprintf("c%d", i), Action: "update"}
		for j := range 10 {
			o.Fields = append(o.Fields, sdk.FieldDiff{Path: fmt.Sprintf("data.k%d", j), Op: "add", After: "v"})
		}
		plan.Objects = append(plan.Objects, o)
	}
	draw := func(wide bool) string {
		p := &picture{width: 80, wide: wide}
		p.plan(viewed, plan)
		return p.text.String()
	}
	short, long := draw(false), draw(true)
	if n := strings.Count(short, "+ data.k"); n != maxFieldLines {
		t.Errorf("%d fields are shown, want %d", n, maxFieldLines)
	}
	if !strings.Contains(short, "    … and 100 more lines; -o wide shows all\n") || strings.Count(short, "ConfigMap c") != 30 {
		t.Errorf("it does not say that there are more, or leaves out objects:\n%s", short)
	}
	if n := strings.Count(long, "+ data.k"); n != 300 || strings.Contains(long, "more lines") {
		t.Errorf("-o wide shows %d of 300 fields", n)
	}
	if !strings.Contains(short, "backend.env.LOG_LEVEL: info → debug  (config set shop@4)\n") {
		t.Errorf("fields of objects push out those of the config:\n%s", short)
	}
}

func TestOtherPictures(t *testing.T) {
	t.Parallel()
	plan := changePlan()
	drift := []sdk.ObjectDiff{
		{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "n", Name: "web", Action: "update", Fields: []sdk.FieldDiff{
			{Path: "spec.replicas", Op: "replace", Before: 2.0, After: 5.0, Manager: "kubectl-edit", Since: viewed.Add(-5 * time.Minute)},
			{Path: "spec.paused", Op: "add", After: true, Manager: "kubectl"},
			{Path: "spec.minReadySeconds", Op: "remove", Before: 3.0},
		}},
		{APIVersion: "v1", Kind: "Service", Namespace: "n", Name: "web", Action: "create"},
		{APIVersion: "v1", Kind: "Secret", Namespace: "n", Name: "left", Action: "delete", Note: "it carries our labels"},
	}
	pictures(t, "drift", func(p *picture) { p.driftObjects(viewed, drift) })
	diff := sdk.RevisionDiff{From: sdk.Revision{Number: 1}, To: sdk.Revision{Number: 3}, Config: plan.Config[:1], Objects: plan.Objects[:1], Inputs: []sdk.InputChange{
		{Kind: "commit", Name: "https://git.example.com/acme/shop.git", Before: "5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d", After: "0b7c1f4d5e6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c"},
		{Kind: "config_set", Name: "shop", Before: "3", After: "4"},
		{Kind: "config_set", Name: "logging", After: "1"},
		{Kind: "policies", Before: "x"},
	}}
	pictures(t, "revisions", func(p *picture) { p.revisions("pr-42", diff) })
	pictures(t, "revisions-same", func(p *picture) { p.revisions("pr-42", sdk.RevisionDiff{From: diff.From, To: diff.To}) })
	pictures(t, "config-diff", func(p *picture) {
		p.configVersions("shop", sdk.ConfigDiff{
			From: &sdk.ConfigVersion{Number: 3, Content: "a: 1\nb: 2 # two\nc: 3\nd: 4\n"}, To: sdk.ConfigVersion{Number: 4, Content: "a: 1\nb: 3 # three\nc: 3\nd: 4\n"}, Changes: plan.Config[:1],
		})
	})
	use := sdk.EnvironmentUse{Project: "default", Name: "pr-42", Phase: "ready", Number: 3, Follows: true}
	pictures(t, "impact", func(p *picture) {
		p.impact(sdk.ConfigImpact{
			ConfigSet: sdk.ConfigSet{Name: "shop", Global: true}, Total: 12, Change: 8,
			Groups: []sdk.ImpactGroup{
				{Environments: 7, Example: use, Settings: plan.Config[:1], Objects: plan.Objects[:1], Warnings: plan.Warnings[:1]},
				{Environments: 1, Example: sdk.EnvironmentUse{Project: "shop", Name: "demo"}, Note: "its charts are in a repository that cannot be read", Faults: []sdk.FieldError{{Field: "config_sets.shop@4.web.replicas", Message: "must be a number"}}},
			},
			Items: []sdk.ImpactedEnvironment{{EnvironmentUse: use}, {EnvironmentUse: sdk.EnvironmentUse{Project: "shop", Name: "demo", Phase: "failed", Number: 2}, Group: 1, Pins: true}},
		})
	})
	pictures(t, "why", func(p *picture) {
		p.why(sdk.Setting{
			Path: "backend.env.LOG_LEVEL", Value: "debug", Origin: sdk.Origin{Layer: "config_set", Name: "shop", Version: 3, Author: "admin", Commit: "5f1d3c1e8a0b4c6d9e2f7a8b9c0d1e2f3a4b5c6d"},
			Shadows: []sdk.Shadow{{Value: "info", Origin: sdk.Origin{Layer: "blueprint", Name: "shop", Version: 2, Author: "eve"}}, {Value: nil, Origin: sdk.Origin{Layer: "chart", Name: "web-service"}}},
		})
		p.why(sdk.Setting{Path: "backend.motd", Value: "hello\nworld\n", Origin: sdk.Origin{Layer: "environment"}})
		p.why(sdk.Setting{Path: "backend.old", Deleted: true, Origin: sdk.Origin{Layer: "environment", Name: "old"}})
	})
}

func TestEffectiveValues(t *testing.T) {
	t.Parallel()
	found := sdk.EnvironmentSettings{
		Settings: []sdk.Setting{
			{Path: `web["a.b"]`, Value: 1.0, Origin: sdk.Origin{Layer: "chart", Name: "web-service"}},
			{Path: "web.args", Value: []any{"x", 1e6}, Origin: sdk.Origin{Layer: "environment"}},
			{Path: "web.db", Value: map[string]any{"secretRef": "db/url"}, Origin: sdk.Origin{Layer: "config_set", Name: "global/db", Version: 2}},
			{Path: "web.empty", Value: map[string]any{}, Origin: sdk.Origin{Layer: "blueprint"}},
			{Path: "web.old", Deleted: true, Origin: sdk.Origin{Layer: "environment"}},
			{Path: "web.size", Value: 1500000.0, Origin: sdk.Origin{Layer: "environment", Name: "size"}},
			{Path: "web.text", Value: "true", Origin: sdk.Origin{Layer: "computed"}},
		},
		Values: map[string]any{"web": map[string]any{
			"a.b": 1.0, "args": []any{"x", 1e6}, "db": map[string]any{"secretRef": "db/url"}, "empty": map[string]any{}, "size": 1500000.0, "text": "true",
		}},
	}
	for _, origins := range []bool{false, true} {
		var b strings.Builder
		if err := printEffective(&b, found, origins); err != nil {
			t.Fatal(err)
		}
		golden(t, map[bool]string{false: "effective", true: "effective-origins"}[origins], b.String())
		tree, err := parseValues([]byte(b.String()))
		if err != nil {
			t.Fatalf("it is not YAML: %v", err)
		}
		if diff := cmp.Diff(canonical(t, compact(found.Values)), canonical(t, compact(tree))); diff != "" {
			t.Errorf("it does not hold the values (-values +YAML):\n%s", diff)
		}
	}
}
