package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configImpactOptions struct {
	*shared
	scopeFlags
	limitFlags
	with   string
	public []string
	search string
}

func newConfigImpact(s *shared) *cobra.Command {
	o := &configImpactOptions{shared: s}
	c := &cobra.Command{
		Use: "impact NAME[@VERSION] [--with FILE]", Short: "Tell what another version of a config set would change",
		Long: `Tells which environments a version of a config set would change, and what of them: their effective values, and the objects of one of each sort. The version is one that exists, or with --with a file that is not published yet; with neither it is the latest, for the environments that have an older one. Nothing is stored.`,
		Example: `  blueberry config impact shop --with shop.yaml
  blueberry config impact shop@5 -o json`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	o.scopeFlags.flags(f, "config set")
	o.limitFlags.flags(f)
	f.StringVar(&o.with, "with", "", "file with the values of a version that does not exist yet; - reads the input")
	f.StringArrayVar(&o.public, "public", nil, "with --with: pattern of paths whose value looks like a secret and is none; repeatable")
	f.StringVar(&o.search, "search", "", "list only environments with this text in the name; the groups are of all")
	must(c.MarkFlagFilename("with", "yaml", "yml", "json"))
	return c
}

func (o *configImpactOptions) run(ctx context.Context, arg string) error {
	if err := o.check(); err != nil {
		return err
	}
	ref, err := o.parse(arg)
	if err != nil {
		return err
	}
	r := sdk.ConfigImpactRequest{Version: ref.version, Public: o.public, Search: o.search, Limit: o.page()}
	if o.with != "" {
		if ref.version > 0 {
			return usageErrorf("@%d and --with both name a version: give one", ref.version)
		}
		content, err := o.read(o.with)
		if err != nil {
			return err
		}
		r.Content = string(content)
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	impact, err := o.impact(ctx, client, set.ID, r)
	if err != nil {
		return err
	}
	names := each(impact.Items, func(e sdk.ImpactedEnvironment) string { return userName(e.EnvironmentUse) })
	return o.print(result{value: impact, names: names, text: func(w io.Writer, wide bool) {
		p := o.picture(wide)
		p.impact(impact)
		p.print(w)
	}})
}

// impact reads page after page of the environments, up to the limit; the rest is the same on every page.
func (o *configImpactOptions) impact(ctx context.Context, client *sdk.Client, id string, r sdk.ConfigImpactRequest) (sdk.ConfigImpact, error) {
	whole, err := client.GetConfigSetImpact(ctx, id, r)
	if err != nil {
		return whole, err
	}
	for whole.NextCursor != "" && (o.all || len(whole.Items) < o.limit) {
		r.Cursor = whole.NextCursor
		page, err := client.GetConfigSetImpact(ctx, id, r)
		if err != nil {
			return whole, err
		}
		whole.Items, whole.NextCursor = append(whole.Items, page.Items...), page.NextCursor
	}
	if !o.all && len(whole.Items) > o.limit {
		whole.Items = whole.Items[:o.limit]
	}
	if len(whole.Items) < whole.Change && !o.all && o.search == "" {
		o.note("there are more environments: --all lists them")
	}
	return whole, nil
}

// impact adds what would change, by environments that would change alike.
func (p *picture) impact(i sdk.ConfigImpact) {
	p.line("%s: %d of %s would change", plainText(setName(i.ConfigSet)), i.Change, count(i.Total, "environment"))
	if i.Hidden > 0 {
		p.words(yellow, "  ", hiddenText(i.Hidden))
	}
	for n, g := range i.Groups {
		p.section("%d. %s, as %s:", n+1, count(g.Environments, "environment"), plainText(userName(g.Example)))
		for _, f := range g.Faults {
			p.words(red, "  ", "refused: "+f.String())
		}
		for _, w := range g.Warnings {
			p.words(yellow, "  ", warningText(w))
		}
		p.settingLines(g.Settings)
		for _, o := range g.Objects {
			p.object(o)
		}
		p.rest()
		if g.Note != "" {
			p.words(grey, "  ", "no objects: "+g.Note)
		}
	}
	if len(i.Items) == 0 {
		return
	}
	p.section("Environments")
	t := table{head: []string{"NAME", "PROJECT", "PHASE", "VERSION", "FOLLOWS", "GROUP"}}
	for _, e := range i.Items {
		t.rows = append(t.rows, []cell{
			plainCell(e.Name), plainCell(e.Project), phaseCell(e.Phase), plainCell(fmt.Sprint(e.Number)), yesNo(!e.Pins), plainCell(fmt.Sprint(e.Group + 1)),
		})
	}
	p.table(t)
}
