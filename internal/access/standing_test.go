package access_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestStanding: what was begun in someone's name is worth what they may now.
func TestStanding(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.project(t, "shop")
	ada := w.member(t, "ada@example.com", "shop", blueberry.RoleAdmin)
	made, token := w.token(t, ada, access.NewToken{Grants: []blueberry.Grant{blueberry.GrantEnvironmentsExtend}})
	// Of a link no more is kept than who it was.
	bare := func(a blueberry.Actor) blueberry.Actor {
		return blueberry.Actor{Kind: a.Kind, ID: a.ID, Name: a.Name, UserID: a.UserID}
	}
	now, err := w.gate.Standing(t.Context(), bare(ada))
	if err != nil || now.CanIn("shop", blueberry.GrantMembersWrite) != nil {
		t.Errorf("a member: %+v, %v", now, err)
	}
	now, err = w.gate.Standing(t.Context(), bare(token))
	if err != nil || now.CanIn("shop", blueberry.GrantEnvironmentsExtend) != nil || now.CanIn("shop", blueberry.GrantEnvironmentsCreate) == nil {
		t.Errorf("a token: %+v, %v", now, err)
	}
	if now, err = w.gate.Standing(t.Context(), blueberry.System()); err != nil || now.Can(blueberry.GrantAll) != nil {
		t.Errorf("the server itself: %+v, %v", now, err)
	}
	if err := w.RevokeToken(t.Context(), root, made.Token.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.gate.Standing(t.Context(), bare(token))
	wants(t, "a revoked token", "forbidden ACTOR_ENDED", err)
	if _, err := w.UpdateUser(t.Context(), root, ada.UserID, access.UserChange{Status: to(blueberry.UserInactive)}, 0); err != nil {
		t.Fatal(err)
	}
	_, err = w.gate.Standing(t.Context(), bare(ada))
	wants(t, "an inactive user", "forbidden USER_INACTIVE", err)
	_, err = w.gate.Standing(t.Context(), blueberry.Actor{Kind: blueberry.ActorUser, ID: "usr_none", UserID: "usr_none", Name: "eve"})
	wants(t, "no user", "forbidden ACTOR_ENDED", err)
}
