package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/blueberry-idp/blueberry/e2e/installation"
)

// repository is the address that pages show of the example.
const repository = "https://git.example.com/acme/shop.git"

// openRepository serves the example to the Git of the server as though it were at that address: in the server's own configuration of Git, which it wrote when it started,
// the host is one on the loopback. It gives the commit that the branch points to.
func openRepository(ctx context.Context, dir, state string) (head string, end func(), err error) {
	work := filepath.Join(dir, "git", "acme", "shop.git")
	if err := os.CopyFS(work, os.DirFS(filepath.Join("examples", "shop"))); err != nil {
		return "", nil, err
	}
	if err := installation.Commit(ctx, work); err != nil {
		return "", nil, err
	}
	if head, err = installation.Git(ctx, work, "rev-parse", "HEAD"); err != nil {
		return "", nil, err
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return "", nil, err
	}
	srv := httptest.NewTLSServer(&cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Join(dir, "git"), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null"},
		InheritEnv: []string{"PATH"},
	})
	authority := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		srv.Close()
		return "", nil, err
	}
	f, err := os.OpenFile(filepath.Join(state, "sources", "gitconfig"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		srv.Close()
		return "", nil, err
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "\n[url %q]\n\tinsteadOf = https://git.example.com/\n[http]\n\tsslCAInfo = %s\n", srv.URL+"/", authority); err != nil {
		srv.Close()
		return "", nil, err
	}
	return strings.TrimSpace(head), srv.Close, nil
}
