package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

type orphanApproveOptions struct {
	*shared
	yes bool
}

func newOrphanApprove(s *shared) *cobra.Command {
	o := &orphanApproveOptions{shared: s}
	c := &cobra.Command{
		Use: "approve ID", Short: "Let an orphan be removed", Args: exactly(1), ValidArgsFunction: s.completeOrphans,
		Long: `Says that an orphan is nobody's, and has it removed. Nothing is removed when an environment has taken its name meanwhile. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask. A living environment of which nothing is there is left alone: redeploy or destroy it.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *orphanApproveOptions) run(ctx context.Context, id string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	x, err := client.GetOrphan(ctx, id)
	if err != nil {
		return err
	}
	what := []string{plainText(fmt.Sprintf("This removes from target %s what was of %s/%s:", x.Target, x.Project, x.Env))}
	if x.Kind == "files" {
		what = []string{plainText(fmt.Sprintf("This removes from Git the files of %s/%s on target %s.", x.Project, x.Env, x.Target))}
	}
	for i, r := range x.Objects {
		if i == 20 {
			what = append(what, "  and more; blueberry orphan get shows all")
			break
		}
		what = append(what, "  "+plainText(objectText(r)))
	}
	if sure, err := o.agreed(o.yes, strings.Join(what, "\n")); err != nil || !sure {
		return err
	}
	if x, err = client.ApproveOrphan(ctx, id); err != nil {
		return err
	}
	return o.print(orphanResult(x))
}
