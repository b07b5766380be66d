package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

type tokenGetOptions struct{ *shared }

func newTokenGet(s *shared) *cobra.Command {
	o := &tokenGetOptions{s}
	return &cobra.Command{
		Use: "get TOKEN", Short: "Show an API token",
		Long:              `Shows what an API token may do, and when it was used. Its secret is not known to anyone any more.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeTokens,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *tokenGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := o.tokenOf(ctx, client, arg)
	if err != nil {
		return err
	}
	return o.print(result{value: t, names: []string{t.ID}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("name", t.Name)
		f.add("id", t.ID)
		f.add("state", tokenState(o.streams.Now(), t).text)
		f.some("hint", t.Hint)
		f.some("user", t.UserID)
		f.some("service account", t.ServiceAccountID)
		f.add("grants", list(t.Grants, "none"))
		f.add("projects", list(t.Projects, "all"))
		f.add("created", o.when(t.CreatedAt, wide)+" by "+first(t.CreatedBy, "the installation"))
		f.add("expires", o.when(t.ExpiresAt, wide))
		f.add("last used", o.when(t.LastUsedAt, wide))
		f.some("rotated", o.when(t.RotatedAt, wide))
		f.some("secret before works", o.when(t.PreviousUntil, wide))
		f.some("revoked", o.when(t.RevokedAt, wide))
		f.print(w)
	}})
}
