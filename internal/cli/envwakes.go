package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envWakesOptions struct {
	oneEnvironment
	limitFlags
}

func newEnvWakes(s *shared) *cobra.Command {
	o := &envWakesOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "wakes NAME", Short: "Show why an environment was awake or asleep", Long: `Shows each time that an environment fell asleep or woke, and why, newest first.`,
		Example: `  blueberry env wakes pr-42 --limit 10`,
	}, o.run)
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *envWakesOptions) run(ctx context.Context, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	client, env, err := o.find(ctx, args[0], true)
	if err != nil {
		return err
	}
	list, err := take(o.shared, o.limitFlags, client.AllEnvironmentWakes(ctx, env.ID, sdk.WakeWindow{Limit: o.page()}))
	if err != nil {
		return err
	}
	return o.print(result{value: list, names: each(list, func(e sdk.WakeEntry) string { return e.Why }), table: func(wide bool) table {
		t := table{head: []string{"WHEN", "IT", "WHY", "BY", "DETAIL"}, empty: "it never slept"}
		for _, e := range list {
			what, when := cell{"woke", green}, relative(o.streams.Now(), e.At)
			if e.Asleep {
				what = cell{"fell asleep", grey}
			}
			if wide {
				when = exact(e.At)
			}
			t.rows = append(t.rows, []cell{plainCell(when), what, plainCell(e.Why), plainCell(e.By), plainCell(e.Detail)})
		}
		return t
	}})
}
