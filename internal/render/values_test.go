package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestParseValues(t *testing.T) {
	t.Parallel()
	want := map[string]any{
		"all":     map[string]any{"env": map[string]any{"REGION": "eu"}},
		"backend": map[string]any{"replicas": 2.0, "list": []any{1.0, nil}, "gone": nil, "env": map[string]any{"DB": map[string]any{"secretRef": "db/url"}}},
		"cache":   nil,
	}
	for name, content := range map[string]string{
		"yaml": "# for every component\nall: {env: {REGION: eu}}\nbackend:\n  replicas: 2\n  list: [1, null]\n  gone: null\n  env:\n    DB: {secretRef: db/url}\ncache:\n",
		"json": `{"all": {"env": {"REGION": "eu"}}, "backend": {"replicas": 2, "list": [1, null], "gone": null, "env": {"DB": {"secretRef": "db/url"}}}, "cache": null}`,
		"refs": "all: {env: &e {REGION: eu}}\nbackend: {<<: {replicas: 2}, list: [1, null], gone: ~, env: {DB: {secretRef: db/url}}}\ncache: null\n",
	} {
		got, err := ParseValues([]byte(content), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParseValuesFaults(t *testing.T) {
	t.Parallel()
	token := "ghp_" + strings.Repeat("aB3dE6", 6)
	cases := map[string]struct {
		content string
		public  []string
		want    []string // "field code (line, column)"
		reason  string
	}{
		"empty":          {"", nil, []string{" required (line 1, column 1)"}, "an empty document is no document"},
		"nothing":        {"{}", nil, nil, "no values are values"},
		"a list":         {"- a\n", nil, []string{" type (line 1, column 1)"}, "it is keyed by component"},
		"flat":           {"LOG_LEVEL: info\nlist: [1]\n", nil, []string{"LOG_LEVEL type (line 1, column 12)", "list type (line 2, column 7)"}, "the usual mistake"},
		"syntax":         {"a: b: c\n", nil, []string{" syntax (line 1, column 1)"}, ""},
		"doubled":        {"a: {x: 1, x: 2}\n", nil, []string{"a.x duplicate (line 1, column 11)"}, ""},
		"ambiguous":      {"a: {x: yes, y: 0644}\n", nil, []string{"a.x ambiguous (line 1, column 8)", "a.y ambiguous (line 1, column 16)"}, "as in blueprints"},
		"two documents":  {"a: {}\n---\nb: {}\n", nil, []string{" syntax (line 2, column 1)"}, ""},
		"a secret":       {"a:\n  env:\n    DB_PASSWORD: s3cr3t-value\n    T: " + token + "\n", nil, []string{"a.env.DB_PASSWORD secret_literal (line 3, column 18)", "a.env.T secret_literal (line 4, column 8)"}, "never in clear"},
		"in a list":      {"a:\n  args:\n  - --password=s3cr3t-value\n", nil, []string{"a.args secret_literal (line 3, column 3)"}, "a list is one leaf"},
		"a public one":   {"a: {env: {DB_PASSWORD: s3cr3t-value, T: " + token + "}}\n", []string{"*.env.T", "a.env.DB_*"}, nil, "its author says so"},
		"with faults":    {"a: {env: {DB_PASSWORD: s3cr3t-value}, n: yes}\nb: 1\n", nil, []string{"a.env.DB_PASSWORD secret_literal (line 1, column 24)", "a.n ambiguous (line 1, column 42)", "b type (line 2, column 4)"}, "all at once"},
		"quoted keys":    {"a: {\"x.y\": {PASSWORD: s3cr3t-value}}\n", nil, []string{`a["x.y"].PASSWORD secret_literal (line 1, column 23)`}, ""},
		"no JSON number": {"a: {x: .inf, y: 12345678901234567890}\n", nil, []string{"a.x type (line 1, column 8)", "a.y range (line 1, column 17)"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseValues([]byte(c.content), c.public)
			var got []string
			if err != nil {
				for _, f := range invalid(t, err) {
					got = append(got, f.Field+" "+f.Code+" "+f.Message[strings.LastIndex(f.Message, "("):])
				}
			}
			if diff := cmp.Diff(c.want, sorted(got)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s\n%v", c.reason, diff, err)
			}
			if err != nil && (strings.Contains(err.Error(), "s3cr3t-value") || strings.Contains(err.Error(), token)) {
				t.Errorf("the secret is repeated: %v", err)
			}
		})
	}
}

func TestParseValuesBounds(t *testing.T) {
	t.Parallel()
	bomb := "x: &a {k: [1,1,1,1,1,1,1,1,1,1]}\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("y%c: &%c {k: [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]}\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	long := strings.Repeat("k", 100_000)
	for name, content := range map[string]string{
		"one long text":     "a: {x: &t " + strings.Repeat("t", 100_000) + ", y: [" + strings.Repeat("*t,", 50_000) + "]}\n",
		"aliases":           bomb,
		"deep":              "a: " + strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000),
		"long keys":         "a: {" + long + ": {" + strings.Repeat("x: 1, y: 1, ", 1) + strings.Join(numbered(20_000), ", ") + "}}\n",
		"long, many faults": "a: {" + long + ": {" + strings.Repeat("x: 1, ", 20_000) + "}}\n",
		"many faults":       "a: {" + strings.Repeat("x: 1, ", 50_000) + "}\n",
	} {
		_, err := ParseValues([]byte(content), nil)
		if !errors.Is(err, blueberry.Invalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(err.Error()); n > 300_000 {
			t.Errorf("%s: the answer has %d bytes", name, n)
		}
	}
	if _, err := ParseValues(make([]byte, 10<<20), nil); !errors.Is(err, blueberry.TooLarge) {
		t.Errorf("10 MB: %v", err)
	}
}

func numbered(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("n%d: 1", i))
	}
	return out
}

func FuzzParseValues(f *testing.F) {
	f.Add([]byte("all: {env: {A: b}}\nbackend: {replicas: 2, gone: null, list: [1, {a: b}]}\n"))
	f.Add([]byte(`{"backend": {"env": {"DB": {"secretRef": "a/b"}, "PASSWORD": "s3cr3t-value"}}}`))
	f.Add([]byte("a: &a {b: *a}\n"))
	f.Add([]byte("a: {<<: [{x: 1}, {y: 2}], \"q.r\": 0x1F, z: 2024-01-01}\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var v map[string]any
		var err error
		bounded(t, func() { v, err = ParseValues(content, []string{"*.public"}) })
		checkParsed(t, content, v, err)
	})
}

// bounded runs a reader of outside bytes, and fails when it takes over a second, three times one after the other, or over 100 MB.
func bounded(t *testing.T, read func()) {
	t.Helper()
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		read()
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 100<<20 {
			t.Fatalf("took %d MB", grown>>20)
		}
		if took < time.Second { // the machine may have been busy elsewhere
			return
		}
	}
	t.Fatal("takes over a second each time")
}

// checkParsed holds what a parser of outside bytes gave: an answer of ours, with places, of bounded length; or values that JSON can hold.
func checkParsed(t *testing.T, content []byte, v any, err error) {
	t.Helper()
	if err != nil {
		var e *blueberry.Error
		if !errors.As(err, &e) {
			t.Fatalf("not one of ours: %v", err)
		}
		for _, x := range e.Fields {
			if !strings.HasSuffix(x.Message, ")") || !strings.Contains(x.Message, "(line ") {
				t.Errorf("no position: %v", x)
			}
		}
		if len(err.Error()) > 300_000 {
			t.Errorf("an answer of %d bytes to %d", len(err.Error()), len(content))
		}
		return
	}
	stored, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) > 100*len(content)+maxDocumentNodes*100 {
		t.Errorf("%d bytes became %d", len(content), len(stored))
	}
	var again any
	if err := json.Unmarshal(stored, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, again); diff != "" {
		t.Errorf("it is not what comes back from the record: %s", diff)
	}
}
