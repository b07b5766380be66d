package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type blueprintGetOptions struct {
	*shared
	scopeFlags
}

func newBlueprintGet(s *shared) *cobra.Command {
	o := &blueprintGetOptions{shared: s}
	c := &cobra.Command{
		Use: "get REF", Short: "Show a blueprint of the catalogue",
		Long: `Prints a version of a blueprint of the catalogue as it was written, with its comments; without @VERSION the latest. With -o json or yaml it is told with all that is known of it, -o wide puts that before the content.`,
		Example: `  blueberry blueprint get shop@3
  blueberry blueprint get global/shop -o json`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeBlueprints,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "blueprint")
	return c
}

func (o *blueprintGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	v, err := o.readBlueprintVersion(ctx, client, arg)
	if err != nil {
		return err
	}
	return o.print(result{value: v, names: []string{v.name()}, text: func(w io.Writer, wide bool) {
		if wide {
			text := fmt.Sprintf("%s, published %s by %s", v.name(), exact(v.Version.CreatedAt), v.Version.Author)
			if from := sourceText(v.Version.Source); from != "" {
				text += ", from " + from
			}
			if v.Version.Message != "" {
				text += ": " + v.Version.Message
			}
			fmt.Fprintf(w, "# %s\n", plainText(text))
		}
		o.printContent(w, v.Version.Content)
	}})
}

// readBlueprintVersion reads the version that a reference names.
func (sc *scopeFlags) readBlueprintVersion(ctx context.Context, client *sdk.Client, arg string) (blueprintVersion, error) {
	var v blueprintVersion
	ref, err := sc.parse(arg)
	if err != nil {
		return v, err
	}
	if v.Blueprint, err = sc.findBlueprint(ctx, client, ref); err != nil {
		return v, err
	}
	number := ref.version
	if number == 0 {
		number = v.Blueprint.Latest
	}
	v.Version, err = client.GetBlueprintVersion(ctx, v.Blueprint.ID, number)
	return v, err
}

// blueprintVersion is a blueprint of the catalogue with one of its versions.
type blueprintVersion struct {
	Blueprint sdk.CatalogueEntry   `json:"blueprint"`
	Version   sdk.CatalogueVersion `json:"version"`
}

func (v blueprintVersion) name() string {
	return refText(v.Blueprint.Global, v.Blueprint.Name, v.Version.Number)
}
