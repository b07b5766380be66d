package app

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/httpapi"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/web"
	"github.com/blueberry-idp/blueberry/internal/web/console"
)

// gitPath is where the GitOps repository is served to the stock git client.
const gitPath = "/git/gitops.git"

// handler is everything that is served on the listener, with what writes down the refusals that were only counted. draining is closed when the server begins to
// stop.
func (s *Server) handler(edge httpapi.Edge, draining <-chan struct{}) (h http.Handler, flush func(ctx context.Context), err error) {
	r := s.rights
	routes := map[string]http.Handler{
		"GET /healthz": http.HandlerFunc(s.livez),
		"GET /readyz":  http.HandlerFunc(s.readyz),
		"GET /metrics": s.metrics.handler(),
	}
	pages := &web.Pages{
		SignIn: r.signIn, Providers: r.signIn, Passkeys: r.signIn, OAuth: r.oauth, Leases: s.provisioner, Gate: r.gate, Seal: r.keyset,
		Now: time.Now, Logger: s.Logger,
	}
	maps.Copy(routes, pages.Routes())
	maps.Copy(routes, r.oauth.Routes())
	var api *httpapi.API // the pages of the console call it, and it serves them
	s.console = s.openConsole(pages, func(a blueberry.Actor) http.Handler { return api.Inside(a) }, draining)
	maps.Copy(routes, s.console.Routes())
	if s.Gallery {
		gallery, err := console.OpenGallery()
		if err != nil {
			return nil, nil, err
		}
		gallery.Doors = web.Gallery()
		maps.Copy(routes, gallery.Routes(pages.Page, s.Logger))
	}
	maps.Copy(routes, s.documentation(func() *httpapi.API { return api }).Routes())
	p := s.provisioner
	api, err = httpapi.New(httpapi.Deps{
		Environments: s.provisioner, Changes: s.provisioner, Plans: s.provisioner, Revisions: s.provisioner, Drift: s.provisioner, Projects: s.provisioner,
		Events: s.provisioner, Blueprints: s.provisioner, Targets: s.fleet, Fleet: s.fleet, ConfigSets: s.catalog, Catalogue: s.catalog, Policies: s.catalog,
		Feed: s.feed, Repositories: s.repositories, Subscriptions: s.subscriptions, System: s.system(), Jobs: s.queue, Access: r.gate, Idempotency: idempotency{s.store},
		Life: httpapi.Life{Leases: p, Sleeps: p, Labels: p, Moves: p, Whys: p, Logs: p, Shells: p, Archives: p, Orphans: p, Retention: p},
		Rights: httpapi.Rights{
			Users: r.accounts, Sessions: r.accounts, Account: r.accounts, Proofs: r.signIn, SignIns: r.signIn, ProjectWrites: r.accounts, Members: r.accounts,
			ServiceAccounts: r.accounts, APITokens: r.accounts, OAuthClients: r.oauth, OAuthTokens: r.oauth, IdentityProviders: r.accounts, Reviews: r.accounts,
			AuditReads: r.auditor, Keys: r.custody, Certificates: r.custody,
		},
		Edge: edge, Version: s.Version, Address: s.publicURL(), Draining: draining, Logger: s.Logger, Answered: s.metrics.request, Routes: routes,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make API: %w", err)
	}
	// Git signs in by itself and takes bodies of its own size, so it is beside the API's routes. It is told apart by the path as it came: a mux would redirect
	// what it cleans, without the headers that every answer has.
	git := api.Guard(gitPath, readsGit, http.StripPrefix(gitPath, s.git()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, gitPath+"/") {
			git.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), api.Flush, nil
}

// readsGit reports whether a call of Git changes nothing: everything but a push.
func readsGit(r *http.Request) bool { return !strings.HasSuffix(r.URL.Path, "/git-receive-pack") }

// git serves the GitOps repository: to read it, the reader's own credential does too.
func (s *Server) git() http.Handler {
	write, read := s.repository.Handler(s.mayGit), s.repository.Handler(func(ctx context.Context, token string) error {
		if s.isReader(token) {
			return nil
		}
		return s.mayGit(ctx, token)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if readsGit(r) {
			read.ServeHTTP(w, r)
			return
		}
		write.ServeHTTP(w, r)
	})
}

// mayGit is nil for who may read and write the GitOps repository, which holds every project's manifests. A session is a browser's and no password.
func (s *Server) mayGit(ctx context.Context, token string) error {
	if strings.HasPrefix(token, access.SessionPrefix) {
		return blueberry.Errorf(blueberry.Unauthenticated, "TOKEN_INVALID", "a valid API token is needed")
	}
	actor, err := s.rights.gate.Authenticate(ctx, token)
	if err != nil {
		return err
	}
	return actor.Can(blueberry.GrantAll)
}

// idempotency keeps the answers of requests that carry a key, each step in a transaction of its own.
type idempotency struct{ store *store.Store }

// ReserveIdempotency takes the key for a request that begins, or gives what is known of the key.
func (i idempotency) ReserveIdempotency(ctx context.Context, actor, key, digest string, now time.Time) (known *blueberry.IdempotentAnswer, err error) {
	err = i.store.Update(ctx, func(tx *store.Tx) error {
		known, err = tx.ReserveIdempotency(ctx, actor, key, digest, now)
		return err
	})
	return known, err
}

// FinishIdempotency keeps the answer.
func (i idempotency) FinishIdempotency(ctx context.Context, a blueberry.IdempotentAnswer) error {
	return i.store.Update(ctx, func(tx *store.Tx) error { return tx.FinishIdempotency(ctx, a) })
}

// ReleaseIdempotency gives the key back after a request that failed.
func (i idempotency) ReleaseIdempotency(ctx context.Context, actor, key string) error {
	return i.store.Update(ctx, func(tx *store.Tx) error { return tx.ReleaseIdempotency(ctx, actor, key) })
}
