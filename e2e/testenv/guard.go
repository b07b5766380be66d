package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
)

// guardWord as the first argument makes this program the guard.
const guardWord = "guard"

// greeting is what the guard says when the services are there, or cannot be.
type greeting struct {
	Env   map[string]string `json:"env,omitempty"`
	Error string            `json:"error,omitempty"`
}

// guard is the process that the services belong to, seen from testenv.
type guard struct {
	env   map[string]string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startGuard starts the services and waits for them. A signal in the meantime stops them again.
func startGuard(want services, stderr io.Writer, signals <-chan os.Signal) (*guard, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	request, err := json.Marshal(want)
	if err != nil {
		return nil, fmt.Errorf("start services: %w", err)
	}
	cmd := exec.CommandContext(context.Background(), exe, guardWord, string(request)) // its standard input ends it
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for the guard
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start services: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start services: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start services: %w", err)
	}
	g := &guard{cmd: cmd, stdin: stdin}
	said := make(chan error, 1)
	var hello greeting
	go func() { said <- json.NewDecoder(stdout).Decode(&hello) }()
	select {
	case s := <-signals:
		return nil, errors.Join(fmt.Errorf("start services: %s", s), g.stop())
	case err := <-said:
		switch {
		case err != nil:
			return nil, errors.Join(fmt.Errorf("start services: the guard said nothing: %w", err), g.stop())
		case hello.Error != "":
			return nil, errors.Join(errors.New(hello.Error), g.stop())
		}
	}
	g.env = hello.Env
	return g, nil
}

// stop ends the services and waits until they are gone.
func (g *guard) stop() error {
	_ = g.stdin.Close() // fails only when the guard is gone
	return g.cmd.Wait()
}

// guardMain is the main function of the guard. Its standard input says how long to go on.
func guardMain(args []string) int {
	// Nobody may be there to read what it says when it cleans up.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGINT, syscall.SIGHUP)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var want services
	if len(args) != 1 || json.Unmarshal([]byte(args[0]), &want) != nil {
		fmt.Fprintln(os.Stderr, "testenv: guard is started by testenv only")
		return exitUsage
	}
	if err := guardServices(ctx, want); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		return 1
	}
	return 0
}

// guardServices starts the services, says where they are, waits for ctx and leaves nothing.
func guardServices(ctx context.Context, want services) (err error) {
	root, err := os.MkdirTemp("", "blueberry-test-")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	// The user that PostgreSQL runs as must get through to its directory; each service's own is closed.
	if err := os.Chmod(root, 0o711); err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		stops   []func() error
		failed  error
		located = map[string]string{}
	)
	start := func(f func() (map[string]string, func() error, error)) {
		all.Go(func() {
			env, stop, err := f()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, err)
				return
			}
			stops = append(stops, stop)
			for name, value := range env {
				located[name] = value
			}
		})
	}
	if want.Postgres {
		start(func() (map[string]string, func() error, error) {
			return startPostgres(ctx, filepath.Join(root, "postgres"))
		})
	}
	if want.Cluster {
		start(func() (map[string]string, func() error, error) {
			return startCluster(ctx, filepath.Join(root, "cluster"), want.With)
		})
	}
	if want.Helper {
		start(func() (map[string]string, func() error, error) {
			bin, err := helper(ctx, want.With)
			return map[string]string{binVar: bin}, func() error { return nil }, err
		})
	}
	all.Wait()
	hello := greeting{Env: located}
	if failed != nil {
		hello = greeting{Error: failed.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(hello); err == nil && failed == nil {
		<-ctx.Done()
	}
	errs := make([]error, len(stops))
	for i, stop := range stops {
		all.Go(func() { errs[i] = stop() })
	}
	all.Wait()
	return errors.Join(errs...)
}
