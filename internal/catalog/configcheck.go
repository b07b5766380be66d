package catalog

import (
	"context"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CheckConfigSet tells every fault of a config set that could be made, or of a version of one, and makes none. Its name may be taken.
func (c *Catalog) CheckConfigSet(ctx context.Context, actor blueberry.Actor, r NewConfig) error {
	faults := slices.Clone(r.Found)
	project := scope(&faults, r.Project, r.Global)
	if err := allowedIn(actor, project, blueberry.GrantConfigRead); err != nil {
		return err
	}
	faults.CheckName("name", r.Name, blueberry.MaxConfigName)
	if err := c.Record.View(ctx, func(tx Tx) error { return checkProject(ctx, tx, &faults, project) }); err != nil {
		return err
	}
	w, err := c.read(ctx, r.Edit, "", &faults)
	defer w.release()
	if err != nil {
		return err
	}
	if _, err := c.configVersion(actor, r.Edit, w, &faults); err != nil {
		return err
	}
	return faults.Err()
}
