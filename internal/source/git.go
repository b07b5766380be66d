package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	killDelay = 30 * time.Second // from the end of a process to giving up on its pipes: on a machine under load the last bytes take a while
	maxStderr = 8 << 10
	maxAnswer = 4 << 20 // of what git prints that is not files
	maxMemory = 4 << 20 // kB of address space of a fetch: a pack can hold deltas that grow without end
	maxRefs   = 1 << 20 // kB of address space of a listing of refs: a server can name branches without end, and git keeps them all
)

var (
	errTimeout  = errors.New("took too long and was stopped")
	errTooLarge = errors.New("is too large")
	errManyRefs = errors.New("names more branches and tags than can be read")
)

// settings is all the configuration that git reads here: no file of the user or the system.
const settings = `[safe]
	directory = *
[core]
	hooksPath = /dev/null
[fetch]
	unpackLimit = 1
[gc]
	auto = 0
[maintenance]
	auto = false
[pack]
	threads = 1
[credential]
	helper =
[http]
	lowSpeedLimit = 100
	lowSpeedTime = 20
`

// git is the git command and the surroundings in which it runs.
type git struct {
	path string
	env  []string
}

// gitError is a git that ended badly.
type gitError struct {
	verb   string
	stderr string
	err    error
}

func (e *gitError) Error() string {
	text := strings.TrimSpace(e.stderr)
	if text == "" {
		text = e.err.Error()
	}
	return "git " + e.verb + ": " + text
}

func (e *gitError) Unwrap() error { return e.err }

func findGit(dir string) (git, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return git{}, fmt.Errorf("find the git command, which must be installed: %w", err)
	}
	env := []string{
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + filepath.Join(dir, "gitconfig"),
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=",
		"SSH_ASKPASS=",
		"GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=15",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_LFS_SKIP_SMUDGE=1",
		"LC_ALL=C", // messages are read
		"TZ=UTC",
	}
	// Nothing else of ours: it may hold secrets.
	pass := []string{
		"PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
	}
	for _, name := range pass {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return git{path: path, env: env}, nil
}

// start runs git until its output is closed. What it may speak with is in surroundings: nowhere, or those of an address.
func (g git) start(ctx context.Context, surroundings []string, stdin io.Reader, argv []string) (*process, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(slices.Clip(g.env), surroundings...)
	cmd.Dir = "/"
	// A group of its own, killed as a whole: git has helpers, and they must not outlive it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay
	cmd.Stdin = stdin
	p := &process{ctx: ctx, cmd: cmd, stderr: tail{limit: maxStderr}}
	cmd.Stderr = &p.stderr
	var err error
	if p.Reader, err = cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start git: %w", err)
	}
	return p, nil
}

// process is a git that runs; reading gives its output.
type process struct {
	io.Reader
	ctx    context.Context //nolint:containedctx // of one run
	cmd    *exec.Cmd
	stderr tail
}

// wait ends it, and tells how it ended.
func (p *process) wait(verb string) error {
	err := p.cmd.Wait()
	switch cause := context.Cause(p.ctx); {
	case err == nil:
		return nil
	case cause != nil:
		return &gitError{verb: verb, err: cause}
	}
	return &gitError{verb: verb, stderr: string(p.stderr.kept), err: err}
}

// stop ends a git whose output is not wanted any more.
func (p *process) stop() {
	_ = p.cmd.Cancel()
	_ = p.cmd.Wait()
}

// run gives what git prints.
func (g git) run(ctx context.Context, surroundings []string, args ...string) (string, error) {
	return g.output(ctx, surroundings, append([]string{g.path}, args...))
}

// bounded is a git that gets no more memory than that, in kB, and writes no larger file. Where memory cannot be bounded, the time-out is what remains.
func (g git) bounded(memory int, fileBlocks string, args ...string) []string {
	script := `ulimit -f "$1" && { ulimit -v "$2" 2>/dev/null || :; } && shift 2 && exec "$@"`
	return append([]string{"/bin/sh", "-c", script, "sh", fileBlocks, strconv.Itoa(memory), g.path}, args...)
}

// listRefs gives what git ls-remote prints.
func (g git) listRefs(ctx context.Context, surroundings []string, memory int, args ...string) (string, error) {
	out, err := g.output(ctx, surroundings, g.bounded(memory, "unlimited", append([]string{"ls-remote"}, args...)...))
	if says(err, "out of memory") {
		return "", &gitError{verb: "ls-remote", err: errManyRefs}
	}
	return out, err
}

// fetch is git fetch into repo, with a limit on the size of every file that it writes.
func (g git) fetch(ctx context.Context, surroundings []string, repo string, maxFile int64, args ...string) error {
	blocks := (maxFile + 511) / 512 // POSIX counts the limit in 512 bytes
	argv := g.bounded(maxMemory, strconv.FormatInt(blocks, 10), "--git-dir="+repo, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
	_, err := g.output(ctx, surroundings, append(argv, args...))
	if err == nil || context.Cause(ctx) != nil {
		return err
	}
	// Git does not say that its helper was ended by the limit. The helper leaves the file that grew to it.
	packs, _ := filepath.Glob(filepath.Join(repo, "objects", "pack", "*"))
	for _, name := range packs {
		if info, statErr := os.Stat(name); statErr == nil && info.Size() >= blocks*512 {
			return &gitError{verb: "fetch", err: errTooLarge}
		}
	}
	return err
}

func (g git) output(ctx context.Context, surroundings []string, argv []string) (string, error) {
	verb := verbOf(argv)
	p, err := g.start(ctx, surroundings, nil, argv)
	if err != nil {
		return "", err
	}
	out, err := io.ReadAll(io.LimitReader(p, maxAnswer+1))
	if len(out) > maxAnswer {
		p.stop()
		return "", &gitError{verb: verb, err: errors.New("answers too much")}
	}
	if waitErr := p.wait(verb); waitErr != nil {
		return "", waitErr
	}
	return string(out), err
}

func verbOf(argv []string) string {
	for _, verb := range []string{"init", "ls-remote", "fetch", "rev-parse", "update-ref", "ls-tree", "cat-file", "merge-base", "diff-tree"} {
		if slices.Contains(argv, verb) {
			return verb
		}
	}
	return ""
}

// tail keeps the last bytes written to it.
type tail struct {
	limit int
	kept  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = slices.Delete(t.kept, 0, over)
	}
	return len(p), nil
}
