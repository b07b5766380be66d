package render

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// BenchmarkRenderSample renders the sample application of two components with its guard rails: what "create" pays.
func BenchmarkRenderSample(b *testing.B) {
	in := sample(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Environment(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHelmCLISample renders the same two components by the helm CLI as a process each, as a pipeline would: for comparison.
func BenchmarkHelmCLISample(b *testing.B) {
	in := sample(b)
	helm := filepath.Join(b.TempDir(), "helm")
	if out, err := exec.Command("go", "build", "-o", helm, "./testdata/helmcli").CombinedOutput(); err != nil {
		b.Fatalf("build helm: %v\n%s", err, out)
	}
	var files []string
	for _, c := range in.Blueprint.Components {
		values, err := json.Marshal(c.Values)
		if err != nil {
			b.Fatal(err)
		}
		file := filepath.Join(b.TempDir(), c.Name+".json")
		if err := os.WriteFile(file, values, 0o600); err != nil {
			b.Fatal(err)
		}
		files = append(files, file)
	}
	for b.Loop() {
		for _, f := range files {
			if out, err := exec.Command(helm, "template", "web", "../../charts/web-service", "--values", f).CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
		}
	}
}

// BenchmarkRenderCorpus renders a chart with dependencies from a repository, where nothing is cached.
func BenchmarkRenderCorpus(b *testing.B) {
	for b.Loop() {
		if _, found := ours("umbrella", nil); len(found) > 0 {
			b.Fatal(found)
		}
	}
}

// BenchmarkMerge merges four layers over a chart of 2,000 leaves, and says where each comes from: what every plan pays beside its rendering. The blueprint,
// a config set and the overrides set 600 of them each.
func BenchmarkMerge(b *testing.B) {
	group := func(from, to int, value string) map[string]any {
		out := map[string]any{}
		for i := from; i < to; i++ {
			at := child(out, fmt.Sprintf("part%d", i/100), fmt.Sprintf("group%d", i/10%10))
			at[fmt.Sprintf("setting%d", i)] = value
		}
		return out
	}
	defaults, err := json.Marshal(group(0, 2000, "from the chart"))
	if err != nil {
		b.Fatal(err)
	}
	in := Input{
		Project: blueberry.Project{Name: "shop"}, Name: "pr-1", Namespace: "shop-pr-1", Domain: "localhost",
		Source:    fstest.MapFS{"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n")}, "c/values.yaml": {Data: defaults}},
		Blueprint: blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Chart: "c", Values: group(0, 600, "from the blueprint")}}},
		Layers: []blueberry.Layer{
			{Origin: blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: "shop", Version: 1}, Field: "config_sets.shop", Values: map[string]any{"web": group(300, 900, "from the config set")}},
			{Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}, Field: "overrides", Values: map[string]any{"web": group(600, 1200, "from the overrides")}},
		},
	}
	c, err := loadChart(in.Source, "c") // reading the chart is no part of merging
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m := newMerger(in, nil)
		s := &stack{component: in.Blueprint.Components[0]}
		s.use(c, "")
		m.stacks = append(m.stacks, s)
		m.merge()
		if settings := m.settings(); len(m.faults) > 0 || len(settings) != 2006 {
			b.Fatal(len(settings), m.faults)
		}
	}
}
