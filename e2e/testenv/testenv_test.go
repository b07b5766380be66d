package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestMain makes the test binary the guard, which startGuard starts, and testenv itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case guardWord:
			os.Exit(guardMain(os.Args[2:]))
		case "testenv":
			os.Exit(run(os.Args[2:], os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args    string
		want    services
		command []string
		refused bool
	}{
		"both":                  {args: "-- go test", want: services{Postgres: true, Cluster: true}, command: []string{"go", "test"}},
		"flags of the command":  {args: "-- go -v", want: services{Postgres: true, Cluster: true}, command: []string{"go", "-v"}},
		"PostgreSQL only":       {args: "-postgres -- x", want: services{Postgres: true}, command: []string{"x"}},
		"cluster only":          {args: "-cluster x", want: services{Cluster: true}, command: []string{"x"}},
		"both by name":          {args: "-cluster -postgres x", want: services{Postgres: true, Cluster: true}, command: []string{"x"}},
		"without PostgreSQL":    {args: "-without-postgres x", want: services{Cluster: true, Without: true}, command: []string{"x"}},
		"with extras":           {args: "-with argocd,metrics x", want: services{Postgres: true, Cluster: true, With: []string{"argocd", "metrics"}}, command: []string{"x"}},
		"extras mean a cluster": {args: "-postgres -with rollouts x", want: services{Postgres: true, Cluster: true, With: []string{"rollouts"}}, command: []string{"x"}},
		"unknown extra":         {args: "-with argo x", refused: true},
		"no command":            {args: "-cluster --", refused: true},
		"unknown flag":          {args: "-x -- x", refused: true},
		"with and without both": {args: "-postgres -without-postgres x", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, command, err := parse(strings.Fields(tc.args), io.Discard)
			if (err != nil) != tc.refused || errors.Is(err, flag.ErrHelp) {
				t.Fatalf("parse: %v, want refused %t", err, tc.refused)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" && !tc.refused {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.command, command); diff != "" && !tc.refused {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunCommand(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		command []string
		code    int
		out     string
		fails   bool
	}{
		"succeeds":         {command: []string{"sh", "-c", "echo $X"}, out: "y\n"},
		"fails":            {command: []string{"sh", "-c", "exit 7"}, code: 7},
		"dies of a signal": {command: []string{"sh", "-c", "kill -TERM $$"}, code: 143},
		"is not there":     {command: []string{"/missing"}, code: exitFailed, fails: true},
		"reads":            {command: []string{"cat"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			code, err := runCommand(tc.command, append(os.Environ(), "X=y"), &out, io.Discard, nil)
			if code != tc.code || (err != nil) != tc.fails || out.String() != tc.out {
				t.Errorf("code %d, error %v, output %q; want %d, %t, %q", code, err, &out, tc.code, tc.fails, tc.out)
			}
		})
	}
}

// A signal reaches everything that the command started, and nothing of it stays.
func TestRunCommandPassesSignalsOn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		script string
		code   int
	}{
		"ends in order":     {script: `trap "exit 9" TERM; sleep 1000 & echo $!; wait`, code: 9},
		"leaves a child":    {script: `(trap "" TERM; sleep 1000) & echo $!; wait`, code: 143},
		"just dies":         {script: `echo $$; exec sleep 1000`, code: 143},
		"child that is new": {script: `echo $$; while :; do sleep 0.01; done`, code: 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			signals := make(chan os.Signal, 1)
			type result struct {
				code int
				err  error
			}
			ended := make(chan result, 1)
			go func() {
				code, err := runCommand([]string{"sh", "-c", tc.script}, os.Environ(), w, io.Discard, signals)
				w.Close()
				ended <- result{code, err}
			}()
			lines := bufio.NewReader(r)
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			signals <- syscall.SIGTERM
			if got := <-ended; got.code != tc.code || got.err != nil {
				t.Errorf("code %d, error %v, want %d and none", got.code, got.err, tc.code)
			}
			// Everything that was started has the writing end; it ends when nothing is left.
			if _, err := io.Copy(io.Discard, lines); err != nil {
				t.Error(err)
			}
		})
	}
}

func psql(t *testing.T, address, statement string) (string, error) {
	t.Helper()
	bin, err := postgresPrograms()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "psql"), address, "-At", "-c", statement).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func gone(t *testing.T, address, data string) {
	t.Helper()
	for {
		_, failed := psql(t, address, "select 1")
		if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) && failed != nil {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("PostgreSQL or its directory stays")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	g, err := startGuard(services{Postgres: true}, os.Stderr, nil)
	if err != nil {
		t.Fatalf("startGuard: %v", err)
	}
	address := g.env[postgresVar]
	if out, err := psql(t, address, "create database another"); err != nil {
		t.Errorf("create database: %v: %s", err, out)
	}
	data, err := psql(t, address, "show data_directory")
	if err != nil {
		t.Fatalf("ask for its directory: %v: %s", err, data)
	}
	if info, err := os.Stat(filepath.Dir(data)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its directory: %v %v, want it closed to others", info, err)
	}
	if listen, err := psql(t, address, "show listen_addresses"); err != nil || listen != "127.0.0.1" {
		t.Errorf("it listens on %q (%v), want loopback only", listen, err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "wrong")
	if out, err := psql(t, u.String(), "select 1"); err == nil {
		t.Errorf("a wrong password was accepted: %s", out)
	}
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(filepath.Dir(data))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
	gone(t, address, data)
}

// start runs testenv with a PostgreSQL and gives what the command says first, its address.
func start(t *testing.T, script string) (cmd *exec.Cmd, address, data string) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "testenv", "-postgres", "--", "sh", "-c", "echo $"+postgresVar+"; "+script)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, postgresVar+"=") { // the one of the environment that this test runs in
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(line)
	if data, err = psql(t, address, "show data_directory"); err != nil {
		t.Fatalf("ask for its directory: %v: %s", err, data)
	}
	return cmd, address, data
}

func TestKilledTestenvLeavesNothing(t *testing.T) {
	t.Parallel()
	cmd, address, data := start(t, "while kill -0 $PPID; do sleep 0.05; done")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	gone(t, address, data)
}

func TestInterruptedTestenvLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, address, data := start(t, `trap "exit 9" INT TERM; sleep 1000 & wait`)
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 9 {
				t.Errorf("testenv: %v, want the command's 9", err)
			}
			if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("its directory is still there: %v", err)
			}
			gone(t, address, data)
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if version("/usr/lib/postgresql/9/bin") >= version("/usr/lib/postgresql/15/bin") || version("/opt/postgresql/bin") != 0 {
		t.Error("the newest is not the last")
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	c, err := lookUp(me.Username)
	if err != nil || strconv.Itoa(int(c.Uid)) != me.Uid {
		t.Errorf("lookUp(%q) = %+v, %v", me.Username, c, err)
	}
	if _, err := lookUp("no such user"); err == nil {
		t.Error("lookUp of nobody gave no error")
	}
}
