package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type policyDeleteOptions struct {
	*shared
	policyFlags
	yes bool
}

func newPolicyDelete(s *shared) *cobra.Command {
	o := &policyDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a policy",
		Long:              `Removes a policy. What it forbade is allowed from then on, unless another forbids it. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completePolicies,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.policyFlags.flags(c.Flags())
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *policyDeleteOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := o.find(ctx, client, arg)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("This removes policy %s. What it forbids is allowed then.", plainText(policyName(p)))
	if sure, err := o.agreed(o.yes, what); err != nil || !sure {
		return err
	}
	if err := client.DeletePolicy(ctx, p.ID, sdk.IfMatch(p.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(p, policyName(p)))
}
