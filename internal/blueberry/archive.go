package blueberry

import "time"

// Receipt is the proof that a removal left nothing behind, or what it did leave.
type Receipt struct {
	EnvironmentID string
	Project       string
	Environment   string // name
	Target        string
	Reason        string // of the removal: DestroyRequested, LeaseExpired
	By            string // actor
	BeganAt       time.Time
	LogsAt        time.Time // when its logs were kept, or given up, before anything was removed
	StoppedAt     time.Time // when nothing was synced to its target any more
	EndedAt       time.Time // zero while something is left
	Notes         []string  // what did not go as it should: "its logs could not be kept: the objects were down for 10m0s"
	Lines         []ReceiptLine
	Leftovers     []Leftover // of the last look; in a receipt that has ended only what was abandoned
	Abandoned     Abandonment
	Cost          *EnvironmentCost // what it cost in all; nil while it is not over, and where no prices were set
}

// Abandonment is that a person gave up what a target still holds, because the target is gone for good. The zero value is that nobody did.
type Abandonment struct {
	By     string // actor
	Reason string
	At     time.Time
}

// ReceiptLine is one thing that was made for an environment, and is proven gone.
type ReceiptLine struct {
	System  string // "kubernetes", "git", "argocd"
	Object  string // "Deployment.apps shop-pr-1/backend", a path in the GitOps repository
	MadeAt  time.Time
	GoneAt  time.Time     // zero while it may exist
	Waited  time.Duration // from the begin of the removal until it was gone
	Control string        // how it was proven: "no object of this name", "no object of any kind carries the labels"
}

// Leftover is a thing that does not go away.
type Leftover struct {
	ObjectRef
	Finalizers []string  // that hold it
	Since      time.Time // when its deletion was asked for; zero when not known
	Message    string    // why, as far as the target says
	Fix        string    // the way out
}

// ArchiveState is why there is an archive.
type ArchiveState string

// The states.
const (
	ArchivedEnded  ArchiveState = "terminated" // the environment is gone
	ArchivedFailed ArchiveState = "failed"     // it failed and is still there: its logs as they were then
)

// Archive is what is kept of an environment that ended or failed, in the objects.
type Archive struct {
	EnvironmentID string
	Project       string
	Environment   string // name
	Target        string
	Owner         string
	State         ArchiveState
	Reason        string
	Revision      int
	Receipt       *Receipt // nil of an environment that failed and is still there
	Files         []ArchiveFile
	CreatedAt     time.Time // of the environment
	ArchivedAt    time.Time
	LogsUntil     time.Time // its logs are kept until then; zero when they are gone
	PurgeAt       time.Time // all of it is kept until then
	RestoredAs    string    // id of the environment that an undo made of it; empty for none
}

// ArchiveFile is one file of an archive.
type ArchiveFile struct {
	Name string // below the archive: "record.json", "manifests/02-backend.yaml", "events.ndjson", "logs/web-1/app.log", "receipt.json"
	Size int64  // bytes
}

// How long things are kept (capabilities A7, I9, I13). Policies of the installation may say otherwise (Retention).
const (
	UndoWindow   = 24 * time.Hour
	KeepLogs     = 7 * 24 * time.Hour
	KeepFailed   = 7 * 24 * time.Hour
	KeepArchives = 90 * 24 * time.Hour
)

// ArchiveQuery asks for one page of archives, newest first.
type ArchiveQuery struct {
	Project     string
	In          []string // only of these projects; nil for all
	Environment string   // exact name
	State       ArchiveState
	Limit       int
	Before      string // environment id of the last of the page before; empty for the newest
}

// RetentionRule is one rule of what is kept for how long.
type RetentionRule struct {
	Name    string        // "archives", "failed-environments", "logs", "sessions"
	What    string        // for people
	Keep    time.Duration // 0 when the things carry their own end
	Every   time.Duration // between two runs
	LastRun RetentionRun  // zero before the first
	NextRun time.Time
}

// RetentionRun is one run of a rule.
type RetentionRun struct {
	Rule    string
	Began   time.Time
	Ended   time.Time
	Removed int    // how many went
	Detail  string // of what went, or what had to be fixed; for people
	Error   string // empty when it went well
}

// Orphan is what is on a target and in no record, or in the record and on no target.
type Orphan struct {
	ID         string
	Target     string
	Kind       OrphanKind
	Project    string // as the labels say
	Env        string // name, as the labels say
	Namespace  string // where most of it is
	Objects    []ObjectRef
	Message    string
	FoundAt    time.Time
	SeenAt     time.Time // of the last scan that found it
	ApprovedBy string    // who allowed the removal; empty for nobody
	ApprovedAt time.Time
	Leftovers  []ObjectRef // after the approved removal was begun: what is still there
}

// OrphanKind sorts orphans.
type OrphanKind string

// The kinds.
const (
	OrphanObjects OrphanKind = "objects" // on the target with our labels, of no living environment
	OrphanRecord  OrphanKind = "record"  // a living environment that should have objects, of which none is there
	OrphanFiles   OrphanKind = "files"   // in the GitOps repository, of no living environment
)

// OrphanQuery asks for orphans, by target, kind and id.
type OrphanQuery struct {
	Target                  string
	Kind                    OrphanKind
	Project, Env, Namespace string // all three are of a name; empty for any
	Approved                bool   // only those that are being removed
	Limit                   int
	After                   string // id
}
