package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// subscriptionFlags say where a subscription goes, of which events it tells, and when.
type subscriptionFlags struct {
	url, key, to string
	keyFile      string
	user, region string
	stream       string
	events       []string
	quiet        []string
	timeZone     string
	named        func(flag string) bool
}

func (o *subscriptionFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.url, "url", "", "address of a webhook, Slack, Teams or Discord, of a queue of SQS, or of servers of NATS; - reads it from the input, or asks for it")
	f.StringVar(&o.key, "key", "", "integration key of PagerDuty; - reads it from the input, or asks for it")
	f.StringVar(&o.keyFile, "key-file", "", "file with the secret access key of AWS, the key of a service account of Google Cloud, or the password, token, credentials or seed for NATS; - reads it from the input")
	f.StringVar(&o.to, "to", "", "mail address, topic of Pub/Sub or subject of NATS")
	f.StringVar(&o.user, "user", "", "id of the access key of AWS, or user of NATS")
	f.StringVar(&o.region, "region", "", "region of a queue of SQS, where its address does not tell it")
	f.StringVar(&o.stream, "stream", "", "stream of NATS that must have stored what is sent; else it is enough that the server has it")
	f.StringSliceVar(&o.events, "event", nil, `type of event, as environment.ready or "pull.*"; repeatable`)
	f.StringArrayVar(&o.quiet, "quiet-hours", nil, `hours of the week in which messages for people are held, as "mon-fri 19:00-07:00"; repeatable`)
	f.StringVar(&o.timeZone, "time-zone", "", "of the quiet hours, as Europe/Zurich; else UTC")
	o.named = f.Changed
}

// some reports whether any of the flags was named.
func (o *subscriptionFlags) some() bool {
	for _, flag := range []string{"url", "key", "key-file", "to", "user", "region", "stream", "event", "quiet-hours", "time-zone"} {
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
	switch {
	case err != nil:
	case o.keyFile != "":
		o.key, err = s.wholeSecret(o.keyFile)
	case o.key == "-":
		o.key, err = s.secret("-", "integration key")
	}
	return err
}

// keyed notes a key that stands on the command line, where everyone on the machine sees it.
func (o *subscriptionFlags) keyed(kind string, m *mistakes) {
	m.add(o.key != "" && o.keyFile != "", "--key and --key-file exclude each other")
	switch kind {
	case "sqs", "pubsub", "nats":
		m.add(o.key != "" && o.key != "-", "a key of %s does not stand on the command line: --key-file reads it", kind)
	}
}

// wholeSecret reads a secret that may have more lines than one.
func (s *shared) wholeSecret(file string) (string, error) {
	data, err := s.read(file)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return "", usageErrorf("the key is empty")
	}
	return text, nil
}

// inputs counts what would be read from the one input.
func (o *subscriptionFlags) inputs() (n int) {
	for _, x := range []string{o.url, o.key, o.keyFile} {
		if x == "-" {
			n++
		}
	}
	return n
}
