package chat_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
	"github.com/blueberry-idp/blueberry/internal/notify/chat"
	"github.com/blueberry-idp/blueberry/internal/notify/sendertest"
)

var update = flag.Bool("update", false, "write golden files")

// drivers are all of the package.
func drivers() map[string]func(out *notify.Outbound) notify.Sender {
	return map[string]func(out *notify.Outbound) notify.Sender{
		"slack":     func(out *notify.Outbound) notify.Sender { return chat.Slack{Outbound: out} },
		"teams":     func(out *notify.Outbound) notify.Sender { return chat.Teams{Outbound: out} },
		"discord":   func(out *notify.Outbound) notify.Sender { return chat.Discord{Outbound: out} },
		"pagerduty": func(out *notify.Outbound) notify.Sender { return chat.PagerDuty{Outbound: out} },
	}
}

func TestSenders(t *testing.T) {
	t.Parallel()
	for name, open := range drivers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sendertest.Run(t, open)
		})
	}
}

// sent gives what a receiver gets of a parcel.
func sent(t *testing.T, open func(out *notify.Outbound) notify.Sender, p notify.Parcel) (body map[string]any) {
	t.Helper()
	r := sendertest.Open(t)
	key := p.Address.Key
	p.Address = blueberry.SubscriptionAddress{URL: r.URL, Key: key}
	if res := open(&notify.Outbound{AllowLocal: true}).Send(t.Context(), p); !res.OK() {
		t.Fatalf("%+v", res)
	}
	if err := json.Unmarshal(r.Got()[0].Body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestWhatPeopleGet(t *testing.T) {
	t.Parallel()
	plain := sendertest.Parcel(blueberry.SubscriptionAddress{Key: "0123456789abcdef0123456789abcdef"})
	hostile := plain
	hostile.Message.Title = "<!channel> @everyone <https://evil.example|click> &amp; *bold* _it_ `code`"
	hostile.Message.Text = "<@U1> @here [link](https://evil.example) <at>Ada</at> {{DATE(2026)}} ${x} # > - ~~gone~~ ||spoiler|| \\*"
	hostile.Message.Link = ""
	for name, open := range drivers() {
		for kind, p := range map[string]notify.Parcel{"plain": plain, "hostile": hostile} {
			got, err := json.MarshalIndent(sent(t, open, p), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+"_"+kind+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.TrimSpace(string(want)), string(got)); d != "" {
				t.Errorf("%s of %s (-want +got):\n%s", kind, name, d)
			}
		}
	}
}

// texts gives every text of a message, by its key.
func texts(v any, key string, add func(key, text string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			texts(x, k, add)
		}
	case []any:
		for _, x := range v {
			texts(x, key, add)
		}
	case string:
		add(key, v)
	}
}

// Nothing that someone wrote into a message calls anybody, links anywhere or looks like more than text.
func TestNoTextBecomesMarkup(t *testing.T) {
	t.Parallel()
	never := map[string][]string{
		"slack": {"<!", "<@", "<https://evil", "@everyone", "@here"}, "discord": {"@everyone", "@here", " [link]", " *bold*", " `code`", "||spoiler"},
		"teams": {"@everyone", "<at>", "{{", "${"}, "pagerduty": {"@everyone"},
	}
	for name, open := range drivers() {
		p := sendertest.Parcel(blueberry.SubscriptionAddress{})
		p.Message.Title = "x <!channel> @everyone <https://evil.example|click> *bold* `code`"
		p.Message.Text = "x <@U1> @here [link](https://evil.example) <at>Ada</at> {{DATE(2026)}} ${x} ||spoiler||"
		texts(sent(t, open, p), "", func(key, text string) {
			for _, bad := range never[name] {
				if strings.Contains(text, bad) {
					t.Errorf("%s: %s holds %q: %q", name, key, bad, text)
				}
			}
		})
	}
}

// Receivers refuse what is longer than they take.
func TestMessagesFit(t *testing.T) {
	t.Parallel()
	limits := map[string]map[string]int{
		"slack": {"text": 3000}, "discord": {"title": 256, "description": 4096}, "teams": {"text": 28_000}, "pagerduty": {"summary": 1024},
	}
	for name, open := range drivers() {
		for _, text := range []string{strings.Repeat("<&@*", 500), strings.Repeat("a", 2000), strings.Repeat("🫐", 2000)} {
			p := sendertest.Parcel(blueberry.SubscriptionAddress{})
			p.Message.Title, p.Message.Text = text[:148], text
			found := false
			texts(sent(t, open, p), "", func(key, text string) {
				if n := utf8.RuneCountInString(text); limits[name][key] > 0 {
					if found = true; n > limits[name][key] {
						t.Errorf("%s: %s has %d characters", name, key, n)
					}
				}
			})
			if !found {
				t.Errorf("%s: nothing to measure", name)
			}
		}
	}
}

func TestWhatEventsDoToIncidents(t *testing.T) {
	t.Parallel()
	for event, c := range map[blueberry.EventType]struct{ environment, action, severity, dedup string }{
		blueberry.EnvironmentFailed:        {"env_1", "trigger", "critical", "blueberry/env_1/health"},
		blueberry.EnvironmentDegraded:      {"env_1", "trigger", "error", "blueberry/env_1/health"},
		blueberry.EnvironmentRecovered:     {"env_1", "resolve", "", "blueberry/env_1/health"},
		blueberry.EnvironmentLeaseEnding:   {"env_1", "trigger", "warning", "blueberry/env_1/lease"},
		blueberry.EnvironmentLeaseExtended: {"env_1", "resolve", "", "blueberry/env_1/lease"},
		blueberry.EnvironmentRequested:     {"env_1", "trigger", "info", "blueberry/evt_1"},
		blueberry.TargetRemoved:            {"", "trigger", "info", "blueberry/evt_1"},
	} {
		p := sendertest.Parcel(blueberry.SubscriptionAddress{Key: "k"})
		p.Event.Type, p.Event.EnvironmentID = event, c.environment
		got := sent(t, drivers()["pagerduty"], p)
		severity := ""
		if payload, ok := got["payload"].(map[string]any); ok {
			severity, _ = payload["severity"].(string)
		}
		if got["event_action"] != c.action || severity != c.severity || got["dedup_key"] != c.dedup || got["routing_key"] != "k" {
			t.Errorf("%s: %v", event, got)
		}
	}
}

// What ends one kind of trouble of an environment leaves its other incidents open.
func TestOnlyItsOwnRecoveryEndsAnIncident(t *testing.T) {
	t.Parallel()
	r := sendertest.Open(t)
	open := map[string]bool{}
	tell := func(event blueberry.EventType) {
		t.Helper()
		before := len(r.Got())
		p := sendertest.Parcel(blueberry.SubscriptionAddress{URL: r.URL, Key: "k"})
		p.Event.Type = event
		if res := (chat.PagerDuty{Outbound: &notify.Outbound{AllowLocal: true}}).Send(t.Context(), p); !res.OK() {
			t.Fatalf("%s: %+v", event, res)
		}
		for _, g := range r.Got()[before:] {
			var said struct {
				Action string `json:"event_action"`
				Key    string `json:"dedup_key"`
			}
			if err := json.Unmarshal(g.Body, &said); err != nil {
				t.Fatal(err)
			}
			if open[said.Key] = true; said.Action == "resolve" {
				delete(open, said.Key)
			}
		}
	}
	for _, trouble := range []blueberry.EventType{
		blueberry.EnvironmentFailed, blueberry.EnvironmentLeaseEnding, blueberry.EnvironmentDriftDetected, blueberry.EnvironmentBlocked, blueberry.EnvironmentCauseFound,
		blueberry.EnvironmentUpdateRefused,
	} {
		tell(trouble)
	}
	if len(open) != 6 {
		t.Fatalf("open are %v", open)
	}
	for recovery, left := range map[blueberry.EventType]int{blueberry.EnvironmentLeaseExtended: 5, blueberry.EnvironmentDriftRepaired: 5, blueberry.EnvironmentUnblocked: 5, blueberry.EnvironmentCauseGone: 5, blueberry.EnvironmentRecovered: 5} {
		was := maps.Clone(open)
		if tell(recovery); len(open) != left {
			t.Errorf("after %s are open %v", recovery, open)
		}
		open = was
	}
	if tell(blueberry.EnvironmentTerminated); len(open) != 0 {
		t.Errorf("of an environment that is gone are open %v", open)
	}
}
