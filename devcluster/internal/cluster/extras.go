package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The extras.
const (
	argoCD          = "argocd"
	argoCDBenchmark = "argocd-applicationset" // its applicationset controller, which our benchmark alone needs; the program of argocd
	rollouts        = "rollouts"
	metrics         = "metrics"
)

// extra is what a cluster may have beyond Kubernetes. It is another program, built apart; beside it, in <path>.d, are the
// definitions that it needs.
type extra struct {
	name    string
	path    string
	ports   []string
	prepare func(*cluster) error // before anything starts
	stages  func(*cluster) (first, then stage)
}

// Extras are the names that a cluster may be started with.
func Extras() []string { return []string{argoCD, argoCDBenchmark, rollouts, metrics} }

// chosen gives the extras asked for, in the order of their start.
func chosen(with map[string]string) ([]extra, error) {
	for _, name := range slices.Sorted(maps.Keys(with)) {
		if !slices.Contains(Extras(), name) {
			return nil, fmt.Errorf("there is no extra %q; there are %s", name, strings.Join(Extras(), ", "))
		}
		if err := isProgram(with[name]); err != nil {
			return nil, fmt.Errorf("find the program of %s: %w", name, err)
		}
	}
	var all []extra
	_, withSets := with[argoCDBenchmark]
	if path := with[argoCD]; path != "" {
		all = append(all, argoCDExtra(path, withSets))
	} else if withSets {
		all = append(all, argoCDExtra(with[argoCDBenchmark], true))
	}
	if path := with[rollouts]; path != "" {
		all = append(all, rolloutsExtra(path))
	}
	if path := with[metrics]; path != "" {
		all = append(all, metricsExtra(path))
	}
	return all, nil
}

// isProgram is nil when a path is a program.
func isProgram(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not a program", path)
	}
	return nil
}

// applied is the file that says which definitions of an extra the cluster has.
func (c *cluster) applied(name string) string { return filepath.Join(c.dir, "applied-"+name) }

// forget takes away what would be in the way when an extra that was there is not any more: an API that nobody answers keeps
// every namespace from being deleted.
func (c *cluster) forget(ctx context.Context, admin *http.Client) error {
	has := slices.ContainsFunc(c.extras, func(x extra) bool { return x.name == metrics })
	if _, err := os.Stat(c.applied(metrics)); has || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	status, body, err := ask(ctx, admin, http.MethodDelete, c.url(apiServer)+metricsAPIService, nil)
	if err != nil {
		return fmt.Errorf("forget metrics: %w", err)
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		return fmt.Errorf("forget metrics: %d: %.300s", status, body)
	}
	return os.Remove(c.applied(metrics))
}
