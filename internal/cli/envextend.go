package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

type envExtendOptions struct {
	*shared
	project string
	by      string
	link    bool
}

func newEnvExtend(s *shared) *cobra.Command {
	o := &envExtendOptions{shared: s}
	c := &cobra.Command{
		Use: "extend NAME", Short: "Extend the lease of an environment",
		Long: `Adds time to what is left of the lease. A lease never ends later than 168 hours from now; blueberry env pin keeps an environment longer. With --link nothing is extended yet: the link does it, for whoever opens it first.`,
		Example: `  blueberry env extend pr-42 --by 8h
  blueberry env extend pr-42 --by 24h --link`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.StringVar(&o.by, "by", "24h", "how much to add: 24h, 24 or 7d")
	f.BoolVar(&o.link, "link", false, "only make a link that does it: once, for whoever has it, without signing in")
	return c
}

func (o *envExtendOptions) run(ctx context.Context, ref string) error {
	hours, err := parseHours(o.by)
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
	if o.link {
		link, err := client.CreateExtendLink(ctx, env.ID, hours)
		if err != nil {
			return err
		}
		return o.print(result{value: link, names: []string{link.URL}, text: func(w io.Writer, _ bool) {
			fmt.Fprintf(w, "%s\n", plainText(link.URL))
			o.note("whoever has the link can extend %s by %d hours, once, until %s; it is not shown again", plainText(refOf(env)), link.Hours, exact(link.ExpiresAt))
		}})
	}
	env, err = client.ExtendEnvironment(ctx, env.ID, hours)
	if err != nil {
		return err
	}
	return o.print(result{value: env, names: []string{refOf(env)}, text: func(w io.Writer, _ bool) {
		fmt.Fprintf(w, "%s expires %s (%s)\n", refOf(env), relative(o.streams.Now(), env.ExpiresAt), exact(env.ExpiresAt))
	}})
}
