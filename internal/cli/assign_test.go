package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		sets   []string // a ' before one makes it text, as --set-string
		want   string   // JSON
		fault  string
	}{
		"text":             {"a plain word", []string{"web.env.LEVEL=debug"}, `{"web":{"env":{"LEVEL":"debug"}}}`, ""},
		"typed":            {"what YAML would take it for", []string{"a.t=true", "a.f=false", "a.n=null", "a.i=2", "a.neg=-3", "a.d=0.5"}, `{"a":{"t":true,"f":false,"n":null,"i":2,"neg":-3,"d":0.5}}`, ""},
		"words":            {"no word but these is special", []string{"a.x=yes", "a.y=True", "a.z=~", "a.e="}, `{"a":{"x":"yes","y":"True","z":"~","e":""}}`, ""},
		"commits":          {"no number that anyone means", []string{"a.x=12e4567", "a.y=007", "a.z=123456789012345678901234", "a.p=+1", "a.h=0x10"}, `{"a":{"x":"12e4567","y":"007","z":"123456789012345678901234","p":"+1","h":"0x10"}}`, ""},
		"exact":            {"a large number is kept digit by digit", []string{"a.x=9007199254740993", "a.y=1.10"}, `{"a":{"x":9007199254740993,"y":1.10}}`, ""},
		"quoted":           {"quotes make text", []string{`a.x="1.10"`, `a.y="a\"b"`, `a.z="half`}, `{"a":{"x":"1.10","y":"a\"b","z":"\"half"}}`, ""},
		"string":           {"--set-string is always text", []string{"'a.x=true", "'a.y=1", `'a.z="q"`}, `{"a":{"x":"true","y":"1","z":"\"q\""}}`, ""},
		"equals":           {"the first one splits", []string{"a.b=c=d"}, `{"a":{"b":"c=d"}}`, ""},
		"brackets":         {"a key that is no plain word", []string{`a["x.y"].z=1`, `a.b["k=v"]["]"]=2`, `a[""]=3`}, `{"a":{"x.y":{"z":1},"b":{"k=v":{"]":2}},"":3}}`, ""},
		"escape":           {"quotes are Go's and JSON's", []string{`a["\"\u00e9\n"]=1`}, `{"a":{"\"é\n":1}}`, ""},
		"reference":        {"a secret is two keys", []string{"web.env.DB.secretRef=db/url"}, `{"web":{"env":{"DB":{"secretRef":"db/url"}}}}`, ""},
		"slash":            {"slashes are plain", []string{"a.example.com/x=1"}, `{"a":{"example":{"com/x":1}}}`, ""},
		"later wins":       {"the same path twice", []string{"a.b=1", "'a.b=2", "a.b=3"}, `{"a":{"b":3}}`, ""},
		"siblings":         {"one map", []string{"a.b.c=1", "a.b.d=2"}, `{"a":{"b":{"c":1,"d":2}}}`, ""},
		"below a value":    {"both cannot be", []string{"a.b=1", "a.b.c=2"}, "", "a.b is given a value, and something below it too"},
		"above a value":    {"both cannot be", []string{"a.b.c=2", "a.b=1"}, "", "a.b is given a value, and something below it too"},
		"below null":       {"nor can these", []string{"a.b=null", "a.b.c=2"}, "", "a.b is given a value"},
		"component":        {"a component is no value", []string{"web=1"}, "", "names a component alone"},
		"no value":         {"nothing to set", []string{"web.x"}, "", "has no value"},
		"no path":          {"nothing to set it to", []string{"=1"}, "", "names no path"},
		"empty":            {"nothing at all", []string{""}, "", "names no path"},
		"empty key":        {"dots in a row", []string{"a..b=1"}, "", "is not a path"},
		"leading dot":      {"a dot first", []string{".a.b=1"}, "", "is not a path"},
		"trailing dot":     {"a dot last", []string{"a.b.=1"}, "", "is not a path"},
		"space":            {"a space in a key", []string{"a.b c=1"}, "", "is not a path"},
		"list item":        {"lists are replaced as a whole", []string{"a.b[0]=1"}, "", "items of a list"},
		"bare bracket":     {"no quotes", []string{"a[b]=1"}, "", "stands in quotes"},
		"single quotes":    {"a rune is no key", []string{"a['b']=1"}, "", "stands in quotes"},
		"backquotes":       {"nor is a raw string", []string{"a[`b`]=1"}, "", "stands in quotes"},
		"open bracket":     {"no end", []string{`a["b=1`}, "", "stands in quotes"},
		"bracket at last":  {"no end", []string{`a[`}, "", "stands in quotes"},
		"behind a bracket": {"no dot", []string{`a["b"]c=1`}, "", "a dot or a bracket must follow"},
		"closing alone":    {"no beginning", []string{`a.b]=1`}, "", "is not a path"},
	} {
		got := values{}
		var err error
		for _, s := range tc.sets {
			read := typed
			if text, isText := strings.CutPrefix(s, "'"); isText {
				s, read = text, func(v string) any { return v }
			}
			if err = got.assign(s, read); err != nil {
				break
			}
		}
		if tc.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tc.fault) {
				t.Errorf("%s: %s: %v, want %q", name, tc.reason, err, tc.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %v", name, tc.reason, err)
			continue
		}
		if diff := cmp.Diff(canonical(t, tc.want), canonical(t, compact(got))); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
	}
}

// canonical orders the keys of a JSON text and keeps its numbers.
func canonical(t *testing.T, text string) string {
	t.Helper()
	tree, err := parseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return compact(tree)
}

// FuzzSet: a text is refused or says one value at one path, which writes itself as it is read.
func FuzzSet(f *testing.F) {
	for _, s := range []string{"web.env.LEVEL=debug", `a["x.y"].z=1`, `a[""]["\n"]=null`, "a.b=c=d", "a.b[0]=1", "=", ".", "a.", `a["`, "a.b=12e4567", "a.\xff=1", `a["\xff"]=1`, `a.b="\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc := values{}
		if doc.assign(text, typed) != nil {
			if len(doc) > 0 {
				t.Fatalf("%q is refused and sets %v", text, doc)
			}
			return
		}
		keys, rest, err := cutPath(text)
		if err != nil || len(keys) < 2 || rest == "" {
			t.Fatalf("%q is taken: %q %q %v", text, keys, rest, err)
		}
		node := map[string]any(doc)
		path := ""
		for i, key := range keys {
			path = joinPath(path, key)
			if len(node) != 1 {
				t.Fatalf("%q sets more than one value: %v", text, doc)
			}
			if i < len(keys)-1 {
				node = node[key].(map[string]any)
			} else if diff := cmp.Diff(typed(rest[1:]), node[key]); diff != "" {
				t.Fatalf("%q: %s", text, diff)
			}
		}
		if strings.Contains(path, "=") {
			return // such a key stands in quotes only where a value follows
		}
		again, err := splitPath(path)
		if diff := cmp.Diff(keys, again); err != nil || diff != "" {
			t.Fatalf("%q has the path %s, which is read as %q: %v", text, path, again, err)
		}
		if _, err := json.Marshal(doc); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func TestParam(t *testing.T) {
	t.Parallel()
	p := paramFlag{}
	for _, text := range []string{"replicas=2", "debug=true", "tag=1.4.2", `version="1.10"`, "ratio=0.5", "name=a=b", "empty=", "back=null", "replicas=3"} {
		if err := p.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	want := `{"back":null,"debug":true,"empty":"","name":"a=b","ratio":0.5,"replicas":3,"tag":"1.4.2","version":"1.10"}`
	if got := compact(p); got != want {
		t.Errorf("parameters are %s, want %s", got, want)
	}
	for _, text := range []string{"", "replicas", "=2"} {
		if p.Set(text) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestMergeAndUnset(t *testing.T) {
	t.Parallel()
	tree := func(text string) map[string]any {
		out, err := parseValues([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, tc := range map[string]struct{ reason, below, above, want string }{
		"maps":     {"maps merge", `a: {x: 1, y: {p: 1}}`, `a: {y: {q: 2}}`, `a: {x: 1, y: {p: 1, q: 2}}`},
		"lists":    {"lists replace", `a: {x: [1, 2]}`, `a: {x: [3]}`, `a: {x: [3]}`},
		"null":     {"a null stays: the server deletes by it", `a: {x: 1}`, `a: {x: null}`, `a: {x: null}`},
		"map over": {"a map replaces a scalar", `a: 1`, `a: {x: 1}`, `a: {x: 1}`},
		"scalar":   {"a scalar replaces a map", `a: {x: 1}`, `a: 2`, `a: 2`},
		"nothing":  {"nothing over nothing", ``, ``, ``},
	} {
		below := tree(tc.below)
		got := merge(below, tree(tc.above))
		if diff := cmp.Diff(tree(tc.want), got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
		if diff := cmp.Diff(tree(tc.below), below); diff != "" {
			t.Errorf("%s: what lies below is altered:\n%s", name, diff)
		}
	}
	for name, tc := range map[string]struct {
		reason, tree, path, want string
		found                    bool
	}{
		"leaf":     {"one value", `a: {x: 1, y: 2}`, "a.x", `a: {y: 2}`, true},
		"emptied":  {"maps that are empty without it go too", `a: {x: {p: 1}}`, "a.x.p", ``, true},
		"map":      {"with all below", `{a: {x: {p: 1, q: 2}}, b: {y: 1}}`, "a.x", `b: {y: 1}`, true},
		"null":     {"a null is a value", `a: {x: null, y: 1}`, "a.x", `a: {y: 1}`, true},
		"whole":    {"a component", `{a: {x: 1}, b: {y: 1}}`, "a", `b: {y: 1}`, true},
		"quoted":   {"a key in quotes", `a: {"x.y": 1, z: 1}`, `a["x.y"]`, `a: {z: 1}`, true},
		"absent":   {"nothing there", `a: {x: 1}`, "a.y", `a: {x: 1}`, false},
		"below":    {"nothing below a value", `a: {x: 1}`, "a.x.p", `a: {x: 1}`, false},
		"no maps":  {"nothing below a list", `a: {x: [1]}`, "a.x.p", `a: {x: [1]}`, false},
		"other":    {"another component", `a: {x: 1}`, "b.x", `a: {x: 1}`, false},
		"untitled": {"nothing at all", ``, "a.x", ``, false},
	} {
		keys, err := splitPath(tc.path)
		if err != nil {
			t.Fatal(err)
		}
		before := tree(tc.tree)
		got, found := without(before, keys)
		if diff := cmp.Diff(tree(tc.want), got); diff != "" || found != tc.found {
			t.Errorf("%s: %s: found is %v (-want +got):\n%s", name, tc.reason, found, diff)
		}
		if diff := cmp.Diff(tree(tc.tree), before); diff != "" {
			t.Errorf("%s: the tree itself is altered:\n%s", name, diff)
		}
	}
}

func TestValuesFile(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ reason, text, want, fault string }{
		"yaml":        {"YAML", "web:\n  replicas: 2 # two\n", `{"web":{"replicas":2}}`, ""},
		"json":        {"JSON with tabs and exact numbers", "{\n\t\"web\": {\"n\": 12345678901234567, \"e\": \"\\ud83d\\ude00\"}}", `{"web":{"n":12345678901234567,"e":"😀"}}`, ""},
		"empty":       {"nothing is no values", "# nothing\n", `{}`, ""},
		"date":        {"a date is text", "web: {since: 2026-01-02}", `{"web":{"since":"2026-01-02"}}`, ""},
		"keys":        {"keys are text", "web: {1: a, true: b, 2026-01-02: c}", `{"web":{"1":"a","true":"b","2026-01-02":"c"}}`, ""},
		"anchor":      {"an alias is what it names", "a: &x {p: 1}\nb: *x\nc: {<<: *x, q: 2}", `{"a":{"p":1},"b":{"p":1},"c":{"p":1,"q":2}}`, ""},
		"quoted word": {"in quotes it is plain", `web: {x: "yes", y: '010'}`, `{"web":{"x":"yes","y":"010"}}`, ""},
		"word":        {"two readings", "web:\n  x: yes", "", "line 2, column 6: yes can be read in two ways"},
		"number":      {"two readings", "web: {x: 010}", "", "010 can be read in two ways"},
		"in a list":   {"anywhere", "web: {x: [a, off]}", "", "off can be read"},
		"twice":       {"a key twice", "web: {x: 1, x: 2}", "", "already defined"},
		"documents":   {"two of them", "web: {}\n---\nweb: {}\n", "", "more than one document"},
		"list":        {"no map", "- a", "", "cannot unmarshal"},
		"nan":         {"no JSON", "web: {x: .nan}", "", "JSON cannot"},
		"syntax":      {"no YAML", "web: [", "", "yaml: line 1"},
		"itself":      {"an alias of itself", "a: &a {b: *a}", "", "contains itself"},
	} {
		got, err := parseValues([]byte(tc.text))
		if tc.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tc.fault) {
				t.Errorf("%s: %s: %v, want %q", name, tc.reason, err, tc.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %v", name, tc.reason, err)
			continue
		}
		if diff := cmp.Diff(canonical(t, tc.want), canonical(t, compact(got))); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
		}
	}
}

// FuzzValuesFile: a document is refused or can be sent.
func FuzzValuesFile(f *testing.F) {
	for _, s := range []string{"a: 1", "a: &a [*a]", "{\"a\": 1e400}", "? [a]\n: b", "a: !!binary x", "a: !!timestamp x", "<<: {a: 1}", "a: .inf", "[]", "a: \"\\ud800\"", "? {}\n: 1", "<<: [a]", "!!str a: b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := parseValues(data)
		if err != nil {
			return
		}
		if _, err := json.Marshal(tree); err != nil || tree == nil {
			t.Errorf("%q is taken as %v, which cannot be sent: %v", data, tree, err)
		}
	})
}
