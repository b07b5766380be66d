package catalog

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ConfigSets reads one page of config sets.
func (c *Catalog) ConfigSets(ctx context.Context, actor blueberry.Actor, q blueberry.CatalogueQuery) (blueberry.ConfigSetPage, error) {
	return view(ctx, c, actor, blueberry.GrantConfigRead, func(tx Tx) (blueberry.ConfigSetPage, error) { return tx.ListConfigSets(ctx, q) })
}

// ConfigSet reads one config set.
func (c *Catalog) ConfigSet(ctx context.Context, actor blueberry.Actor, id string) (blueberry.ConfigSet, error) {
	return view(ctx, c, actor, blueberry.GrantConfigRead, func(tx Tx) (blueberry.ConfigSet, error) { return tx.ConfigSet(ctx, id) })
}

// FindConfigSet reads one config set by project (empty for global) and name.
func (c *Catalog) FindConfigSet(ctx context.Context, actor blueberry.Actor, project, name string) (blueberry.ConfigSet, error) {
	return view(ctx, c, actor, blueberry.GrantConfigRead, func(tx Tx) (blueberry.ConfigSet, error) { return tx.FindConfigSet(ctx, project, name) })
}

// ConfigVersion reads one version of a config set; number 0 means the latest.
func (c *Catalog) ConfigVersion(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.ConfigVersion, error) {
	return view(ctx, c, actor, blueberry.GrantConfigRead, func(tx Tx) (blueberry.ConfigVersion, error) {
		set, err := tx.ConfigSet(ctx, id)
		if err != nil {
			return blueberry.ConfigVersion{}, err
		}
		return configVersionOf(ctx, tx, set, number)
	})
}

func configVersionOf(ctx context.Context, tx Tx, set blueberry.ConfigSet, number int) (blueberry.ConfigVersion, error) {
	if number == 0 {
		number = set.Latest
	}
	return tx.ConfigVersion(ctx, set.ID, number)
}

// ConfigVersions reads versions of a config set, newest first, those below before (0: from the newest), without content and values.
func (c *Catalog) ConfigVersions(ctx context.Context, actor blueberry.Actor, id string, before, limit int) ([]blueberry.ConfigVersion, error) {
	return view(ctx, c, actor, blueberry.GrantConfigRead, func(tx Tx) ([]blueberry.ConfigVersion, error) {
		if _, err := tx.ConfigSet(ctx, id); err != nil {
			return nil, err
		}
		return tx.ConfigVersions(ctx, id, before, pageLimit(limit))
	})
}

// ConfigUsers reads the environments that a config set is merged into, in the order of project and name.
func (c *Catalog) ConfigUsers(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.ConfigUser, error) {
	return view(ctx, c, actor, blueberry.GrantConfigRead, func(tx Tx) ([]blueberry.ConfigUser, error) {
		if _, err := tx.ConfigSet(ctx, id); err != nil {
			return nil, err
		}
		return tx.ConfigUsers(ctx, id)
	})
}
