package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configDiffOptions struct {
	*shared
	scopeFlags
}

func newConfigDiff(s *shared) *cobra.Command {
	o := &configDiffOptions{shared: s}
	c := &cobra.Command{
		Use: "diff NAME [VERSION [VERSION]]", Short: "Compare two versions of a config set",
		Long: `Shows the values that differ between two versions of a config set. With one version it is compared with the latest, with none the latest is compared with the one before. With -o wide the texts are compared, with their comments.`,
		Example: `  blueberry config diff shop
  blueberry config diff shop 2 5 -o wide`,
		Args:              between(1, 3),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	return c
}

func (o *configDiffOptions) run(ctx context.Context, args []string) error {
	ref, err := o.unversioned(args[0])
	if err != nil {
		return err
	}
	var numbers [2]int // 0 leaves the choice to the server: the one before, and the latest
	for i, arg := range args[1:] {
		if numbers[i], err = versionArg(arg, "version"); err != nil {
			return err
		}
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	diff, err := client.DiffConfigSetVersions(ctx, set.ID, numbers[0], numbers[1])
	if err != nil {
		return err
	}
	names := each(diff.Changes, func(c sdk.SettingChange) string { return c.Path })
	return o.print(result{value: diff, names: names, text: func(w io.Writer, wide bool) {
		p := o.picture(wide)
		p.configVersions(setName(set), diff)
		p.print(w)
	}})
}

// configVersions adds what differs between two versions of a config set.
func (p *picture) configVersions(name string, diff sdk.ConfigDiff) {
	var from sdk.ConfigVersion // nothing before the first one
	text := fmt.Sprintf("%s, version %d", plainText(name), diff.To.Number)
	if diff.From != nil {
		from = *diff.From
		text = fmt.Sprintf("%s, version %d → %d", plainText(name), from.Number, diff.To.Number)
	}
	switch {
	case from.Content == diff.To.Content:
		p.line("%s: no difference", text)
		return
	case len(diff.Changes) == 0:
		p.line("%s: the values are the same, the text differs", text)
	default:
		p.line("%s: %s", text, count(len(diff.Changes), "value"))
	}
	if p.wide {
		p.block("  ", &shown{block: lines(from.Content)}, &shown{block: lines(diff.To.Content)})
		return
	}
	for _, c := range diff.Changes {
		p.became(c.Path, settingSide(c.Before), settingSide(c.After), "")
	}
	p.rest()
}
