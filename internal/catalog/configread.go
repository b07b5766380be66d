package catalog

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// ConfigSets reads one page of the config sets that the actor may read.
func (c *Catalog) ConfigSets(ctx context.Context, actor blueberry.Actor, q blueberry.CatalogueQuery) (page blueberry.ConfigSetPage, err error) {
	if q.In, err = within(actor, q, blueberry.GrantConfigRead); err != nil {
		return page, err
	}
	return view(ctx, c, func(tx Tx) (blueberry.ConfigSetPage, error) { return tx.ListConfigSets(ctx, q) })
}

// within bounds a list to what the actor may read: to what is named, or to their projects and what belongs to none.
func within(actor blueberry.Actor, q blueberry.CatalogueQuery, grant blueberry.Grant) ([]string, error) {
	if q.Project == "" && q.Global {
		return nil, actor.CanSomewhere(grant)
	}
	return actor.Within(q.Project, grant)
}

// ConfigSet reads one config set.
func (c *Catalog) ConfigSet(ctx context.Context, actor blueberry.Actor, id string) (blueberry.ConfigSet, error) {
	return viewSet(ctx, c, actor, id, func(_ Tx, set blueberry.ConfigSet) (blueberry.ConfigSet, error) { return set, nil })
}

// FindConfigSet reads one config set by project (empty for global) and name.
func (c *Catalog) FindConfigSet(ctx context.Context, actor blueberry.Actor, project, name string) (blueberry.ConfigSet, error) {
	if err := allowedIn(actor, project, blueberry.GrantConfigRead); err != nil {
		return blueberry.ConfigSet{}, err
	}
	return view(ctx, c, func(tx Tx) (blueberry.ConfigSet, error) { return tx.FindConfigSet(ctx, project, name) })
}

// ConfigVersion reads one version of a config set; number 0 means the latest.
func (c *Catalog) ConfigVersion(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.ConfigVersion, error) {
	return viewSet(ctx, c, actor, id, func(tx Tx, set blueberry.ConfigSet) (blueberry.ConfigVersion, error) {
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
	return viewSet(ctx, c, actor, id, func(tx Tx, _ blueberry.ConfigSet) ([]blueberry.ConfigVersion, error) {
		return tx.ConfigVersions(ctx, id, before, pageLimit(limit))
	})
}

// ConfigUsers reads the environments that a config set is merged into, in the order of project and name.
func (c *Catalog) ConfigUsers(ctx context.Context, actor blueberry.Actor, id string) (Users, error) {
	return viewSet(ctx, c, actor, id, func(tx Tx, _ blueberry.ConfigSet) (Users, error) {
		users, err := tx.ConfigUsers(ctx, id)
		return seen(actor, users), err
	})
}
