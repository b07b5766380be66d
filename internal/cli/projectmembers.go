package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type projectMembersOptions struct{ *shared }

func newProjectMembers(s *shared) *cobra.Command {
	o := &projectMembersOptions{s}
	return &cobra.Command{
		Use: "members NAME", Short: "List the members of a project",
		Long:              `Lists who was given a role in a project. Those who have one by a group of their identity provider are in blueberry access review.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeProjects,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *projectMembersOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListProjectMembers(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(m sdk.Member) string { return m.Email }), table: func(wide bool) table {
		t := table{head: []string{"EMAIL", "NAME", "ROLE", "STATUS", "SINCE"}, empty: "no members"}
		if wide {
			t.head = append(t.head, "ID")
		}
		for _, m := range found.Items {
			row := []cell{plainCell(m.Email), plainCell(m.Name), plainCell(m.Role), userStatus(m.Status), plainCell(o.when(m.CreatedAt, wide))}
			if wide {
				row = append(row, plainCell(m.UserID))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}
