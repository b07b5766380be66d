package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	ciCommit = "9f2c1a7be04d5c6b8a7f3e2d1c0b9a8f7e6d5c4b"
	ciImage  = "ghcr.io/acme/api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	ciJUnit  = `<testsuite name="cart"><testcase classname="cart" name="sorts"/><testcase classname="cart" name="sums"><failure message="3 is not 2"/></testcase></testsuite>`
	ciTrivy  = `{"SchemaVersion": 2, "Results": [{"Target": "image", "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-1", "PkgName": "openssl", "Severity": "HIGH", "Title": "bad"}, {"VulnerabilityID": "CVE-2026-2", "Severity": "LOW"}]}]}`
)

func ciFiles(t *testing.T) string {
	t.Helper()
	return write(t, t.TempDir(), map[string]string{
		"a/b/one.xml": ciJUnit, "a/two.xml": ciJUnit, "scan.json": ciTrivy, "cover.out": "mode: set\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 0\n", "odd.txt": "hello", "latin.xml": "<testsuite name=\"\xe4\"/>",
		"lint.xml": `<checkstyle><file name="a"><error severity="error" message="m" source="rule"/></file></checkstyle>`, "sbom.json": `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "a"}]}`,
	})
}

func TestCIOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	added := addShop(t, p, "--gate-image", "--gate-component", "api", "--gate-tests", "--gate-coverage", "70", "--gate-scan", "medium", "--gate-wait", "5")
	contains(t, "gates", p.must(t, "repo", "get", "acme/shop"), "gates          images of api; tests that pass; coverage of 70 %; a scan with nothing above medium; waited for 5 minutes\n")
	contains(t, "fewer gates", p.must(t, "repo", "change", "acme/shop", "--gate-component", "", "--gate-image=false", "--gate-wait", "0"), "gates          tests that pass; coverage of 70 %; a scan with nothing above medium; waited for 30 minutes\n")
	for noun, want := range map[string]string{"list": "no reports\n", "exception": "no exceptions\n"} {
		args := []string{"ci", noun}
		if noun == "exception" {
			args = append(args, "list")
		}
		if got := p.must(t, args...); got != want {
			t.Errorf("an empty %s prints %q", noun, got)
		}
	}
	dir := ciFiles(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	out := p.must(t, "ci", "report", "acme/shop", "--commit", ciCommit, "--branch", "sort", "--run-id", "7", "--run-number", "7", "--run-url", "https://ci.test/7", "--job", "test", "--attempt", "1",
		"--stage", "unit tests=failed@https://ci.test/7?a=b", "--stage", "build=success", "--image", "api="+ciImage, "--junit", at("a/**/*.xml"), "--scan", at("scan.json"), "--coverage", at("cover.out"),
		"--lint", at("lint*.xml"), "--sbom", at("sbom.json"))
	contains(t, "report", out, "commit                     "+ciCommit, "image of api               "+ciImage, "tests of test              2 passed, 2 failed, 0 errors, 0 skipped", "coverage of test           75.0 % (3 of 4)",
		"scan of test               0 critical 1 high 1 low, by trivy", "lint of test               1 errors, 0 warnings, 0 notes, by checkstyle", "bill of materials of test  CycloneDX 1.6, 1 components",
		"unit tests  failed  -        https://ci.test/7?a=b", "build       passed", "DID NOT PASS  WHY", "cart.sums     3 is not 2")
	id := strings.TrimSpace(p.must(t, "ci", "list", "-o", "name"))
	contains(t, "list", p.must(t, "ci", "list", "--repo", "acme/shop", "--branch", "sort"), "9f2c1a7be04d  sort", "failed: unit tests", "2 of 4 failed", "75.0 %", "0 critical 1 high 1 low")
	contains(t, "list -o wide", p.must(t, "ci", "list", "-o", "wide"), ciCommit, added.Repository.ID, "https://ci.test/7")
	contains(t, "findings", p.must(t, "ci", "findings", id), "CVE-2026-1  high      openssl", "CVE-2026-2  low")
	if got := p.must(t, "ci", "findings", id, "--severity", "medium", "-o", "name"); got != "CVE-2026-1\n" {
		t.Errorf("the worse findings are %q", got)
	}
	contains(t, "lints", p.must(t, "ci", "findings", id, "--lint", "-o", "wide"), "test  checkstyle  rule")

	deliver(t, p, added, added.Secret, strings.ReplaceAll(pullOpened, strings.Repeat("a", 40), ciCommit))
	pull := strings.TrimSpace(p.must(t, "pull", "list", "-o", "name"))
	contains(t, "pull", p.must(t, "pull", "get", pull), "2 of 4 tests failed, coverage 75.0 %, scan 0 critical 1 high 1 low", "stage unit tests  failed, https://ci.test/7?a=b", "gate tests        closed: 2 of 4 tests failed: cart.sums: 3 is not 2",
		"gate coverage     open: coverage is 75.0 %", "gate scan         closed: scan finds 0 critical 1 high 1 low; the policy lets pass medium at most: CVE-2026-1 in openssl")

	contains(t, "exception", p.must(t, "ci", "exception", "add", "CVE-2026-1", "--package", "openssl", "--repo", "acme/shop", "--until", "30d", "--reason", "not reached"), "CVE-2026-1  openssl", added.Repository.ID, "not reached")
	exception := strings.TrimSpace(p.must(t, "ci", "exception", "list", "--repo", "acme/shop", "-o", "name"))
	contains(t, "excepted", p.must(t, "pull", "get", pull), "gate scan         open: scan finds 0 critical 0 high 1 low; CVE-2026-1 is excepted by ")
	day := time.Now().AddDate(0, 0, 9).UTC().Format(time.DateOnly)
	made := reads[sdk.ScanException](t, p, 0, "ci", "exception", "add", "CVE-2026-2", "--until", day, "--reason", "low")
	if got := made.Until.UTC().Format(time.DateTime); got != day+" 23:59:59" || made.Project != "default" || made.Repository != "" {
		t.Errorf("an exception for the project is %+v", made)
	}
	if got := p.must(t, "ci", "exception", "remove", exception); got != "ended "+exception+"\n" {
		t.Errorf("remove prints %q", got)
	}

	p.in = added.Secret + "\n"
	hook := p.env["BLUEBERRY_URL"] + strings.TrimPrefix(added.Repository.WebhookURL, roomstest.PublicURL)
	contains(t, "signed", p.must(t, "ci", "report", "--webhook", hook, "--secret-file", "-", "--commit", ciCommit, "--run-id", "8", "--run-number", "8", "--file", at("scan.json")), "accepted: pipeline ci reported on 9f2c1a7be04d")
	p.env["BLUEBERRY_CI_SECRET"] = added.Secret
	if got := p.must(t, "ci", "report", "--webhook", hook+"/ci", "--commit", ciCommit, "--run-id", "8", "--run-number", "8", "--file", at("scan.json")); !strings.HasPrefix(got, "ignored: no news") && !strings.HasPrefix(got, "duplicate: ") { // within one second it is the same call
		t.Errorf("signed again: %q", got)
	}
	p.env["BLUEBERRY_CI_SECRET"] = "not the secret of it"
	if _, said := p.ends(t, cli.ExitRefused, "ci", "report", "--webhook", hook, "--commit", ciCommit, "--file", at("scan.json")); strings.Contains(said, "not the secret of it") || strings.Contains(said, "BLUEBERRY_TOKEN") {
		t.Errorf("the secret is told: %s", said)
	}
	delete(p.env, "BLUEBERRY_CI_SECRET")

	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":            {[]string{"ci", "report"}, cli.ExitUsage, "name the repository"},
		"no commit":          {[]string{"ci", "report", "acme/shop", "--stage", "a=passed"}, cli.ExitUsage, "--commit is needed"},
		"nothing to report":  {[]string{"ci", "report", "acme/shop", "--commit", ciCommit}, cli.ExitUsage, "nothing to report"},
		"no file":            {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--junit", at("none/*.xml"), "--stage", "a", "--image", "x"}, cli.ExitUsage, "no file fits"},
		"a bad stage":        {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--stage", "a=good"}, cli.ExitUsage, `"good" is not passed`},
		"an image twice":     {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--image", "a=x", "--image", "a=y"}, cli.ExitUsage, "names a twice"},
		"a secret for none":  {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--stage", "a=passed", "--secret-file", "x"}, cli.ExitUsage, "--webhook only"},
		"no secret":          {[]string{"ci", "report", "--webhook", hook, "--commit", ciCommit, "--stage", "a=passed"}, cli.ExitUsage, "$BLUEBERRY_CI_SECRET"},
		"a file of no kind":  {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--file", at("odd.txt")}, cli.ExitRefused, "files[0].content: is not JUnit XML"},
		"not UTF-8":          {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--junit", at("latin.xml")}, cli.ExitRefused, "is not UTF-8"},
		"an unpinned image":  {[]string{"ci", "report", "acme/shop", "--commit", ciCommit, "--image", "api=x:1"}, cli.ExitRefused, "must end with its digest"},
		"unknown":            {[]string{"ci", "report", "acme/none", "--commit", ciCommit, "--stage", "a=passed"}, cli.ExitRefused, "acme/none"},
		"get":                {[]string{"ci", "get", "cir_none"}, cli.ExitRefused, "cir_none"},
		"findings":           {[]string{"ci", "findings", "cir_none"}, cli.ExitRefused, "cir_none"},
		"an odd severity":    {[]string{"ci", "findings", id, "--severity", "bad"}, cli.ExitUsage, "is not critical"},
		"list of 0":          {[]string{"ci", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"exceptions of 0":    {[]string{"ci", "exception", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"exception of none":  {[]string{"ci", "exception", "add", "CVE-1"}, cli.ExitUsage, "--reason is needed\n  --until is needed"},
		"exception some day": {[]string{"ci", "exception", "add", "CVE-1", "--reason", "r", "--until", "soon"}, cli.ExitUsage, "neither a day"},
		"exception too far":  {[]string{"ci", "exception", "add", "CVE-1", "--reason", "r", "--until", "200d"}, cli.ExitRefused, "until: is more than 180 days ahead"},
		"remove unknown":     {[]string{"ci", "exception", "remove", "sxc_none"}, cli.ExitRefused, "sxc_none"},
		"a bad gate":         {[]string{"repo", "change", "acme/shop", "--gate-scan", "bad"}, cli.ExitRefused, "policy.gates.scan_max"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}

	for _, args := range [][]string{{"ci", "list"}, {"ci", "get", id}, {"ci", "findings", id}, {"ci", "exception", "list"}} {
		for _, form := range []string{"json", "yaml"} {
			var tree any
			if err := yaml.Unmarshal([]byte(p.must(t, append(args, "-o", form)...)), &tree); err != nil {
				t.Errorf("%v -o %s: %v", args, form, err)
			}
		}
		if p.must(t, append(args, "-q", "-o", "wide")...) == "" || p.err.String() != "" {
			t.Errorf("%v -o wide prints nothing, or says %q", args, p.err.String())
		}
	}
	contains(t, "reports", p.must(t, "__complete", "ci", "get", ""), id+"\tci at 9f2c1a7be04d\n")
	contains(t, "exceptions", p.must(t, "__complete", "ci", "exception", "remove", ""), made.ID+"\tCVE-2026-2\n")
	contains(t, "severities", p.must(t, "__complete", "ci", "findings", "--severity", ""), "critical\nhigh\nmedium\nlow\nunknown\n")
}

// TestWhatCITells: commit, branch and run come from what the CI around us sets; what is named stands above it.
func TestWhatCITells(t *testing.T) {
	t.Parallel()
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"pull_request": {"head": {"sha": "`+ciCommit+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var got sdk.ReportCIRequest
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = sdk.ReportCIRequest{}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		answerJSON(w, 200, sdk.CIReport{ID: "cir_1"})
	}))
	defer srv.Close()
	actions := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_SHA": "merge", "GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "sort", "GITHUB_RUN_ID": "95", "GITHUB_RUN_NUMBER": "12", "GITHUB_RUN_ATTEMPT": "2",
		"GITHUB_JOB": "test", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": event,
	}
	with := func(base map[string]string, more ...string) map[string]string {
		out := map[string]string{}
		for k, v := range base {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	run := sdk.CIRunRequest{ID: "95", Number: 12, Attempt: 2, Job: "test", Provider: "github", URL: "https://github.com/acme/shop/actions/runs/95"}
	gitea := run
	gitea.Provider, gitea.URL = "gitea", "https://github.com/acme/shop/actions/runs/12"
	named := run
	named.ID, named.Number, named.URL = "other", 0, ""
	for name, c := range map[string]struct {
		env            map[string]string
		args           []string
		commit, branch string
		run            sdk.CIRunRequest
	}{
		"GitHub, pull request": {actions, nil, ciCommit, "sort", run},
		"GitHub, push":         {with(actions, "GITHUB_EVENT_NAME", "push", "GITHUB_HEAD_REF", "", "GITHUB_REF_NAME", "main", "GITHUB_SHA", "pushed"), nil, "pushed", "main", run},
		"Gitea":                {with(actions, "GITEA_ACTIONS", "true"), nil, ciCommit, "sort", gitea},
		"named":                {with(actions, "GITHUB_EVENT_PATH", "/none"), []string{"--commit", "other", "--branch", "b", "--run-id", "other"}, "other", "b", named},
		"GitLab": {
			map[string]string{
				"GITLAB_CI": "true", "CI_COMMIT_SHA": "merge", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": ciCommit, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "sort", "CI_COMMIT_REF_NAME": "refs", "CI_PIPELINE_ID": "5",
				"CI_PIPELINE_IID": "3", "CI_PIPELINE_URL": "https://gitlab.com/x", "CI_JOB_NAME": "test 1/2", "CI_JOB_ID": "77", "CI_PIPELINE_CREATED_AT": "2026-01-31T09:30:00Z",
			},
			nil, ciCommit, "sort",
			sdk.CIRunRequest{ID: "5", Number: 3, Attempt: 77, Job: "test 1/2", URL: "https://gitlab.com/x", Provider: "gitlab", StartedAt: "2026-01-31T09:30:00Z"},
		},
		"Bitbucket": {
			map[string]string{
				"BITBUCKET_BUILD_NUMBER": "9", "BITBUCKET_COMMIT": ciCommit, "BITBUCKET_BRANCH": "sort", "BITBUCKET_PIPELINE_UUID": "{p}", "BITBUCKET_STEP_UUID": "{s}", "BITBUCKET_STEP_RUN_NUMBER": "2",
				"BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/acme/shop",
			},
			nil, ciCommit, "sort",
			sdk.CIRunRequest{ID: "{p}", Number: 9, Attempt: 2, Job: "{s}", URL: "https://bitbucket.org/acme/shop/pipelines/results/9", Provider: "bitbucket"},
		},
		"Jenkins": {
			map[string]string{"JENKINS_URL": "https://ci", "GIT_COMMIT": ciCommit, "GIT_BRANCH": "origin/sort", "BUILD_NUMBER": "4", "BUILD_TAG": "jenkins-shop-4", "BUILD_URL": "https://ci/4", "STAGE_NAME": "Test"},
			nil, ciCommit, "sort",
			sdk.CIRunRequest{ID: "jenkins-shop-4", Number: 4, Job: "Test", URL: "https://ci/4", Provider: "jenkins"},
		},
		"nothing": {nil, []string{"--commit", ciCommit}, ciCommit, "", sdk.CIRunRequest{}},
	} {
		p := at(srv.URL)
		for k, v := range c.env {
			p.env[k] = v
		}
		p.must(t, append([]string{"ci", "report", "acme/shop", "--stage", "a=passed"}, c.args...)...)
		if d := cmp.Diff(c.run, got.Run); d != "" || got.Commit != c.commit || got.Branch != c.branch {
			t.Errorf("%s: commit %q of branch %q\n%s", name, got.Commit, got.Branch, d)
		}
	}
	p := at(srv.URL)
	for k, v := range with(actions, "GITHUB_EVENT_PATH", "/none") {
		p.env[k] = v
	}
	usage2 := func(says string) {
		_, said := p.ends(t, cli.ExitUsage, "ci", "report", "acme/shop", "--stage", "a=passed")
		contains(t, "without the event", said, says)
	}
	usage2("name it with --commit")
}
