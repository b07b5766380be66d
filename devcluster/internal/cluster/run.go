package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/blueberry-idp/blueberry/devcluster/internal/dirlock"
	"github.com/blueberry-idp/blueberry/devcluster/internal/pki"
	"github.com/blueberry-idp/blueberry/devcluster/internal/ports"
	"github.com/blueberry-idp/blueberry/devcluster/internal/supervise"
)

const (
	waitForLiving = 2 * time.Second  // for a cluster in the same directory that shows no sign of ending
	waitForEnding = 30 * time.Second // for one that does; longer than all graces together
	startLimit    = 3 * time.Minute
	startDeaths   = 4 // a component that died so often before it was ready will not become so
)

// Options say which cluster to run.
type Options struct {
	Dir  string            // of the cluster; made when missing
	Port int               // of the API server; 0: the remembered one, else any
	Exe  string            // program that is every component: <exe> component <name> <flags>
	With map[string]string // extras by name (see Extras), each with the path of its program; what belongs to it is in <path>.d
	// Exec lets `kubectl exec` run processes on this machine as the user of the cluster, for whoever reaches the loopback port
	// of kwok: for tests alone. kwok tells an exit code other than 0 only in words, and the process not that its input has ended.
	Exec bool
	Tell func(line string)
}

// Places are where what runs is found.
type Places struct {
	Kubeconfig          string // of the administrator
	ArgoCD              string // URL of Argo CD's API; empty without it
	ArgoCDAdminPassword string // file with the password of its user admin
}

type cluster struct {
	dir    string
	pki    pki.Dir
	ports  map[string]int
	exe    string
	extras []extra
	exec   bool
	tell   func(string)
	lock   *dirlock.Lock
}

// Run starts the cluster in its directory, calls ready when it can be used, and keeps it running until ctx ends; then it ends
// the components in order and returns nil. An error says why it could not start.
func Run(ctx context.Context, o Options, ready func(Places)) (err error) {
	extras, err := chosen(o.With)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	lock, err := dirlock.Acquire(ctx, filepath.Join(o.Dir, "lock"), waitForLiving, waitForEnding, func(h dirlock.Holder) {
		o.Tell(fmt.Sprintf("waiting for process %d to leave %s", h.PID, o.Dir))
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	c := &cluster{dir: o.Dir, pki: pki.Dir(filepath.Join(o.Dir, "pki")), exe: o.Exe, extras: extras, exec: o.Exec, tell: o.Tell, lock: lock}
	if err := c.prepare(ctx, o.Port); err != nil {
		return err
	}
	g := &group{}
	err = c.start(ctx, g)
	if err == nil {
		ready(c.places())
		<-ctx.Done()
	}
	if e := lock.Ending(); e != nil {
		c.tell(e.Error())
	}
	if ctx.Err() != nil {
		c.tell("stopping")
		err = nil
	}
	return errors.Join(err, g.stop())
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// prepare makes every file that the components need.
func (c *cluster) prepare(ctx context.Context, port int) error {
	made, err := c.pki.Ensure(serviceIP, time.Now())
	if err != nil {
		return err
	}
	if len(made) > 0 {
		c.tell(fmt.Sprintf("made %d certificates and keys", len(made)))
	}
	names := []string{apiServer, etcd, etcdPeer, controllerManager, scheduler, kwok}
	for _, x := range c.extras {
		names = append(names, x.ports...)
	}
	assigned, moved, err := ports.Assign(ctx, filepath.Join(c.dir, "ports.json"), names, ports.Fixed{Name: apiServer, Port: port})
	if err != nil {
		return err
	}
	for _, name := range moved {
		c.tell(fmt.Sprintf("the port of %s is in use by another program; it is now %d", name, assigned[name]))
	}
	c.ports = assigned
	if err := c.writeFiles(); err != nil {
		return err
	}
	for _, x := range c.extras {
		if err := x.prepare(c); err != nil {
			return fmt.Errorf("prepare %s: %w", x.name, err)
		}
	}
	return nil
}

// start starts the components stage by stage, and returns when the cluster can be used.
func (c *cluster) start(ctx context.Context, g *group) error {
	startCtx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready after %s", startLimit))
	defer cancel()
	admin, err := c.admin()
	if err != nil {
		return err
	}
	for _, stage := range c.stages() {
		if err := c.startStage(startCtx, g, stage, admin); err != nil {
			return err
		}
	}
	if err := c.forget(startCtx, admin); err != nil {
		return err
	}
	never := func() error { return nil }
	if err := until(startCtx, never, func() error { return c.ensureNode(startCtx, admin) }); err != nil {
		return fmt.Errorf("make node: %w", err)
	}
	if err := until(startCtx, never, func() error { return c.usable(startCtx, admin) }); err != nil {
		return fmt.Errorf("wait for the cluster: %w", err)
	}
	return nil
}

// startStage starts the components of a stage, does its work meanwhile, and returns when all is done.
func (c *cluster) startStage(ctx context.Context, g *group, s stage, admin *http.Client) error {
	waits := make([]func() error, 0, len(s.components)+len(s.work))
	for _, comp := range s.components {
		var client *http.Client
		if comp.health != "" {
			var err error
			if client, err = c.client(comp.client, comp.ca); err != nil {
				return err
			}
			comp.ready = func(ctx context.Context) error { return healthy(ctx, client, comp.health) }
		}
		p := g.add(c.program(comp))
		waits = append(waits, func() error {
			err := c.await(ctx, p, comp)
			if client != nil {
				client.CloseIdleConnections()
			}
			return err
		})
	}
	for _, w := range s.work {
		waits = append(waits, func() error {
			if err := w.do(ctx, admin); err != nil {
				return fmt.Errorf("%s: %w", w.what, err)
			}
			return nil
		})
	}
	return all(waits)
}

// await returns when a component is healthy, or has died too often to become so.
func (c *cluster) await(ctx context.Context, p *supervise.Program, comp component) error {
	begin := time.Now()
	hopeless := func() error {
		if p.Deaths() >= startDeaths {
			return fmt.Errorf("it ended by itself %d times", p.Deaths())
		}
		return nil
	}
	if err := until(ctx, hopeless, func() error { return comp.ready(ctx) }); err != nil {
		if ctx.Err() == nil || !errors.Is(ctx.Err(), context.Canceled) {
			for _, line := range supervise.Tail(p.Log, 20) {
				c.tell("  | " + line)
			}
		}
		return fmt.Errorf("start %s: %w", comp.name, err)
	}
	c.tell(fmt.Sprintf("%s is ready (%.1f s)", comp.name, time.Since(begin).Seconds()))
	return nil
}

// program is a component as a child process. It is given nothing of the environment that could change what it does: etcd
// and kwok read flags from there, clients a KUBECONFIG or a proxy.
func (c *cluster) program(comp component) *supervise.Program {
	path, args := c.exe, append([]string{"component", comp.name}, comp.flags...)
	if comp.path != "" {
		path, args = comp.path, comp.flags
	}
	return &supervise.Program{
		Name: comp.name,
		Path: path,
		Args: args,
		Env: append([]string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "TMPDIR=" + os.TempDir(),
			"KWOK_WORKDIR=" + filepath.Join(c.dir, "kwok"),
		}, comp.env...),
		Dir:     c.dir,
		Log:     filepath.Join(c.dir, "logs", comp.name+".log"),
		Hold:    []*os.File{c.lock.File()},
		Grace:   comp.grace,
		Foreign: comp.path != "",
		Tell:    c.tell,
	}
}

func (c *cluster) places() Places {
	p := Places{Kubeconfig: c.kubeconfig()}
	for _, x := range c.extras {
		if x.name == argoCD {
			p.ArgoCD, p.ArgoCDAdminPassword = c.httpURL(argoServer), c.argo("admin-password")
		}
	}
	return p
}
