package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type serviceAccountCreateOptions struct {
	*shared
	project string
	r       sdk.CreateServiceAccountRequest
}

func newServiceAccountCreate(s *shared) *cobra.Command {
	o := &serviceAccountCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create NAME --role ROLE", Short: "Create a service account",
		Long: `Makes a program of a project. It acts by API tokens: blueberry token create --service-account makes one.`,
		Example: `  blueberry service-account create ci --project shop --role developer
  blueberry token create ci --service-account shop/ci --role developer`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the service account")
	c.Flags().StringVar(&o.r.Role, "role", "", "what it may do in its project: admin, maintainer, developer or viewer")
	c.Flags().StringVar(&o.r.Description, "description", "", "what it is, for people")
	must(c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"admin", "maintainer", "developer", "viewer"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *serviceAccountCreateOptions) run(ctx context.Context, arg string) error {
	if o.r.Role == "" {
		return usageErrorf("--role is needed: admin, maintainer, developer or viewer")
	}
	o.r.Name = arg
	client, err := o.client()
	if err != nil {
		return err
	}
	a, err := client.CreateServiceAccount(ctx, o.project, o.r)
	if err != nil {
		return err
	}
	return o.print(said(a, serviceAccountName(a), "created service account "+serviceAccountName(a)))
}
