package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envRenderingOptions struct {
	*shared
	project  string
	revision int
	dir      string
}

func newEnvRendering(s *shared) *cobra.Command {
	o := &envRenderingOptions{shared: s}
	c := &cobra.Command{
		Use: "rendering NAME", Short: "Show the manifests of an environment",
		Long:              `Prints the exact manifests of a revision, as Git holds them and the cluster was asked for them.`,
		Example:           "  blueberry env rendering pr-42 | kubectl diff -f -",
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.IntVar(&o.revision, "revision", 0, "number of the revision; else the desired one")
	f.StringVar(&o.dir, "dir", "", "write the files into this directory instead")
	must(c.MarkFlagDirname("dir"))
	return c
}

func (o *envRenderingOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	r, err := client.GetEnvironmentRendering(ctx, env.ID, o.revision)
	if err != nil {
		return err
	}
	return o.printFiles(r, r.Files, o.dir)
}

// printFiles prints manifests as one stream, or writes them as files.
func (s *shared) printFiles(value any, files []sdk.RenderedFile, dir string) error {
	if dir != "" {
		return s.writeFiles(files, dir)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Path
	}
	var failed error
	err := s.print(result{value: value, names: names, text: func(w io.Writer, _ bool) {
		for _, f := range files {
			content := f.Content
			if !strings.HasSuffix(content, "\n") {
				content += "\n"
			}
			if _, err := fmt.Fprintf(w, "---\n# %s\n%s", plainText(f.Path), strings.TrimPrefix(content, "---\n")); err != nil {
				failed = err
				return
			}
		}
	}})
	if err != nil {
		return err
	}
	return failed
}

// writeFiles stays below dir whatever the paths say.
func (s *shared) writeFiles(files []sdk.RenderedFile, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range files {
		if err := root.WriteFile(filepath.FromSlash(f.Path), []byte(f.Content), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		s.note("wrote %s", filepath.Join(dir, f.Path))
	}
	return nil
}
