package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type configUsersOptions struct {
	*shared
	scopeFlags
	limitFlags
}

func newConfigUsers(s *shared) *cobra.Command {
	o := &configUsersOptions{shared: s}
	c := &cobra.Command{
		Use: "users NAME", Short: "List the environments that use a config set",
		Long:              `Lists the living environments that a config set is merged into, with the version that each has, and whether newer ones reach it.`,
		Example:           `  blueberry config users shop`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeConfigSets,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	o.scopeFlags.flags(c.Flags(), "config set")
	o.limitFlags.flags(c.Flags())
	return c
}

func (o *configUsersOptions) run(ctx context.Context, arg string) error {
	if err := o.check(); err != nil {
		return err
	}
	ref, err := o.unversioned(arg)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	set, err := o.findConfigSet(ctx, client, ref)
	if err != nil {
		return err
	}
	found, err := client.ListConfigSetUsers(ctx, set.ID)
	if err != nil {
		return err
	}
	err = o.print(usersResult(cut(o.shared, o.limitFlags, found.Items)))
	o.noteHidden(found.Hidden)
	return err
}

func usersResult(users []sdk.EnvironmentUse) result {
	return result{value: users, names: each(users, userName), table: func(wide bool) table {
		t := table{head: []string{"NAME", "PROJECT", "PHASE", "REVISION", "VERSION", "FOLLOWS"}, empty: "no environment uses it"}
		if wide {
			t.head = append(t.head, "ID")
		}
		for _, u := range users {
			row := []cell{
				plainCell(u.Name), plainCell(u.Project), phaseCell(u.Phase), plainCell(strconv.Itoa(u.Revision)), plainCell(strconv.Itoa(u.Number)), yesNo(u.Follows),
			}
			if wide {
				row = append(row, plainCell(u.EnvironmentID))
			}
			t.rows = append(t.rows, row)
		}
		return t
	}}
}

func userName(u sdk.EnvironmentUse) string {
	return refOf(sdk.Environment{Project: u.Project, Name: u.Name})
}

func yesNo(b bool) cell {
	if b {
		return cell{text: "yes"}
	}
	return cell{text: "no"}
}

// noteHidden says that there are environments that the caller may not read: nothing is known of them but their number.
func (s *shared) noteHidden(n int) {
	if n > 0 {
		s.note("%s", hiddenText(n))
	}
}

func hiddenText(n int) string {
	return "and " + count(n, "environment") + " in projects that you may not read"
}
