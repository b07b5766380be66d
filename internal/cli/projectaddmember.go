package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectAddMemberOptions struct{ *shared }

func newProjectAddMember(s *shared) *cobra.Command {
	o := &projectAddMemberOptions{s}
	return &cobra.Command{
		Use: "add-member NAME USER ROLE", Short: "Give a user a role in a project",
		Long:              `Gives a user a role in a project, or another in place of the one that they have: admin, maintainer, developer or viewer. blueberry role list shows what each holds.`,
		Example:           `  blueberry project add-member shop ada@example.com developer`,
		Args:              exactly(3),
		ValidArgsFunction: s.completeMember,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0], args[1], args[2]) },
	}
}

func (o *projectAddMemberOptions) run(ctx context.Context, project, user, role string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	m, err := client.SetProjectMember(ctx, project, user, sdk.SetMemberRequest{Role: role})
	if err != nil {
		return err
	}
	return o.print(said(m, m.Email, m.Email+" is "+m.Role+" of project "+project))
}

// completeMember gives the names of projects, then the addresses of users, then roles.
func (s *shared) completeMember(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return s.completeProjects(c, nil, typed)
	case 1:
		return s.completeUsers(c, nil, typed)
	case 2:
		if c.Name() == "add-member" {
			return []cobra.Completion{"admin", "maintainer", "developer", "viewer"}, cobra.ShellCompDirectiveNoFileComp
		}
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
