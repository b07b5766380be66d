package cli

import (
	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// subscriptionFlags say where a subscription goes, of which events it tells, and when.
type subscriptionFlags struct {
	url, key, to string
	events       []string
	quiet        []string
	timeZone     string
	named        func(flag string) bool
}

func (o *subscriptionFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.url, "url", "", "address of a webhook, Slack, Teams or Discord; - reads it from the input, or asks for it")
	f.StringVar(&o.key, "key", "", "integration key of PagerDuty; - reads it from the input, or asks for it")
	f.StringVar(&o.to, "to", "", "mail address")
	f.StringSliceVar(&o.events, "event", nil, `type of event, as environment.ready or "pull.*"; repeatable`)
	f.StringArrayVar(&o.quiet, "quiet-hours", nil, `hours of the week in which messages for people are held, as "mon-fri 19:00-07:00"; repeatable`)
	f.StringVar(&o.timeZone, "time-zone", "", "of the quiet hours, as Europe/Zurich; else UTC")
	o.named = f.Changed
}

// some reports whether any of the flags was named.
func (o *subscriptionFlags) some() bool {
	for _, flag := range []string{"url", "key", "to", "event", "quiet-hours", "time-zone"} {
		if o.named(flag) {
			return true
		}
	}
	return false
}

// quietHours reads the flags. An empty window takes all away.
func (o *subscriptionFlags) quietHours(m *mistakes) sdk.QuietHours {
	q := sdk.QuietHours{TimeZone: o.timeZone}
	for _, text := range filled(o.quiet) {
		w, err := parseQuiet(text)
		m.check(err)
		q.Windows = append(q.Windows, w)
	}
	return q
}

func parseQuiet(text string) (sdk.SleepWindow, error) {
	w, err := parseWindow(text)
	if err != nil {
		return w, usageErrorf(`--quiet-hours: %q is not days and hours, as "mon-fri 19:00-07:00"`, text)
	}
	return w, nil
}

// readAddress reads what was not to stand on the command line.
func (o *subscriptionFlags) readAddress(s *shared) (err error) {
	if o.url == "-" {
		o.url, err = s.secret("-", "address")
	}
	if err == nil && o.key == "-" {
		o.key, err = s.secret("-", "integration key")
	}
	return err
}

// inputs counts what would be read from the one input.
func (o *subscriptionFlags) inputs() (n int) {
	for _, x := range []string{o.url, o.key} {
		if x == "-" {
			n++
		}
	}
	return n
}
