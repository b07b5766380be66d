package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type userGetOptions struct{ *shared }

func newUserGet(s *shared) *cobra.Command {
	o := &userGetOptions{s}
	return &cobra.Command{
		Use: "get USER", Short: "Show a user with what they hold",
		Long:              `Shows an account: its roles by project, how its user signs in, and how far the invitation has come.`,
		Example:           `  blueberry user get ada@example.com`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeUsers,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
}

func (o *userGetOptions) run(ctx context.Context, arg string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	u, err := client.GetUser(ctx, arg)
	if err != nil {
		return err
	}
	return o.print(result{value: u, names: []string{u.Email}, text: func(w io.Writer, wide bool) {
		f := userFacts(o.shared, u.User, wide)
		f.flag("second factor", u.SecondFactor)
		for _, i := range u.Identities {
			f.add("signs in by", i.Provider+", last "+o.when(i.LastUsedAt, wide))
		}
		f.some("passkeys", list(each(u.Passkeys, func(p sdk.Passkey) string { return p.Name }), ""))
		f.print(w)
		o.below(w, rolesTable(u))
	}})
}

func userFacts(s *shared, u sdk.User, wide bool) facts {
	var f facts
	f.add("email", u.Email)
	f.some("name", u.Name)
	f.add("id", u.ID)
	f.add("status", u.Status)
	f.flag("owner", u.Owner)
	f.flag("break glass", u.BreakGlass)
	f.some("invitation", invitationCell(u.Invitation).text)
	f.add("created", s.when(u.CreatedAt, wide))
	f.add("last seen", s.when(u.LastSeenAt, wide))
	return f
}
