package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type jobCancelOptions struct{ *shared }

func newJobCancel(s *shared) *cobra.Command {
	o := &jobCancelOptions{s}
	return &cobra.Command{
		Use: "cancel ID", Short: "Cancel a job", Long: `Cancels a job that has not finished. One that runs ends at its next step.`, Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *jobCancelOptions) run(ctx context.Context, arg string) error {
	id, err := jobID(arg)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	j, err := client.CancelJob(ctx, id)
	if err != nil {
		return err
	}
	return o.printJob(j)
}
