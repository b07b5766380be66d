package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type roleListOptions struct{ *shared }

func newRoleList(s *shared) *cobra.Command {
	o := &roleListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List roles", Aliases: []string{"ls"},
		Long:    `Lists the roles that there are; -o wide shows the grants of each.`,
		Example: `  blueberry role list -o wide`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *roleListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListRoles(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: found, names: each(found.Items, func(r sdk.Role) string { return r.Name }), table: func(wide bool) table {
		t := table{head: []string{"NAME", "OF", "GRANTS"}, empty: "no roles"}
		for _, r := range found.Items {
			grants := cell{text: count(len(r.Grants), "grant")}
			if wide {
				grants.text = list(r.Grants, "none")
			}
			t.rows = append(t.rows, []cell{plainCell(r.Name), plainCell(r.Of), grants})
		}
		return t
	}})
}
