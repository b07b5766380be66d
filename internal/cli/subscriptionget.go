package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type subscriptionGetOptions struct{ oneSubscription }

func newSubscriptionGet(s *shared) *cobra.Command {
	o := &subscriptionGetOptions{oneSubscription{shared: s}}
	return o.command(&cobra.Command{
		Use: "get NAME", Short: "Show a subscription, and whether what is sent arrives",
		Long:    `Shows a subscription: of which events it tells, and how sending went of late. NAME is a name or an id.`,
		Example: `  blueberry subscription get release-room`,
	}, o.run)
}

func (o *subscriptionGetOptions) run(ctx context.Context, arg string) error {
	_, x, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(o.subscriptionResult(x))
}
