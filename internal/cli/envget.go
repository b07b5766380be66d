package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type envGetOptions struct {
	*shared
	project string
}

func newEnvGet(s *shared) *cobra.Command {
	o := &envGetOptions{shared: s}
	c := &cobra.Command{
		Use: "get NAME", Short: "Show an environment and why it is in its phase",
		Long:              `Shows an environment: its phase, and its conditions, which are the steps from request to reachable workload. NAME is a name, project/name or an id. The name of an environment that is gone shows the last one that had it.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the environment")
	return c
}

func (o *envGetOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	if env, err = client.GetEnvironment(ctx, env.ID); err != nil { // a list leaves out what it is made of
		return err
	}
	return o.printEnvironment(env)
}
