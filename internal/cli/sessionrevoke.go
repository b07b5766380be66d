package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type sessionRevokeOptions struct {
	*shared
	user     string
	all, yes bool
}

func newSessionRevoke(s *shared) *cobra.Command {
	o := &sessionRevokeOptions{shared: s}
	c := &cobra.Command{
		Use: "revoke ID | revoke --all [--user USER]", Short: "End sessions",
		Long: `Ends a session, or with --all every session of a user, at once, on every server. It says what goes and asks first; --yes goes on without asking, and is needed where there is nobody to ask.`,
		Example: `  blueberry session revoke ses_06d5xw7k3c8qf2v9m4n1r0t6ya
  blueberry session revoke --all --user ada@example.com`,
		Args:              atMost(1),
		ValidArgsFunction: s.completeSessions,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args) },
	}
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&o.all, "all", false, "every session")
	c.Flags().StringVar(&o.user, "user", "", "with --all: those of this user, by address or id; else one's own")
	must(c.RegisterFlagCompletionFunc("user", s.completeUsers))
	return c
}

func (o *sessionRevokeOptions) run(ctx context.Context, args []string) error {
	var wrong mistakes
	wrong.add(o.all == (len(args) > 0), "name one session, or --all")
	wrong.add(o.user != "" && !o.all, "--user is for --all")
	if err := wrong.err(); err != nil {
		return err
	}
	if !o.yes && !o.streams.InTerminal {
		return errNobodyToAsk
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.all {
		return o.everyone(ctx, client)
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This ends session %s.", plainText(args[0]))); err != nil || !sure {
		return err
	}
	if err := client.RevokeSession(ctx, args[0]); err != nil {
		return err
	}
	return o.print(said(sdk.RevokedSessions{Revoked: 1}, args[0], "ended session "+args[0]))
}

func (o *sessionRevokeOptions) everyone(ctx context.Context, client *sdk.Client) error {
	name := o.user
	if name == "" {
		a, err := client.GetAccount(ctx)
		switch {
		case err != nil:
			return err
		case a.User == nil:
			return refusedError{errors.New("what you are logged in with has no account: --user names one")}
		}
		name = a.User.Email
	}
	if sure, err := o.agreed(o.yes, fmt.Sprintf("This ends every session of %s.", plainText(name))); err != nil || !sure {
		return err
	}
	done, err := client.RevokeUserSessions(ctx, name)
	if err != nil {
		return err
	}
	return o.print(said(done, name, fmt.Sprintf("ended %s of %s", count(done.Revoked, "session"), name)))
}
