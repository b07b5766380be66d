package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// TestFile holds the cases of a blueprint and stands beside it.
const TestFile = "blueberry.test.yaml"

// maxCases is how many cases one file may hold.
const maxCases = 500

// What a case that says nothing else is rendered for.
const (
	caseEnvironment = "preview"
	caseDomain      = "localhost"
)

// testDocument is a file of cases.
type testDocument struct {
	policies []string // files of Cedar
	cases    []testCase
}

// testCase is one environment that a blueprint could be asked for, with what is expected of it.
type testCase struct {
	name        string
	environment string
	project     string
	domain      string
	hours       int // of the lease, for rules; 0 is the blueprint's own
	parameters  map[string]any
	config      []string // files of values, lowest first
	overrides   map[string]any
	strict      bool
	golden      string // directory of the manifests that are expected; empty for none
	expect      expectation
}

// expectation is what a case must be refused for, or warned of. What is not named must not be, but for warnings, which are compared when they are named.
type expectation struct {
	faults   []blueberry.Fault // field and code
	warnings []string          // codes
	warned   bool              // warnings are named, if only as an empty list
	denied   []string          // labels of rules
}

// parseTests reads a file of cases. Every fault is told at once, with line and column.
func parseTests(content []byte) (testDocument, error) {
	if len(content) > blueberry.MaxValuesSize {
		return testDocument{}, blueberry.Errorf(blueberry.TooLarge, "TESTS_TOO_LARGE", "the cases have %d bytes, at most %d are allowed", len(content), blueberry.MaxValuesSize)
	}
	r := &testReader{}
	root := r.parse(content)
	if root == nil {
		return testDocument{}, r.faults.Err()
	}
	var d testDocument
	r.mapping(root, "", map[string]func(*yaml.Node, string){
		"policies": r.paths(&d.policies),
		"cases": func(n *yaml.Node, field string) {
			r.list(n, field, maxCases, func(n *yaml.Node, field string) { d.cases = append(d.cases, r.testCase(n, field)) })
		},
	})
	if len(d.cases) == 0 && len(r.faults) == 0 {
		r.fault(root, "cases", "required", "must hold at least one case")
	}
	return d, r.faults.Err()
}

func (r *testReader) parse(content []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if err == nil {
		if err = dec.Decode(&more); err == nil {
			r.fault(&more, "", "syntax", "a second document follows, only one is allowed")
			return nil
		}
	}
	switch {
	case errors.Is(err, io.EOF) && len(doc.Content) == 1:
		return doc.Content[0]
	case errors.Is(err, io.EOF):
		r.fault(&yaml.Node{Line: 1, Column: 1}, "", "required", "the document is empty")
	default:
		r.faults.Add("", "syntax", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return nil
}

func (r *testReader) testCase(n *yaml.Node, field string) testCase {
	c := testCase{environment: caseEnvironment, project: blueberry.DefaultProject, domain: caseDomain}
	r.mapping(n, field, map[string]func(*yaml.Node, string){
		"name":        r.text(&c.name),
		"environment": r.name(&c.environment, blueberry.MaxEnvironmentName),
		"project":     r.name(&c.project, blueberry.MaxProjectName),
		"domain":      r.text(&c.domain),
		"hours":       r.hours(&c.hours),
		"parameters":  r.values(&c.parameters),
		"config":      r.paths(&c.config),
		"overrides":   r.values(&c.overrides),
		"strict":      r.flag(&c.strict),
		"golden":      r.path(&c.golden),
		"expect":      func(n *yaml.Node, field string) { c.expect = r.expectation(n, field) },
	})
	switch {
	case c.name == "":
		r.fault(n, blueberry.JoinField(field, "name"), "required", "must be set")
	case r.seen("case " + c.name):
		r.fault(n, blueberry.JoinField(field, "name"), "duplicate", "%q is the name of another case too", c.name)
	}
	if c.golden != "" && r.seen("golden "+c.golden) {
		r.fault(n, blueberry.JoinField(field, "golden"), "duplicate", "%s holds the manifests of another case", c.golden)
	}
	if c.golden != "" && len(c.expect.faults) > 0 {
		r.fault(n, blueberry.JoinField(field, "golden"), "exclusive", "a case that is refused has no manifests")
	}
	return c
}

func (r *testReader) expectation(n *yaml.Node, field string) expectation {
	var e expectation
	r.mapping(n, field, map[string]func(*yaml.Node, string){
		"faults": func(n *yaml.Node, field string) {
			r.list(n, field, maxCases, func(n *yaml.Node, field string) {
				var f blueberry.Fault
				r.mapping(n, field, map[string]func(*yaml.Node, string){"field": r.text(&f.Field), "code": r.text(&f.Code)})
				e.faults = append(e.faults, f)
			})
		},
		"warnings": func(n *yaml.Node, field string) {
			e.warned = true
			r.texts(&e.warnings)(n, field)
		},
		"denied": r.texts(&e.denied),
	})
	return e
}

// known lists the fields of a mapping, for the message about one that is not.
func known(fields map[string]func(*yaml.Node, string)) string {
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

// path reads a path below the directory of the file.
func (r *testReader) path(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		p, before := "", len(r.faults)
		r.text(&p)(n, field)
		switch clean := path.Clean(p); {
		case len(r.faults) > before:
		case !fs.ValidPath(clean) || clean == ".":
			r.fault(n, field, "path", "%q must be a path below the directory of the cases", p)
		default:
			*to = clean
		}
	}
}

func (r *testReader) paths(to *[]string) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		r.list(n, field, blueberry.MaxConfigSets, func(n *yaml.Node, field string) {
			p := ""
			r.path(&p)(n, field)
			*to = append(*to, p)
		})
	}
}

func (r *testReader) name(to *string, limit int) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		r.text(to)(n, field)
		var f blueberry.Faults
		f.CheckName(field, *to, limit)
		for _, x := range f {
			r.fault(n, x.Field, x.Code, "%s", x.Message)
		}
	}
}

func (r *testReader) hours(to *int) func(*yaml.Node, string) {
	return func(n *yaml.Node, field string) {
		if n = r.enter(n, field); n == nil {
			return
		}
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(to) != nil {
			r.fault(n, field, "type", "must be a whole number")
			return
		}
		var f blueberry.Faults
		if f.CheckHours(field, *to); len(f) > 0 {
			r.fault(n, field, f[0].Code, "%s", f[0].Message)
		}
	}
}

// fault notes what is wrong, with the place where it is.
func (r *testReader) fault(n *yaml.Node, field, code, format string, args ...any) {
	if len(r.faults) == maxTestFaults {
		return
	}
	r.faults.Add(field, code, "%s (line %d, column %d)", fmt.Sprintf(format, args...), max(n.Line, 1), max(n.Column, 1))
}
