package access

import (
	"maps"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// mayGive is nil when an actor holds everything that is to be given, else the refusal that names the first grant that is lacking. In an emergency nobody gives
// anything.
func mayGive(actor, wish blueberry.Actor) error {
	for _, g := range wish.Grants {
		if err := actor.Can(g); err != nil {
			return err
		}
	}
	for _, project := range slices.Sorted(maps.Keys(wish.Projects)) {
		for _, g := range wish.Projects[project] {
			if err := actor.CanIn(project, g); err != nil {
				return err
			}
		}
	}
	if len(wish.Grants)+len(wish.Projects) > 0 {
		return lasts(actor)
	}
	return nil
}

// mayMakeOwners is nil for who may give the power of an owner.
func mayMakeOwners(actor blueberry.Actor) error {
	if err := actor.Can(blueberry.GrantAll); err != nil {
		return err
	}
	return lasts(actor)
}

// lasts refuses, in an emergency, what would outlast it: the power is lent, and is not passed on.
func lasts(actor blueberry.Actor) error {
	if actor.Emergency == "" {
		return nil
	}
	e := blueberry.Errorf(blueberry.Forbidden, "EMERGENCY_GIVES_NOTHING", "in an emergency nobody is given anything that would outlast it: roles, tokens, a way into an account")
	e.Denied = blueberry.GrantAll
	return e
}

func roleIn(project string, role blueberry.Role) blueberry.Actor {
	return blueberry.Actor{Projects: map[string][]blueberry.Grant{project: role.Grants()}}
}

// IsPerson reports whether a user acts by themselves: with a session, or with our own command line that was allowed everything. Other programs that act for a
// user do not look after the account: its sessions and tokens are none of their business.
func IsPerson(actor blueberry.Actor) bool {
	return actor.UserID != "" && (actor.Kind == blueberry.ActorUser || actor.Kind == blueberry.ActorClient && actor.Person)
}

// NeedPerson refuses whoever is not IsPerson.
func NeedPerson(actor blueberry.Actor) error {
	if IsPerson(actor) {
		return nil
	}
	return blueberry.Errorf(blueberry.Forbidden, "PERSON_NEEDED", "only a person can do this, signed in with a browser or the command line")
}
