package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// blueprintOptions say which blueprint is meant.
type blueprintOptions struct {
	*shared
	repo, ref, path string
	project, name   string
}

func (o *blueprintOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the blueprint, instead of files here")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringVar(&o.project, "project", "", "project whose rules apply; else the default project")
	f.StringVar(&o.name, "name", "", "name of the environment to render for; else preview")
}

func (o *blueprintOptions) request(args []string) (sdk.BlueprintRequest, error) {
	r := sdk.BlueprintRequest{Project: o.project, Name: o.name}
	switch {
	case o.repo != "" && len(args) > 0:
		return r, usageErrorf("--repo and %s both name a blueprint: give one", args[0])
	case o.repo != "":
		r.Source = &sdk.Source{Repository: o.repo, Ref: o.ref, Path: o.path}
		return r, nil
	case o.ref != "" || o.path != "":
		return r, usageErrorf("--ref and --path say where in a repository: --repo is needed")
	}
	files, name, err := o.tree(first(append(args, ".")...))
	if err != nil {
		return r, err
	}
	r.Files, r.Source = files, &sdk.Source{Path: name}
	return r, nil
}

type blueprintValidateOptions struct{ blueprintOptions }

func newBlueprintValidate(s *shared) *cobra.Command {
	o := &blueprintValidateOptions{blueprintOptions{shared: s}}
	c := &cobra.Command{
		Use: "validate [DIR | FILE]", Short: "Check a blueprint",
		Long: `Checks the blueprint in a directory, in a file (- reads the input) or in a Git repository, and renders it. Every fault is printed on a line of its own. Nothing is stored.`,
		Example: `  blueberry blueprint validate
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
	return o.print(result{value: check, names: []string{check.Blueprint.Name}, text: func(w io.Writer, wide bool) {
		fmt.Fprintf(w, "%s is valid: %d component(s), %d object(s)\n", plainText(check.Blueprint.Name), len(check.Blueprint.Components), check.Objects)
		if wide {
			fmt.Fprintln(w, plainText(check.Digest))
		}
	}})
}
