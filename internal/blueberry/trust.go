package blueberry

import (
	"regexp"
	"strings"
	"time"
)

// Tier is how far the code of a pull request is trusted, by what its host says of its author.
type Tier string

// The tiers.
const (
	TierMaintainer Tier = "maintainer" // the host calls the author owner of the repository
	TierMember     Tier = "member"     // the host calls them member or collaborator, or they could push to the repository itself
	TierOutsider   Tier = "outsider"   // anybody else, and whom the host says nothing of
	TierBot        Tier = "bot"
)

// What a restricted environment may have at most: one of code that nobody vouches for. The numbers are those of a small web program with three or four parts.
const (
	RestrictedLeaseHours    = 8 // also after it is extended
	RestrictedPods          = 10
	RestrictedCPU           = 1_000    // requests, in thousandths
	RestrictedMemory        = 2 << 30  // requests, in bytes
	RestrictedCPULimit      = 4_000    // limits
	RestrictedMemoryLimit   = 4 << 30  //
	RestrictedDisk          = 10 << 30 // of the nodes' own, of all its containers, in bytes
	RestrictedStorage       = 5 << 30  // of all its claims, in bytes
	RestrictedStorageClaims = 4
)

// Most is how many hours from now a lease may end at most.
func (l LeaseBounds) Most(restricted bool) int {
	most := l.Max
	if most == 0 {
		most = MaxLeaseHours
	}
	if restricted {
		most = min(most, RestrictedLeaseHours)
	}
	return most
}

// Tier is that of the author, whatever was approved. A branch of the repository itself can only be pushed by who may write to it. A fork is its owner's: of
// one that is not the author's own nobody knows who pushes to it next, so what the host says of the author does not count for it.
func (r PullRequest) Tier() Tier {
	switch {
	case r.Bot:
		return TierBot
	case r.Fork() && !r.vouched():
		return TierOutsider
	case r.Relation == RelationOwner:
		return TierMaintainer
	}
	return TierMember
}

// vouched reports whether the host calls the author of a fork one of the repository's people, and the fork is theirs.
func (r PullRequest) vouched() bool {
	owner, _, ok := strings.Cut(r.HeadRepo, "/")
	return r.Relation.Trusted() && (r.HeadRepo == "" || ok && strings.EqualFold(owner, r.Author))
}

// Approved reports whether the commit that the pull request has now is the one that somebody approved. Of hosts that tell the first digits of a commit only,
// these are compared: what is built then is what was approved, by its full name.
func (r PullRequest) Approved() bool {
	return r.IsAt(r.ApprovedCommit)
}

// IsAt reports whether the commit that the pull request has now is the one with the whole name; where the host abbreviates it, whether it may be.
func (r PullRequest) IsAt(commit string) bool {
	if n := len(r.HeadCommit); n < minAbbreviated || n >= minCommit {
		return n >= minCommit && commit == r.HeadCommit
	}
	return strings.HasPrefix(commit, r.HeadCommit)
}

// How many digits of a commit a host tells at least, and how many its whole name has at least.
const (
	minAbbreviated = 12
	minCommit      = 40
)

// NeedsApproval reports whether the pull request gets a restricted environment unless its commit is approved.
func (r PullRequest) NeedsApproval() bool { return r.Fork() && (r.Bot || !r.vouched()) }

// Restricted reports whether the environment of the pull request is to be a restricted one, as its commit is now.
func (r PullRequest) Restricted() bool { return r.NeedsApproval() && !r.Approved() }

// BaseRefName is the full name of the branch that it goes to, so that nothing else can be meant by it: neither a commit nor a tag.
func (r PullRequest) BaseRefName() string { return "refs/heads/" + r.BaseRef }

// PullConfig is what is known of the blueprint in the commit of a restricted pull request, which is shown and not used.
type PullConfig string

// What is known.
const (
	PullConfigSame    PullConfig = "same"
	PullConfigChanged PullConfig = "changed"
	PullConfigUnseen  PullConfig = "unseen" // the commit could not be read
)

// PullApproval is that somebody vouched for one commit.
type PullApproval struct {
	ApprovedCommit string // 40 or 64 hexadecimal digits; empty for none. It says nothing of any other commit
	ApprovedBy     string
	ApprovedAt     time.Time
}

var fullCommit = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// CheckCommit notes what is not the full name of a commit.
func (f *Faults) CheckCommit(field, commit string) {
	if !fullCommit.MatchString(commit) {
		f.Add(field, "pattern", "must be the whole name of a commit: 40 or 64 hexadecimal digits in lower case")
	}
}
