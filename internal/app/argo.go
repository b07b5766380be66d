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
		// The server's own credential may push. It is given to nobody: Argo CD gets one that reads, for this repository alone.
		url = cmp.Or(t.Argo.Repository, s.Config.GitopsRemote)
		if url != s.Config.GitopsRemote {
			return url, "", "", nil
		}
		password, err = secret(s.Config.ArgocdPasswordFile)
		return url, s.Config.ArgocdUsername, password, err
	}
	return cmp.Or(t.Argo.Repository, s.publicURL()+gitPath), "git", s.reader, nil
}

// formerArgo is an Argo CD that may have held environments of a target before. Its driver is opened when it is first needed: of most targets it never is. It
// implements target.Delivery, for the files that it has in Git.
type formerArgo struct {
	open func() (*argocd.Driver, error)

	mu     sync.Mutex
	driver *argocd.Driver
}

func (f *formerArgo) get() (*argocd.Driver, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.driver == nil {
		d, err := f.open()
		if err != nil {
			return nil, err
		}
		f.driver = d
	}
	return f.driver, nil
}

// Release lets go of an environment.
func (f *formerArgo) Release(ctx context.Context, ref target.Ref) error {
	d, err := f.get()
	if err != nil {
		return err
	}
	return d.Release(ctx, ref)
}

// Admit implements target.Delivery.
func (f *formerArgo) Admit(ctx context.Context, want target.Desired) error {
	d, err := f.get()
	if err != nil {
		return err
	}
	return d.Admit(ctx, want)
}

// Files implements target.Delivery.
func (f *formerArgo) Files(ref target.Ref, ignore []blueberry.DriftIgnore) map[string][]byte {
	d, err := f.get()
	if err != nil {
		return nil // Release says why
	}
	return d.Files(ref, ignore)
}

// Moved implements target.Delivery.
func (f *formerArgo) Moved(ctx context.Context, ref target.Ref) error {
	d, err := f.get()
	if err != nil {
		return err
	}
	return d.Moved(ctx, ref)
}

// Close lets the driver go, if it was opened.
func (f *formerArgo) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.driver != nil {
		f.driver.Close()
	}
}
