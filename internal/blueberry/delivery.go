package blueberry

import "time"

// DeliveryVerdict is what became of a delivery when it came.
type DeliveryVerdict string

// The verdicts.
const (
	DeliveryAccepted  DeliveryVerdict = "accepted"  // signed by a live secret, and about something that we act on
	DeliveryIgnored   DeliveryVerdict = "ignored"   // signed, and about nothing that we act on, or older than what is known
	DeliveryDuplicate DeliveryVerdict = "duplicate" // it came before
	DeliveryUnread    DeliveryVerdict = "unreadable"
	DeliveryRefused   DeliveryVerdict = "refused" // not signed by a live secret, too old, or too large; nothing of it was read
)

// DeliveryVerdicts lists them.
func DeliveryVerdicts() []DeliveryVerdict {
	return []DeliveryVerdict{DeliveryAccepted, DeliveryIgnored, DeliveryDuplicate, DeliveryUnread, DeliveryRefused}
}

// Delivery is one call of a host, kept as it came before it was answered.
type Delivery struct {
	ID           string
	RepositoryID string
	Project      string
	Host         HostKind
	HostID       string // that the host gave it; empty when it gave none
	Digest       string // SHA-256 of event and body, in hex
	Event        string // as the host calls it: "pull_request"
	Action       string // "opened"
	Headers      map[string]string
	Body         []byte // empty where it was refused: nothing of a stranger is kept
	Size         int    // bytes of the body as it came
	Verdict      DeliveryVerdict
	Reason       string // of the verdict; for people
	PullID       string // the pull request that it is about; empty for none
	ReplayOf     string // id of the delivery that someone had read again
	From         string // address of the caller
	ReceivedAt   time.Time
}

// DeliveryQuery asks for deliveries, newest first.
type DeliveryQuery struct {
	Projects     []string // nil for all
	RepositoryID string
	PullID       string
	Verdict      DeliveryVerdict
	Before       string // id: only older ones
	Limit        int
}

// MaxDelivery is how many bytes the body of a delivery has at most: what GitHub sends at most.
const MaxDelivery = 25 << 20

// KeepDeliveries is how long they are kept.
const KeepDeliveries = 30 * 24 * time.Hour
