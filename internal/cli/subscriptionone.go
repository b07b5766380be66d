package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// subscriptionKinds are where subscriptions can go.
func subscriptionKinds() []string {
	return []string{"webhook", "slack", "teams", "discord", "pagerduty", "mail", "sqs", "pubsub", "nats"}
}

// oneSubscription is what commands about one subscription share.
type oneSubscription struct {
	*shared
	project string
}

// command makes a command whose one argument names the subscription.
func (o *oneSubscription) command(c *cobra.Command, run func(ctx context.Context, arg string) error) *cobra.Command {
	c.Args = exactly(1)
	c.ValidArgsFunction = o.completeSubscriptions
	c.RunE = func(c *cobra.Command, args []string) error { return run(c.Context(), args[0]) }
	c.Flags().StringVar(&o.project, "project", defaultProject, "project of the subscription")
	must(c.RegisterFlagCompletionFunc("project", o.completeProjects))
	return c
}

// find gives the subscription that an argument names.
func (o *oneSubscription) find(ctx context.Context, arg string) (*sdk.Client, sdk.Subscription, error) {
	client, err := o.client()
	if err != nil {
		return nil, sdk.Subscription{}, err
	}
	s, err := findSubscription(ctx, client, o.project, arg)
	return client, s, err
}

// findSubscription finds a subscription by id, or by its name in a project.
func findSubscription(ctx context.Context, client *sdk.Client, project, arg string) (sdk.Subscription, error) {
	if strings.HasPrefix(arg, "sub_") {
		return client.GetSubscription(ctx, arg)
	}
	if project == "" {
		project = defaultProject
	}
	for s, err := range client.AllSubscriptions(ctx, sdk.SubscriptionFilter{Project: project, Limit: maxPage}) {
		if err != nil || s.Name == arg {
			return s, err
		}
	}
	return sdk.Subscription{}, unknownError{fmt.Errorf("there is no subscription %s in project %s; one of the installation is named by its id", arg, project)}
}

// subscriptionID gives the id of the subscription that a flag names; empty when it names none.
func subscriptionID(ctx context.Context, client *sdk.Client, project, arg string) (string, error) {
	if arg == "" || strings.HasPrefix(arg, "sub_") {
		return arg, nil
	}
	s, err := findSubscription(ctx, client, project, arg)
	return s.ID, err
}

// subscriptionRef names a subscription on a command line: what is not of the default project by its id.
func subscriptionRef(s sdk.Subscription) string {
	if s.Project == defaultProject {
		return s.Name
	}
	return s.ID
}

// subscriptionState says in a few words whether what is sent arrives.
func (s *shared) subscriptionState(x sdk.Subscription, wide bool) cell {
	h := x.Health
	switch {
	case x.Off:
		return cell{plainText(first(x.OffWhy, "off")), yellow}
	case !h.FailingSince.IsZero():
		return cell{plainText(fmt.Sprintf("fails since %s: %s", s.when(h.FailingSince, wide), h.LastError)), red}
	case h.DeliveredAt.IsZero():
		return plainCell("nothing sent yet")
	}
	return cell{"delivers", green}
}

func projectOrAll(project string) string { return first(project, "(installation)") }

// subscriptionResult is all that is known of a subscription.
func (s *shared) subscriptionResult(x sdk.Subscription) result {
	return result{value: x, names: []string{subscriptionRef(x)}, text: func(w io.Writer, wide bool) {
		var f facts
		f.add("name", plainText(x.Name))
		f.add("id", plainText(x.ID))
		f.add("project", plainText(projectOrAll(x.Project)))
		f.add("kind", plainText(x.Kind))
		f.add("endpoint", plainText(x.Endpoint))
		f.add("events", list(x.Events, "none"))
		for _, q := range x.Quiet.Windows {
			f.add("quiet", plainText(fmt.Sprintf("%s %s-%s %s", strings.Join(q.Days, ","), q.From, q.To, first(x.Quiet.TimeZone, "UTC"))))
		}
		f.add("state", s.subscriptionState(x, wide).text)
		f.add("last delivered", s.when(x.Health.DeliveredAt, wide))
		f.some("rests until", s.when(x.Health.RestUntil, wide))
		f.add("added", s.when(x.CreatedAt, wide))
		f.print(w)
	}}
}

// tellSubscriptionSecret shows what a receiver verifies signatures with.
func (s *shared) tellSubscriptionSecret(a sdk.AddedSubscription) error {
	return s.print(result{value: a, names: []string{subscriptionRef(a.Subscription)}, text: func(w io.Writer, _ bool) {
		facts{{"subscription", plainText(a.Subscription.ID)}, {"secret", plainText(a.Secret)}}.print(w)
		s.note("Whoever receives verifies by it what is sent. It is not shown again; blueberry subscription rotate makes a new one, and the former one then signs for a week more.")
	}})
}
