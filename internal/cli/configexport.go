package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

type configExportOptions struct {
	*shared
	scopeFlags
	file, message string
}

func newConfigExport(s *shared) *cobra.Command {
	o := &configExportOptions{shared: s}
	c := &cobra.Command{
		Use: "export NAME[@VERSION] [--file FILE [--commit MESSAGE]]", Short: "Write a config set to a file, or to a path in Git",
		Long: "Writes the content of a version of a config set as it was written, byte for byte: to a file, or to the output. With --commit, the file lies in a checkout of a Git repository, and is committed there, alone and on the branch that is checked out; nothing is pushed. `blueberry config import --repo` reads it from there again.",
		Example: `  blueberry config export shop --file shop.yaml
  blueberry config export shop --file ../config/shop.yaml --commit "shop as of today"
  blueberry config export global/logging@3 > logging.yaml`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	c.Flags().StringVar(&o.file, "file", "", "file to write; else the output")
	c.Flags().StringVar(&o.message, "commit", "", "also commit the file in the Git checkout that it lies in, with this message")
	must(c.MarkFlagFilename("file", "yaml", "yml", "json"))
	return c
}

func (o *configExportOptions) run(ctx context.Context, arg string) error {
	if o.message != "" && o.file == "" {
		return usageErrorf("--commit is for a file in a checkout: --file is needed")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	v, err := o.readVersion(ctx, client, arg)
	if err != nil {
		return err
	}
	r := o.versionResult(v)
	if o.file != "" {
		if err := os.WriteFile(o.file, []byte(v.Version.Content), 0o644); err != nil {
			return fmt.Errorf("export %s: %w", v.name(), err)
		}
		o.note("wrote %s to %s", plainText(v.name()), o.file)
		if o.message != "" {
			if err := o.commit(ctx); err != nil {
				return err
			}
		}
		if o.output == "" || o.output == "wide" {
			return nil
		}
	}
	return o.print(r)
}

// commit puts the file, and nothing else, into the checkout that it lies in. A file that is there already as it is makes no commit.
func (o *configExportOptions) commit(ctx context.Context) error {
	dir, name := filepath.Split(o.file)
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", first(dir, ".")}, args...)...).CombinedOutput()
		if err != nil {
			return "", refusedError{fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))}
		}
		return string(out), nil
	}
	if _, err := git("add", "--", name); err != nil {
		return err
	}
	changed, err := git("status", "--porcelain", "--", name)
	if err != nil {
		return err
	}
	if changed == "" {
		o.note("it is committed there already")
		return nil
	}
	if _, err := git("commit", "--quiet", "-m", o.message, "--", name); err != nil {
		return err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	o.note("committed it as %s", strings.TrimSpace(commit))
	return err
}
