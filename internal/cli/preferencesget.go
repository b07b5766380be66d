package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type preferencesGetOptions struct{ *shared }

func newPreferencesGet(s *shared) *cobra.Command {
	o := &preferencesGetOptions{s}
	return &cobra.Command{
		Use: "get", Short: "Show what you are told, and whether it arrives", Args: exactly(0),
		Long:    `Shows of which events of your environments you are told, by which ways, and how telling goes.`,
		Example: `  blueberry preferences get`,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
}

func (o *preferencesGetOptions) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	p, err := client.GetPreferences(ctx)
	if err != nil {
		return err
	}
	return o.print(o.preferencesResult(p, p))
}

// preferencesResult is all that is known of preferences; value is what programs get of it.
func (s *shared) preferencesResult(p sdk.Preferences, value any) result {
	return result{value: value, names: []string{"preferences"}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("told", map[bool]string{false: "yes", true: "nothing: all is off"}[p.Off])
		f.add("events", list(p.Events, "none"))
		f.add("mail", yesNo(p.Mail).text)
		if p.Channel != nil {
			f.add("channel", plainText(p.Channel.Kind+" "+p.Channel.Endpoint))
		}
		for _, q := range p.Quiet.Windows {
			f.add("quiet", plainText(fmt.Sprintf("%s %s-%s %s", strings.Join(q.Days, ","), q.From, q.To, first(p.Quiet.TimeZone, "UTC"))))
		}
		f.add("muted", list(p.Muted, "none"))
		for _, x := range p.Ways {
			f.add("by "+x.Way, s.subscriptionState(sdk.Subscription{Off: x.Off, OffWhy: x.OffWhy, Health: x.Health}, wide).text)
		}
		f.print(w)
	}}
}
