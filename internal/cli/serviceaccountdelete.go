package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type serviceAccountDeleteOptions struct {
	*shared
	project string
	yes     bool
}

func newServiceAccountDelete(s *shared) *cobra.Command {
	o := &serviceAccountDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a service account",
		Long:              `Removes a service account and revokes its tokens. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeServiceAccounts,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the service account")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *serviceAccountDeleteOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	a, err := o.serviceAccountOf(ctx, client, o.project, arg)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This removes service account %s and revokes its tokens.", plainText(serviceAccountName(a)))); err != nil || !sure {
		return err
	}
	if err := client.DeleteServiceAccount(ctx, a.ID, sdk.IfMatch(a.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(a, serviceAccountName(a)))
}
