package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// ownNoticeEvents are the events that most people ask for; any other is typed.
var ownNoticeEvents = []option{
	{"environment.ready", "It is ready"},
	{"environment.failed", "It failed"},
	{"environment.degraded", "It is not well"},
	{"environment.recovered", "It is well again"},
	{"environment.lease_ending", "Its lease ends soon"},
	{"environment.expired", "Its lease has ended"},
	{"environment.drift_detected", "Something else changed it"},
	{"environment.plan_proposed", "A plan waits for you"},
	{"environment.terminated", "It is gone"},
}

// ownChannelKinds are where a person can be told beside their mail.
var ownChannelKinds = []option{{"", "nowhere else"}, {"slack", "Slack"}, {"teams", "Teams"}, {"discord", "Discord"}, {"webhook", "a webhook of mine"}}

// ownNoticesView is what somebody wants to be told, and what they were told.
type ownNoticesView struct {
	Is       sdk.Preferences
	Email    string
	Off      bool
	Mail     bool
	Events   []string // that are ticked
	Ask      ask      // what is typed
	Items    []sdk.Notice
	State    string
	Next     string
	TestFlaw string // why a test was not sent
}

func ownNotices(v *visit) (page, error) { return v.ownNotices(nil, "") }

func (v *visit) ownNotices(problem *sdk.Problem, flaw string) (page, error) {
	_, u, err := v.ownAccount()
	if err != nil {
		return page{}, err
	}
	is, err := v.api.GetPreferences(v.ctx)
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	list, err := v.api.ListOwnNotices(v.ctx, sdk.NoticeFilter{State: q.Get("state"), Before: q.Get("before"), Limit: 20})
	if err != nil {
		return page{}, err
	}
	f := v.r.PostForm
	view := ownNoticesView{Is: is, Email: u.Email, Off: is.Off, Mail: is.Mail, Events: is.Events, Items: list.Items, State: q.Get("state"), Next: older(&url.URL{Path: "/account/notifications", RawQuery: v.r.URL.RawQuery}, list.NextBefore), TestFlaw: flaw}
	kind := ""
	if is.Channel != nil {
		kind = is.Channel.Kind
	}
	urlHint := "It is kept encrypted, and never shown."
	if is.Channel != nil {
		urlHint = "Empty keeps the one at " + is.Channel.Endpoint + ". It is kept encrypted, and never shown."
	}
	others := slices.DeleteFunc(slices.Clone(is.Events), isTicked)
	if f.Has("version") {
		view.Off, view.Mail, view.Events = f.Get("off") == "yes", f.Get("mail") == "yes", f["event"]
	}
	view.Ask = ask{
		Problem: problem, Hidden: map[string]string{"version": strconv.FormatInt(is.Version, 10)},
		Inputs: []input{
			{Name: "other_events", Label: "Other events", Kind: "area", Code: true, Rows: 2, Value: typed(f, "other_events", strings.Join(others, "\n")), Placeholder: "environment.*", Hint: "One pattern on each line; * stands for anything."},
			{Name: "channel.kind", Label: "Also tell me in", Kind: "select", Value: typed(f, "channel.kind", kind), Options: ownChannelKinds},
			{Name: "channel.url", Label: "Address of its webhook", Value: f.Get("channel.url"), Hint: urlHint, Placeholder: "https://"},
			{Name: "quiet.windows", Label: "Quiet hours", Kind: "area", Code: true, Rows: 2, Value: typed(f, "quiet.windows", ownQuietLines(is.Quiet)), Placeholder: "mon-fri 19:00-07:00", Hint: "One span of the week on each line. What happens meanwhile is told when it ends."},
			{Name: "quiet.time_zone", Label: "Time zone of the quiet hours", Value: typed(f, "quiet.time_zone", is.Quiet.TimeZone), Placeholder: "Europe/Zurich", Hint: "Empty means UTC."},
			{Name: "muted", Label: "Projects that tell nothing", Kind: "area", Code: true, Rows: 2, Value: typed(f, "muted", strings.Join(is.Muted, "\n")), Hint: "One on each line."},
		},
		Call: "PUT /v1/account/preferences",
	}
	r, _ := wishedNotices(view)
	view.Ask.CLI, view.Ask.Body = noticesCommand(r), jsonOf(r)
	return page{Title: "Notifications", Here: "/account", Body: ownNoticesBody(view)}, nil
}

func isTicked(event string) bool {
	return slices.ContainsFunc(ownNoticeEvents, func(o option) bool { return o.Value == event })
}

// wishedNotices is what the fields of a view say.
func wishedNotices(view ownNoticesView) (r sdk.SetPreferencesRequest, faults []sdk.FieldError) {
	at := map[string]string{}
	for _, i := range view.Ask.Inputs {
		at[i.Name] = i.Value
	}
	r = sdk.SetPreferencesRequest{Off: view.Off, Mail: view.Mail, Events: []string{}, Muted: strings.Fields(at["muted"])}
	for _, e := range append(slices.Clone(view.Events), strings.Fields(at["other_events"])...) {
		if !slices.Contains(r.Events, e) {
			r.Events = append(r.Events, e)
		}
	}
	if kind := at["channel.kind"]; kind != "" || at["channel.url"] != "" {
		r.Channel = &sdk.ChannelRequest{Kind: kind, URL: strings.TrimSpace(at["channel.url"])}
	}
	for line := range strings.Lines(at["quiet.windows"]) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		w, ok := windowOf(line)
		if !ok {
			faults = append(faults, sdk.FieldError{Field: "quiet.windows", Code: "form", Message: strconv.Quote(line) + ` is not days and hours, as "mon-fri 19:00-07:00"`})
			continue
		}
		r.Quiet.Windows = append(r.Quiet.Windows, w)
	}
	if len(r.Quiet.Windows) > 0 {
		r.Quiet.TimeZone = strings.TrimSpace(at["quiet.time_zone"])
	}
	return r, faults
}

// ownQuietLines are quiet hours as they are typed.
func ownQuietLines(q sdk.QuietHours) string {
	out := make([]string, len(q.Windows))
	for i, w := range q.Windows {
		out[i] = windowText(w)
	}
	return strings.Join(out, "\n")
}

// noticesCommand is the command that sets the same. The address of a channel is a secret: it is read, and stands in no command.
func noticesCommand(r sdk.SetPreferencesRequest) string {
	out := "blueberry preferences set --mail=" + strconv.FormatBool(r.Mail) + " --off=" + strconv.FormatBool(r.Off)
	add := func(flag string, values []string) {
		if len(values) == 0 {
			values = []string{""}
		}
		for _, x := range values {
			out += " --" + flag + " " + shellWord(x)
		}
	}
	add("event", r.Events)
	add("mute", r.Muted)
	add("quiet-hours", strings.FieldsFunc(ownQuietLines(r.Quiet), func(c rune) bool { return c == '\n' }))
	if r.Quiet.TimeZone != "" {
		out += " --time-zone " + shellWord(r.Quiet.TimeZone)
	}
	if r.Channel != nil && r.Channel.URL != "" {
		out += " --channel " + shellWord(r.Channel.Kind) + " --url -"
	}
	return out
}

func setNotifications(v *visit) (string, error) {
	form := func(p *sdk.Problem) (page, error) { return v.ownNotices(p, "") }
	f := v.r.PostForm
	view := ownNoticesView{Off: f.Get("off") == "yes", Mail: f.Get("mail") == "yes", Events: f["event"]}
	for _, name := range []string{"other_events", "channel.kind", "channel.url", "quiet.windows", "quiet.time_zone", "muted"} {
		view.Ask.Inputs = append(view.Ask.Inputs, input{Name: name, Value: f.Get(name)})
	}
	r, faults := wishedNotices(view)
	if len(faults) > 0 {
		return "", again{faulty(faults), form}
	}
	var options []sdk.CallOption
	if version, err := strconv.ParseInt(f.Get("version"), 10, 64); err == nil && version > 0 {
		options = append(options, sdk.IfMatch(version))
	}
	set, err := v.api.SetPreferences(v.ctx, r, options...)
	if err != nil {
		return "", accountAgain(err, form)
	}
	if set.Secret != "" {
		return "", once("/account", shownOnce{
			Title: "The secret of your webhook", What: "Each call is signed with it, so that your receiver knows who calls.", Name: "Secret", Secret: set.Secret,
			On: option{"/account/notifications", "I have kept it"},
		})
	}
	return "/account/notifications?done=own-notifications", nil
}

func testNotifications(v *visit) (string, error) {
	_, err := v.api.TestPreferences(v.ctx)
	if isStatus(err, http.StatusConflict) {
		p := err
		return "", again{nil, func(*sdk.Problem) (page, error) { return v.ownNotices(nil, flawText(p)) }}
	}
	if err != nil {
		return "", err
	}
	return "/account/notifications?done=own-notifications-tested", nil
}

// flawText is what an error of the API says.
func flawText(err error) string {
	var a again
	if asAgain(accountAgain(err, nil), &a) {
		return sentence(a.problem.Detail)
	}
	return ""
}

func redriveOwnNotice(v *visit) (string, error) {
	if _, err := v.api.RedriveNotice(v.ctx, v.r.PathValue("id")); err != nil {
		if text := flawText(err); text != "" {
			return "", again{nil, func(*sdk.Problem) (page, error) { return v.ownNotices(nil, text) }}
		}
		return "", err
	}
	return "/account/notifications?done=own-notice-again", nil
}

// ownNoticePath is where a notice is sent again.
func ownNoticePath(id string) string {
	return "/account/notifications/" + url.PathEscape(id) + "/redrive"
}

func shapeOfOwnNotice(state string) shape {
	switch state {
	case "delivered":
		return good
	case "dead":
		return bad
	}
	return busy
}

// lastOwnAttempt tells how the last attempt of a notice went.
func lastOwnAttempt(n sdk.Notice) string {
	if len(n.Attempts) == 0 {
		return ""
	}
	return n.Attempts[len(n.Attempts)-1].Error
}
