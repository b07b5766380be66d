package cli_test

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestPreferencesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, program := rooms(t)
	_, said := program.ends(t, cli.ExitDenied, "preferences", "get")
	contains(t, "a token", said, "only a person has preferences")
	r, p := people(t)
	if code := r.login(t, p, true); code != 0 {
		t.Fatalf("login ends with %d: %s", code, p.err.String())
	}
	contains(t, "before any are set", p.must(t, "preferences", "get"), "told    yes\n", "events  environment.lease_ending\n", "mail    yes\n", "muted   none\n")
	out := p.must(t, "preferences", "set", "--event", "environment.failed,environment.ready", "--quiet-hours", "mon-fri 19:00-07:00", "--time-zone", "Europe/Zurich", "--mute", "playground")
	contains(t, "set", out, "events   environment.failed, environment.ready\n", "quiet    mon,tue,wed,thu,fri 19:00-07:00 Europe/Zurich\n", "muted    playground\n", "by mail  nothing sent yet\n")
	p.in = hookURL + "\n"
	out = p.must(t, "preferences", "set", "--channel", "webhook", "--url", "-")
	contains(t, "a channel", out, "events      environment.failed, environment.ready\n", "channel     webhook https://hooks.test\n", "by channel  nothing sent yet\n")
	contains(t, "its secret", p.err.String(), "whsec_", "it is not shown again")
	if strings.Contains(p.out.String(), "t0ken") {
		t.Errorf("the address is shown:\n%s", p.out.String())
	}
	contains(t, "test", p.must(t, "preferences", "test"), "subscription.test", "delivered")
	if got := r.Receivers.Got(); len(got) != 2 || got[0].Address.To != "ada@example.com" || got[1].Address.URL != hookURL {
		t.Errorf("sent %+v", got)
	}
	if mine := reads[[]sdk.Notice](t, p, 0, "notice", "list", "--mine"); len(mine) != 2 {
		t.Errorf("her notices are %+v", mine)
	}
	r.Receivers.Answer(503)
	_, said = p.ends(t, cli.ExitError, "preferences", "test")
	contains(t, "a test that fails", said, "a test was not delivered: answered 503")
	out = p.must(t, "preferences", "set", "--channel", "", "--quiet-hours", "", "--mute", "", "--event", "", "--mail=false", "--off")
	contains(t, "all taken away", out, "told     nothing: all is off\n", "events   none\n", "mail     no\n", "muted    none\n", "by mail  off\n")
	if strings.Contains(out, "channel") || strings.Contains(out, "quiet") {
		t.Errorf("something is left:\n%s", out)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":          {[]string{"set"}, cli.ExitUsage, "name what is to change"},
		"no address":       {[]string{"set", "--channel", "slack"}, cli.ExitUsage, "--url is needed with --channel"},
		"no channel":       {[]string{"set", "--url", hookURL}, cli.ExitUsage, "--channel is needed with --url"},
		"neither":          {[]string{"set", "--channel", "", "--url", hookURL}, cli.ExitUsage, "none is wanted"},
		"no hours":         {[]string{"set", "--quiet-hours", "always"}, cli.ExitUsage, "is not days and hours"},
		"another event":    {[]string{"set", "--event", "pull.built"}, cli.ExitRefused, "is none of environments"},
		"nothing to test":  {[]string{"test"}, cli.ExitRefused, "no way to tell you is on"},
		"mine and another": {nil, 0, ""},
	} {
		if tc.args == nil {
			_, said := p.ends(t, cli.ExitUsage, "notice", "list", "--mine", "--project", "shop")
			contains(t, name, said, "--mine excludes")
			continue
		}
		_, said := p.ends(t, tc.code, append([]string{"preferences"}, tc.args...)...)
		contains(t, name, said, tc.says)
	}
}

// TestKeysDoNotStandOnTheCommandLine: a queue's key comes from a file.
func TestKeysDoNotStandOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	add := []string{"subscription", "add", "subject", "--kind", "nats", "--url", "tls://nats.example.com:4222", "--to", "blueberry.events", "--event", "*", "--stream", "EVENTS"}
	_, said := p.ends(t, cli.ExitUsage, append(add, "--key", "hush")...)
	contains(t, "a key", said, "a key of nats does not stand on the command line")
	_, said = p.ends(t, cli.ExitUsage, append(add, "--key", "-", "--key-file", "x")...)
	contains(t, "two keys", said, "exclude each other")
	p.in = "-----BEGIN NATS USER JWT-----\nhush\n"
	contains(t, "from the input", p.must(t, append(add, "--key-file", "-")...), "endpoint        tls://nats.example.com:4222 blueberry.events\n")
	p.must(t, "subscription", "test", "subject")
	if got := r.Receivers.Got(); len(got) != 1 || got[0].Address.Key != "-----BEGIN NATS USER JWT-----\nhush" || got[0].Address.Stream != "EVENTS" {
		t.Errorf("sent %+v", got)
	}
	_, said = p.ends(t, cli.ExitUsage, "subscription", "change", "subject", "--key", "hush")
	contains(t, "a change", said, "a key of nats does not stand on the command line")
	p.in = "another\n"
	p.must(t, "subscription", "change", "subject", "--key-file", "-", "--user", "blueberry", "--stream", "")
	p.must(t, "subscription", "test", "subject")
	if got := r.Receivers.Got(); got[1].Address.Key != "another" || got[1].Address.User != "blueberry" || got[1].Address.Stream != "" {
		t.Errorf("sent %+v", got[1].Address)
	}
}
