package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = "../../examples/shop"

// runBlueprintTest gives what the command prints.
func runBlueprintTest(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := blueprintTestCommand()
	c.SilenceErrors, c.SilenceUsage = true, true
	c.Flags().StringP("output", "o", "", "as the root has it")
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func copySample(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(sample)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBlueprintTestPasses(t *testing.T) {
	t.Parallel()
	out, err := runBlueprintTest(t, sample)
	if err != nil || strings.Contains(out, "FAIL") || !strings.Contains(out, "pass  as it is\n") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = runBlueprintTest(t, filepath.Join(sample, "blueberry.test.yaml"), "--case", "as it is", "-o", "name")
	if err != nil || out != "as it is\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestBlueprintTestFails(t *testing.T) {
	t.Parallel()
	dir := copySample(t)
	golden := filepath.Join(dir, "golden", "as-it-is", "02-frontend.yaml")
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(golden, bytes.ReplaceAll(content, []byte("minReplicas: 2"), []byte("minReplicas: 3")), 0o600); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	out, err := runBlueprintTest(t, dir, "--junit", report, "-o", "json")
	if err == nil || !strings.Contains(err.Error(), "1 of ") {
		t.Errorf("%v\n%s", err, out)
	}
	var got struct {
		Blueprint string
		Cases     []struct {
			Name        string
			Passed      bool
			Differences []struct{ Kind, File, Object, Field, Message string }
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Blueprint != "shop" || got.Cases[0].Passed || len(got.Cases[0].Differences) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	d := got.Cases[0].Differences[0]
	if d.File != "golden/as-it-is/02-frontend.yaml" || !strings.HasPrefix(d.Object, "HorizontalPodAutoscaler.autoscaling ") || d.Field != "spec.minReplicas" || d.Message != "is 2, and should be 3" {
		t.Errorf("%+v", d)
	}
	if xml, err := os.ReadFile(report); err != nil || !bytes.Contains(xml, []byte("spec.minReplicas: is 2, and should be 3")) {
		t.Errorf("%v\n%s", err, xml)
	}

	if out, err = runBlueprintTest(t, dir, "--update"); err != nil || !strings.Contains(out, "wrote golden/as-it-is/02-frontend.yaml") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = runBlueprintTest(t, dir, "-o", "yaml"); err != nil || !strings.Contains(out, "passed: true") {
		t.Errorf("%v\n%s", err, out)
	}
	if now, err := os.ReadFile(golden); err != nil || !bytes.Equal(now, content) {
		t.Errorf("the golden file is not what it was (%v)", err)
	}
}

func TestBlueprintTestTellsEveryFault(t *testing.T) {
	t.Parallel()
	dir := copySample(t)
	if err := os.WriteFile(filepath.Join(dir, "blueberry.test.yaml"), []byte("cases:\n- title: a\n  golden: ../x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := runBlueprintTest(t, dir)
	for _, want := range []string{"cases[0].title: there is no such field", "(line 2, column 3)", "cases[0].golden: ", "(line 3, column 11)"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if _, err := runBlueprintTest(t, filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a directory that is not there passed")
	}
}
