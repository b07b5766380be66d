package oauth

import (
	"context"
	"errors"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// EnsureCLI makes sure that the client of blueberry login is there as this version wants it. Whether someone disabled it stays.
func (s *Server) EnsureCLI(ctx context.Context) error {
	err := s.Record.Update(ctx, func(tx Tx) error {
		had, err := tx.OAuthClient(ctx, blueberry.CLIClientID)
		if err != nil && !errors.Is(err, blueberry.NotFound) {
			return err
		}
		want := cliClient()
		want.CreatedAt, want.CreatedBy = s.now(), blueberry.System().Name
		if err == nil {
			want.Disabled, want.CreatedAt, want.CreatedBy, want.Version = had.Disabled, had.CreatedAt, had.CreatedBy, had.Version
			same, err := sameClient(had, want)
			if err != nil || same {
				return err
			}
		}
		if err := tx.PutOAuthClient(ctx, want); err != nil {
			return err
		}
		if had.ID == "" {
			return s.noteClient(ctx, tx, blueberry.System(), "registered", had, want)
		}
		if err := tx.BumpAccessEpoch(ctx); err != nil {
			return err
		}
		return s.noteClient(ctx, tx, blueberry.System(), "brought to this version", had, want)
	})
	if errors.Is(err, blueberry.Conflict) {
		return nil // another process of this version was faster
	}
	if err != nil {
		return fmt.Errorf("register the CLI: %w", err)
	}
	return nil
}

// cliClient may do what its user may. It comes back to any port of the machine that it runs on.
func cliClient() blueberry.OAuthClient {
	return blueberry.OAuthClient{
		ID: blueberry.CLIClientID, Name: "Blueberry CLI", Public: true, Trusted: true,
		RedirectURIs: []string{"http://127.0.0.1/callback", "http://[::1]/callback"},
		Flows:        []blueberry.OAuthFlow{blueberry.FlowDevice, blueberry.FlowCode, blueberry.FlowRefresh},
		Grants:       []blueberry.Grant{blueberry.GrantAll},
	}
}

func sameClient(a, b blueberry.OAuthClient) (bool, error) {
	x, err := shownClient(a)
	if err != nil {
		return false, err
	}
	y, err := shownClient(b)
	return string(x) == string(y) && a.Trusted == b.Trusted, err
}
