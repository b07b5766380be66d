package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type clientRow struct {
	bun.BaseModel `bun:"table:oauth_clients"`

	ID           string `bun:"id,pk"`
	Name         string `bun:"name"`
	Public       bool   `bun:"public"`
	SecretHash   []byte `bun:"secret_hash"`
	RedirectURIs string `bun:"redirect_uris"`
	Flows        string `bun:"flows"`
	Grants       string `bun:"grants"`
	Projects     string `bun:"projects"`
	Trusted      bool   `bun:"trusted"`
	Disabled     bool   `bun:"disabled"`
	CreatedAt    int64  `bun:"created_at"`
	CreatedBy    string `bun:"created_by"`
	LastUsedAt   int64  `bun:"last_used_at"`
	Version      int64  `bun:"version"`
}

func clientToRow(c blueberry.OAuthClient) (clientRow, error) {
	row := clientRow{
		ID: c.ID, Name: clean(c.Name), Public: c.Public, SecretHash: c.SecretHash, Trusted: c.Trusted, Disabled: c.Disabled,
		CreatedAt: micros(c.CreatedAt), CreatedBy: clean(c.CreatedBy), LastUsedAt: micros(c.LastUsedAt), Version: c.Version,
	}
	for _, x := range []struct {
		what   string
		column *string
		value  any
	}{
		{"redirect URIs", &row.RedirectURIs, c.RedirectURIs},
		{"flows", &row.Flows, c.Flows},
		{"grants", &row.Grants, c.Grants},
		{"projects", &row.Projects, c.Projects},
	} {
		var err error
		if *x.column, err = encode(x.what, x.value); err != nil {
			return clientRow{}, err
		}
	}
	return row, nil
}

func (r clientRow) client() (blueberry.OAuthClient, error) {
	c := blueberry.OAuthClient{
		ID: r.ID, Name: r.Name, Public: r.Public, SecretHash: r.SecretHash, Trusted: r.Trusted, Disabled: r.Disabled,
		CreatedAt: timeOf(r.CreatedAt), CreatedBy: r.CreatedBy, LastUsedAt: timeOf(r.LastUsedAt), Version: r.Version,
	}
	for _, x := range []struct {
		what, column string
		value        any
	}{
		{"redirect URIs", r.RedirectURIs, &c.RedirectURIs},
		{"flows", r.Flows, &c.Flows},
		{"grants", r.Grants, &c.Grants},
		{"projects", r.Projects, &c.Projects},
	} {
		if err := decode(x.what, x.column, x.value); err != nil {
			return blueberry.OAuthClient{}, err
		}
	}
	return c, nil
}

func clientNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "OAUTH_CLIENT_NOT_FOUND", "there is no OAuth client %q", id)
}

// OAuthClient reads one by id, or NotFound with code OAUTH_CLIENT_NOT_FOUND.
func (t *Tx) OAuthClient(ctx context.Context, id string) (blueberry.OAuthClient, error) {
	row, err := one[clientRow](ctx, t, "OAuth client", clientNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.OAuthClient{}, err
	}
	return row.client()
}

// OAuthClients reads one page by id, after the id given.
func (t *Tx) OAuthClients(ctx context.Context, after string, limit int) ([]blueberry.OAuthClient, error) {
	rows, err := many[clientRow](ctx, t, "OAuth clients", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("id > ?", clean(after)).Order("id").Limit(int64(pageLimit(limit)))
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, clientRow.client)
}

// PutOAuthClient adds one (Version 0), which is then at version 1, or changes it at its version; Conflict with code DUPLICATE_RESOURCE or VERSION_MOVED.
// LastUsedAt stays.
func (t *Tx) PutOAuthClient(ctx context.Context, c blueberry.OAuthClient) error {
	row, err := clientToRow(c)
	if err != nil {
		return err
	}
	row.Version++
	if c.Version == 0 {
		res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		return deleted("insert OAuth client", res, err, duplicate("id", "there is an OAuth client %s", c.ID))
	}
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "created_at", "created_by", "last_used_at").
		Where("id = ?", clean(c.ID)).Where("version = ?", c.Version).Exec(ctx)
	g := guarded{
		label: "OAuth client " + c.ID, version: c.Version,
		there: t.db.NewSelect().Model((*clientRow)(nil)).Where("id = ?", clean(c.ID)), missing: clientNotFound(c.ID),
	}
	return g.check(ctx, "update OAuth client", res, err)
}

// DeleteOAuthClient removes one with its consents, tokens and device authorizations, or NotFound.
func (t *Tx) DeleteOAuthClient(ctx context.Context, id string) error {
	res, err := t.db.NewDelete().Model((*clientRow)(nil)).Where("id = ?", clean(id)).Exec(ctx) // the references take the rest along
	return deleted("delete OAuth client", res, err, clientNotFound(id))
}

// TouchOAuthClient notes when a client was last used; the time never goes back.
func (t *Tx) TouchOAuthClient(ctx context.Context, id string, at time.Time) error {
	return t.touch(ctx, "oauth_clients", "last_used_at", id, micros(at))
}

type consentRow struct {
	bun.BaseModel `bun:"table:oauth_consents"`

	UserID    string `bun:"user_id,pk"`
	ClientID  string `bun:"client_id,pk"`
	Scopes    string `bun:"scopes"`
	GrantedAt int64  `bun:"granted_at"`
}

func consentNotFound() error {
	return blueberry.Errorf(blueberry.NotFound, "CONSENT_NOT_FOUND", "the user has allowed the client nothing")
}

// Consent reads what a user allowed a client, or NotFound with code CONSENT_NOT_FOUND.
func (t *Tx) Consent(ctx context.Context, userID, clientID string) (blueberry.Consent, error) {
	r, err := one[consentRow](ctx, t, "consent", consentNotFound(), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("user_id = ?", clean(userID)).Where("client_id = ?", clean(clientID))
	})
	if err != nil {
		return blueberry.Consent{}, err
	}
	return r.consent()
}

func (r consentRow) consent() (blueberry.Consent, error) {
	c := blueberry.Consent{UserID: r.UserID, ClientID: r.ClientID, GrantedAt: timeOf(r.GrantedAt)}
	return c, decode("scopes", r.Scopes, &c.Scopes)
}

// ConsentsOf reads what a user allowed clients, by id of the client.
func (t *Tx) ConsentsOf(ctx context.Context, userID string) ([]blueberry.ClientConsent, error) {
	rows, err := many[consentRow](ctx, t, "consents", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("user_id = ?", clean(userID)).Order("client_id")
	})
	if err != nil {
		return nil, err
	}
	found, err := many[clientRow](ctx, t, "clients of consents", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("id IN (SELECT client_id FROM oauth_consents WHERE user_id = ?)", clean(userID))
	})
	if err != nil {
		return nil, err
	}
	clients := make(map[string]clientRow, len(found))
	for _, c := range found {
		clients[c.ID] = c
	}
	out := make([]blueberry.ClientConsent, 0, len(rows))
	for _, r := range rows {
		row, there := clients[r.ClientID]
		if !there {
			continue // removed between the two reads
		}
		var x blueberry.ClientConsent
		if x.Consent, err = r.consent(); err != nil {
			return nil, err
		}
		if x.Client, err = row.client(); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// PutConsent adds or changes it; NotFound when there is no such client or user.
func (t *Tx) PutConsent(ctx context.Context, c blueberry.Consent) error {
	scopes, err := encode("scopes", c.Scopes)
	if err != nil {
		return err
	}
	row := consentRow{UserID: c.UserID, ClientID: clean(c.ClientID), Scopes: scopes, GrantedAt: micros(c.GrantedAt)}
	_, err = t.db.NewInsert().Model(&row).On("CONFLICT (user_id, client_id) DO UPDATE").
		Set("scopes = EXCLUDED.scopes").Set("granted_at = EXCLUDED.granted_at").Exec(ctx)
	if missingReference(err) {
		return clientNotFound(c.ClientID)
	}
	if err != nil {
		return fmt.Errorf("write consent: %w", err)
	}
	return nil
}

// DeleteConsent removes it, or NotFound.
func (t *Tx) DeleteConsent(ctx context.Context, userID, clientID string) error {
	res, err := t.db.NewDelete().Model((*consentRow)(nil)).Where("user_id = ?", clean(userID)).Where("client_id = ?", clean(clientID)).Exec(ctx)
	return deleted("delete consent", res, err, consentNotFound())
}
