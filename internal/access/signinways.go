package access

import (
	"context"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Ways are how people can sign in here, for the page on which they do.
type Ways struct {
	Providers   []blueberry.IdentityProvider // that are in use, by name, without their secrets
	PasskeysOff string                       // why there are no passkeys at this address; empty when there are
	NoOwner     bool                         // nobody has set the installation up yet
}

// Ways lists them. They are no secret: whoever opens the page sees them.
func (s *SignIn) Ways(ctx context.Context) (Ways, error) {
	var w Ways
	if _, err := s.passkeys(); err != nil {
		w.PasskeysOff = err.Error()
		if e := (*blueberry.Error)(nil); errors.As(err, &e) {
			w.PasskeysOff = e.Detail
		}
	}
	err := s.Record.View(ctx, func(tx Tx) error {
		owners, err := tx.CountOwners(ctx)
		if err != nil {
			return err
		}
		w.NoOwner = owners == 0
		all, err := tx.Providers(ctx)
		if err != nil {
			return err
		}
		w.Providers = nil
		for _, p := range all {
			if !p.Disabled && s.Drivers[p.Kind] != nil {
				p.ClientSecret = nil
				w.Providers = append(w.Providers, p)
			}
		}
		return nil
	})
	return w, err
}
