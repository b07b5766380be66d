package policy_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// TestHostileRules: whoever may write policies may not stop the server with one. A rule that would is refused, or is read and judged in small space.
func TestHostileRules(t *testing.T) {
	rule := func(condition string) string {
		return "forbid (principal, action, resource) when { " + condition + " };\n"
	}
	fill := func(text string) string { return strings.Repeat(text, max(1, blueberry.MaxPolicySize/len(text))) }
	for reason, text := range map[string]string{
		"brackets":               rule(strings.Repeat("(", 32000)),
		"brackets that end":      rule(strings.Repeat("(", 32000) + "true" + strings.Repeat(")", 32000)),
		"lists":                  rule(strings.Repeat("[", 64000)),
		"ifs":                    rule(strings.Repeat("if true then true else ", 2500) + "true"),
		"nots":                   rule(strings.Repeat("!", 64000) + "true"),
		"minuses":                rule(strings.Repeat("-", 4900) + "1 == 1"),
		"ands":                   fill(rule(strings.Repeat("true&&", 2400) + "true")),
		"attributes":             fill(rule("resource" + strings.Repeat(".a", 2400))),
		"plusses":                fill(rule(strings.Repeat("1+", 2400) + "1 == 0")),
		"has in has":             rule(strings.Repeat("(", 40) + "resource" + strings.Repeat(" has a.b)", 40)),
		"has in a record":        rule(strings.Repeat(`{"a": `, 40) + "resource" + strings.Repeat(" has a.b}", 40)),
		"has after a sum":        rule(strings.Repeat("(", 40) + "1" + strings.Repeat("+resource has a.b)", 40)),
		"has of a method":        rule(strings.Repeat("(", 40) + "resource" + strings.Repeat(").isEmpty() has a.b", 40)),
		"has of many":            rule("resource has a" + strings.Repeat(".a", 2400)),
		"has of a long path":     rule("resource" + strings.Repeat(`["a"]`, 1200) + " has a.a"),
		"has by the hundred":     fill(rule(strings.Repeat("resource has a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a||", 130) + "true")),
		"the manifest with self": fill(rule(strings.Repeat("resource.manifest == resource.manifest&&", 400) + "true")),
		"patterns":               fill(rule(`resource is Object && resource.name like "` + strings.Repeat("*a", 240) + `b"`)),
		"annotations":            strings.Repeat("@a ", 20000),
		"a name without end":     strings.Repeat("a", blueberry.MaxPolicySize),
		"a comment without end":  "/*" + strings.Repeat("*", 60000),
		"semicolons":             strings.Repeat(";", blueberry.MaxPolicySize),
		"many small rules":       fill("forbid(principal,action,resource);"),
	} {
		if len(text) > blueberry.MaxPolicySize+200 {
			t.Fatalf("%s: %d bytes", reason, len(text))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p := blueberry.Policy{Name: "p", Text: text}
		_ = policy.Check(p)
		got := policy.Judge([]blueberry.Policy{p}, question())
		runtime.ReadMemStats(&after)
		if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 100 {
			t.Errorf("%s: takes %d MiB", reason, grown)
		}
		if grown := (int64(after.StackSys) - int64(before.StackSys)) >> 20; grown > 50 {
			t.Errorf("%s: takes %d MiB of stack", reason, grown)
		}
		if len(got) > policy.MaxVerdicts {
			t.Errorf("%s: %d verdicts", reason, len(got))
		}
	}
}
