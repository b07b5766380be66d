package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/activator"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/fleet"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/web/console"
)

// Server is everything that runs in one process of the platform.
type Server struct {
	Config  Config
	Version string
	Logger  *slog.Logger
	Out     io.Writer // where people read what they need to know at the start
	Gallery bool      // serve the gallery of pages as well, for who works on them

	store         *store.Store
	queue         *jobs.Queue
	repository    *gitops.Repository
	provisioner   *provision.Provisioner
	catalog       *catalog.Catalog
	feed          *feed
	metrics       *metrics
	health        health
	places        *places
	activator     *activator.Activator
	console       *console.Console
	repositories  *source.Repositories
	subscriptions *notify.Subscriptions
	fleet         *fleet.Fleet
	clock         *steadyClock
	reader        string // credential of Argo CD for the embedded repository
	rights        rights
	certificate   func(*tls.ClientHelloInfo) (*tls.Certificate, error) // nil without TLS
	release       func()                                               // of the claim on the record
	address       string                                               // URL of the listener

	gateway        net.Listener // of the wake gateway; nil for none
	gatewayAddress string       // its URL
}

// Logger gives the logger that the configuration asks for.
func (c Config) Logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // Load has checked it
	opts := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// Run opens everything, serves until ctx ends, and stops in order: no new requests, running work drains, then the record is closed.
func (s *Server) Run(ctx context.Context) error {
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer s.close(context.WithoutCancel(ctx))
	if err := s.listenGateway(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := s.open(ctx); err != nil {
		err = errors.Join(err, listener.Close())
		if s.gateway != nil {
			err = errors.Join(err, s.gateway.Close())
		}
		return err
	}
	s.Logger.Info("serving", "url", s.address, "public_url", s.publicURL(), "version", s.Version, "database", s.store.Dialect(), "target", s.Config.Target, "driver", s.Config.TargetDriver, "gateway", s.gatewayAddress)
	// The repository outlives those who commit to it: a commit that is cut off by a stop would look like a remote that is down.
	below, stopBelow := context.WithCancel(context.WithoutCancel(ctx))
	committer := make(chan error, 1)
	go func() { committer <- named("GitOps repository", s.repository.Run(below)) }()

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.serve(ctx, listener) })
	g.Go(func() error { return named("jobs", s.queue.Run(ctx)) })
	g.Go(func() error { return named("targets", s.provisioner.Run(ctx)) })
	g.Go(func() error { return s.places.run(ctx) })
	g.Go(func() error { return s.activator.Run(ctx) })
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error {
		if err := s.repositories.SweepAll(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("have hosts asked for what no delivery told of", "error", err) // the sweeps that are on their way go on
		}
		return nil
	})
	g.Go(func() error {
		return s.follow(ctx, "pull-reports", func(ctx context.Context, tx *store.Tx, events []blueberry.Event) error {
			return s.repositories.Follow(ctx, tx, events)
		})
	})
	g.Go(func() error { return s.takeNotices(ctx) })
	g.Go(func() error { return named("sign-in", s.rights.gate.Run(ctx)) })
	g.Go(func() error { return named("audit", s.rights.auditor.Run(ctx)) })
	g.Go(func() error { return s.warnTokens(ctx) })
	g.Go(func() error {
		select {
		case err := <-committer:
			committer <- err
			return err
		case <-ctx.Done():
			return nil
		}
	})
	err = g.Wait()
	stopBelow()
	return errors.Join(err, <-committer)
}

func named(what string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s *Server) open(ctx context.Context) error {
	if err := os.MkdirAll(s.Config.StateDir, 0o700); err != nil {
		return fmt.Errorf("make state directory: %w", err)
	}
	s.release = func() {}
	if err := s.openRecord(ctx); err != nil {
		return err
	}
	return s.openRooms(ctx)
}

// close lets go of everything that was opened, as far as it was. What was accepted is committed; last uses and the seals of the last entries follow here.
func (s *Server) close(ctx context.Context) {
	if s.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastPatience)
	defer cancel()
	s.rights.finish(ctx, s.Logger)
	if s.places != nil {
		s.places.close()
	}
	s.release()
	_ = s.rights.close() // nothing waits to be written
	_ = s.store.Close()
}

// lastPatience is how long a stop waits for what follows when nobody is served any more.
const lastPatience = 10 * time.Second

func (s *Server) openRecord(ctx context.Context) (err error) {
	dsn, err := s.Config.dsn()
	if err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, store.Config{DSN: dsn, Logger: s.Logger}); err != nil {
		return fmt.Errorf("open record: %w", err)
	}
	return nil
}

func (s *Server) openRooms(ctx context.Context) (err error) {
	s.feed = newFeed(s.store)
	password, err := secret(s.Config.GitopsPasswordFile)
	if err != nil {
		return err
	}
	s.metrics = newMetrics(s.Version)
	if s.Config.GitopsRemote == "" {
		// The embedded repository is in this process's directory: another process on the same record would have another one.
		if s.release, err = s.store.Claim(ctx, "embedded GitOps repository"); err != nil {
			return fmt.Errorf("another server works on this database, and the embedded GitOps repository belongs to one: set gitops_remote for both: %w", err)
		}
	}
	s.repository, err = gitops.Open(ctx, gitops.Config{
		Dir: filepath.Join(s.Config.StateDir, "gitops.git"), Remote: s.Config.GitopsRemote, Branch: s.Config.GitopsBranch,
		Username: s.Config.GitopsUsername, Password: password, Logger: s.Logger, OnBatch: s.metrics.batch,
	})
	if err != nil {
		return fmt.Errorf("open GitOps repository: %w", err)
	}
	checkouts, err := source.Open(source.Config{Dir: filepath.Join(s.Config.StateDir, "sources"), AllowLocal: s.Config.AllowLocalRepositories, Logger: s.Logger})
	if err != nil {
		return fmt.Errorf("open source cache: %w", err)
	}
	s.clock = newSteadyClock(s.Logger)
	if s.reader, err = readerToken(s.Config.StateDir); err != nil {
		return err
	}
	ring, err := s.signer(ctx)
	if err != nil {
		return err
	}
	if err := s.openRights(ctx, ring); err != nil {
		return err
	}
	if err := s.openTargets(ctx); err != nil {
		return err
	}
	s.provisioner = &provision.Provisioner{
		Record: narrow(s.store, func(tx *store.Tx) provision.Tx { return tx }), Sources: sources{func(ctx context.Context, project, repository, ref string) (*source.Tree, error) {
			return s.repositories.Tree(ctx, project, repository, ref)
		}}, Repository: s.repository, Signer: ring,
		Places: s.places, Default: s.Config.Target, Now: s.clock.Now, Logger: s.Logger, AtStep: faultPoint(),
		PublicURL: s.publicURL(), Bucket: s.rights.objects, Prober: newProber(), Rules: s.rules(),
		Standing: s.rights.gate.Standing,
	}
	if s.rights.mail != nil {
		s.provisioner.Mail = leaseMailer{s.rights.mail}
	}
	s.openRepositories(checkouts)
	s.openSubscriptions()
	s.provisioner.Owners = s.subscriptions
	s.activator = &activator.Activator{Environments: s.provisioner, Upstream: s.places.upstream, Now: s.clock.Now, Logger: s.Logger}
	s.catalog = &catalog.Catalog{
		Record: narrow(s.store, func(tx *store.Tx) catalog.Tx { return tx }), Sources: catalogSources{checkouts},
		Places: s.catalogPlace, Now: time.Now, Logger: s.Logger,
	}
	s.queue, err = jobs.Open(ctx, jobs.Config{
		DB: s.store.DB(), ReadDB: s.store.ReadDB(), Dialect: s.store.Dialect(), Logger: s.Logger, MaxWorkers: s.Config.Workers, Drain: s.Config.DrainTimeout,
		Workers: s.work(),
	})
	if err != nil {
		return fmt.Errorf("open jobs: %w", err)
	}
	s.store.SetEnqueuer(s.queue.Enqueue)
	s.metrics.follow(s.store, s.queue)
	if err := s.store.Update(ctx, func(tx *store.Tx) error {
		return tx.PutProject(ctx, blueberry.Project{Name: blueberry.DefaultProject, ClusterKinds: s.Config.ClusterKinds, CreatedAt: time.Now()})
	}); err != nil {
		return fmt.Errorf("record default project: %w", err)
	}
	return s.begin(ctx)
}

// signer opens the key of this server, and lets every server on the record prove what it signs.
func (s *Server) signer(ctx context.Context) (*keys.Ring, error) {
	ring, err := keys.Open(s.Config.SigningKeyFile())
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutSigningKey(ctx, ring.ID(), ring.Public(), time.Now()) })
	if err != nil {
		return nil, fmt.Errorf("publish signing key: %w", err)
	}
	return ring, nil
}

// admin makes the installation's own token, which is no person's.
func (s *Server) admin(ctx context.Context) error {
	file := s.Config.AdminTokenFile()
	created, err := s.rights.gate.EnsureAdmin(ctx, file)
	if err != nil {
		return err
	}
	if created {
		fmt.Fprintf(s.Out, "Made the admin token; it is stored in %s, readable by you alone.\n", file)
	}
	return nil
}

// serve answers requests until ctx ends, then lets those that run finish within the drain time-out.
func (s *Server) serve(ctx context.Context, l net.Listener) error {
	draining := make(chan struct{})
	edge := s.edge()
	handler, flush, err := s.handler(edge, draining)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	doors, err := s.doors(ctx, handler)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	g, serving := errgroup.WithContext(ctx)
	for _, d := range append(doors, door{"API", l, handler}) {
		g.Go(func() error { return s.serveDoor(serving, d, draining, edge.Timeouts) })
	}
	g.Go(func() error { return s.console.Run(serving) })
	g.Go(func() error {
		<-serving.Done()
		s.Logger.Info("draining")
		s.health.drain()
		if ctx.Err() != nil { // asked to stop; after a door that failed nobody is let in any longer
			time.Sleep(s.Config.DrainDelay)
		}
		close(draining) // event streams end; their clients come back, to this server or another one
		return nil
	})
	err = g.Wait()
	flush(context.WithoutCancel(ctx))
	return err
}
