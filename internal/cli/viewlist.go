package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type viewListOptions struct{ *shared }

func newViewList(s *shared) *cobra.Command {
	o := &viewListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List the views that you saved", Aliases: []string{"ls"},
		Long:    `Lists the pages of the console that you saved with a filter, by name.`,
		Example: `  blueberry view list`,
		Args:    exactly(0),
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *viewListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListViews(ctx)
	if err != nil {
		return err
	}
	return o.print(viewsResult(found.Items, found.Items))
}

// viewsResult shows views; value is what programs get of it.
func viewsResult(views []sdk.SavedView, value any) result {
	return result{value: value, names: each(views, func(v sdk.SavedView) string { return v.Name }), table: func(wide bool) table {
		t := table{head: []string{"NAME", "PAGE", "QUERY"}, empty: "no saved views"}
		if wide {
			t.head = append(t.head, "SAVED")
		}
		for _, v := range views {
			row := []cell{plainCell(v.Name), plainCell(v.Page), plainCell(v.Query)}
			if wide {
				row = append(row, plainCell(exact(v.CreatedAt)))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}}
}

// completeViews gives the names of saved views.
func (s *shared) completeViews(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		found, err := client.ListViews(ctx)
		return each(found.Items, func(v sdk.SavedView) cobra.Completion {
			return cobra.CompletionWithDesc(v.Name, plainText(v.Page+"?"+v.Query))
		}), err
	})
}
