package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type groupRuleDeleteOptions struct {
	*shared
	yes bool
}

func newGroupRuleDelete(s *shared) *cobra.Command {
	o := &groupRuleDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete ID", Short: "Delete a group rule",
		Long:              `Removes a group rule. Who had a role by it alone loses it at once. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeGroupRules,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *groupRuleDeleteOptions) run(ctx context.Context, arg string) error {
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	found, err := client.ListGroupRules(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(found.Items, func(r sdk.GroupRule) bool { return r.ID == arg })
	if at < 0 {
		return unknownError{fmt.Errorf("there is no group rule %s", arg)}
	}
	r := found.Items[at]
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This takes role %s %s from group %s of %s.", plainText(r.Role), plainText(placeOf(r.Project)), plainText(r.Group), plainText(r.Provider))); err != nil || !sure {
		return err
	}
	if err := client.DeleteGroupRule(ctx, r.ID); err != nil {
		return err
	}
	return o.print(deletedResult(r, r.ID))
}
