package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type subscriptionTestOptions struct{ oneSubscription }

func newSubscriptionTest(s *shared) *cobra.Command {
	o := &subscriptionTestOptions{oneSubscription{shared: s}}
	return o.command(&cobra.Command{
		Use: "test NAME", Short: "Send a test, and show how it went",
		Long:    `Sends an event of the type subscription.test now and once, also while the subscription is off or quiet, and shows how it went. It ends with 1 when it was not delivered. NAME is a name or an id.`,
		Example: `  blueberry subscription test release-room`,
	}, o.run)
}

func (o *subscriptionTestOptions) run(ctx context.Context, arg string) error {
	client, x, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	n, err := client.TestSubscription(ctx, x.ID)
	if err != nil {
		return err
	}
	if err := o.print(o.noticeResult(n)); err != nil {
		return err
	}
	if n.State != "delivered" {
		return fmt.Errorf("the test was not delivered: %s", lastError(n))
	}
	return nil
}
