package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type userCreateOptions struct {
	*shared
	r       sdk.CreateUserRequest
	members []string
}

func newUserCreate(s *shared) *cobra.Command {
	o := &userCreateOptions{shared: s}
	c := &cobra.Command{
		Use: "create EMAIL", Short: "Create a user and invite them",
		Long: `Makes an account and sends an invitation to its address. Where no mail is set up, the link to pass on is printed, once.`,
		Example: `  blueberry user create ada@example.com --name Ada --member shop:developer
  blueberry user create grace@example.com --owner`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.r.Name, "name", "", "name, for people")
	f.BoolVar(&o.r.Owner, "owner", false, "make them an owner of the installation, who may do everything")
	f.BoolVar(&o.r.BreakGlass, "break-glass", false, "let them take the power of an owner for an hour")
	f.StringSliceVar(&o.members, "member", nil, "role to begin with, as PROJECT:ROLE; repeatable")
	return c
}

func (o *userCreateOptions) run(ctx context.Context, arg string) error {
	o.r.Email = arg
	var wrong mistakes
	for _, m := range o.members {
		project, role, ok := strings.Cut(m, ":")
		wrong.add(!ok || project == "" || role == "", "--member %q is not PROJECT:ROLE", m)
		o.r.Members = append(o.r.Members, sdk.ProjectRole{Project: project, Role: role})
	}
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	made, err := client.CreateUser(ctx, o.r)
	if err != nil {
		return err
	}
	return o.invited(made)
}

// invited prints an invitation. Where there is a link, it is all that the output has: someone has to pass it on.
func (s *shared) invited(i sdk.InvitedUser) error {
	if i.Link != "" {
		s.note("invited %s; no mail is set up, so pass this link on: it works once, until %s, and is not shown again", plainText(i.User.Email), exact(i.LinkExpiresAt))
	}
	return s.print(result{value: i, names: []string{i.User.Email}, text: func(w io.Writer, _ bool) {
		if i.Link != "" {
			fmt.Fprintln(w, plainText(i.Link))
			return
		}
		fmt.Fprintln(w, plainText("invited "+i.User.Email+" by mail"))
	}})
}
