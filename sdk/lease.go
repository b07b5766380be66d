package sdk

import "time"

// Lease is until when an environment lives.
type Lease struct {
	ExpiresAt     time.Time `json:"expires_at,omitzero" doc:"When it ends; absent if it never does"`
	PinnedBy      string    `json:"pinned_by,omitempty" doc:"Who pinned it past what a lease can last; absent when nobody did" example:"ada@example.com"`
	NextWarningAt time.Time `json:"next_warning_at,omitzero" doc:"When its people are warned next; absent when no warning is to come"`
	WarnedMinutes int       `json:"warned_minutes,omitempty" doc:"How many minutes before the end the last warning was for; absent before the first" example:"120"`
}

// PinEnvironmentRequest keeps an environment for longer than a lease can last.
type PinEnvironmentRequest struct {
	Hours  int    `json:"hours" minimum:"1" doc:"For how long from now; at most what the project allows" example:"336"`
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why, for the audit and for people" example:"the customer tries it until the end of the month"`
}

// CreateExtendLinkRequest asks for a link that extends a lease.
type CreateExtendLinkRequest struct {
	Hours int `json:"hours" minimum:"1" maximum:"168" doc:"Hours that the link adds to what is left" example:"24"`
}

// ExtendLink lets whoever has it extend one lease once, without a credential.
type ExtendLink struct {
	URL       string    `json:"url" doc:"A secret: whoever opens it can extend the lease. It is told this once" example:"https://blueberry.example.com/extend/…"`
	Hours     int       `json:"hours" doc:"Hours that it adds" example:"24"`
	ExpiresAt time.Time `json:"expires_at" doc:"When it stops working: with the lease as it is now"`
}

// ExtendOffer is what an extend link would do.
type ExtendOffer struct {
	Project     string    `json:"project" doc:"Project of the environment" example:"default"`
	Environment string    `json:"environment" doc:"Name of the environment" example:"pr-42"`
	Hours       int       `json:"hours" doc:"Hours that it adds" example:"24"`
	ExpiresAt   time.Time `json:"expires_at" doc:"When the lease ends now"`
	Ends        time.Time `json:"ends" doc:"When it would end then"`
}

// ExtendedLease is what an extend link did.
type ExtendedLease struct {
	Project     string    `json:"project" doc:"Project of the environment" example:"default"`
	Environment string    `json:"environment" doc:"Name of the environment" example:"pr-42"`
	ExpiresAt   time.Time `json:"expires_at" doc:"When the lease ends now"`
}
