package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type deliveryGetOptions struct{ *shared }

func newDeliveryGet(s *shared) *cobra.Command {
	o := &deliveryGetOptions{s}
	return &cobra.Command{
		Use: "get ID", Short: "Show a delivery with its headers and its body", Args: exactly(1), ValidArgsFunction: s.completeDeliveries,
		Long: `Shows what a host sent. Signatures and tokens are never kept, and nothing of the body of a delivery that was refused. What a terminal would not show as text is left out; -o json has the body as it came.`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *deliveryGetOptions) run(ctx context.Context, id string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	d, err := client.GetDelivery(ctx, id)
	if err != nil {
		return err
	}
	return o.print(result{value: d, names: []string{d.ID}, text: func(w io.Writer, wide bool) {
		o.deliveryFacts(d, wide).print(w)
		if len(d.Headers) > 0 {
			fmt.Fprintln(w)
		}
		for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
			fmt.Fprintln(w, plainText(name+": "+d.Headers[name]))
		}
		switch {
		case d.Body != "":
			fmt.Fprintln(w)
			for _, line := range lines(d.Body) {
				fmt.Fprintln(w, line)
			}
		case d.BodyBase64 != "":
			fmt.Fprintf(w, "\nthe body is no text; in base64 it is\n%s\n", plainText(d.BodyBase64))
		}
	}})
}

func (s *shared) deliveryFacts(d sdk.Delivery, wide bool) facts {
	var f facts
	f.some("delivery", d.ID)
	f.add("repository", d.RepositoryID)
	f.add("came", s.when(d.ReceivedAt, wide))
	f.some("from", d.From)
	f.some("event", d.Event)
	f.some("action", d.Action)
	f.some("host's id", d.HostID)
	f.add("bytes", fmt.Sprint(d.Size))
	f.add("verdict", d.Verdict)
	f.some("why", d.Reason)
	f.some("pull request", d.PullID)
	f.some("replay of", d.ReplayOf)
	return f
}
