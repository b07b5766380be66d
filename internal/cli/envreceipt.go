package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envReceiptOptions struct{ oneEnvironment }

func newEnvReceipt(s *shared) *cobra.Command {
	o := &envReceiptOptions{oneEnvironment{shared: s}}
	return o.command(&cobra.Command{
		Use: "receipt NAME", Short: "Show the proof that an environment left nothing behind",
		Long: `Shows everything that was made for an environment, with the time at which, and the way in which, it was proven gone. What does not go away is named, with what holds it and the way out.`,
	}, o.run)
}

func (o *envReceiptOptions) run(ctx context.Context, args []string) error {
	client, env, err := o.find(ctx, args[0], true)
	if err != nil {
		return err
	}
	r, err := client.GetEnvironmentReceipt(ctx, env.ID)
	if err != nil {
		return err
	}
	colours := o.streams.colours(o.streams.OutTerminal)
	return o.print(result{value: r, names: each(r.Lines, func(l sdk.ReceiptLine) string { return l.Object }), text: func(w io.Writer, wide bool) {
		o.receipt(w, r, wide, colours)
	}})
}

func (s *shared) receipt(w io.Writer, r sdk.Receipt, wide, colours bool) {
	end := "is not over"
	if !r.EndedAt.IsZero() {
		end = fmt.Sprintf("was over %s (%s)", relative(s.streams.Now(), r.EndedAt), exact(r.EndedAt))
	}
	fmt.Fprintln(w, plainText(fmt.Sprintf("the removal of %s began %s (%s) and %s", r.Environment, relative(s.streams.Now(), r.BeganAt), exact(r.BeganAt), end)))
	t := table{head: []string{"SYSTEM", "OBJECT", "GONE AFTER", "PROOF"}, empty: "nothing was made for it"}
	if wide {
		t.head = []string{"SYSTEM", "OBJECT", "MADE", "GONE", "GONE AFTER", "PROOF"}
	}
	for _, l := range r.Lines {
		gone := cell{"not yet", yellow}
		if !l.GoneAt.IsZero() {
			gone = cell{milliseconds(max(l.WaitedMS, 1)), green}
		}
		row := []cell{plainCell(l.System), plainCell(l.Object), gone, plainCell(l.Control)}
		if wide {
			row = []cell{plainCell(l.System), plainCell(l.Object), plainCell(exact(l.MadeAt)), plainCell(exact(l.GoneAt)), gone, plainCell(l.Control)}
		}
		t.rows = append(t.rows, row)
	}
	_ = t.print(w, colours)
	if c := r.Cost; c != nil {
		fmt.Fprintln(w, plainText(fmt.Sprintf("cost: %s %s in all", c.SoFar, c.Currency)))
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, plainText("note: "+n))
	}
	if a := r.Abandoned; a != nil {
		fmt.Fprintln(w, plainText(fmt.Sprintf("abandoned by %s (%s): %s", a.By, exact(a.At), a.Reason)))
	}
	if len(r.Leftovers) == 0 && !r.EndedAt.IsZero() {
		fmt.Fprintln(w, "leftovers: 0")
	}
	for _, l := range r.Leftovers {
		fmt.Fprintln(w, plainText(fmt.Sprintf("left: %s, held by %s: %s", objectText(l.ObjectRef), first(strings.Join(l.Finalizers, ", "), "nothing that is known"), l.Message)))
		fmt.Fprintf(w, "  → %s\n", plainText(l.Fix))
	}
}
