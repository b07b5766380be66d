package supervise

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary the children that the tests supervise, and a supervisor that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve": // ends when asked to
			connect()
			asked := make(chan os.Signal, 1)
			signal.Notify(asked, syscall.SIGTERM)
			fmt.Println("serving")
			<-asked
			os.Exit(0)
		case "stubborn": // does not
			connect()
			signal.Ignore(syscall.SIGTERM)
			fmt.Println("serving")
			select {}
		case "foreign", "foreign stubborn": // know of no supervisor
			asked := make(chan os.Signal, 1)
			signal.Notify(asked, syscall.SIGTERM)
			fmt.Println("serving")
			<-asked
			if os.Args[1] == "foreign stubborn" {
				select {}
			}
			fmt.Println("goodbye")
			os.Exit(0)
		case "foreign die":
			fmt.Println("last word")
			os.Exit(3)
		case "die":
			connect()
			fmt.Println("first word")
			fmt.Println("last word")
			os.Exit(3)
		case "lonely": // has no supervisor
			if EndWithParent(time.Second) == nil {
				os.Exit(0)
			}
			os.Exit(4)
		case "supervisor": // of one child of the kind and log given, to which it hands file 3
			p := &Program{
				Name: "child", Path: os.Args[0], Args: []string{os.Args[2]}, Log: os.Args[3],
				Hold: []*os.File{os.NewFile(3, "held")}, Grace: time.Minute, Tell: func(string) {}, Foreign: strings.HasPrefix(os.Args[2], "foreign"),
			}
			if p.Foreign {
				p.Grace = time.Second
			}
			if err := p.Run(context.Background()); err != nil {
				os.Exit(5)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func connect() {
	if err := EndWithParent(100 * time.Millisecond); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func program(t *testing.T, kind string) (*Program, chan string) {
	t.Helper()
	told := make(chan string, 1000)
	return &Program{
		Name: kind, Path: os.Args[0], Args: []string{kind}, Log: filepath.Join(t.TempDir(), "log"),
		Grace: time.Minute, Tell: func(line string) { told <- line }, Foreign: strings.HasPrefix(kind, "foreign"),
	}, told
}

// await polls until it is so, as long as the test may run.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for !so() {
		select {
		case <-t.Context().Done():
			t.Fatalf("never came true: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func serving(p *Program) func() bool {
	return func() bool { return strings.Contains(strings.Join(Tail(p.Log, 100), "\n"), "serving") }
}

func TestRunEndsItsChild(t *testing.T) {
	t.Parallel()
	for kind, grace := range map[string]time.Duration{
		"serve": time.Minute, "stubborn": 10 * time.Millisecond, "foreign": time.Minute, "foreign stubborn": 10 * time.Millisecond,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p, _ := program(t, kind)
			p.Grace = grace
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- p.Run(ctx) }()
			await(t, "the child serves", serving(p))
			pid := p.PID()
			if group, err := syscall.Getpgid(pid); err != nil || group != pid {
				t.Errorf("child %d is in group %d (%v), want one of its own", pid, group, err)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
			if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
				t.Errorf("child %d is still there: %v", pid, err)
			}
			if kind == "foreign" && !slices.Contains(Tail(p.Log, 5), "goodbye") {
				t.Errorf("log %q, want that it was asked to end", Tail(p.Log, 5))
			}
			if p.PID() != 0 || p.Deaths() != 0 {
				t.Errorf("PID %d, deaths %d, want 0 and 0", p.PID(), p.Deaths())
			}
		})
	}
}

func TestRunStartsAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"die", "foreign die"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			startsAgain(t, kind)
		})
	}
}

func startsAgain(t *testing.T, kind string) {
	t.Helper()
	p, told := program(t, kind)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	var pauses []string
	for len(pauses) < 3 {
		line := <-told
		if _, pause, ok := strings.Cut(line, "starting it again in "); ok {
			pause, _, _ = strings.Cut(pause, ";")
			pauses = append(pauses, pause)
			if !strings.Contains(line, "exit status 3") {
				t.Errorf("told %q, want how it ended", line)
			}
			if next := <-told; !strings.Contains(next, "word") {
				t.Errorf("told %q after it, want the end of the log", next)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if want := []string{"200ms", "400ms", "800ms"}; strings.Join(pauses, " ") != strings.Join(want, " ") {
		t.Errorf("pauses %v, want %v", pauses, want)
	}
	if p.Deaths() < 3 {
		t.Errorf("deaths %d, want at least 3", p.Deaths())
	}
}

func TestRunStartsAgainAfterAKill(t *testing.T) {
	t.Parallel()
	p, _ := program(t, "serve")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	await(t, "the child serves", serving(p))
	first := p.PID()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "another child runs", func() bool { return p.PID() != first && p.PID() != 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRunCannotStart(t *testing.T) {
	t.Parallel()
	p, _ := program(t, "serve")
	p.Path = filepath.Join(t.TempDir(), "missing")
	if err := p.Run(t.Context()); err == nil {
		t.Error("Run of a program that is not there gave no error")
	}
}

// The child holds the writing end of a pipe: the pipe ends when nobody is left.
func TestChildEndsWithAKilledSupervisor(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"serve", "stubborn", "foreign", "foreign stubborn"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "log")
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			supervisor := exec.Command(os.Args[0], "supervisor", kind, log)
			supervisor.ExtraFiles = []*os.File{w}
			if err := supervisor.Start(); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			await(t, "the child serves", serving(&Program{Log: log}))
			if err := supervisor.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = supervisor.Wait() // killed
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestEndWithParentWantsASupervisor(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command(os.Args[0], "lonely").CombinedOutput(); err == nil {
		t.Errorf("EndWithParent without a supervisor was accepted: %s", out)
	}
}

func TestLogMakesWay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, logLimit+1); err != nil {
		t.Fatal(err)
	}
	f, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("new log: %v %v, want an empty one", info, err)
	}
	if info, err := os.Stat(path + ".1"); err != nil || info.Size() != logLimit+1 {
		t.Errorf("old log: %v %v, want it kept", info, err)
	}
}
