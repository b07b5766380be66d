package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configRestoreOptions struct {
	*shared
	scopeFlags
	message string
}

func newConfigRestore(s *shared) *cobra.Command {
	o := &configRestoreOptions{shared: s}
	c := &cobra.Command{
		Use: "restore NAME VERSION", Short: "Bring back an old version of a config set",
		Long:              `Makes a new version with the content of an old one. Environments that follow the set are told of it as of every version.`,
		Example:           `  blueberry config restore shop 3 --message "log less again"`,
		Args:              exactly(2),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	c.Flags().StringVar(&o.message, "message", "", "why, for the history")
	return c
}

func (o *configRestoreOptions) run(ctx context.Context, args []string) error {
	ref, err := o.unversioned(args[0])
	if err != nil {
		return err
	}
	number, err := versionArg(args[1], "version")
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	made, err := client.RestoreConfigSet(ctx, set.ID, sdk.RestoreConfigSetRequest{Version: number, Message: o.message})
	if err != nil {
		return err
	}
	return o.print(editedResult(made))
}
