package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configEditOptions struct {
	*shared
	scopeFlags
	file    string
	message string
	public  []string
}

func newConfigEdit(s *shared) *cobra.Command {
	o := &configEditOptions{shared: s}
	c := &cobra.Command{
		Use: "edit NAME", Short: "Make a new version of a config set",
		Long: `Opens the latest version in $VISUAL or $EDITOR and publishes what was saved as a new version, comments and order included. Unchanged text makes no version. What the server refuses is told with its faults and can be edited again. With --file no editor is opened.

Environments that follow the set are told: each gets a plan or, where its blueprint allows it, the change. ` + "`blueberry config impact`" + ` tells before what would change.`,
		Example: `  blueberry config edit shop --message "log more"
  blueberry config edit shop --file shop.yaml`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	o.scopeFlags.flags(f, "config set")
	f.StringVar(&o.file, "file", "", "file with the values, instead of an editor; - reads the input")
	f.StringVar(&o.message, "message", "", "why, for the history")
	f.StringArrayVar(&o.public, "public", nil, "pattern of paths whose value looks like a secret and is none; else those of the latest version; repeatable")
	must(c.MarkFlagFilename("file", "yaml", "yml", "json"))
	return c
}

func (o *configEditOptions) run(ctx context.Context, arg string) error {
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	var content []byte
	if o.file != "" {
		if content, err = o.read(o.file); err != nil {
			return err
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	if o.file != "" {
		made, err := client.EditConfigSet(ctx, set.ID, o.request(string(content)))
		if err != nil {
			return err
		}
		return o.print(editedResult(made))
	}
	latest, err := client.GetConfigSetVersion(ctx, set.ID, set.Latest)
	if err != nil {
		return err
	}
	made := sdk.EditedConfigSet{ConfigSet: set, Version: latest, Unchanged: true}
	e := edition{o.shared, set.Name + ".yaml", latest.Content}
	_, err = e.edit(ctx, func(content string) (err error) {
		made, err = client.EditConfigSet(ctx, set.ID, o.request(content), sdk.IfMatch(set.Version))
		return err
	})
	if err != nil {
		return err
	}
	return o.print(editedResult(made))
}

func (o *configEditOptions) request(content string) sdk.EditConfigSetRequest {
	return sdk.EditConfigSetRequest{Content: content, Message: o.message, Public: o.public}
}
