package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type subscriptionAddOptions struct {
	*shared
	subscriptionFlags
	r           sdk.AddSubscriptionRequest
	secretStdin bool
}

func newSubscriptionAdd(s *shared) *cobra.Command {
	o := &subscriptionAddOptions{shared: s}
	c := &cobra.Command{
		Use: "add NAME --kind KIND --event TYPE", Short: "Be told of events", Args: exactly(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Adds a subscription: events that happen from now on are sent there. A webhook gets CloudEvents, signed in the form of the Standard Webhooks; its secret is printed, and not shown again. Slack, Teams, Discord and mail get a message for people, PagerDuty an incident of what fails, which ends when it is well again. Queues of SQS, topics of Google Pub/Sub and subjects of NATS get CloudEvents in structured form.

Addresses are kept encrypted and are never shown. With --installation it tells of every project.`,
		Example: `  blueberry subscription add ci --kind webhook --url https://hooks.example.com/blueberry --event 'environment.*'
  pass show slack/release-room | blueberry subscription add release-room --kind slack --url - --event environment.failed --quiet-hours "mon-fri 19:00-07:00" --time-zone Europe/Zurich
  blueberry subscription add on-call --kind pagerduty --key - --event environment.failed --event environment.ready
  blueberry subscription add team --kind mail --to team@example.com --event environment.lease_ending
  blueberry subscription add queue --kind sqs --url https://sqs.eu-central-1.amazonaws.com/123456789012/events --user AKIAEXAMPLE123456789 --key-file secret-access-key --event '*'
  blueberry subscription add topic --kind pubsub --to projects/acme/topics/events --key-file service-account.json --event 'environment.*'
  blueberry subscription add subject --kind nats --url tls://nats.example.com:4222 --to blueberry.events --stream EVENTS --key-file blueberry.creds --event '*'`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.r.Kind, "kind", "", "webhook, slack, teams, discord, pagerduty, mail, sqs, pubsub or nats")
	f.StringVar(&o.r.Project, "project", "", "project whose events it tells of; else the default project")
	f.BoolVar(&o.r.Installation, "installation", false, "of the events of every project, and of those of none")
	f.BoolVar(&o.secretStdin, "secret-stdin", false, "read the secret of a webhook from the input, or ask for it; else the server makes one")
	o.subscriptionFlags.flags(c)
	must(c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(subscriptionKinds(), cobra.ShellCompDirectiveNoFileComp)))
	must(c.RegisterFlagCompletionFunc("project", s.completeProjects))
	return c
}

func (o *subscriptionAddOptions) run(ctx context.Context, name string) error {
	r := o.r
	var wrong mistakes
	wrong.add(r.Kind == "", "--kind is needed, which is webhook, slack, teams, discord, pagerduty, mail, sqs, pubsub or nats")
	wrong.add(len(o.events) == 0, "--event is needed, as environment.ready")
	wrong.add(o.inputs() > 1 || o.inputs() == 1 && o.secretStdin, "--url -, --key -, --key-file - and --secret-stdin would read the same input")
	o.keyed(r.Kind, &wrong)
	r.Name, r.Events, r.Quiet = name, o.events, o.quietHours(&wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	if err := o.readAddress(o.shared); err != nil {
		return err
	}
	r.URL, r.Key, r.To, r.User, r.Region, r.Stream = o.url, o.key, o.to, o.user, o.region, o.stream
	var err error
	if r.Secret, err = o.webhookSecret(o.secretStdin); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	added, err := client.AddSubscription(ctx, r)
	if err != nil {
		return err
	}
	o.note("added %s as %s; blueberry subscription test tries it", plainText(added.Subscription.Name), plainText(added.Subscription.ID))
	if added.Secret == "" {
		return o.print(o.subscriptionResult(added.Subscription))
	}
	return o.tellSubscriptionSecret(added)
}
