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

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/gitops"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// Server is everything that runs in one process of the platform.
type Server struct {
	Config  Config
	Version string
	Logger  *slog.Logger
	Out     io.Writer // where people read what they need to know at the start

	store       *store.Store
	queue       *jobs.Queue
	repository  *gitops.Repository
	provisioner *provision.Provisioner
	catalog     *catalog.Catalog
	feed        *feed
	metrics     *metrics
	health      health
	rights      rights
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error) // nil without TLS
	closePlace  func()
	release     func() // of the claim on the record
	address     string // URL of the listener
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
	if err := s.open(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.Logger.Info("serving", "url", s.address, "public_url", s.publicURL(), "version", s.Version, "database", s.store.Dialect(), "target", s.Config.Target, "driver", s.Config.TargetDriver)
	// The repository outlives those who commit to it: a commit that is cut off by a stop would look like a remote that is down.
	below, stopBelow := context.WithCancel(context.WithoutCancel(ctx))
	committer := make(chan error, 1)
	go func() { committer <- named("GitOps repository", s.repository.Run(below)) }()

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.serve(ctx, listener) })
	g.Go(func() error { return named("jobs", s.queue.Run(ctx)) })
	g.Go(func() error { return named("targets", s.provisioner.Run(ctx)) })
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error { return named("sign-in", s.rights.gate.Run(ctx)) })
	g.Go(func() error { return named("audit", s.rights.auditor.Run(ctx)) })
	g.Go(func() error { return s.sweep(ctx) })
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
	s.closePlace, s.release = func() {}, func() {}
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
	s.closePlace()
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
	place, err := openPlace(s.Config, s.Logger)
	if err != nil {
		return err
	}
	if c, ok := place.Driver.(interface{ Close() }); ok {
		s.closePlace = c.Close
	}
	ring, err := s.signer(ctx)
	if err != nil {
		return err
	}
	if err := s.openRights(ctx, ring); err != nil {
		return err
	}
	s.provisioner = &provision.Provisioner{
		Record: narrow(s.store, func(tx *store.Tx) provision.Tx { return tx }), Sources: sources{checkouts}, Repository: s.repository, Signer: ring,
		Places: map[string]provision.Place{place.Name: place}, Default: place.Name, Now: time.Now, Logger: s.Logger, AtStep: faultPoint(),
	}
	s.catalog = &catalog.Catalog{
		Record: narrow(s.store, func(tx *store.Tx) catalog.Tx { return tx }), Sources: catalogSources{checkouts},
		Places: map[string]catalog.Place{place.Name: {Domain: place.Domain, KubeVersion: place.KubeVersion}}, Now: time.Now, Logger: s.Logger,
	}
	s.queue, err = jobs.Open(ctx, jobs.Config{
		DB: s.store.DB(), ReadDB: s.store.ReadDB(), Dialect: s.store.Dialect(), Logger: s.Logger, MaxWorkers: s.Config.Workers, Drain: s.Config.DrainTimeout,
		Workers: map[blueberry.JobKind]jobs.Kind{
			blueberry.JobEnvironmentReconcile: {Work: s.provisioner.Reconcile, Timeout: 2 * time.Minute, MaxAttempts: 25},
			blueberry.JobEnvironmentFollow:    {Work: s.provisioner.Follow, Timeout: 2 * time.Minute, MaxAttempts: 25},
			blueberry.JobConfigPublished:      {Work: s.provisioner.ConfigPublished, Timeout: 2 * time.Minute, MaxAttempts: 25},
			blueberry.JobBlueprintPublished:   {Work: s.provisioner.BlueprintPublished, Timeout: 2 * time.Minute, MaxAttempts: 25},
			blueberry.JobUserInvite:           {Work: s.rights.accounts.SendInvitation, Timeout: 2 * time.Minute, MaxAttempts: 8},
			blueberry.JobUserReset:            {Work: s.rights.signIn.SendReset, Timeout: 2 * time.Minute, MaxAttempts: 4},
			blueberry.JobEmergencyTell:        {Work: s.rights.accounts.TellEmergency, Timeout: 10 * time.Minute, MaxAttempts: 8},
			blueberry.JobTokenWarn:            {Work: s.rights.accounts.SendTokenWarning, Timeout: 2 * time.Minute, MaxAttempts: 8},
			blueberry.JobKeysReencrypt:        {Work: s.rights.custody.Reencrypt, Timeout: 10 * time.Minute, MaxAttempts: 25},
		},
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

// endedLife is how long sessions, links and OAuth tokens that have ended can still be looked at.
const endedLife = 7 * 24 * time.Hour

// sweep forgets what is kept for a time only.
func (s *Server) sweep(ctx context.Context) error {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		err := s.store.Update(ctx, func(tx *store.Tx) error {
			if _, err := tx.SweepIdempotency(ctx, time.Now().Add(-blueberry.IdempotencyLifetime)); err != nil {
				return err
			}
			_, err := tx.SweepAccess(ctx, time.Now().Add(-endedLife))
			return err
		})
		if err != nil && ctx.Err() == nil {
			s.Logger.Error("sweep what has ended", "error", err)
		}
		if err := s.provisioner.SweepPlans(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("sweep plans", "error", err)
		}
		if err := s.rights.accounts.WarnTokens(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("warn of API tokens that end", "error", err)
		}
	}
}
