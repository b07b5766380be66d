package blueberry

import "time"

// EventType names a fact that happened, past tense.
type EventType string

// The events of an environment.
const (
	EnvironmentRequested     EventType = "environment.requested"
	EnvironmentProvisioning  EventType = "environment.provisioning_started"
	EnvironmentCommitted     EventType = "environment.committed"
	EnvironmentSynced        EventType = "environment.synced"
	EnvironmentReady         EventType = "environment.ready"
	EnvironmentDegraded      EventType = "environment.degraded"
	EnvironmentRecovered     EventType = "environment.recovered"
	EnvironmentFailed        EventType = "environment.failed"
	EnvironmentDriftRepaired EventType = "environment.drift_repaired"
	EnvironmentBlocked       EventType = "environment.blocked"   // a step cannot go on: the target or the repository is down
	EnvironmentUnblocked     EventType = "environment.unblocked" // and can again
	EnvironmentLeaseExtended EventType = "environment.lease_extended"
	EnvironmentExpired       EventType = "environment.expired"
	EnvironmentDestroyAsked  EventType = "environment.destroy_requested"
	EnvironmentTerminated    EventType = "environment.terminated"
	EnvironmentChanged       EventType = "environment.change_requested"   // a new revision is desired
	EnvironmentRolledBack    EventType = "environment.rollback_requested" // a new revision equal to an old one is
	EnvironmentPlanProposed  EventType = "environment.plan_proposed"      // something it follows moved; a plan waits for a person
	EnvironmentHeld          EventType = "environment.update_held"        // something it follows moved to an input that is held
	EnvironmentUpdateRefused EventType = "environment.update_refused"     // something it follows moved, and the change is not possible
	EnvironmentHoldReleased  EventType = "environment.hold_released"
	EnvironmentDriftDetected EventType = "environment.drift_detected"
	EnvironmentDriftGone     EventType = "environment.drift_resolved"
	EnvironmentDriftPolicy   EventType = "environment.drift_policy_changed"
	EnvironmentLeaseEnding   EventType = "environment.lease_ending" // 24 h, 2 h, 30 min before
	EnvironmentPinned        EventType = "environment.pinned"
	EnvironmentUnpinned      EventType = "environment.unpinned"
	EnvironmentFallingAsleep EventType = "environment.sleep_requested"
	EnvironmentAsleep        EventType = "environment.asleep"
	EnvironmentWaking        EventType = "environment.wake_requested"
	EnvironmentAwake         EventType = "environment.awake"
	EnvironmentSleepPolicy   EventType = "environment.sleep_policy_changed"
	EnvironmentLabelled      EventType = "environment.labels_changed"
	EnvironmentRestarted     EventType = "environment.restarted"
	EnvironmentScaled        EventType = "environment.scaled"
	EnvironmentRedeployed    EventType = "environment.redeployed"
	EnvironmentShellOpened   EventType = "environment.shell_opened"
	EnvironmentShellClosed   EventType = "environment.shell_closed"
	EnvironmentCauseFound    EventType = "environment.cause_found" // why it is not ready
	EnvironmentCauseGone     EventType = "environment.cause_gone"
	EnvironmentAbandoned     EventType = "environment.abandoned" // what its target holds was given up
	EnvironmentArchived      EventType = "environment.archived"
	EnvironmentRestored      EventType = "environment.restored"    // an undo made it of an archive
	EnvironmentHandedOver    EventType = "environment.handed_over" // another driver holds it now
	EnvironmentRestricted    EventType = "environment.restricted"  // what was left out of a revision of a restricted one
	EnvironmentDenied        EventType = "environment.denied"      // something that is not done to a restricted one
	EnvironmentSigned        EventType = "environment.sign"        // something outside said something of it
)

// The events of targets, orphans and retention.
const (
	TargetRegistered EventType = "target.registered"
	TargetChanged    EventType = "target.changed"
	TargetCordonedBy EventType = "target.cordoned"
	TargetUncordoned EventType = "target.uncordoned"
	TargetDrained    EventType = "target.drain_requested"
	TargetRemoved    EventType = "target.removed"
	OrphanFound      EventType = "orphan.found"
	OrphanApproved   EventType = "orphan.removal_approved"
	OrphanGone       EventType = "orphan.removed"
	OrphanKept       EventType = "orphan.kept"     // its removal was approved, and a new environment has taken its name
	RetentionFixed   EventType = "retention.fixed" // the backstop did what should have been done before
)

// The events of repositories and pull requests. Those of a pull request name its environment, if it has one.
const (
	RepositoryAdded     EventType = "repository.added"
	RepositoryChanged   EventType = "repository.changed"
	RepositoryRemoved   EventType = "repository.removed"
	RepositoryHostFails EventType = "repository.host_fails" // it does not do what it is asked; told once, until it does again
	RepositoryHostBack  EventType = "repository.host_back"
	DeliveryRejected    EventType = "delivery.refused" // told once an hour for a repository
	PullSkippedEvent    EventType = "pull.skipped"
	PullWaits           EventType = "pull.waiting"
	PullBlockedEvent    EventType = "pull.blocked"
	PullRefusedEvent    EventType = "pull.refused"
	PullBuiltEvent      EventType = "pull.built"
	PullEndedEvent      EventType = "pull.ended"
	PullApproved        EventType = "pull.approved"         // one commit of it
	PullApprovalRefused EventType = "pull.approval_refused" // of a commit that it does not have now
	BranchSkipped       EventType = "branch.skipped"        // no rule makes anything of it any more
	BranchWaits         EventType = "branch.waiting"        // a commit waits for somebody who deploys it
	BranchBlocked       EventType = "branch.blocked"
	BranchRefused       EventType = "branch.refused"
	BranchBuilt         EventType = "branch.built"
	BranchEnded         EventType = "branch.ended"
	BranchDeployed      EventType = "branch.deployed"       // somebody had its environment move to a commit
	BranchDeployRefused EventType = "branch.deploy_refused" // of a commit that it does not have now
	PullCommanded       EventType = "pull.commanded"        // by a comment below it
	PullCommandRefused  EventType = "pull.command_refused"
	CIReported          EventType = "ci.reported"    // a pipeline said news of a commit
	CIGateClosed        EventType = "ci.gate_closed" // a pull request is kept waiting, or refused, by what CI has said or not said
	CIGateOpened        EventType = "ci.gate_opened"
	ScanExceptionAdded  EventType = "ci.exception_added"
	ScanExceptionEnded  EventType = "ci.exception_removed"
)

// The events of telling others. No subscription is told of them.
const (
	SubscriptionAdded       EventType = "subscription.added"
	SubscriptionChanged     EventType = "subscription.changed"
	SubscriptionRemoved     EventType = "subscription.removed"
	SubscriptionSwitchedOff EventType = "subscription.switched_off" // its receiver is gone
	SubscriptionTested      EventType = "subscription.test"         // what a test tells; it is no fact, and in no record of them
	NoticeDied              EventType = "notice.dead"               // told once an hour for a subscription
)

// The events of the catalogue and of projects. They have no environment.
const (
	ConfigSetChanged   EventType = "config_set.version_published"
	ConfigSetDeleted   EventType = "config_set.deleted"
	BlueprintPublished EventType = "blueprint.version_published"
	BlueprintDeleted   EventType = "blueprint.deleted"
	PolicyChanged      EventType = "policy.changed"
	PolicyDeleted      EventType = "policy.deleted"
	QuotaChanged       EventType = "project.quota_changed"
	ProjectLifeChanged EventType = "project.life_changed" // how long its environments may be pinned, and when they sleep
	ProjectCreated     EventType = "project.created"
	ProjectDeleted     EventType = "project.deleted"
	MemberChanged      EventType = "project.member_changed"
	EmergencyOpened    EventType = "access.emergency_opened"
	EmergencyClosed    EventType = "access.emergency_closed"
	TokenExpiring      EventType = "access.api_token_expiring"
)

// Event is one fact, kept in the order in which facts were committed.
type Event struct {
	Seq           int64 // position in the record: strictly rising, without a later commit below an earlier one
	ID            string
	Type          EventType
	EnvironmentID string
	Project       string
	Environment   string // name
	Actor         string
	Message       string // past tense, the thing and the value
	At            time.Time
}
