package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configWhyOptions struct {
	*shared
	project  string
	revision int
}

func newConfigWhy(s *shared) *cobra.Command {
	o := &configWhyOptions{shared: s}
	c := &cobra.Command{
		Use: "why ENVIRONMENT PATH", Short: "Tell where a value of an environment comes from",
		Long: `Tells which layer set an effective value of an environment, with the version, who made it and in which commit, and every value that it replaced, nearest first. A path names the component and then keys; with one that has others below it, each of them is told.`,
		Example: `  blueberry config why pr-42 backend.env.LOG_LEVEL
  blueberry config why pr-42 backend.env --revision 3`,
		Args:              exactly(2),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0], args[1]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.IntVar(&o.revision, "revision", 0, "number of the revision; else the desired one")
	return c
}

func (o *configWhyOptions) run(ctx context.Context, ref, path string) error {
	if _, err := splitPath(path); err != nil {
		return usageError{err}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	found, err := client.GetEnvironmentSettings(ctx, env.ID, o.revision, path)
	if err != nil {
		return err
	}
	if len(found.Settings) == 0 {
		return refusedError{fmt.Errorf("revision %d of %s has no value at %s; `blueberry config effective` shows all", found.Revision, refOf(env), path)}
	}
	names := each(found.Settings, func(x sdk.Setting) string { return x.Path })
	return o.print(result{value: found.Settings, names: names, text: func(w io.Writer, wide bool) {
		p := o.picture(wide)
		for i, x := range found.Settings {
			if i > 0 {
				p.line("")
			}
			p.why(x)
		}
		p.print(w)
	}})
}

// why adds a value, where it comes from, and what it replaced.
func (p *picture) why(x sdk.Setting) {
	value := show(x.Value)
	if x.Deleted {
		value = word("deleted")
	}
	if value.short {
		p.line("%s: %s", plainText(x.Path), value.line)
	} else {
		p.line("%s:", plainText(x.Path))
		for _, l := range value.block {
			p.line("    %s", l)
		}
	}
	p.line("  from      %s", p.paint(green, plainText(fullOrigin(x.Origin, p.wide))))
	for _, s := range x.Shadows {
		p.line("  replaced  %s", p.paint(grey, show(s.Value).line+"  ("+plainText(fullOrigin(s.Origin, p.wide))+")"))
	}
}
