package app

import (
	"cmp"
	"context"
	"sync"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/target"
	"github.com/blueberry-idp/blueberry/internal/target/argocd"
)

// openArgo opens a target that Argo CD applies. Its kubeconfigs are in the clear.
func (s *Server) openArgo(t blueberry.Target) (*argocd.Driver, error) {
	c := argocd.Config{
		Kube: s.kubeConfig(t.Kubeconfig, t.KubeconfigFile, t.Context), Namespace: t.Argo.Namespace, Target: t.Name, Branch: s.Config.GitopsBranch,
		Destination: t.Argo.Destination, Contains: s.repository.Contains, Logger: s.Logger,
	}
	if len(t.Argo.Kubeconfig) > 0 || t.Argo.KubeconfigFile != "" {
		c.Argo = s.kubeConfig(t.Argo.Kubeconfig, t.Argo.KubeconfigFile, "")
	}
	var err error
	if c.Repository, c.Username, c.Password, err = s.repositoryFor(t); err != nil {
		return nil, err
	}
	return argocd.Open(c)
}

// repositoryFor is where Argo CD finds the GitOps repository, with the credential for it.
func (s *Server) repositoryFor(t blueberry.Target) (url, username, password string, err error) {
	if s.Config.GitopsRemote != "" {
		password, err = secret(s.Config.GitopsPasswordFile)
		return cmp.Or(t.Argo.Repository, s.Config.GitopsRemote), s.Config.GitopsUsername, password, err
	}
	return cmp.Or(t.Argo.Repository, s.publicURL()+gitPath), "git", s.reader, nil
}

// releaseArgo lets an Argo CD that held environments of a target before let go of them. The driver is opened when it is first needed: of most targets it never
// is.
func (s *Server) releaseArgo(t blueberry.Target) (release func(ctx context.Context, ref target.Ref) error, done func()) {
	var mu sync.Mutex
	var d *argocd.Driver
	release = func(ctx context.Context, ref target.Ref) error {
		mu.Lock()
		defer mu.Unlock()
		if d == nil {
			var err error
			if d, err = s.openArgo(t); err != nil {
				return err
			}
		}
		return d.Release(ctx, ref)
	}
	return release, func() {
		mu.Lock()
		defer mu.Unlock()
		if d != nil {
			d.Close()
		}
	}
}
