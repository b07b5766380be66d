package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	postgresUser  = "blueberry"
	postgresTries = 5 // with another port each: between choice and start somebody else may take one
	postgresStart = time.Minute
	postgresPoll  = 50 * time.Millisecond
)

var errPortTaken = errors.New("the port is in use")

// postgres is how to run PostgreSQL's programs.
type postgres struct {
	bin        string // directory of the programs
	dir        string // everything of this server
	credential *syscall.Credential
}

// startPostgres makes a database cluster and serves it. Nothing in it is meant to last, so it does not wait for the disk.
func startPostgres(ctx context.Context, dir string) (map[string]string, func() error, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, nil, err
	}
	p := &postgres{bin: bin, dir: dir}
	if os.Geteuid() == 0 {
		if p.credential, err = lookUp("postgres"); err != nil {
			return nil, nil, fmt.Errorf("PostgreSQL refuses to run as root: %w", err)
		}
	}
	password := rand.Text()
	if err := p.initialise(ctx, password); err != nil {
		return nil, nil, fmt.Errorf("make PostgreSQL's database cluster: %w", err)
	}
	for try := 1; ; try++ {
		port, stop, err := p.serve(ctx)
		if err == nil {
			url := fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/postgres?sslmode=disable", postgresUser, password, port)
			return map[string]string{postgresVar: url}, stop, nil
		}
		if !errors.Is(err, errPortTaken) || try == postgresTries {
			return nil, nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
}

// postgresPrograms finds the directory of initdb and postgres: in PATH, else the newest that Debian or Homebrew installed.
func postgresPrograms() (string, error) {
	var dirs []string
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
		"/opt/homebrew/opt/postgresql/bin", "/usr/local/opt/postgresql/bin", "/usr/pgsql-*/bin",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("find PostgreSQL: %w", err)
		}
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		// A link in PATH leads to the directory where the others are too.
		initdb, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb"))
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(initdb), "postgres")); err == nil {
			return filepath.Dir(initdb), nil
		}
	}
	return "", errors.New("PostgreSQL is not on this machine: apt-get install postgresql, or brew install postgresql@17; " +
		"or name a server in " + postgresVar + ", or do without it (-without-postgres)")
}

// version is the number in a path like /usr/lib/postgresql/15/bin.
func version(path string) int {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, path)
	n, _ := strconv.Atoi(digits) // a path without one is the oldest
	return n
}

func lookUp(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) log() string { return filepath.Join(p.dir, "log") }

// command is one of PostgreSQL's programs, as the right user and without the PG* variables of ours. ctx kills it and what it
// started.
func (p *postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.credential}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// initialise makes the database cluster with one superuser.
func (p *postgres) initialise(ctx context.Context, password string) error {
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return err
	}
	secret := filepath.Join(p.dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if p.credential != nil {
		for _, path := range []string{p.dir, secret} {
			if err := os.Chown(path, int(p.credential.Uid), int(p.credential.Gid)); err != nil {
				return err
			}
		}
	}
	// The password goes over loopback as it is: SCRAM would cost milliseconds for each of a test's many connections.
	out, err := p.command(ctx, "initdb", "-D", p.data(), "-U", postgresUser, "--pwfile="+secret,
		"--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return os.Remove(secret)
}

// serve starts the server on a free port and waits until it answers.
func (p *postgres) serve(ctx context.Context) (port int, stop func() error, err error) {
	if port, err = freePort(ctx); err != nil {
		return 0, nil, err
	}
	args := []string{"-D", p.data()}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(port), "unix_socket_directories=",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"max_connections=400", "shared_buffers=128MB", "max_wal_size=2GB", "timezone=UTC", "logging_collector=off",
	} {
		args = append(args, "-c", setting)
	}
	log, err := os.Create(p.log())
	if err != nil {
		return 0, nil, err
	}
	defer log.Close()
	cmd := p.command(context.WithoutCancel(ctx), "postgres", args...) // it is asked to end, not killed
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // what went wrong is in the log
	}()
	stop = func() error { return end(cmd.Process, ended) }
	ctx, cancel := context.WithTimeoutCause(ctx, postgresStart, fmt.Errorf("no answer after %s", postgresStart))
	defer cancel()
	for {
		if err := p.command(ctx, "pg_isready", "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-t", "5").Run(); err == nil {
			return port, stop, nil
		}
		select {
		case <-ended:
			return 0, nil, p.whyEnded()
		case <-ctx.Done():
			return 0, nil, errors.Join(context.Cause(ctx), stop())
		case <-time.After(postgresPoll):
		}
	}
}

func (p *postgres) whyEnded() error {
	log, err := os.ReadFile(p.log())
	if err != nil {
		return fmt.Errorf("it ended, and its log cannot be read: %w", err)
	}
	if bytes.Contains(log, []byte("Address already in use")) {
		return errPortTaken
	}
	return fmt.Errorf("it ended: %s", bytes.TrimSpace(log))
}

// end stops the server: first with a rollback of what runs, then without, then by force.
func end(process *os.Process, ended <-chan struct{}) error {
	for _, step := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGINT, 10 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}} {
		_ = process.Signal(step.signal) // fails only when it is gone
		select {
		case <-ended:
			return nil
		case <-time.After(step.grace):
		}
	}
	err := process.Kill()
	<-ended
	return err
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
