package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envDriftPolicyOptions struct {
	*shared
	project  string
	mode     string
	ignore   []string
	noIgnore bool
}

func newEnvDriftPolicy(s *shared) *cobra.Command {
	o := &envDriftPolicyOptions{shared: s}
	c := &cobra.Command{
		Use: "drift-policy NAME", Short: "Say what is done about drift",
		Long: `Says what is done about what another hand alters on the target: repair puts it back at once, report tells it and leaves it alone until the next revision. --ignore leaves fields to others, as an autoscaler: what they write there is no drift; its rules take the place of those that are there. Without flags it shows the policy.`,
		Example: `  blueberry env drift-policy pr-42 --mode report
  blueberry env drift-policy pr-42 --ignore Deployment/backend:spec.replicas --ignore '*/*:metadata.annotations["example.com/x"]'`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.StringVar(&o.mode, "mode", "", "repair or report")
	f.StringArrayVar(&o.ignore, "ignore", nil, "field to leave to others, as KIND/NAME:PATH, in place of those that are left now; kind and name may be *; repeatable")
	f.BoolVar(&o.noIgnore, "no-ignore", false, "leave no field to others")
	must(c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions([]string{"repair", "report"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func (o *envDriftPolicyOptions) run(ctx context.Context, ref string) error {
	if o.noIgnore && len(o.ignore) > 0 {
		return usageErrorf("--ignore and --no-ignore cannot be given together")
	}
	rules, err := parseIgnores(o.ignore)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, false)
	if err != nil {
		return err
	}
	policy := sdk.DriftPolicy{Mode: first(o.mode, env.Drift.Mode), Ignore: rules}
	if len(rules) == 0 && !o.noIgnore {
		policy.Ignore = env.Drift.Ignore
	}
	if o.mode != "" || len(rules) > 0 || o.noIgnore {
		if env, err = client.SetEnvironmentDriftPolicy(ctx, env.ID, policy); err != nil {
			return err
		}
	}
	names := each(policy.Ignore, ignoreText)
	return o.print(result{value: policy, names: names, text: func(w io.Writer, _ bool) {
		fmt.Fprintf(w, "%s: %s\n", plainText(refOf(env)), plainText(first(policy.Mode, "repair")))
		for _, n := range names {
			fmt.Fprintln(w, "  ignores "+plainText(n))
		}
	}})
}

// parseIgnores reads KIND/NAME:PATH.
func parseIgnores(texts []string) ([]sdk.DriftIgnore, error) {
	var out []sdk.DriftIgnore
	for _, text := range texts {
		object, path, ok := strings.Cut(text, ":")
		kind, name, ok2 := strings.Cut(object, "/")
		if !ok || !ok2 || kind == "" || name == "" || path == "" {
			return nil, usageErrorf("--ignore: %q is not KIND/NAME:PATH, as Deployment/backend:spec.replicas", text)
		}
		out = append(out, sdk.DriftIgnore{Kind: kind, Name: name, Path: path})
	}
	return out, nil
}
