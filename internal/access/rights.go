package access

import (
	"context"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// UserActor is what a user may do now: as owner, as a member, by their groups at identity providers, by an emergency. One who is not active holds nothing.
func UserActor(ctx context.Context, tx Tx, user blueberry.User, now time.Time) (blueberry.Actor, error) {
	actor, _, err := userActor(ctx, tx, user, now)
	return actor, err
}

// Person gives what a user may do now, or NotFound; one who is not active is Forbidden.
func (g *Gate) Person(ctx context.Context, userID string) (actor blueberry.Actor, err error) {
	err = g.Record.View(ctx, func(tx Tx) (err error) {
		actor, _, err = person(ctx, tx, userID, g.Now())
		return err
	})
	return actor, err
}

func person(ctx context.Context, tx Tx, userID string, now time.Time) (actor blueberry.Actor, until time.Time, err error) {
	user, err := activeUser(ctx, tx, userID)
	if err != nil {
		return actor, until, err
	}
	return userActor(ctx, tx, user, now)
}

func activeUser(ctx context.Context, tx Tx, userID string) (blueberry.User, error) {
	user, err := tx.User(ctx, userID)
	if err == nil && user.Status != blueberry.UserActive {
		err = blueberry.Errorf(blueberry.Forbidden, "USER_INACTIVE", "%s is not active", user.Label())
	}
	return user, err
}

// userActor also tells until when that holds by the clock alone; zero for no end.
func userActor(ctx context.Context, tx Tx, user blueberry.User, now time.Time) (actor blueberry.Actor, until time.Time, err error) {
	if user.Status != blueberry.UserActive {
		return holder(user), until, nil
	}
	if actor, err = rights(ctx, tx, user); err != nil || !user.BreakGlass {
		return actor, until, err
	}
	e, err := tx.OpenEmergency(ctx, user.ID, now)
	if isNotFound(err) {
		return actor, until, nil
	}
	if err != nil {
		return actor, until, err
	}
	if !slices.Contains(actor.Grants, blueberry.GrantAll) {
		actor.Grants = append(actor.Grants, blueberry.GrantAll)
	}
	actor.Emergency = e.ID
	return actor, e.EndsAt, nil
}

// holder is the actor of a user without what they may do.
func holder(user blueberry.User) blueberry.Actor {
	return blueberry.Actor{Kind: blueberry.ActorUser, ID: user.ID, UserID: user.ID, Name: user.Label()}
}

// rights is what a user would hold while active, without what an emergency adds.
func rights(ctx context.Context, tx Tx, user blueberry.User) (blueberry.Actor, error) {
	actor := holder(user)
	if user.Owner {
		actor.Grants = append(actor.Grants, blueberry.RoleOwner.Grants()...)
	}
	if user.BreakGlass {
		actor.Grants = append(actor.Grants, blueberry.GrantEmergenciesOpen)
	}
	direct, err := tx.MembershipsOf(ctx, user.ID)
	if err != nil {
		return actor, err
	}
	byGroup, err := groupRoles(ctx, tx, user.ID)
	if err != nil {
		return actor, err
	}
	for _, m := range slices.Concat(direct, byGroup) {
		if m.Project == "" { // only a rule for owners has none
			actor.Grants = append(actor.Grants, m.Role.Grants()...)
			continue
		}
		if actor.Projects == nil {
			actor.Projects = map[string][]blueberry.Grant{}
		}
		actor.Projects[m.Project] = append(actor.Projects[m.Project], m.Role.Grants()...)
	}
	actor.Grants = sorted(actor.Grants)
	for project, grants := range actor.Projects {
		actor.Projects[project] = sorted(grants)
	}
	return actor, nil
}

func sorted(grants []blueberry.Grant) []blueberry.Grant {
	slices.Sort(grants)
	return slices.Compact(grants)
}

// groupRoles is what the groups of a user at identity providers give. A provider that is disabled vouches for nothing.
func groupRoles(ctx context.Context, tx Tx, userID string) ([]blueberry.Member, error) {
	identities, err := tx.IdentitiesOf(ctx, userID)
	if err != nil {
		return nil, err
	}
	identities = slices.DeleteFunc(identities, func(i blueberry.Identity) bool { return len(i.Groups) == 0 })
	if len(identities) == 0 {
		return nil, nil
	}
	rules, err := tx.GroupRules(ctx)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	providers, err := tx.Providers(ctx)
	if err != nil {
		return nil, err
	}
	return rolesBy(userID, identities, rules, providers), nil
}

func rolesBy(userID string, identities []blueberry.Identity, rules []blueberry.GroupRule, providers []blueberry.IdentityProvider) []blueberry.Member {
	var out []blueberry.Member
	for _, i := range identities {
		if !slices.ContainsFunc(providers, func(p blueberry.IdentityProvider) bool { return p.Name == i.Provider && !p.Disabled }) {
			continue
		}
		for _, r := range rules {
			if r.Provider == i.Provider && slices.Contains(i.Groups, r.Group) {
				out = append(out, blueberry.Member{Project: r.Project, UserID: userID, Role: r.Role, CreatedAt: r.CreatedAt})
			}
		}
	}
	return out
}
