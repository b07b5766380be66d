package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/app/devcluster"
)

const clusterGrace = 30 * time.Second // to end

// helper is the helper binary, with those of extras beside it: the one named, else the one in bin/ of the repository, built
// where need be.
func helper(ctx context.Context, with []string) (string, error) {
	if bin := os.Getenv(binVar); bin != "" {
		return bin, nil
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	return devcluster.Builder{
		Source: filepath.Join(root, "devcluster"), Bin: filepath.Join(root, "bin", "devcluster"), With: with, Progress: os.Stderr,
	}.Build(ctx)
}

// startCluster starts a development cluster.
func startCluster(ctx context.Context, dir string, with []string) (map[string]string, func() error, error) {
	bin, err := helper(ctx, with)
	if err != nil {
		return nil, nil, err
	}
	c, err := devcluster.Start(ctx, devcluster.Options{Bin: bin, Dir: dir, With: with, Exec: true, Progress: os.Stderr})
	if err != nil {
		return nil, nil, err
	}
	stop := func() error {
		select {
		case <-c.Done():
			return fmt.Errorf("the development cluster had ended before: %w", errors.Join(c.Wait(), errors.New("see above")))
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), clusterGrace)
		defer cancel()
		return c.Stop(ctx)
	}
	env := map[string]string{kubeconfigVar: c.Kubeconfig(), binVar: bin, withVar: strings.Join(with, ",")}
	if url := c.ArgoCD().URL; url != "" {
		env[argoCDVar] = url
	}
	return env, stop, nil
}

// repository is the root of the checkout that the working directory is in.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module github.com/blueberry-idp/blueberry\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find repository: run testenv from a checkout of Blueberry")
		}
		dir = parent
	}
}
