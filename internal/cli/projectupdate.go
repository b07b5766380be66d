package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectUpdateOptions struct {
	*shared
	description string
	named       func(flag string) bool
}

func newProjectUpdate(s *shared) *cobra.Command {
	o := &projectUpdateOptions{shared: s}
	c := &cobra.Command{
		Use: "update NAME --description TEXT", Short: "Change the description of a project",
		Args:              exactly(1),
		ValidArgsFunction: s.completeProjects,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.description, "description", "", "what it is, for people; empty takes it away")
	o.named = c.Flags().Changed
	return c
}

func (o *projectUpdateOptions) run(ctx context.Context, arg string) error {
	if !o.named("description") {
		return usageErrorf("--description is needed")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	was, err := client.GetProject(ctx, arg)
	if err != nil {
		return err
	}
	p, err := client.UpdateProject(ctx, was.Name, sdk.UpdateProjectRequest{Description: o.description}, sdk.IfMatch(was.Version))
	if err != nil {
		return err
	}
	return o.print(o.projectResult(p))
}
