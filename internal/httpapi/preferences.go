package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/sdk"
)

// preferences are the routes of what one person wants to be told themselves.
type preferences struct {
	operations Subscriptions
}

const personAlone = "403 `PERSON_NEEDED` for a program: an API token, a service account and an OAuth client have none."

func (h preferences) mount(r *router) {
	register(r, huma.Operation{
		OperationID: "get-preferences", Method: http.MethodGet, Path: "/v1/account/preferences", Tags: []string{tagAccount},
		Summary:     "Read what one wants to be told",
		Description: "Of the environments that are one's own, with how telling goes. Who has set none is told by mail that a lease ends. " + personAlone,
	}, h.get)
	register(r, huma.Operation{
		OperationID: "set-preferences", Method: http.MethodPut, Path: "/v1/account/preferences", Tags: []string{tagAccount}, Metadata: gathers(),
		Summary: "Set what one wants to be told",
		Description: "In place of all before. It is told by mail to the address of the account, and in a chat or webhook of one's own; the secret of a webhook is told here alone. What is about the account " +
			"itself is told in any case: invitations, links to sign in, emergencies, tokens that end. Who may not see a project any more is told nothing of it. " + personAlone,
	}, h.set)
	r.example(http.MethodPut, "/v1/account/preferences", sdk.SetPreferencesRequest{Events: []string{"environment.failed", "environment.lease_ending"}, Mail: true})
	register(r, huma.Operation{
		OperationID: "test-preferences", Method: http.MethodPost, Path: "/v1/account/preferences/test", Tags: []string{tagAccount},
		Summary: "Test how one is told", Description: "Sends an event of the type `subscription.test` now and once by each way that is on, also in quiet hours. 409 `NOBODY_TOLD` when none is. " + personAlone,
	}, h.test)
	register(r, huma.Operation{
		OperationID: "list-own-notices", Method: http.MethodGet, Path: "/v1/account/notices", Tags: []string{tagAccount},
		Summary: "List what one was told", Description: "In the last 30 days, or is to be, the newest first, with every attempt. One that is dead can be sent again, as any notice. " + personAlone,
	}, h.notices)
}

func wirePreferences(s notify.PreferencesSet) sdk.Preferences {
	p := s.Preferences
	out := sdk.Preferences{
		Off: p.Off, Events: list(p.Events, same), Mail: p.Mail, Quiet: wireQuietHours(p.Quiet), Muted: list(p.Muted, same), UpdatedAt: instant(p.UpdatedAt), Version: p.Version,
		Ways: list(s.Ways, func(x blueberry.Subscription) sdk.ToldBy {
			return sdk.ToldBy{Way: x.Name, Off: x.Off, OffWhy: x.OffWhy, Health: wireSubscription(x).Health}
		}),
	}
	if p.Channel.Kind != "" {
		out.Channel = &sdk.Channel{Kind: string(p.Channel.Kind), Endpoint: p.Channel.Endpoint}
	}
	return out
}

func (h preferences) get(ctx context.Context, _ *strict) (*tagged[sdk.Preferences], error) {
	s, err := h.operations.Preferences(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.Preferences]{ETag: etag(s.Preferences.Version), Body: wirePreferences(s)}, nil
}

type setPreferencesInput struct {
	strict
	OnceHeader
	MatchHeader
	Body body[sdk.SetPreferencesRequest]
}

func (h preferences) set(ctx context.Context, in *setPreferencesInput) (*tagged[sdk.SetPreferences], error) {
	version, err := ifMatch(in.IfMatch, func() (int64, error) {
		s, err := h.operations.Preferences(ctx, actorOf(ctx))
		return s.Preferences.Version, err
	})
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	w := notify.PreferencesWish{Off: b.Off, Events: b.Events, Mail: b.Mail, Quiet: readQuietHours(b.Quiet), Muted: b.Muted, Found: in.Body.unknown}
	if b.Channel != nil {
		w.Channel = &notify.ChannelWish{Kind: blueberry.SubscriptionKind(b.Channel.Kind), URL: b.Channel.URL}
	}
	s, err := h.operations.SetPreferences(ctx, actorOf(ctx), w, version)
	if err != nil {
		return nil, err
	}
	return &tagged[sdk.SetPreferences]{
		ETag: etag(s.Preferences.Version), Location: "/v1/account/preferences", Body: sdk.SetPreferences{Preferences: wirePreferences(s), Secret: s.Secret.Value},
	}, nil
}

type testPreferencesInput struct {
	strict
	OnceHeader
}

func (h preferences) test(ctx context.Context, _ *testPreferencesInput) (*answer[sdk.TestedPreferences], error) {
	n, err := h.operations.TestPreferences(ctx, actorOf(ctx))
	return answered(n, err, func(n []blueberry.Notice) sdk.TestedPreferences {
		return sdk.TestedPreferences{Notices: list(n, wireNotice)}
	})
}

type listOwnNoticesInput struct {
	strict
	State  string `query:"state" enum:"waiting,delivered,dead" doc:"Only in this state" example:"dead"`
	Before string `query:"before" maxLength:"64" doc:"Only those that are older than the one with this id" example:"ntc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"At most so many; absent means 50" example:"50"`
}

func (h preferences) notices(ctx context.Context, in *listOwnNoticesInput) (*answer[sdk.NoticeList], error) {
	limit := pageSize(in.Limit)
	found, err := h.operations.OwnNotices(ctx, actorOf(ctx), blueberry.NoticeQuery{State: blueberry.NoticeState(in.State), Before: in.Before, Limit: limit})
	return answered(found, err, noticeList(limit))
}
