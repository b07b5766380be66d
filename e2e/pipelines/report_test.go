package pipelines_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/generic"
)

const (
	commit = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e"
	secret = "a secret % that\\nobody \"guesses\" $(id)"
)

// What is told is what the server reads.
type (
	report = source.CIWish
	run    = source.CIRunWish
	stage  = source.CIStageWish
	file   = source.CIFileWish
)

// hook stands for the webhook of a repository: it keeps what was signed well.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	reports  []report
	refused  int
	statuses []int // answers that are given before the good ones
}

func openHook(t *testing.T, key string) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.statuses) > 0 {
			w.WriteHeader(h.statuses[0])
			fmt.Fprint(w, `{"detail":"not today"}`)
			h.statuses = h.statuses[1:]
			return
		}
		var said report
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		switch {
		case err != nil, r.Method != http.MethodPost, r.URL.Path != "/hooks/rep_1/ci", r.Header.Get("Content-Type") != "application/json",
			!(generic.Host{}).Signed(r.Header, body, []string{key}, time.Now()):
			h.refused++
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if err := strict.Decode(&said); err != nil {
			t.Errorf("what was told is no report: %v\n%s", err, body)
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		h.reports = append(h.reports, said)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) env(key string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "BLUEBERRY_HOOK=" + h.URL + "/hooks/rep_1", "BLUEBERRY_CI_SECRET=" + key}
}

func (h *hook) told(t *testing.T) []report {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refused > 0 {
		t.Errorf("%d calls were not signed, or went elsewhere", h.refused)
	}
	return slices.Clone(h.reports)
}

func script(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../examples/pipelines/report.sh")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shells are those that are on this machine; sh always is.
func shells() [][]string {
	out := [][]string{{"sh"}}
	for _, s := range [][]string{{"dash"}, {"bash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"ksh"}, {"zsh", "--emulate", "sh"}} {
		if _, err := exec.LookPath(s[0]); err == nil {
			out = append(out, s)
		}
	}
	return out
}

// tell runs report.sh in a directory, and gives what it says and its exit code.
func tell(t *testing.T, shell []string, dir string, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell[0], slices.Concat(shell[1:], []string{script(t)}, args)...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	// A process that another test starts meanwhile would have the file open for writing for a moment, and nobody could run it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func sent(kind, name, content string) file {
	return file{Kind: kind, Name: name, Content: base64.StdEncoding.EncodeToString([]byte(content)), Encoding: "base64"}
}

func TestReportTellsWhateverFilesAreCalled(t *testing.T) {
	t.Parallel()
	for _, shell := range shells() {
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			t.Parallel()
			h, dir := openHook(t, secret), t.TempDir()
			long := strings.Repeat("0123456789\n", 20_000)
			write(t, dir, map[string]string{
				"reports/a b.xml":              "<a/>",
				"reports/\"; touch pwned;.xml": "q",
				"reports/empty.xml":            "",
				"reports/$(touch pwned).xml":   long,
				"reports/back\\slash.xml":      "\x00\xff%s\n\n",
				"reports/line\nbreak.xml":      "x",
				"reports/-n.xml":               "-n",
				"reports/grün.xml":             "y",
				"a dir/cover.out":              "mode: set\n",
			})
			if err := os.Symlink("/etc/hostname", filepath.Join(dir, "reports/link.xml")); err != nil {
				t.Fatal(err)
			}
			out, code := tell(t, shell, dir, h.env(secret),
				"--commit", commit, "--branch", "it's \"odd\" $(touch pwned)\n&\\", "--pipeline", "nightly", "--run-id", "r\"1", "--run-number", "17", "--run-url", "https://ci.example.com/1?a=b&c",
				"--provider", "jenkins", "--job", "a job", "--attempt", "2",
				"--stage", "unit tests=success@https://ci.example.com/a@b=c", "--stage", "lint=failure", "--stage", "e2e=cancelled", "--stage", "push=", "--stage", "scan=running",
				"--image", "web=ghcr.io/acme/shop@sha256:00", "--image", "db=ghcr.io/acme/db@sha256:01",
				"--junit", "reports/*.xml", "--coverage", "a dir/cover*", "--scan", "none*", "--file", "a dir/cover.out")
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			want := []report{{
				Commit: commit, Branch: `it's "odd" $(touch pwned)?&\`, Pipeline: "nightly",
				Run: run{ID: `r"1`, Number: 17, Job: "a job", Attempt: 2, URL: "https://ci.example.com/1?a=b&c", Provider: "jenkins"},
				Stages: []stage{
					{Name: "unit tests", Status: "passed", URL: "https://ci.example.com/a@b=c"},
					{Name: "lint", Status: "failed"},
					{Name: "e2e", Status: "skipped"},
					{Name: "push", Status: "skipped"},
					{Name: "scan", Status: "running"},
				},
				Images: map[string]string{"web": "ghcr.io/acme/shop@sha256:00", "db": "ghcr.io/acme/db@sha256:01"},
				Files: []file{
					sent("junit", "reports/\"; touch pwned;.xml", "q"),
					sent("junit", "reports/$(touch pwned).xml", long),
					sent("junit", "reports/-n.xml", "-n"),
					sent("junit", "reports/a b.xml", "<a/>"),
					sent("junit", "reports/back\\slash.xml", "\x00\xff%s\n\n"),
					sent("junit", "reports/grün.xml", "y"),
					sent("junit", "reports/line?break.xml", "x"),
					sent("coverage", "a dir/cover.out", "mode: set\n"),
					sent("auto", "a dir/cover.out", "mode: set\n"),
				},
			}}
			if d := cmp.Diff(want, h.told(t)); d != "" {
				t.Error(d)
			}
			if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
				t.Error("a name was run as a command")
			}
		})
	}
}

func TestReportSignsWithAnySecret(t *testing.T) {
	t.Parallel()
	all := make([]byte, 0, 255)
	for b := 1; b < 256; b++ {
		if b != '\n' { // a shell takes trailing ones from a file, and a secret has none
			all = append(all, byte(b))
		}
	}
	keys := map[string]string{
		"one byte": "k", "63 bytes": strings.Repeat("k", 63), "a block": strings.Repeat("%", 64), "a block and one": strings.Repeat("\\", 65), "long": strings.Repeat("-n ", 100),
		"every byte": string(all), "high bytes": "\xff\xfe\x80",
	}
	for name, key := range keys {
		for _, shell := range shells() {
			t.Run(name+" in "+strings.Join(shell, " "), func(t *testing.T) {
				t.Parallel()
				h := openHook(t, key)
				if out, code := tell(t, shell, t.TempDir(), h.env(key), "--commit", commit); code != 0 {
					t.Fatalf("exit code %d: %s", code, out)
				}
				path := filepath.Join(t.TempDir(), "secret")
				write(t, filepath.Dir(path), map[string]string{"secret": key + "\n"})
				env := append(h.env(""), "BLUEBERRY_CI_SECRET_FILE="+path)
				if out, code := tell(t, shell, t.TempDir(), env, "--commit", commit); code != 0 {
					t.Fatalf("exit code %d: %s", code, out)
				}
				if n := len(h.told(t)); n != 2 {
					t.Errorf("%d reports, want 2", n)
				}
			})
		}
	}
}

// TestReportShowsTheSecretToNoProgram: arguments are read by anybody on the machine, and the environment by what is called.
func TestReportShowsTheSecretToNoProgram(t *testing.T) {
	t.Parallel()
	for _, shell := range shells() {
		t.Run(strings.Join(shell, " "), func(t *testing.T) {
			t.Parallel()
			h, dir := openHook(t, secret), t.TempDir()
			watched := filepath.Join(dir, "bin")
			log := filepath.Join(dir, "log")
			for _, name := range []string{"awk", "base64", "cat", "curl", "date", "env", "head", "mktemp", "od", "openssl", "printf", "rm", "sed", "sha256sum", "tr"} {
				real, err := exec.LookPath(name)
				if err != nil {
					continue
				}
				write(t, watched, map[string]string{name: fmt.Sprintf("#!/bin/sh\n{ echo %s; for a; do printf '%%s\\n' \"$a\"; done; /usr/bin/env; } >>%q\nexec %q \"$@\"\n", name, log, real)})
			}
			write(t, dir, map[string]string{"junit.xml": "<a/>"})
			env := append(h.env(secret), "PATH="+watched+":"+os.Getenv("PATH"))
			// Tracing is what people do when a pipeline fails.
			out, code := tell(t, append(slices.Clone(shell), "-x"), dir, env, "--commit", commit, "--junit", "*.xml", "--stage", "test=passed")
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			seen, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(seen, []byte("curl\n")) {
				t.Fatal("the programs were not watched")
			}
			if strings.Contains(string(seen), secret) {
				t.Error("a program was shown the secret")
			}
			if strings.Contains(out, secret) {
				t.Error("the secret was written")
			}
			if len(h.told(t)) != 1 {
				t.Error("nothing was told")
			}
		})
	}
}

func TestReportKnowsItsCI(t *testing.T) {
	t.Parallel()
	const other = "0ddba110ddba110ddba110ddba110ddba110ddba"
	github := []string{
		"GITHUB_RUN_ID=812", "GITHUB_RUN_NUMBER=17", "GITHUB_RUN_ATTEMPT=2", "GITHUB_JOB=test", "GITHUB_SERVER_URL=https://git.example.com", "GITHUB_REPOSITORY=acme/shop", "GITHUB_SHA=" + commit,
	}
	gitlab := []string{
		"CI_PIPELINE_ID=812", "CI_PIPELINE_CREATED_AT=2026-01-31T09:30:00Z", "CI_PIPELINE_IID=17", "CI_PIPELINE_URL=https://gitlab.example.com/acme/shop/-/pipelines/812", "CI_JOB_NAME=test", "CI_JOB_ID=4711", "CI_COMMIT_SHA=" + commit,
		"CI_COMMIT_REF_NAME=main",
	}
	onHub := report{
		Commit: commit, Branch: "main", Pipeline: "ci", Run: run{ID: "812", Number: 17, Job: "test", Attempt: 2, URL: "https://git.example.com/acme/shop/actions/runs/812", Provider: "github"},
	}
	onLab := report{
		Commit: commit, Branch: "main", Pipeline: "ci", Run: run{ID: "812", Number: 17, Job: "test", Attempt: 4711, URL: "https://gitlab.example.com/acme/shop/-/pipelines/812", Provider: "gitlab", StartedAt: "2026-01-31T09:30:00Z"},
	}
	with := func(r report, change func(*report)) report {
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
		want report
	}{
		"GitHub, a push": {env: append(slices.Clone(github), "GITHUB_EVENT_NAME=push", "GITHUB_REF_NAME=main"), want: onHub},
		"GitHub, a pull request has a merge commit of its own": {
			env:  append(slices.Clone(github), "GITHUB_EVENT_NAME=pull_request", "GITHUB_REF_NAME=7/merge", "GITHUB_HEAD_REF=topic"),
			args: []string{"--commit", other},
			want: with(onHub, func(r *report) { r.Commit, r.Branch = other, "topic" }),
		},
		"Gitea": {
			env: append(slices.Clone(github), "GITEA_ACTIONS=true", "GITHUB_EVENT_NAME=push", "GITHUB_REF_NAME=main"),
			want: with(onHub, func(r *report) {
				r.Run.URL, r.Run.Provider = "https://git.example.com/acme/shop/actions/runs/17", "gitea"
			}),
		},
		"GitLab, a branch": {env: gitlab, want: onLab},
		"GitLab, a merge request": {
			env:  append(slices.Clone(gitlab), "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=topic"),
			want: with(onLab, func(r *report) { r.Branch = "topic" }),
		},
		"GitLab, a merged result": {
			env:  append(slices.Clone(gitlab), "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=topic", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA="+other),
			want: with(onLab, func(r *report) { r.Commit, r.Branch = other, "topic" }),
		},
		"none": {args: []string{"--commit", other, "--run-id", "x"}, want: report{Commit: other, Pipeline: "ci", Run: run{ID: "x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHook(t, secret)
			if out, code := tell(t, []string{"sh"}, t.TempDir(), append(h.env(secret), c.env...), c.args...); code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			c.want.Stages, c.want.Images, c.want.Files = []stage{}, map[string]string{}, []file{}
			if d := cmp.Diff([]report{c.want}, h.told(t)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReportEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args     []string
		env      []string
		statuses []int
		code     int
		says     string
		told     int
	}{
		"well":                             {args: []string{"--commit", commit}, told: 1, says: "told Blueberry"},
		"well, when it was busy":           {args: []string{"--commit", commit}, statuses: []int{503}, told: 1, says: "told Blueberry"},
		"badly, when it is refused":        {args: []string{"--commit", commit}, statuses: []int{422}, code: 1, says: `Blueberry answered 422: {"detail":"not today"}`},
		"badly, when a file is refused":    {args: []string{"--commit", commit, "--file", "/etc/passwd"}, statuses: []int{422}, code: 1, told: 1, says: "the files were not taken"},
		"badly, when all is refused":       {args: []string{"--commit", commit, "--file", "/etc/passwd"}, statuses: []int{422, 401}, code: 1, says: "Blueberry answered 401"},
		"well, without a secret":           {args: []string{"--commit", commit}, env: []string{"BLUEBERRY_CI_SECRET="}, says: "nothing is told"},
		"well, without a hook":             {args: []string{"--commit", commit}, env: []string{"BLUEBERRY_HOOK="}, says: "nothing is told"},
		"with usage, without a commit":     {code: 2, says: "--commit is missing"},
		"with usage, at an unknown flag":   {args: []string{"--commits", commit}, code: 2, says: "--commits is not known"},
		"with usage, at a missing value":   {args: []string{"--commit"}, code: 2, says: "--commit wants a value"},
		"with usage, at a bad status":      {args: []string{"--commit", commit, "--stage", "lint=green"}, code: 2, says: "green is none of"},
		"with usage, at no status":         {args: []string{"--commit", commit, "--stage", "lint"}, code: 2, says: "NAME=STATUS"},
		"with usage, at a nameless image":  {args: []string{"--commit", commit, "--image", "=x"}, code: 2, says: "COMPONENT=REF"},
		"with usage, at a number of words": {args: []string{"--commit", commit, "--run-number", "1,\"x\":2"}, code: 2, says: "--run-number is a number"},
		"with usage, at an odd attempt":    {args: []string{"--commit", commit, "--attempt", "-1"}, code: 2, says: "--attempt is a number"},
		"badly, when nobody is there":      {args: []string{"--commit", commit}, env: []string{"BLUEBERRY_HOOK=file:///nonexistent"}, code: 1, says: "Blueberry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHook(t, secret)
			h.mu.Lock()
			h.statuses = c.statuses
			h.mu.Unlock()
			out, code := tell(t, []string{"sh"}, t.TempDir(), append(h.env(secret), c.env...), c.args...)
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d, want %d; it says %q, want %q in it", code, c.code, out, c.says)
			}
			if n := len(h.told(t)); n != c.told {
				t.Errorf("%d reports, want %d", n, c.told)
			}
		})
	}
}
