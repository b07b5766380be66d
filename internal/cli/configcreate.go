package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configCreateOptions struct {
	*shared
	scopeFlags
	file    string
	message string
	public  []string
}

func newConfigCreate(s *shared) *cobra.Command {
	o := &configCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create NAME --file FILE", Short: "Create a config set",
		Long: `Makes a config set with its first version. The file holds values as YAML or JSON, by component, or by "all" for every one; its comments and order are kept. A secret stands in it as a reference, never as a value; --public lifts the refusal of what looks like a secret and is none.`,
		Example: `  # shop.yaml:
  #   backend:
  #     env:
  #       LOG_LEVEL: debug # until the release
  #       DATABASE_URL: {secretRef: db/url}
  #   all: {env: {REGION: eu-west-1}}
  blueberry config create shop --file shop.yaml --message "the defaults of the shop"
  blueberry config create global/logging --file -`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	o.scopeFlags.flags(f, "config set")
	f.StringVar(&o.file, "file", "", "file with the values; - reads the input")
	f.StringVar(&o.message, "message", "", "why, for the history")
	f.StringArrayVar(&o.public, "public", nil, "pattern of paths whose value looks like a secret and is none, as *.env.PUBLIC_KEY; repeatable")
	must(c.MarkFlagFilename("file", "yaml", "yml", "json"))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *configCreateOptions) run(ctx context.Context, arg string) error {
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
	made, err := client.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{
		Project: o.project, Global: ref.global, Name: ref.name, Content: string(content), Message: o.message, Public: o.public,
	})
	if err != nil {
		return err
	}
	return o.print(editedResult(made))
}

// editedResult says which version was made, if one was.
func editedResult(made sdk.EditedConfigSet) result {
	name := refText(made.ConfigSet.Global, made.ConfigSet.Name, made.Version.Number)
	return result{value: made, names: []string{name}, text: func(w io.Writer, _ bool) {
		if made.Unchanged {
			fmt.Fprintln(w, plainText(fmt.Sprintf("%s: no difference to version %d", setName(made.ConfigSet), made.Version.Number)))
			return
		}
		fmt.Fprintln(w, plainText("published "+name))
	}}
}
