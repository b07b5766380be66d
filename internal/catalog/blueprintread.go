package catalog

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Blueprints reads one page of the catalogue's blueprints that the actor may read.
func (c *Catalog) Blueprints(ctx context.Context, actor blueberry.Actor, q blueberry.CatalogueQuery) (page blueberry.CataloguePage, err error) {
	if q.In, err = within(actor, q, blueberry.GrantBlueprintsRead); err != nil {
		return page, err
	}
	return view(ctx, c, func(tx Tx) (blueberry.CataloguePage, error) { return tx.ListBlueprints(ctx, q) })
}

// BlueprintEntry reads one blueprint of the catalogue.
func (c *Catalog) BlueprintEntry(ctx context.Context, actor blueberry.Actor, id string) (blueberry.CatalogueEntry, error) {
	return viewBlueprint(ctx, c, actor, id, func(_ Tx, entry blueberry.CatalogueEntry) (blueberry.CatalogueEntry, error) { return entry, nil })
}

// FindBlueprint reads one blueprint of the catalogue by project (empty for global) and name.
func (c *Catalog) FindBlueprint(ctx context.Context, actor blueberry.Actor, project, name string) (blueberry.CatalogueEntry, error) {
	if err := allowedIn(actor, project, blueberry.GrantBlueprintsRead); err != nil {
		return blueberry.CatalogueEntry{}, err
	}
	return view(ctx, c, func(tx Tx) (blueberry.CatalogueEntry, error) { return tx.FindBlueprint(ctx, project, name) })
}

// BlueprintVersion reads one version of a blueprint; number 0 means the latest.
func (c *Catalog) BlueprintVersion(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.CatalogueVersion, error) {
	return viewBlueprint(ctx, c, actor, id, func(tx Tx, entry blueberry.CatalogueEntry) (blueberry.CatalogueVersion, error) {
		if number == 0 {
			number = entry.Latest
		}
		return tx.BlueprintVersion(ctx, id, number)
	})
}

// BlueprintVersions reads versions of a blueprint, newest first, those below before (0: from the newest), without content.
func (c *Catalog) BlueprintVersions(ctx context.Context, actor blueberry.Actor, id string, before, limit int) ([]blueberry.CatalogueVersion, error) {
	return viewBlueprint(ctx, c, actor, id, func(tx Tx, _ blueberry.CatalogueEntry) ([]blueberry.CatalogueVersion, error) {
		return tx.BlueprintVersions(ctx, id, before, pageLimit(limit))
	})
}

// BlueprintUsers reads the environments that were made of a blueprint of the catalogue, in the order of project and name.
func (c *Catalog) BlueprintUsers(ctx context.Context, actor blueberry.Actor, id string) (Users, error) {
	return viewBlueprint(ctx, c, actor, id, func(tx Tx, _ blueberry.CatalogueEntry) (Users, error) {
		users, err := tx.BlueprintUsers(ctx, id)
		return seen(actor, users), err
	})
}
