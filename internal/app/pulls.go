package app

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/source"
	argocdsource "github.com/blueberry-idp/blueberry/internal/source/argocd"
	"github.com/blueberry-idp/blueberry/internal/source/bitbucket"
	"github.com/blueberry-idp/blueberry/internal/source/generic"
	"github.com/blueberry-idp/blueberry/internal/source/gitea"
	"github.com/blueberry-idp/blueberry/internal/source/github"
	"github.com/blueberry-idp/blueberry/internal/source/gitlab"
	"github.com/blueberry-idp/blueberry/internal/store"
)

// openRepositories makes the operations on repositories and what their hosts send.
func (s *Server) openRepositories(checkouts *source.Checkouts) {
	s.repositories = &source.Repositories{
		Record: narrow(s.store, func(tx *store.Tx) source.Tx { return tx }), Seal: s.rights.keyset, Environments: pullEnvironments{s.provisioner, s.store}, Followers: s.provisioner, Trees: checkouts,
		Histories: checkouts, Blueprints: render.ParseBlueprint,
		Hosts: map[blueberry.HostKind]source.Host{
			blueberry.HostGitHub: github.Host{}, blueberry.HostGitLab: gitlab.Host{}, blueberry.HostGitea: gitea.Host{},
			blueberry.HostBitbucket: bitbucket.Host{}, blueberry.HostGeneric: generic.Host{}, blueberry.HostArgoCD: argocdsource.Host{},
		},
		Controls: pullControls{s.provisioner, s.store},
		Speakers: map[blueberry.HostKind]source.Speaker{
			blueberry.HostGitHub: github.Host{}, blueberry.HostGitLab: gitlab.Host{}, blueberry.HostGitea: gitea.Host{}, blueberry.HostBitbucket: bitbucket.Host{},
		},
		Client:    &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		PublicURL: s.publicURL(), AllowLocal: s.Config.AllowLocalRepositories, Now: time.Now,
	}
}

// purgeDeliveries is for a rule, which is listed before the operations are there.
func (s *Server) purgeDeliveries(ctx context.Context) (int, string, error) {
	return s.repositories.Purge(ctx)
}

// purgeCI is for a rule, as purgeDeliveries is.
func (s *Server) purgeCI(ctx context.Context) (int, string, error) {
	return s.repositories.PurgeCI(ctx)
}

// pullEnvironments has pull requests make, move and end environments by the operations that people use.
type pullEnvironments struct {
	provisioner *provision.Provisioner
	store       *store.Store
}

// Environment reads one.
func (p pullEnvironments) Environment(ctx context.Context, id string) (e blueberry.Environment, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		e, err = tx.Environment(ctx, id)
		return err
	})
	return e, err
}

// Cost is what one costs now, and has cost.
func (p pullEnvironments) Cost(ctx context.Context, id string) (*blueberry.EnvironmentCost, error) {
	return p.provisioner.Cost(ctx, blueberry.System(), id)
}

// Receipt reads that of the removal of one.
func (p pullEnvironments) Receipt(ctx context.Context, id string) (r blueberry.Receipt, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		r, err = tx.Receipt(ctx, id)
		return err
	})
	return r, err
}

// Made gives the one that was made with the key before.
func (p pullEnvironments) Made(ctx context.Context, actor blueberry.Actor, w source.EnvironmentWish) (blueberry.Environment, error) {
	return p.provisioner.Made(ctx, actor, provision.CreateRequest{Project: w.Project, Name: w.Name, Key: w.Key})
}

// Create makes one of a commit.
func (p pullEnvironments) Create(ctx context.Context, actor blueberry.Actor, w source.EnvironmentWish) (blueberry.Environment, string, error) {
	e, err := p.provisioner.Create(ctx, actor, provision.CreateRequest{Project: w.Project, Name: w.Name, Target: w.Target, Hours: w.Hours, Restricted: w.Restricted, Wish: wishOf(w), Key: w.Key})
	if err != nil {
		return e, "", err
	}
	commit, err := p.commit(ctx, e)
	return e, commit, err
}

// commit is that of the application which an environment was last asked to run.
func (p pullEnvironments) commit(ctx context.Context, e blueberry.Environment) (string, error) {
	rev, err := p.inputs(ctx, e)
	return rev.AppCommit(), err
}

// inputs reads what an environment was last asked to be made of.
func (p pullEnvironments) inputs(ctx context.Context, e blueberry.Environment) (rev blueberry.Revision, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) (err error) {
		rev, err = tx.RevisionInputs(ctx, e.ID, e.Revision)
		return err
	})
	return rev, err
}

// runs reports whether an environment has what is wished beside the commit. What the wish does not say, it does not ask for.
func runs(in blueberry.Inputs, w source.EnvironmentWish) bool {
	return (w.Commits == nil || maps.Equal(in.Commits, w.Commits)) && (w.Images == nil || maps.Equal(in.Images, w.Images)) && (w.Restricted || in.Branch == w.Branch)
}

// Move has one run another commit.
func (p pullEnvironments) Move(ctx context.Context, actor blueberry.Actor, id string, w source.EnvironmentWish) error {
	e, err := p.Environment(ctx, id)
	if err != nil {
		return err
	}
	rev, err := p.inputs(ctx, e)
	switch commit := rev.AppCommit(); {
	case err != nil:
		return err
	case e.Restricted != w.Restricted: // an environment is of one tier from its beginning to its end
		return blueberry.Errorf(blueberry.Conflict, "VERSION_MOVED", "%s is of another tier than its pull request now", e.Name)
	case strings.HasPrefix(commit, w.Commit) && (!w.Restricted || e.Source.Ref == w.Ref) && runs(rev.Inputs, w): // a host may tell the first digits only
		return nil // what it runs already: a server died before it came to note that
	}
	_, err = p.provisioner.Change(ctx, actor, id, provision.ChangeRequest{Wish: wishOf(w), Reason: w.Reason})
	return err
}

// Destroy begins the removal of one.
func (p pullEnvironments) Destroy(ctx context.Context, actor blueberry.Actor, id string) error {
	_, err := p.provisioner.Destroy(ctx, actor, id, "", 0)
	return err
}

func wishOf(w source.EnvironmentWish) provision.Wish {
	out := provision.Wish{Repository: &w.Repository, Ref: &w.Commit, Branch: &w.Branch}
	if w.Restricted {
		out.Ref, out.Head, out.Branch = &w.Ref, &w.Commit, new(string) // a stranger's branch chooses nothing
	}
	if w.Commits != nil {
		out.Commits = &w.Commits
	}
	if w.Images != nil {
		out.Images = &w.Images
	}
	if w.Blueprint != "" {
		out.Path = &w.Blueprint
	}
	if len(w.ConfigSets) > 0 {
		out.ConfigSets = &w.ConfigSets
	}
	return out
}
