package render

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
