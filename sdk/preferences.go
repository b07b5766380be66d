package sdk

import "time"

// Preferences is what one person wants to be told of the environments that are theirs. What is about their account is told in any case.
type Preferences struct {
	Off       bool       `json:"off" doc:"Whether nothing is told" example:"false"`
	Events    []string   `json:"events" nullable:"false" doc:"Patterns of types of events of environments: * stands for anything" example:"[\"environment.failed\", \"environment.lease_ending\"]"`
	Mail      bool       `json:"mail" doc:"Whether they are told by mail, to the address of the account" example:"true"`
	Channel   *Channel   `json:"channel,omitempty" doc:"A chat or webhook of their own; absent for none"`
	Quiet     QuietHours `json:"quiet,omitzero" doc:"When nothing is told; what happens meanwhile is told when they end"`
	Muted     []string   `json:"muted" nullable:"false" doc:"Projects of which nothing is told" example:"[\"playground\"]"`
	Ways      []ToldBy   `json:"ways" nullable:"false" doc:"How telling goes, of each way that was set"`
	UpdatedAt time.Time  `json:"updated_at,omitzero" doc:"When they were last set; absent while these are those that count for who has set none"`
	Version   int64      `json:"version" doc:"Counts up with each change; 0 while none are set" example:"1"`
}

// Channel is a chat or a webhook of one person.
type Channel struct {
	Kind     string `json:"kind" enum:"slack,teams,discord,webhook" doc:"Where it goes, and in what form" example:"slack"`
	Endpoint string `json:"endpoint" doc:"Origin of its address" example:"https://hooks.slack.com"`
}

// ToldBy is how one way of telling a person goes.
type ToldBy struct {
	Way    string             `json:"way" enum:"mail,channel" doc:"Mail, or their channel" example:"mail"`
	Off    bool               `json:"off" doc:"Whether nothing is sent" example:"false"`
	OffWhy string             `json:"off_why,omitempty" doc:"Why it is off, when nobody asked for it" example:"its receiver answered 410: it is gone"`
	Health SubscriptionHealth `json:"health" doc:"How sending went of late"`
}

// SetPreferencesRequest is all that a person prefers from now on.
type SetPreferencesRequest struct {
	Off     bool            `json:"off,omitempty" doc:"Whether nothing is told" example:"false"`
	Events  []string        `json:"events" nullable:"false" maxItems:"50" doc:"Patterns of types of events of environments: * stands for anything" example:"[\"environment.failed\", \"environment.lease_ending\"]"`
	Mail    bool            `json:"mail" doc:"Whether they are told by mail, to the address of the account" example:"true"`
	Channel *ChannelRequest `json:"channel,omitempty" doc:"A chat or webhook of their own; absent for none"`
	Quiet   QuietHours      `json:"quiet,omitzero" doc:"When nothing is told"`
	Muted   []string        `json:"muted,omitempty" nullable:"false" maxItems:"100" doc:"Projects of which nothing is told" example:"[\"playground\"]"`
}

// ChannelRequest says where a channel goes.
type ChannelRequest struct {
	Kind string `json:"kind" enum:"slack,teams,discord,webhook" doc:"Where it goes, and in what form" example:"slack"`
	URL  string `json:"url,omitempty" maxLength:"2048" doc:"Its address; absent: the one that is kept, of the same kind. It is kept encrypted, and never shown" example:"https://hooks.slack.com/services/T0/B0/x"`
}

// SetPreferences is preferences with the secret of a webhook that has just been made.
type SetPreferences struct {
	Preferences Preferences `json:"preferences" doc:"The preferences"`
	Secret      string      `json:"secret,omitempty" doc:"What the webhook signs with; it is told this once. Absent where none was made" example:"whsec_bm90IGEgc2VjcmV0IG9mIGFueWJvZHkgYXQgYWxs"`
}

// TestedPreferences is what came of a test.
type TestedPreferences struct {
	Notices []Notice `json:"notices" nullable:"false" doc:"One for each way that is on, with its attempt"`
}
