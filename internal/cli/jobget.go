package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type jobGetOptions struct{ *shared }

func newJobGet(s *shared) *cobra.Command {
	o := &jobGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show a job", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *jobGetOptions) run(ctx context.Context, arg string) error {
	id, err := jobID(arg)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	j, err := client.GetJob(ctx, id)
	if err != nil {
		return err
	}
	return o.printJob(j)
}
