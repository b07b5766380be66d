package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configDeleteOptions struct {
	*shared
	scopeFlags
	yes bool
}

func newConfigDelete(s *shared) *cobra.Command {
	o := &configDeleteOptions{shared: s}
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a config set",
		Long:              `Removes a config set with all its versions. While environments use it, it is refused, and they are listed. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return c
}

func (o *configDeleteOptions) run(ctx context.Context, arg string) error {
	ref, err := o.unversioned(arg)
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
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("This removes config set %s with its %s.", plainText(setName(set)), count(set.Latest, "version"))
	if sure, err := o.agreed(o.yes, what); err != nil || !sure {
		return err
	}
	if err := client.DeleteConfigSet(ctx, set.ID, sdk.IfMatch(set.Version)); err != nil {
		return err
	}
	return o.print(deletedResult(set, setName(set)))
}

// deletedResult says what is gone.
func deletedResult(value any, name string) result {
	return result{value: value, names: []string{name}, text: func(w io.Writer, _ bool) {
		fmt.Fprintln(w, plainText("deleted "+name))
	}}
}
