package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/sdk"
)

// screen is a terminal that has these sizes.
type screen struct {
	sizes []sdk.ExecSize
	raw   atomic.Int32 // now
	was   atomic.Int32 // ever
	err   error
}

// Raw counts.
func (s *screen) Raw() (func(), error) {
	if s.err != nil {
		return nil, s.err
	}
	s.raw.Add(1)
	s.was.Add(1)
	return func() { s.raw.Add(-1) }, nil
}

// Sizes gives each.
func (s *screen) Sizes(ctx context.Context) iter.Seq[sdk.ExecSize] {
	return func(yield func(sdk.ExecSize) bool) {
		for _, size := range s.sizes {
			if !yield(size) {
				return
			}
		}
		<-ctx.Done()
	}
}

func TestExecEndsAsItsCommandDoes(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	asked := make(chan target.ShellRequest, 10)
	r.Shell = func(_ context.Context, q target.ShellRequest) (int, error) {
		asked <- q
		if q.Component == "none" {
			return 0, blueberry.Errorf(blueberry.Conflict, "NO_POD", "no pod of none is ready")
		}
		q.Opened("web-1", "app")
		in, err := io.ReadAll(q.Stdin) // ends only when the input does
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(q.Stdout, "read %d\n", len(in))
		fmt.Fprint(q.Stderr, "careful\n")
		switch q.Command[0] {
		case "fail":
			return 42, nil
		case "break":
			return 0, blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE", "the target went away")
		}
		return 0, nil
	}
	p.create(t, "pr-1")
	p.in = strings.Repeat("x", 100_000)
	out, said := p.ends(t, 0, "env", "exec", "pr-1", "--component", "web", "--container", "app", "--", "cat", "-n", "a b", "--component")
	if out != "read 100000\n" || said != "careful\n" {
		t.Errorf("it prints %q, and of errors %q", out, said)
	}
	q := <-asked
	if diff := cmp.Diff([]string{"cat", "-n", "a b", "--component"}, q.Command); diff != "" || q.TTY || q.Container != "app" {
		t.Errorf("asked for %+v (-want +got):\n%s", q, diff)
	}
	out, said = p.ends(t, 42, "env", "exec", "default/pr-1", "--pod", "web-1", "--", "fail")
	if out != "read 100000\n" || said != "careful\n" {
		t.Errorf("one that fails prints %q, and of errors %q", out, said)
	}
	_, said = p.ends(t, cli.ExitServer, "env", "exec", "pr-1", "--component", "web", "--", "break")
	contains(t, "one that is cut off", said, "Error: the target went away")
	_, said = p.ends(t, cli.ExitRefused, "env", "exec", "pr-1", "--component", "none", "--", "sh")
	contains(t, "a refusal", said, "Error: no pod of none is ready")
	_, said = p.ends(t, cli.ExitRefused, "env", "exec", "none", "--component", "web", "--", "sh")
	contains(t, "unknown", said, "there is no environment none")
	p.must(t, "env", "sleep", "pr-1", "--wait")
	_, said = p.ends(t, cli.ExitRefused, "env", "exec", "pr-1", "--component", "web", "--", "sh")
	contains(t, "one that sleeps", said, "wake it first")
	usage(t, p, "--component or --pod is needed", "env", "exec", "pr-1", "--", "sh")
	usage(t, p, "cannot be given together", "env", "exec", "pr-1", "--pod", "x", "-t", "--no-tty", "--", "sh")
	for _, args := range [][]string{{"pr-1"}, {"pr-1", "sh"}, {"--", "pr-1", "sh"}, {"pr-1", "sh", "--", "x"}} {
		usage(t, p, "behind -- a command", append([]string{"env", "exec", "--component", "web"}, args...)...)
	}
	_, session := r.Person(t, "eve@example.com", false, map[string]blueberry.Role{"default": blueberry.RoleViewer})
	actor, err := r.Gate.Authenticate(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	made, err := r.Accounts.CreateToken(t.Context(), actor, access.NewToken{Name: "x", Role: blueberry.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	p.env["BLUEBERRY_TOKEN"] = made.Secret
	_, said = p.ends(t, cli.ExitDenied, "env", "exec", "pr-1", "--component", "web", "--", "sh")
	contains(t, "one who may look, and no more", said, "environments:exec")
}

func TestExecOnATerminal(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	s := &screen{sizes: []sdk.ExecSize{{}, {Width: 80}, {Width: 120, Height: 40}}}
	r.Shell = func(_ context.Context, q target.ShellRequest) (int, error) {
		q.Opened("web-1", "app")
		if !q.TTY {
			_, _ = io.Copy(io.Discard, q.Stdin)
			return 1, nil
		}
		size := <-q.Resize
		if s.raw.Load() != 1 {
			return 2, nil
		}
		fmt.Fprintf(q.Stdout, "%dx%d", size.Width, size.Height)
		return 7, nil
	}
	p.create(t, "pr-1")
	p.terminal, p.shell = true, s
	exec := []string{"env", "exec", "pr-1", "--component", "web"}
	out, _ := p.ends(t, 7, append(exec, "--", "sh")...)
	if out != "120x40" || s.raw.Load() != 0 || s.was.Load() != 1 {
		t.Errorf("it prints %q; the terminal was raw %d times, and %d are left so", out, s.was.Load(), s.raw.Load())
	}
	p.ends(t, 1, append(exec, "--no-tty", "--", "sh")...)
	if s.was.Load() != 1 {
		t.Error("without a terminal it is made raw")
	}
	s.err = errors.New("not a terminal at all")
	_, said := p.ends(t, cli.ExitError, append(exec, "--", "sh")...)
	contains(t, "a terminal that is none", said, "make the terminal raw: not a terminal at all")
}

// shellServer runs a command as a test says.
func shellServer(t *testing.T, exec http.HandlerFunc) *person {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/exec") {
			exec(w, r)
			return
		}
		answerJSON(w, 200, sdk.Environment{ID: "env_1", Project: "default", Name: "pr-1"})
	}))
	t.Cleanup(srv.Close)
	return at(srv.URL)
}

// upgraded says messages and then hangs up.
func upgraded(t *testing.T, messages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{sdk.ExecProtocol}})
		if err != nil {
			t.Error(err)
			return
		}
		if conn.Subprotocol() != sdk.ExecProtocol || r.Header.Get("Authorization") != "Bearer "+httpapitest.Token || strings.Contains(r.URL.String(), httpapitest.Token) {
			t.Errorf("it asks for %q with %q at %s", conn.Subprotocol(), r.Header.Get("Authorization"), r.URL)
		}
		for _, m := range messages {
			if err := conn.Write(r.Context(), websocket.MessageBinary, []byte(m)); err != nil {
				t.Error(err)
			}
		}
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
}

func TestExecWithAServerThatDoesNotKeepItsWord(t *testing.T) {
	t.Parallel()
	problem := func(status int, detail string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, status, sdk.Problem{Status: status, Code: "X", Title: "x", Detail: detail})
		}
	}
	for name, tc := range map[string]struct {
		reason string
		exec   http.HandlerFunc
		code   int
		out    string
		says   string
	}{
		"fine":        {"all as it should be", upgraded(t, "\x01out", "", "\x09later", "\x03"+`{"exit_code":3}`), 3, "out", ""},
		"lost":        {"no status", upgraded(t, "\x01half"), cli.ExitError, "half", "the connection was lost, and nobody knows how the command ended"},
		"no word":     {"a status that says nothing is not success", upgraded(t, "\x03{}"), cli.ExitError, "", "did not say how the command ended"},
		"odd word":    {"a status that is none", upgraded(t, "\x03x"), cli.ExitError, "", "read how the command ended"},
		"error":       {"a problem as status", upgraded(t, "\x03"+`{"error":{"status":403,"code":"X","title":"x","detail":"you may no more"}}`), cli.ExitDenied, "", "you may no more"},
		"denied":      {"a problem before", problem(403, "you may not"), cli.ExitDenied, "", "Error: you may not"},
		"token":       {"no token", problem(401, "the token is not known"), cli.ExitDenied, "", "--token-file"},
		"conflict":    {"a problem before", problem(409, "it sleeps"), cli.ExitRefused, "", "it sleeps"},
		"long":        {"a problem of which the start is seen alone", problem(403, strings.Repeat("no ", 1000)), cli.ExitDenied, "", "403 Forbidden"},
		"proxy":       {"not ours", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) }, cli.ExitServer, "", "502 Bad Gateway"},
		"no upgrade":  {"an answer that is none", func(http.ResponseWriter, *http.Request) {}, cli.ExitError, "", "open the connection"},
		"no answer":   {"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, cli.ExitUnreachable, "", "did not answer"},
		"too much":    {"more than a message may be", upgraded(t, "\x01"+strings.Repeat("x", sdk.MaxExecMessage)), cli.ExitError, "", "the connection was lost"},
		"full length": {"as much as a message may be", upgraded(t, "\x01"+strings.Repeat("x", sdk.MaxExecMessage-1), "\x03"+`{"exit_code":0}`), 0, strings.Repeat("x", sdk.MaxExecMessage-1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := shellServer(t, tc.exec)
			p.stdin = open(t)
			out, said := p.ends(t, tc.code, "env", "exec", "env_1", "--component", "web", "--", "sh")
			if out != tc.out {
				t.Errorf("%s: it prints %d bytes, want %d", tc.reason, len(out), len(tc.out))
			}
			contains(t, tc.reason, said, tc.says)
		})
	}
}

// open is an input to which nothing comes.
func open(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r
}

func TestExecIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	p := shellServer(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{sdk.ExecProtocol}})
		if err != nil {
			t.Error(err)
			return
		}
		cancel()
		_, _, _ = conn.Read(context.WithoutCancel(r.Context())) // until the client goes
	})
	p.stdin = open(t)
	if code := p.types(ctx, "env", "exec", "env_1", "--pod", "web-1", "--", "sh"); code != cli.ExitInterrupted {
		t.Errorf("exit %d: %s", code, p.err.String())
	}
	<-left
}
