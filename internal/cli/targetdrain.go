package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type targetDrainOptions struct {
	*shared
	reason    string
	plan, yes bool
}

func newTargetDrain(s *shared) *cobra.Command {
	o := &targetDrainOptions{shared: s}
	c := &cobra.Command{
		Use: "drain NAME", Short: "Remove the environments with a lease from a target", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		Long: `Keeps new environments away from a target, and removes those that have a lease; within a day they can be brought back elsewhere with blueberry env undo --target. Those without a lease stay. It says which go and asks first; --yes goes on without asking, and is needed where there is nobody to ask; --plan only says.`,
		Example: `  blueberry target drain eu --plan
  blueberry target drain eu --reason "the cluster is given up"`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.reason, "reason", "", "why; people see it")
	f.BoolVar(&o.plan, "plan", false, "only say what it would do")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *targetDrainOptions) run(ctx context.Context, name string) error {
	if !o.plan && o.reason == "" {
		return usageErrorf("--reason is needed")
	}
	if !o.plan && !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	d, err := client.DrainTarget(ctx, name, sdk.DrainTargetRequest{Plan: true})
	if err != nil {
		return err
	}
	if !o.plan {
		var what strings.Builder
		describeDrain(&what, name, d)
		if sure, err := o.agreed(o.yes, what.String()); err != nil || !sure {
			return err
		}
		if d, err = client.DrainTarget(ctx, name, sdk.DrainTargetRequest{Reason: o.reason}); err != nil {
			return err
		}
	}
	return o.print(result{value: d, names: each(d.Environments, func(e sdk.DrainEnvironment) string { return e.ID }), text: func(w io.Writer, _ bool) { describeDrain(w, name, d) }})
}

func describeDrain(w io.Writer, name string, d sdk.TargetDrain) {
	does := "removes"
	if d.Planned {
		does = "would remove"
	}
	fmt.Fprintln(w, plainText(fmt.Sprintf("draining %s %s %s", name, does, count(len(d.Environments), "environment"))))
	for _, e := range d.Environments {
		fmt.Fprintln(w, "  "+plainText(fmt.Sprintf("%s/%s (%s) of %s", e.Project, e.Name, e.Phase, e.Owner)))
	}
	if d.Hidden > 0 {
		fmt.Fprintln(w, "  "+hiddenText(d.Hidden))
	}
	if d.Going > 0 {
		fmt.Fprintf(w, "  %d more are being removed already\n", d.Going)
	}
	for _, e := range d.Standing {
		fmt.Fprintln(w, "  stays, because it has no lease or is pinned: "+plainText(e.Project+"/"+e.Name))
	}
}
