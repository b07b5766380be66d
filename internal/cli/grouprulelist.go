package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type groupRuleListOptions struct{ *shared }

func newGroupRuleList(s *shared) *cobra.Command {
	o := &groupRuleListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List group rules", Aliases: []string{"ls"},
		Long: `Lists which groups of identity providers have which roles.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *groupRuleListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListGroupRules(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(r sdk.GroupRule) string { return r.ID }), table: func(wide bool) table {
		t := table{head: []string{"ID", "PROVIDER", "GROUP", "PROJECT", "ROLE"}, empty: "no group rules"}
		if wide {
			t.head = append(t.head, "CREATED")
		}
		for _, r := range found.Items {
			row := []cell{plainCell(r.ID), plainCell(r.Provider), plainCell(r.Group), plainCell(first(r.Project, "(installation)")), plainCell(r.Role)}
			if wide {
				row = append(row, plainCell(exact(r.CreatedAt)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}})
}

// completeGroupRules gives group rules.
func (s *shared) completeGroupRules(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		page, err := client.ListGroupRules(ctx)
		return each(page.Items, func(r sdk.GroupRule) cobra.Completion {
			return cobra.CompletionWithDesc(r.ID, plainText(r.Provider+" "+r.Group))
		}), err
	})
}
