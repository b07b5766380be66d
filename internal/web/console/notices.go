package console

import (
	"net/url"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	subscriptionsPath = "/subscriptions"
	noticesPath       = "/notices"
)

func subscriptionPath(id string, below ...string) string {
	return strings.Join(append([]string{subscriptionsPath, url.PathEscape(id)}, below...), "/")
}

func noticePath(id string, below ...string) string {
	return strings.Join(append([]string{noticesPath, url.PathEscape(id)}, below...), "/")
}

func noticesArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantSubscriptionsRead) {
				return nil
			}
			return []menuItem{{To: subscriptionsPath, Name: "Notifications", Icon: "op-bell", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /subscriptions": subscriptions, "GET /subscriptions/new": func(v *visit) (page, error) { return v.addSubscriptionForm(nil) },
			"GET /subscriptions/{id}": subscription, "GET /subscriptions/{id}/change": func(v *visit) (page, error) { return v.changeSubscriptionForm(nil) },
			"GET /subscriptions/{id}/{verb}": func(v *visit) (page, error) { return v.subscriptionVerbForm(nil) },
			"GET /notices":                   noticeList, "GET /notices/{id}": notice, "GET /notices/{id}/redrive": func(v *visit) (page, error) { return v.redriveNoticeForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /subscriptions/new": addSubscription, "POST /subscriptions/{id}/change": changeSubscription, "POST /subscriptions/{id}/{verb}": doSubscriptionVerb,
			"POST /notices/{id}/redrive": redriveNotice,
		},
		Done: map[string]string{
			"subscription-added": "The subscription is added. Send a test to see that it arrives.", "subscription-changed": "The subscription was changed.",
			"subscription-removed": "The subscription was removed, with its notices.", "subscription-redriven": "Its dead notices wait to be sent again.",
			"subscription-tested": "A test was sent. This is how it went.", "notice-redriven": "It is sent once more.",
		},
	}
}

// noticeTabs are the two lists of this part.
func (v *visit) noticeTabs() []option {
	out := []option{{subscriptionsPath, "Subscriptions"}}
	if v.may("", blueberry.GrantNoticesRead) {
		out = append(out, option{noticesPath, "Notices"})
	}
	return out
}

// noticesView is a list of notices.
type noticesView struct {
	Filter        sdk.NoticeFilter
	Items         []sdk.Notice
	Subscriptions []sdk.Subscription
	Next          string
	Tabs          []option
}

var noticeStates = []string{"waiting", "delivered", "dead"}

func noticeList(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := noticesView{Tabs: v.noticeTabs(), Filter: sdk.NoticeFilter{Subscription: q.Get("subscription"), State: q.Get("state"), Before: q.Get("before"), Limit: 50}}
	list, err := v.api.ListNotices(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	l.Items, l.Next = list.Items, following(v.r.URL, "before", list.NextBefore)
	if subs, err := v.api.ListSubscriptions(v.ctx, sdk.SubscriptionFilter{Limit: 200}); err == nil { // else there are no names to choose from
		l.Subscriptions = subs.Items
	}
	return page{Title: "Notices", Here: subscriptionsPath, Body: noticesBody(l), Watch: interest{Any: true}}, nil
}

// nameOf is what a subscription is called; its id where that is not known.
func (l noticesView) nameOf(id string) string {
	for _, s := range l.Subscriptions {
		if s.ID == id {
			return s.Name
		}
	}
	return id
}

// noticeView is one notice.
type noticeView struct {
	sdk.Notice
	Name       string // of its subscription
	MayRedrive bool
}

func (v *visit) notice() (noticeView, error) {
	n, err := v.api.GetNotice(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return noticeView{}, err
	}
	view := noticeView{Notice: n, Name: n.SubscriptionID}
	if s, err := v.api.GetSubscription(v.ctx, n.SubscriptionID); err == nil { // else its id stands for it
		view.Name = s.Name
	}
	may := v.may(n.Project, blueberry.GrantNoticesRedrive)
	if n.Project == "" {
		may = v.who.Can(blueberry.GrantNoticesRedrive) == nil
	}
	view.MayRedrive = may && n.State != "waiting"
	return view, nil
}

func notice(v *visit) (page, error) {
	n, err := v.notice()
	if err != nil {
		return page{}, err
	}
	return page{Title: "Notice of " + n.EventType, Here: subscriptionsPath, Body: noticeBody(n), Watch: interest{Any: true}}, nil
}

func (v *visit) redriveNoticeForm(p *sdk.Problem) (page, error) {
	n, err := v.notice()
	if err != nil {
		return page{}, err
	}
	return asking(subscriptionsPath, ask{
		Title: "Send it again", What: "It is sent once more, under the same event id, so that a receiver knows what it has seen.", Action: noticePath(n.ID, "redrive"), Back: noticePath(n.ID), Problem: p,
		CLI: "blueberry notice redrive " + n.ID, Call: "POST /v1/notices/" + n.ID + "/redrive",
	}, noticeLine(n.Notice), option{noticesPath, "Notices"}, option{noticePath(n.ID), n.EventType}), nil
}

func redriveNotice(v *visit) (string, error) {
	id := v.r.PathValue("id")
	if _, err := v.api.RedriveNotice(v.ctx, id); err != nil {
		return "", v.formError(err, v.redriveNoticeForm)
	}
	return noticePath(id) + "?done=notice-redriven", nil
}

func shapeOfNotice(state string) shape {
	switch state {
	case "delivered":
		return good
	case "dead":
		return bad
	}
	return busy
}

// lastError is why the last attempt failed; empty when it did not.
func lastError(n sdk.Notice) string {
	if len(n.Attempts) == 0 {
		return ""
	}
	return n.Attempts[len(n.Attempts)-1].Error
}
