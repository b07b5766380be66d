package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/access/github"
	"github.com/blueberry-idp/blueberry/internal/access/oauth"
	"github.com/blueberry-idp/blueberry/internal/access/oidc"
	"github.com/blueberry-idp/blueberry/internal/audit"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/cache"
	"github.com/blueberry-idp/blueberry/internal/custody"
	"github.com/blueberry-idp/blueberry/internal/keys"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/mail"
	"github.com/blueberry-idp/blueberry/internal/objects"
	"github.com/blueberry-idp/blueberry/internal/pki"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// rights is the parts of a server that say who may do what, and keep the evidence of it.
type rights struct {
	cache     *cache.Cache
	keyset    *keys.Keyset
	objects   *objects.Bucket
	authority *pki.CA
	gate      *access.Gate
	accounts  *access.Accounts
	signIn    *access.SignIn
	oauth     *oauth.Server
	auditor   *audit.Auditor
	custody   *custody.Custody
	mail      *mail.Sender // nil when none is set up
}

// epochTopic is where replicas tell each other that something moved on which an authentication leans.
const epochTopic = "access-epoch"

// openRights opens them. The listener is open already, so that links can name its address.
func (s *Server) openRights(ctx context.Context, ring *keys.Ring) (err error) {
	r := &s.rights
	file := s.Config.keysetFile()
	_, missing := os.Stat(file)
	if r.keyset, err = keys.OpenKeyset(ctx, keys.KeysetConfig{File: file, KMS: s.Config.KeysetKMS}); err != nil {
		return fmt.Errorf("open keyset: %w", err)
	}
	if err := r.keyset.CheckCanary(ctx, s.store); err != nil {
		if errors.Is(missing, fs.ErrNotExist) {
			err = errors.Join(err, os.Remove(file)) // one that was made just now, and would stand in the way of the right one
		}
		return err
	}
	if err := s.openObjects(ctx); err != nil {
		return err
	}
	if err := s.openCache(ctx); err != nil {
		return err
	}
	s.openGate(ctx)
	if r.mail, err = s.sender(); err != nil {
		return err
	}
	var mailer access.Mailer // nil when none is set up
	if r.mail != nil {
		mailer = accessMailer{r.mail}
	}
	record, url, now := r.gate.Watch(accessRecord(s.store)), s.publicURL(), time.Now
	issuers := &oidc.Issuers{Now: now}
	r.accounts = &access.Accounts{Record: record, Now: now, Seal: r.keyset, Mail: mailer, PublicURL: url, Logger: s.Logger}
	r.signIn = &access.SignIn{
		Record: record, Seal: r.keyset, Mail: mailer, PublicURL: url, Now: now, Logger: s.Logger, Slots: access.PasswordSlots(),
		Drivers: map[blueberry.ProviderKind]access.ProviderDriver{
			blueberry.ProviderOIDC: &oidc.Driver{Issuers: issuers}, blueberry.ProviderFirebase: &oidc.Firebase{Issuers: issuers}, blueberry.ProviderGitHub: &github.Driver{},
		},
	}
	r.auditor = &audit.Auditor{
		Record: narrow(s.store, func(tx *store.Tx) audit.Tx { return tx }), Objects: r.objects, Signer: ring, Now: now, Logger: s.Logger,
		Witness: witness(filepath.Join(s.Config.StateDir, "audit-head")),
	}
	r.authority = &pki.CA{Secrets: platformSecrets{s.store, r.keyset, now}, Revoked: s.revoked, Logger: s.Logger}
	r.custody = &custody.Custody{
		Record: narrow(s.store, func(tx *store.Tx) custody.Tx { return tx }), Sealed: sealed{s.store, r.keyset}, Keyset: r.keyset, Authority: authority{r.authority},
		Now: now, Logger: s.Logger,
	}
	return nil
}

func (s *Server) openObjects(ctx context.Context) error {
	address, err := s.Config.objectsURL()
	if err != nil {
		return err
	}
	if s.rights.objects, err = objects.Open(ctx, address); err != nil {
		return fmt.Errorf("open objects: %w", err)
	}
	return nil
}

func (s *Server) openCache(ctx context.Context) error {
	address := s.Config.Redis
	if s.Config.RedisFile != "" {
		text, err := secret(s.Config.RedisFile)
		if err != nil {
			return err
		}
		address = text
	}
	address, password := withoutPassword(address)
	c, err := cache.Open(ctx, cache.Config{URL: address, Password: password, Logger: s.Logger, OnOutage: s.metrics.redisOutage})
	if err != nil {
		return fmt.Errorf("open cache: %w", err)
	}
	s.rights.cache = c
	return nil
}

// openGate makes the proof of credentials, and the OAuth server that it asks about access tokens.
func (s *Server) openGate(ctx context.Context) {
	r := &s.rights
	r.gate = &access.Gate{Record: accessRecord(s.store), Now: time.Now, Logger: s.Logger}
	if s.Config.Redis != "" || s.Config.RedisFile != "" {
		r.gate.Wake = r.cache.Subscribe(ctx, epochTopic)
		r.gate.Changed = func() {
			if err := r.cache.Publish(context.WithoutCancel(ctx), epochTopic); err != nil {
				s.Logger.Debug("other replicas were not woken; they notice by themselves", "error", err)
			}
		}
	}
	tokens := narrow(s.store, func(tx *store.Tx) oauth.Tx { return tx })
	r.oauth = &oauth.Server{Record: watchedOAuth{tokens, r.gate.Moved}, People: r.gate, Issuer: s.publicURL(), Now: time.Now, Logger: s.Logger}
	r.gate.OAuth = r.oauth
}

// begin makes what has to be there before the first request: the CLI's own OAuth client, the admin token, and a way in for the first owner.
func (s *Server) begin(ctx context.Context) error {
	if err := s.rights.oauth.EnsureCLI(ctx); err != nil {
		return fmt.Errorf("register the CLI: %w", err)
	}
	if s.Config.InternalListen != "" {
		if err := s.rights.authority.Open(ctx); err != nil {
			return err
		}
	}
	if err := s.admin(ctx); err != nil {
		return err
	}
	address, err := s.rights.signIn.EnsureSetup(ctx, s.Config.SetupLinkFile())
	if err != nil {
		return fmt.Errorf("make the set-up link: %w", err)
	}
	if address != "" {
		fmt.Fprintf(s.Out, "There is no owner yet. Make their account at %s (once, within 24 hours; it is stored in %s, too).\n", address, s.Config.SetupLinkFile())
	}
	return nil
}

// publicURL is where people reach the server.
func (s *Server) publicURL() string {
	if s.Config.PublicURL != "" {
		return s.Config.PublicURL
	}
	scheme, address, _ := strings.Cut(s.address, "://")
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return scheme + "://" + net.JoinHostPort("localhost", port) // passkeys and cookies need a name
	}
	return s.address
}

// sender is the way to people's mail; nil when none is set up.
func (s *Server) sender() (*mail.Sender, error) {
	c := s.Config
	if c.SMTPHost == "" {
		return nil, nil
	}
	password, err := secret(c.SMTPPasswordFile)
	if err != nil {
		return nil, err
	}
	sender := &mail.Sender{Host: c.SMTPHost, Port: c.SMTPPort, Username: c.SMTPUsername, Password: password, From: c.SMTPFrom, TLS: mail.TLSMode(c.SMTPTLS)}
	if err := sender.Check(); err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	return sender, nil
}

// accessMailer gives access the driver of notify.
type accessMailer struct{ sender *mail.Sender }

// Send sends one mail.
func (m accessMailer) Send(ctx context.Context, x access.Mail) error {
	return m.sender.Send(ctx, notify.Mail{To: x.To, Subject: x.Subject, Text: x.Text})
}

func (s *Server) revoked(ctx context.Context) (serials []string, err error) {
	return serials, s.store.View(ctx, func(tx *store.Tx) (err error) {
		serials, err = tx.RevokedCertificates(ctx, time.Now())
		return err
	})
}

// finish writes down what requests have left to be written later.
func (r *rights) finish(ctx context.Context, logger *slog.Logger) {
	if r.gate != nil {
		if err := r.gate.Flush(ctx); err != nil {
			logger.Warn("last uses of credentials were not written", "error", err)
		}
	}
	if r.auditor != nil {
		if _, err := r.auditor.Seal(ctx); err != nil {
			logger.Warn("the last audit entries are not sealed; the next start does it", "error", err)
		}
	}
}

// close lets go of what is outside.
func (r *rights) close() error {
	if r.cache != nil {
		r.cache.Close()
	}
	if r.objects == nil {
		return nil
	}
	return r.objects.Close()
}
