package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type policyEditOptions struct {
	*shared
	policyFlags
	file string
}

func newPolicyEdit(s *shared) *cobra.Command {
	o := &policyEditOptions{shared: s}
	c := &cobra.Command{
		Use: "edit NAME", Short: "Give a policy other rules",
		Long: `Opens the rules of a policy in $VISUAL or $EDITOR and puts what was saved in force. What the server refuses is told with its faults and can be edited again. With --file no editor is opened. Plans that wait are not applied any more: the rules that judged them have changed.`,
		Example: `  blueberry policy edit images
  blueberry policy edit images --file images.cedar`,
		Args:              exactly(1),
		ValidArgsFunction: s.completePolicies,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.policyFlags.flags(c.Flags())
	policyFile(c, &o.file)
	return c
}

func (o *policyEditOptions) run(ctx context.Context, arg string) error {
	var text []byte
	var err error
	if o.file != "" {
		if text, err = o.read(o.file); err != nil {
			return err
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := o.find(ctx, client, arg)
	if err != nil {
		return err
	}
	publish := func(text string) (err error) {
		p, err = client.UpdatePolicy(ctx, p.ID, sdk.UpdatePolicyRequest{Text: text}, sdk.IfMatch(p.Version))
		return err
	}
	done := true
	if o.file != "" {
		err = publish(string(text))
	} else {
		done, err = edition{o.shared, p.Name + ".cedar", p.Text}.edit(ctx, publish)
	}
	switch {
	case err != nil:
		return err
	case !done:
		return o.print(policyResult(p, "no difference:"))
	}
	return o.print(policyResult(p, "changed"))
}
