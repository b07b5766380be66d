package sdk

import "time"

// Subscription is a wish to be told of events.
type Subscription struct {
	ID        string             `json:"id" doc:"Id of the subscription" example:"sub_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project   string             `json:"project,omitempty" doc:"Project whose events it tells of; absent for those of the whole installation" example:"default"`
	Name      string             `json:"name" doc:"Name of the subscription; one of the name in a project" example:"release-room"`
	Kind      string             `json:"kind" enum:"webhook,slack,teams,discord,pagerduty,mail,sqs,pubsub,nats" doc:"Where it goes, and in what form" example:"webhook"`
	Events    []string           `json:"events" nullable:"false" doc:"Patterns of event types: * stands for anything" example:"[\"environment.ready\", \"pull.*\"]"`
	Endpoint  string             `json:"endpoint" doc:"What is shown of the address: its origin, or the mailbox, queue, topic or subject" example:"https://hooks.example.com"`
	Quiet     QuietHours         `json:"quiet,omitzero" doc:"When messages for people are held; absent for never"`
	Off       bool               `json:"off" doc:"Whether nothing is sent" example:"false"`
	OffWhy    string             `json:"off_why,omitempty" doc:"Why it is off, when nobody asked for it" example:"its receiver answered 410: it is gone"`
	Health    SubscriptionHealth `json:"health" doc:"How sending went of late"`
	CreatedAt time.Time          `json:"created_at" doc:"When it was added"`
	UpdatedAt time.Time          `json:"updated_at" doc:"When it last changed"`
	Version   int64              `json:"version" doc:"Counts up with each change; the same number as in the ETag" example:"1"`
}

// SubscriptionHealth is how sending went of late.
type SubscriptionHealth struct {
	DeliveredAt  time.Time `json:"delivered_at,omitzero" doc:"When the last notice was delivered; absent before the first"`
	FailingSince time.Time `json:"failing_since,omitzero" doc:"Since when none was; absent while the last one was"`
	Failures     int       `json:"failures,omitempty" doc:"How many attempts failed in a row" example:"3"`
	LastError    string    `json:"last_error,omitempty" doc:"Why the last one did" example:"answered 503"`
	RestUntil    time.Time `json:"rest_until,omitzero" doc:"Nothing is sent before; absent for no rest"`
}

// QuietHours are spans of every week in which messages for people are held. They are sent when the span ends.
type QuietHours struct {
	Windows  []SleepWindow `json:"windows,omitempty" nullable:"false" doc:"The spans; at most 14"`
	TimeZone string        `json:"time_zone,omitempty" doc:"Of the windows; empty means UTC" example:"Europe/Zurich"`
}

// AddSubscriptionRequest asks to be told of events.
type AddSubscriptionRequest struct {
	Project      string     `json:"project,omitempty" doc:"Project whose events it tells of; absent means the default project" example:"default"`
	Installation bool       `json:"installation,omitempty" doc:"Of every event of the installation; takes the right over the installation" example:"false"`
	Name         string     `json:"name" doc:"Lower-case letters, digits and dashes" example:"release-room"`
	Kind         string     `json:"kind" enum:"webhook,slack,teams,discord,pagerduty,mail,sqs,pubsub,nats" doc:"Where it goes, and in what form" example:"webhook"`
	URL          string     `json:"url,omitempty" maxLength:"2048" doc:"Of a webhook, Slack, Teams, Discord or queue of SQS; of PagerDuty and Pub/Sub only where it is not their own; of NATS servers, with commas between them. It is kept encrypted; of webhooks and chats only its origin is shown" example:"https://hooks.example.com/blueberry"`
	Key          string     `json:"key,omitempty" maxLength:"16384" doc:"Integration key of a service at PagerDuty; secret access key of AWS; key of a service account of Google Cloud, in JSON; of NATS a password, a token, credentials or the seed of an nkey. It is kept encrypted, and never shown" example:"0123456789abcdef0123456789abcdef"`
	To           string     `json:"to,omitempty" maxLength:"320" doc:"Mail address; topic of Pub/Sub; subject of NATS" example:"team@example.com"`
	User         string     `json:"user,omitempty" maxLength:"255" doc:"Whose key it is: id of an access key of AWS, user of NATS. It is kept encrypted, and never shown" example:"AKIAEXAMPLE123456789"`
	Region       string     `json:"region,omitempty" maxLength:"64" doc:"Of a queue of SQS; absent where its URL tells it" example:"eu-central-1"`
	Stream       string     `json:"stream,omitempty" maxLength:"255" doc:"Of NATS, that must have stored what is sent; absent: it is enough that the server has it" example:"EVENTS"`
	Events       []string   `json:"events" nullable:"false" maxItems:"50" doc:"Patterns of event types: * stands for anything" example:"[\"environment.ready\", \"pull.*\"]"`
	Quiet        QuietHours `json:"quiet,omitzero" doc:"When messages for people are held"`
	Secret       string     `json:"secret,omitempty" doc:"Of a webhook: whsec_ and the base64 of 24 to 64 bytes; absent: one is made" example:"whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHkgYXQgYWxs"`
}

// AddedSubscription is a subscription with the secret of its webhook.
type AddedSubscription struct {
	Subscription Subscription `json:"subscription" doc:"The subscription"`
	Secret       string       `json:"secret,omitempty" doc:"What it signs with; it is told this once. Absent for kinds that sign nothing" example:"whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHkgYXQgYWxs"`
}

// ChangeSubscriptionRequest says what is to be another one; what is absent stays.
type ChangeSubscriptionRequest struct {
	Name   *string     `json:"name,omitempty" doc:"Another name" example:"release-room"`
	URL    *string     `json:"url,omitempty" maxLength:"2048" doc:"Another address" example:"https://hooks.example.com/blueberry"`
	Key    *string     `json:"key,omitempty" maxLength:"16384" doc:"Another key" example:"0123456789abcdef0123456789abcdef"`
	To     *string     `json:"to,omitempty" maxLength:"320" doc:"Another mail address, topic or subject" example:"team@example.com"`
	User   *string     `json:"user,omitempty" maxLength:"255" doc:"Another one whose key it is" example:"AKIAEXAMPLE123456789"`
	Region *string     `json:"region,omitempty" maxLength:"64" doc:"Another region" example:"eu-central-1"`
	Stream *string     `json:"stream,omitempty" maxLength:"255" doc:"Another stream; empty for none" example:"EVENTS"`
	Events *[]string   `json:"events,omitempty" maxItems:"50" doc:"Other patterns, in place of all before" example:"[\"environment.*\"]"`
	Quiet  *QuietHours `json:"quiet,omitempty" doc:"Other quiet hours; empty ones for none"`
	Off    *bool       `json:"off,omitempty" doc:"Whether nothing is sent; what waits is kept" example:"true"`
}

// RotateSubscriptionRequest asks for another secret.
type RotateSubscriptionRequest struct {
	Secret string `json:"secret,omitempty" doc:"What it is to be: whsec_ and the base64 of 24 to 64 bytes; absent: one is made" example:"whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHkgYXQgYWxs"`
}

// SubscriptionList is a run of subscriptions.
type SubscriptionList struct {
	Items     []Subscription `json:"items" nullable:"false" doc:"By id, without addresses and secrets"`
	NextAfter string         `json:"next_after,omitempty" doc:"Give it as after to read on; absent on the last run" example:"sub_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// SubscriptionFilter says which subscriptions to list. The zero value asks for all that one may see.
type SubscriptionFilter struct {
	Project string
	After   string // id
	Limit   int    // 0 means the server's default
}

// Notice is the telling of one event to one subscription.
type Notice struct {
	ID             string          `json:"id" doc:"Id of the notice" example:"ntc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	SubscriptionID string          `json:"subscription_id" doc:"Who is told" example:"sub_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project        string          `json:"project,omitempty" doc:"Project of the subscription; absent for one of the installation; the id of the user for what one person is told" example:"default"`
	EventID        string          `json:"event_id" doc:"Id of the event: the same in every attempt, so that a receiver knows what it has seen" example:"evt_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	EventType      string          `json:"event_type" doc:"What happened" example:"environment.ready"`
	EventSeq       int64           `json:"event_seq,omitempty" doc:"Position of the event; absent for that of a test" example:"42"`
	EnvironmentID  string          `json:"environment_id,omitempty" doc:"Environment that it is about; absent for none" example:"env_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Message        string          `json:"message" doc:"What happened, for people" example:"default/pr-42 is ready"`
	State          string          `json:"state" enum:"waiting,delivered,dead" doc:"Waiting for its time or its next attempt, delivered, or given up" example:"delivered"`
	Tries          int             `json:"tries" doc:"Attempts since it was made or redriven" example:"1"`
	Attempts       []NoticeAttempt `json:"attempts" nullable:"false" doc:"The latest of all attempts, at most 20, oldest first"`
	NextAt         time.Time       `json:"next_at,omitzero" doc:"When it is sent at the earliest; absent when it does not wait"`
	CreatedAt      time.Time       `json:"created_at" doc:"When it was made"`
	EndedAt        time.Time       `json:"ended_at,omitzero" doc:"When it was delivered or given up; absent while it waits"`
}

// NoticeAttempt is one try to deliver a notice.
type NoticeAttempt struct {
	At     time.Time `json:"at" doc:"When"`
	Status int       `json:"status,omitempty" doc:"Status of HTTP; absent when there was no answer" example:"503"`
	Error  string    `json:"error,omitempty" doc:"Why it failed; absent when it was delivered" example:"answered 503"`
	TookMS int64     `json:"took_ms" doc:"How long it took, in milliseconds" example:"42"`
}

// NoticeList is a run of notices.
type NoticeList struct {
	Items      []Notice `json:"items" nullable:"false" doc:"Newest first"`
	NextBefore string   `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"ntc_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// NoticeFilter says which notices to list. The zero value asks for all that one may see.
type NoticeFilter struct {
	Project      string
	Subscription string // id
	State        string // waiting, delivered or dead; empty for all
	Before       string // id: only older ones
	Limit        int
}

// RedrivenNotices is what redriving the dead notices of a subscription has done.
type RedrivenNotices struct {
	Count int `json:"count" doc:"How many wait again" example:"12"`
}
