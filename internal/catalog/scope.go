package catalog

import (
	"context"
	"errors"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// scope gives the project that a thing of the catalogue belongs to: the one named, the default one, or none for what is common to all.
func scope(faults *blueberry.Faults, project string, common bool) string {
	switch {
	case common && project != "":
		faults.Add("project", "exclusive", "what is for every project belongs to none: leave the project out")
		return ""
	case common:
		return ""
	case project == "":
		return blueberry.DefaultProject
	}
	return project
}

// checkProject notes a project that does not exist.
func checkProject(ctx context.Context, tx Tx, faults *blueberry.Faults, project string) error {
	if project == "" {
		return nil
	}
	_, err := tx.Project(ctx, project)
	if errors.Is(err, blueberry.NotFound) {
		faults.Add("project", "unknown", "there is no project %q", project)
		return nil
	}
	return err
}

// taken gives a name that was taken between the check and the write the same form as the check does.
func taken(err error, what, name string) error {
	if !errors.Is(err, blueberry.Conflict) {
		return err
	}
	var faults blueberry.Faults
	faults.Add("name", "taken", "%q is the name of a %s that exists", name, what)
	return faults.Err()
}
