package blueberry

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// HostKind names what kind of host a repository is on: how its deliveries are signed and read.
type HostKind string

// The kinds of hosts. Generic is anything that can sign a POST: a script, a CI server.
const (
	HostGitHub    HostKind = "github"
	HostGitLab    HostKind = "gitlab"
	HostGitea     HostKind = "gitea" // and Forgejo
	HostBitbucket HostKind = "bitbucket"
	HostGeneric   HostKind = "generic"
	HostArgoCD    HostKind = "argocd" // no host of Git: it tells how environments are
)

// HostKinds lists the kinds.
func HostKinds() []HostKind {
	return []HostKind{HostGitHub, HostGitLab, HostGitea, HostBitbucket, HostGeneric, HostArgoCD}
}

// Git reports whether there is Git behind hosts of the kind. One without only tells how environments are: it has no pull requests, and nothing is cloned.
func (k HostKind) Git() bool { return k != HostArgoCD }

// Repository is an application's repository whose pull requests bring their own environments.
type Repository struct {
	ID      string
	Project string
	Name    string // as its host calls it: "acme/shop". One of the name in a project
	Host    HostKind
	URL     string // that Git clones from
	Secrets []byte // []WebhookSecret, sealed
	Policy  PullPolicy
	Rules   []BranchRule // of branches that have environments of their own

	HostAPI    HostAPI
	Credential []byte // of the host: a token, or the private key of an App; sealed. Empty: the host is not spoken to
	Health     HostHealth
	Sweep      HostSweep
	Branches   BranchSweep

	LastDeliveryAt time.Time // of one that was accepted; zero before the first
	LastRefusedAt  time.Time // of one that was not; zero for never
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Version        int64
}

// WebhookSecret is a secret with which a host signs. Two live at once while one takes the other's place.
type WebhookSecret struct {
	ID        string    `json:"id"`
	Value     string    `json:"value"`
	CreatedAt time.Time `json:"created_at"`
	EndsAt    time.Time `json:"ends_at,omitzero"` // zero: the one that counts
}

// MaxWebhookSecrets is how many of a repository live at once.
const MaxWebhookSecrets = 2

// WebhookOverlap is how long the former secret of a repository works after a new one was made.
const WebhookOverlap = 7 * 24 * time.Hour

// PullPolicy says which pull requests of a repository get an environment, and what kind of one.
type PullPolicy struct {
	Off       bool     `json:"off,omitempty"`        // none does; those that are there go when their pull requests are closed
	Bases     []string `json:"bases,omitempty"`      // patterns of path.Match of branches that they go to; empty for any
	Labels    []string `json:"labels,omitempty"`     // one of them must be on; empty for none needed
	Drafts    bool     `json:"drafts,omitempty"`     // also while it is a draft
	Bots      bool     `json:"bots,omitempty"`       // also of bots
	Forks     bool     `json:"forks,omitempty"`      // also from forks, of authors whom the host calls owner, member or collaborator
	Outsiders bool     `json:"outsiders,omitempty"`  // also from forks of anybody else: restricted environments, until a commit is approved
	AtOnce    int      `json:"at_once,omitempty"`    // environments at once, the others wait; 0 means DefaultPullsAtOnce
	Hours     int      `json:"hours,omitempty"`      // of the lease; 0 asks for the blueprint's own
	Target    string   `json:"target,omitempty"`     // empty means the default
	Blueprint string   `json:"blueprint,omitempty"`  // path in the repository; empty means blueberry.yaml
	Prefix    string   `json:"prefix,omitempty"`     // of the names of environments, before the number; empty means "pr-"
	ConfigSet []string `json:"config_set,omitempty"` // references, above those that the blueprint names

	NoCommands bool `json:"no_commands,omitempty"` // comments below pull requests are not read

	Paths       []string `json:"paths,omitempty"`        // patterns of files (MatchTreePath), one of which must be changed; empty for any
	PathsIgnore []string `json:"paths_ignore,omitempty"` // patterns of files that do not count as changed

	Gates PullGates `json:"gates,omitzero"` // what CI must have said of a commit before it gets an environment
}

// Bounds of a PullPolicy.
const (
	DefaultPullsAtOnce = 10
	MaxPullsAtOnce     = 1000
	MaxPullPatterns    = 50
	maxPullPattern     = 255
	maxPullPrefix      = 20
)

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,9}$`)
	pullPrefix     = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9-])?$`)
)

// CheckRepository notes what is wrong with the name and the kind of host.
func (f *Faults) CheckRepository(r Repository) {
	switch {
	case r.Name == "":
		f.Add("name", "required", "is needed: as the host calls it, as acme/shop")
	case len(r.Name) > 255 || !repositoryName.MatchString(r.Name):
		f.Add("name", "pattern", "%q is no name of a repository, as acme/shop", r.Name)
	}
	if !slices.Contains(HostKinds(), r.Host) {
		f.Add("host", "unknown", "%q is no kind of host: github, gitlab, gitea, bitbucket, generic and argocd are", string(r.Host))
	}
	if !r.Host.Git() {
		f.checkSender(r)
		return
	}
	f.checkPullPolicy("policy", r.Policy)
	f.checkBranchRules("rules", r.Rules)
	f.checkRuleNames("rules", r)
}

// checkSender notes what a host without Git cannot have.
func (f *Faults) checkSender(r Repository) {
	if r.URL != "" {
		f.Add("url", "forbidden", "is not for %s: nothing is cloned from it", r.Host)
	}
	if policy, _ := json.Marshal(r.Policy); string(policy) != "{}" { // every field of it is left out that says nothing
		f.Add("policy", "forbidden", "is not for %s: it has no pull requests", r.Host)
	}
	if len(r.Rules) > 0 {
		f.Add("rules", "forbidden", "are not for %s: it has no branches", r.Host)
	}
}

func (f *Faults) checkPullPolicy(field string, p PullPolicy) {
	at := func(name string) string { return JoinField(field, name) }
	f.checkPullLists(at, p.Bases, p.Labels)
	f.checkPathPatterns(at("paths"), p.Paths)
	f.checkPathPatterns(at("paths_ignore"), p.PathsIgnore)
	f.checkPullGates(at("gates"), p.Gates)
	if p.Outsiders && !p.Forks {
		f.Add(JoinField(field, "outsiders"), "requires", "are authors of forks: it takes forks as well")
	}
	if p.AtOnce < 0 || p.AtOnce > MaxPullsAtOnce {
		f.Add(JoinField(field, "at_once"), "range", "is %d, must be 1 to %d, or 0 for %d", p.AtOnce, MaxPullsAtOnce, DefaultPullsAtOnce)
	}
	if p.Hours != 0 {
		f.CheckHours(JoinField(field, "hours"), p.Hours)
	}
	if p.Prefix != "" && (len(p.Prefix) > maxPullPrefix || !pullPrefix.MatchString(p.Prefix)) {
		f.Add(JoinField(field, "prefix"), "pattern", "%q must begin with a letter and hold lower-case letters, digits and dashes, at most %d", p.Prefix, maxPullPrefix)
	}
	f.CheckConfigRefs(JoinField(field, "config_set"), p.ConfigSet)
}

// Limit is how many environments pull requests of the repository have at once.
func (p PullPolicy) Limit() int {
	if p.AtOnce == 0 {
		return DefaultPullsAtOnce
	}
	return p.AtOnce
}

// RestrictedLimit is how many of them may be restricted ones: half of them, and one at least. Else strangers could keep everybody else waiting.
func (p PullPolicy) RestrictedLimit() int { return max(1, p.Limit()/2) }

// EnvironmentName is the name of the environment of a pull request.
func (p PullPolicy) EnvironmentName(number int) string {
	prefix := p.Prefix
	if prefix == "" {
		prefix = "pr-"
	}
	return prefix + itoa(number)
}

// Wants reports whether a pull request gets an environment, or why it does not. Whether there is room is another question.
func (p PullPolicy) Wants(r PullRequest) (wants bool, why string) {
	switch {
	case r.State != PullOpen:
		return false, "it is " + string(r.State)
	case p.Off:
		return false, "the policy of the repository makes no environments"
	case r.Draft && !p.Drafts:
		return false, "it is a draft"
	case r.Bot && !p.Bots:
		return false, "its author is a bot"
	case len(p.Bases) > 0 && !slices.ContainsFunc(p.Bases, func(pattern string) bool { ok, _ := path.Match(pattern, r.BaseRef); return ok }):
		return false, "it goes to a branch that the policy does not name"
	case len(p.Labels) > 0 && !slices.ContainsFunc(p.Labels, func(l string) bool { return slices.Contains(r.Labels, l) }):
		return false, "it has no label of " + strings.Join(p.Labels, ", ")
	case r.Fork() && !p.Forks:
		return false, "it comes from a fork"
	case r.Restricted() && !p.Outsiders:
		return false, "it comes from a fork, and the host does not call its author, whose fork it must be, a member; a maintainer may approve its commit"
	}
	return true, ""
}

// RepositoryQuery asks for repositories, by id.
type RepositoryQuery struct {
	Projects []string // nil for all
	After    string   // id
	Limit    int
}
