package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configCheckOptions struct {
	*shared
	scopeFlags
	file   string
	public []string
}

func newConfigCheck(s *shared) *cobra.Command {
	o := &configCheckOptions{shared: s}
	c := &cobra.Command{
		Use: "check [NAME] --file FILE", Short: "Check the values of a config set",
		Long: "Tells every fault of a file with values, with its line. Nothing is stored. What they would change is told by `blueberry config impact`.",
		Example: `  blueberry config check --file shop.yaml
  blueberry config check global/logging --file -`,
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c.Context(), first(append(args, "checked")...))
		},
	}
	f := c.Flags()
	o.scopeFlags.flags(f, "config set")
	f.StringVar(&o.file, "file", "", "file with the values; - reads the input")
	f.StringArrayVar(&o.public, "public", nil, "pattern of paths whose value looks like a secret and is none, as *.env.PUBLIC_KEY; repeatable")
	must(c.MarkFlagFilename("file", "yaml", "yml", "json"))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *configCheckOptions) run(ctx context.Context, arg string) error {
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	if o.file == "" {
		return usageErrorf("--file is needed; - reads the input")
	}
	content, err := o.read(o.file)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	r := sdk.CreateConfigSetRequest{Project: o.project, Global: ref.global, Name: ref.name, Content: string(content), Public: o.public}
	if err := client.CheckConfigSet(ctx, r); err != nil {
		return err
	}
	return o.print(result{value: r, names: []string{ref.name}, text: func(w io.Writer, _ bool) { fmt.Fprintln(w, plainText(o.file)+" is valid") }})
}
