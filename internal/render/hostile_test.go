package render

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// chartOf is a chart of one template.
func chartOf(template string, more ...string) fstest.MapFS {
	out := fstest.MapFS{
		"c/Chart.yaml":            {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n")},
		"c/templates/object.yaml": {Data: []byte(template)},
	}
	for i := 0; i+1 < len(more); i += 2 {
		out["c/"+more[i]] = &fstest.MapFile{Data: []byte(more[i+1])}
	}
	return out
}

// renderTree renders a component of a chart at c.
func renderTree(t *testing.T, tree fs.FS, values map[string]any) (Output, error) {
	t.Helper()
	in := bare(t)
	in.Source = tree
	in.Blueprint.Components = []blueberry.Component{{Name: "web", Chart: "c", Values: values}}
	return Environment(in)
}

// TestHostileTemplates: a chart comes from a stranger's repository. Whatever its templates do, the process lives, and the fault says why it stopped.
func TestHostileTemplates(t *testing.T) {
	cases := map[string]string{
		"a loop without end":                  `{{ range $i := until 200000 }}{{ range $j := until 200000 }}{{ end }}{{ end }}`,
		"a loop over a number":                `{{ range 100000000000 }}{{ end }}`,
		"a loop that writes":                  `{{ range 100000000000 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}`,
		"a template that calls itself":        `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
		"an include that calls itself":        `{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}`,
		"includes that call each other":       `{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ include "a" . }}`,
		"calls that double":                   doubling(60),
		"tpl of itself":                       `{{ $t := "{{ tpl .t . }}" }}{{ tpl $t (dict "t" $t) }}`,
		"tpl that grows":                      `{{ $t := "{{ tpl (printf \"%s%s\" .t .t) (dict \"t\" (printf \"%s%s\" .t .t)) }}" }}{{ tpl $t (dict "t" $t) }}`,
		"a list too long":                     `{{ until 2000000000 }}`,
		"a list too long, backwards":          `{{ untilStep 2000000000 0 -1 }}`,
		"a sequence too long":                 `{{ seq 1 2000000000 }}`,
		"a text too long":                     `{{ repeat 2000000000 "x" }}`,
		"an indent too wide":                  `{{ indent 2000000000 "x" }}`,
		"a width too wide":                    `{{ printf "%999999d%999999d%999999d%999999d%999999d%999999d" 1 1 1 1 1 1 }}`,
		"a width from an argument":            `{{ printf "%*d" 900000000 1 }}`,
		"a text that doubles":                 `{{ $s := "x" }}{{ range until 60 }}{{ $s = printf "%s%s" $s $s }}{{ end }}`,
		"a text that doubles by replace":      `{{ $s := "xx" }}{{ range until 60 }}{{ $s = replace "x" $s $s }}{{ end }}`,
		"a text that doubles by a regex":      `{{ $s := "xx" }}{{ range until 60 }}{{ $s = regexReplaceAll "." $s "$0$0" }}{{ end }}`,
		"a text that doubles by cat":          `{{ $s := "x" }}{{ range until 60 }}{{ $s = cat $s $s }}{{ end }}`,
		"a list that doubles":                 `{{ $l := list 1 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}`,
		"a list of itself, printed":           `{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ $l }}`,
		"a list of itself, as YAML":           `{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ toYaml $l }}`,
		"a mapping of itself":                 `{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toString $d }}`,
		"the values hold themselves":          `{{ $_ := set .Values "v" .Values }}{{ toString .Values }}`,
		"a mapping that nests":                `{{ $d := dict }}{{ range until 100000 }}{{ $d = dict "d" $d }}{{ end }}`,
		"one that keeps large texts":          `{{ $l := list }}{{ $s := repeat 1000000 "x" }}{{ range until 100000 }}{{ $l = append $l (upper $s) }}{{ end }}`,
		"random texts":                        `{{ randAlphaNum 2000000000 }}`,
		"a join of much":                      `{{ $s := repeat 1000000 "x" }}{{ join $s (until 100000) }}`,
		"regular expressions of much work":    `{{ $s := repeat 1000000 "x" }}{{ range until 1000000 }}{{ $_ := regexMatch "(x+x+)+y" $s }}{{ end }}`,
		"a panic in a function":               `{{ index (list 1) 5 }}`,
		"a division by zero":                  `{{ div 1 0 }}`,
		"an output too large":                 `{{ range until 10000 }}{{ repeat 1000 "x" }}{{ end }}`,
		"the same large text again and again": `{{ $s := repeat 1000000 "x" }}{{ range until 100000 }}{{ $s }}{{ end }}`,
	}
	for name, template := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := renderTree(t, chartOf(template), nil)
			faults := invalid(t, err)
			if len(faults) != 1 || faults[0].Field != "components[0].chart" || !strings.Contains(faults[0].Message, "c/templates/object.yaml:") {
				t.Errorf("the fault does not name the template: %v", faults)
			}
		})
	}
}

func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{{ define "t%d" }}{{ include "t%d" . }}{{ include "t%d" . }}{{ end }}`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `{{ define "t%d" }}{{ end }}{{ include "t0" . }}`, n)
	return b.String()
}

// TestHostileCharts: the files of a chart may be as hostile as its templates.
func TestHostileCharts(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	cases := map[string]struct {
		tree   fstest.MapFS
		reason string
	}{
		"values are a bomb":         {chartOf("", "values.yaml", bomb), "aliases that grow to 10^10 values"},
		"values are deep":           {chartOf("", "values.yaml", "a: "+deep), "deeper than the stack"},
		"output is a bomb":          {chartOf(bomb), "the same in what a template writes"},
		"output is deep":            {chartOf("a: " + deep), "the same in what a template writes"},
		"Chart.yaml is no YAML":     {fstest.MapFS{"c/Chart.yaml": {Data: []byte("{")}}, "cannot be read"},
		"Chart.yaml has no name":    {fstest.MapFS{"c/Chart.yaml": {Data: []byte("apiVersion: v2\nversion: 1.0.0\n")}}, "not valid"},
		"no Chart.yaml":             {fstest.MapFS{"c/x": {}}, "no chart"},
		"nothing there":             {fstest.MapFS{"d/x": {}}, "no directory"},
		"a file too large":          {chartOf("", "big", strings.Repeat("x", maxFileSize+1)), "over the bound of a file"},
		"too many files":            {manyFiles(), "over the bound of files"},
		"an archive that is a bomb": {chartOf("", "charts/bomb-1.0.0.tgz", archiveOf(t, "bomb/Chart.yaml", "apiVersion: v2\nname: bomb\nversion: 1.0.0\n", "bomb/big", strings.Repeat("\x00", maxChartSize+1))), "unpacks to more than a chart may hold"},
		"an archive that is none":   {chartOf("", "charts/none-1.0.0.tgz", "not an archive"), "not gzip"},
		"an archive that climbs":    {chartOf("", "charts/up-1.0.0.tgz", archiveOf(t, "up/../../Chart.yaml", "x")), "a path out of the archive"},
		"archives in archives":      {chartOf("", "charts/a-1.0.0.tgz", nested(t, 40)), "deeper than the bound"},
		"a library":                 {fstest.MapFS{"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\ntype: library\n")}}, "renders nothing"},
		"another Kubernetes":        {fstest.MapFS{"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\nkubeVersion: '<1.30.0'\n")}}, "kubeVersion"},
		"a schema from elsewhere":   {chartOf("", "values.schema.json", `{"$ref": "https://example.invalid/schema.json"}`), "nothing is fetched"},
		"a schema of the machine":   {chartOf("", "values.schema.json", `{"$ref": "file:///etc/passwd"}`), "no file of the machine is read"},
		"a schema that is none":     {chartOf("", "values.schema.json", `{"type": 5}`), "not a schema"},
		"a schema of itself":        {chartOf("", "values.schema.json", `{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}`), "a reference to itself"},
		"a dependency not there":    {fstest.MapFS{"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: gone, version: 1.0.0, repository: 'https://example.invalid'}]\n")}}, "not vendored"},
		"a cycle of files": {fstest.MapFS{
			"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: d, version: 1.0.0, repository: 'file://../d'}]\n")},
			"d/Chart.yaml": {Data: []byte("apiVersion: v2\nname: d\nversion: 1.0.0\ndependencies: [{name: c, version: 1.0.0, repository: 'file://../c'}]\n")},
		}, "a cycle"},
		"a chart in itself": {chartOf("", "charts/c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"), "a cycle"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := renderTree(t, c.tree, nil)
			if faults := invalid(t, err); len(faults) != 1 {
				t.Errorf("%s: %v", c.reason, faults)
			}
		})
	}
}

// doublingSchema takes 2^60 checks: each part refers to the next one twice.
func doublingSchema(head, defs, keyword, last string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{%s, "%s": {`, head, defs)
	for i := range 60 {
		fmt.Fprintf(&b, `"a%d": {"%s": [{"$ref": "#/%s/a%d"}, {"$ref": "#/%s/a%d"}]}, `, i, keyword, defs, i+1, defs, i+1)
	}
	fmt.Fprintf(&b, `"a60": %s}}`, last)
	return b.String()
}

// TestSchemaBombs: a schema of a chart or of a blueprint that would take for ever is stopped, whichever way it doubles.
func TestSchemaBombs(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]string{
		"all of":          doublingSchema(`"$ref": "#/$defs/a0"`, "$defs", "allOf", `{}`),
		"any of, failing": doublingSchema(`"$ref": "#/$defs/a0"`, "$defs", "anyOf", `{"type": "string"}`),
		"in a negation":   doublingSchema(`"not": {"$ref": "#/$defs/a0"}`, "$defs", "anyOf", `{"type": "string"}`),
		"of formats":      doublingSchema(`"$schema": "http://json-schema.org/draft-07/schema#", "allOf": [{"$ref": "#/definitions/a0"}]`, "definitions", "allOf", `{"format": "regex"}`),
		"older":           doublingSchema(`"$schema": "http://json-schema.org/draft-04/schema#", "not": {"$ref": "#/definitions/a0"}`, "definitions", "oneOf", `{"type": "string"}`),
	} {
		_, err := renderTree(t, chartOf("", "values.schema.json", schema), nil)
		if faults := invalid(t, err); len(faults) != 1 || !strings.Contains(faults[0].Message, "checks") {
			t.Errorf("%s: %v", name, faults)
		}
	}
	in := shop()
	if err := json.Unmarshal([]byte(doublingSchema(`"$ref": "#/$defs/a0"`, "$defs", "allOf", `{}`)), &in.Blueprint.Schema); err != nil {
		t.Fatal(err)
	}
	_, err := Environment(in)
	if faults := invalid(t, err); len(faults) != 1 || !strings.Contains(faults[0].Message, "checks") {
		t.Errorf("of a blueprint: %v", faults)
	}
}

// TestValueBombs: values that would take the memory of the machine, or fill the record, are refused.
func TestValueBombs(t *testing.T) {
	t.Parallel()
	many := func(n int) map[string]any {
		out := map[string]any{}
		for i := range n {
			out[fmt.Sprintf("v%d", i)] = float64(i)
		}
		return out
	}
	long := strings.Repeat("k", 10_000)
	charts := fstest.MapFS{"c/Chart.yaml": {Data: []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n")}}
	for i := range 200 {
		charts[fmt.Sprintf("c/charts/s%d/Chart.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "apiVersion: v2\nname: s%d\nversion: 1.0.0\n", i)}
	}
	defaults, err := json.Marshal(many(maxSettings + 1))
	if err != nil {
		t.Fatal(err)
	}
	deep := map[string]any{}
	for range maxDocumentDepth + 1 {
		deep = map[string]any{"d": deep}
	}
	for name, c := range map[string]struct {
		tree   fs.FS
		values map[string]any
		code   string
	}{
		"too many defaults":         {chartOf("", "values.yaml", string(defaults)), nil, "limit"},
		"too many values":           {chartOf(""), many(maxDocumentNodes + 1), "too_large"},
		"too deep":                  {chartOf(""), deep, "too_deep"},
		"paths too long":            {chartOf(""), map[string]any{long: many(2_000)}, "limit"},
		"globals of many charts":    {charts, map[string]any{"global": many(10_000)}, "limit"},
		"the same, below a mapping": {charts, map[string]any{"global": map[string]any{"x": many(10_000)}}, "limit"},
		"the same, of long texts":   {charts, map[string]any{"global": map[string]any{"x": []any{strings.Repeat("x", 1<<18)}}}, "limit"},
	} {
		_, err := renderTree(t, c.tree, c.values)
		if faults := invalid(t, err); len(faults) != 1 || faults[0].Code != c.code {
			t.Errorf("%s: %v", name, faults)
		}
	}
	in := shop(overrides(map[string]any{"web": many(5_000)}))
	_, err = Environment(in)
	if n := len(invalid(t, err)); n != maxTold+1 {
		t.Errorf("%d faults are told at once", n)
	}
}

func manyFiles() fstest.MapFS {
	tree := chartOf("")
	for i := range maxChartFiles + 1 {
		tree[fmt.Sprintf("c/files/%d", i)] = &fstest.MapFile{}
	}
	return tree
}

func archiveOf(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := 0; i+1 < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nested is an archive of a chart in an archive of a chart, and so on.
func nested(t *testing.T, depth int) string {
	t.Helper()
	out := archiveOf(t, "x/Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n")
	for i := range depth {
		out = archiveOf(t, "x/Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: x%d\nversion: 1.0.0\n", i), "x/charts/x-1.0.0.tgz", out)
	}
	return out
}

// TestLinks: links inside the tree are followed as helm follows them; one that leads out or back to itself is refused.
func TestLinks(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		link, to string
		ok       bool
	}{
		"a file of the tree":      {"c/templates/linked.yaml", "../../shared.yaml", true},
		"a directory of the tree": {"c/files", "../shared", true},
		"out of the tree":         {"c/templates/linked.yaml", "/etc/passwd", false},
		"up and out of the tree":  {"c/templates/linked.yaml", "../../../../../../../etc/passwd", false},
		"back to itself":          {"c/files", "..", false},
		"to nothing":              {"c/templates/linked.yaml", "nothing", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := chartOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n")
			files["shared.yaml"] = &fstest.MapFile{Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n")}
			files["shared/x"] = &fstest.MapFile{Data: []byte("x")}
			if err := os.CopyFS(dir, files); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(c.to, filepath.Join(dir, c.link)); err != nil {
				t.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = root.Close() })
			_, err = renderTree(t, root.FS(), nil)
			if c.ok && err != nil {
				t.Fatal(err)
			}
			if !c.ok && len(invalid(t, err)) != 1 {
				t.Errorf("got %v", err)
			}
		})
	}
}
