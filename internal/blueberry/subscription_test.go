package blueberry_test

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func codesOf(err error) []string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return nil
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Field+" "+f.Code)
	}
	slices.Sort(out)
	return out
}

func manyPatterns(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("environment.%d", i))
	}
	return out
}

func TestSubscriptionsAreChecked(t *testing.T) {
	t.Parallel()
	const hook, key = "https://hooks.example.com/t0ken", "0123456789abcdef0123456789ABCDEF"
	all := []blueberry.SleepWindow{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}}}
	night := blueberry.QuietHours{Windows: []blueberry.SleepWindow{{Days: []time.Weekday{1}, From: 1140, To: 420}}, TimeZone: "Europe/Zurich"}
	for name, c := range map[string]struct {
		kind    blueberry.SubscriptionKind
		address blueberry.SubscriptionAddress
		alter   func(s *blueberry.Subscription)
		local   bool
		want    []string
	}{
		"webhook":             {kind: "webhook", address: blueberry.SubscriptionAddress{URL: hook}},
		"slack with quiet":    {kind: "slack", address: blueberry.SubscriptionAddress{URL: hook}, alter: func(s *blueberry.Subscription) { s.Quiet = night }},
		"pagerduty":           {kind: "pagerduty", address: blueberry.SubscriptionAddress{Key: key}},
		"pagerduty of the EU": {kind: "pagerduty", address: blueberry.SubscriptionAddress{Key: key, URL: "https://events.eu.pagerduty.com/v2/enqueue"}},
		"mail":                {kind: "mail", address: blueberry.SubscriptionAddress{To: "team@example.com"}},
		"here":                {kind: "webhook", address: blueberry.SubscriptionAddress{URL: "http://127.0.0.1:8080/x"}, local: true},
		"all wrong": {
			kind: "webhook", address: blueberry.SubscriptionAddress{URL: "http://user:pass@10.0.0.1/#x", Key: key, To: "a@example.com"},
			alter: func(s *blueberry.Subscription) { s.Name, s.Events, s.Quiet = "No", nil, night },
			want:  []string{"events required", "key forbidden", "name pattern", "quiet forbidden", "to forbidden", "url forbidden", "url local", "url scheme"},
		},
		"events": {
			kind: "webhook", address: blueberry.SubscriptionAddress{URL: hook},
			alter: func(s *blueberry.Subscription) {
				s.Events = []string{"environment.*", "Environment", "", "a/b", "environment.*", "notice.dead", "subscription.*", "[", strings.Repeat("a", 101)}
			},
			want: []string{"events[1] pattern", "events[2] pattern", "events[3] pattern", "events[4] duplicate", "events[5] forbidden", "events[6] forbidden", "events[7] pattern", "events[8] pattern"},
		},
		"too many events": {kind: "webhook", address: blueberry.SubscriptionAddress{URL: hook}, alter: func(s *blueberry.Subscription) { s.Events = manyPatterns(51) }, want: []string{"events too_many"}},
		"no kind":         {kind: "pigeon", address: blueberry.SubscriptionAddress{URL: hook}, want: []string{"kind unknown"}},
		"no address":      {kind: "teams", want: []string{"url required"}},
		"no mailbox":      {kind: "mail", address: blueberry.SubscriptionAddress{To: "Team <a@example.com>", URL: hook}, want: []string{"to email", "url forbidden"}},
		"no key":          {kind: "pagerduty", address: blueberry.SubscriptionAddress{Key: "short", URL: "ftp://x"}, want: []string{"key pattern", "url url"}},
		"never":           {kind: "slack", address: blueberry.SubscriptionAddress{URL: hook}, alter: func(s *blueberry.Subscription) { s.Quiet.Windows = all }, want: []string{"quiet.windows range"}},
		"quiet": {kind: "slack", address: blueberry.SubscriptionAddress{URL: hook}, alter: func(s *blueberry.Subscription) {
			s.Quiet = blueberry.QuietHours{Windows: []blueberry.SleepWindow{{From: -1}}, TimeZone: "Mars"}
		}, want: []string{"quiet.time_zone unknown", "quiet.windows[0].days required", "quiet.windows[0].from range"}},
	} {
		s := blueberry.Subscription{Name: "ci", Kind: c.kind, Events: []string{"environment.ready"}}
		if c.alter != nil {
			c.alter(&s)
		}
		var f blueberry.Faults
		f.CheckSubscription(s, c.address, c.local)
		if d := cmp.Diff(c.want, codesOf(f.Err())); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for _, x := range f {
			if strings.Contains(x.Message, "t0ken") || strings.Contains(x.Message, "pass") && strings.Contains(x.Message, "user:") {
				t.Errorf("%s: a fault repeats the address: %s", name, x.Message)
			}
		}
	}
}

// An address that leads into a network of the server's own is refused in whatever form it is written.
func TestAddressesOfOnesOwnNetworks(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "[::1]", "[::]", "0.0.0.0", "10.1.2.3",
		"172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]",
		"[2002:7f00:1::]", "[2001::1]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd00::1]", "[ff02::1]", "[fec0::1]", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1",
		"[2001:db8::1]", "[100::1]", "1.2.3", "0x",
	} {
		var f blueberry.Faults
		f.CheckSubscription(blueberry.Subscription{Name: "x", Kind: "webhook", Events: []string{"*"}}, blueberry.SubscriptionAddress{URL: "https://" + host + "/"}, false)
		if got := codesOf(f.Err()); !slices.Contains(got, "url local") && !slices.Contains(got, "url url") {
			t.Errorf("%s is taken: %v", host, got)
		}
	}
	for _, host := range []string{"hooks.example.com", "93.184.216.34", "[::ffff:93.184.216.34]", "[2606:2800:220:1::1]", "[64:ff9b::5db8:d822]", "8.8.8.8", "a1.example.x2"} {
		var f blueberry.Faults
		f.CheckSubscription(blueberry.Subscription{Name: "x", Kind: "webhook", Events: []string{"*"}}, blueberry.SubscriptionAddress{URL: "https://" + host + "/"}, false)
		if err := f.Err(); err != nil {
			t.Errorf("%s is refused: %v", host, err)
		}
	}
}

func FuzzSubscriptionAddress(f *testing.F) {
	for _, seed := range []string{
		"https://hooks.example.com/x", "https://127.0.0.1", "http://[::1]:80/", "https://0x7f.1/", "https://a@b", "://", "https://[fe80::1%25x]/",
		"https://sqs.eu-central-1.amazonaws.com/123456789012/events", "https://sqs.x@amazonaws.com/1/q", "https://europe-west1-pubsub.googleapis.com", "tls://nats.example.com:4222,tls://10.0.0.1",
		"nats://user:pass@x", "tls://[::1]:4222",
	} {
		f.Add(seed, "blueberry.events", "")
	}
	f.Add("", "projects/acme/topics/events", `{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}`)
	f.Fuzz(func(t *testing.T, text, to, key string) {
		for _, kind := range blueberry.SubscriptionKinds() {
			fuzzAddress(t, kind, blueberry.SubscriptionAddress{URL: text, To: to, Key: key})
		}
	})
}

// fuzzAddress holds what is taken of an address to what may be dialled: no host of one's own, no plain connection, nobody's name in it.
func fuzzAddress(t *testing.T, kind blueberry.SubscriptionKind, a blueberry.SubscriptionAddress) {
	t.Helper()
	switch kind {
	case "sqs":
		a.To, a.User, a.Region = "", "AKIAEXAMPLE123456789", "eu-central-1"
		a.Key = strings.Repeat("k", 40)
	case "mail", "pagerduty", "pubsub", "nats":
	default:
		a.To, a.Key = "", ""
	}
	var faults blueberry.Faults
	faults.CheckSubscription(blueberry.Subscription{Name: "x", Kind: kind, Events: []string{"*"}}, a, false)
	shown := a.Shown(kind)
	if faults.Err() != nil || a.URL == "" {
		return
	}
	scheme, hosts := "https", []string{a.URL}
	if kind == "nats" {
		scheme, hosts = "tls", strings.Split(a.URL, ",")
	}
	for _, text := range hosts {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != scheme || u.User != nil || u.Hostname() == "" {
			t.Fatalf("%s: %q is taken", kind, text)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !blueberry.PublicAddress(ip) {
			t.Fatalf("%s: %q is taken, an address of one's own", kind, text)
		}
		switch host := u.Hostname(); {
		case kind == "sqs" && !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn") && !strings.HasSuffix(host, ".api.aws"):
			t.Fatalf("%q is taken for AWS", text)
		case kind == "pubsub" && !strings.HasSuffix(host, ".googleapis.com"):
			t.Fatalf("%q is taken for Google", text)
		case kind == "webhook" && shown != "https://"+u.Host:
			t.Fatalf("of %q %q is shown", text, shown)
		}
	}
	if a.Key != "" && kind != "pagerduty" && strings.Contains(shown, a.Key) && len(a.Key) > 8 && !strings.Contains(a.URL+a.To, a.Key) {
		t.Fatalf("%s: the key is shown", kind)
	}
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	zurich, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	at := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, zurich) }
	week := []time.Weekday{1, 2, 3, 4, 5}
	nights := blueberry.SleepWindow{Days: week, From: 19 * 60, To: 7 * 60}
	weekend := blueberry.SleepWindow{Days: []time.Weekday{6, 0}}
	for name, c := range map[string]struct {
		windows []blueberry.SleepWindow
		now     time.Time
		want    time.Time // zero: it is not quiet
	}{
		"none":                         {nil, at(2026, 3, 2, 23, 0), time.Time{}},
		"by day":                       {[]blueberry.SleepWindow{nights}, at(2026, 3, 2, 12, 0), time.Time{}},
		"at its beginning":             {[]blueberry.SleepWindow{nights}, at(2026, 3, 2, 19, 0), at(2026, 3, 3, 7, 0)},
		"a minute before":              {[]blueberry.SleepWindow{nights}, at(2026, 3, 2, 18, 59), time.Time{}},
		"behind midnight":              {[]blueberry.SleepWindow{nights}, at(2026, 3, 3, 3, 0), at(2026, 3, 3, 7, 0)},
		"at its end":                   {[]blueberry.SleepWindow{nights}, at(2026, 3, 3, 7, 0), time.Time{}},
		"from friday over the weekend": {[]blueberry.SleepWindow{nights, weekend}, at(2026, 3, 6, 20, 0), at(2026, 3, 9, 0, 0)},
		"a day off alone":              {[]blueberry.SleepWindow{weekend}, at(2026, 3, 7, 12, 0), at(2026, 3, 9, 0, 0)},
		"the clocks go forward":        {[]blueberry.SleepWindow{{Days: []time.Weekday{6}, From: 22 * 60, To: 7 * 60}}, at(2026, 3, 28, 23, 0), at(2026, 3, 29, 7, 0)},
		"the clocks go back":           {[]blueberry.SleepWindow{{Days: []time.Weekday{6}, From: 22 * 60, To: 7 * 60}}, at(2026, 10, 24, 23, 0), at(2026, 10, 25, 7, 0)},
		"an end that the clocks skip":  {[]blueberry.SleepWindow{{Days: []time.Weekday{0}, From: 60, To: 2*60 + 30}}, at(2026, 3, 29, 1, 30), time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)},
	} {
		got := blueberry.QuietHours{Windows: c.windows, TimeZone: "Europe/Zurich"}.Until(c.now)
		if !got.Equal(c.want) {
			t.Errorf("%s: at %s quiet until %s, want %s", name, c.now, got, c.want)
		}
		if !got.IsZero() && !(blueberry.QuietHours{Windows: c.windows, TimeZone: "Europe/Zurich"}).Until(got).IsZero() {
			t.Errorf("%s: when it ends, it is quiet", name)
		}
	}
	forward, back := at(2026, 3, 29, 7, 0).Sub(at(2026, 3, 28, 23, 0)), at(2026, 10, 25, 7, 0).Sub(at(2026, 10, 24, 23, 0))
	if forward != 7*time.Hour || back != 9*time.Hour {
		t.Errorf("the nights of the clocks have %s and %s", forward, back)
	}
}

func TestWhichEventsASubscriptionWants(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		project  string
		patterns []string
		event    string
		of       string
		want     bool
	}{
		"exactly":                {"shop", []string{"environment.ready"}, "environment.ready", "shop", true},
		"another":                {"shop", []string{"environment.ready"}, "environment.failed", "shop", false},
		"a family":               {"shop", []string{"environment.*"}, "environment.lease_ending", "shop", true},
		"another family":         {"shop", []string{"environment.*"}, "pull.built", "shop", false},
		"the second":             {"shop", []string{"target.*", "pull.*"}, "pull.built", "shop", true},
		"all":                    {"shop", []string{"*"}, "pull.built", "shop", true},
		"another project":        {"shop", []string{"*"}, "pull.built", "other", false},
		"of no project":          {"shop", []string{"*"}, "target.registered", "", false},
		"of the installation":    {"", []string{"*"}, "target.registered", "", true},
		"of all projects":        {"", []string{"*"}, "pull.built", "other", true},
		"about notices":          {"", []string{"*"}, "notice.dead", "other", false},
		"about subscriptions":    {"", []string{"*"}, "subscription.added", "other", false},
		"that begins like these": {"", []string{"*"}, "noticeboard.hung", "", true},
	} {
		s := blueberry.Subscription{Project: c.project, Events: c.patterns}
		e := blueberry.Event{Type: blueberry.EventType(c.event), Project: c.of}
		if got := s.Wants(e); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		s.Off = true
		if s.Wants(e) {
			t.Errorf("%s: it is off, and wants it", name)
		}
	}
}
