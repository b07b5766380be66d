package blueberry

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Preferences is what one person wants to be told of the environments that are theirs. What is about their account (signing in, invitations, emergencies, tokens
// that end) is told whatever they prefer.
type Preferences struct {
	UserID  string
	Off     bool       // nothing is told
	Events  []string   // patterns of event types: "environment.ready"
	Mail    bool       // to the address of the account
	Channel Channel    // of the person's own; the zero Channel for none
	Quiet   QuietHours // what happens meanwhile is told when they end
	Muted   []string   // projects of which nothing is told

	UpdatedAt time.Time // zero while nobody has set any
	Version   int64     // 0 while nobody has
}

// Channel is a chat or a webhook of one person.
type Channel struct {
	Kind     SubscriptionKind // empty for none
	Endpoint string           // what may be shown of the address
}

// Bounds of Preferences.
const maxMuted = 100

// personalPrefix begins every event that a person may be told of.
const personalPrefix = "environment."

// DefaultPreferences is what counts for who has set none: the mail that the lease of an environment ends.
func DefaultPreferences(userID string) Preferences {
	return Preferences{UserID: userID, Events: []string{string(EnvironmentLeaseEnding)}, Mail: true}
}

// ChannelKinds lists what a channel may be.
func ChannelKinds() []SubscriptionKind {
	return []SubscriptionKind{SubscriptionSlack, SubscriptionTeams, SubscriptionDiscord, SubscriptionWebhook}
}

// CheckPreferences notes everything that is wrong with preferences. With checkAddress that of the channel is looked at: one that is kept has been.
func (f *Faults) CheckPreferences(p Preferences, a SubscriptionAddress, checkAddress, local bool) {
	if len(p.Events) > 0 {
		f.checkEventPatterns("events", p.Events)
	}
	for i, pattern := range p.Events {
		if !strings.HasPrefix(pattern, personalPrefix) {
			f.Add(JoinField("events", "["+itoa(i)+"]"), "forbidden", "%q is none of environments, as environment.ready or environment.*", clip(pattern, maxEventPattern))
		}
	}
	switch {
	case p.Channel.Kind == "":
		if a.URL != "" {
			f.Add("channel.kind", "required", "is needed: slack, teams, discord or webhook")
		}
	case !slices.Contains(ChannelKinds(), p.Channel.Kind):
		f.Add("channel.kind", "unknown", "%q is no kind of channel: slack, teams, discord and webhook are", clip(string(p.Channel.Kind), maxEventPattern))
	case checkAddress:
		f.checkNoticeURL("channel.url", a.URL, local)
	}
	if before := len(*f); !p.Quiet.hours().IsZero() {
		if p.Quiet.hours().Check(f, "quiet"); len(*f) == before && p.Quiet.always() {
			f.Add("quiet.windows", "range", "leave no hour of the week in which anything could be told")
		}
	}
	if len(p.Muted) > maxMuted {
		f.Add("muted", "too_many", "has %d projects, at most %d are allowed", len(p.Muted), maxMuted)
	}
	for i, name := range p.Muted {
		f.CheckName(JoinField("muted", "["+itoa(i)+"]"), name, MaxSubscriptionName)
	}
}

// Wants reports whether the person wants to be told of an event of an environment that is theirs.
func (p Preferences) Wants(t EventType, project string) bool {
	if p.Off || slices.Contains(p.Muted, project) || !strings.HasPrefix(string(t), personalPrefix) {
		return false
	}
	return slices.ContainsFunc(p.Events, func(pattern string) bool { ok, _ := path.Match(pattern, string(t)); return ok })
}

// Personal is the id of the user to whom a subscription belongs; empty for one of a project or of the installation. In place of a project's name it has their
// id, which no project can have.
func (s Subscription) Personal() string {
	if HasIDPrefix(s.Project, UserID) {
		return s.Project
	}
	return ""
}

// The names of the subscriptions of a person: what goes to their address, and to their channel.
const (
	PersonalMail    = "mail"
	PersonalChannel = "channel"
)

// PersonalWish is a subscription of a person, with what they prefer and the environments of theirs that something has happened to.
type PersonalWish struct {
	Subscription Subscription
	Preferences  Preferences
	Environments []string // ids
}

// Wants reports whether an event is told by it. That a lease ends has a mail of its own, with a link that extends it.
func (w PersonalWish) Wants(e Event) bool {
	if w.Subscription.Kind == SubscriptionMail && e.Type == EnvironmentLeaseEnding {
		return false
	}
	return e.EnvironmentID != "" && slices.Contains(w.Environments, e.EnvironmentID) && w.Preferences.Wants(e.Type, e.Project)
}
