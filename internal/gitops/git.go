package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	localTimeout = time.Minute      // of a git that talks to nobody; they take milliseconds
	killDelay    = 30 * time.Second // from the end of a process to giving up on its pipes: on a machine under load the last bytes take a while
	maxStderr    = 8 << 10
)

// git is the git command and the surroundings in which it runs.
type git struct {
	path     string
	execPath string   // folder of git-http-backend
	dir      string   // of the bare repository
	settings []string // "-c", "name=value"
	env      []string
}

// gitError is a git that ended badly.
type gitError struct {
	verb   string
	stdout string
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

func findGit(ctx context.Context, dir string) (git, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return git{}, fmt.Errorf("find the git command, which must be installed (2.36 or newer): %w", err)
	}
	g := git{path: path, dir: dir, env: surroundings(dir)}
	out, err := g.command(ctx, "--exec-path").Output()
	if err != nil {
		return git{}, fmt.Errorf("ask git where its programs are: %w", err)
	}
	g.execPath = strings.TrimSpace(string(out))
	out, err = g.command(ctx, "version").Output()
	if err != nil {
		return git{}, fmt.Errorf("ask git for its version: %w", err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(out), "git version %d.%d", &major, &minor); err != nil || major < 2 || major == 2 && minor < 36 {
		return git{}, fmt.Errorf("git is too old: 2.36 or newer is needed, found %q", strings.TrimSpace(string(out)))
	}
	return g, nil
}

// surroundings lets through what git needs of ours and nothing else: our environment may hold secrets.
func surroundings(dir string) []string {
	env := []string{
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + filepath.Join(dir, "blueberry", "gitconfig"),
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=",
		"SSH_ASKPASS=",
		"GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=15",
		"GIT_ALLOW_PROTOCOL=https:http:ssh:git:file",
		"GIT_LITERAL_PATHSPECS=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_DEFAULT_REF_FORMAT=files",
		"GIT_DEFAULT_HASH=sha1",
		"LC_ALL=C", // messages are read
		"TZ=UTC",
	}
	pass := []string{
		"PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
	}
	for _, name := range pass {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// command runs in a process group of its own, which is killed as a whole when ctx ends: git has helpers, and they must not outlive it.
func (g git) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Env = g.env
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay
	return cmd
}

// run is git on the repository; it gives what git printed.
func (g git) run(ctx context.Context, timeout time.Duration, stdin io.Reader, args ...string) ([]byte, error) {
	return g.runWith(ctx, timeout, stdin, nil, args...)
}

// runWith is run with settings before the verb and open files after the usual three.
func (g git) runWith(ctx context.Context, timeout time.Duration, stdin io.Reader, with *extra, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	all := append([]string{"--git-dir=" + g.dir}, g.settings...)
	var files []*os.File
	if with != nil {
		all, files = append(all, with.settings...), with.files
	}
	cmd := g.command(ctx, append(all, args...)...)
	cmd.ExtraFiles = files
	cmd.Stdin = stdin
	var stdout bytes.Buffer
	stderr := tail{limit: maxStderr}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, &gitError{verb: args[0], stdout: stdout.String(), stderr: cause.Error(), err: cause}
	}
	if err != nil {
		return nil, &gitError{verb: args[0], stdout: stdout.String(), stderr: string(stderr.kept), err: err}
	}
	return stdout.Bytes(), nil
}

// extra is what some runs of git get besides arguments.
type extra struct {
	settings []string   // "-c", "name=value"
	files    []*os.File // from descriptor 3 on
}

var commitName = regexp.MustCompile(`^[0-9a-f]{40}$`)

var errTimeout = errors.New("took too long and was stopped")

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

// head is the commit of the branch in the local repository; "" while there is none.
func (r *Repository) head(ctx context.Context) (string, error) {
	// Git keeps a branch that moved lately in a file of its own. Reading it takes microseconds, a process milliseconds, in each of which
	// someone else may be faster.
	if content, err := os.ReadFile(filepath.Join(r.config.Dir, filepath.FromSlash(r.ref))); err == nil {
		if id := strings.TrimSpace(string(content)); commitName.MatchString(id) {
			return id, nil
		}
	}
	out, err := r.git.run(ctx, localTimeout, nil, "for-each-ref", "--format=%(objectname)", r.ref)
	if err != nil {
		return "", fmt.Errorf("read the head: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// lastTouch is the newest commit, from head back, that changed any of the paths; "" when none did.
func (r *Repository) lastTouch(ctx context.Context, head string, paths []string) (string, error) {
	if head == "" {
		return "", nil
	}
	out, err := r.git.run(ctx, localTimeout, nil, append([]string{"log", "-1", "--format=%H", head, "--"}, paths...)...)
	if err != nil {
		return "", fmt.Errorf("find the commit of %s: %w", strings.Join(paths, ", "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
