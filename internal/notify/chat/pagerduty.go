package chat

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/notify"
)

// pagerDutyURL is where events go unless the subscription names another one, as that of the EU.
const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// pagerDutySummary is how many characters a summary has.
const pagerDutySummary = 1024

// PagerDuty sends events of its API version 2.
type PagerDuty struct{ Outbound *notify.Outbound }

// Send implements notify.Sender. What is bad opens an incident of the environment, and what is good again ends it.
func (d PagerDuty) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	address := p.Address.URL
	if address == "" {
		address = pagerDutyURL
	}
	action, severity := meaning(p.Event.Type)
	about := p.Event.EnvironmentID
	if about == "" || action == trigger && severity == "info" {
		about = p.ID // an incident of its own: there is nothing that ends it
	}
	body := object{"routing_key": p.Address.Key, "event_action": action, "dedup_key": "blueberry/" + about}
	if action == trigger {
		body["payload"] = object{
			"summary": fit(p.Message.Title+": "+p.Message.Text, pagerDutySummary, quietMentions), "source": "blueberry", "severity": severity, "timestamp": p.Event.At.UTC().Format(time.RFC3339Nano),
			"class": string(p.Event.Type), "group": p.Event.Project, "component": p.Event.Environment,
		}
		body["client"] = "Blueberry"
		if p.Message.Link != "" {
			body["links"] = []object{{"href": p.Message.Link, "text": "Open"}}
		}
	}
	return post(ctx, d.Outbound, address, body)
}

const trigger = "trigger"

// meaning is what an event does to an incident of its environment.
func meaning(t blueberry.EventType) (action, severity string) {
	switch t {
	case blueberry.EnvironmentFailed:
		return trigger, "critical"
	case blueberry.EnvironmentDegraded, blueberry.EnvironmentBlocked:
		return trigger, "error"
	case blueberry.EnvironmentDriftDetected, blueberry.EnvironmentLeaseEnding, blueberry.EnvironmentCauseFound, blueberry.EnvironmentUpdateRefused:
		return trigger, "warning"
	case blueberry.EnvironmentReady, blueberry.EnvironmentRecovered, blueberry.EnvironmentUnblocked, blueberry.EnvironmentDriftGone, blueberry.EnvironmentDriftRepaired,
		blueberry.EnvironmentCauseGone, blueberry.EnvironmentLeaseExtended, blueberry.EnvironmentTerminated:
		return "resolve", ""
	}
	return trigger, "info"
}
