package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// blueprintOptions say which blueprint is meant, and with what it is rendered.
type blueprintOptions struct {
	*shared
	wantFlags
	repo, ref, path string
	from            string
	project, name   string
}

func (o *blueprintOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the blueprint, instead of files here")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringVar(&o.from, "from", "", "blueprint of the catalogue, as shop, shop@3 or global/shop, instead of files here")
	f.StringVar(&o.project, "project", "", "project whose rules apply; else the default project")
	f.StringVar(&o.name, "name", "", "name of the environment to render for; else preview")
	o.wantFlags.flags(c, o.shared)
	must(c.RegisterFlagCompletionFunc("from", o.completeBlueprints))
	must(c.RegisterFlagCompletionFunc("project", o.completeProjects))
}

func (o *blueprintOptions) request(args []string) (sdk.BlueprintRequest, error) {
	r := sdk.BlueprintRequest{
		Project: o.project, Name: o.name, BlueprintRef: o.from, ConfigSets: o.config, Parameters: o.parameters(), Strict: o.strict,
	}
	switch {
	case o.repo != "" && len(args) > 0:
		return r, usageErrorf("--repo and %s both name a blueprint: give one", args[0])
	case o.from != "" && len(args) > 0:
		return r, usageErrorf("--from and %s both name a blueprint: give one", args[0])
	case o.repo == "" && (o.ref != "" || o.path != ""):
		return r, usageErrorf("--ref and --path say where in a repository: --repo is needed")
	case o.from != "" && o.path != "":
		return r, usageErrorf("--path and --from both name a blueprint: give one")
	}
	if err := inputOnce(append(args, o.files...)...); err != nil {
		return r, err
	}
	if o.repo != "" {
		r.Source = &sdk.Source{Repository: o.repo, Ref: o.ref, Path: o.path}
	}
	if o.repo == "" && o.from == "" {
		files, name, err := o.tree(first(append(args, ".")...))
		if err != nil {
			return r, err
		}
		r.Files, r.Source = files, &sdk.Source{Path: name}
	}
	var err error
	r.Overrides, err = o.merged(o.shared, nil)
	return r, err
}

// warn says what was dropped, and whatever else a user should know.
func (s *shared) warn(warnings []sdk.Warning) {
	for _, w := range warnings {
		s.note("warning: %s", warningText(w))
	}
}

type blueprintValidateOptions struct{ blueprintOptions }

func newBlueprintValidate(s *shared) *cobra.Command {
	o := &blueprintValidateOptions{blueprintOptions{shared: s}}
	c := &cobra.Command{
		Use: "validate [DIR | FILE]", Short: "Check a blueprint",
		Long: `Checks the blueprint in a directory, in a file (- reads the input), in a Git repository or in the catalogue, and renders it with the config sets, parameters and values that are given. Every fault is printed on a line of its own, and so is every warning. Nothing is stored.`,
		Example: `  blueberry blueprint validate
  blueberry blueprint validate --param replicas=2 --values test.yaml --strict
  blueberry blueprint validate --repo https://git.example.com/acme/shop.git --ref main`,
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	o.flags(c)
	return c
}

func (o *blueprintValidateOptions) run(ctx context.Context, args []string) error {
	r, err := o.request(args)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	check, err := client.ValidateBlueprint(ctx, r)
	if err != nil {
		return err
	}
	o.warn(check.Warnings)
	return o.print(result{value: check, names: []string{check.Blueprint.Name}, text: func(w io.Writer, wide bool) {
		fmt.Fprintf(w, "%s is valid: %d component(s), %d object(s)\n", plainText(check.Blueprint.Name), len(check.Blueprint.Components), check.Objects)
		if wide {
			fmt.Fprintln(w, plainText(check.Digest))
		}
	}})
}
