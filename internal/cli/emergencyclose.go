package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type emergencyCloseOptions struct{ *shared }

func newEmergencyClose(s *shared) *cobra.Command {
	o := &emergencyCloseOptions{s}
	return &cobra.Command{
		Use: "close ID", Short: "Give the power of an owner back early",
		Args:              exactly(1),
		ValidArgsFunction: s.completeEmergencies,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *emergencyCloseOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	if err := client.CloseEmergency(ctx, arg); err != nil {
		return err
	}
	return o.print(said(map[string]string{"id": arg}, arg, "closed emergency "+arg))
}
