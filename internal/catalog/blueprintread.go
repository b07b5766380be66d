package catalog

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Blueprints reads one page of the catalogue's blueprints.
func (c *Catalog) Blueprints(ctx context.Context, actor blueberry.Actor, q blueberry.CatalogueQuery) (blueberry.CataloguePage, error) {
	return view(ctx, c, actor, blueberry.GrantBlueprintsRead, func(tx Tx) (blueberry.CataloguePage, error) { return tx.ListBlueprints(ctx, q) })
}

// BlueprintEntry reads one blueprint of the catalogue.
func (c *Catalog) BlueprintEntry(ctx context.Context, actor blueberry.Actor, id string) (blueberry.CatalogueEntry, error) {
	return view(ctx, c, actor, blueberry.GrantBlueprintsRead, func(tx Tx) (blueberry.CatalogueEntry, error) { return tx.BlueprintEntry(ctx, id) })
}

// FindBlueprint reads one blueprint of the catalogue by project (empty for global) and name.
func (c *Catalog) FindBlueprint(ctx context.Context, actor blueberry.Actor, project, name string) (blueberry.CatalogueEntry, error) {
	return view(ctx, c, actor, blueberry.GrantBlueprintsRead, func(tx Tx) (blueberry.CatalogueEntry, error) { return tx.FindBlueprint(ctx, project, name) })
}

// BlueprintVersion reads one version of a blueprint; number 0 means the latest.
func (c *Catalog) BlueprintVersion(ctx context.Context, actor blueberry.Actor, id string, number int) (blueberry.CatalogueVersion, error) {
	return view(ctx, c, actor, blueberry.GrantBlueprintsRead, func(tx Tx) (blueberry.CatalogueVersion, error) {
		entry, err := tx.BlueprintEntry(ctx, id)
		if err != nil {
			return blueberry.CatalogueVersion{}, err
		}
		if number == 0 {
			number = entry.Latest
		}
		return tx.BlueprintVersion(ctx, id, number)
	})
}

// BlueprintVersions reads versions of a blueprint, newest first, those below before (0: from the newest), without content.
func (c *Catalog) BlueprintVersions(ctx context.Context, actor blueberry.Actor, id string, before, limit int) ([]blueberry.CatalogueVersion, error) {
	return view(ctx, c, actor, blueberry.GrantBlueprintsRead, func(tx Tx) ([]blueberry.CatalogueVersion, error) {
		if _, err := tx.BlueprintEntry(ctx, id); err != nil {
			return nil, err
		}
		return tx.BlueprintVersions(ctx, id, before, pageLimit(limit))
	})
}

// BlueprintUsers reads the environments that were made of a blueprint of the catalogue, in the order of project and name.
func (c *Catalog) BlueprintUsers(ctx context.Context, actor blueberry.Actor, id string) ([]blueberry.ConfigUser, error) {
	return view(ctx, c, actor, blueberry.GrantBlueprintsRead, func(tx Tx) ([]blueberry.ConfigUser, error) {
		if _, err := tx.BlueprintEntry(ctx, id); err != nil {
			return nil, err
		}
		return tx.BlueprintUsers(ctx, id)
	})
}
