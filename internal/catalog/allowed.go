package catalog

import (
	"context"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// allowed is nil when the actor may do what takes the grant to a thing of the project; missing is the NotFound of the thing. What belongs to no project is
// written by who holds the grant on the installation, and read by who holds it anywhere. For who holds nothing at all it is not there.
func allowed(actor blueberry.Actor, project string, grant blueberry.Grant, missing error) error {
	if project != "" {
		return actor.CanOn(project, grant, missing)
	}
	err := allowedIn(actor, "", grant)
	if err != nil && holdsNothing(actor) {
		return blueberry.Hidden(missing, grant)
	}
	return err
}

// allowedIn is nil when the actor may do what takes the grant in the project, or to what belongs to none.
func allowedIn(actor blueberry.Actor, project string, grant blueberry.Grant) error {
	if project == "" && reads(grant) {
		return actor.CanSomewhere(grant)
	}
	return actor.CanIn(project, grant)
}

func reads(g blueberry.Grant) bool {
	return g == blueberry.GrantConfigRead || g == blueberry.GrantBlueprintsRead || g == blueberry.GrantPoliciesRead
}

func holdsNothing(actor blueberry.Actor) bool {
	for _, grants := range actor.Projects {
		if len(grants) > 0 {
			return false
		}
	}
	return len(actor.Grants) == 0
}

// configSetFor reads a config set for an actor who may do with it what takes the grant. What they may not know of is not there.
func configSetFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.ConfigSet, error) {
	set, err := tx.ConfigSet(ctx, id)
	if err != nil {
		return blueberry.ConfigSet{}, err
	}
	if err := allowed(actor, set.Project, grant, notThere("CONFIG_SET_NOT_FOUND", "config set", id)); err != nil {
		return blueberry.ConfigSet{}, err
	}
	return set, nil
}

// blueprintFor is configSetFor for a blueprint of the catalogue.
func blueprintFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.CatalogueEntry, error) {
	entry, err := tx.BlueprintEntry(ctx, id)
	if err != nil {
		return blueberry.CatalogueEntry{}, err
	}
	if err := allowed(actor, entry.Project, grant, notThere("BLUEPRINT_NOT_FOUND", "blueprint", id)); err != nil {
		return blueberry.CatalogueEntry{}, err
	}
	return entry, nil
}

// policyFor is configSetFor for a policy.
func policyFor(ctx context.Context, tx Tx, actor blueberry.Actor, id string, grant blueberry.Grant) (blueberry.Policy, error) {
	p, err := tx.Policy(ctx, id)
	if err != nil {
		return blueberry.Policy{}, err
	}
	if err := allowed(actor, p.Project, grant, notThere("POLICY_NOT_FOUND", "policy", id)); err != nil {
		return blueberry.Policy{}, err
	}
	return p, nil
}

// notThere is the NotFound that the record gives for what is not there.
func notThere(code, noun, id string) error {
	return blueberry.Errorf(blueberry.NotFound, code, "there is no %s %q", noun, id)
}

// seen parts the users of a thing into those that the actor may read and the number of the others.
func seen(actor blueberry.Actor, users []blueberry.ConfigUser) Users {
	var out Users
	for _, u := range users {
		if actor.CanIn(u.Project, blueberry.GrantEnvironmentsRead) == nil {
			out.Items = append(out.Items, u)
		} else {
			out.Hidden++
		}
	}
	return out
}

// view reads; whether the actor may is the affair of the closure.
func view[T any](ctx context.Context, c *Catalog, read func(tx Tx) (T, error)) (out T, err error) {
	err = c.Record.View(ctx, func(tx Tx) (err error) {
		out, err = read(tx)
		return err
	})
	return out, err
}

// viewSet reads something of a config set for an actor who may read it.
func viewSet[T any](ctx context.Context, c *Catalog, actor blueberry.Actor, id string, read func(tx Tx, set blueberry.ConfigSet) (T, error)) (T, error) {
	return view(ctx, c, func(tx Tx) (T, error) {
		set, err := configSetFor(ctx, tx, actor, id, blueberry.GrantConfigRead)
		if err != nil {
			var none T
			return none, err
		}
		return read(tx, set)
	})
}

// viewBlueprint is viewSet for a blueprint of the catalogue.
func viewBlueprint[T any](ctx context.Context, c *Catalog, actor blueberry.Actor, id string, read func(tx Tx, entry blueberry.CatalogueEntry) (T, error)) (T, error) {
	return view(ctx, c, func(tx Tx) (T, error) {
		entry, err := blueprintFor(ctx, tx, actor, id, blueberry.GrantBlueprintsRead)
		if err != nil {
			var none T
			return none, err
		}
		return read(tx, entry)
	})
}
