package devcluster

import (
	"bufio"
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
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	readyPrefix  = "ready kubeconfig="
	argoCDPrefix = "argocd url="
	argoCDMiddle = " admin-password="

	// startGrace is how long a start that is broken off may take to end in order.
	startGrace = 20 * time.Second
)

// Options say what to start.
type Options struct {
	Bin      string       // the helper binary; see Builder
	Dir      string       // of the cluster; made when missing, kept when it stops
	With     []string     // extras, whose binaries are beside the helper's, as Builder puts them
	Exec     bool         // `kubectl exec` runs processes on this machine, for whoever reaches a loopback port: for tests alone
	Progress io.Writer    // told what happens until the cluster is ready; nil: nobody
	Logger   *slog.Logger // told what happens afterwards; nil: nobody
}

// Cluster is a development cluster that was started by this process.
type Cluster struct {
	kubeconfig string
	argoCD     ArgoCDPlace
	process    *os.Process
	stdin      io.Closer // its end is the cluster's
	stop       sync.Once
	done       chan struct{}
	err        error // how it ended; to be read after done
}

// ArgoCDPlace is where the Argo CD of a cluster is.
type ArgoCDPlace struct {
	URL           string // of its API; empty without Argo CD
	AdminPassword string // file with the password of its user admin
}

// Start starts the cluster of a directory and returns when it can be used. ctx bounds the start only: the cluster runs until
// Stop, or until this process ends in whatever way. An error tells what the cluster said last; its kind is Unavailable.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if err := CheckWith(o.With); err != nil {
		return nil, err
	}
	begin := time.Now()
	args := []string{"run", "--dir", o.Dir, "--stop-with-stdin"}
	if len(o.With) > 0 {
		args = append(args, "--with", withFlag(o.Bin, o.With))
	}
	if o.Exec {
		args = append(args, "--exec")
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), o.Bin, args...)
	ownGroup(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start devcluster: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start devcluster: %w", err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start devcluster: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, blueberry.Errorf(blueberry.Unavailable, "DEVCLUSTER_NOT_STARTED", "the development cluster cannot be started: %s", err)
	}
	c := &Cluster{process: cmd.Process, stdin: stdin, done: make(chan struct{})}
	v := &voice{progress: newProgress(o.Progress), logger: o.Logger}
	ready := make(chan places, 1)
	var reading sync.WaitGroup
	reading.Go(func() { eachLine(stderr, v.hear) })
	reading.Go(func() {
		var p places
		eachLine(stdout, func(line string) {
			if p.hear(line) {
				select {
				case ready <- p:
				default: // it is said once
				}
			}
		})
	})
	go func() {
		reading.Wait() // Wait closes the pipes, so all must be read before
		c.err = cmd.Wait()
		close(c.done)
	}()
	select {
	case p := <-ready:
		c.kubeconfig, c.argoCD = p.kubeconfig, p.argoCD
		v.turnToLog(fmt.Sprintf("the development cluster is ready after %.1f s", time.Since(begin).Seconds()))
		return c, nil
	case <-c.done:
		// Ready and the end may come together; then the end is what counts.
		return nil, blueberry.Errorf(blueberry.Unavailable, "DEVCLUSTER_NOT_STARTED",
			"the development cluster did not start (%s): %s; its logs are in %s", ended(c.err), v.lastWord(), filepath.Join(o.Dir, "logs"))
	case <-ctx.Done():
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), startGrace)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("start devcluster: %w", context.Cause(ctx)), c.Stop(late))
	}
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// ArgoCD is where its Argo CD is.
func (c *Cluster) ArgoCD() ArgoCDPlace { return c.argoCD }

// Done is closed when the cluster has ended.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Wait returns when the cluster has ended; the error says how, nil after a Stop that it heard.
func (c *Cluster) Wait() error {
	<-c.done
	if c.err != nil {
		return fmt.Errorf("devcluster: %w", c.err)
	}
	return nil
}

// Stop asks the cluster to end and waits for it. When ctx ends first the cluster is killed, which costs no data, and ctx's
// error is returned. It may be called more than once.
func (c *Cluster) Stop(ctx context.Context) error {
	c.stop.Do(func() { _ = c.stdin.Close() }) // fails only when the process is gone
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	}
	if err := c.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill devcluster: %w", err)
	}
	<-c.done
	return fmt.Errorf("stop devcluster: %w", context.Cause(ctx))
}

// places are where what runs is, as the helper says it.
type places struct {
	kubeconfig string
	argoCD     ArgoCDPlace
}

// hear is true for the last line of them.
func (p *places) hear(line string) bool {
	if rest, ok := strings.CutPrefix(line, argoCDPrefix); ok {
		p.argoCD.URL, p.argoCD.AdminPassword, _ = strings.Cut(rest, argoCDMiddle)
	}
	path, ok := strings.CutPrefix(line, readyPrefix)
	if ok {
		p.kubeconfig = path
	}
	return ok
}

func ended(err error) string {
	if err == nil {
		return "it ended"
	}
	return err.Error()
}

// eachLine reads to the end; a line too long for it is let go with what follows, but still read, so that the writer never
// blocks.
func eachLine(r io.Reader, f func(string)) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f(lines.Text())
	}
	_, _ = io.Copy(io.Discard, r)
}

// voice passes on what the cluster says: to people until it is ready, to the log afterwards.
type voice struct {
	mu       sync.Mutex
	progress *progress
	logger   *slog.Logger
	logging  bool
	said     tail
}

func (v *voice) hear(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said.add(line)
	if !v.logging {
		v.progress.line(line)
	} else if v.logger != nil {
		v.logger.Info("development cluster", "line", line)
	}
}

func (v *voice) turnToLog(last string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.progress.line(last)
	v.logging = true
}

func (v *voice) lastWord() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.said.lines()) == 0 {
		return "it said nothing"
	}
	return v.said.lines()[len(v.said.lines())-1]
}
