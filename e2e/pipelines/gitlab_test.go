package pipelines_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	withoutNode = "BLUEBERRY_TEST_WITHOUT_NODE"
	schemaDir   = "testdata/gitlab"
)

// TestGitLabReadsThePipeline: it is what GitLab's own schema says that a pipeline is. The npm package gitlab-ci-local has the schema, and reads by it.
func TestGitLabReadsThePipeline(t *testing.T) {
	t.Parallel()
	if os.Getenv(withoutNode) != "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is set in CI: a test that was left out is a test that did not hold", withoutNode)
		}
		t.Logf("%s is set: the pipeline of GitLab is not read by its schema", withoutNode)
		return
	}
	if _, err := os.Stat(filepath.Join(schemaDir, "node_modules", ".package-lock.json")); err != nil { // npm writes it last
		install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = schemaDir
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v; set %s=1 to leave it out\n%s", err, withoutNode, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(examples, "gitlab/.gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ was, is, says string }{
		"as it is":         {says: "json schema validated"},
		"a bad timeout":    {"timeout: 30 minutes", "timeout: [30]", "timeout"},
		"a bad word":       {"on_new_commit: interruptible", "on_new_commit: perhaps", "on_new_commit"},
		"a job that waits": {"needs: [build]", "needs: [nobody]", "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			changed := strings.Replace(string(text), c.was, c.is, 1)
			if c.was != "" && changed == string(text) {
				t.Fatalf("%q is not in the pipeline", c.was)
			}
			write(t, dir, map[string]string{".gitlab-ci.yml": changed})
			for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"remote", "add", "origin", "https://gitlab.example.com/acme/shop.git"}} {
				git := exec.CommandContext(t.Context(), "git", args...)
				git.Dir = dir
				if out, err := git.CombinedOutput(); err != nil {
					t.Fatalf("git: %v\n%s", err, out)
				}
			}
			bin, err := filepath.Abs(filepath.Join(schemaDir, "node_modules/gitlab-ci-local/dist/index.js"))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "node", bin, "--list")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir)
			out, err := cmd.CombinedOutput()
			if (err == nil) != (c.was == "") || !strings.Contains(string(out), c.says) {
				t.Errorf("%v, want %q in it:\n%s", err, c.says, out)
			}
		})
	}
}

// pipeline is what is read of a pipeline of GitLab. The jobs are what else is in it.
type pipeline struct {
	Stages    []string          `yaml:"stages"`
	Variables map[string]string `yaml:"variables"`
	Workflow  struct {
		Cancel map[string]string   `yaml:"auto_cancel"`
		Rules  []map[string]string `yaml:"rules"`
	} `yaml:"workflow"`
	Default struct {
		Interruptible bool   `yaml:"interruptible"`
		Timeout       string `yaml:"timeout"`
	} `yaml:"default"`
	Jobs map[string]gitlabJob `yaml:",inline"`
}

type gitlabJob struct {
	Stage       string            `yaml:"stage"`
	Image       string            `yaml:"image"`
	Services    any               `yaml:"services"`
	Variables   map[string]string `yaml:"variables"`
	Needs       []string          `yaml:"needs"`
	Script      []string          `yaml:"script"`
	AfterScript []string          `yaml:"after_script"`
	Artifacts   map[string]any    `yaml:"artifacts"`
}

func readGitLab(t *testing.T) pipeline {
	t.Helper()
	var p pipeline
	readYAML(t, "gitlab/.gitlab-ci.yml", &p)
	return p
}

func TestGitLabGivesNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	p := readGitLab(t)
	if first := p.Workflow.Rules[0]; first["when"] != "never" || !strings.Contains(first["if"], "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID != $CI_PROJECT_ID") {
		t.Errorf("merge requests of forks run with the variables of this project: %v", first)
	}
	if p.Workflow.Cancel["on_new_commit"] != "interruptible" || !p.Default.Interruptible || p.Default.Timeout == "" {
		t.Errorf("older pipelines go on, or jobs may take forever: %+v %+v", p.Workflow.Cancel, p.Default)
	}
	for name, j := range p.Jobs {
		if j.Services != nil || strings.Contains(strings.Join(j.Script, "\n"), "docker ") {
			t.Errorf("job %s wants a daemon", name)
		}
		if after := strings.Join(j.AfterScript, "\n"); !strings.Contains(after, "ci/report.sh") || !strings.Contains(after, "$CI_JOB_STATUS") {
			t.Errorf("job %s does not tell what became of it", name)
		}
		if j.Artifacts != nil && j.Artifacts["when"] != "always" {
			t.Errorf("job %s keeps nothing when it fails", name)
		}
	}
}

// playGitLab runs a job as a runner does: the script in a shell that ends at the first command that fails, what runs after it in another.
func (w *world) playGitLab(t *testing.T, p pipeline, name string, more ...string) {
	t.Helper()
	j := p.Jobs[name]
	given := map[string]string{
		"CI_COMMIT_SHA": commit, "CI_COMMIT_REF_NAME": "main", "CI_PIPELINE_ID": "812", "CI_PIPELINE_IID": "17", "CI_JOB_NAME": name, "CI_JOB_ID": "4711",
		"CI_PIPELINE_URL": "https://gitlab.example.com/acme/shop/-/pipelines/812", "CI_JOB_URL": "https://gitlab.example.com/acme/shop/-/jobs/4711",
		"CI_REGISTRY": "registry.example.com", "CI_REGISTRY_IMAGE": "registry.example.com/acme/shop", "CI_REGISTRY_USER": "ada", "CI_REGISTRY_PASSWORD": "the token",
	}
	vars := maps.Clone(given)
	for _, layer := range []map[string]string{p.Variables, j.Variables} {
		for _, k := range slices.Sorted(maps.Keys(layer)) {
			vars[k] = os.Expand(layer[k], func(name string) string { return given[name] })
		}
	}
	env := append([]string{"BLUEBERRY_HOOK=" + w.URL + "/hooks/rep_1", "BLUEBERRY_CI_SECRET=" + secret}, more...)
	for k, v := range vars {
		env = append(env, k+"="+v)
	}
	status := "success"
	if !w.run(t, []string{"sh", "-e", "-c"}, strings.Join(j.Script, "\n"), env) {
		status = "failed"
	}
	if !w.run(t, []string{"sh", "-e", "-c"}, strings.Join(j.AfterScript, "\n"), append(env, "CI_JOB_STATUS="+status)) {
		t.Errorf("what runs after %s has failed", name)
	}
}

func TestGitLabTellsWhatBecameOfEachJob(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		fails, job string
		want       string
	}{
		"lint":              {job: "lint", want: "lint=passed lint:reports/lint.sarif"},
		"lint that finds":   {job: "lint", fails: "make", want: "lint=failed lint:reports/lint.sarif"},
		"tests":             {job: "test", want: "test=passed junit:reports/junit.xml coverage:reports/coverage.out"},
		"tests that fail":   {job: "test", fails: "make", want: "test=failed junit:reports/junit.xml coverage:reports/coverage.out"},
		"audit":             {job: "audit", want: "audit=passed scan:reports/audit.json"},
		"audit that breaks": {job: "audit", fails: "scan", want: "audit=failed"},
		"build":             {job: "build", want: "build=passed web:registry.example.com/acme/shop@sha256:feed"},
		"build that breaks": {job: "build", fails: "build", want: "build=failed"},
		"build not pushed":  {job: "build", fails: "push", want: "build=failed"},
		"scan":              {job: "scan", want: "scan=passed sbom:reports/sbom.cdx.json scan:reports/scan.json"},
		"scan that breaks":  {job: "scan", fails: "scan", want: "scan=failed"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			w := openWorld(t, c.fails)
			if c.job == "scan" {
				write(t, w.dir, map[string]string{"reports/digest": "sha256:feed"}) // the artifact of the job build
			}
			w.playGitLab(t, readGitLab(t), c.job)
			told := w.told(t)
			if got := outcome(told); !slices.Equal(got, []string{c.want}) {
				t.Fatalf("told %q, want %q", got, c.want)
			}
			if r := told[0]; r.Commit != commit || r.Run.Job != c.job || r.Stages[0].URL != "https://gitlab.example.com/acme/shop/-/jobs/4711" {
				t.Errorf("of %+v", r)
			}
			w.checkBuild(t, "registry.example.com/acme/shop:"+commit, c.want)
			if c.job == "scan" && !strings.Contains(w.ran(t), "registry.example.com/acme/shop@sha256:feed") {
				t.Errorf("what was pushed was not scanned:\n%s", w.ran(t))
			}
		})
	}
	t.Run("a fork has neither hook nor secret", func(t *testing.T) {
		t.Parallel()
		w := openWorld(t, "")
		w.playGitLab(t, readGitLab(t), "build", "BLUEBERRY_HOOK=", "BLUEBERRY_CI_SECRET=")
		if got := w.told(t); len(got) > 0 {
			t.Errorf("it told %q", outcome(got))
		}
	})
}
