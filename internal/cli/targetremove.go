package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type targetRemoveOptions struct {
	*shared
	yes bool
}

func newTargetRemove(s *shared) *cobra.Command {
	o := &targetRemoveOptions{shared: s}
	c := &cobra.Command{
		Use: "remove NAME", Short: "Forget a target that holds nothing", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		Long: `Forgets a target, with its kubeconfig. A target that holds environments is not forgotten: drain it first. It asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *targetRemoveOptions) run(ctx context.Context, name string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := client.GetTarget(ctx, name)
	if err != nil {
		return err
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This forgets target %s and its kubeconfig. Nothing on the target is touched.", plainText(name))); err != nil || !sure {
		return err
	}
	if err := client.DeleteTarget(ctx, name); err != nil {
		return err
	}
	return o.print(result{value: t, names: []string{t.Name}, text: func(w io.Writer, _ bool) { fmt.Fprintln(w, plainText("forgot "+t.Name)) }})
}
