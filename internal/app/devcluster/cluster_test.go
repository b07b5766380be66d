package devcluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestMain makes the test binary the helper, whose behaviour is the last part of its directory, and a program that starts a
// cluster and is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "run":
			fakeHelper(os.Args[3])
		case "starter":
			if _, err := Start(context.Background(), Options{Bin: os.Args[0], Dir: os.Args[2]}); err != nil {
				os.Exit(1)
			}
			fmt.Println("started")
			select {}
		}
	}
	os.Exit(m.Run())
}

func fakeHelper(dir string) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		os.Exit(1)
	}
	kind := filepath.Base(dir)
	fmt.Fprintln(os.Stderr, "first word")
	switch kind {
	case "dies":
		fmt.Fprintln(os.Stderr, "last word")
		os.Exit(3)
	case "silent":
	default:
		fmt.Println("something else")
		if flags := strings.Join(os.Args[4:], " "); strings.Contains(flags, "--with") {
			fmt.Println("argocd url=http://127.0.0.1:1 admin-password=" + filepath.Join(dir, "a password"))
			fmt.Fprintln(os.Stderr, "flags", flags)
		}
		fmt.Println("ready kubeconfig=" + filepath.Join(dir, "kubeconfig"))
	}
	switch kind {
	case "ends":
		os.Exit(4)
	case "deaf":
		select {}
	case "chatty": // with a line longer than any reader likes, and more than a pipe holds
		for _, to := range []io.Writer{os.Stdout, os.Stderr} {
			fmt.Fprintln(to, strings.Repeat("x", 1<<20))
			for range 10000 {
				fmt.Fprintln(to, "word")
			}
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := os.WriteFile(filepath.Join(dir, "bye"), nil, 0o600); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func options(t *testing.T, kind string) (Options, *words) {
	t.Helper()
	w := &words{}
	return Options{Bin: os.Args[0], Dir: filepath.Join(t.TempDir(), kind), Progress: w, Logger: slog.New(slog.NewTextHandler(w, nil))}, w
}

// words is a buffer that many may write to.
type words struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func said(dir string) func() bool {
	return func() bool {
		_, err := os.Stat(filepath.Join(dir, "bye"))
		return err == nil
	}
}

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

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"plain", "chatty"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o, w := options(t, kind)
			c, err := Start(t.Context(), o)
			if err != nil {
				t.Fatalf("Start: %v", err)
			}
			if want := filepath.Join(o.Dir, "kubeconfig"); c.Kubeconfig() != want {
				t.Errorf("kubeconfig %q, want %q", c.Kubeconfig(), want)
			}
			for range 2 {
				if err := c.Stop(t.Context()); err != nil {
					t.Errorf("Stop: %v", err)
				}
			}
			if err := c.Wait(); err != nil {
				t.Errorf("Wait: %v", err)
			}
			if !said(o.Dir)() {
				t.Error("the helper did not end in order")
			}
			if !strings.Contains(w.String(), "first word") {
				t.Errorf("told %q, want what the helper said", w)
			}
		})
	}
}

func TestStartWithExtras(t *testing.T) {
	t.Parallel()
	o, w := options(t, "plain")
	o.With, o.Exec = []string{ArgoCD, ArgoCDApplicationSets, Metrics}, true
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	want := ArgoCDPlace{URL: "http://127.0.0.1:1", AdminPassword: filepath.Join(o.Dir, "a password")}
	if c.ArgoCD() != want {
		t.Errorf("Argo CD is at %+v, want %+v", c.ArgoCD(), want)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("Stop: %v", err)
	}
	flags := "--with argocd=" + o.Bin + "-argocd,argocd-applicationset=" + o.Bin + "-argocd,metrics=" + o.Bin + "-metrics --exec"
	if !strings.Contains(w.String(), flags) {
		t.Errorf("told %q, want the flags %q", w, flags)
	}
	o.With = []string{"argo"}
	if _, err := Start(t.Context(), o); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("Start with an unknown extra: %v, want Invalid", err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	o, _ := options(t, "dies")
	_, err := Start(t.Context(), o)
	if !errors.Is(err, blueberry.Unavailable) || !strings.Contains(err.Error(), "last word") {
		t.Errorf("Start: %v, want Unavailable with the last word", err)
	}
	o.Bin = filepath.Join(t.TempDir(), "missing")
	if _, err := Start(t.Context(), o); !errors.Is(err, blueberry.Unavailable) {
		t.Errorf("Start of a missing helper: %v, want Unavailable", err)
	}
}

func TestStartBrokenOff(t *testing.T) {
	t.Parallel()
	o, w := options(t, "silent")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		await(t, "the helper speaks", func() bool { return strings.Contains(w.String(), "first word") })
		cancel()
	}()
	if _, err := Start(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v, want Canceled", err)
	}
	if !said(o.Dir)() {
		t.Error("the helper did not end in order")
	}
}

func TestStopOfADeafHelper(t *testing.T) {
	t.Parallel()
	o, _ := options(t, "deaf")
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop: %v, want Canceled", err)
	}
	if err := c.Wait(); err == nil {
		t.Error("Wait of a killed helper gave no error")
	}
}

func TestClusterThatEndsByItself(t *testing.T) {
	t.Parallel()
	o, _ := options(t, "ends")
	c, err := Start(t.Context(), o)
	if err != nil {
		// It may end before anybody looked.
		if !errors.Is(err, blueberry.Unavailable) {
			t.Fatalf("Start: %v", err)
		}
		return
	}
	<-c.Done()
	if err := c.Wait(); err == nil {
		t.Error("Wait gave no error")
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("Stop of what has ended: %v", err)
	}
}

func TestHelperEndsWithAKilledStarter(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "plain")
	starter := exec.Command(os.Args[0], "starter", dir)
	out, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("starter said %q: %v", line, err)
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "the helper ended in order", said(dir))
	_ = starter.Wait() // killed
}
