package access

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Providers reads every identity provider, by name. Their secrets are sealed.
func (a *Accounts) Providers(ctx context.Context, actor blueberry.Actor) (out []blueberry.IdentityProvider, err error) {
	if err := actor.Can(blueberry.GrantProvidersRead); err != nil {
		return nil, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Providers(ctx)
		return err
	})
	return out, err
}

// Provider reads one by name.
func (a *Accounts) Provider(ctx context.Context, actor blueberry.Actor, name string) (p blueberry.IdentityProvider, err error) {
	if err := actor.Can(blueberry.GrantProvidersRead); err != nil {
		return p, err
	}
	err = a.Record.View(ctx, func(tx Tx) (err error) {
		p, err = tx.Provider(ctx, name)
		return err
	})
	return p, err
}

// DeleteProvider removes an identity provider. Nobody comes in by it any more, and its group rules give nothing.
func (a *Accounts) DeleteProvider(ctx context.Context, actor blueberry.Actor, name string, ifVersion int64) error {
	if err := actor.Can(blueberry.GrantProvidersWrite); err != nil {
		return err
	}
	return a.update(ctx, func(tx Tx) error {
		p, err := tx.Provider(ctx, name)
		if err != nil {
			return err
		}
		if err := checkVersion("identity provider "+name, p.Version, ifVersion); err != nil {
			return err
		}
		if err := tx.DeleteProvider(ctx, name); err != nil {
			return err
		}
		return a.noteAndBump(ctx, tx, actor, change{
			action: string(blueberry.GrantProvidersWrite), resource: p.ID, detail: fmt.Sprintf("%s removed identity provider %s", actor.Name, name),
			before: providerFields(p),
		})
	})
}

// providerFields is what the audit tells of an identity provider: of its secret only whether there is one.
func providerFields(p blueberry.IdentityProvider) map[string]any {
	return map[string]any{
		"name": p.Name, "kind": p.Kind, "label": p.Label, "issuer": p.Issuer, "client_id": p.ClientID, "has_client_secret": len(p.ClientSecret) > 0,
		"scopes": p.Scopes, "groups_claim": p.GroupsClaim, "allowed_domains": p.AllowedDomains, "sign_up": p.SignUp, "disabled": p.Disabled,
	}
}
