package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type viewDeleteOptions struct{ *shared }

func newViewDelete(s *shared) *cobra.Command {
	o := &viewDeleteOptions{s}
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete a view that you saved",
		Long:              `Forgets a saved view. What it listed stays as it is.`,
		Example:           `  blueberry view delete "What failed"`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeViews,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *viewDeleteOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	if err := client.DeleteView(ctx, name); err != nil {
		return err
	}
	return o.print(deletedResult(map[string]string{"name": name}, name))
}
