package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
)

// fieldManager is the name under which the API notes the fields that we own.
const fieldManager = "blueberry"

// Bounds of the talk with one API server.
const (
	callTimeout  = 15 * time.Second // one call; a slow admission webhook may take 10 s by default
	checkTimeout = 3 * time.Second
	syncTimeout  = 10 * time.Second // for the first list of a kind
	backstop     = 30 * time.Second // how long a change may stay untold if telling it failed
	parallel     = 8                // calls at once for one environment
	defaultQPS   = 200              // a 20-object environment takes 40 calls
)

// Config says where the API is. With none of Kubeconfig, KubeconfigData and REST, the service account of the pod is used.
type Config struct {
	Kubeconfig     string       // path of a file, which is trusted
	KubeconfigData []byte       // instead of a file: what a person gave us. Open fails with kind Invalid when it does more than name a server and a credential
	Context        string       // of the kubeconfig; empty for its current one
	REST           *rest.Config // instead of a file
	QPS            float32      // calls a second without waiting; 0 means 200, with bursts of twice as many
	Applier        *Applier     // who applies in our name; nil when we do
	Logger         *slog.Logger
}

// Driver holds environments on one Kubernetes API. It implements target.Driver, Comparer and Sizer, and all abilities but Delivery and Releaser.
type Driver struct {
	config    *rest.Config   // as given, for connections of their own: shells
	streams   rest.Interface // for logs: a connection each, so that a slow reader holds up nobody else
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	plain     metadata.Interface // with an applier: the metadata as it is
	applied   *Applier           // nil when we apply ourselves
	discovery *discovery.DiscoveryClient
	log       *slog.Logger
	kinds     kinds
	cache     *cache
	seen      nodesSeen // by Explain
	begun     sync.Once

	ctx    context.Context // of the watches, which outlive the call that begins them; ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var (
	_ target.Driver   = (*Driver)(nil)
	_ target.Comparer = (*Driver)(nil)
	_ target.Sizer    = (*Driver)(nil)

	_ target.LogReader   = (*Driver)(nil)
	_ target.Explainer   = (*Driver)(nil)
	_ target.EventReader = (*Driver)(nil)
	_ target.LiveReader  = (*Driver)(nil)
	_ target.Sheller     = (*Driver)(nil)
	_ target.Meter       = (*Driver)(nil)
	_ target.Operator    = (*Driver)(nil)
	_ target.Scanner     = (*Driver)(nil)
	_ target.Holdup      = (*Driver)(nil)
	_ target.Checker     = (*Driver)(nil)
)

// Open reads the configuration. It does not talk to the API, so it succeeds while that is down.
func Open(c Config) (*Driver, error) {
	cfg, err := c.rest()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	cfg = rest.CopyConfig(cfg)
	plain := rest.CopyConfig(cfg)
	cfg.UserAgent = "blueberry"
	cfg.WarningHandlerWithContext = rest.NoWarnings{}
	cfg.QPS = c.QPS
	if cfg.QPS == 0 {
		cfg.QPS = defaultQPS
	}
	cfg.Burst = int(2 * cfg.QPS)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return transport{next} })
	watches := rest.CopyConfig(cfg) // a limiter of their own: starting 20 watches holds up no apply
	hc, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, fmt.Errorf("make HTTP client: %w", err)
	}
	d := &Driver{log: c.Logger, config: plain}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.cache = newCache(d.log)
	if err := d.clients(cfg, watches, hc); err != nil {
		return nil, err
	}
	if c.Applier != nil {
		d.as(*c.Applier)
	}
	return d, nil
}

func (d *Driver) clients(cfg, watches *rest.Config, hc *http.Client) (err error) {
	if d.dynamic, err = dynamic.NewForConfigAndClient(cfg, hc); err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	if d.metadata, err = metadata.NewForConfigAndClient(cfg, hc); err != nil {
		return fmt.Errorf("make metadata client: %w", err)
	}
	if d.discovery, err = discovery.NewDiscoveryClientForConfigAndClient(cfg, hc); err != nil {
		return fmt.Errorf("make discovery client: %w", err)
	}
	if d.cache.client, err = dynamic.NewForConfigAndClient(watches, hc); err != nil {
		return fmt.Errorf("make watch client: %w", err)
	}
	if d.streams, err = streamClient(cfg); err != nil {
		return fmt.Errorf("make stream client: %w", err)
	}
	return nil
}

func (c Config) rest() (*rest.Config, error) {
	switch {
	case c.REST != nil:
		return c.REST, nil
	case len(c.KubeconfigData) > 0:
		return uploaded(c.KubeconfigData, c.Context)
	}
	if c.Kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: c.Kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: c.Context},
	).ClientConfig()
}

// Close ends the watches. Calls under way go on.
func (d *Driver) Close() {
	d.cancel()
	d.wg.Wait()
}

// Check asks the API server whether it is ready, with our credential.
func (d *Driver) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if _, err := d.discovery.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
		// A server that answers but is not ready says 500.
		err = fault(ctx, "check the target", err)
		if errors.Is(err, blueberry.Unavailable) {
			return err
		}
		return blueberry.Errorf(blueberry.Unavailable, "TARGET_UNREACHABLE", "the target is not ready: %v", err)
	}
	return nil
}
