package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configHistoryOptions struct {
	*shared
	scopeFlags
	limitFlags
}

func newConfigHistory(s *shared) *cobra.Command {
	o := &configHistoryOptions{shared: s}
	c := &cobra.Command{
		Use: "history NAME", Short: "List the versions of a config set",
		Long:              `Lists the versions of a config set, newest first: who made each, and why. Versions never change.`,
		Example:           `  blueberry config history shop`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *configHistoryOptions) run(ctx context.Context, arg string) error {
	if err := o.check(); err != nil {
		return err
	}
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	versions, err := take(o.shared, o.limitFlags, client.AllConfigSetVersions(ctx, set.ID, sdk.Window{Limit: o.page()}))
	if err != nil {
		return err
	}
	names := each(versions, func(v sdk.ConfigVersion) string { return refText(set.Global, set.Name, v.Number) })
	return o.print(result{value: versions, names: names, table: func(wide bool) table {
		rows := each(versions, func(v sdk.ConfigVersion) versionRow {
			return versionRow{v.Number, exact(v.CreatedAt), relative(o.streams.Now(), v.CreatedAt), v.Author, whyVersion(v), sourceText(v.Source), v.Digest}
		})
		return versionTable(wide, rows)
	}})
}

// whyVersion is the message of a version, and which it brings back.
func whyVersion(v sdk.ConfigVersion) string {
	if v.RestoredFrom == 0 {
		return v.Message
	}
	return strings.TrimSuffix(fmt.Sprintf("equal to version %d: %s", v.RestoredFrom, v.Message), ": ")
}

// versionRow is one version of a config set or of a blueprint, for people.
type versionRow struct {
	number                                       int
	exact, relative, author, why, source, digest string
}

func versionTable(wide bool, versions []versionRow) table {
	t := table{head: []string{"VERSION", "WHEN", "AUTHOR", "MESSAGE"}, empty: "no versions"}
	if wide {
		t.head = []string{"VERSION", "CREATED", "AUTHOR", "SOURCE", "DIGEST", "MESSAGE"}
	}
	for _, v := range versions {
		row := []cell{plainCell(strconv.Itoa(v.number))}
		if wide {
			row = append(row, plainCell(v.exact), plainCell(v.author), plainCell(v.source), plainCell(v.digest))
		} else {
			row = append(row, plainCell(v.relative), plainCell(v.author))
		}
		t.rows = append(t.rows, append(row, plainCell(v.why)))
	}
	return t
}
