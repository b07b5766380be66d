package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configGetOptions struct {
	*shared
	scopeFlags
}

func newConfigGet(s *shared) *cobra.Command {
	o := &configGetOptions{shared: s}
	c := &cobra.Command{
		Use: "get NAME[@VERSION]", Short: "Show a config set",
		Long: `Prints the content of a version of a config set as it was written, with its comments; without @VERSION of the latest. With -o json or yaml it is told with all that is known of the set and the version, -o wide puts that before the content.`,
		Example: `  blueberry config get shop
  blueberry config get global/logging@3 -o json`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	return c
}

func (o *configGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	v, err := o.readVersion(ctx, client, arg)
	if err != nil {
		return err
	}
	return o.print(o.versionResult(v))
}

// readVersion reads the version that a reference names.
func (sc *scopeFlags) readVersion(ctx context.Context, client *sdk.Client, arg string) (configVersion, error) {
	var v configVersion
	ref, err := sc.parse(arg)
	if err != nil {
		return v, err
	}
	if v.ConfigSet, err = sc.findConfigSet(ctx, client, ref); err != nil {
		return v, err
	}
	number := ref.version
	if number == 0 {
		number = v.ConfigSet.Latest
	}
	v.Version, err = client.GetConfigSetVersion(ctx, v.ConfigSet.ID, number)
	return v, err
}

// configVersion is a config set with one of its versions.
type configVersion struct {
	ConfigSet sdk.ConfigSet     `json:"config_set"`
	Version   sdk.ConfigVersion `json:"version"`
}

func (v configVersion) name() string {
	return refText(v.ConfigSet.Global, v.ConfigSet.Name, v.Version.Number)
}

func (s *shared) versionResult(v configVersion) result {
	return result{value: v, names: []string{v.name()}, text: func(w io.Writer, wide bool) {
		if wide {
			fmt.Fprintf(w, "# %s\n", plainText(versionText(v)))
		}
		s.printContent(w, v.Version.Content)
	}}
}

func versionText(v configVersion) string {
	text := fmt.Sprintf("%s, made %s by %s", v.name(), exact(v.Version.CreatedAt), v.Version.Author)
	if v.Version.RestoredFrom > 0 {
		text += fmt.Sprintf(", equal to version %d", v.Version.RestoredFrom)
	}
	if from := sourceText(v.Version.Source); from != "" {
		text += ", from " + from
	}
	if v.Version.Message != "" {
		text += ": " + v.Version.Message
	}
	return text
}

// printContent writes a text that someone else wrote: byte for byte into a pipe or a file; on a terminal without what could move its cursor.
func (s *shared) printContent(w io.Writer, content string) {
	if !s.streams.OutTerminal {
		_, _ = io.WriteString(w, content) // the output may be closed: nobody is there to be told
		return
	}
	for l := range strings.Lines(content) {
		fmt.Fprintln(w, plainText(strings.TrimSuffix(l, "\n")))
	}
}
