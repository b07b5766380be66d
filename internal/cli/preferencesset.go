package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type preferencesSetOptions struct {
	*shared
	off, mail    bool
	events, mute []string
	channel, url string
	quiet        subscriptionFlags // of which the quiet hours count
	named        func(flag string) bool
}

func newPreferencesSet(s *shared) *cobra.Command {
	o := &preferencesSetOptions{shared: s}
	c := &cobra.Command{
		Use: "set", Short: "Say what you want to be told", Args: exactly(0),
		Long: `Changes what is named and leaves the rest. You are told of events of environments that are yours, by mail to the address of your account, and in a chat or webhook of your own. Events, quiet hours and muted projects take the place of all before; "" takes them away. In quiet hours nothing is lost: it is told when they end.

What is about your account is told in any case: invitations, links to sign in, emergencies, tokens that end.`,
		Example: `  blueberry preferences set --event environment.failed --event environment.lease_ending
  pass show slack/me | blueberry preferences set --channel slack --url -
  blueberry preferences set --quiet-hours "mon-fri 19:00-07:00" --time-zone Europe/Zurich --mute playground
  blueberry preferences set --off`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	f := c.Flags()
	f.BoolVar(&o.off, "off", false, "tell nothing")
	f.BoolVar(&o.mail, "mail", false, "tell it by mail")
	f.StringSliceVar(&o.events, "event", nil, `type of event of an environment, as environment.failed or "environment.*"; repeatable`)
	f.StringVar(&o.channel, "channel", "", `tell it there, too: slack, teams, discord or webhook; "" for no more`)
	f.StringVar(&o.url, "url", "", "address of the channel; - reads it from the input, or asks for it")
	f.StringSliceVar(&o.mute, "mute", nil, "project of which nothing is told; repeatable")
	f.StringArrayVar(&o.quiet.quiet, "quiet-hours", nil, `hours of the week in which nothing is told, as "mon-fri 19:00-07:00"; repeatable`)
	f.StringVar(&o.quiet.timeZone, "time-zone", "", "of the quiet hours, as Europe/Zurich; else UTC")
	o.named = f.Changed
	must(c.RegisterFlagCompletionFunc("channel", cobra.FixedCompletions([]string{"slack", "teams", "discord", "webhook"}, cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("mute", s.completeProjects))
	return c
}

func (o *preferencesSetOptions) some() bool {
	for _, flag := range []string{"off", "mail", "event", "channel", "url", "mute", "quiet-hours", "time-zone"} {
		if o.named(flag) {
			return true
		}
	}
	return false
}

func (o *preferencesSetOptions) run(ctx context.Context) error {
	var wrong mistakes
	wrong.add(!o.some(), "name what is to change, as --event or --off")
	wrong.add(o.named("channel") && o.channel != "" && o.url == "", "--url is needed with --channel")
	wrong.add(o.named("channel") && o.channel == "" && o.named("url"), "--url is of a channel, and none is wanted")
	quiet := o.quiet.quietHours(&wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.url == "-" {
		if o.url, err = o.secret("-", "address"); err != nil {
			return err
		}
	}
	was, err := client.GetPreferences(ctx)
	if err != nil {
		return err
	}
	r := sdk.SetPreferencesRequest{Off: was.Off, Events: was.Events, Mail: was.Mail, Quiet: was.Quiet, Muted: was.Muted}
	if was.Channel != nil {
		r.Channel = &sdk.ChannelRequest{Kind: was.Channel.Kind}
	}
	if r.Channel == nil && o.named("url") && !o.named("channel") {
		return usageErrorf("--channel is needed with --url: there is none so far")
	}
	o.over(&r, quiet)
	var options []sdk.CallOption
	if was.Version > 0 {
		options = append(options, sdk.IfMatch(was.Version))
	}
	set, err := client.SetPreferences(ctx, r, options...)
	if err != nil {
		return err
	}
	if err := o.print(o.preferencesResult(set.Preferences, set)); err != nil || set.Secret == "" {
		return err
	}
	o.note("the webhook is signed by %s; it is not shown again", plainText(set.Secret))
	return nil
}

// over writes what was named over what is.
func (o *preferencesSetOptions) over(r *sdk.SetPreferencesRequest, quiet sdk.QuietHours) {
	for _, x := range []struct {
		flag string
		set  func()
	}{
		{"off", func() { r.Off = o.off }},
		{"mail", func() { r.Mail = o.mail }},
		{"event", func() { r.Events = filled(o.events) }},
		{"mute", func() { r.Muted = filled(o.mute) }},
		{"quiet-hours", func() { r.Quiet.Windows = quiet.Windows }},
		{"time-zone", func() { r.Quiet.TimeZone = quiet.TimeZone }},
		{"channel", func() { r.Channel = &sdk.ChannelRequest{Kind: o.channel} }},
		{"url", func() { r.Channel.URL = o.url }},
	} {
		if o.named(x.flag) {
			x.set()
		}
	}
	if r.Channel != nil && r.Channel.Kind == "" {
		r.Channel = nil
	}
	if len(r.Quiet.Windows) == 0 {
		r.Quiet = sdk.QuietHours{}
	}
}
