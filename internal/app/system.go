package app

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/system"
)

// system is how this server is, and everything that it leans on.
func (s *Server) system() *system.System {
	host, _ := os.Hostname() // without one the name is empty
	return &system.System{
		Version: s.Version, Host: host, StartedAt: time.Now(), Database: s.store.Dialect(), Probes: s.probes, Migration: s.store.Migration, Jobs: s.queue.Depth,
		Now: time.Now, Logger: s.Logger,
	}
}

// topicOfStatus is where a look at the cache publishes. Nobody follows it.
const topicOfStatus = "system-status"

// probes are the ways to ask every part.
func (s *Server) probes(ctx context.Context) []system.Probe {
	out := []system.Probe{
		{
			Part: blueberry.Part{Kind: "record", Driver: s.store.Dialect(), Asked: true, Fix: "Look at the database and at the log of the server. Nothing is accepted until it is back."},
			Look: func(ctx context.Context, _ *blueberry.Part) error { return s.store.Ping(ctx) },
		},
		{Part: blueberry.Part{Kind: "gitops", Driver: s.gitopsDriver()}, Look: s.lookGitops},
		{
			Part: blueberry.Part{Kind: "objects", Driver: s.objectsDriver(), Asked: true, Fix: "Archives, logs that are kept and anchors of the audit wait until the store is back."},
			Look: func(ctx context.Context, _ *blueberry.Part) error { return s.rights.objects.Ping(ctx) },
		},
		{
			Part: blueberry.Part{Kind: "keys", Driver: s.keysDriver(), Asked: true, Fix: "Secrets of the record cannot be read. Compare the keyset file with that of the other servers, and look at the log."},
			Look: func(ctx context.Context, _ *blueberry.Part) error { return s.rights.keyset.CheckCanary(ctx, s.store) },
		},
		s.cacheProbe(), s.mailProbe(),
		{Part: blueberry.Part{Kind: "jobs", Driver: "river", Asked: true}, Look: s.lookJobs},
		{Part: blueberry.Part{Kind: "subscriptions"}, Look: s.lookSubscriptions},
		{Part: blueberry.Part{Kind: "repositories"}, Look: s.lookRepositories},
		{Part: blueberry.Part{Kind: "retention"}, Look: s.lookRetention},
	}
	var targets []blueberry.Target
	if err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		targets, err = tx.Targets(ctx)
		return err
	}); err != nil {
		s.Logger.WarnContext(ctx, "targets could not be listed", "error", err) // the record says that it is down
	}
	for _, t := range targets {
		out = append(out, s.targetProbe(t))
	}
	return out
}

func (s *Server) gitopsDriver() string {
	if s.Config.GitopsRemote == "" {
		return "embedded"
	}
	return "remote"
}

func (s *Server) objectsDriver() string {
	address, err := s.Config.objectsURL()
	if u, perr := url.Parse(address); err == nil && perr == nil {
		return u.Scheme
	}
	return ""
}

func (s *Server) keysDriver() string {
	if scheme, _, ok := strings.Cut(s.Config.KeysetKMS, "://"); ok {
		return scheme
	}
	return "file"
}

func (s *Server) lookGitops(ctx context.Context, p *blueberry.Part) error {
	if err := s.repository.Check(ctx); err != nil {
		s.Logger.WarnContext(ctx, "GitOps repository is not ready", "error", err)
		p.State, p.Message = blueberry.PartWarning, "the last exchange with the remote failed; revisions wait until it is back"
		p.Fix = "Look at the remote, its credential and the log of the server."
	}
	return nil
}

func (s *Server) cacheProbe() system.Probe {
	if s.Config.Redis == "" && s.Config.RedisFile == "" {
		return system.Probe{Part: blueberry.Part{Kind: "cache", Driver: "memory"}, Look: func(_ context.Context, p *blueberry.Part) error {
			p.State, p.Message = blueberry.PartOff, "each server counts its limits alone"
			return nil
		}}
	}
	return system.Probe{
		Part: blueberry.Part{Kind: "cache", Driver: "redis", Asked: true, Fix: "Look at Redis. Until it is back each server counts its limits alone, and hears of changes a little later."},
		Look: func(ctx context.Context, _ *blueberry.Part) error { return s.rights.cache.Publish(ctx, topicOfStatus) },
	}
}

func (s *Server) mailProbe() system.Probe {
	return system.Probe{Part: blueberry.Part{Kind: "mail", Driver: "smtp"}, Look: func(_ context.Context, p *blueberry.Part) error {
		if p.Message = "set up; it is asked when there is something to send"; s.rights.mail == nil {
			p.State, p.Message = blueberry.PartOff, "no mail server is set up: links are handed on by people"
		}
		return nil
	}}
}

func (s *Server) lookJobs(ctx context.Context, p *blueberry.Part) error {
	depth, err := s.queue.Depth(ctx)
	if err != nil {
		return err
	}
	p.Message = fmt.Sprintf("%d wait, %d run, %d are tried again", depth[blueberry.JobWaiting], depth[blueberry.JobRunning], depth[blueberry.JobRetrying])
	if n := depth[blueberry.JobDead]; n > 0 {
		p.State, p.Message, p.Fix = blueberry.PartWarning, fmt.Sprintf("%d are dead; ", n)+p.Message, "Look at the dead jobs, mend the cause, and retry them."
	}
	return nil
}

// lookedAt is how many things of a kind a look counts.
const lookedAt = 500

func (s *Server) lookSubscriptions(ctx context.Context, p *blueberry.Part) error {
	list, err := s.subscriptions.List(ctx, blueberry.System(), "", blueberry.SubscriptionQuery{Limit: lookedAt})
	if err != nil {
		return err
	}
	failing := 0
	for _, x := range list {
		if !x.Health.FailingSince.IsZero() {
			failing++
		}
	}
	p.Message = fmt.Sprintf("%d subscriptions", len(list))
	switch {
	case len(list) == 0:
		p.State, p.Message = blueberry.PartOff, "nobody is told of events"
	case failing > 0:
		p.State, p.Message, p.Fix = blueberry.PartWarning, fmt.Sprintf("%d of %d subscriptions fail", failing, len(list)), "Look at the subscriptions that fail, and redrive what was given up."
	}
	return nil
}

func (s *Server) lookRepositories(ctx context.Context, p *blueberry.Part) error {
	list, err := s.repositories.List(ctx, blueberry.System(), "", blueberry.RepositoryQuery{Limit: lookedAt})
	if err != nil {
		return err
	}
	failing := 0
	for _, x := range list {
		if !x.Health.FailedAt.IsZero() {
			failing++
		}
	}
	p.Message = fmt.Sprintf("%d repositories", len(list))
	switch {
	case len(list) == 0:
		p.State, p.Message = blueberry.PartOff, "no repository is added"
	case failing > 0:
		p.State, p.Message, p.Fix = blueberry.PartWarning, fmt.Sprintf("hosts of %d of %d repositories do not answer as they should", failing, len(list)), "The page of each repository says why."
	}
	return nil
}

func (s *Server) lookRetention(ctx context.Context, p *blueberry.Part) error {
	rules, err := s.provisioner.RetentionRules(ctx, blueberry.System())
	if err != nil {
		return err
	}
	var failed []string
	for _, r := range rules {
		if r.LastRun.Error != "" {
			failed = append(failed, r.Name)
		}
	}
	if p.Message = fmt.Sprintf("%d rules", len(rules)); len(failed) > 0 {
		p.State, p.Message, p.Fix = blueberry.PartWarning, "the last run of "+strings.Join(failed, ", ")+" failed", "Look at the rule; it is tried again at its next run."
	}
	return nil
}

func (s *Server) targetProbe(t blueberry.Target) system.Probe {
	return system.Probe{
		Part: blueberry.Part{Kind: "target", Name: t.Name, Driver: t.Driver, Asked: true, Fix: "Environments on it wait until it is back. Its checks say what is missing."},
		Look: func(ctx context.Context, p *blueberry.Part) error {
			found, err := s.fleet.Target(ctx, blueberry.System(), t.Name)
			if err != nil {
				return err
			}
			switch {
			case !found.Reachable:
				p.State, p.Message = blueberry.PartDown, found.Message
			case found.State != blueberry.TargetActive:
				p.State, p.Message, p.Fix = blueberry.PartWarning, fmt.Sprintf("%s: %s", found.State, found.Reason), "Uncordon it when it may take environments again."
			}
			return nil
		},
	}
}
