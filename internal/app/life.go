package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/blueberry-idp/blueberry/internal/activator"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/jobs"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/mail"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// endedLife is how long sessions, links and OAuth tokens that have ended can still be looked at.
const endedLife = 7 * 24 * time.Hour

// rules are what other rooms than provision keep for a time only.
func (s *Server) rules() []provision.Rule {
	swept := func(what string, sweep func(ctx context.Context, tx *store.Tx) (int, error)) func(context.Context) (int, string, error) {
		return func(ctx context.Context) (n int, detail string, err error) {
			err = s.store.Update(ctx, func(tx *store.Tx) (err error) {
				n, err = sweep(ctx, tx)
				return err
			})
			if n > 0 {
				detail = fmt.Sprintf("%d %s", n, what)
			}
			return n, detail, err
		}
	}
	return []provision.Rule{
		{
			Name: "idempotency-keys", What: "answers that are given again to a repeated request", Keep: blueberry.IdempotencyLifetime, Every: 10 * time.Minute,
			Run: swept("answers", func(ctx context.Context, tx *store.Tx) (int, error) {
				return tx.SweepIdempotency(ctx, time.Now().Add(-blueberry.IdempotencyLifetime))
			}),
		},
		{Name: "deliveries", What: "what hosts sent to webhooks", Keep: blueberry.KeepDeliveries, Every: time.Hour, Run: s.purgeDeliveries},
		{Name: "ci", What: "what pipelines reported on commits, and exceptions that have ended", Keep: blueberry.KeepCIReports, Every: time.Hour, Run: s.purgeCI},
		{Name: "notices", What: "what subscriptions were told", Keep: blueberry.KeepNotices, Every: time.Hour, Run: s.purgeNotices},
		{
			Name: "sessions", What: "sessions, links, consents and OAuth tokens that have ended", Keep: endedLife, Every: 10 * time.Minute,
			Run: swept("sessions, links and tokens", func(ctx context.Context, tx *store.Tx) (int, error) {
				return tx.SweepAccess(ctx, time.Now().Add(-endedLife))
			}),
		},
	}
}

// warnTokens has the people of API tokens warned that end soon, until ctx ends.
func (s *Server) warnTokens(ctx context.Context) error {
	t := time.NewTicker(10 * time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := s.rights.accounts.WarnTokens(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("warn of API tokens that end", "error", err)
		}
	}
}

// leaseMailer gives provision the driver of notify.
type leaseMailer struct{ sender *mail.Sender }

// Send sends one mail.
func (m leaseMailer) Send(ctx context.Context, x provision.Mail) error {
	return m.sender.Send(ctx, notify.Mail{To: x.To, Subject: x.Subject, Text: x.Text})
}

// prober asks the addresses of environments. It follows no redirect, which is an answer as well, and takes any certificate: that of a preview is seldom one
// that this machine trusts, and nothing is told to it.
type prober struct{ client *http.Client }

func newProber() prober {
	return prober{&http.Client{
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		},
	}}
}

// Probe implements provision.Prober.
func (p prober) Probe(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("User-Agent", activator.ProbeAgent)
	res, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, res.Body, 4096) // what it says does not matter
	return res.StatusCode, res.Body.Close()
}

// work is every kind of job with who does it.
func (s *Server) work() map[blueberry.JobKind]jobs.Kind {
	p, r := s.provisioner, s.rights
	return map[blueberry.JobKind]jobs.Kind{
		blueberry.JobEnvironmentReconcile: {Work: p.Reconcile, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobEnvironmentFollow:    {Work: p.Follow, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobEnvironmentSources:   {Work: p.FollowSources, Timeout: 5 * time.Minute, MaxAttempts: 25},
		blueberry.JobEnvironmentArchive:   {Work: p.ArchiveFailed, Timeout: 2 * time.Minute, MaxAttempts: 8},
		blueberry.JobLeaseTell:            {Work: p.SendLeaseWarning, Timeout: 2 * time.Minute, MaxAttempts: 8},
		blueberry.JobTargetScan:           {Work: p.Scan, Timeout: 30 * time.Minute, MaxAttempts: 4},
		blueberry.JobTargetDrain:          {Work: p.Drain, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobOrphanRemove:         {Work: p.RemoveOrphan, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobPullReconcile:        {Work: s.repositories.Reconcile, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobPullsReview:          {Work: s.repositories.Review, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobPullReport:           {Work: s.repositories.Report, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobPullCommand:          {Work: s.repositories.Command, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobRepositorySweep:      {Work: s.repositories.Sweep, Timeout: 10 * time.Minute, MaxAttempts: 25},
		blueberry.JobBranchReconcile:      {Work: s.repositories.ReconcileBranch, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobBranchReport:         {Work: s.repositories.ReportBranch, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobSourceMoved:          {Work: s.repositories.SourceMoved, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobBranchesSweep:        {Work: s.repositories.SweepBranches, Timeout: 10 * time.Minute, MaxAttempts: 25},
		blueberry.JobNoticeSend:           {Work: s.subscriptions.SendNotices, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobConfigPublished:      {Work: p.ConfigPublished, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobBlueprintPublished:   {Work: p.BlueprintPublished, Timeout: 2 * time.Minute, MaxAttempts: 25},
		blueberry.JobUserInvite:           {Work: r.accounts.SendInvitation, Timeout: 2 * time.Minute, MaxAttempts: 8},
		blueberry.JobUserReset:            {Work: r.signIn.SendReset, Timeout: 2 * time.Minute, MaxAttempts: 4},
		blueberry.JobEmergencyTell:        {Work: r.accounts.TellEmergency, Timeout: 10 * time.Minute, MaxAttempts: 8},
		blueberry.JobTokenWarn:            {Work: r.accounts.SendTokenWarning, Timeout: 2 * time.Minute, MaxAttempts: 8},
		blueberry.JobKeysReencrypt:        {Work: r.custody.Reencrypt, Timeout: 10 * time.Minute, MaxAttempts: 25},
	}
}
