package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectCreateOptions struct {
	*shared
	description string
}

func newProjectCreate(s *shared) *cobra.Command {
	o := &projectCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a project",
		Example: `  blueberry project create shop --description "The shop and what belongs to it"`,
		Args:    exactly(1),
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.description, "description", "", "what it is, for people")
	return c
}

func (o *projectCreateOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.CreateProject(ctx, sdk.CreateProjectRequest{Name: arg, Description: o.description})
	if err != nil {
		return err
	}
	return o.print(said(p, p.Name, "created project "+p.Name))
}
