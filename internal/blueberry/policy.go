package blueberry

import "time"

// Limits of policies.
const (
	MaxPolicyName = 40
	MaxPolicySize = 64 << 10 // bytes of the text of one
)

// Policy is rules in Cedar over the plans of a project or, without one, of the installation. The rules forbid: what none forbids is allowed. An annotation
// @message("…") says what is wrong, @fix("…") what to do, @warn("") makes a rule warn instead of deny.
type Policy struct {
	ID        string
	Project   string // empty for the installation
	Name      string // unique in its project
	Text      string // Cedar
	Author    string
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // counts up with each write, and is the ETag
}

// Label names the policy in verdicts: "default/images", "installation/images".
func (p Policy) Label() string {
	if p.Project == "" {
		return "installation/" + p.Name
	}
	return p.Project + "/" + p.Name
}
