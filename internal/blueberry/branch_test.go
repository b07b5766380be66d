package blueberry_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestRulesMatchBranches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pattern, branch string
		want            bool
		reason          string
	}{
		"itself":           {"main", "main", true, "a pattern without stars is a name"},
		"below":            {"main", "main/x", false, "a branch below is another branch"},
		"above":            {"release/1", "release", false, "and so is one above"},
		"star":             {"release/*", "release/2.1", true, "a star is one part"},
		"star is one":      {"release/*", "release/2/1", false, "and not two"},
		"stars":            {"feature/**", "feature/a/b/c", true, "two stars are any number of parts"},
		"stars of nothing": {"feature/**", "feature", true, "none included"},
		"everything":       {"**", "a/b", true, "all branches"},
		"in the middle":    {"team/**/stable", "team/a/b/stable", true, "what follows still has to match"},
		"class":            {"v[0-9]", "v2", true, "classes are those of path.Match"},
		"the end":          {"a\x00", "a", false, "the mark of the end is no part of a name"},
		"none":             {"**", "", false, "a branch has a name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (blueberry.BranchRule{Branch: c.pattern}).Matches(c.branch); got != c.want {
				t.Errorf("%q of %q is %v: %s", c.pattern, c.branch, got, c.reason)
			}
		})
	}
}

func TestFirstRuleCounts(t *testing.T) {
	t.Parallel()
	r := blueberry.Repository{Rules: []blueberry.BranchRule{{Branch: "release/1", Environment: "one"}, {Branch: "release/*", Environment: "any-{branch}"}}}
	if x, ok := r.RuleOf("release/1"); !ok || x.Environment != "one" {
		t.Errorf("%v, %v", x, ok)
	}
	if x, ok := r.RuleOf("release/2"); !ok || x.Environment != "any-{branch}" {
		t.Errorf("%v, %v", x, ok)
	}
	if x, ok := r.RuleOf("main"); ok {
		t.Errorf("main has %v", x)
	}
}

// hostileBranches are names that Git or somebody's host lets through.
var hostileBranches = []string{
	"$(reboot)", "`id`", "a;b", "a|b", "a&&b", "'", `"`, "{{.Secret}}", "${commit}", "a: b", "- x", "&anchor", "*alias", "!tag", "|", "#x", "../../etc/passwd", "..", ".", "-rf", "--upload-pack=x",
	"a\nb", "a\x00b", "\u202eevil", "ä/ö", "日本", strings.Repeat("long/", 60), "UPPER", "trailing-", "-leading", "a--b", "1", "0x", "refs/heads/main", "b", "b-", "default", "kube-system", "",
}

var environmentName = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)

// TestNamesOfEnvironments: whatever the branch is called, the name is one of an environment, and no two branches have the same.
func TestNamesOfEnvironments(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"{branch}", "rel-{branch}", "{branch}-stage", strings.Repeat("a", 27) + "{branch}", "b-{branch}"} {
		rule := blueberry.BranchRule{Branch: "**", Environment: template}
		var f blueberry.Faults
		f.CheckRepository(blueberry.Repository{Name: "a/b", Host: blueberry.HostGeneric, Rules: []blueberry.BranchRule{rule}})
		if len(f) > 0 {
			t.Fatalf("%s: %v", template, f)
		}
		seen := map[string]string{}
		alike := []string{"feature/a", "feature-a", "feature_a", "Feature/a", "feature/a/", "feature//a", strings.Repeat("x", 60) + "1", strings.Repeat("x", 60) + "2"}
		for _, branch := range slices.Concat(hostileBranches, alike) {
			name := rule.EnvironmentName(branch)
			if !environmentName.MatchString(name) || len(name) > blueberry.MaxEnvironmentName {
				t.Errorf("%s: %q becomes %q, of %d characters", template, branch, name, len(name))
			}
			if other, ok := seen[name]; ok {
				t.Errorf("%s: %q and %q are both %q", template, branch, other, name)
			}
			seen[name] = branch
		}
	}
	for branch, want := range map[string]string{"main": "x-main", "v2": "x-v2"} {
		if got := (blueberry.BranchRule{Environment: "x-{branch}"}).EnvironmentName(branch); got != want {
			t.Errorf("%s becomes %s, want %s", branch, got, want)
		}
	}
	if got := (blueberry.BranchRule{Environment: "staging"}).EnvironmentName("$(x)"); got != "staging" {
		t.Errorf("a name without {branch} became %s", got)
	}
}

func FuzzEnvironmentNames(f *testing.F) {
	for _, branch := range hostileBranches {
		f.Add(branch)
	}
	f.Fuzz(func(t *testing.T, branch string) {
		for _, template := range []string{"{branch}", "rel-{branch}", strings.Repeat("a", 27) + "{branch}"} {
			if name := (blueberry.BranchRule{Environment: template}).EnvironmentName(branch); !environmentName.MatchString(name) || len(name) > blueberry.MaxEnvironmentName {
				t.Errorf("%q becomes %q", branch, name)
			}
		}
	})
}

func TestRulesAreChecked(t *testing.T) {
	t.Parallel()
	many := make([]blueberry.BranchRule, 21)
	for name, c := range map[string]struct {
		rules []blueberry.BranchRule
		want  []string
	}{
		"good":                {[]blueberry.BranchRule{{Branch: "main", Environment: "staging"}, {Branch: "release/**", Environment: "rel-{branch}", Mode: "approval", Hours: 24}}, nil},
		"empty":               {[]blueberry.BranchRule{{}}, []string{"rules[0].branch required", "rules[0].environment required"}},
		"many":                {many, []string{"rules too_many"}},
		"of several branches": {[]blueberry.BranchRule{{Branch: "release/*", Environment: "staging"}}, []string{"rules[0].environment pattern"}},
		"twice": {
			[]blueberry.BranchRule{{Branch: "main", Environment: "staging"}, {Branch: "main", Environment: "other"}, {Branch: "dev", Environment: "staging"}},
			[]string{"rules[1].branch duplicate", "rules[2].environment duplicate"},
		},
		"no room for a branch": {[]blueberry.BranchRule{{Branch: "*", Environment: strings.Repeat("a", 30) + "{branch}"}}, []string{"rules[0].environment too_long"}},
		"everything":           {[]blueberry.BranchRule{{Branch: "[", Environment: "No_Name", Mode: "x", Hours: -1, ConfigSet: []string{"No Set"}}}, []string{"rules[0].branch pattern", "rules[0].environment pattern", "rules[0].mode enum", "rules[0].hours range", "rules[0].config_set[0] pattern"}},
		"two marks":            {[]blueberry.BranchRule{{Branch: "main", Environment: "{branch}-{branch}"}}, []string{"rules[0].environment pattern"}},
		"control characters":   {[]blueberry.BranchRule{{Branch: "a\x00b", Environment: "x"}}, []string{"rules[0].branch pattern"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f blueberry.Faults
			f.CheckRepository(blueberry.Repository{Name: "a/b", Host: blueberry.HostGeneric, Rules: c.rules})
			var got []string
			for _, x := range f {
				got = append(got, x.Field+" "+x.Code)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestRulesOfTheRepositoryFillAndNeverOpen: what the policy sets stays, off in one is off, and whom the policy keeps out stays out.
func TestRulesOfTheRepositoryFillAndNeverOpen(t *testing.T) {
	t.Parallel()
	file := blueberry.PullRules{
		Bases: []string{"main"}, Labels: []string{"preview"}, Drafts: true, Bots: true, AtOnce: 3, Hours: 8, Paths: []string{"src"}, PathsIgnore: []string{"docs"},
	}
	got := blueberry.PullPolicy{}.With(file)
	if !slices.Equal(got.Bases, file.Bases) || !slices.Equal(got.Labels, file.Labels) || !got.Drafts || !got.Bots || got.AtOnce != 3 || got.Hours != 8 ||
		!slices.Equal(got.Paths, file.Paths) || !slices.Equal(got.PathsIgnore, file.PathsIgnore) || got.Off || got.Forks || got.Outsiders || got.Target != "" || len(got.ConfigSet) > 0 {
		t.Errorf("what is open is filled: %+v", got)
	}
	set := blueberry.PullPolicy{Bases: []string{"dev"}, Labels: []string{"x"}, AtOnce: 2, Hours: 4, PathsIgnore: []string{"a"}, Forks: true, Target: "here"}
	got = set.With(file)
	if !slices.Equal(got.Bases, set.Bases) || !slices.Equal(got.Labels, set.Labels) || got.AtOnce != 2 || got.Hours != 4 || len(got.Paths) > 0 || !slices.Equal(got.PathsIgnore, set.PathsIgnore) ||
		!got.Forks || got.Target != "here" {
		t.Errorf("what is set stays: %+v", got)
	}
	if !(blueberry.PullPolicy{Off: true}).With(blueberry.PullRules{}).Off || !(blueberry.PullPolicy{}).With(blueberry.PullRules{Off: true}).Off {
		t.Error("off in one of them is not off")
	}
	if got := (blueberry.PullPolicy{}).With(blueberry.PullRules{AtOnce: 500}).Limit(); got != blueberry.DefaultPullsAtOnce {
		t.Errorf("the file raised the limit to %d", got)
	}
}

func TestPathsOfThePolicy(t *testing.T) {
	t.Parallel()
	p := blueberry.PullPolicy{Paths: []string{"services/**", "go.mod"}, PathsIgnore: []string{"**/*.md"}}
	for file, want := range map[string]bool{"services/a/main.go": true, "services/a/README.md": false, "go.mod": true, "docs/x": false} {
		if p.NamesPath(file) != want {
			t.Errorf("%s: %v", file, !want)
		}
	}
	only := blueberry.PullPolicy{PathsIgnore: []string{"docs"}}
	if only.NamesPath("docs/a/b") || !only.NamesPath("src/x") || !only.FiltersPaths() || (blueberry.PullPolicy{}).FiltersPaths() {
		t.Error("what is ignored alone")
	}
	var f blueberry.Faults
	f.CheckRepository(blueberry.Repository{Name: "a/b", Host: blueberry.HostGeneric, Policy: blueberry.PullPolicy{Paths: []string{"../x"}, PathsIgnore: []string{"["}}})
	if len(f) != 2 || f[0].Field != "policy.paths[0]" || f[1].Field != "policy.paths_ignore[0]" {
		t.Errorf("%v", f)
	}
}

func TestPullRulesOfABlueprintAreChecked(t *testing.T) {
	t.Parallel()
	b := blueberry.Blueprint{Name: "shop", Components: []blueberry.Component{{Name: "web", Image: "nginx:1"}}}
	b.PullRequests = blueberry.PullRules{Bases: []string{"["}, Labels: []string{""}, AtOnce: -1, Hours: 999, Paths: []string{"/x"}, PathsIgnore: []string{"a//b"}}
	var e *blueberry.Error
	if !errors.As(b.Check(), &e) {
		t.Fatal("nothing is wrong")
	}
	var got []string
	for _, x := range e.Fields {
		got = append(got, x.Field)
	}
	want := []string{"pullRequests.bases[0]", "pullRequests.labels[0]", "pullRequests.atOnce", "pullRequests.hours", "pullRequests.paths[0]", "pullRequests.pathsIgnore[0]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestNamesOfOthers: no branch of a pattern has the environment of a pull request, or the one that a rule gives to its only branch.
func TestNamesOfOthers(t *testing.T) {
	t.Parallel()
	each := blueberry.BranchRule{Branch: "**", Environment: "{branch}"}
	r := blueberry.Repository{Name: "a/b", Host: blueberry.HostGeneric, Rules: []blueberry.BranchRule{{Branch: "main", Environment: "staging"}, each}}
	numbered := blueberry.BranchRule{Branch: "v*", Environment: "pr-{branch}"}
	for _, c := range []struct {
		rule         blueberry.BranchRule
		prefix, name string
		branch       string
		plain        bool
	}{
		{each, "", "staging", "staging", false},
		{each, "", "pr-7", "pr-7", false},
		{each, "", "pr-7x", "pr-7x", true},
		{each, "", "pr-", "pr-", false}, // no name of an environment
		{each, "p", "pr-7", "pr-7", true},
		{each, "p", "p7", "p7", false},
		{numbered, "", "pr-7", "7", false},
		{r.Rules[0], "", "staging", "main", true},
	} {
		r.Policy.Prefix = c.prefix
		if got := r.EnvironmentOf(c.rule, c.branch); (got == c.name) != c.plain || !environmentName.MatchString(got) {
			t.Errorf("%s with prefix %q: %s", c.branch, c.prefix, got)
		}
	}
	for i := range 200 { // a hash of digits only makes no number of a pull request
		if got := numbered.EnvironmentName(strings.Repeat("-", i+1)); strings.Trim(strings.TrimPrefix(got, "pr-"), "0123456789") == "" {
			t.Errorf("%d dashes become %s", i+1, got)
		}
	}
	r.Policy.Prefix, r.Rules = "", []blueberry.BranchRule{{Branch: "main", Environment: "pr-7"}, {Branch: "x", Environment: "pr-x"}}
	var f blueberry.Faults
	if f.CheckRepository(r); len(f) != 1 || f[0].Field != "rules[0].environment" || f[0].Code != "reserved" {
		t.Errorf("faults: %v", f)
	}
}
