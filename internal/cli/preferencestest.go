package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type preferencesTestOptions struct{ *shared }

func newPreferencesTest(s *shared) *cobra.Command {
	o := &preferencesTestOptions{s}
	return &cobra.Command{
		Use: "test", Short: "Send yourself a test, and show how it went", Args: exactly(0),
		Long:    `Sends an event of the type subscription.test now and once by each way that is on, also in quiet hours, and shows how it went. It ends with 1 when one was not delivered.`,
		Example: `  blueberry preferences test`,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *preferencesTestOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	tested, err := client.TestPreferences(ctx)
	if err != nil {
		return err
	}
	if err := o.print(o.noticesResult(tested.Notices)); err != nil {
		return err
	}
	for _, n := range tested.Notices {
		if n.State != "delivered" {
			return fmt.Errorf("a test was not delivered: %s", lastError(n))
		}
	}
	return nil
}

// noticesResult lists notices.
func (s *shared) noticesResult(found []sdk.Notice) result {
	return result{value: found, names: each(found, func(n sdk.Notice) string { return n.ID }), table: func(wide bool) table { return s.noticeTable(found, wide) }}
}
