package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type serviceAccountGetOptions struct {
	*shared
	project string
}

func newServiceAccountGet(s *shared) *cobra.Command {
	o := &serviceAccountGetOptions{shared: s}
	c := &cobra.Command{
		Use: "get NAME", Short: "Show a service account",
		Args:              exactly(1),
		ValidArgsFunction: s.completeServiceAccounts,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the service account")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *serviceAccountGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	a, err := o.serviceAccountOf(ctx, client, o.project, arg)
	if err != nil {
		return err
	}
	return o.print(serviceAccountResult(o.shared, a))
}
