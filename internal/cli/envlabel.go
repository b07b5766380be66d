package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envLabelOptions struct{ oneEnvironment }

func newEnvLabel(s *shared) *cobra.Command {
	o := &envLabelOptions{oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "label NAME [KEY=VALUE | KEY-]...", Short: "Set and take away labels of an environment",
		Long: `Sets labels, and with a dash behind a key takes one away; the others stay. Labels are words to find an environment again by: they change nothing of what runs. Keys and values are as Kubernetes has them for labels. Without any it shows those that are there.`,
		Example: `  blueberry env label pr-42 team=checkout tier=web
  blueberry env label pr-42 demo= team-
  blueberry env list --label team=checkout`,
		Args: between(1, 64), // more than an environment may have
	}, o.run)
	c.ValidArgsFunction = o.complete
	return c
}

// complete gives the environment first, then its labels as they would be taken away.
func (o *envLabelOptions) complete(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return o.completeEnvironments(c, args, typed)
	}
	return o.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		env, err := o.resolve(ctx, client, o.project, args[0], false)
		return each(slices.Sorted(maps.Keys(env.Labels)), func(key string) cobra.Completion {
			return cobra.CompletionWithDesc(key+"-", "is "+key+"="+env.Labels[key])
		}), err
	})
}

// labelTries is how often labels are set anew, because the record has moved between the look at them and the call.
const labelTries = 5

func (o *envLabelOptions) run(ctx context.Context, args []string) error {
	var set, gone []string
	for _, arg := range args[1:] {
		if key, ok := strings.CutSuffix(arg, "-"); ok && !strings.Contains(arg, "=") {
			gone = append(gone, key)
			continue
		}
		set = append(set, arg)
	}
	labels, err := parseLabels(set)
	if err != nil {
		return err
	}
	for _, key := range gone {
		if _, both := labels[key]; both || key == "" {
			return usageErrorf("%q takes away what is not there to be taken: give each key once", key+"-")
		}
	}
	client, env, err := o.find(ctx, args[0], len(args) == 1)
	if err != nil {
		return err
	}
	for try := 1; len(args) > 1; try++ {
		next := map[string]string{}
		maps.Copy(next, env.Labels)
		maps.Copy(next, labels)
		maps.DeleteFunc(next, func(key, _ string) bool { return slices.Contains(gone, key) })
		made, err := client.SetEnvironmentLabels(ctx, env.ID, next, sdk.IfMatch(env.Version))
		if err == nil {
			env = made
			break
		}
		var p *sdk.Problem
		if !errors.As(err, &p) || p.Status != http.StatusPreconditionFailed || try == labelTries {
			return err
		}
		if env, err = client.GetEnvironment(ctx, env.ID); err != nil {
			return err
		}
	}
	lines := labelLines(env.Labels)
	value := env.Labels
	if value == nil {
		value = map[string]string{}
	}
	return o.print(result{value: value, names: lines, text: func(w io.Writer, _ bool) {
		fmt.Fprintln(w, plainText(refOf(env)+" has "+count(len(lines), "label")))
		for _, l := range lines {
			fmt.Fprintln(w, "  "+plainText(l))
		}
	}})
}

// parseLabels reads key=value; nil for none.
func parseLabels(texts []string) (map[string]string, error) {
	var out map[string]string
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if _, twice := out[key]; !ok || key == "" || twice {
			return nil, usageErrorf("%q is no label of its own, as team=checkout; each key once", text)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out, nil
}

// labelLines gives labels as they are written, by their keys.
func labelLines(l map[string]string) []string {
	out := []string{}
	for _, key := range slices.Sorted(maps.Keys(l)) {
		out = append(out, key+"="+l[key])
	}
	return out
}

// completeLabels gives the labels of the newest environments.
func (s *shared) completeLabels(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return s.completeNames(c, func(ctx context.Context, client *sdk.Client) ([]cobra.Completion, error) {
		project, _ := c.Flags().GetString("project")
		page, err := client.ListEnvironments(ctx, sdk.EnvironmentFilter{Project: project, Limit: 100})
		var out []cobra.Completion
		for _, e := range page.Items {
			for _, l := range labelLines(e.Labels) {
				if strings.HasPrefix(l, typed) && !slices.Contains(out, l) {
					out = append(out, l)
				}
			}
		}
		return out, err
	})
}
