package blueberry

import (
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// SubscriptionKind names where a subscription's notices go, and in what form.
type SubscriptionKind string

// The kinds. A webhook, a queue, a topic and a subject are for programs; PagerDuty has schedules of its own; the others are for people.
const (
	SubscriptionWebhook   SubscriptionKind = "webhook"
	SubscriptionSlack     SubscriptionKind = "slack"
	SubscriptionTeams     SubscriptionKind = "teams"
	SubscriptionDiscord   SubscriptionKind = "discord"
	SubscriptionPagerDuty SubscriptionKind = "pagerduty"
	SubscriptionMail      SubscriptionKind = "mail"
	SubscriptionSQS       SubscriptionKind = "sqs"    // a queue at AWS
	SubscriptionPubSub    SubscriptionKind = "pubsub" // a topic at Google Cloud
	SubscriptionNATS      SubscriptionKind = "nats"   // a subject
)

// SubscriptionKinds lists the kinds.
func SubscriptionKinds() []SubscriptionKind {
	return []SubscriptionKind{
		SubscriptionWebhook, SubscriptionSlack, SubscriptionTeams, SubscriptionDiscord, SubscriptionPagerDuty, SubscriptionMail, SubscriptionSQS, SubscriptionPubSub,
		SubscriptionNATS,
	}
}

// ForPeople reports whether people read what goes there, so that it may be held while they sleep.
func (k SubscriptionKind) ForPeople() bool {
	switch k {
	case SubscriptionSlack, SubscriptionTeams, SubscriptionDiscord, SubscriptionMail:
		return true
	}
	return false
}

// Subscription is a wish to be told of events.
type Subscription struct {
	ID       string
	Project  string // whose events; empty for those of the whole installation
	Name     string // one of the name in a project
	Kind     SubscriptionKind
	Events   []string // patterns of event types: "environment.*"
	Endpoint string   // what may be shown of the address: origin or mailbox
	Address  []byte   // SubscriptionAddress, sealed
	Secrets  []byte   // []WebhookSecret, sealed; of a webhook
	Quiet    QuietHours
	Off      bool   // no notices are made, and none are sent
	OffWhy   string // when nobody asked for it
	Health   SubscriptionHealth

	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64
}

// SubscriptionAddress is where notices go. Which fields are set follows from the kind.
type SubscriptionAddress struct {
	URL    string `json:"url,omitempty"`    // of webhooks, chats and queues; of PagerDuty and Pub/Sub empty for their own; of NATS servers, with commas between them
	Key    string `json:"key,omitempty"`    // routing key of PagerDuty; what proves who sends to a queue, topic or subject
	To     string `json:"to,omitempty"`     // mail address, topic or subject
	User   string `json:"user,omitempty"`   // whose Key it is: id of an access key of AWS, user of NATS
	Region string `json:"region,omitempty"` // of AWS; empty where the URL tells it
	Stream string `json:"stream,omitempty"` // of NATS, which must have stored what is sent; empty: nobody needs to
}

// SubscriptionHealth is how sending went of late. It changes no version.
type SubscriptionHealth struct {
	DeliveredAt  time.Time `json:"delivered_at,omitzero"`  // of the last one that was; zero before the first
	FailingSince time.Time `json:"failing_since,omitzero"` // zero while the last one was delivered
	Failures     int       `json:"failures,omitempty"`     // in a row
	LastError    string    `json:"last_error,omitempty"`   // of the last failure, while it fails
	RestUntil    time.Time `json:"rest_until,omitzero"`    // nothing is sent before; zero for no rest
	DeadToldAt   time.Time `json:"dead_told_at,omitzero"`  // when an event last told that a notice is dead
}

// MaxRest is how long a receiver that fails is left alone at most before the next try, unless it asks for more itself.
const MaxRest = time.Minute

// QuietHours are spans of every week in which messages for people are held. None means never.
type QuietHours struct {
	Windows  []SleepWindow
	TimeZone string // of the windows, as "Europe/Zurich"; empty means UTC
}

func (q QuietHours) hours() SleepPolicy { return SleepPolicy{Windows: q.Windows, TimeZone: q.TimeZone} }

// Until is when the quiet ends that holds at a time; zero when it is not quiet. Windows that touch are one.
func (q QuietHours) Until(at time.Time) time.Time {
	p := q.hours()
	if !p.Within(at) {
		return time.Time{}
	}
	var last time.Time
	for _, edge := range p.edges(at) {
		if last = edge.UTC(); !p.within(edge) {
			break
		}
	}
	return last
}

// always reports whether it is never not quiet.
func (q QuietHours) always() bool {
	p, at := q.hours(), time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	return p.Within(at) && p.within(q.Until(at).In(p.location()))
}

// Bounds of a Subscription.
const (
	MaxSubscriptions      = 50 // of a project, and of the installation beside its projects
	MaxSubscriptionName   = 63
	MaxSubscriptionEvents = 50
	maxEventPattern       = 100
	maxSubscriptionURL    = 2048
)

var (
	eventPattern = regexp.MustCompile(`^[a-z0-9_*]+(\.[a-z0-9_*]+)*$`)
	routingKey   = regexp.MustCompile(`^[A-Za-z0-9]{32}$`)
	numberLabel  = regexp.MustCompile(`^([0-9]+|0[xX][0-9A-Fa-f]*)$`)
)

// CheckSubscription notes everything that is wrong with a subscription and its address. local allows addresses of the operator's own networks, and http.
func (f *Faults) CheckSubscription(s Subscription, a SubscriptionAddress, local bool) {
	f.CheckName("name", s.Name, MaxSubscriptionName)
	if !slices.Contains(SubscriptionKinds(), s.Kind) {
		f.Add("kind", "unknown", "%q is no kind of subscription: webhook, slack, teams, discord, pagerduty, mail, sqs, pubsub and nats are", string(s.Kind))
	}
	f.checkEventPatterns("events", s.Events)
	f.checkSubscriptionAddress(s.Kind, a, local)
	quiet := s.Quiet.hours()
	switch before := len(*f); {
	case !s.Kind.ForPeople() && !quiet.IsZero():
		f.Add("quiet", "forbidden", "only slack, teams, discord and mail have quiet hours")
	default:
		if quiet.Check(f, "quiet"); len(*f) == before && s.Quiet.always() {
			f.Add("quiet.windows", "range", "leave no hour of the week in which anything could be sent")
		}
	}
}

func (f *Faults) checkEventPatterns(field string, patterns []string) {
	switch n := len(patterns); {
	case n == 0:
		f.Add(field, "required", "must name at least one type of event, as environment.ready or environment.*")
	case n > MaxSubscriptionEvents:
		f.Add(field, "too_many", "has %d patterns, at most %d are allowed", n, MaxSubscriptionEvents)
	}
	for i, p := range patterns {
		at := JoinField(field, "["+itoa(i)+"]")
		switch {
		case len(p) > maxEventPattern || !eventPattern.MatchString(p):
			f.Add(at, "pattern", "%q is no type of event, as environment.ready; * stands for anything", p)
		case !EventType(p).Tellable():
			f.Add(at, "forbidden", "events about subscriptions and notices are told to nobody: telling would not end")
		case slices.Contains(patterns[:i], p):
			f.Add(at, "duplicate", "%s is named twice", p)
		}
	}
}

func (f *Faults) checkSubscriptionAddress(kind SubscriptionKind, a SubscriptionAddress, local bool) {
	not := func(field, value string) {
		if value != "" {
			f.Add(field, "forbidden", "is not for %s", kind)
		}
	}
	if f.checkTopicAddress(kind, a, local, not) {
		return
	}
	not("user", a.User)
	not("region", a.Region)
	not("stream", a.Stream)
	switch kind {
	case SubscriptionMail:
		f.CheckEmail("to", a.To)
		not("url", a.URL)
		not("key", a.Key)
		return
	case SubscriptionPagerDuty:
		if !routingKey.MatchString(a.Key) {
			f.Add("key", "pattern", "must be the integration key of a service at PagerDuty, 32 letters and digits")
		}
		if a.URL != "" {
			f.checkNoticeURL("url", a.URL, local)
		}
	default:
		f.checkNoticeURL("url", a.URL, local)
		not("key", a.Key)
	}
	not("to", a.To)
}

// checkNoticeURL never repeats the address: it is a secret.
func (f *Faults) checkNoticeURL(field, text string, local bool) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		f.Add(field, "required", "is needed: where to send to")
		return
	case len(text) > maxSubscriptionURL:
		f.Add(field, "too_long", "has %d bytes, at most %d are allowed", len(text), maxSubscriptionURL)
		return
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		f.Add(field, "url", "is no address, as https://hooks.example.com/blueberry")
		return
	}
	if u.Scheme == "http" && !local {
		f.Add(field, "scheme", "must begin with https://")
	}
	if u.User != nil || u.Fragment != "" {
		f.Add(field, "forbidden", "must hold no user name, no password and no fragment")
	}
	if !local && localHost(u.Hostname()) {
		f.Add(field, "local", "leads into a network of the server's own, which the operator does not allow")
	}
}

// localHost reports whether a host is not one of the internet, as far as its name alone tells. What a name resolves to is looked at when it is dialled.
func localHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !PublicAddress(ip)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || numberLabel.MatchString(last) // 127.1, 0x7f000001: some resolvers take them for addresses
}

// special are blocks of public space that lead somewhere else than to a host of the internet (IANA's registries of special-purpose addresses).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
}

var (
	internet6 = netip.MustParsePrefix("2000::/3")     // all that was given out of IPv6
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // an IPv4 address in IPv6 (RFC 6052)
)

// PublicAddress reports whether an address is that of a host of the internet: not loopback, private, link-local, multicast or of special use, in no disguise.
func PublicAddress(ip netip.Addr) bool {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !ip.IsValid() || ip.Zone() != "" || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !internet6.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// Shown is what may be shown of an address: paths and queries of webhooks and chats are often all that it takes to post there.
func (a SubscriptionAddress) Shown(kind SubscriptionKind) string {
	switch kind {
	case SubscriptionMail, SubscriptionPubSub:
		return a.To
	case SubscriptionSQS:
		return a.URL // it takes a key to send there
	case SubscriptionNATS:
		server, _, _ := strings.Cut(a.URL, ",")
		return server + " " + a.To
	}
	u, err := url.Parse(a.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Tellable reports whether subscriptions may be told of events of a type: not of those that telling makes.
func (t EventType) Tellable() bool {
	family, _, _ := strings.Cut(string(t), ".")
	return family != "subscription" && family != "notice"
}

// Wants reports whether the subscription is to be told of an event.
func (s Subscription) Wants(e Event) bool {
	if s.Off || !e.Type.Tellable() || s.Project != "" && s.Project != e.Project {
		return false
	}
	return slices.ContainsFunc(s.Events, func(pattern string) bool { ok, _ := path.Match(pattern, string(e.Type)); return ok })
}

// Delivered is the health after a notice was delivered.
func (h SubscriptionHealth) Delivered(at time.Time) SubscriptionHealth {
	return SubscriptionHealth{DeliveredAt: at, DeadToldAt: h.DeadToldAt}
}

// Failed is the health after one was not: the receiver rests, longer with each failure in a row, and no less than it asks for.
func (h SubscriptionHealth) Failed(r NoticeResult, at time.Time) SubscriptionHealth {
	if h.FailingSince.IsZero() {
		h.FailingSince = at
	}
	h.Failures++
	h.LastError = r.Why()
	rest := min(noticeDelays[min(h.Failures, len(noticeDelays))-1], MaxRest)
	if r.RetryAfter > 0 {
		rest = max(rest, r.retryAfter()) // it can ask for more time, and not for less: what fails takes turns from others
	}
	h.RestUntil = at.Add(rest)
	return h
}

// SubscriptionQuery asks for subscriptions, by id.
type SubscriptionQuery struct {
	Projects []string // nil for all, with those of the installation
	After    string   // id
	Limit    int
}
