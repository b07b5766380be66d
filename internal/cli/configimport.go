package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configImportOptions struct {
	*shared
	scopeFlags
	file            string
	repo, ref, path string
	message         string
	public          []string
}

func newConfigImport(s *shared) *cobra.Command {
	o := &configImportOptions{shared: s}
	c := &cobra.Command{
		Use: "import NAME (--file FILE | --repo URL --path PATH)", Short: "Read a config set from a file or a Git repository",
		Long: `Makes a version of a config set with the content of a file: of this machine, or of a path of a Git repository, whose commit is kept with the version. A set that does not exist is made. The same content as the latest version makes none.`,
		Example: `  blueberry config import shop --file shop.yaml
  blueberry config import shop --repo https://git.example.com/acme/config.git --ref main --path shop.yaml`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	o.scopeFlags.flags(f, "config set")
	f.StringVar(&o.file, "file", "", "file with the values; - reads the input")
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the file")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the file in the repository")
	f.StringVar(&o.message, "message", "", "why, for the history")
	f.StringArrayVar(&o.public, "public", nil, "pattern of paths whose value looks like a secret and is none; else those of the latest version; repeatable")
	must(c.MarkFlagFilename("file", "yaml", "yml", "json"))
	return c
}

func (o *configImportOptions) run(ctx context.Context, arg string) error {
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	content, source, err := o.from()
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	var made sdk.EditedConfigSet
	set, err := o.findConfigSet(ctx, client, ref)
	var unknown unknownError
	switch {
	case errors.As(err, &unknown):
		made, err = client.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{
			Project: o.project, Global: ref.global, Name: ref.name, Content: content, Source: source, Message: o.message, Public: o.public,
		})
	case err == nil:
		made, err = client.EditConfigSet(ctx, set.ID, sdk.EditConfigSetRequest{Content: content, Source: source, Message: o.message, Public: o.public})
	}
	if err != nil {
		return err
	}
	return o.print(editedResult(made))
}

// from is what is imported: a content or a source.
func (o *configImportOptions) from() (string, *sdk.Source, error) {
	switch {
	case (o.file == "") == (o.repo == ""):
		return "", nil, usageErrorf("--file or --repo is needed, one of them")
	case o.repo == "" && (o.ref != "" || o.path != ""):
		return "", nil, usageErrorf("--ref and --path say where in a repository: --repo is needed")
	case o.repo != "" && o.path == "":
		return "", nil, usageErrorf("--path is needed: which file of the repository")
	case o.repo != "":
		return "", &sdk.Source{Repository: o.repo, Ref: o.ref, Path: o.path}, nil
	}
	content, err := o.read(o.file)
	return string(content), nil, err
}
