package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/access"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// users are the routes of users.
type users struct {
	operations Users
	sessions   Sessions
}

func (h users) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "create-user", Method: http.MethodPost, Path: "/v1/users", Tags: []string{tagUsers}, DefaultStatus: http.StatusCreated, Metadata: gathers(),
		Summary: "Create a user",
		Description: "Invites them: the server sends the mail and tells in `invitation` how far it has come. When no mail is set up, the answer has the link to pass on, " +
			"and nothing ever shows it again. A link works for 7 days.",
	}, h.create)
	r.example(http.MethodPost, "/v1/users", sdk.CreateUserRequest{
		Email: "ada@example.com", Name: "Ada", Members: []sdk.ProjectRole{{Project: blueberry.DefaultProject, Role: string(blueberry.RoleDeveloper)}},
	})
	register(r, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/v1/users", Tags: []string{tagUsers},
		Summary: "List users",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: "/v1/users/{id}", Tags: []string{tagUsers},
		Summary: "Read a user", Description: "With their roles and how they sign in.",
	}, h.get)
	register(r, huma.Operation{
		OperationID: "update-user", Method: http.MethodPatch, Path: "/v1/users/{id}", Tags: []string{tagUsers}, Metadata: gathers(),
		Summary: "Update a user", Description: "Changes what the body names. One who is made inactive may do nothing any more, at once and on every server; one active owner is always left.",
	}, h.update)
	inactive := string(blueberry.UserInactive)
	r.example(http.MethodPatch, "/v1/users/{id}", sdk.UpdateUserRequest{Status: &inactive})
	register(r, huma.Operation{
		OperationID: "delete-user", Method: http.MethodDelete, Path: "/v1/users/{id}", Tags: []string{tagUsers}, DefaultStatus: http.StatusNoContent,
		Summary: "Delete a user", Description: "Removes one who never signed in. One who did has a history: make them inactive instead.",
	}, h.remove)
	register(r, huma.Operation{
		OperationID: "invite-user", Method: http.MethodPost, Path: "/v1/users/{id}/invitation", Tags: []string{tagUsers},
		Summary: "Invite a user again", Description: "Links before this one stop working. When no mail is set up, the answer has the link to pass on.",
	}, h.invite)
	register(r, huma.Operation{
		OperationID: "reset-user", Method: http.MethodPost, Path: "/v1/users/{id}/reset", Tags: []string{tagUsers},
		Summary: "Reset a user's sign-in", Description: "Ends their sessions, takes the second factor off, and gives a link by which they choose a new password. It works for one hour.",
	}, h.reset)
	register(r, huma.Operation{
		OperationID: "list-user-sessions", Method: http.MethodGet, Path: "/v1/users/{id}/sessions", Tags: []string{tagUsers},
		Summary: "List sessions of a user", Description: "Live ones, newest first, with program and address.",
	}, h.listSessions)
	register(r, huma.Operation{
		OperationID: "revoke-user-sessions", Method: http.MethodDelete, Path: "/v1/users/{id}/sessions", Tags: []string{tagUsers},
		Summary: "Revoke sessions of a user", Description: "Ends all of them, at once and on every server; with `others` all but the one that the call is made with.",
	}, h.revokeSessions)
}

// UserByID names a user.
type UserByID struct {
	strict
	ID string `path:"id" maxLength:"254" doc:"Id or e-mail address of the user" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func wireUser(u blueberry.User) sdk.User {
	return sdk.User{
		ID: u.ID, Email: u.Email, Name: u.Name, Status: string(u.Status), Owner: u.Owner, BreakGlass: u.BreakGlass,
		Invitation: sdk.Invitation{State: string(u.Invitation.State), Error: u.Invitation.Error, SentAt: instant(u.Invitation.SentAt)},
		CreatedAt:  instant(u.CreatedAt), UpdatedAt: instant(u.UpdatedAt), LastSeenAt: instant(u.LastSeenAt), Version: u.Version,
	}
}

func wireUserDetail(d access.UserDetail) sdk.UserDetail {
	return sdk.UserDetail{
		User: wireUser(d.User), Memberships: list(d.Memberships, wireProjectRole), GroupMemberships: list(d.ByGroup, wireProjectRole),
		Identities: list(d.Identities, wireIdentity), Passkeys: list(d.Passkeys, wirePasskey), Password: d.Password, SecondFactor: d.SecondFactor,
		RecoveryCodes: d.RecoveryCodes,
	}
}

func wireProjectRole(m blueberry.Member) sdk.ProjectRole {
	return sdk.ProjectRole{Project: m.Project, Role: string(m.Role)}
}

func wireIdentity(i blueberry.Identity) sdk.Identity {
	return sdk.Identity{Provider: i.Provider, Email: i.Email, Groups: list(i.Groups, same), LinkedAt: instant(i.LinkedAt), LastUsedAt: instant(i.LastUsedAt)}
}

func wirePasskey(p blueberry.Passkey) sdk.Passkey {
	return sdk.Passkey{ID: p.ID, Name: p.Name, CreatedAt: instant(p.CreatedAt), LastUsedAt: instant(p.LastUsedAt)}
}

func userAnswer(u blueberry.User, err error) (*tagged[sdk.User], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.User]{ETag: etag(u.Version), Location: "/v1/users/" + u.ID, Body: wireUser(u)}, nil
}

func invitedAnswer(i access.Invited, err error) (*tagged[sdk.InvitedUser], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.InvitedUser]{
		ETag: etag(i.User.Version), Location: "/v1/users/" + i.User.ID,
		Body: sdk.InvitedUser{User: wireUser(i.User), Link: i.Link, LinkExpiresAt: instant(i.LinkExpiresAt)},
	}, nil
}

type createUserInput struct {
	strict
	OnceHeader
	Body body[sdk.CreateUserRequest]
}

func (h users) create(ctx context.Context, in *createUserInput) (*tagged[sdk.InvitedUser], error) {
	b := in.Body.Value
	return invitedAnswer(h.operations.CreateUser(ctx, actorOf(ctx), access.NewUser{
		Email: b.Email, Name: b.Name, Owner: b.Owner, BreakGlass: b.BreakGlass, Found: in.Body.unknown,
		Members: list(b.Members, func(m sdk.ProjectRole) access.MemberWish {
			return access.MemberWish{Project: m.Project, Role: blueberry.Role(m.Role)}
		}),
	}))
}

type listUsersInput struct {
	strict
	Search  string `query:"q" maxLength:"200" doc:"Only with this text in the address or name; case does not matter" example:"ada"`
	Status  string `query:"status" enum:"pending_invite,active,inactive" doc:"Only with this status" example:"active"`
	Project string `query:"project" doc:"Only members of this project, by themselves or by a group" example:"shop"`
	Sort    string `query:"sort" enum:"email,-email,created_at,-created_at,last_seen_at,-last_seen_at" doc:"Column to sort by, descending with a dash. Absent means email" example:"email"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
	Cursor  string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before"`
}

func (h users) list(ctx context.Context, in *listUsersInput) (*answer[sdk.UserPage], error) {
	column, desc := strings.CutPrefix(in.Sort, "-")
	page, err := h.operations.Users(ctx, actorOf(ctx), blueberry.UserQuery{
		Search: in.Search, Status: blueberry.UserStatus(in.Status), Project: in.Project, Sort: blueberry.UserSort(column), Desc: desc, Limit: pageSize(in.Limit), Cursor: in.Cursor,
	})
	return answered(page, err, func(p blueberry.UserPage) sdk.UserPage {
		return sdk.UserPage{Items: list(p.Items, wireUser), NextCursor: p.Next}
	})
}

func (h users) get(ctx context.Context, in *UserByID) (*tagged[sdk.UserDetail], error) {
	d, err := h.operations.UserDetail(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.UserDetail]{ETag: etag(d.User.Version), Location: "/v1/users/" + d.User.ID, Body: wireUserDetail(d)}, nil
}

func (h users) match(ctx context.Context, id, header string) (int64, error) {
	return ifMatch(header, func() (int64, error) {
		d, err := h.operations.UserDetail(ctx, actorOf(ctx), id)
		return d.User.Version, err
	})
}

type updateUserInput struct {
	UserByID
	OnceHeader
	MatchHeader
	Body body[sdk.UpdateUserRequest]
}

func (h users) update(ctx context.Context, in *updateUserInput) (*tagged[sdk.User], error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	return userAnswer(h.operations.UpdateUser(ctx, actorOf(ctx), in.ID, access.UserChange{
		Name: b.Name, Email: b.Email, Owner: b.Owner, BreakGlass: b.BreakGlass, Status: (*blueberry.UserStatus)(b.Status), Found: in.Body.unknown,
	}, version))
}

type deleteUserInput struct {
	UserByID
	MatchHeader
}

func (h users) remove(ctx context.Context, in *deleteUserInput) (*nothing, error) {
	version, err := h.match(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &nothing{}, h.operations.DeleteUser(ctx, actorOf(ctx), in.ID, version)
}

type userActionInput struct {
	UserByID
	OnceHeader
}

func (h users) invite(ctx context.Context, in *userActionInput) (*tagged[sdk.InvitedUser], error) {
	return invitedAnswer(h.operations.InviteUser(ctx, actorOf(ctx), in.ID))
}

func (h users) reset(ctx context.Context, in *userActionInput) (*answer[sdk.ResetLink], error) {
	l, err := h.operations.ResetUser(ctx, actorOf(ctx), in.ID)
	return answered(l, err, func(l access.ResetLink) sdk.ResetLink {
		return sdk.ResetLink{URL: l.URL, ExpiresAt: instant(l.ExpiresAt)}
	})
}

type userSessionsInput struct {
	UserByID
	IDWindow
}

// userID gives the id behind an address: sessions are known by ids alone.
func (h users) userID(ctx context.Context, id string) (string, error) {
	if blueberry.HasIDPrefix(id, blueberry.UserID) {
		return id, nil
	}
	d, err := h.operations.UserDetail(ctx, actorOf(ctx), id)
	return d.User.ID, err
}

func (h users) listSessions(ctx context.Context, in *userSessionsInput) (*answer[sdk.SessionList], error) {
	id, err := h.userID(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return sessionList(ctx, h.sessions, id, in.IDWindow)
}

type revokeSessionsInput struct {
	UserByID
	Others bool `query:"others" doc:"Keep the session that the call is made with" example:"true"`
}

func (h users) revokeSessions(ctx context.Context, in *revokeSessionsInput) (*answer[sdk.RevokedSessions], error) {
	id, err := h.userID(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	n, err := h.sessions.RevokeSessions(ctx, actorOf(ctx), id, in.Others)
	return answered(n, err, func(n int) sdk.RevokedSessions { return sdk.RevokedSessions{Revoked: n} })
}
