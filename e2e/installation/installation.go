package installation

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// Build makes the program at bin.
func Build(ctx context.Context, bin string) error {
	return build(ctx, "-ldflags", "-s -w -X main.version=e2e", "-o", bin)
}

// raceFlags are those of the race detector for all that is built for tests, a line each. The Makefile reads them, too, and says why they are these.
//
//go:embed race.flags
var raceFlags string

// BuildForTests makes the program with fault points and the race detector in it: a race ends the process.
func BuildForTests(ctx context.Context, bin string) error {
	flags := strings.Split(strings.TrimSpace(raceFlags), "\n")
	return build(ctx, append(flags, "-tags", "faults", "-ldflags", "-s -w -X main.version=e2e", "-o", bin)...)
}

func build(ctx context.Context, flags ...string) error {
	args := append([]string{"build"}, flags...)
	out, err := exec.CommandContext(ctx, "go", append(args, "github.com/blueberry-idp/blueberry/cmd/blueberry")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build blueberry: %w\n%s", err, out)
	}
	return nil
}

// Host is one installation.
type Host struct {
	Bin      string
	State    string   // directory
	Database string   // URL; empty means SQLite in State
	Args     []string // more flags of blueberry server
	Watch    bool     // look for secrets in everything that it logs
	CA       string   // file of the authority that the server's certificate is proven with; empty without TLS
}

// Server is one process of a host.
type Server struct {
	URL     string
	Gateway string // URL of the wake gateway; empty for none
	Client  *sdk.Client
	Command *exec.Cmd
	Took    time.Duration // from the start of the process until it served

	ended chan struct{}
	log   tailLog
	watch bool

	mu    sync.Mutex
	leaks []string
}

// startPatience is how long a server may take to serve. It is not a goal, only the end of waiting.
const startPatience = 5 * time.Minute

// Start runs the server and returns when it serves. Stop or Kill ends it.
func (h Host) Start(env ...string) (*Server, error) {
	args := append([]string{"server", "--state-dir", h.State, "--listen", "127.0.0.1:0", "--log-format", "json", "--allow-local-repositories"}, h.Args...)
	if h.Database != "" {
		args = append(args, "--database", h.Database)
	}
	s := &Server{Command: exec.Command(h.Bin, args...), ended: make(chan struct{}), watch: h.Watch} //nolint:noctx // ended by Kill or Stop
	s.Command.Env = append(append(os.Environ(), "GORACE=halt_on_error=1"), env...)
	stderr, err := s.Command.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.Command.Start(); err != nil {
		return nil, err
	}
	serving := make(chan string, 1)
	go func() {
		s.follow(stderr, serving)
		_ = s.Command.Wait() // how it ended is in ProcessState
		close(s.ended)
	}()
	select {
	case s.URL = <-serving:
		s.Took = time.Since(began)
	case <-s.ended:
		return nil, fmt.Errorf("the server ended at once:\n%s", s.Log())
	case <-time.After(startPatience):
		s.Kill()
		return nil, fmt.Errorf("the server does not serve:\n%s", s.Log())
	}
	token, err := h.Token()
	if err != nil {
		s.Kill()
		return nil, err
	}
	s.Client = &sdk.Client{BaseURL: s.URL, Token: token}
	if h.CA != "" {
		s.Client.HTTPClient, err = trusting(h.CA)
	}
	return s, err
}

// trusting is a client that takes certificates of an authority.
func trusting(file string) (*http.Client, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}}}, nil
}

// TokenFile is where the first start has stored the admin token.
func (h Host) TokenFile() string { return filepath.Join(h.State, "admin-token") }

// Token is the admin token.
func (h Host) Token() (string, error) {
	b, err := os.ReadFile(h.TokenFile())
	return strings.TrimSpace(string(b)), err
}

func (s *Server) follow(r io.Reader, serving chan<- string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for serves := false; lines.Scan(); {
		s.log.add(lines.Text())
		s.look(lines.Text())
		var entry struct{ Msg, URL, Gateway string }
		if !serves && json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "serving" {
			serves, s.Gateway = true, entry.Gateway
			serving <- entry.URL
		}
	}
}

func (s *Server) look(line string) {
	if !s.watch {
		return
	}
	if shape := blueberry.TokenShape(line); shape != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leaks = append(s.leaks, shape+" in: "+blueberry.Redact(line))
	}
}

// Leaks are the lines of the log that held what looks like a secret, if the host is watched.
func (s *Server) Leaks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.leaks)
}

// Ended is closed when the process is gone.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Killed reports whether the process, which is gone, was ended by SIGKILL.
func (s *Server) Killed() bool {
	status, ok := s.Command.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// Kill ends the process as kill -9 does, and waits until it is gone.
func (s *Server) Kill() {
	_ = s.Command.Process.Kill() // it may be gone
	<-s.ended
}

// Stop asks the process to end, and waits until it has.
func (s *Server) Stop() error {
	if err := s.Command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.ended
	if code := s.Command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the server ended with %d:\n%s", code, s.Log())
	}
	return nil
}

// Log gives the last lines of the server's log.
func (s *Server) Log() string { return s.log.String() }

// GitURL is the served GitOps repository, with the token as password.
func (s *Server) GitURL() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	u.User = url.UserPassword("git", s.Client.Token)
	u.Path = "/git/gitops.git"
	return u.String()
}

// WaitPhase waits until the environment is in the phase, following its events. It fails when the environment ends otherwise, or with ctx.
func (s *Server) WaitPhase(ctx context.Context, id string, want sdk.Phase) (sdk.Environment, error) {
	var after int64
	for {
		e, err := s.Client.GetEnvironment(ctx, id)
		if err != nil || e.Phase == want {
			return e, err
		}
		if e.Phase == sdk.Failed || e.Phase == sdk.Terminated {
			return e, fmt.Errorf("%s is %s (%s: %s), want %s", e.Name, e.Phase, e.Reason, e.Message, want)
		}
		next, cancel := context.WithTimeout(ctx, 5*time.Second)
		for ev, err := range s.Client.WatchEvents(next, id, after) {
			if err == nil {
				after = ev.Seq
			}
			break
		}
		cancel()
		if ctx.Err() != nil {
			return e, fmt.Errorf("%s is still %s (%s: %s), want %s: %w", e.Name, e.Phase, e.Reason, e.Message, want, ctx.Err())
		}
	}
}

// Git runs git in dir, without the machine's own configuration, and gives what it printed.
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=e2e", "GIT_AUTHOR_EMAIL=e2e@example.com", "GIT_COMMITTER_NAME=e2e", "GIT_COMMITTER_EMAIL=e2e@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Commit makes the directory a Git repository with one commit of all that is in it.
func Commit(ctx context.Context, dir string) error {
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "."}, {"commit", "-q", "-m", "all"}} {
		if _, err := Git(ctx, dir, args...); err != nil {
			return err
		}
	}
	return nil
}

// tailLog keeps the last lines.
type tailLog struct {
	mu    sync.Mutex
	lines []string
}

const keptLines = 200

func (l *tailLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > 2*keptLines {
		l.lines = append([]string(nil), l.lines[len(l.lines)-keptLines:]...)
	}
}

// String gives the last lines.
func (l *tailLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-keptLines):], "\n")
}
