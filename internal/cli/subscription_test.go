package cli_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

const hookURL = "https://hooks.test/t0ken"

// TestEveryFormOfSubscriptions is TestEveryFormOfEveryCommand for who is told of events.
func TestEveryFormOfSubscriptions(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.must(t, "subscription", "add", "ci", "--kind", "webhook", "--url", hookURL, "--event", "environment.*")
	notice := strings.TrimSpace(p.must(t, "subscription", "test", "ci", "-o", "name"))
	for _, args := range [][]string{
		{"subscription", "list"},
		{"subscription", "get", "ci"},
		{"subscription", "change", "ci", "--event", "pull.*"},
		{"subscription", "test", "ci"},
		{"subscription", "rotate", "ci"},
		{"notice", "list", "--subscription", "ci"},
		{"notice", "get", notice},
		{"notice", "redrive", "--subscription", "ci"},
	} {
		name := strings.Join(args, " ")
		for _, form := range []string{"json", "yaml"} {
			var tree any
			text := p.must(t, append(args, "-o", form)...)
			if err := yaml.Unmarshal([]byte(text), &tree); err != nil || tree == nil {
				t.Errorf("%s -o %s: %v\n%s", name, form, err, text)
			}
		}
		for _, flags := range [][]string{{"-q", "-o", "wide"}, {"-q", "-o", "name"}, {"-q", "--output", ""}} {
			if p.must(t, append(args, flags...)...) == "" {
				t.Errorf("%s %v prints nothing", name, flags)
			}
			if p.err.String() != "" {
				t.Errorf("%s %v says on the way: %s", name, flags, p.err.String())
			}
		}
		p.terminal, p.env["NO_COLOR"] = true, "1"
		if got := p.must(t, args...); strings.Contains(got, "\x1b") {
			t.Errorf("%s is coloured in spite of NO_COLOR: %q", name, got)
		}
		p.terminal = false
		delete(p.env, "NO_COLOR")
	}
	contains(t, "subscriptions", p.must(t, "__complete", "subscription", "get", ""), "ci\twebhook\n")
	contains(t, "subscriptions of a flag", p.must(t, "__complete", "notice", "list", "--subscription", ""), "ci\twebhook\n")
	contains(t, "notices", p.must(t, "__complete", "notice", "get", ""), notice+"\tdelivered: subscription.test")
	contains(t, "kinds", p.must(t, "__complete", "subscription", "add", "--kind", ""), "webhook\nslack\nteams\ndiscord\npagerduty\nmail\nsqs\npubsub\nnats\n")
	contains(t, "states", p.must(t, "__complete", "notice", "list", "--state", ""), "waiting\ndelivered\ndead\n")
	for _, args := range [][]string{{"subscription", "get", "x"}, {"notice", "get", "x"}} {
		if got := p.must(t, append([]string{"__complete"}, append(args, "")...)...); got != ":4\n" {
			t.Errorf("%v: a second one is completed: %q", args, got)
		}
	}
}

func TestSubscriptionsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	for noun, want := range map[string]string{"subscription": "no subscriptions\n", "notice": "no notices\n"} {
		if got := p.must(t, noun, "list"); got != want {
			t.Errorf("an empty list of %s prints %q", noun, got)
		}
	}
	p.in = hookURL + "\n"
	out := p.must(t, "subscription", "add", "ci", "--kind", "webhook", "--url", "-", "--event", "environment.ready,environment.failed", "--event", "pull.*", "--project", "default")
	contains(t, "add", out, "subscription  sub_", "\nsecret        whsec_")
	contains(t, "on the way", p.err.String(), "added ci as sub_", "blueberry subscription test tries it", "It is not shown again")
	id := reads[sdk.Subscription](t, p, 0, "subscription", "get", "ci").ID
	contains(t, "get by id", p.must(t, "subscription", "get", id), "name            ci\n", "project         default\n", "kind            webhook\n", "endpoint        https://hooks.test\n",
		"events          environment.ready, environment.failed, pull.*\n", "state           nothing sent yet\n", "last delivered  -\n")
	if strings.Contains(p.out.String(), "t0ken") {
		t.Errorf("the address is shown:\n%s", p.out.String())
	}
	contains(t, "test", p.must(t, "subscription", "test", "ci"), "event         subscription.test\n", "state         delivered\n", "ATTEMPT", "200")
	r.Receivers.Answer(503)
	out, said := p.ends(t, cli.ExitError, "subscription", "test", "ci")
	contains(t, "a test that fails", out, "state         dead\n", "503", "answered 503")
	contains(t, "a test that fails", said, "the test was not delivered: answered 503")
	contains(t, "notices", p.must(t, "notice", "list", "--subscription", id, "--state", "dead"), "ID", "MADE", "subscription.test", "dead", "answered 503")
	contains(t, "notices -o wide", p.must(t, "notice", "list", "-o", "wide"), id, "EVENT ID", "evt_", "tests subscription ci")
	dead := strings.TrimSpace(p.must(t, "notice", "list", "--state", "dead", "-o", "name"))
	r.Receivers.Answer(200)
	contains(t, "redrive", p.must(t, "notice", "redrive", dead), "notice        "+dead)
	contains(t, "redrive of all", p.must(t, "notice", "redrive", "--subscription", "ci"), " notices are sent again\n")

	contains(t, "a chat", p.must(t, "subscription", "add", "room", "--kind", "slack", "--url", hookURL, "--event", "*", "--quiet-hours", "mon-fri 19:00-07:00", "--quiet-hours", "sat,sun 00:00-24:00",
		"--time-zone", "Europe/Zurich", "--installation"), "project         (installation)\n", "quiet           mon,tue,wed,thu,fri 19:00-07:00 Europe/Zurich\n", "quiet           sat,sun 00:00-00:00 Europe/Zurich\n")
	room := reads[[]sdk.Subscription](t, p, 0, "subscription", "list")[1].ID
	contains(t, "list", p.must(t, "subscription", "list"), "NAME  PROJECT         KIND     EVENTS", "ci    default", "room  (installation)  slack    *")
	contains(t, "list of one", p.must(t, "subscription", "list", "--project", "default", "-o", "name"), "ci\n")
	contains(t, "change of the hours", p.must(t, "subscription", "change", room, "--quiet-hours", "sun 00:00-24:00"), "quiet           sun 00:00-00:00 Europe/Zurich\n")
	contains(t, "change of the zone", p.must(t, "subscription", "change", room, "--time-zone", "UTC"), "quiet           sun 00:00-00:00 UTC\n")
	if got := p.must(t, "subscription", "change", room, "--quiet-hours", ""); strings.Contains(got, "quiet") {
		t.Errorf("it is quiet still:\n%s", got)
	}
	contains(t, "change", p.must(t, "subscription", "change", "ci", "--event", "*", "--off", "--name", "other", "--url", "https://moved.test/x"), "name            other\n", "state           off\n", "events          *\n",
		"endpoint        https://moved.test\n")
	contains(t, "on again", p.must(t, "subscription", "change", "other", "--off=false", "--name", "ci"), "state           ")
	contains(t, "pagerduty", p.must(t, "subscription", "add", "on-call", "--kind", "pagerduty", "--key", strings.Repeat("a", 32), "--event", "environment.failed"), "endpoint        https://events.pagerduty.com\n")
	contains(t, "mail", p.must(t, "subscription", "add", "team", "--kind", "mail", "--to", "team@example.com", "--event", "environment.failed"), "endpoint        team@example.com\n")
	p.in = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"
	contains(t, "rotate", p.must(t, "subscription", "rotate", "ci", "--secret-stdin"), "secret        whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":          {[]string{"subscription", "add", "x"}, cli.ExitUsage, "--kind is needed"},
		"no event":         {[]string{"subscription", "add", "x", "--quiet-hours", "always"}, cli.ExitUsage, "--event is needed, as environment.ready\n  --quiet-hours: \"always\" is not days and hours"},
		"no name":          {[]string{"subscription", "add"}, cli.ExitUsage, "takes 1 argument(s)"},
		"two inputs":       {[]string{"subscription", "add", "x", "--kind", "webhook", "--event", "*", "--url", "-", "--secret-stdin"}, cli.ExitUsage, "would read the same input"},
		"faults":           {[]string{"subscription", "add", "No", "--kind", "pigeon", "--event", "[", "--url", "http://10.0.0.1"}, cli.ExitRefused, "url: leads into a network"},
		"taken":            {[]string{"subscription", "add", "ci", "--kind", "webhook", "--event", "*", "--url", hookURL}, cli.ExitRefused, "subscription ci"},
		"change nothing":   {[]string{"subscription", "change", "ci"}, cli.ExitUsage, "name what is to change"},
		"change unknown":   {[]string{"subscription", "change", "none", "--off"}, cli.ExitRefused, "there is no subscription none in project default"},
		"change badly":     {[]string{"subscription", "change", "ci", "--quiet-hours", "sun 00:00-24:00"}, cli.ExitRefused, "quiet: "},
		"change two":       {[]string{"subscription", "change", "ci", "--url", "-", "--key", "-"}, cli.ExitUsage, "would read the same input"},
		"unknown id":       {[]string{"subscription", "get", "sub_none"}, cli.ExitRefused, "sub_none"},
		"rotate unknown":   {[]string{"subscription", "rotate", "none"}, cli.ExitRefused, "none"},
		"rotate a chat":    {[]string{"subscription", "rotate", room}, cli.ExitRefused, "signs nothing"},
		"test unknown":     {[]string{"subscription", "test", "none"}, cli.ExitRefused, "none"},
		"remove unasked":   {[]string{"subscription", "remove", "ci"}, cli.ExitUsage, "--yes is needed"},
		"remove unknown":   {[]string{"subscription", "remove", "none", "--yes"}, cli.ExitRefused, "none"},
		"list of 0":        {[]string{"subscription", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"notices of 0":     {[]string{"notice", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"notices of none":  {[]string{"notice", "list", "--subscription", "none"}, cli.ExitRefused, "none"},
		"odd state":        {[]string{"notice", "list", "--state", "odd"}, cli.ExitRefused, "state"},
		"no notice":        {[]string{"notice", "get", "ntc_none"}, cli.ExitRefused, "ntc_none"},
		"redrive nothing":  {[]string{"notice", "redrive"}, cli.ExitUsage, "name a notice, or a subscription"},
		"redrive both":     {[]string{"notice", "redrive", "x", "--subscription", "ci"}, cli.ExitUsage, "name a notice, or a subscription"},
		"redrive none":     {[]string{"notice", "redrive", "ntc_none"}, cli.ExitRefused, "ntc_none"},
		"redrive of none":  {[]string{"notice", "redrive", "--subscription", "none"}, cli.ExitRefused, "none"},
		"redrive of no id": {[]string{"notice", "redrive", "--subscription", "sub_none"}, cli.ExitRefused, "sub_none"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}

	p.terminal, p.in = true, "n\n"
	if got := p.must(t, "subscription", "remove", "ci"); got != "" {
		t.Errorf("a no prints %q", got)
	}
	contains(t, "question", p.err.String(), "This forgets subscription ci with its notices", "[y/N]", "nothing was changed")
	p.in = "y\n"
	if got := p.must(t, "subscription", "remove", "ci"); got != "forgot ci\n" {
		t.Errorf("remove prints %q", got)
	}
	p.terminal = false
	p.ends(t, cli.ExitRefused, "subscription", "get", id)
}
