package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
)

type blueprintTestOptions struct {
	dir    string
	cases  []string
	update bool
	junit  string
	output string
}

// blueprintTestCommand runs the cases of a blueprint. It needs no server, so it is no command of the client's room.
func blueprintTestCommand() *cobra.Command {
	o := &blueprintTestOptions{dir: "."}
	c := &cobra.Command{
		Use: "test [DIR | FILE]", Short: "Run the cases of a blueprint, without a server",
		Long: `Renders the blueprint of a directory for each case in its blueberry.test.yaml, and tells what is not as expected: faults, warnings, denials of policies, and fields of the manifests that differ from the golden files. Paths of charts are those below the directory. It talks to no server.

A case that fails makes the command fail. With --update the golden files are made anew from what is rendered.`,
		Example: `  blueberry blueprint test
  blueberry blueprint test deploy --case small --update
  blueberry blueprint test --junit report.xml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.dir = args[0]
			}
			if f := cmd.Flag("output"); f != nil {
				o.output = f.Value.String()
			}
			return untilSignal(cmd.Context(), func(ctx context.Context) error { return o.run(ctx, cmd.OutOrStdout()) })
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.cases, "case", nil, "run this case only; may be given more than once")
	f.BoolVar(&o.update, "update", false, "make the golden files anew")
	f.StringVar(&o.junit, "junit", "", "also write a JUnit XML report to this file")
	return c
}

func (o *blueprintTestOptions) run(ctx context.Context, out io.Writer) error {
	dir, file := o.dir, ""
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		dir, file = filepath.Split(dir)
		dir = filepath.Clean(dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	options := catalog.TestOptions{File: file, Cases: o.cases}
	if o.update {
		options.Write = func(name string, content []byte) error {
			if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
				return err
			}
			return root.WriteFile(name, content, 0o644)
		}
		options.Remove = root.Remove
	}
	report, err := catalog.Test(ctx, root.FS(), options)
	if err != nil {
		return told(err)
	}
	if err := o.print(out, report); err != nil {
		return err
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, report); err != nil {
			return err
		}
	}
	if n := report.Failed(); n > 0 {
		return fmt.Errorf("%d of %d cases failed", n, len(report.Cases))
	}
	return nil
}

// told puts each fault of the files on a line of its own.
func told(err error) error {
	var e *blueberry.Error
	if !errors.As(err, &e) || len(e.Fields) == 0 {
		return err
	}
	lines := make([]error, len(e.Fields))
	for i, f := range e.Fields {
		lines[i] = errors.New(f.String())
	}
	return errors.Join(lines...)
}

func writeJUnit(name string, report catalog.TestReport) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(report.WriteJUnit(f), f.Close())
}

func (o *blueprintTestOptions) print(w io.Writer, report catalog.TestReport) error {
	switch o.output {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(report)
	case "yaml":
		data, err := json.Marshal(report)
		if err != nil {
			return err
		}
		var tree any
		if err := json.Unmarshal(data, &tree); err != nil {
			return err
		}
		enc := yaml.NewEncoder(w)
		enc.SetIndent(2)
		return errors.Join(enc.Encode(tree), enc.Close())
	case "name":
		for _, c := range report.Cases {
			fmt.Fprintln(w, c.Name)
		}
		return nil
	}
	for _, c := range report.Cases {
		word := "pass"
		if !c.Passed {
			word = "FAIL"
		}
		fmt.Fprintf(w, "%s  %s\n", word, c.Name)
		for _, d := range c.Differences {
			fmt.Fprintf(w, "      %s\n", d)
		}
		for _, name := range c.Written {
			fmt.Fprintf(w, "      wrote %s\n", name)
		}
		for _, name := range c.Removed {
			fmt.Fprintf(w, "      removed %s\n", name)
		}
	}
	return nil
}
