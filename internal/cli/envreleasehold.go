package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envReleaseHoldOptions struct {
	*shared
	project string
	all     bool
}

func newEnvReleaseHold(s *shared) *cobra.Command {
	o := &envReleaseHoldOptions{shared: s}
	c := &cobra.Command{
		Use: "release-hold NAME [KIND [NAME [VALUE]]]", Short: "Let a held input come back",
		Long: "Releases holds that a rollback has put, and says which. What is released may come back at once, by itself, if the environment follows it. KIND, NAME and VALUE are as `blueberry env holds` tells them; of a commit, its first digits do. Without KIND it is every hold, after a question; --all asks none, and is needed where there is nobody to ask.",
		Example: `  blueberry env release-hold pr-42 config_set shop
  blueberry env release-hold pr-42 --all`,
		Args:              between(1, 4),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.BoolVar(&o.all, "all", false, "every hold of the environment, without a question")
	return c
}

func (o *envReleaseHoldOptions) run(ctx context.Context, args []string) error {
	switch {
	case o.all && len(args) > 1:
		return usageErrorf("--all releases every hold: %s is too much", args[1])
	case !o.all && len(args) == 1 && !o.streams.InTerminal:
		return usageErrorf("there is no terminal to ask on: name the kind of input to release, or --all")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, args[0], false)
	if err != nil {
		return err
	}
	found, err := client.ListEnvironmentHolds(ctx, env.ID)
	if err != nil {
		return err
	}
	var released []sdk.Hold
	for _, h := range found.Items {
		if meant(h, args[1:]) {
			released = append(released, h)
		}
	}
	if len(released) == 0 {
		return refusedError{fmt.Errorf("%s holds nothing of that kind, name and value", refOf(env))}
	}
	if !o.all && len(args) == 1 {
		what := "This releases every hold of " + refOf(env) + ":\n  " + strings.Join(each(released, holdText), "\n  ")
		if sure, err := o.agreed(false, what); err != nil || !sure {
			return err
		}
	}
	for _, h := range released {
		if _, err := client.ReleaseEnvironmentHolds(ctx, env.ID, sdk.ReleaseHoldsRequest{Kind: h.Kind, Name: h.Name, Value: h.Value}); err != nil {
			return err
		}
	}
	r := o.holdsResult(released)
	r.table, r.text = nil, func(w io.Writer, _ bool) {
		for _, h := range released {
			fmt.Fprintln(w, "released "+holdText(h))
		}
	}
	return o.print(r)
}

func holdText(h sdk.Hold) string { return plainText(inputName(h.Kind, h.Name) + " " + h.Value) }

// meant reports whether a hold is one of those that kind, name and value say, as far as they are given.
func meant(h sdk.Hold, args []string) bool {
	for i, has := range []string{h.Kind, h.Name, h.Value} {
		if i == len(args) {
			return true
		}
		if has != args[i] && !(h.Kind == "commit" && i == 2 && len(args[i]) >= 7 && strings.HasPrefix(has, args[i])) {
			return false
		}
	}
	return true
}
