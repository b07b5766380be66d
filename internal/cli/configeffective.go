package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configEffectiveOptions struct {
	*shared
	project   string
	revision  int
	component string
	origins   bool
}

func newConfigEffective(s *shared) *cobra.Command {
	o := &configEffectiveOptions{shared: s}
	c := &cobra.Command{
		Use: "effective ENVIRONMENT", Short: "Show the effective values of an environment",
		Long: `Prints the values that an environment is rendered with, all layers merged, as YAML by component. With --origins, or -o wide, a comment on each line says which layer set it. With -o json the values come with all that is known of each.`,
		Example: `  blueberry config effective pr-42 --component backend
  blueberry config effective pr-42 --origins`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.IntVar(&o.revision, "revision", 0, "number of the revision; else the desired one")
	f.StringVar(&o.component, "component", "", "only of this component")
	f.BoolVar(&o.origins, "origins", false, "say on each line where the value comes from")
	return c
}

func (o *configEffectiveOptions) run(ctx context.Context, ref string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	found, err := client.GetEnvironmentSettings(ctx, env.ID, o.revision, o.component)
	if err != nil {
		return err
	}
	if o.component != "" {
		if len(found.Settings) == 0 {
			return refusedError{fmt.Errorf("revision %d of %s has no values of a component %s", found.Revision, refOf(env), o.component)}
		}
		found.Values = map[string]any{o.component: found.Values[o.component]}
	}
	names := each(found.Settings, func(x sdk.Setting) string { return x.Path })
	var failed error
	err = o.print(result{value: found, names: names, text: func(w io.Writer, wide bool) { failed = printEffective(w, found, wide || o.origins) }})
	if err != nil {
		return err
	}
	return failed
}

// printEffective writes the values as YAML; with origins, where each comes from behind it, and what was deleted at the end.
func printEffective(w io.Writer, found sdk.EnvironmentSettings, origins bool) error {
	from := map[string]string{}
	var deleted []string
	if origins {
		for _, x := range found.Settings {
			from[x.Path] = plainText(originText(x.Origin))
			if x.Deleted {
				deleted = append(deleted, fmt.Sprintf("%s is deleted by %s", plainText(x.Path), from[x.Path]))
			}
		}
	}
	node, err := commented("", found.Values, from)
	if err != nil {
		return err
	}
	node.FootComment = strings.Join(deleted, "\n")
	return encodeYAML(w, node)
}

// commented makes the YAML of a value whose path is at, with a comment on each value that has an origin.
func commented(at string, v any, from map[string]string) (*yaml.Node, error) {
	tree, isMap := v.(map[string]any)
	origin, isLeaf := from[at]
	if !isMap || len(tree) == 0 || isLeaf {
		n, err := yamlOf(v)
		if err != nil {
			return nil, err
		}
		if origin != "" && n.Kind != yaml.ScalarNode {
			n.Style = yaml.FlowStyle // a comment behind a block would stand on another line
		}
		n.LineComment = origin
		return n, nil
	}
	out := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		name, err := yamlOf(key)
		if err != nil {
			return nil, err
		}
		value, err := commented(joinPath(at, key), tree[key], from)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, name, value)
	}
	return out, nil
}
