package argocd

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"k8s.io/client-go/dynamic"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/kube"
)

// Defaults of Config.
const (
	defaultNamespace   = "argocd"
	defaultBranch      = "main"
	defaultDestination = "https://kubernetes.default.svc"
)

// Bounds of the talk with Argo CD.
const (
	callTimeout = 15 * time.Second
	listTimeout = time.Minute
	viewTimeout = 10 * time.Second // for the first list of Applications
	silence     = 30 * time.Second // after which an Argo CD that does nothing is said to be down
	resync      = 30 * time.Second // between two syncs of a commit that Argo CD could not apply
	overdue     = 10 * time.Second // after which we ask for what Argo CD should do by itself
)

// Config says where Argo CD is, and what it shall sync.
type Config struct {
	Kube      kube.Config // the cluster that holds the environments
	Argo      kube.Config // the cluster that Argo CD runs in; the zero value means the same
	Namespace string      // of Argo CD's Applications; empty means "argocd"
	Target    string      // name of the target

	Repository         string // URL by which Argo CD reaches the GitOps repository
	Branch             string // empty means "main"
	Username, Password string // of the repository; with neither, Argo CD is expected to know a credential itself
	Destination        string // URL by which Argo CD knows the cluster of the environments; empty means its own

	// Contains reports whether a commit of the repository is another or has it in its history.
	Contains func(ctx context.Context, revision, commit string) (bool, error)

	Logger *slog.Logger     // nil means none
	Now    func() time.Time // nil means time.Now
}

// Driver holds environments by an Argo CD. It implements target.Driver, Delivery, Releaser, Checker and Explainer itself, and everything else by the kube
// driver of the destination cluster.
type Driver struct {
	*kube.Driver
	config    Config
	log       *slog.Logger
	now       func() time.Time
	argo      *kube.Driver
	client    dynamic.Interface // of Argo CD's cluster
	apps      *applications
	root      *refresher
	projects  projects
	ready     readiness
	memory    memory
	closeOnce sync.Once
}

var (
	_ target.Driver    = (*Driver)(nil)
	_ target.Comparer  = (*Driver)(nil)
	_ target.Sizer     = (*Driver)(nil)
	_ target.Delivery  = (*Driver)(nil)
	_ target.Releaser  = (*Driver)(nil)
	_ target.Checker   = (*Driver)(nil)
	_ target.Explainer = (*Driver)(nil)
)

// Open reads the configuration. It talks to no API, so it succeeds while they are down.
func Open(c Config) (*Driver, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	d := &Driver{config: c, log: c.Logger, now: c.Now}
	c.Kube.Applier = &kube.Applier{Manager: applier, Marked: d.marked}
	var err error
	if d.Driver, err = kube.Open(c.Kube); err != nil {
		return nil, fmt.Errorf("open the cluster of the environments: %w", err)
	}
	if zero(c.Argo) {
		c.Argo = c.Kube
	}
	c.Argo.Applier = nil // its own view of the Applications, by a connection of its own
	if d.argo, err = kube.Open(c.Argo); err != nil {
		d.Driver.Close()
		return nil, fmt.Errorf("open the cluster of Argo CD: %w", err)
	}
	calls, watches := d.argo.Clients()
	d.client = calls
	d.apps = newApplications(watches, c.Namespace, c.Target, d.log, d.now)
	d.root = newRefresher(d.refreshRoot, d.log)
	return d, nil
}

func (c *Config) fill() error {
	if c.Target == "" || c.Repository == "" || c.Contains == nil {
		return errors.New("open argocd driver: it needs the name of its target, the URL of the repository and a way to look into its history")
	}
	for _, x := range []struct {
		field *string
		value string
	}{{&c.Namespace, defaultNamespace}, {&c.Branch, defaultBranch}, {&c.Destination, defaultDestination}} {
		if *x.field == "" {
			*x.field = x.value
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

func zero(c kube.Config) bool {
	return c.Kubeconfig == "" && len(c.KubeconfigData) == 0 && c.REST == nil && c.Context == ""
}

// Close ends the watches and what is done by itself. Calls under way go on.
func (d *Driver) Close() {
	d.closeOnce.Do(func() {
		d.root.close()
		d.apps.close()
		d.argo.Close()
		d.Driver.Close()
	})
}

// Check implements target.Driver: both clusters answer, and the root Application is there, or is made.
func (d *Driver) Check(ctx context.Context) error {
	if err := d.Driver.Check(ctx); err != nil {
		return err
	}
	if err := d.argo.Check(ctx); err != nil {
		return argoAway(err)
	}
	if err := d.apps.await(ctx); err != nil {
		return err
	}
	return d.prepare(ctx)
}

// argoAway says of an error that it is Argo CD's cluster that is away.
func argoAway(err error) error {
	var e *blueberry.Error
	if errors.As(err, &e) && e.Kind == blueberry.Unavailable {
		return blueberry.Errorf(blueberry.Unavailable, "ARGOCD_UNREACHABLE", "the cluster of Argo CD: %s", e.Detail)
	}
	return err
}

// memory is what is kept of environments between calls. Without it nothing is wrong: it saves calls, and tells what was made.
type memory struct {
	mu       sync.Mutex
	of       map[target.Ref]*remembered
	contains map[[2]string]bool // of pairs of commits that were asked; only those that are, which stays so
}

type remembered struct {
	fresh     bool      // nothing of it was there when we made its Application
	removing  time.Time // since when it is being removed or let go; zero when it is not
	disowned  string    // a revision that the root Application compared with since, which has no Application for it
	cleared   time.Time // when we last cleared something out of Argo CD's way
	permitted string    // the commit whose kinds its AppProject allows
	held      string    // why it could not be let go when that was last tried
	accepted  [2]string // a spec that we applied, and what the API made of it
}

// edit lets f read and alter what is kept of an environment.
func (m *memory) edit(ref target.Ref, f func(*remembered)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[target.Ref]*remembered{}
	}
	if m.of[ref] == nil {
		m.of[ref] = &remembered{}
	}
	f(m.of[ref])
}

// forbid forgets which commits are permitted.
func (m *memory) forbid() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.of {
		r.permitted = ""
	}
}

func (m *memory) forget(ref target.Ref) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, ref)
}

// removing lists the environments that wait for the root Application to let them go.
func (m *memory) removing() []target.Ref {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []target.Ref
	for ref, r := range m.of {
		if !r.removing.IsZero() {
			out = append(out, ref)
		}
	}
	return out
}

func isCommit(s string) bool {
	_, err := hex.DecodeString(s)
	return len(s) == 40 && err == nil
}

// maxContains bounds what is kept of the history.
const maxContains = 10_000

// contains reports whether a revision that Argo CD tells holds a commit of ours.
func (d *Driver) contains(ctx context.Context, revision, commit string) (bool, error) {
	switch {
	case !isCommit(revision) || !isCommit(commit): // Argo CD tells the name of the branch when it could not read it
		return false, nil
	case revision == commit:
		return true, nil
	}
	pair := [2]string{revision, commit}
	d.memory.mu.Lock()
	yes := d.memory.contains[pair]
	d.memory.mu.Unlock()
	if yes {
		return true, nil
	}
	yes, err := d.config.Contains(ctx, revision, commit)
	if err != nil {
		return false, fmt.Errorf("look for commit %.12s in %.12s: %w", commit, revision, err)
	}
	if yes {
		d.memory.mu.Lock()
		if d.memory.contains == nil || len(d.memory.contains) >= maxContains {
			d.memory.contains = map[[2]string]bool{}
		}
		d.memory.contains[pair] = true
		d.memory.mu.Unlock()
	}
	return yes, nil
}
