package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// sessions are the routes of sessions that are open. Those that open one are signIns.
type sessions struct {
	operations Sessions
}

func (h sessions) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/v1/sessions", Tags: []string{tagSignIn},
		Summary: "List sessions", Description: "Live ones, newest first, with program and address: one's own, or with `user` those of another one or of all.",
	}, h.list)
	register(r, huma.Operation{
		OperationID: "revoke-session", Method: http.MethodDelete, Path: "/v1/sessions/{id}", Tags: []string{tagSignIn}, DefaultStatus: http.StatusNoContent,
		Summary: "Revoke a session", Description: "Ends it at once, on every server.",
	}, h.revoke)
}

// IDWindow is a run of things with sortable ids, newest first.
type IDWindow struct {
	Before string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id; absent means from the newest"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

// next is the before of the run behind one of got things that ends with id; empty when there is none.
func (w IDWindow) next(got int, id func(last int) string) string {
	if got < pageSize(w.Limit) {
		return ""
	}
	return id(got - 1)
}

func wireSession(s blueberry.Session, current string) sdk.Session {
	return sdk.Session{
		ID: s.ID, UserID: s.UserID, Method: s.Method, Address: s.Address, UserAgent: s.UserAgent, Current: s.ID == current,
		CreatedAt: instant(s.CreatedAt), ExpiresAt: instant(s.ExpiresAt), LastSeenAt: instant(s.LastSeenAt),
	}
}

func sessionList(ctx context.Context, operations Sessions, user string, w IDWindow) (*answer[sdk.SessionList], error) {
	found, err := operations.Sessions(ctx, actorOf(ctx), user, w.Before, pageSize(w.Limit))
	return answered(found, err, func(found []blueberry.Session) sdk.SessionList {
		return sdk.SessionList{
			Items:      list(found, func(s blueberry.Session) sdk.Session { return wireSession(s, actorOf(ctx).Credential) }),
			NextBefore: w.next(len(found), func(last int) string { return found[last].ID }),
		}
	})
}

type listSessionsInput struct {
	strict
	User string `query:"user" maxLength:"64" doc:"Id of the user; * for all; absent means oneself" example:"usr_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	IDWindow
}

func (h sessions) list(ctx context.Context, in *listSessionsInput) (*answer[sdk.SessionList], error) {
	return sessionList(ctx, h.operations, in.User, in.IDWindow)
}

type sessionByID struct {
	strict
	ID string `path:"id" doc:"Id of the session" example:"ses_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

func (h sessions) revoke(ctx context.Context, in *sessionByID) (*nothing, error) {
	return &nothing{}, h.operations.RevokeSession(ctx, actorOf(ctx), in.ID)
}
