package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type subscriptionRemoveOptions struct {
	oneSubscription
	yes bool
}

func newSubscriptionRemove(s *shared) *cobra.Command {
	o := &subscriptionRemoveOptions{oneSubscription: oneSubscription{shared: s}}
	c := o.command(&cobra.Command{
		Use: "remove NAME", Short: "Forget a subscription",
		Long:    `Forgets a subscription with its notices; what waits is not sent. It asks first; --yes goes on without asking, and is needed where there is nobody to ask. NAME is a name or an id.`,
		Example: `  blueberry subscription remove ci --yes`,
	}, o.run)
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *subscriptionRemoveOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, x, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("This forgets subscription %s with its notices; what waits is not sent.", plainText(x.Name))
	if sure, err := o.agreed(o.yes, what); err != nil || !sure {
		return err
	}
	if err := client.RemoveSubscription(ctx, x.ID); err != nil {
		return err
	}
	return o.print(said(x, subscriptionRef(x), "forgot "+x.Name))
}
