package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// kindOfSubscription is where notices can go, and which fields say so.
type kindOfSubscription struct {
	Kind, Name, What string
	Fields           []string // of the address, those that are needed first
	Needed           int      // how many of them
	Quiet            bool     // people read it
}

var kindsOfSubscription = []kindOfSubscription{
	{"webhook", "Webhook", "A signed call of a program of yours, as standard-webhooks has it.", []string{"url", "secret"}, 1, false},
	{"slack", "Slack", "A message in a channel, by an incoming webhook.", []string{"url"}, 1, true},
	{"teams", "Microsoft Teams", "A card in a channel, by a workflow.", []string{"url"}, 1, true},
	{"discord", "Discord", "A message in a channel, by a webhook.", []string{"url"}, 1, true},
	{"pagerduty", "PagerDuty", "An alert of a service, that ends when the trouble does.", []string{"key", "url"}, 1, false},
	{"mail", "Mail", "A mail to one address.", []string{"to"}, 1, true},
	{"sqs", "Amazon SQS", "A message in a queue.", []string{"url", "user", "key", "region"}, 1, false},
	{"pubsub", "Google Pub/Sub", "A message in a topic.", []string{"to", "key", "url"}, 2, false},
	{"nats", "NATS", "A message under a subject.", []string{"url", "to", "user", "key", "stream"}, 2, false},
}

func subscriptionKind(word string) (kindOfSubscription, bool) {
	i := slices.IndexFunc(kindsOfSubscription, func(k kindOfSubscription) bool { return k.Kind == word })
	if i < 0 {
		return kindOfSubscription{}, false
	}
	return kindsOfSubscription[i], true
}

// addressLabels are what the fields of an address are called, by kind where it matters.
func (k kindOfSubscription) label(field string) string {
	switch field + " " + k.Kind {
	case "url sqs":
		return "Address of the queue"
	case "url nats":
		return "Addresses of the servers"
	case "to mail":
		return "Mail address"
	case "to pubsub":
		return "Topic"
	case "to nats":
		return "Subject"
	case "key pagerduty":
		return "Integration key"
	case "key sqs":
		return "Secret access key"
	case "key pubsub":
		return "Key of a service account, JSON"
	case "key nats":
		return "Password, token, credentials or seed"
	case "user sqs":
		return "Id of the access key"
	}
	return map[string]string{"url": "Address", "to": "To", "key": "Key", "user": "User", "region": "Region", "stream": "Stream", "secret": "Secret to sign with"}[field]
}

var addressExamples = map[string]string{
	"url webhook": "https://hooks.example.com/blueberry", "url slack": "https://hooks.slack.com/services/…", "url discord": "https://discord.com/api/webhooks/…",
	"url sqs": "https://sqs.eu-central-1.amazonaws.com/123456789012/events", "url nats": "tls://nats.example.com:4222", "to mail": "team@example.com",
	"to pubsub": "projects/acme/topics/events", "to nats": "blueberry.events", "region sqs": "eu-central-1", "stream nats": "EVENTS", "user sqs": "AKIAEXAMPLE123456789",
	"secret webhook": "whsec_…",
}

var addressHints = map[string]string{
	"url webhook": "Kept encrypted; only its origin is shown later.", "url slack": "Kept encrypted; only its origin is shown later.", "url teams": "Kept encrypted; only its origin is shown later.",
	"url discord": "Kept encrypted; only its origin is shown later.", "url pagerduty": "Empty: that of PagerDuty itself.", "url pubsub": "Empty: that of Google itself.",
	"url nats": "With commas between them.", "key sqs": "Empty, with no id above: as the server itself, where it lends that.", "region sqs": "Empty where the address tells it.",
	"stream nats": "That must have stored what is sent; empty: it is enough that the server has it.", "secret webhook": "Empty: one is made, and told once.",
}

// fields are the inputs of an address. Keys and secrets are never written into a page, so they are typed again after a fault.
func (k kindOfSubscription) inputs(form url.Values, change bool) (out []input) {
	for i, name := range k.Fields {
		if change && name == "secret" {
			continue // it has a verb of its own
		}
		at := name + " " + k.Kind
		f := input{Name: name, Label: k.label(name), Placeholder: addressExamples[at], Hint: addressHints[at], Required: !change && i < k.Needed, Value: form.Get(name)}
		if name == "key" || name == "secret" {
			f.Value, f.Kind = "", "password"
			if k.Kind == "pubsub" || k.Kind == "nats" {
				f.Kind, f.Code, f.Rows = "area", true, 4
			}
			if f.Hint == "" {
				f.Hint = "Kept encrypted, and never shown."
			}
		}
		if change {
			f.Hint = "Empty leaves the one that is kept."
		}
		out = append(out, f)
	}
	return out
}

const quietHint = `Hours of the week in which messages are held, one span a line: "mon-fri 19:00-07:00". They are sent when it ends.`

// subscriptionsView is who is told.
type subscriptionsView struct {
	Items  []sdk.Subscription
	Next   string
	Tabs   []option
	MayAdd bool
}

func subscriptions(v *visit) (page, error) {
	list, err := v.api.ListSubscriptions(v.ctx, sdk.SubscriptionFilter{Project: v.r.URL.Query().Get("project"), After: v.r.URL.Query().Get("after")})
	if err != nil {
		return page{}, err
	}
	l := subscriptionsView{Items: list.Items, Next: following(v.r.URL, "after", list.NextAfter), Tabs: v.noticeTabs(), MayAdd: v.may("", blueberry.GrantSubscriptionsWrite)}
	return page{Title: "Notifications", Here: subscriptionsPath, Body: subscriptionsBody(l), Watch: interest{Any: true}}, nil
}

// wholeInstallation stands in a choice of projects for the whole installation. No project has this name.
const wholeInstallation = "*"

// projectChoice asks for a project, or the whole installation of who may.
func (v *visit) projectChoice(g blueberry.Grant, hint string) input {
	projects, _ := v.projectsWith(g) // who may not list them is asked for a name
	i := input{Name: "project", Label: "Project", Kind: "select", Value: typed(v.r.PostForm, "project", blueberry.DefaultProject), Hint: hint, Options: optionsOf(projects...)}
	if v.who.Can(g) == nil {
		i.Options = append(i.Options, option{wholeInstallation, "the whole installation"})
	}
	if len(i.Options) == 0 {
		i.Kind = ""
	}
	return i
}

func (v *visit) addSubscriptionForm(p *sdk.Problem) (page, error) {
	if err := v.who.CanSomewhere(blueberry.GrantSubscriptionsWrite); err != nil {
		return page{}, forbidden(err)
	}
	form := v.r.PostForm
	k, ok := subscriptionKind(typed(form, "kind", v.r.URL.Query().Get("kind")))
	if !ok {
		return page{Title: "Be told of events", Here: subscriptionsPath, Body: subscriptionKindsBody(kindsOfSubscription)}, nil
	}
	inputs := []input{
		{Name: "name", Label: "Name", Value: typed(form, "name", ""), Placeholder: "release-room", Required: true, Hint: "Lower-case letters, digits and dashes."},
		v.projectChoice(blueberry.GrantSubscriptionsWrite, "Whose events it tells of."),
	}
	inputs = append(inputs, k.inputs(form, false)...)
	inputs = append(inputs, input{
		Name: "events", Label: "Events", Kind: "area", Code: true, Rows: 4, Required: true, Value: typed(form, "events", "environment.failed\nenvironment.ready"),
		Hint: "One type a line; * stands for anything, as in environment.* or pull.*",
	})
	if k.Quiet {
		inputs = append(inputs,
			input{Name: "quiet.windows", Label: "Quiet hours", Kind: "area", Code: true, Rows: 2, Value: typed(form, "quiet.windows", ""), Hint: quietHint},
			input{Name: "quiet.time_zone", Label: "Time zone", Value: typed(form, "quiet.time_zone", ""), Placeholder: "Europe/Zurich", Hint: "Of the quiet hours; empty: UTC."},
		)
	}
	cli := "blueberry subscription add release-room --kind " + k.Kind
	for i, name := range k.Fields {
		if i < k.Needed {
			cli += " --" + name + " " + cmp.Or(map[string]string{"key": "-"}[name], addressExamples[name+" "+k.Kind], "-")
		}
	}
	a := ask{
		Title: "Be told by " + k.Name, Label: "Add it", What: k.What, Action: subscriptionsPath + "/new", Back: subscriptionsPath + "/new", Hidden: map[string]string{"kind": k.Kind},
		Inputs: inputs, Problem: p, CLI: cli + " --event environment.failed", Call: "POST /v1/subscriptions",
		Body: `{"name": "release-room", "kind": "` + k.Kind + `", "events": ["environment.failed"]}`,
	}
	return asking(subscriptionsPath, a, nil, option{subscriptionsPath, "Notifications"}, option{subscriptionsPath + "/new", "Add"}), nil
}

func addSubscription(v *visit) (string, error) {
	form := v.r.PostForm
	var faults []sdk.FieldError
	r := sdk.AddSubscriptionRequest{
		Project: v.said("project"), Name: v.said("name"), Kind: v.said("kind"), URL: v.said("url"), Key: strings.TrimSpace(form.Get("key")), To: v.said("to"), User: v.said("user"),
		Region: v.said("region"), Stream: v.said("stream"), Events: lines(form.Get("events")), Secret: v.said("secret"), Quiet: v.quietSaid(&faults),
	}
	if r.Project == wholeInstallation {
		r.Project, r.Installation = "", true
	}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.addSubscriptionForm}
	}
	added, err := v.api.AddSubscription(v.ctx, r)
	if err != nil {
		return "", v.formError(err, v.addSubscriptionForm)
	}
	to := subscriptionPath(added.Subscription.ID)
	if added.Secret == "" || r.Secret != "" {
		return to + "?done=subscription-added", nil
	}
	return "", told("Subscription "+added.Subscription.Name+" is added", added.Secret, to)
}

// told shows the secret of a subscription.
func told(title, secret, to string) error {
	return once(subscriptionsPath, shownOnce{
		Title: title, What: "The receiver proves by it that a call comes from here. Keep it where the receiver reads its secrets.", Name: "Secret", Secret: secret,
		On: option{to, "To the subscription"},
	})
}

// quietSaid reads the quiet hours that were typed.
func (v *visit) quietSaid(faults *[]sdk.FieldError) sdk.QuietHours {
	q := sdk.QuietHours{TimeZone: v.said("quiet.time_zone")}
	for _, l := range lines(v.r.PostForm.Get("quiet.windows")) {
		w, ok := windowOf(l)
		if !ok {
			*faults = append(*faults, sdk.FieldError{Field: "quiet.windows", Code: "pattern", Message: fmt.Sprintf(`%q is not days and hours, as "mon-fri 19:00-07:00"`, l)})
			continue
		}
		q.Windows = append(q.Windows, w)
	}
	return q
}

// quietText writes quiet hours as they are typed.
func quietText(q sdk.QuietHours) string {
	var out []string
	for _, w := range q.Windows {
		out = append(out, strings.Join(w.Days, ",")+" "+w.From+"-"+w.To)
	}
	return strings.Join(out, "\n")
}

// subscriptionView is one subscription with what it was told.
type subscriptionView struct {
	sdk.Subscription
	Notices                       []sdk.Notice
	State, Next                   string
	MayWrite, MayRead, MayRedrive bool
}

func (v *visit) subscription() (subscriptionView, error) {
	s, err := v.api.GetSubscription(v.ctx, v.r.PathValue("id"))
	may := func(g blueberry.Grant) bool {
		if s.Project == "" {
			return v.who.Can(g) == nil
		}
		return v.may(s.Project, g)
	}
	return subscriptionView{
		Subscription: s, MayWrite: may(blueberry.GrantSubscriptionsWrite), MayRead: may(blueberry.GrantNoticesRead), MayRedrive: may(blueberry.GrantNoticesRedrive),
	}, err
}

func subscription(v *visit) (page, error) {
	s, err := v.subscription()
	if err != nil {
		return page{}, err
	}
	if s.MayRead {
		q := v.r.URL.Query()
		s.State = q.Get("state")
		list, err := v.api.ListNotices(v.ctx, sdk.NoticeFilter{Subscription: s.ID, State: s.State, Before: q.Get("before"), Limit: 30})
		if err != nil {
			return page{}, err
		}
		s.Notices, s.Next = list.Items, following(v.r.URL, "before", list.NextBefore)
	}
	return page{Title: s.Name, Here: subscriptionsPath, Body: subscriptionBody(s), Watch: interest{Any: true}}, nil
}

func (v *visit) changeSubscriptionForm(p *sdk.Problem) (page, error) {
	s, err := v.subscription()
	if err != nil {
		return page{}, err
	}
	if !s.MayWrite {
		return page{}, forbidden(v.who.CanIn(s.Project, blueberry.GrantSubscriptionsWrite))
	}
	form := v.r.PostForm
	k, _ := subscriptionKind(s.Kind)
	off := checked(s.Off)
	if form.Has("version") {
		off = form.Get("off")
	}
	inputs := append([]input{{Name: "name", Label: "Name", Value: typed(form, "name", s.Name), Required: true}}, k.inputs(form, true)...)
	inputs = append(inputs, input{Name: "events", Label: "Events", Kind: "area", Code: true, Rows: 4, Required: true, Value: typed(form, "events", strings.Join(s.Events, "\n")), Hint: "One type a line."})
	if k.Quiet {
		inputs = append(inputs,
			input{Name: "quiet.windows", Label: "Quiet hours", Kind: "area", Code: true, Rows: 2, Value: typed(form, "quiet.windows", quietText(s.Quiet)), Hint: quietHint},
			input{Name: "quiet.time_zone", Label: "Time zone", Value: typed(form, "quiet.time_zone", s.Quiet.TimeZone), Placeholder: "Europe/Zurich"},
		)
	}
	inputs = append(inputs, input{Name: "off", Label: "Off: nothing is sent, and what waits is kept", Kind: "check", Value: off})
	return asking(subscriptionsPath, ask{
		Title: "Change " + s.Name, Label: "Change it", Action: subscriptionPath(s.ID, "change"), Back: subscriptionPath(s.ID), Inputs: inputs, Problem: p,
		What: "It goes to " + s.Endpoint + ". A key that is kept is for that address only: with another address it is typed anew.", Hidden: map[string]string{"version": fmt.Sprint(s.Version)},
		CLI: "blueberry subscription change " + s.ID + " --event 'environment.*'", Call: "PATCH /v1/subscriptions/" + s.ID, Body: `{"events": ["environment.*"]}`,
	}, nil, option{subscriptionsPath, "Notifications"}, option{subscriptionPath(s.ID), s.Name}), nil
}

func changeSubscription(v *visit) (string, error) {
	s, err := v.subscription()
	if err != nil {
		return "", err
	}
	var faults []sdk.FieldError
	r := sdk.ChangeSubscriptionRequest{
		Name: v.another("name", s.Name), URL: v.another("url", ""), Key: v.another("key", ""), To: v.another("to", ""), User: v.another("user", ""), Region: v.another("region", ""),
		Stream: v.another("stream", ""),
	}
	if events := lines(v.r.PostForm.Get("events")); !slices.Equal(events, s.Events) {
		r.Events = &events
	}
	if quiet := v.quietSaid(&faults); v.r.PostForm.Has("quiet.windows") && (quietText(quiet) != quietText(s.Quiet) || quiet.TimeZone != s.Quiet.TimeZone) {
		r.Quiet = &quiet
	}
	if off := v.said("off") == "yes"; off != s.Off {
		r.Off = &off
	}
	if len(faults) > 0 {
		return "", again{faulty(faults), v.changeSubscriptionForm}
	}
	if _, err := v.api.ChangeSubscription(v.ctx, s.ID, r, v.matching()...); err != nil {
		return "", v.formError(err, v.changeSubscriptionForm)
	}
	return subscriptionPath(s.ID) + "?done=subscription-changed", nil
}

func (v *visit) subscriptionVerbForm(p *sdk.Problem) (page, error) {
	s, err := v.subscription()
	if err != nil {
		return page{}, err
	}
	word, grant, allowed := v.r.PathValue("verb"), blueberry.GrantSubscriptionsWrite, s.MayWrite
	a := ask{
		Action: subscriptionPath(s.ID, word), Back: subscriptionPath(s.ID), Problem: p, CLI: "blueberry subscription " + word + " " + s.ID, Call: "POST /v1/subscriptions/" + s.ID + "/" + word,
	}
	switch word {
	case "test":
		a.Title, a.Label, a.What = "Test "+s.Name, "Send a test", "An event that is none is sent now, once, and how it went is shown."
	case "rotate":
		a.Title, a.Label, a.What = "New secret of "+s.Name, "Make a new secret", "For a week what is sent is signed by the former secret as well, so that the receiver has time."
	case "redrive":
		grant, allowed = blueberry.GrantNoticesRedrive, s.MayRedrive
		a.Title, a.Label, a.What = "Redrive "+s.Name, "Send the dead ones again", "Every notice that was given up is sent once more, under the same event id."
		a.CLI = "blueberry notice redrive --subscription " + s.ID
	case "remove":
		a.Title, a.Label, a.Danger, a.What = "Remove "+s.Name, "Remove it", true, "Nobody is told by it any more. Its notices go with it: those that wait are not sent, and what became of the others is forgotten."
		a.Call, a.Hidden = "DELETE /v1/subscriptions/"+s.ID, map[string]string{"version": fmt.Sprint(s.Version)}
	default:
		return page{}, nothingThere()
	}
	if !allowed {
		return page{}, forbidden(v.who.CanIn(s.Project, grant))
	}
	return asking(subscriptionsPath, a, nil, option{subscriptionsPath, "Notifications"}, option{subscriptionPath(s.ID), s.Name}), nil
}

func doSubscriptionVerb(v *visit) (string, error) {
	id, word := v.r.PathValue("id"), v.r.PathValue("verb")
	var err error
	switch word {
	case "test":
		var n sdk.Notice
		if n, err = v.api.TestSubscription(v.ctx, id); err == nil {
			return noticePath(n.ID) + "?done=subscription-tested", nil
		}
	case "rotate":
		var r sdk.AddedSubscription
		if r, err = v.api.RotateSubscription(v.ctx, id, sdk.RotateSubscriptionRequest{}); err == nil {
			return "", told("New secret of "+r.Subscription.Name, r.Secret, subscriptionPath(id))
		}
	case "redrive":
		if _, err = v.api.RedriveSubscription(v.ctx, id); err == nil {
			return subscriptionPath(id) + "?done=subscription-redriven", nil
		}
	case "remove":
		if err = v.api.RemoveSubscription(v.ctx, id, v.matching()...); err == nil {
			return subscriptionsPath + "?done=subscription-removed", nil
		}
	default:
		err = nothingThere()
	}
	return "", v.formError(err, v.subscriptionVerbForm)
}

// shapeOfSubscription is how it goes, in a shape and a word.
func shapeOfSubscription(s sdk.Subscription) (shape, string) {
	switch {
	case s.Off && s.OffWhy != "":
		return bad, "off"
	case s.Off:
		return idle, "off"
	case !s.Health.FailingSince.IsZero():
		return bad, "fails"
	case s.Health.DeliveredAt.IsZero():
		return idle, "not told yet"
	}
	return good, "arrives"
}
