package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type subscriptionChangeOptions struct {
	oneSubscription
	subscriptionFlags
	name string
	off  bool
}

func newSubscriptionChange(s *shared) *cobra.Command {
	o := &subscriptionChangeOptions{oneSubscription: oneSubscription{shared: s}}
	c := o.command(&cobra.Command{
		Use: "change NAME", Short: "Change where a subscription goes, or of what it tells",
		Long: `Changes what is named and leaves the rest. Events and quiet hours take the place of all before; --quiet-hours "" takes the quiet hours away. --off sends nothing more, and --off=false sends what has waited. NAME is a name or an id.`,
		Example: `  blueberry subscription change release-room --event environment.failed --event environment.recovered
  blueberry subscription change release-room --quiet-hours ""
  blueberry subscription change ci --off`,
	}, o.run)
	c.Flags().StringVar(&o.name, "name", "", "another name")
	c.Flags().BoolVar(&o.off, "off", false, "send nothing; what waits is kept")
	o.subscriptionFlags.flags(c)
	return c
}

func (o *subscriptionChangeOptions) run(ctx context.Context, arg string) error {
	var r sdk.ChangeSubscriptionRequest
	var wrong mistakes
	wrong.add(!o.some() && !o.named("off") && !o.named("name"), "name what is to change, as --event or --off")
	wrong.add(o.inputs() > 1, "--url -, --key - and --key-file - would read the same input")
	o.keyed("", &wrong)
	quiet := o.quietHours(&wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	read := o.key == "-" // so that it did not stand on the command line
	if err := o.readAddress(o.shared); err != nil {
		return err
	}
	for _, x := range []struct {
		flag string
		set  func()
	}{
		{"name", func() { r.Name = &o.name }},
		{"url", func() { r.URL = &o.url }},
		{"key", func() { r.Key = &o.key }},
		{"key-file", func() { r.Key = &o.key }},
		{"user", func() { r.User = &o.user }},
		{"region", func() { r.Region = &o.region }},
		{"stream", func() { r.Stream = &o.stream }},
		{"to", func() { r.To = &o.to }},
		{"off", func() { r.Off = &o.off }},
		{"event", func() { r.Events = &o.events }},
	} {
		if o.named(x.flag) {
			x.set()
		}
	}
	client, was, err := o.find(ctx, arg)
	if err != nil {
		return err
	}
	if o.keyFile == "" && !read {
		o.keyed(was.Kind, &wrong)
	}
	if err := wrong.err(); err != nil {
		return err
	}
	if o.named("quiet-hours") || o.named("time-zone") {
		if !o.named("quiet-hours") {
			quiet.Windows = was.Quiet.Windows
		}
		if !o.named("time-zone") && len(quiet.Windows) > 0 {
			quiet.TimeZone = was.Quiet.TimeZone
		}
		r.Quiet = &quiet
	}
	changed, err := client.ChangeSubscription(ctx, was.ID, r, sdk.IfMatch(was.Version))
	if err != nil {
		return err
	}
	return o.print(o.subscriptionResult(changed))
}
