package store

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type providerRow struct {
	bun.BaseModel `bun:"table:identity_providers"`

	ID             string `bun:"id,pk"`
	Name           string `bun:"name"`
	Kind           string `bun:"kind"`
	Label          string `bun:"label"`
	Issuer         string `bun:"issuer"`
	ClientID       string `bun:"client_id"`
	ClientSecret   []byte `bun:"client_secret"`
	Scopes         string `bun:"scopes"`
	GroupsClaim    string `bun:"groups_claim"`
	AllowedDomains string `bun:"allowed_domains"`
	SignUp         bool   `bun:"sign_up"`
	Disabled       bool   `bun:"disabled"`
	CreatedAt      int64  `bun:"created_at"`
	UpdatedAt      int64  `bun:"updated_at"`
	Version        int64  `bun:"version"`
}

func (r providerRow) provider() (blueberry.IdentityProvider, error) {
	p := blueberry.IdentityProvider{
		ID: r.ID, Name: r.Name, Kind: blueberry.ProviderKind(r.Kind), Label: r.Label, Issuer: r.Issuer, ClientID: r.ClientID, ClientSecret: r.ClientSecret,
		GroupsClaim: r.GroupsClaim, SignUp: r.SignUp, Disabled: r.Disabled, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
	if err := decode("scopes", r.Scopes, &p.Scopes); err != nil {
		return blueberry.IdentityProvider{}, err
	}
	return p, decode("allowed domains", r.AllowedDomains, &p.AllowedDomains)
}

func providerNotFound(name string) error {
	return blueberry.Errorf(blueberry.NotFound, "IDENTITY_PROVIDER_NOT_FOUND", "there is no identity provider %q", name)
}

// Providers reads all, by name.
func (t *Tx) Providers(ctx context.Context) ([]blueberry.IdentityProvider, error) {
	rows, err := many[providerRow](ctx, t, "identity providers", func(s *bun.SelectQuery) *bun.SelectQuery { return s })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b providerRow) int { return strings.Compare(a.Name, b.Name) })
	return nouns(rows, providerRow.provider)
}

// Provider reads one by name, or NotFound with code IDENTITY_PROVIDER_NOT_FOUND.
func (t *Tx) Provider(ctx context.Context, name string) (blueberry.IdentityProvider, error) {
	row, err := one[providerRow](ctx, t, "identity provider", providerNotFound(name), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("name = ?", clean(name))
	})
	if err != nil {
		return blueberry.IdentityProvider{}, err
	}
	return row.provider()
}

// PutProvider adds one (Version 0), which is then at version 1, or changes it at its version; Conflict with code DUPLICATE_RESOURCE or VERSION_MOVED. A new
// name is taken over by its identities and group rules.
func (t *Tx) PutProvider(ctx context.Context, p blueberry.IdentityProvider) error {
	scopes, err := encode("scopes", p.Scopes)
	if err != nil {
		return err
	}
	domains, err := encode("allowed domains", p.AllowedDomains)
	if err != nil {
		return err
	}
	row := providerRow{
		ID: p.ID, Name: clean(p.Name), Kind: string(p.Kind), Label: clean(p.Label), Issuer: clean(p.Issuer), ClientID: clean(p.ClientID), ClientSecret: p.ClientSecret,
		Scopes: scopes, GroupsClaim: clean(p.GroupsClaim), AllowedDomains: domains, SignUp: p.SignUp, Disabled: p.Disabled,
		CreatedAt: micros(p.CreatedAt), UpdatedAt: micros(p.UpdatedAt), Version: p.Version + 1,
	}
	taken := duplicate("name", "there is an identity provider %s", p.Name)
	if p.Version == 0 {
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		return deleted("insert identity provider", res, err, taken)
	}
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "created_at").Where("id = ?", clean(p.ID)).Where("version = ?", p.Version).Exec(ctx)
	if isTaken(err) {
		return taken
	}
	g := guarded{
		label: "identity provider " + p.Name, version: p.Version,
		there: t.db.NewSelect().Model((*providerRow)(nil)).Where("id = ?", clean(p.ID)), missing: providerNotFound(p.Name),
	}
	return g.check(ctx, "update identity provider", res, err)
}

// DeleteProvider removes one with its identities and group rules, or NotFound.
func (t *Tx) DeleteProvider(ctx context.Context, name string) error {
	res, err := t.db.NewDelete().Model((*providerRow)(nil)).Where("name = ?", clean(name)).Exec(ctx) // the references take the rest along
	return deleted("delete identity provider", res, err, providerNotFound(name))
}
