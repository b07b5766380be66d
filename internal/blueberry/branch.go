package blueberry

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// BranchMode says when the environment of a branch moves to a new commit.
type BranchMode string

// The modes.
const (
	BranchAutomatic BranchMode = "automatic" // with each push; also the meaning of empty
	BranchApproval  BranchMode = "approval"  // when somebody deploys the commit
)

// BranchRule says which branches of a repository have an environment of their own, and what kind of one. Of several that match a branch the first counts.
type BranchRule struct {
	Branch      string     `json:"branch"`               // pattern: * stands for anything but a slash, ** between slashes for any number of parts
	Environment string     `json:"environment"`          // its name, in which {branch} stands for the name of the branch
	Mode        BranchMode `json:"mode,omitempty"`       // empty means automatic
	Off         bool       `json:"off,omitempty"`        // the environment stays and nothing moves it
	Keep        bool       `json:"keep,omitempty"`       // it also stays when the branch is gone, until its lease ends
	Hours       int        `json:"hours,omitempty"`      // of its lease; 0: it lives as long as its branch, and the lease is extended
	Target      string     `json:"target,omitempty"`     // empty means the default
	Blueprint   string     `json:"blueprint,omitempty"`  // path in the repository; empty means blueberry.yaml
	ConfigSet   []string   `json:"config_set,omitempty"` // references, above those that the blueprint names
}

// Bounds of rules and branches.
const (
	MaxBranchRules  = 20
	MaxBranches     = 100 // of a repository that are there and have a rule
	MaxBranchName   = 255 // bytes
	branchMark      = "{branch}"
	branchHash      = 6                   // hexadecimal digits behind a name that was changed to be one of an environment
	BranchLease     = 24                  // hours that the lease of an environment lasts at least which lives as long as its branch
	KeepGoneBranch  = 30 * 24 * time.Hour // how long a branch that is gone is still known
	maxRuleTemplate = 60
)

// checkBranchRules notes what is wrong with rules.
func (f *Faults) checkBranchRules(field string, rules []BranchRule) {
	if len(rules) > MaxBranchRules {
		f.Add(field, "too_many", "are %d, at most %d are allowed", len(rules), MaxBranchRules)
		return
	}
	branches, names := map[string]int{}, map[string]int{}
	for i, r := range rules {
		at := func(name string) string { return field + "[" + itoa(i) + "]." + name }
		r.check(f, at)
		if first, ok := branches[r.Branch]; ok {
			f.Add(at("branch"), "duplicate", "%q is that of %s[%d] too, which comes first", r.Branch, field, first)
		} else {
			branches[r.Branch] = i
		}
		if first, ok := names[r.Environment]; ok && r.Environment != "" && !strings.Contains(r.Environment, branchMark) {
			f.Add(at("environment"), "duplicate", "%q is that of %s[%d] too: two branches cannot have one environment", r.Environment, field, first)
		} else {
			names[r.Environment] = i
		}
	}
}

func (r BranchRule) check(f *Faults, at func(name string) string) {
	_, err := path.Match(r.Branch, "")
	switch {
	case r.Branch == "":
		f.Add(at("branch"), "required", "is needed: a branch, or a pattern, as release/*")
	case len(r.Branch) > MaxBranchName || err != nil || !utf8.ValidString(r.Branch) || strings.ContainsFunc(r.Branch, unicode.IsControl):
		f.Add(at("branch"), "pattern", "%q is no pattern of branches, as release/*: * stands for anything but a slash, ** for any number of parts", r.Branch)
	}
	sample := "b"
	switch n := strings.Count(r.Environment, branchMark); {
	case r.Environment == "":
		f.Add(at("environment"), "required", "is needed: a name, in which {branch} stands for that of the branch")
	case n > 1 || len(r.Environment) > maxRuleTemplate:
		f.Add(at("environment"), "pattern", "%q must have {branch} once at most, and %d characters", r.Environment, maxRuleTemplate)
	case n == 0 && strings.ContainsAny(r.Branch, `*?[\`):
		f.Add(at("environment"), "pattern", "%q must hold {branch}: the pattern is of several branches, which cannot have one environment", r.Environment)
	default:
		f.CheckName(at("environment"), strings.Replace(r.Environment, branchMark, sample, 1), MaxEnvironmentName-2*branchHash*n)
	}
	switch r.Mode {
	case "", BranchAutomatic, BranchApproval:
	default:
		f.Add(at("mode"), "enum", "%q is not automatic or approval", string(r.Mode))
	}
	if r.Hours != 0 {
		f.CheckHours(at("hours"), r.Hours)
	}
	f.CheckConfigRefs(at("config_set"), r.ConfigSet)
}

// Matches reports whether the rule is of a branch.
func (r BranchRule) Matches(branch string) bool {
	return branch != "" && MatchTreePath(r.Branch+"/\x00", branch+"/\x00") // the end is a part of both, so that nothing may lie below
}

// EnvironmentName is the name of the environment of a branch. What of the branch's name cannot stand in that of an environment becomes dashes, and what is too
// long is cut; then digits of a hash tell it from others that would be named alike.
func (r BranchRule) EnvironmentName(branch string) string {
	before, after, ok := strings.Cut(r.Environment, branchMark)
	if !ok {
		return r.Environment
	}
	room := MaxEnvironmentName - len(before) - len(after)
	name := label(branch)
	if name == branch && name != "" && len(name) <= room && (before != "" || dnsLabel.MatchString(name)) {
		return before + name + after
	}
	return r.hashedName(branch)
}

// hashedName is the name of the environment of a branch with digits of a hash. It is not one of digits only behind what stands before {branch}.
func (r BranchRule) hashedName(branch string) string {
	before, after, _ := strings.Cut(r.Environment, branchMark)
	name, room := label(branch), MaxEnvironmentName-len(before)-len(after)
	sum := sha256.Sum256([]byte(branch))
	hash := hex.EncodeToString(sum[:])[:branchHash]
	if name == "" || before == "" && name[0] < 'a' {
		name = strings.TrimSuffix("b-"+name, "-")
	}
	name = strings.Trim(name[:min(len(name), room-branchHash-1)], "-")
	return before + name + "-" + hash + after
}

// EnvironmentOf is the name of the environment of a branch by its rule. Where {branch} would make it that of a pull request, or the one that another rule gives
// to its only branch, digits of a hash follow: who may push any branch does not get the place of another.
func (r Repository) EnvironmentOf(rule BranchRule, branch string) string {
	name := rule.EnvironmentName(branch)
	promised := r.Policy.names(name) || slices.ContainsFunc(r.Rules, func(x BranchRule) bool { return x.Environment == name })
	if promised && strings.Contains(rule.Environment, branchMark) {
		return rule.hashedName(branch)
	}
	return name
}

// names reports whether an environment of the name would be that of a pull request.
func (p PullPolicy) names(name string) bool {
	number, ok := strings.CutPrefix(name, strings.TrimSuffix(p.EnvironmentName(0), "0"))
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// checkRuleNames notes rules whose environment would have the name of one of a pull request.
func (f *Faults) checkRuleNames(field string, r Repository) {
	for i, x := range r.Rules {
		if r.Policy.names(x.Environment) {
			f.Add(field+"["+itoa(i)+"].environment", "reserved", "%q is the name of the environment of a pull request", x.Environment)
		}
	}
}

// label is a text in lower case whose other characters than letters and digits are single dashes, none of them at an end.
func label(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// RuleOf gives the rule of a branch, if there is one.
func (r Repository) RuleOf(branch string) (BranchRule, bool) {
	for _, x := range r.Rules {
		if x.Matches(branch) {
			return x, true
		}
	}
	return BranchRule{}, false
}

// BranchSweep is how asking Git for the branches of a repository went.
type BranchSweep struct {
	At      time.Time `json:"at,omitzero"`       // when it was last asked and answered
	Message string    `json:"message,omitempty"` // why it does not answer, or what of its answer does not count
	Failed  time.Time `json:"failed,omitzero"`   // since when it does not; zero when it does
	Found   int       `json:"found,omitempty"`   // changes, all told, that no delivery told of
}

// Branch is what is known of a branch that has a rule, and what was made of it.
type Branch struct {
	ID           string
	RepositoryID string
	Project      string
	Name         string
	HeadCommit   string    // whole name; empty when the branch is gone
	HostAt       time.Time // when the host says that it was pushed; zero where only Git told of it
	HeardAt      time.Time // when we last heard of its commit

	Outcome       PullOutcome // as of a pull request; waiting is for somebody to deploy a commit
	Message       string      // why; for people
	Environment   string      // name; empty before there was one
	EnvironmentID string      // empty for none
	BuiltCommit   string      // that the environment was last asked for with
	PullApproval              // who deployed which commit last, where the rule wants that
	Turn          int         // counts its environments
	Told          string      // digest of what the host was told of it
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Version       int64
}

// Made gives the branch with what was made of another state of it.
func (b Branch) Made(of Branch) Branch {
	b.Outcome, b.Message, b.Environment, b.EnvironmentID, b.BuiltCommit, b.Turn = of.Outcome, of.Message, of.Environment, of.EnvironmentID, of.BuiltCommit, of.Turn
	return b
}

// Wanted is the commit that the environment of the branch is to run by its rule; empty for none yet.
func (b Branch) Wanted(r BranchRule) string {
	switch {
	case b.HeadCommit == "":
		return ""
	case r.Mode == BranchApproval:
		return b.ApprovedCommit
	}
	return b.HeadCommit
}

// BranchQuery asks for branches, newest first.
type BranchQuery struct {
	Projects     []string // nil for all
	RepositoryID string
	Name         string
	Outcome      PullOutcome
	Live         bool   // only those that are there
	Before       string // id: only older ones
	Limit        int
}
