package render

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/gobwas/glob"
	helm "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
)

// The engine does what Helm's does, over Go's own template library, with bounds that Helm's has not: a chart comes from a stranger's repository, and a
// template that calls itself for ever would end the server. TestLikeHelm holds it to what the helm CLI renders.

// source is one template file of a chart.
type source struct {
	name string // "shop/charts/db/templates/service.yaml"
	text string
	base string // "shop/charts/db/templates"
	// scope is what the templates of this chart see. The files of one chart share it.
	scope map[string]any
}

// scopes lists the templates of a chart and of the charts in it, each with its own share of the values.
func scopes(c helm.Charter, top map[string]any) ([]source, error) {
	var out []source
	_, err := addScope(c, top, &out)
	// Deeper files come first, so that a parent chart's definition of a name replaces that of a chart in it.
	slices.SortFunc(out, func(a, b source) int {
		if d := strings.Count(b.name, "/") - strings.Count(a.name, "/"); d != 0 {
			return d
		}
		return strings.Compare(b.name, a.name)
	})
	return out, err
}

func addScope(c helm.Charter, above map[string]any, out *[]source) (map[string]any, error) {
	a, err := helm.NewAccessor(c)
	if err != nil {
		return nil, fmt.Errorf("read chart: %w", err)
	}
	meta := a.MetadataAsMap()
	meta["IsRoot"] = a.IsRoot()
	files := files{}
	for _, f := range a.Files() {
		files[f.Name] = f.Data
	}
	charts := map[string]any{}
	scope := map[string]any{
		"Chart":        meta,
		"Files":        files,
		"Release":      above["Release"],
		"Capabilities": above["Capabilities"],
		"Values":       common.Values{},
		"Subcharts":    charts,
	}
	if a.IsRoot() {
		scope["Values"] = above["Values"]
	} else if v, err := common.Values(above).Table("Values." + a.Name()); err == nil {
		scope["Values"] = v
	}
	for _, d := range a.Dependencies() {
		sub, err := helm.NewAccessor(d)
		if err != nil {
			return nil, fmt.Errorf("read chart: %w", err)
		}
		if charts[sub.Name()], err = addScope(d, scope, out); err != nil {
			return nil, err
		}
	}
	full := a.ChartFullPath()
	for _, t := range a.Templates() {
		if a.IsLibraryChart() && !strings.HasPrefix(path.Base(t.Name), "_") {
			continue
		}
		*out = append(*out, source{path.Join(full, t.Name), string(t.Data), path.Join(full, "templates"), scope})
	}
	return scope, nil
}

// run is one execution of a chart's templates.
type run struct {
	budget budget
	salt   salt
	set    *template.Template // of the template or tpl that runs now
	names  map[string]any     // functions, for the parser

	defined bool // the set holds the chart's templates
}

// builtinNames are the functions of text/template itself; the parser has to know them.
var builtinNames = map[string]any{
	"and": true, "or": true, "not": true, "len": true, "index": true, "slice": true, "call": true,
	"eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
}

// newRun makes a run; the templates of a prepared chart are in it already.
func newRun(second bool, p *prepared) *run {
	r := &run{salt: salt{second: second}}
	f := r.functions()
	r.names = f
	if p != nil {
		if set, err := p.set.Clone(); err == nil { // fails only for html/template
			r.set, r.defined = set.Option("missingkey=zero").Funcs(f), true
			return r
		}
	}
	r.set = template.New("charts").Option("missingkey=zero").Funcs(f)
	return r
}

// define parses every file, those of deeper charts first.
func (r *run) define(all []source) error {
	for _, s := range all {
		if err := r.parse(r.set.New(s.name), s.name, s.text); err != nil {
			return err
		}
	}
	return nil
}

// parse adds what a text defines to the set of a template, each loop and template made to count its steps.
func (r *run) parse(t *template.Template, name, text string) error {
	trees, err := parse.Parse(name, text, "", "", r.names, builtinNames)
	if err != nil {
		return err
	}
	for name, tree := range trees {
		if !parse.IsEmptyTree(tree.Root) {
			instrument(tree.Root, true)
		}
		if _, err := t.AddParseTree(name, tree); err != nil {
			return err
		}
	}
	return nil
}

// execute renders every file that is not a partial, by name.
func (r *run) execute(all []source) (map[string]string, error) {
	defer r.budget.start()()
	if !r.defined {
		if err := r.define(all); err != nil {
			return nil, err
		}
	}
	out := map[string]string{}
	for _, s := range all {
		if strings.HasPrefix(path.Base(s.name), "_") {
			continue
		}
		s.scope["Template"] = common.Values{"Name": s.name, "BasePath": s.base}
		text, err := r.call(r.set.Lookup(s.name), s.scope)
		if err != nil {
			return nil, &failure{s.name, err}
		}
		out[s.name] = strings.ReplaceAll(text, "<no value>", "")
	}
	return out, nil
}

// failure is an error of one file's template, for those that do not say where they are from: of writing.
type failure struct {
	name string
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// call runs one template; what it includes is looked up in its own set.
func (r *run) call(t *template.Template, data any) (string, error) {
	if err := r.budget.enter(); err != nil {
		return "", err
	}
	before := r.set
	r.set = t
	defer func() { r.set = before; r.budget.leave() }()
	w := writer{budget: &r.budget}
	err := t.Execute(&w, data)
	return w.text.String(), err
}

func (r *run) include(name string, data any) (string, error) {
	t := r.set.Lookup(name)
	if t == nil {
		return "", fmt.Errorf("no template %q is defined", name)
	}
	return r.call(t, data)
}

// tpl renders a text as a template that sees what its caller sees, and whose definitions stay in it.
func (r *run) tpl(text string, data any) (string, error) {
	if !strings.Contains(text, "{{") {
		return strings.ReplaceAll(text, "<no value>", ""), r.budget.step()
	}
	if err := r.budget.spend(8 * len(text)); err != nil { // parsing is more work than writing
		return "", err
	}
	set, err := r.set.Clone()
	if err != nil {
		return "", fmt.Errorf("clone templates: %w", err)
	}
	// A template made by New is another one than what may have its name already: a text of definitions alone renders to nothing.
	t := set.New("tpl").Option("missingkey=zero")
	if err := r.parse(t, "tpl", text); err != nil {
		return "", fmt.Errorf("parse the text given to tpl: %w", err)
	}
	out, err := r.call(t, data)
	return strings.ReplaceAll(out, "<no value>", ""), err
}

// writer takes what a template writes, within the budget.
type writer struct {
	budget *budget
	text   strings.Builder
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.budget.spend(len(p)); err != nil {
		return 0, err
	}
	if w.text.Len()+len(p) > maxOutput {
		return 0, limitf("writes more than %d bytes", maxOutput)
	}
	return w.text.Write(p)
}

// instrument puts a step at the beginning of each template and each round of a loop, and turns "template" into "include", whose depth is bounded.
func instrument(list *parse.ListNode, counts bool) {
	if list == nil {
		return
	}
	for i, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.IfNode:
			instrument(n.List, false)
			instrument(n.ElseList, false)
		case *parse.WithNode:
			instrument(n.List, false)
			instrument(n.ElseList, false)
		case *parse.RangeNode:
			instrument(n.List, true)
			instrument(n.ElseList, false)
		case *parse.TemplateNode:
			list.Nodes[i] = includeNode(n)
		}
	}
	if counts {
		list.Nodes = slices.Insert(list.Nodes, 0, parse.Node(action(list.Pos, 0, parse.NewIdentifier(stepName).SetPos(list.Pos))))
	}
}

func includeNode(n *parse.TemplateNode) parse.Node {
	var data parse.Node = &parse.NilNode{NodeType: parse.NodeNil, Pos: n.Pos}
	if n.Pipe != nil {
		data = n.Pipe
	}
	name := &parse.StringNode{NodeType: parse.NodeString, Pos: n.Pos, Quoted: fmt.Sprintf("%q", n.Name), Text: n.Name}
	return action(n.Pos, n.Line, parse.NewIdentifier("include").SetPos(n.Pos), name, data)
}

func action(pos parse.Pos, line int, args ...parse.Node) *parse.ActionNode {
	command := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: args}
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Line: line, Cmds: []*parse.CommandNode{command}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos, Line: line, Pipe: pipe}
}

// files are the files of a chart that are not templates, as charts see them in .Files.
type files map[string][]byte

// Get gives a file as text, empty when there is none.
func (f files) Get(name string) string { return string(f[name]) }

// GetBytes gives a file, empty when there is none.
func (f files) GetBytes(name string) []byte {
	if b, ok := f[name]; ok {
		return b
	}
	return []byte{}
}

// Glob gives the files that match a pattern; a pattern that is not valid matches all.
func (f files) Glob(pattern string) files {
	g, err := glob.Compile(pattern, '/')
	if err != nil {
		return maps.Clone(f)
	}
	out := files{}
	for name, b := range f {
		if g.Match(name) {
			out[name] = b
		}
	}
	return out
}

// Lines gives the lines of a file.
func (f files) Lines(name string) []string {
	if len(f[name]) == 0 {
		return []string{}
	}
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}

// AsConfig gives the files as the data of a ConfigMap.
func (f files) AsConfig() string { return f.as(func(b []byte) string { return string(b) }) }

// AsSecrets gives the files as the data of a Secret.
func (f files) AsSecrets() string { return f.as(base64.StdEncoding.EncodeToString) }

func (f files) as(form func([]byte) string) string {
	if f == nil {
		return ""
	}
	data := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		data[path.Base(name)] = form(f[name])
	}
	text, _ := toYAML(data)
	return text
}
