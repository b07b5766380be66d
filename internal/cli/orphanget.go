package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type orphanGetOptions struct{ *shared }

func newOrphanGet(s *shared) *cobra.Command {
	o := &orphanGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show an orphan with its objects", Args: exactly(1), ValidArgsFunction: s.completeOrphans,
		Long: `Shows what was found, who allowed its removal, and what of it is still there.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *orphanGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	x, err := client.GetOrphan(ctx, id)
	if err != nil {
		return err
	}
	return o.print(orphanResult(x))
}

func orphanResult(x sdk.Orphan) result {
	return result{value: x, names: []string{x.ID}, text: func(w io.Writer, _ bool) {
		fmt.Fprintln(w, plainText(fmt.Sprintf("%s on %s, %s of %s/%s: %s", x.ID, x.Target, x.Kind, x.Project, x.Env, x.Message)))
		for _, r := range x.Objects {
			fmt.Fprintln(w, "  "+plainText(objectText(r)))
		}
		if x.ApprovedBy != "" {
			fmt.Fprintln(w, plainText(fmt.Sprintf("%s allowed its removal (%s)", x.ApprovedBy, exact(x.ApprovedAt))))
		}
		for _, r := range x.Leftovers {
			fmt.Fprintln(w, "  still there: "+plainText(objectText(r)))
		}
	}}
}

// objectText is an object as kubectl takes it.
func objectText(r sdk.ObjectRef) string {
	kind := strings.ToLower(r.Kind)
	if group, _, ok := strings.Cut(r.APIVersion, "/"); ok {
		kind += "." + group
	}
	if r.Namespace == "" {
		return kind + "/" + r.Name
	}
	return kind + "/" + r.Name + " in " + r.Namespace
}
