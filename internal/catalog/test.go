package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// TestOptions say which cases of a blueprint run, and what becomes of the golden files.
type TestOptions struct {
	File        string   // of the cases; empty means TestFile. The blueprint stands beside it
	Cases       []string // names; empty means all
	KubeVersion string   // that charts are rendered for; empty means the one built into render

	// Write keeps a golden file as it was rendered, instead of comparing; Remove takes away one that nothing renders any more. Names are paths in the
	// tree of files. Nil compares.
	Write  func(name string, content []byte) error
	Remove func(name string) error
}

// TestReport is what became of the cases, in their order.
type TestReport struct {
	Blueprint string       `json:"blueprint"`
	Cases     []TestResult `json:"cases"`
}

// TestResult is what became of one case. It has passed when nothing differs from what was expected.
type TestResult struct {
	Name        string                    `json:"name"`
	Passed      bool                      `json:"passed"`
	Objects     int                       `json:"objects"`
	Differences []TestDifference          `json:"differences,omitempty"`
	Warnings    []blueberry.Warning       `json:"-"`
	Verdicts    []blueberry.PolicyVerdict `json:"-"`
	Written     []string                  `json:"written,omitempty"` // golden files
	Removed     []string                  `json:"removed,omitempty"` // golden files
	Took        time.Duration             `json:"-"`
}

// TestDifference is one thing that is not as expected. What of File, Object and Field does not apply is empty.
type TestDifference struct {
	Kind    string `json:"kind"` // "fault", "warning", "policy", "golden"
	File    string `json:"file,omitempty"`
	Object  string `json:"object,omitempty"`
	Field   string `json:"field,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// String gives the difference as one line.
func (d TestDifference) String() string {
	var at []string
	for _, x := range []string{d.File, d.Object, d.Field} {
		if x != "" {
			at = append(at, x)
		}
	}
	if len(at) == 0 {
		return d.Kind + ": " + d.Message
	}
	return d.Kind + ": " + strings.Join(at, " ") + ": " + d.Message
}

// Failed is how many cases have not passed.
func (r TestReport) Failed() int {
	n := 0
	for _, c := range r.Cases {
		if !c.Passed {
			n++
		}
	}
	return n
}

// tester runs the cases of one file.
type tester struct {
	TestOptions
	tree      fs.FS
	dir       string // of the file of cases
	blueprint blueberry.Blueprint
	policies  []blueberry.Policy // without a project
}

// Test runs the cases that stand beside a blueprint: each is rendered, checked against the blueprint's schema and rules, judged by the policies and
// compared with its golden manifests. It needs no server. An Invalid error says what is wrong with the files themselves, every fault at once; what a case
// gives otherwise than it should stands in the report.
func Test(ctx context.Context, tree fs.FS, o TestOptions) (TestReport, error) {
	if o.File == "" {
		o.File = TestFile
	}
	t := &tester{TestOptions: o, tree: tree, dir: path.Dir(o.File)}
	cases, err := t.load()
	if err != nil {
		return TestReport{}, err
	}
	report := TestReport{Blueprint: t.blueprint.Name}
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		began := time.Now()
		result, err := t.run(c)
		if err != nil {
			return report, fmt.Errorf("case %s: %w", c.name, err)
		}
		result.Took = time.Since(began)
		report.Cases = append(report.Cases, result)
	}
	return report, nil
}

// load reads the cases that are wanted, the blueprint and the policies, and tells all that is wrong with them.
func (t *tester) load() ([]testCase, error) {
	var faults blueberry.Faults
	content, err := fs.ReadFile(t.tree, t.File)
	if err != nil {
		return nil, missing(t.File, err)
	}
	doc, err := parseTests(content)
	if err := faults.Merge(path.Base(t.File), err); err != nil {
		return nil, err
	}
	name := path.Join(t.dir, blueberry.BlueprintFile)
	if content, err = fs.ReadFile(t.tree, name); err != nil {
		return nil, missing(name, err)
	}
	t.blueprint, err = render.ParseBlueprint(content)
	if err := faults.Merge(blueberry.BlueprintFile, err); err != nil {
		return nil, err
	}
	if err := t.loadPolicies(doc.policies, &faults); err != nil {
		return nil, err
	}
	for i, c := range doc.cases {
		for j, name := range c.config {
			if _, err := fs.Stat(t.tree, path.Join(t.dir, name)); err != nil && name != "" {
				faults.Add(fmt.Sprintf("%s.cases[%d].config[%d]", path.Base(t.File), i, j), "file_not_found", "%s cannot be read", name)
			}
		}
	}
	cases := doc.cases
	if len(t.Cases) > 0 {
		cases = slices.DeleteFunc(cases, func(c testCase) bool { return !slices.Contains(t.Cases, c.name) })
		for _, name := range t.Cases {
			if !slices.ContainsFunc(cases, func(c testCase) bool { return c.name == name }) {
				faults.Add("case", "unknown", "there is no case %q", name)
			}
		}
	}
	return cases, faults.Err()
}

func missing(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return blueberry.Errorf(blueberry.NotFound, "FILE_NOT_FOUND", "there is no %s", name)
	}
	return fmt.Errorf("read %s: %w", name, err)
}

func (t *tester) loadPolicies(files []string, faults *blueberry.Faults) error {
	seen := map[string]bool{}
	for i, name := range files {
		at := fmt.Sprintf("%s.policies[%d]", path.Base(t.File), i)
		text, err := fs.ReadFile(t.tree, path.Join(t.dir, name))
		if err != nil {
			if name != "" {
				faults.Add(at, "file_not_found", "%s cannot be read", name)
			}
			continue
		}
		p := blueberry.Policy{Name: strings.TrimSuffix(path.Base(name), path.Ext(name)), Text: string(text)}
		if seen[p.Name] {
			faults.Add(at, "duplicate", "%s has the name of another policy too: verdicts are known by it", name)
		}
		seen[p.Name] = true
		if err := faults.Merge(at, policy.Check(p)); err != nil {
			return err
		}
		t.policies = append(t.policies, p)
	}
	return nil
}
