package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type envRefreshOptions struct {
	*shared
	waitFlags
	project string
}

func newEnvRefresh(s *shared) *cobra.Command {
	o := &envRefreshOptions{shared: s}
	c := &cobra.Command{
		Use: "refresh NAME", Short: "Bring an environment to the newest of what it follows",
		Long:              `Takes the newest commit of the branch and the newest versions of the config sets and the blueprint that an environment follows. What is held after a rollback is passed over. Without a difference nothing is made, and it says so.`,
		Example:           `  blueberry env refresh pr-42 --wait`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	o.waitFlags.flags(f, "ready")
	return c
}

func (o *envRefreshOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, false)
	if err != nil {
		return err
	}
	changed, err := client.RefreshEnvironment(ctx, env.ID)
	if err != nil {
		return err
	}
	made, err := o.changed(ctx, client, o.waitFlags, changed)
	if err != nil {
		return err
	}
	return o.print(made)
}
