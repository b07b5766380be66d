package chat

import (
	"cmp"
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

// Send implements notify.Sender. What is bad opens an incident of the environment and of this kind of trouble, and what ends such trouble ends it. An
// environment that is no more ends them all.
func (d PagerDuty) Send(ctx context.Context, p notify.Parcel) blueberry.NoticeResult {
	action, severity, troubles := meaning(p.Event.Type)
	if p.Event.EnvironmentID == "" && action == resolve {
		action, severity, troubles = trigger, "info", nil
	}
	if len(troubles) == 0 || p.Event.EnvironmentID == "" {
		return d.tell(ctx, p, action, severity, p.ID) // an incident of its own: there is nothing that ends it
	}
	var r blueberry.NoticeResult
	for _, trouble := range troubles { // an incident that is not there is ended as well
		if r = d.tell(ctx, p, action, severity, p.Event.EnvironmentID+"/"+trouble); !r.OK() {
			break
		}
	}
	return r
}

func (d PagerDuty) tell(ctx context.Context, p notify.Parcel, action, severity, about string) blueberry.NoticeResult {
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
	return post(ctx, d.Outbound, cmp.Or(p.Address.URL, pagerDutyURL), body)
}

// What is done to an incident.
const (
	trigger = "trigger"
	resolve = "resolve"
)

// The kinds of trouble that an environment may have at the same time.
const (
	health  = "health"
	blocked = "blocked"
	drift   = "drift"
	lease   = "lease"
	cause   = "cause"
	update  = "update"
)

// meaning is what an event does to incidents of its environment; without a kind of trouble it is one of its own.
func meaning(t blueberry.EventType) (action, severity string, troubles []string) {
	switch t {
	case blueberry.EnvironmentFailed:
		return trigger, "critical", []string{health}
	case blueberry.EnvironmentDegraded:
		return trigger, "error", []string{health}
	case blueberry.EnvironmentReady:
		return resolve, "", []string{health, update}
	case blueberry.EnvironmentRecovered:
		return resolve, "", []string{health}
	case blueberry.EnvironmentBlocked:
		return trigger, "error", []string{blocked}
	case blueberry.EnvironmentUnblocked:
		return resolve, "", []string{blocked}
	case blueberry.EnvironmentDriftDetected:
		return trigger, "warning", []string{drift}
	case blueberry.EnvironmentDriftGone, blueberry.EnvironmentDriftRepaired:
		return resolve, "", []string{drift}
	case blueberry.EnvironmentLeaseEnding:
		return trigger, "warning", []string{lease}
	case blueberry.EnvironmentLeaseExtended, blueberry.EnvironmentPinned:
		return resolve, "", []string{lease}
	case blueberry.EnvironmentCauseFound:
		return trigger, "warning", []string{cause}
	case blueberry.EnvironmentCauseGone:
		return resolve, "", []string{cause}
	case blueberry.EnvironmentUpdateRefused:
		return trigger, "warning", []string{update}
	case blueberry.EnvironmentTerminated:
		return resolve, "", []string{health, blocked, drift, lease, cause, update}
	}
	return trigger, "info", nil
}
