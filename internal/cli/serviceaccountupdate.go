package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type serviceAccountUpdateOptions struct {
	*shared
	project, description, role string
	disabled                   bool
	named                      func(flag string) bool
}

func newServiceAccountUpdate(s *shared) *cobra.Command {
	o := &serviceAccountUpdateOptions{shared: s}
	c := &cobra.Command{
		Use: "update NAME", Short: "Change a service account",
		Long:              `Changes what the flags name. The tokens of one that is disabled are refused, at once, on every server.`,
		Example:           `  blueberry service-account update shop/ci --disabled`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeServiceAccounts,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the service account")
	f := c.Flags()
	f.StringVar(&o.description, "description", "", "what it is, for people")
	f.StringVar(&o.role, "role", "", "what it may do in its project")
	f.BoolVar(&o.disabled, "disabled", false, "whether its tokens are refused")
	o.named = f.Changed
	must(c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"admin", "maintainer", "developer", "viewer"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *serviceAccountUpdateOptions) run(ctx context.Context, arg string) error {
	var r sdk.UpdateServiceAccountRequest
	given(o.named, "description", &r.Description, &o.description)
	given(o.named, "role", &r.Role, &o.role)
	given(o.named, "disabled", &r.Disabled, &o.disabled)
	if r == (sdk.UpdateServiceAccountRequest{}) {
		return errNothingNamed
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	a, err := o.serviceAccountOf(ctx, client, o.project, arg)
	if err != nil {
		return err
	}
	if a, err = client.UpdateServiceAccount(ctx, a.ID, r, sdk.IfMatch(a.Version)); err != nil {
		return err
	}
	return o.print(serviceAccountResult(o.shared, a))
}
