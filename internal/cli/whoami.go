package cli

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type whoamiOptions struct{ *shared }

func newWhoami(s *shared) *cobra.Command {
	o := &whoamiOptions{s}
	return &cobra.Command{
		Use: "whoami", Short: "Show who one is at the server, and what one may do",
		Long: `Shows the account that the server takes one for, the credential that proved it and when it ends, and the roles by project. -o wide adds the grants.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *whoamiOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	a, err := client.GetAccount(ctx)
	if err != nil {
		return err
	}
	proof, ends := o.proof(ctx, client, a)
	return o.print(result{value: a, names: []string{first(a.OnBehalfOf, a.Name)}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("name", a.Name)
		f.add("kind", a.Kind)
		if a.OnBehalfOf != a.Name {
			f.some("acts for", a.OnBehalfOf)
		}
		f.add("server", client.BaseURL)
		f.some("credential", proof)
		if !ends.IsZero() {
			f.add("ends", o.when(ends, wide))
		}
		f.some("emergency", a.Emergency)
		if u := a.User; u != nil {
			f.some("user", u.Name)
			f.flag("owner", u.Owner && slices.Contains(a.Grants, "*:*")) // a token of theirs may hold less
			f.flag("second factor", u.SecondFactor)
			if wide {
				f.add("id", u.ID)
			}
		}
		if wide {
			f.add("grants", list(a.Grants, "none on the installation"))
			for _, project := range slices.Sorted(maps.Keys(a.Projects)) {
				f.add("in "+project, list(a.Projects[project], "none"))
			}
		}
		f.print(w)
		if a.User != nil {
			o.below(w, rolesTable(*a.User))
		}
	}})
}

// proof says what let one in, and when it ends by itself. What the server does not tell is left out.
func (o *whoamiOptions) proof(ctx context.Context, client *sdk.Client, a sdk.Account) (string, time.Time) {
	switch {
	case a.Session != nil:
		return "session " + a.Session.ID, a.Session.ExpiresAt
	case a.Kind == "token" && a.Credential != "":
		t, err := client.GetAPIToken(ctx, a.Credential)
		if err != nil {
			return "API token " + a.Credential, time.Time{}
		}
		return "API token " + t.Name + " (" + t.ID + ")", t.ExpiresAt
	case a.Kind == "client":
		text := strings.TrimSpace("OAuth token " + a.Credential)
		if _, ours := client.Tokens.(patient); !ours {
			return text, time.Time{}
		}
		at, err := o.chosenContext() // that of the client
		if err != nil || at == nil {
			return text, time.Time{}
		}
		if c, err := o.credential(*at); err == nil && c.TokenPair != nil {
			return text + ", renewed by itself", c.ExpiresAt
		}
		return text, time.Time{}
	}
	return a.Credential, time.Time{}
}

// rolesTable is the roles of a user: those that they were given, and those by groups.
func rolesTable(u sdk.UserDetail) table {
	t := table{head: []string{"PROJECT", "ROLE", "BY"}}
	add := func(roles []sdk.ProjectRole, by string) {
		for _, r := range roles {
			t.rows = append(t.rows, []cell{plainCell(first(r.Project, "(installation)")), plainCell(r.Role), plainCell(by)})
		}
	}
	add(u.Memberships, "member")
	add(u.GroupMemberships, "group")
	return t
}
