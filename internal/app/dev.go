package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/blueberry-idp/blueberry/internal/app/devcluster"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// devGateway is where environments are reached on one's own machine.
const devGateway = "127.0.0.1:7081"

// devOptions are what `blueberry dev` is told beyond the configuration.
type devOptions struct {
	version, source string
	with            []string // extras of the cluster
}

func devCommand(version string) *cobra.Command {
	o := devOptions{version: version}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the platform with everything it needs on this machine",
		Long: `Run the platform with everything it needs on this machine: SQLite, a Git server, and a real
Kubernetes API (etcd, API server, controllers, scheduler; pods are pretended by kwok). Nothing listens
beyond loopback, and everything is kept in the state directory, so the next start goes on where this one ends.

The first start builds the cluster's helper binary from its sources, which takes some minutes and needs Go.
With --kubeconfig your own cluster is used instead, and nothing of this is built.

--with argocd,rollouts,metrics adds Argo CD, Argo Rollouts and metrics-server, real ones, to the cluster; each is built once
like the cluster itself. Argo CD needs redis-server. With Argo CD there, it applies what environments are made of, unless
--target-driver says otherwise; what ran before is handed over.`,
		Example: `  blueberry dev
  blueberry dev --with argocd
  blueberry dev --kubeconfig ~/.kube/config
  blueberry dev --target-driver sim`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := devcluster.CheckWith(o.with); err != nil {
				return err
			}
			defaults := DefaultConfig()
			defaults.AllowLocalRepositories, defaults.AllowLocalNotifications, defaults.GatewayListen = true, true, devGateway
			if slices.Contains(o.with, devcluster.ArgoCD) {
				defaults.TargetDriver = "argocd"
			}
			c, err := Load(defaults, cmd.Flags(), os.Environ())
			if err != nil {
				return err
			}
			if len(o.with) > 0 && c.Kubeconfig != "" {
				return blueberry.Errorf(blueberry.Invalid, "DEVCLUSTER_EXTRA_UNUSED", "--with adds to the development cluster, and --kubeconfig names another")
			}
			return untilSignal(cmd.Context(), func(ctx context.Context) error {
				return runDev(ctx, c, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	Flags(cmd.Flags())
	cmd.Flags().Lookup("allow-local-repositories").DefValue = "true"
	cmd.Flags().Lookup("allow-local-notifications").DefValue = "true"
	cmd.Flags().Lookup("gateway-listen").DefValue = devGateway
	cmd.Flags().StringSliceVar(&o.with, "with", nil, "what the cluster has beyond Kubernetes: argocd, rollouts, metrics")
	cmd.Flags().StringVar(&o.source, "devcluster-source", "", "directory of the devcluster module; empty means to look for it beside this program and here")
	return cmd
}

func runDev(ctx context.Context, c Config, o devOptions, out, progress io.Writer) error {
	logger := c.Logger(progress)
	g, ctx := errgroup.WithContext(ctx)
	// The cluster outlives the server: work that drains would take its end for an outage, and record it.
	below, stopCluster := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCluster()
	var argoCD devcluster.ArgoCDPlace
	if c.TargetDriver != "sim" && c.Kubeconfig == "" {
		k := &keptCluster{source: o.source, with: o.with, stateDir: c.StateDir, progress: progress, logger: logger}
		if err := k.start(ctx); err != nil {
			return err
		}
		c.Kubeconfig, argoCD = k.cluster.Kubeconfig(), k.cluster.ArgoCD()
		g.Go(func() error { return k.keep(below) })
	}
	fmt.Fprint(out, welcome(c, argoCD))
	s := &Server{Config: c, Version: o.version, Logger: logger, Out: out, Gallery: true}
	g.Go(func() error {
		defer stopCluster()
		return s.Run(ctx)
	})
	return g.Wait()
}

func welcome(c Config, argoCD devcluster.ArgoCDPlace) string {
	kubectl := ""
	if c.Kubeconfig != "" {
		kubectl = fmt.Sprintf("  look inside        kubectl --kubeconfig %s get all -A\n", c.Kubeconfig)
	}
	if argoCD.URL != "" {
		kubectl += fmt.Sprintf("  Argo CD            %s (API; user admin, password in %s)\n", argoCD.URL, argoCD.AdminPassword)
	}
	return fmt.Sprintf(`
Blueberry is starting on http://%s (API reference: http://%[1]s/docs). In another terminal:

  first environment  %s env create --repo <a Git repository with a blueberry.yaml> --name pr-1 --wait
%s  stop               Ctrl-C here; the next start goes on where this one ends

`, c.Listen, os.Args[0], kubectl)
}

// keptCluster is a devcluster that is started again when it ends before we do.
type keptCluster struct {
	source, stateDir string
	with             []string
	progress         io.Writer
	logger           *slog.Logger
	bin              string
	kubeconfig       []byte // as the driver read it
	cluster          *devcluster.Cluster
}

func (k *keptCluster) start(ctx context.Context) (err error) {
	if k.bin == "" {
		k.bin, err = devcluster.Builder{Source: k.source, Bin: filepath.Join(k.stateDir, "bin", "devcluster"), With: k.with, Progress: k.progress}.Build(ctx)
		if err != nil {
			return err
		}
	}
	k.cluster, err = devcluster.Start(ctx, devcluster.Options{Bin: k.bin, Dir: filepath.Join(k.stateDir, "devcluster"), With: k.with, Progress: k.progress, Logger: k.logger})
	if err == nil && k.kubeconfig == nil {
		k.kubeconfig, err = os.ReadFile(k.cluster.Kubeconfig())
	}
	return err
}

// keep stops the cluster when ctx ends.
func (k *keptCluster) keep(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			return k.cluster.Stop(late)
		case <-k.cluster.Done():
		}
		k.logger.Warn("the cluster ended; starting it again", "error", k.cluster.Wait())
		if err := k.start(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("start the cluster again: %w", err)
		}
		if now, err := os.ReadFile(k.cluster.Kubeconfig()); err != nil || !bytes.Equal(now, k.kubeconfig) {
			return errors.Join(errors.New("the cluster came back at another address; run the command again"), err)
		}
	}
}
