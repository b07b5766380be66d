package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
)

// faults gives the faults of an error as "field code message".
func faults(err error) []string {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return nil
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Field+" "+f.Code+": "+f.Message)
	}
	return out
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const good = "forbid (principal, action, resource);"
	for reason, c := range map[string]struct {
		text string
		want []string
	}{
		"good":                     {good, nil},
		"everything a rule may be": {`@id("a-1") @message("m") @fix("f") @warn forbid (principal is User, action in [Action::"create", Action::"change"], resource is Image in Environment::"a/b",) when { if resource has tag then resource.tag like "v*" else !(resource has digest.x) } unless { principal in [User::"x"] };` + "\n// end", nil},
		"a semicolon in a text":    {`@message("a; b \" ; c") forbid (principal, action, resource); // ; permit`, nil},
		"a path with brackets":     {`forbid (principal, action, resource) when { resource.manifest["a.b"].c has d.e && true };`, nil},
		"empty":                    {"", []string{"text required: holds no rule (line 1, column 1)"}},
		"comments alone":           {"// nothing\n \t", []string{"text required: holds no rule (line 1, column 1)"}},
		"a permit":                 {good + "\n  permit (principal, action, resource);", []string{"text permit: permits: rules forbid; what none forbids is allowed (line 2, column 3)"}},
		"a slot of a template":     {"forbid (principal == ?principal, action, resource);", []string{"text slot: ?principal is a slot of a template; a rule names what it is about itself (line 1, column 22)"}},
		"every rule has its fault": {"forbid (principal, action);\nforbid (principal, action, resource) wenn { true };\n" + good + "\nforbid (principal, action, resource) when { 1 + };", []string{
			`text syntax: has ")" where "," belongs (line 1, column 26)`, `text syntax: has "wenn" where ";" belongs (line 2, column 38)`, `text syntax: has "}" where it does not belong (line 4, column 49)`,
		}},
		"no semicolon at the end":   {"forbid (principal, action, resource)", []string{`text syntax: ends where ";" belongs (line 1, column 36)`}},
		"ends in the middle":        {"forbid (principal, action, resource) when { [1, 2", []string{`text syntax: ends where "," belongs (line 1, column 49)`}},
		"no rule at all":            {"hello world;", []string{`text syntax: has "hello" where "forbid" belongs (line 1, column 1)`}},
		"a text without its end":    {"forbid (principal, action, resource) when { \"x };\n" + good, []string{`text syntax: literal not terminated (line 1, column 45)`}},
		"a comment without its end": {"/* " + good, []string{`text syntax: comment not terminated (line 1, column 1)`}},
		"a wrong escape":            {`@id("\q") ` + good, []string{"text syntax: invalid char escape (line 1, column 5)"}},
		"a character of no word":    {"forbid (principal, action, resource) when { é };", []string{`text syntax: has "é" where it does not belong (line 1, column 45)`}},
		"columns are characters":    {`@message("äöü") oops (principal);`, []string{`text syntax: has "oops" where "forbid" belongs (line 1, column 17)`}},
		"not UTF-8":                 {"forbid \xff", []string{"text encoding: is not UTF-8 (line 1, column 1)"}},
		"a number too large":        {"forbid (principal, action, resource) when { 99999999999999999999 == 1 };", []string{`text syntax: is not Cedar: parser error: strconv.ParseInt: parsing "9999999999999999999… (line 1, column 1)`}},
		"types that nothing has": {`forbid (principal is Robot, action == Action::"remove", resource is Acme::Object) when { resource in Group::"x" };`, []string{
			`text unknown: "Robot" is no type of entity; there are Environment, Object, Image, User, Token, Job and Action (line 1, column 22)`,
			`text unknown: Action::"remove" is no action; there are "create", "change", "rollback", "destroy" (line 1, column 39)`,
			`text unknown: "Acme::Object" is no type of entity; there are Environment, Object, Image, User, Token, Job and Action (line 1, column 69)`,
			`text unknown: "Group" is no type of entity; there are Environment, Object, Image, User, Token, Job and Action (line 1, column 102)`,
		}},
		"annotations": {`@id("No") @warn("x") @message("") @mesage("m") ` + good + `@id("a") ` + good + ` @id("a") ` + good, []string{
			`text id: @id: "No" must be lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit (line 1, column 1)`,
			`text annotation: @mesage is unknown; there are @id, @message, @fix and @warn (line 1, column 1)`,
			`text length: @message has 0 characters, must have 1 to 500 (line 1, column 1)`,
			`text warn: @warn takes no text: @warn or @warn("") (line 1, column 1)`,
			`text duplicate: @id("a") is the id of another rule too (line 1, column 132)`,
		}},
		"nested too deep":            {"forbid (principal, action, resource) when { " + strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60) + " };", []string{"text nesting: brackets and ifs are nested more than 50 deep (line 1, column 94)"}},
		"a rule too long":            {"forbid (principal, action, resource) when { " + strings.Repeat("true && ", 3000) + "true };", []string{"text too_large: a rule of 6013 words, at most 5000 are allowed (line 1, column 1)"}},
		"too many rules":             {strings.Repeat(good, 201), []string{"text too_many: has 201 rules, at most 200 are allowed (line 1, column 7401)"}},
		"a pattern too long":         {`forbid (principal, action, resource) when { "" like "` + strings.Repeat("x", 500) + `" };`, []string{"text too_large: a pattern of 502 bytes, at most 500 are allowed (line 1, column 53)"}},
		"a has that doubles":         {"forbid (principal, action, resource) when { (resource has a.b) has c.d };", []string{"text has: before a has with dots stands a path alone, as resource.manifest (line 1, column 64)"}},
		"a has that doubles by plus": {"forbid (principal, action, resource) when { 1 + resource has c.d };", []string{"text has: before a has with dots stands a path alone, as resource.manifest (line 1, column 58)"}},
		"a has that is long":         {"forbid (principal, action, resource) when { resource has a" + strings.Repeat(".a", 20) + " };", []string{"text has: is about a path of more than 20 names (line 1, column 54)"}},
	} {
		if diff := cmp.Diff(c.want, faults(policy.Check(blueberry.Policy{Name: "images", Text: c.text}))); diff != "" {
			t.Errorf("%s: -want +got\n%s", reason, diff)
		}
	}
}

func TestCheckTellsNameAndTextAtOnce(t *testing.T) {
	t.Parallel()
	got := faults(policy.Check(blueberry.Policy{Name: "Images", Text: ";"}))
	if len(got) != 2 || !strings.HasPrefix(got[0], "name pattern") || !strings.HasPrefix(got[1], "text syntax") {
		t.Errorf("faults %q", got)
	}
	got = faults(policy.Check(blueberry.Policy{Name: strings.Repeat("x", 41), Text: strings.Repeat("/", blueberry.MaxPolicySize+1)}))
	if diff := cmp.Diff([]string{"name too_long: has 41 characters, at most 40 are allowed", "text too_large: has 65537 bytes, at most 65536 are allowed"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	got = faults(policy.Check(blueberry.Policy{Name: "images", Text: strings.Repeat("oops;\n", 200)}))
	if len(got) != 51 || got[50] != "text more: has 150 faults more" {
		t.Errorf("%d faults, last %q", len(got), got[len(got)-1])
	}
}

// FuzzCheck: whatever a text holds, it is read or refused, and what is read can be judged by.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"", ";", "forbid (principal, action, resource);", `@id("a") @warn forbid (principal is User, action == Action::"create", resource is Object) when { resource.manifest has spec.replicas } unless { resource.images.contains("x") };`,
		"permit (principal, action, resource == ?resource);", `forbid (principal, action, resource) when { ip("1.2.3.4").isIpv4() && decimal("1.0").lessThan(decimal(resource.name)) && [1, {"a": -1}] == if true then [] else {} };`,
		`forbid(principal,action,resource) when { ((principal has a.b) has a.b) };`, "forbid (principal, action, resource) when { \"\\u{1F600}\" like \"*\\*\" }; /* x */ // y",
		`forbid (principal, action, resource) when { resource["labels"]["x"] == 9223372036854775807 + 1 || datetime("2024-01-01") < duration("1h") };`,
	} {
		f.Add(seed)
	}
	q := question()
	f.Fuzz(func(t *testing.T, text string) {
		p := blueberry.Policy{Name: "x", Text: text}
		err := policy.Check(p)
		if err != nil && (!errors.Is(err, blueberry.Invalid) || len(faults(err)) == 0) {
			t.Fatalf("an error that is no fault: %v", err)
		}
		verdicts := policy.Judge([]blueberry.Policy{p}, q)
		if err != nil && len(text) <= blueberry.MaxPolicySize && (len(verdicts) != 1 || !verdicts[0].Denied) {
			t.Fatalf("a policy that cannot be read has to deny: %v", verdicts)
		}
		if again := policy.Judge([]blueberry.Policy{p}, q); cmp.Diff(verdicts, again) != "" {
			t.Fatalf("judged in two ways: %s", cmp.Diff(verdicts, again))
		}
		for _, v := range verdicts {
			if v.Rule == "" || v.Object == "" || v.Message == "" || strings.Contains(fmt.Sprint(v), secret) {
				t.Fatalf("verdict %+v", v)
			}
		}
	})
}
