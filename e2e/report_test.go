package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestReportOfAShell: what examples/pipelines/report.sh tells of the jobs of one run, without any binary of ours, is what a real server then knows of the
// commit; and a file that nobody can read costs no more than itself.
func TestReportOfAShell(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	dir, commits := history(ctx, t, 1)
	s := start(t, newHost(t, "--target-driver", "sim", "--allow-local-repositories"))
	added, err := s.Client.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: dir})
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../examples/pipelines/report.sh")
	if err != nil {
		t.Fatal(err)
	}
	checkout := t.TempDir()
	for name, content := range map[string]string{
		"reports/junit a.xml": `<testsuite name="cart"><testcase name="adds"/><testcase name="sorts"><failure message="want 3"/></testcase></testsuite>`,
		"reports/junit b.xml": `<testsuite name="till"><testcase name="pays"/></testsuite>`,
		"reports/cut off.xml": `<testsuite name="till"><testcase`,
		"reports/coverage":    "mode: set\nexample.com/shop/cart.go:1.1,3.2 3 1\nexample.com/shop/cart.go:4.1,5.2 1 0\n",
		"reports/scan.json": `{"SchemaVersion": 2, "ArtifactName": "shop", "Results": [{"Target": "go.mod", "Vulnerabilities": [
			{"VulnerabilityID": "CVE-2026-1234", "PkgName": "openssl", "InstalledVersion": "3.0.1", "Severity": "HIGH", "Title": "bad"}]}]}`,
		"reports/sbom.cdx.json": `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "openssl"}]}`,
	} {
		path := filepath.Join(checkout, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const image = "ghcr.io/acme/shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	tell := func(job, attempt, secret string, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, script, append([]string{"--commit", commits[0], "--branch", "main"}, args...)...)
		cmd.Dir = checkout
		cmd.Env = append(os.Environ(), "BLUEBERRY_HOOK="+s.URL+"/hooks/"+added.Repository.ID, "BLUEBERRY_CI_SECRET="+secret, "GITHUB_RUN_ID=812", "GITHUB_RUN_NUMBER=17", "GITHUB_RUN_ATTEMPT="+attempt,
			"GITHUB_JOB="+job, "GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=acme/shop")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, c := range []struct {
		reason, job, attempt string
		args                 []string
		fails                string
	}{
		{"a lint that fails", "lint", "1", []string{"--stage", "lint=failure"}, ""},
		{"tests", "test", "1", []string{"--stage", "test=failed@https://ci.example.com/1", "--junit", "reports/junit*", "--coverage", "reports/cover*"}, ""},
		{"an image", "image", "1", []string{"--stage", "build=success", "--stage", "push=", "--image", "web=" + image, "--scan", "reports/scan.json", "--sbom", "reports/sbom*"}, ""},
		{"a file that is cut off", "e2e", "1", []string{"--stage", "e2e=passed", "--junit", "reports/cut*"}, "the files were not taken"},
		{"the lint once more", "lint", "2", []string{"--stage", "lint=success"}, ""},
	} {
		out, err := tell(c.job, c.attempt, added.Secret, c.args...)
		if (err != nil) != (c.fails != "") || !strings.Contains(out, c.fails) {
			t.Fatalf("%s: %v, want %q: %s", c.reason, err, c.fails, out)
		}
	}
	if out, err := tell("lint", "3", "a secret of somebody else", "--stage", "lint=failed"); err == nil || !strings.Contains(out, "401") {
		t.Errorf("what a stranger told: %v: %s", err, out)
	}
	list, err := s.Client.ListCIReports(ctx, sdk.CIReportFilter{Repository: added.Repository.ID})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d reports, want 1: %v", len(list.Items), err)
	}
	got, err := s.Client.GetCIReport(ctx, list.Items[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	want := []sdk.CIStage{
		{Name: "build", Status: "passed"},
		{Name: "e2e", Status: "passed"},
		{Name: "lint", Status: "passed"},
		{Name: "push", Status: "skipped"},
		{Name: "test", Status: "failed", URL: "https://ci.example.com/1"},
	}
	if d := cmp.Diff(want, got.Stages); d != "" {
		t.Error(d)
	}
	if got.Commit != commits[0] || got.Branch != "main" || got.Run.Number != 17 || got.Run.URL != "https://github.com/acme/shop/actions/runs/812" || got.Images["web"] != image {
		t.Errorf("known is %+v", got)
	}
	if len(got.Tests) != 1 || got.Tests[0].Passed != 2 || got.Tests[0].Failed != 1 || len(got.Coverage) != 1 || got.Coverage[0].Percent != "75.0" {
		t.Errorf("tests %+v, coverage %+v", got.Tests, got.Coverage)
	}
	if len(got.Scans) != 1 || got.Scans[0].Counts.High != 1 || len(got.SBOMs) != 1 || got.SBOMs[0].Components != 1 {
		t.Errorf("scans %+v, SBOMs %+v", got.Scans, got.SBOMs)
	}
}
