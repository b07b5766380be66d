package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type noticeRedriveOptions struct {
	*shared
	project, subscription string
}

func newNoticeRedrive(s *shared) *cobra.Command {
	o := &noticeRedriveOptions{shared: s}
	c := &cobra.Command{
		Use: "redrive [ID]", Short: "Send a notice again, or all the dead ones of a subscription", Args: atMost(1), ValidArgsFunction: s.completeNotices,
		Long: `Sends a notice again that is dead or was delivered, or with --subscription every dead one of a subscription. They go out under the same event ids as before, so a receiver can tell what it has seen.`,
		Example: `  blueberry notice redrive ntc_06d5xw7k3c8qf2v9m4n1r0t6ya
  blueberry notice redrive --subscription release-room`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.subscription, "subscription", "", "all dead ones of this subscription: its name in the project, or its id")
	f.StringVar(&o.project, "project", defaultProject, "project of the subscription")
	must(c.RegisterFlagCompletionFunc("subscription", s.completeSubscriptions))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *noticeRedriveOptions) run(ctx context.Context, args []string) error {
	if (len(args) == 1) == (o.subscription != "") {
		return usageErrorf("name a notice, or a subscription with --subscription")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.subscription == "" {
		n, err := client.RedriveNotice(ctx, args[0])
		if err != nil {
			return err
		}
		return o.print(o.noticeResult(n))
	}
	id, err := subscriptionID(ctx, client, o.project, o.subscription)
	if err != nil {
		return err
	}
	done, err := client.RedriveSubscription(ctx, id)
	if err != nil {
		return err
	}
	return o.print(said(done, o.subscription, fmt.Sprintf("%d notices are sent again", done.Count)))
}
