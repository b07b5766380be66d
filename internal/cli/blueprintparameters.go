package cli

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type blueprintParametersOptions struct {
	*shared
	scopeFlags
	repo, ref, path string
}

func newBlueprintParameters(s *shared) *cobra.Command {
	o := &blueprintParametersOptions{shared: s}
	c := &cobra.Command{
		Use: "parameters [REF | DIR | FILE | --repo URL]", Short: "List the parameters of a blueprint", Aliases: []string{"params"},
		Long: `Lists what ` + "`blueberry env create --param`" + ` may choose: each parameter with its type, default, bounds and help. The blueprint is one of the catalogue, a file of this machine (- reads the input), or that of a Git repository. What is the name of a file here is taken for the file.`,
		Example: `  blueberry blueprint parameters shop@3
  blueberry blueprint parameters --repo https://git.example.com/acme/shop.git`,
		Args:              atMost(1),
		ValidArgsFunction: s.completeBlueprints,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	f := c.Flags()
	o.scopeFlags.flags(f, "blueprint")
	f.StringVar(&o.repo, "repo", "", "Git repository that holds the blueprint")
	f.StringVar(&o.ref, "ref", "", "branch, tag or commit; else the default branch")
	f.StringVar(&o.path, "path", "", "path of the blueprint in the repository; else blueberry.yaml")
	return c
}

func (o *blueprintParametersOptions) run(ctx context.Context, args []string) error {
	switch {
	case o.repo != "" && len(args) > 0:
		return usageErrorf("--repo and %s both name a blueprint: give one", args[0])
	case o.repo == "" && (o.ref != "" || o.path != ""):
		return usageErrorf("--ref and --path say where in a repository: --repo is needed")
	}
	b, err := o.blueprint(ctx, args)
	if err != nil {
		return err
	}
	if b.Parameters == nil {
		b.Parameters = []sdk.Parameter{}
	}
	names := each(b.Parameters, func(p sdk.Parameter) string { return p.Name })
	return o.print(result{value: b.Parameters, names: names, table: func(wide bool) table { return parameterTable(b.Parameters, wide) }})
}

// parameterTable shows what a request may choose.
func parameterTable(parameters []sdk.Parameter, wide bool) table {
	t := table{head: []string{"NAME", "TYPE", "DEFAULT", "MAY BE", "HELP"}, empty: "no parameters"}
	if wide {
		t.head = []string{"NAME", "TYPE", "DEFAULT", "MAY BE", "SETS", "HELP"}
	}
	for _, p := range parameters {
		row := []cell{plainCell(p.Name), plainCell(first(p.Type, "string")), defaultCell(p), plainCell(bounds(p))}
		if wide {
			row = append(row, plainCell(strings.Join(p.Sets, ",")))
		}
		t.rows = append(t.rows, append(row, plainCell(p.Help)))
	}
	return t
}

// blueprint reads the one that is meant.
func (o *blueprintParametersOptions) blueprint(ctx context.Context, args []string) (*sdk.Blueprint, error) {
	arg := first(append(args, ".")...)
	if o.repo == "" && (len(args) == 0 || arg == "-" || isFile(arg)) {
		return o.readBlueprint(blueprintPath(arg))
	}
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	if o.repo != "" {
		check, err := client.ValidateBlueprint(ctx, sdk.BlueprintRequest{Project: o.project, Source: &sdk.Source{Repository: o.repo, Ref: o.ref, Path: o.path}})
		return &check.Blueprint, err
	}
	if strings.ContainsRune(arg, filepath.Separator) && !strings.HasPrefix(arg, "global/") {
		return nil, &fs.PathError{Op: "open", Path: arg, Err: fs.ErrNotExist}
	}
	v, err := o.readBlueprintVersion(ctx, client, arg)
	if err != nil {
		return nil, err
	}
	if v.Version.Blueprint == nil {
		return &sdk.Blueprint{}, nil
	}
	return v.Version.Blueprint, nil
}

func isFile(arg string) bool {
	_, err := os.Stat(arg)
	return err == nil
}

func defaultCell(p sdk.Parameter) cell {
	switch {
	case p.Default != nil:
		return plainCell(show(p.Default).line)
	case p.Required:
		return cell{"required", yellow}
	}
	return plainCell("")
}

// bounds says which values a parameter may have.
func bounds(p sdk.Parameter) string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch {
	case len(p.Enum) > 0:
		return strings.Join(each(p.Enum, func(v any) string { return show(v).line }), ", ")
	case p.Min != nil && p.Max != nil:
		return number(*p.Min) + " to " + number(*p.Max)
	case p.Min != nil:
		return "from " + number(*p.Min)
	case p.Max != nil:
		return "up to " + number(*p.Max)
	}
	return p.Pattern
}
