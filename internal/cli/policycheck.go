package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type policyCheckOptions struct {
	*shared
	policyFlags
	file string
}

func newPolicyCheck(s *shared) *cobra.Command {
	o := &policyCheckOptions{shared: s}
	c := &cobra.Command{
		Use: "check [NAME] --file FILE", Short: "Check the rules of a policy",
		Long:    `Tells every fault of rules in Cedar. Nothing is stored.`,
		Example: `  blueberry policy check --file images.cedar`,
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c.Context(), first(append(args, "checked")...))
		},
	}
	o.policyFlags.flags(c.Flags())
	policyFile(c, &o.file)
	return c
}

func (o *policyCheckOptions) run(ctx context.Context, arg string) error {
	r, err := o.policy(o.shared, arg, o.file)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if err := client.CheckPolicy(ctx, r); err != nil {
		return err
	}
	p := sdk.Policy{Project: r.Project, Installation: r.Installation, Name: r.Name, Text: r.Text}
	return o.print(result{value: p, names: []string{r.Name}, text: func(w io.Writer, _ bool) { fmt.Fprintln(w, plainText(o.file)+" is valid") }})
}
