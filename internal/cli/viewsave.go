package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type viewSaveOptions struct {
	*shared
	request sdk.SaveViewRequest
}

func newViewSave(s *shared) *cobra.Command {
	o := &viewSaveOptions{shared: s}
	c := &cobra.Command{
		Use: "save NAME", Short: "Save a page of the console with a filter",
		Long: `Keeps a page of the console with its filter and order under a name of yours, in the place of the one that has the name. The console lists it on that page and in the palette.`,
		Example: `  blueberry view save "What failed" --query "phase=failed&phase=degraded"
  blueberry view save "Open pulls of shop" --page pulls --query "state=open"`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeViews,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.request.Page, "page", "environments", "page of the console, as its address says it")
	c.Flags().StringVar(&o.request.Query, "query", "", "filter and order, as the address of the page has them after the question mark")
	return c
}

func (o *viewSaveOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	v, err := client.SaveView(ctx, name, o.request)
	if err != nil {
		return err
	}
	return o.print(viewsResult([]sdk.SavedView{v}, v))
}
