package catalog

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/policy"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// run renders one case and tells all that differs from what it expects.
func (t *tester) run(c testCase) (TestResult, error) {
	r := TestResult{Name: c.name}
	out, faults, err := t.render(c)
	if err != nil {
		return r, err
	}
	r.Warnings, r.Objects = out.Warnings, out.Count()
	r.compareFaults(c.expect.faults, faults)
	if len(faults) == 0 {
		if c.expect.warned {
			r.compareWarnings(c.expect.warnings, out.Warnings)
		}
		if r.Verdicts, err = t.judge(c, out); err != nil {
			return r, err
		}
		r.compareVerdicts(c.expect.denied, r.Verdicts)
		if err := t.compareGolden(&r, c, out.Files); err != nil {
			return r, err
		}
	}
	r.Passed = len(r.Differences) == 0
	return r, nil
}

// render gives what the case would be made of, or why it is refused.
func (t *tester) render(c testCase) (render.Output, blueberry.Faults, error) {
	in := render.Input{
		Project: blueberry.Project{Name: c.project}, Name: c.environment, Namespace: blueberry.Namespace(c.project, c.environment), Revision: 1, Domain: c.domain,
		Blueprint: t.blueprint, Source: t.tree, KubeVersion: t.KubeVersion, Parameters: c.parameters, Strict: c.strict, AppCommit: render.NoCommit, Looking: true,
	}
	unread := t.otherRepositories(&in)
	var faults blueberry.Faults
	for _, name := range c.config {
		layer := blueberry.Layer{Origin: blueberry.Origin{Layer: blueberry.LayerConfigSet, Name: strings.TrimSuffix(path.Base(name), path.Ext(name))}}
		layer.Field = "config_sets." + layer.Name
		content, err := fs.ReadFile(t.tree, path.Join(t.dir, name))
		if err != nil {
			return render.Output{}, nil, fmt.Errorf("read %s: %w", name, err)
		}
		layer.Values, err = render.ParseValues(content, nil)
		if err := faults.Merge(layer.Field, err); err != nil {
			return render.Output{}, nil, fmt.Errorf("read %s: %w", name, err)
		}
		in.Layers = append(in.Layers, layer)
	}
	if len(c.overrides) > 0 {
		in.Layers = append(in.Layers, blueberry.Layer{Origin: blueberry.Origin{Layer: blueberry.LayerEnvironment}, Field: "overrides", Values: c.overrides})
	}
	if len(faults) > 0 {
		return render.Output{}, faults, nil
	}
	out, err := render.Environment(in)
	out.Warnings = append(out.Warnings, unread...)
	faults, err = refusal(err)
	return out, faults, err
}

// otherRepositories gives an input what stands for the repositories of the blueprint, which are not read for a test, and tells of which components nothing is
// rendered as it will be.
func (t *tester) otherRepositories(in *render.Input) (unread []blueberry.Warning) {
	in.Commits, in.Sources = map[string]string{}, map[string]render.Tree{}
	trees := leastFiles(t.blueprint)
	for i, x := range t.blueprint.Components {
		if x.Repository == "" {
			continue
		}
		in.Commits[x.Name], in.Sources[x.Repository] = render.NoCommit, render.Tree{Commit: render.NoCommit, FS: trees[x.Repository]}
		if x.Path() != "" {
			unread = append(unread, blueberry.Warning{
				Code: "repository_unread", Field: fmt.Sprintf("components[%d].repository", i),
				Message: "repository " + x.Repository + " is not read for a test: nothing is rendered of what component " + x.Name + " has there",
			})
		}
	}
	return unread
}

func (t *tester) judge(c testCase, out render.Output) ([]blueberry.PolicyVerdict, error) {
	manifests, err := render.Manifests(out.Files)
	if err != nil {
		return nil, err
	}
	q := policy.Question{
		Actor: blueberry.Actor{Kind: blueberry.ActorUser, Name: "test"}, Action: blueberry.PlanCreate, Demand: out.Demand,
		Environment: blueberry.Environment{Project: c.project, Name: c.environment, Namespace: blueberry.Namespace(c.project, c.environment)},
		Inputs:      blueberry.Inputs{Blueprint: t.blueprint, Parameters: c.parameters, Overrides: c.overrides},
		LeaseHours:  t.blueprint.Lease.Hours(c.hours),
	}
	for _, m := range manifests {
		q.Manifests = append(q.Manifests, policy.Manifest{ObjectRef: m.ObjectRef, Component: m.Component, Object: m.Object})
	}
	policies := slices.Clone(t.policies)
	for i := range policies {
		policies[i].Project = c.project
	}
	return policy.Judge(policies, q), nil
}

// compareFaults takes each fault that is expected for one that there is.
func (r *TestResult) compareFaults(want []blueberry.Fault, got blueberry.Faults) {
	left := slices.Clone(want)
	for _, f := range got {
		i := slices.IndexFunc(left, func(w blueberry.Fault) bool { return w.Field == f.Field && w.Code == f.Code })
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		if slices.ContainsFunc(want, func(w blueberry.Fault) bool { return w.Field == f.Field && w.Code == f.Code }) {
			continue // several of one field and code are named once
		}
		r.differ(TestDifference{Kind: "fault", Field: f.Field, Code: f.Code, Message: f.Message})
	}
	for _, w := range left {
		r.differ(TestDifference{Kind: "fault", Field: w.Field, Code: w.Code, Message: fmt.Sprintf("the case should be refused with the code %s, and is not", w.Code)})
	}
}

func (r *TestResult) compareWarnings(want []string, got []blueberry.Warning) {
	codes := map[string]bool{}
	for _, w := range got {
		codes[w.Code] = true
		if !slices.Contains(want, w.Code) {
			r.differ(TestDifference{Kind: "warning", Field: w.Field, Code: w.Code, Message: w.Message})
		}
	}
	for _, code := range want {
		if !codes[code] {
			r.differ(TestDifference{Kind: "warning", Code: code, Message: fmt.Sprintf("the case should be warned of with the code %s, and is not", code)})
		}
	}
}

func (r *TestResult) compareVerdicts(want []string, got []blueberry.PolicyVerdict) {
	denied := map[string]bool{}
	for _, v := range got {
		if !v.Denied {
			continue
		}
		denied[v.Rule] = true
		if !slices.Contains(want, v.Rule) {
			r.differ(TestDifference{Kind: "policy", Object: v.Object, Code: v.Rule, Message: verdictText(v)})
		}
	}
	for _, rule := range want {
		if !denied[rule] {
			r.differ(TestDifference{Kind: "policy", Code: rule, Message: fmt.Sprintf("the case should be denied by %s, and is not", rule)})
		}
	}
}

func verdictText(v blueberry.PolicyVerdict) string {
	text := "denied by " + v.Rule + ": " + v.Message
	if v.Fix != "" {
		text += "; " + v.Fix
	}
	return text
}

func (r *TestResult) differ(d TestDifference) { r.Differences = append(r.Differences, d) }
