package app

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/internal/cli"
)

// Commands are the commands that run a server, and those that do on this machine what a server would.
func Commands(version string) []*cobra.Command {
	cases := blueprintTestCommand()
	cases.Annotations = map[string]string{cli.Group: "blueprint"}
	return []*cobra.Command{serverCommand(version), devCommand(version), simHostCommand(), cases}
}

func serverCommand(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run the platform",
		Long: `Run the platform: API, workers, GitOps repository and the watch on the target.

Every flag is also a key of the configuration file (dashes become underscores) and a variable
BLUEBERRY_<KEY>; a flag wins over a variable, a variable over the file. With nothing set, the record is
SQLite in the state directory and the GitOps repository is served by this process at /git/gitops.git.
The first start makes an admin token and says where it is stored.`,
		Example: `  blueberry server --kubeconfig ~/.kube/config
  blueberry server --config /etc/blueberry.yaml
  BLUEBERRY_DATABASE_FILE=/run/secrets/database blueberry server --log-format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := Load(DefaultConfig(), cmd.Flags(), os.Environ())
			if err != nil {
				return err
			}
			return untilSignal(cmd.Context(), func(ctx context.Context) error {
				s := &Server{Config: c, Version: version, Logger: c.Logger(cmd.ErrOrStderr()), Out: cmd.OutOrStdout()}
				return s.Run(ctx)
			})
		},
	}
	Flags(cmd.Flags())
	return cmd
}

// untilSignal runs f until it ends or the process is asked to stop; a second signal ends the process at once.
func untilSignal(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	log.SetOutput(io.Discard) // Helm's merge prints values of charts there, and a value may be a secret
	return f(ctx)
}
