package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

func newPrices(s *shared) *cobra.Command {
	return group("prices", "What targets cost", "", newPricesList(s), newPricesSet(s), newPricesRemove(s))
}

// everyTarget stands for the targets that have no prices of their own.
const everyTarget = "every other target"

// scope says which prices are meant: those of a target, or of every one.
type scope struct{ all bool }

// of gives the target that is named; empty for every one.
func (o scope) of(args []string) (string, error) {
	switch {
	case o.all && len(args) > 0:
		return "", usageErrorf("name a target, or --all for every target that has no prices of its own, not both")
	case !o.all && len(args) == 0:
		return "", usageErrorf("name a target, or --all for every target that has no prices of its own")
	case o.all:
		return "", nil
	}
	return args[0], nil
}

type pricesListOptions struct {
	*shared
	history bool
}

func newPricesList(s *shared) *cobra.Command {
	o := &pricesListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List what targets cost", Aliases: []string{"ls"}, Args: exactly(0),
		Long:    `Lists what targets cost now, or with --history all prices that ever were set.`,
		Example: `  blueberry target prices list --history`,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.history, "history", false, "also those that hold no longer, the newest first")
	return c
}

func (o *pricesListOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListPrices(ctx)
	if err != nil {
		return err
	}
	shown := found.Items
	if o.history {
		shown = found.History
	}
	return o.print(result{value: found, names: each(shown, func(p sdk.Prices) string { return first(p.Target, everyTarget) }), table: func(bool) table {
		t := table{head: []string{"TARGET", "CURRENCY", "CPU HOUR", "GIB HOUR", "GIB MONTH", "SINCE", "BY"}, empty: "no prices are set"}
		for _, p := range shown {
			row := []cell{plainCell(first(p.Target, everyTarget)), plainCell(p.Currency), plainCell(p.CPUHour), plainCell(p.MemoryHour), plainCell(p.StorageMonth)}
			if p.Removed {
				row = []cell{plainCell(first(p.Target, everyTarget)), {"removed", yellow}, {text: "-"}, {text: "-"}, {text: "-"}}
			}
			t.rows = append(t.rows, append(row, plainCell(exact(p.Since)), plainCell(p.By)))
		}
		return t
	}})
}

type pricesSetOptions struct {
	*shared
	scope
	currency, cpu, memory, storage string
}

func newPricesSet(s *shared) *cobra.Command {
	o := &pricesSetOptions{shared: s}
	c := &cobra.Command{
		Use: "set [TARGET]", Short: "Say what a target costs from now on", Args: atMost(1), ValidArgsFunction: s.completeTargets,
		Long: `Says what a target costs from now on, or with --all every target that has no prices of its own. All prices are said anew; one that is left out is nothing. What was counted before stays as it was. Prices are decimal numbers with at most six digits behind the point.`,
		Example: `  blueberry target prices set --all --currency EUR --cpu-hour 0.031 --memory-hour 0.004 --storage-month 0.10
  blueberry target prices set eu --currency EUR --cpu-hour 0.025`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().BoolVar(&o.all, "all", false, "of every target that has no prices of its own")
	c.Flags().StringVar(&o.currency, "currency", "", "ISO 4217, as EUR")
	c.Flags().StringVar(&o.cpu, "cpu-hour", "", "of one core that is asked for, for an hour")
	c.Flags().StringVar(&o.memory, "memory-hour", "", "of one GiB of memory that is asked for, for an hour")
	c.Flags().StringVar(&o.storage, "storage-month", "", "of one GiB of volumes that is asked for, for a month of 730 hours")
	return c
}

func (o *pricesSetOptions) run(ctx context.Context, args []string) error {
	target, err := o.of(args)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.SetPrices(ctx, sdk.SetPricesRequest{Target: target, Currency: o.currency, CPUHour: o.cpu, MemoryHour: o.memory, StorageMonth: o.storage})
	if err != nil {
		return err
	}
	return o.print(result{value: p, names: []string{first(p.Target, everyTarget)}, text: func(w io.Writer, _ bool) {
		fmt.Fprintln(w, plainText(fmt.Sprintf("%s: %s %s for a core and %s for a GiB of memory an hour, %s for a GiB of volumes a month", first(p.Target, everyTarget), p.Currency, p.CPUHour, p.MemoryHour, p.StorageMonth)))
	}})
}

type pricesRemoveOptions struct {
	*shared
	scope
	yes bool
}

func newPricesRemove(s *shared) *cobra.Command {
	o := &pricesRemoveOptions{shared: s}
	c := &cobra.Command{
		Use: "remove [TARGET]", Short: "Take the prices of a target back", Args: atMost(1), ValidArgsFunction: s.completeTargets,
		Long:    `Takes the prices of a target back: those of every target hold for it again. With --all those are taken back. What was counted stays. It asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Example: `  blueberry target prices remove eu --yes`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().BoolVar(&o.all, "all", false, "of every target that has no prices of its own")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *pricesRemoveOptions) run(ctx context.Context, args []string) error {
	target, err := o.of(args)
	if err != nil {
		return err
	}
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	name := first(target, everyTarget)
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This takes the prices of %s back. From now on their time costs what other prices say, or is not counted.", plainText(name))); err != nil || !sure {
		return err
	}
	if err := client.RemovePrices(ctx, target); err != nil {
		return err
	}
	return o.print(result{value: map[string]string{"target": target}, names: []string{name}, text: func(w io.Writer, _ bool) {
		fmt.Fprintln(w, plainText("removed the prices of "+name))
	}})
}
