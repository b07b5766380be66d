package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type targetCheckOptions struct{ *shared }

func newTargetCheck(s *shared) *cobra.Command {
	o := &targetCheckOptions{s}
	return &cobra.Command{
		Use: "check NAME", Short: "Tell what a target lacks, with the manifests that grant it", Args: exactly(1), ValidArgsFunction: s.completeTargets,
		Long: `Looks at everything that Blueberry needs of a target: that it answers, each right, each definition. What is missing comes with the manifest that grants it, if there is one. The command fails when something is missing that is not optional.`,
		Example: `  blueberry target check eu
  blueberry target check eu -o json | jq -r '.items[].manifest // empty' | kubectl apply -f -`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *targetCheckOptions) run(ctx context.Context, name string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListTargetChecks(ctx, name)
	if err != nil {
		return err
	}
	if err := o.print(checksResult(found, found.Items)); err != nil {
		return err
	}
	if !found.OK {
		return fmt.Errorf("target %s lacks what it needs", plainText(name))
	}
	return nil
}

func checksResult(value any, checks []sdk.TargetCheck) result {
	return result{value: value, names: each(checks, func(c sdk.TargetCheck) string { return c.Name }), text: func(w io.Writer, wide bool) {
		missing := 0
		for _, c := range checks {
			mark := "✓"
			switch {
			case !c.OK && c.Optional:
				mark = "-"
			case !c.OK:
				mark = "✗"
			}
			if !c.OK {
				missing++
			}
			if !c.OK || wide {
				fmt.Fprintln(w, mark+" "+plainText(c.Name+": "+first(c.Message, "is there")))
			}
		}
		fmt.Fprintf(w, "%d of %d are there\n", len(checks)-missing, len(checks))
		for _, c := range checks {
			if !c.OK && c.Manifest != "" {
				fmt.Fprintf(w, "\n# for %s\n%s", plainText(c.Name), plainLines(c.Manifest))
			}
		}
	}}
}
