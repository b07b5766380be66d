package blueberry

import (
	"path"
	"slices"
)

// PullRules is what the blueprint in a repository says of its pull requests. It is read from the branch that a pull request goes to, so that none changes what
// counts for it, and it fills what the repository's PullPolicy leaves open.
type PullRules struct {
	Off         bool     `json:",omitempty"` // none gets an environment
	Bases       []string `json:",omitempty"` // as in PullPolicy
	Labels      []string `json:",omitempty"`
	Drafts      bool     `json:",omitempty"`
	Bots        bool     `json:",omitempty"`
	AtOnce      int      `json:",omitempty"` // it counts where it is lower than the policy's
	Hours       int      `json:",omitempty"`
	Paths       []string `json:",omitempty"`
	PathsIgnore []string `json:",omitempty"`
}

// With gives the policy with what the rules fill: what the policy sets stays, and off in one of them is off. Whom the policy keeps out, where the environments
// run and what they are given are never among it.
func (p PullPolicy) With(r PullRules) PullPolicy {
	fill := func(to *[]string, from []string) {
		if len(*to) == 0 {
			*to = slices.Clone(from)
		}
	}
	fill(&p.Bases, r.Bases)
	fill(&p.Labels, r.Labels)
	if len(p.Paths) == 0 && len(p.PathsIgnore) == 0 { // the two are one filter
		p.Paths, p.PathsIgnore = slices.Clone(r.Paths), slices.Clone(r.PathsIgnore)
	}
	p.Off, p.Drafts, p.Bots = p.Off || r.Off, p.Drafts || r.Drafts, p.Bots || r.Bots
	if r.AtOnce > 0 {
		p.AtOnce = min(p.Limit(), r.AtOnce)
	}
	if p.Hours == 0 {
		p.Hours = r.Hours
	}
	return p
}

// FiltersPaths reports whether it depends on the files that a pull request changes whether it gets an environment.
func (p PullPolicy) FiltersPaths() bool { return len(p.Paths) > 0 || len(p.PathsIgnore) > 0 }

// NamesPath reports whether a file that a pull request changes is one for which it gets an environment: one of Paths, where there are any, and none of
// PathsIgnore.
func (p PullPolicy) NamesPath(file string) bool {
	of := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return MatchTreePath(pattern, file) })
	}
	return (len(p.Paths) == 0 || of(p.Paths)) && !of(p.PathsIgnore)
}

// checkPullLists notes what is wrong with patterns of branches and with labels; at gives the field of one.
func (f *Faults) checkPullLists(at func(name string) string, bases, labels []string) {
	for _, list := range []struct {
		name     string
		items    []string
		patterns bool
	}{{"bases", bases, true}, {"labels", labels, false}} {
		if len(list.items) > MaxPullPatterns {
			f.Add(at(list.name), "range", "has %d items, at most %d are allowed", len(list.items), MaxPullPatterns)
		}
		for i, x := range list.items {
			_, err := path.Match(x, "")
			switch at := at(list.name) + "[" + itoa(i) + "]"; {
			case x == "" || len(x) > maxPullPattern:
				f.Add(at, "range", "must have 1 to %d characters", maxPullPattern)
			case list.patterns && err != nil:
				f.Add(at, "pattern", "%q is no pattern: * stands for anything but a slash, [a-z] for one of these", x)
			}
		}
	}
}

// check notes what is wrong with what a blueprint says of pull requests.
func (r PullRules) check(f *Faults) {
	at := func(name string) string { return JoinField("pullRequests", name) }
	f.checkPullLists(at, r.Bases, r.Labels)
	if r.AtOnce < 0 || r.AtOnce > MaxPullsAtOnce {
		f.Add(at("atOnce"), "range", "is %d, must be 1 to %d", r.AtOnce, MaxPullsAtOnce)
	}
	if r.Hours != 0 {
		f.CheckHours(at("hours"), r.Hours)
	}
	f.checkPathPatterns(at("paths"), r.Paths)
	f.checkPathPatterns(at("pathsIgnore"), r.PathsIgnore)
}
