package blueberry

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Prefixes of ids, one for each noun that has one.
const (
	EnvironmentID = "env"
	RevisionID    = "rev"
	EventID       = "evt"
	AuditID       = "aud"
	TokenID       = "tok"
	RequestID     = "req"
	ConfigSetID   = "cfg"
	BlueprintID   = "bpt"
	PlanID        = "pln"
	PolicyID      = "pol"
	KeyID         = "key"
	UserID        = "usr"
	SessionID     = "ses"
	ServiceID     = "svc" // a service account
	ClientID      = "cli" // an OAuth client
	GrantingID    = "gnt" // one consent of a user to an OAuth client, with all tokens that follow of it
	PasskeyID     = "psk"
	LinkID        = "lnk"
	ProviderID    = "idp"
	GroupRuleID   = "grp"
	EmergencyID   = "emg"
	CertificateID = "crt"
	OrphanID      = "orp"
	RepositoryID  = "rep"
	PullID        = "pul"
	DeliveryID    = "dlv"
	HookSecretID  = "whs"
	CommandID     = "cmd" // in a comment below a pull request
	BranchID      = "brn"

	SubscriptionID = "sub"
	NoticeID       = "ntc"

	CIReportID      = "cir"
	ScanExceptionID = "sxc"
)

// crockford has no i, l, o, u; its order is the order of the bytes, so ids sort by time.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID gives "<prefix>_" and 26 characters: 48 bits of milliseconds, then 80 random bits. Ids sort by the time they were made.
func NewID(prefix string, now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	if _, err := rand.Read(b[6:]); err != nil {
		panic(err) // crypto/rand never fails on a supported system
	}
	return prefix + "_" + crockford.EncodeToString(b[:])
}

// FirstID is at or before every id of the kind that was made at the time, and behind all that were made in an earlier millisecond.
func FirstID(prefix string, at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	return prefix + "_" + crockford.EncodeToString(b[:])
}

// IDTime is the millisecond in which an id was made; ok is false for what is no id.
func IDTime(id string) (at time.Time, ok bool) {
	_, digits, _ := strings.Cut(id, "_")
	b, err := crockford.DecodeString(digits)
	if err != nil || len(b) != 16 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8]) >> 16)).UTC(), true
}

// HasIDPrefix reports whether s looks like an id of the kind.
func HasIDPrefix(s, prefix string) bool {
	return strings.HasPrefix(s, prefix+"_") && len(s) == len(prefix)+1+26
}

func itoa(i int) string { return strconv.Itoa(i) }
