package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type userUpdateOptions struct {
	*shared
	name, email       string
	active, inactive  bool
	owner, breakGlass bool
	named             func(flag string) bool
}

func newUserUpdate(s *shared) *cobra.Command {
	o := &userUpdateOptions{shared: s}
	c := &cobra.Command{
		Use: "update USER", Short: "Change a user",
		Long: `Changes what the flags name. One who is inactive may do nothing, at once, on every server.`,
		Example: `  blueberry user update ada@example.com --name "Ada Lovelace"
  blueberry user update ada@example.com --inactive
  blueberry user update ada@example.com --owner=false`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeUsers,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.name, "name", "", "name, for people")
	f.StringVar(&o.email, "email", "", "new address")
	f.BoolVar(&o.active, "active", false, "let them act again")
	f.BoolVar(&o.inactive, "inactive", false, "let them do nothing any more")
	f.BoolVar(&o.owner, "owner", false, "whether they are an owner of the installation")
	f.BoolVar(&o.breakGlass, "break-glass", false, "whether they may take the power of an owner for an hour")
	o.named = f.Changed
	return c
}

func (o *userUpdateOptions) run(ctx context.Context, arg string) error {
	if o.active && o.inactive {
		return usageErrorf("--active and --inactive cannot be given together")
	}
	var r sdk.UpdateUserRequest
	given(o.named, "name", &r.Name, &o.name)
	given(o.named, "email", &r.Email, &o.email)
	active, inactive := "active", "inactive"
	if o.active {
		r.Status = &active
	}
	if o.inactive {
		r.Status = &inactive
	}
	given(o.named, "owner", &r.Owner, &o.owner)
	given(o.named, "break-glass", &r.BreakGlass, &o.breakGlass)
	if r == (sdk.UpdateUserRequest{}) {
		return errNothingNamed
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	was, err := client.GetUser(ctx, arg)
	if err != nil {
		return err
	}
	u, err := client.UpdateUser(ctx, was.ID, r, sdk.IfMatch(was.Version))
	if err != nil {
		return err
	}
	return o.print(result{value: u, names: []string{u.Email}, text: func(w io.Writer, wide bool) { userFacts(o.shared, u, wide).print(w) }})
}

// errNothingNamed refuses a change that names nothing.
var errNothingNamed = usageErrorf("name what is to change: see --help for the flags")

// given takes the value of a flag that was named; what is not named stays as it is.
func given[T any](named func(flag string) bool, flag string, to **T, value *T) {
	if named(flag) {
		*to = value
	}
}
