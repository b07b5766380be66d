package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type jobRetryOptions struct{ *shared }

func newJobRetry(s *shared) *cobra.Command {
	o := &jobRetryOptions{s}
	return &cobra.Command{
		Use: "retry ID", Short: "Let a job run now", Long: `Lets a job run now, with all its attempts before it. It is the way out for a dead job whose cause is mended.`, Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *jobRetryOptions) run(ctx context.Context, arg string) error {
	id, err := jobID(arg)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	j, err := client.RetryJob(ctx, id)
	if err != nil {
		return err
	}
	return o.printJob(j)
}
