package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type deliveryReplayOptions struct {
	*shared
	dry bool
}

func newDeliveryReplay(s *shared) *cobra.Command {
	o := &deliveryReplayOptions{shared: s}
	c := &cobra.Command{
		Use: "replay ID", Short: "Read a delivery again", Args: exactly(1), ValidArgsFunction: s.completeDeliveries,
		Long:    `Reads a delivery again as if it came now, and has its pull request looked at, also when it says no news. With --dry-run nothing is kept and nothing begins: it tells what would follow. Of a delivery that was refused nothing was kept that could be read.`,
		Example: `  blueberry delivery replay dlv_06d5xw7k3c8qf2v9m4n1r0t6ya --dry-run`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVar(&o.dry, "dry-run", false, "only tell what would follow")
	return c
}

func (o *deliveryReplayOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	done, err := client.ReplayDelivery(ctx, id, o.dry)
	if err != nil {
		return err
	}
	return o.print(replayResult(done))
}

func replayResult(r sdk.ReplayedDelivery) result {
	d, p := r.Delivery, r.Pull
	return result{value: r, names: []string{first(d.ID, d.ReplayOf)}, text: func(w io.Writer, _ bool) {
		text := fmt.Sprintf("%s was read again as %s", d.ReplayOf, d.ID)
		if r.DryRun {
			text = d.ReplayOf + " would be read again"
		}
		fmt.Fprintln(w, plainText(fmt.Sprintf("%s, %s: %s", text, d.Verdict, d.Reason)))
		if p == nil {
			return
		}
		text = "is"
		if r.DryRun {
			text = "would be"
		}
		fmt.Fprintln(w, plainText(fmt.Sprintf("pull request %d of %s %s %s at %s", p.Number, p.BaseRepository, text, p.State, p.HeadCommit)))
	}}
}
