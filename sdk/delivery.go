package sdk

import "time"

// Delivery is one call of a host to a webhook.
type Delivery struct {
	ID           string            `json:"id,omitempty" doc:"Id of the delivery; absent for what a dry run would make" example:"dlv_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	RepositoryID string            `json:"repository_id" doc:"Id of the repository that it came for" example:"rep_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	Project      string            `json:"project" doc:"Project of the repository" example:"default"`
	Host         string            `json:"host" enum:"github,gitlab,gitea,bitbucket,generic,argocd" doc:"Kind of its host" example:"github"`
	HostID       string            `json:"host_id,omitempty" doc:"Id that the host gave it" example:"72d3162e-cc78-11e3-81ab-4c9367dc0958"`
	Digest       string            `json:"digest,omitempty" doc:"SHA-256 of event and body, in hex; absent when it was refused" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Event        string            `json:"event,omitempty" doc:"As the host calls it" example:"pull_request"`
	Action       string            `json:"action,omitempty" doc:"What happened, as the host calls it" example:"opened"`
	Size         int               `json:"size" doc:"Bytes of the body as it came" example:"20480"`
	Verdict      string            `json:"verdict" enum:"accepted,ignored,duplicate,unreadable,refused" doc:"What became of it: acted on, about nothing to act on, came before, not understood, or not signed by a secret that lives" example:"accepted"`
	Reason       string            `json:"reason,omitempty" doc:"Of the verdict, for people" example:"pull request 42 is open at 9f2c1a7be04d"`
	PullID       string            `json:"pull_id,omitempty" doc:"Pull request that it is about; absent for none" example:"pul_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	ReplayOf     string            `json:"replay_of,omitempty" doc:"Delivery that someone had read again" example:"dlv_06d5xw7k3c8qf2v9m4n1r0t6ya"`
	From         string            `json:"from,omitempty" doc:"Address of the caller" example:"192.0.2.7"`
	ReceivedAt   time.Time         `json:"received_at" doc:"When it came"`
	Headers      map[string]string `json:"headers,omitempty" doc:"Those worth keeping, without signatures and tokens; absent in lists" example:"{\"X-GitHub-Event\": \"pull_request\"}"`
	Body         string            `json:"body,omitempty" doc:"As it came; absent in lists, when nothing was kept, and when it is not UTF-8" example:"{\"action\": \"opened\"}"`
	BodyBase64   string            `json:"body_base64,omitempty" doc:"The body in base64, when it is not UTF-8" example:"/w=="`
}

// DeliveryList is a run of deliveries.
type DeliveryList struct {
	Items      []Delivery `json:"items" nullable:"false" doc:"Newest first, without headers and bodies"`
	NextBefore string     `json:"next_before,omitempty" doc:"Give it as before to read on; absent on the last run" example:"dlv_06d5xw7k3c8qf2v9m4n1r0t6ya"`
}

// DeliveryFilter says which deliveries to list. The zero value asks for all that one may see.
type DeliveryFilter struct {
	Project    string
	Repository string // id
	Pull       string // id
	Verdict    string // accepted, ignored, duplicate, unreadable or refused; empty for all
	Before     string // id: only older ones
	Limit      int    // 0 means the server's default
}

// ReplayedDelivery is what reading a delivery again has done, or would do.
type ReplayedDelivery struct {
	DryRun   bool         `json:"dry_run" doc:"Whether nothing was kept and nothing began" example:"false"`
	Delivery Delivery     `json:"delivery" doc:"The new delivery"`
	Pull     *PullRequest `json:"pull,omitempty" doc:"The pull request as it is after; absent when it is about none"`
}
