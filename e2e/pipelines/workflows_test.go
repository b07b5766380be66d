package pipelines_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const examples = "../../examples/pipelines"

// workflow is what is read of a workflow of GitHub or Gitea.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Env  map[string]string `yaml:"env"`
	Jobs map[string]job    `yaml:"jobs"`
}

type job struct {
	Needs       []string          `yaml:"needs"`
	Minutes     int               `yaml:"timeout-minutes"`
	Permissions map[string]string `yaml:"permissions"`
	Container   any               `yaml:"container"`
	Services    any               `yaml:"services"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	Name     string            `yaml:"name"`
	ID       string            `yaml:"id"`
	If       string            `yaml:"if"`
	Uses     string            `yaml:"uses"`
	With     map[string]any    `yaml:"with"`
	Env      map[string]string `yaml:"env"`
	Run      string            `yaml:"run"`
	Continue bool              `yaml:"continue-on-error"`
}

var workflows = map[string]string{"GitHub": "github/blueberry.yml", "Gitea": "gitea/blueberry.yml"}

func readYAML(t *testing.T, path string, into any) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examples, path))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWorkflowsGiveNoMoreThanNeeded holds what keeps secrets and rights from those who should not have them.
func TestWorkflowsGiveNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	for name, path := range workflows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w workflow
			readYAML(t, path, &w)
			if got := slices.Sorted(maps.Keys(w.On)); !slices.Equal(got, []string{"pull_request", "push"}) {
				t.Errorf("it runs on %v: pull_request_target and the like have secrets while they run what a fork sends", got)
			}
			if !maps.Equal(w.Permissions, map[string]string{"contents": "read"}) {
				t.Errorf("permissions %v, want to read contents and no more", w.Permissions)
			}
			// github.head_ref is chosen by whoever sends a pull request, who could end the runs of the main branch with it.
			if g := w.Concurrency.Group; !w.Concurrency.Cancel || !strings.Contains(g, "github.ref }}") || strings.Contains(g, "head_ref") {
				t.Errorf("concurrency %+v", w.Concurrency)
			}
			for name, j := range w.Jobs {
				if want := map[string]string{"contents": "read", "packages": "write"}; j.Permissions != nil && (name != "image" || !maps.Equal(j.Permissions, want)) {
					t.Errorf("job %s has permissions %v", name, j.Permissions)
				}
				if j.Minutes == 0 || j.Minutes > 60 {
					t.Errorf("job %s may take %d minutes", name, j.Minutes)
				}
				if j.Container != nil || j.Services != nil {
					t.Errorf("job %s wants containers of the runner", name)
				}
				last := j.Steps[len(j.Steps)-1]
				if last.Name != "Tell Blueberry" || last.If != "always() && env.TRUSTED == 'true'" || !last.Continue || !strings.Contains(last.Run, "ci/report.sh") {
					t.Errorf("job %s does not end by telling, whatever became of it: %+v", name, last)
				}
				for _, s := range j.Steps {
					checkStep(t, name, s)
				}
			}
		})
	}
}

func checkStep(t *testing.T, job string, s step) {
	t.Helper()
	if s.Uses != "" && !regexp.MustCompile(`^actions/checkout@(v\d+|[0-9a-f]{40})$`).MatchString(s.Uses) {
		t.Errorf("job %s uses %s", job, s.Uses)
	}
	if s.Uses != "" && s.With["persist-credentials"] != false {
		t.Errorf("job %s leaves the credentials of Git in the checkout", job)
	}
	if strings.Contains(s.Run, "${{") {
		t.Errorf("job %s, step %q: what is in ${{ }} becomes code of the script", job, s.Name)
	}
	if strings.Contains(s.Run, "docker ") || strings.Contains(s.Run, "privileged") || strings.Contains(s.Run, "sudo") {
		t.Errorf("job %s, step %q wants a daemon or more rights", job, s.Name)
	}
	for k, v := range s.Env {
		if (strings.Contains(v, "secrets.") || strings.Contains(v, "github.token")) && !strings.Contains(s.If, "env.TRUSTED == 'true'") {
			t.Errorf("job %s, step %q has %s, also in pull requests of forks", job, s.Name, k)
		}
	}
}

// TestOnlyOneStepSeesEachSecret: what is set for a whole job or workflow would be seen by the tests, and by whatever they download.
func TestOnlyOneStepSeesEachSecret(t *testing.T) {
	t.Parallel()
	for name, path := range workflows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var w workflow
			text := readYAML(t, path, &w)
			steps := 0
			for _, j := range w.Jobs {
				for _, s := range j.Steps {
					for _, v := range s.Env {
						steps += strings.Count(v, "secrets.") + strings.Count(v, "github.token")
					}
				}
			}
			lines := 0
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(strings.TrimSpace(line), "#") {
					lines += strings.Count(line, "secrets.") + strings.Count(line, "github.token")
				}
			}
			if steps == 0 || lines != steps {
				t.Errorf("secrets are named %d times, and %d times in the environment of a step", lines, steps)
			}
		})
	}
}

// stand-ins of the programs that need a network, or the project that is built. They note their arguments.
var standIns = map[string]string{
	"make": `mkdir -p reports; printf '<testsuites/>' >reports/junit.xml; printf 'mode: set\n' >reports/coverage.out; printf '{}' >reports/lint.sarif; [ "$FAILS" != make ]`,
	"buildah": `
case $1 in
from) echo trivy-working-container ;;
run) cat "$STANDINS/trivy.sh" ;;
build) [ "$FAILS" != build ] ;;
login) cat >"$STANDINS/password" ;;
push)
	[ "$FAILS" != push ] || exit 1
	if [ "$2" = --digestfile ]; then
		[ "$FAILS" != registry ] || exit 1
		printf 'sha256:feed' >"$3"
	else
		path=${3#docker-archive:}
		: >"${path%%:*}"
	fi ;;
esac`,
	"trivy.sh": `#!/bin/sh
echo "trivy $*" >>"$STANDINS/log"
[ "$FAILS" != scan ] || exit 1
while [ "$1" != --output ]; do shift; done
printf '{"of":"%s"}' "$2" >"$2"`,
}

type world struct {
	*hook
	dir   string // the checkout
	stand string // where the stand-ins are
	env   []string
}

func openWorld(t *testing.T, fails string) *world {
	t.Helper()
	w := &world{hook: openHook(t, secret), dir: t.TempDir(), stand: t.TempDir()}
	for name, body := range standIns {
		if name != "trivy.sh" {
			body = "#!/bin/sh\necho \"" + name + " $*\" >>\"$STANDINS/log\"\n" + body + "\n"
		}
		write(t, w.stand, map[string]string{name: body})
	}
	text, err := os.ReadFile(script(t))
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.dir, map[string]string{"ci/report.sh": string(text)})
	w.env = []string{"PATH=" + w.stand + ":" + os.Getenv("PATH"), "HOME=/nonexistent", "STANDINS=" + w.stand, "FAILS=" + fails}
	return w
}

func (w *world) run(t *testing.T, shell []string, text string, env []string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell[0], append(slices.Clone(shell[1:]), text)...)
	cmd.Dir, cmd.Env = w.dir, slices.Concat(w.env, env)
	out, err := cmd.CombinedOutput()
	if len(out) > 0 {
		t.Logf("%s", out)
	}
	return err == nil
}

func (w *world) ran(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.stand, "log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var expression = regexp.MustCompile(`\$\{\{ ([^}]*) \}\}`)

// play runs the steps of a job as a runner does: each in bash -e, none after one that failed but those that run always, with what earlier ones put into
// GITHUB_ENV. What is in ${{ }} is looked up in values.
func (w *world) play(t *testing.T, flow workflow, name string, trusted bool) {
	t.Helper()
	temp := t.TempDir()
	kept := filepath.Join(temp, "env")
	values := map[string]string{
		"job.status": "success", "secrets.BLUEBERRY_CI_SECRET": secret, "vars.BLUEBERRY_HOOK": w.URL + "/hooks/rep_1", "github.actor": "ada", "github.token": "the token",
		"vars.REGISTRY_USER": "ada", "secrets.REGISTRY_TOKEN": "the token",
	}
	fill := func(in map[string]string) (out []string) {
		for _, k := range slices.Sorted(maps.Keys(in)) {
			out = append(out, k+"="+expression.ReplaceAllStringFunc(in[k], func(s string) string {
				key := expression.FindStringSubmatch(s)[1]
				v, ok := values[key]
				if !ok && !strings.HasPrefix(key, "steps.") {
					t.Errorf("job %s: %s is not known here", name, key)
				}
				return v
			}))
		}
		return out
	}
	given := maps.Clone(flow.Env)
	maps.Copy(given, map[string]string{"COMMIT": commit, "BRANCH": "topic $(touch pwned)", "TRUSTED": fmt.Sprint(trusted)})
	env := append(fill(given), "GITHUB_ENV="+kept, "RUNNER_TEMP="+temp, "GITHUB_REPOSITORY=Acme/Shop", "GITHUB_SERVER_URL=https://git.example.com", "GITHUB_RUN_ID=812", "GITHUB_RUN_NUMBER=17",
		"GITHUB_RUN_ATTEMPT=1", "GITHUB_JOB="+name, "GITHUB_EVENT_NAME=pull_request")
	for _, s := range flow.Jobs[name].Steps {
		always, wanted := strings.Contains(s.If, "always()"), trusted || !strings.Contains(s.If, "env.TRUSTED == 'true'")
		switch {
		case s.Uses != "":
			continue
		case !wanted, values["job.status"] != "success" && !always:
			values["steps."+s.ID+".outcome"] = "skipped"
			continue
		}
		more, err := os.ReadFile(kept)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		values["steps."+s.ID+".outcome"] = "success"
		if !w.run(t, []string{"bash", "-e", "-c"}, s.Run, slices.Concat(env, strings.Fields(string(more)), fill(s.Env))) {
			values["steps."+s.ID+".outcome"] = "failure"
			if !s.Continue {
				values["job.status"] = "failure"
			}
		}
	}
}

// outcome is what a report says, in short: "lint=failed lint:reports/lint.sarif".
func outcome(reports []report) []string {
	var out []string
	for _, r := range reports {
		var said []string
		for _, s := range r.Stages {
			said = append(said, s.Name+"="+s.Status)
		}
		for _, c := range slices.Sorted(maps.Keys(r.Images)) {
			said = append(said, c+":"+r.Images[c])
		}
		for _, f := range r.Files {
			said = append(said, f.Kind+":"+f.Name)
		}
		out = append(out, strings.Join(said, " "))
	}
	return out
}

func TestWorkflowsTellWhatBecameOfEachJob(t *testing.T) {
	t.Parallel()
	const all = " sbom:reports/sbom.cdx.json scan:reports/scan.json"
	for name, path := range workflows {
		registry := map[string]string{"GitHub": "ghcr.io", "Gitea": "git.example.com"}[name]
		image := " web:" + registry + "/acme/shop@sha256:feed"
		for label, c := range map[string]struct {
			fails, job string
			want       string
		}{
			"lint":                  {job: "lint", want: "lint=passed lint:reports/lint.sarif"},
			"lint that finds":       {job: "lint", fails: "make", want: "lint=failed lint:reports/lint.sarif"},
			"tests":                 {job: "test", want: "test=passed junit:reports/junit.xml coverage:reports/coverage.out"},
			"tests that fail":       {job: "test", fails: "make", want: "test=failed junit:reports/junit.xml coverage:reports/coverage.out"},
			"audit":                 {job: "audit", want: "audit=passed scan:reports/audit.json"},
			"audit that breaks":     {job: "audit", fails: "scan", want: "audit=failed"},
			"image":                 {job: "image", want: "build=passed scan=passed push=passed" + image + all},
			"image that breaks":     {job: "image", fails: "build", want: "build=failed scan=skipped push=skipped"},
			"image not scanned":     {job: "image", fails: "scan", want: "build=passed scan=failed push=skipped"},
			"image not pushed":      {job: "image", fails: "registry", want: "build=passed scan=passed push=failed" + all},
			"image that is no file": {job: "image", fails: "push", want: "build=failed scan=skipped push=skipped"},
		} {
			t.Run(name+", "+label, func(t *testing.T) {
				t.Parallel()
				var flow workflow
				readYAML(t, path, &flow)
				w := openWorld(t, c.fails)
				w.play(t, flow, c.job, true)
				told := w.told(t)
				if got := outcome(told); !slices.Equal(got, []string{c.want}) {
					t.Fatalf("told %q, want %q", got, c.want)
				}
				if r := told[0]; r.Commit != commit || r.Branch != "topic $(touch pwned)" || r.Run.ID != "812" || r.Run.Job != c.job {
					t.Errorf("of %+v", r)
				}
				if _, err := os.Stat(filepath.Join(w.dir, "pwned")); err == nil {
					t.Error("the name of a branch was run as a command")
				}
				w.checkBuild(t, registry+"/acme/shop:"+commit, c.want)
			})
			t.Run(name+" of a fork, "+label, func(t *testing.T) {
				t.Parallel()
				var flow workflow
				readYAML(t, path, &flow)
				w := openWorld(t, c.fails)
				w.play(t, flow, c.job, false)
				if got := w.told(t); len(got) > 0 {
					t.Errorf("it told %q", outcome(got))
				}
				if ran := w.ran(t); strings.Contains(ran, "docker://") || strings.Contains(ran, "login") {
					t.Errorf("it pushed:\n%s", ran)
				}
			})
		}
	}
}

// checkBuild: the password of the registry came by the input alone, and what was pushed is what was built and scanned.
func (w *world) checkBuild(t *testing.T, tag, told string) {
	t.Helper()
	ran := w.ran(t)
	if strings.Contains(ran, "the token") {
		t.Errorf("a password in an argument:\n%s", ran)
	}
	if !strings.Contains(told, "push=passed") && !strings.Contains(told, "@sha256:feed") {
		return
	}
	for _, want := range []string{"buildah build --pull --tag " + tag + " .", tag + " docker://" + tag} {
		if !strings.Contains(ran, want) {
			t.Errorf("%q was not run:\n%s", want, ran)
		}
	}
	if password, err := os.ReadFile(filepath.Join(w.stand, "password")); string(password) != "the token" {
		t.Errorf("the registry was told %q: %v", password, err)
	}
}
