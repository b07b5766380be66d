package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type tokenRotateOptions struct {
	*shared
	r       sdk.RotateAPITokenRequest
	overlap string
}

func newTokenRotate(s *shared) *cobra.Command {
	o := &tokenRotateOptions{shared: s}
	c := &cobra.Command{
		Use: "rotate TOKEN", Short: "Give an API token another secret",
		Long:              `Gives an API token another secret, which is shown once, alone on the output. The one before works for a while longer, so that nothing has to stop.`,
		Example:           `  blueberry token rotate ci --overlap 2h > token.txt`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeTokens,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	c.Flags().StringVar(&o.overlap, "overlap", "24h", "how long the secret before works too: whole hours or days, up to 7d")
	c.Flags().IntVar(&o.r.Days, "days", 0, "how long the token works from now, up to 365; else as long as it did at first")
	return c
}

func (o *tokenRotateOptions) run(ctx context.Context, arg string) error {
	var wrong mistakes
	hours, err := parseHours(o.overlap)
	wrong.add(err != nil, "--overlap: %v", err)
	wrong.add(err == nil && (hours < 1 || hours > 168), "--overlap is 1h to 7d, not %s", o.overlap)
	o.r.OverlapHours = hours
	wrong.add(o.r.Days < 0 || o.r.Days > 365, "--days is 1 to 365, not %d", o.r.Days)
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	t, err := o.tokenOf(ctx, client, arg)
	if err != nil {
		return err
	}
	made, err := client.RotateAPIToken(ctx, t.ID, o.r)
	if err != nil {
		return err
	}
	return o.madeToken(made, "rotated")
}
