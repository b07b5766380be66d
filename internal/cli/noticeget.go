package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type noticeGetOptions struct{ *shared }

func newNoticeGet(s *shared) *cobra.Command {
	o := &noticeGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show a notice with every attempt", Args: exactly(1), ValidArgsFunction: s.completeNotices,
		Example: `  blueberry notice get ntc_06d5xw7k3c8qf2v9m4n1r0t6ya`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *noticeGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	n, err := client.GetNotice(ctx, id)
	if err != nil {
		return err
	}
	return o.print(o.noticeResult(n))
}

// noticeResult is all that is known of a notice.
func (s *shared) noticeResult(n sdk.Notice) result {
	return result{value: n, names: []string{n.ID}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("notice", plainText(n.ID))
		f.add("subscription", plainText(n.SubscriptionID))
		f.add("event", plainText(n.EventType))
		f.add("event id", plainText(n.EventID))
		f.some("environment", plainText(n.EnvironmentID))
		f.some("message", plainText(n.Message))
		f.add("state", plainText(n.State))
		f.some("next attempt", s.when(n.NextAt, wide))
		f.add("made", s.when(n.CreatedAt, wide))
		f.print(w)
		t := table{head: []string{"ATTEMPT", "STATUS", "TOOK", "WHY"}}
		for _, a := range n.Attempts {
			status := ""
			if a.Status > 0 {
				status = strconv.Itoa(a.Status)
			}
			t.rows = append(t.rows, []cell{plainCell(s.when(a.At, wide)), plainCell(status), plainCell(fmt.Sprintf("%d ms", a.TookMS)), plainCell(plainText(a.Error))})
		}
		s.below(w, t)
	}}
}
