package cli

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"
)

type auditGetOptions struct{ *shared }

func newAuditGet(s *shared) *cobra.Command {
	o := &auditGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show one action with what it changed", Args: exactly(1),
		Long:    `Shows an entry of the audit: who did what, from where, and how it was before and after. blueberry audit list -o wide tells the ids.`,
		Example: `  blueberry audit get aud_06d5xw7k3c8qf2v9m4n1r0t6ya`,
		RunE:    func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *auditGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	e, err := client.GetAuditEntry(ctx, id)
	if err != nil {
		return err
	}
	return o.print(result{value: e, names: []string{e.ID}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("id", e.ID)
		f.add("at", o.when(e.At, wide))
		f.add("who", plainText(first(e.Actor.Name, e.Actor.ID)))
		f.add("kind", e.Actor.Kind)
		f.some("for", plainText(e.Actor.OnBehalfOf))
		f.some("emergency", e.Actor.Emergency)
		f.add("action", plainText(e.Action))
		f.add("result", e.Result)
		f.some("resource", plainText(e.Resource))
		f.some("project", plainText(e.Project))
		f.some("detail", plainText(e.Detail))
		f.some("before", plainText(string(e.Before)))
		f.some("after", plainText(string(e.After)))
		f.some("address", plainText(e.Address))
		f.some("program", plainText(e.UserAgent))
		f.some("route", plainText(e.Route))
		f.some("request", plainText(e.RequestID))
		if e.Seq > 0 {
			f.add("place", strconv.FormatInt(e.Seq, 10))
			f.add("hash", e.Hash)
		}
		f.print(w)
	}})
}
