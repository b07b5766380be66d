package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

type logoutOptions struct {
	*shared
	force bool
}

func newLogout(s *shared) *cobra.Command {
	o := &logoutOptions{shared: s}
	c := &cobra.Command{
		Use: "logout", Short: "Log out of a server",
		Long: `Revokes the login of a context at its server and forgets it. An API token that was kept by login --token-file is only forgotten: others may use it, and blueberry token revoke ends it. The context stays; blueberry context delete removes it.`,
		Example: `  blueberry logout
  blueberry logout --context prod`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	c.Flags().BoolVar(&o.force, "force", false, "forget the login, though the server could not be told")
	return c
}

func (o *logoutOptions) run(ctx context.Context) error {
	at, err := o.chosenContext()
	if err != nil {
		return err
	}
	if at == nil {
		return usageErrorf("there is no current context: --context names one")
	}
	x := *at
	c, err := o.credential(x)
	if errors.Is(err, errNoCredential) {
		return o.print(said(x, x.Name, "nobody is logged in at "+x.Server))
	}
	done := "logged out of " + x.Server
	if err == nil && c.TokenPair != nil {
		err = o.refreshing(x, *c.TokenPair).Revoke(context.WithoutCancel(ctx))
	}
	if err == nil && c.Token != "" {
		done = fmt.Sprintf("forgot the API token for %s; it still works", x.Server)
	}
	if err != nil {
		if !o.force {
			return fmt.Errorf("the login was not revoked, and is kept; --force forgets it: %w", err)
		}
		o.note("the login was not revoked: %s", plainText(err.Error()))
	}
	gone := x
	err = o.changeContexts(ctx, func(all *contexts) error {
		now, there := all.find(x.Name)
		if !there || now.Key != x.Key {
			return nil // another login came in between
		}
		x.User, x.Store, x.Key = "", "", ""
		all.put(x)
		return nil
	})
	if err != nil {
		return err
	}
	if err := o.forgetCredential(gone); err != nil {
		return err
	}
	return o.print(said(x, x.Name, done))
}
