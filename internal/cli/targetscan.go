package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type targetScanOptions struct{ *shared }

func newTargetScan(s *shared) *cobra.Command {
	o := &targetScanOptions{s}
	return &cobra.Command{
		Use: "scan NAME", Short: "Look for what is on a target and in no record", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		Long: `Has the server compare a target with the record now; it does so every six hours by itself. blueberry orphan list shows what it found, blueberry job list that it runs.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *targetScanOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	if err := client.ScanTarget(ctx, name); err != nil {
		return err
	}
	o.note("the scan of %s begins; blueberry orphan list shows what it finds", plainText(name))
	return nil
}
