package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type blueprintPublishOptions struct {
	*shared
	repo, ref, path string
	project         string
	global          bool
	description     string
	message         string
}

func newBlueprintPublish(s *shared) *cobra.Command {
	o := &blueprintPublishOptions{shared: s}
	c := &cobra.Command{
		Use: "publish [DIR | FILE | --repo URL]", Short: "Publish a version of a blueprint in the catalogue",
		Long: `Makes a version of a blueprint of the catalogue, and the blueprint if it is the first; its name is the blueprint's own. From a Git repository, the commit is kept with the version, and the charts, kustomizations and Score files that it names are read from there; a file of this machine (- reads the input) is sent alone. The same content as the latest version makes none.`,
		Example: `  blueberry blueprint publish --repo https://git.example.com/acme/shop.git --ref v1.4.2 --message "release 1.4.2"
  blueberry blueprint publish blueberry.yaml --global --description "Shop with back end and cache"`,
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the blueprint, instead of a file here")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the blueprint in the repository; else blueberry.yaml")
	f.StringVar(&o.project, "project", "", "project that it belongs to; else the default project")
	f.BoolVar(&o.global, "global", false, "it belongs to no project, and every one may use it")
	f.StringVar(&o.description, "description", "", "what it is for; else as it was")
	f.StringVar(&o.message, "message", "", "why, for the history")
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *blueprintPublishOptions) run(ctx context.Context, args []string) error {
	r := sdk.PublishBlueprintRequest{Project: o.project, Global: o.global, Description: o.description, Message: o.message}
	switch {
	case o.repo != "" && len(args) > 0:
		return usageErrorf("--repo and %s both name a blueprint: give one", args[0])
	case o.repo == "" && (o.ref != "" || o.path != ""):
		return usageErrorf("--ref and --path say where in a repository: --repo is needed")
	case o.global && o.project != "":
		return usageErrorf("what is global belongs to no project: --project is too much")
	case o.repo != "":
		r.Source = &sdk.Source{Repository: o.repo, Ref: o.ref, Path: o.path}
	default:
		content, err := o.read(blueprintPath(first(append(args, ".")...)))
		if err != nil {
			return err
		}
		r.Content = string(content)
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.PublishBlueprint(ctx, r)
	if err != nil {
		return err
	}
	name := refText(made.Blueprint.Global, made.Blueprint.Name, made.Version.Number)
	return o.print(result{value: made, names: []string{name}, text: func(w io.Writer, _ bool) {
		if made.Unchanged {
			fmt.Fprintln(w, plainText(fmt.Sprintf("%s: no difference to version %d", entryName(made.Blueprint), made.Version.Number)))
			return
		}
		fmt.Fprintln(w, plainText("published "+name))
	}})
}

// blueprintPath is the file that an argument means: of a directory, the blueprint in it.
func blueprintPath(arg string) string {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return filepath.Join(arg, blueprintFile)
	}
	return arg
}
