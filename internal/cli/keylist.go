package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type keyListOptions struct{ *shared }

func newKeyList(s *shared) *cobra.Command {
	o := &keyListOptions{s}
	return &cobra.Command{
		Use: "list", Short: "List the keys of the record", Aliases: []string{"ls"},
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *keyListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListKeys(ctx)
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(k sdk.Key) string { return k.ID }), table: func(bool) table {
		t := table{head: []string{"ID", "NEWEST", "IN USE"}, empty: "no keys"}
		for _, k := range found.Items {
			t.rows = append(t.rows, []cell{plainCell(k.ID), yesNo(k.Newest), yesNo(k.InUse)})
		}
		return t
	}})
}
