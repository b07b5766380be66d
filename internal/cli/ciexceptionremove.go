package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type ciExceptionRemoveOptions struct{ *shared }

func newCIExceptionRemove(s *shared) *cobra.Command {
	o := &ciExceptionRemoveOptions{s}
	return &cobra.Command{
		Use: "remove ID", Short: "End an exception now", Args: exactly(1), ValidArgsFunction: s.completeScanExceptions,
		Long: `Ends an exception. What runs stays; the next build of a commit with the finding is judged without it.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *ciExceptionRemoveOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	if err := client.RemoveScanException(ctx, id); err != nil {
		return err
	}
	return o.print(said(map[string]string{"id": id}, id, "ended "+id))
}
