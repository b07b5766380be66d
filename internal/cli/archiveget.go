package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type archiveGetOptions struct{ *shared }

func newArchiveGet(s *shared) *cobra.Command {
	o := &archiveGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show what is kept of an environment", Args: exactly(1), ValidArgsFunction: s.completeArchives,
		Long:    `Shows an archive with its files, and the receipt of the removal. The id is that of the environment; blueberry archive list shows it.`,
		Example: `  blueberry archive get env_06d5xw7k3c8qf2v9m4n1r0t6ya`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *archiveGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	a, err := client.GetArchive(ctx, id)
	if err != nil {
		return err
	}
	colours := o.streams.colours(o.streams.OutTerminal)
	return o.print(result{value: a, names: each(a.Files, func(f sdk.ArchiveFile) string { return f.Name }), text: func(w io.Writer, wide bool) {
		now := o.streams.Now()
		fmt.Fprintln(w, plainText(fmt.Sprintf("%s/%s, %s (%s), archived %s, kept until %s", a.Project, a.Environment, a.State, a.Reason, relative(now, a.ArchivedAt), exact(a.PurgeAt))))
		if !a.UndoUntil.IsZero() {
			fmt.Fprintln(w, plainText(fmt.Sprintf("can be brought back until %s: blueberry env undo %s", exact(a.UndoUntil), a.EnvironmentID)))
		}
		if a.RestoredAs != "" {
			fmt.Fprintln(w, plainText("was brought back as "+a.RestoredAs))
		}
		fmt.Fprintln(w)
		t := table{head: []string{"FILE", "BYTES"}, empty: "no files"}
		for _, f := range a.Files {
			t.rows = append(t.rows, []cell{plainCell(f.Name), plainCell(fmt.Sprint(f.Size))})
		}
		_ = t.print(w, colours) // it goes where people read
		if a.Receipt != nil {
			fmt.Fprintln(w)
			o.receipt(w, *a.Receipt, wide, colours)
		}
	}})
}
