package console

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// configForm asks for a config set, or for a version of one. What an edit would change is shown before it is made; what was typed stays in the form over all steps.
type configForm struct {
	Of         *configSetView // nil for a new one
	Typed      url.Values
	Repository bool // it comes from a repository
	Projects   []string
	MayGlobal  bool
	Parts      []string
	Problem    *sdk.Problem
	Impact     *impactView // nil before it was asked for
}

// impactView is what a version of a config set would change.
type impactView struct {
	sdk.ConfigImpact
	Title  string
	Number int // of the version that it would be
	Latest int
	Lines  []diffLine
	Same   bool // as the latest version
}

// inGroup are the environments of a group, as far as they were read.
func (i impactView) inGroup(n int) (out []sdk.ImpactedEnvironment) {
	for _, x := range i.Items {
		if x.Group == n {
			out = append(out, x)
		}
	}
	return out
}

// pinned is how many of those that would change name a version, as far as they were read.
func (i impactView) pinned() (n int) {
	for _, x := range i.Items {
		if x.Pins {
			n++
		}
	}
	return n
}

func (f configForm) text(name string) string { return f.Typed.Get(name) }

func (f configForm) path() string {
	if f.Of == nil {
		return "/config-sets/new"
	}
	return f.Of.path("edit")
}

func (f configForm) editor() editor {
	in, _ := documentFaults(f.Problem)
	return editor{
		Kind: "values", Label: "Values", Value: f.text("content"), Faults: in, Parts: f.Parts, Check: "/config-sets/check", Missing: faultOf(f.Problem, "content"),
		Hint: "YAML or JSON by component, or by all for every one. A secret stands here as a reference: {secretRef: name/key}.",
	}
}

func (f configForm) source() *sdk.Source {
	if !f.Repository {
		return nil
	}
	return &sdk.Source{Repository: strings.TrimSpace(f.text("source.repository")), Ref: strings.TrimSpace(f.text("source.ref")), Path: strings.TrimSpace(f.text("source.path"))}
}

// content is what was typed; none when it comes from a repository.
func (f configForm) content() string {
	if f.Repository {
		return ""
	}
	return documentText(f.text("content"))
}

// creation is what is asked of the API for a new set.
func (f configForm) creation() sdk.CreateConfigSetRequest {
	r := sdk.CreateConfigSetRequest{
		Project: f.text("project"), Global: f.text("project") == everyProject, Name: strings.TrimSpace(f.text("name")), Content: f.content(), Source: f.source(),
		Message: strings.TrimSpace(f.text("message")),
	}
	if r.Global {
		r.Project = ""
	}
	if public := patternsOf(f.text("public")); len(public) > 0 {
		r.Public = public
	}
	return r
}

// edition is what is asked of the API for a version.
func (f configForm) edition() sdk.EditConfigSetRequest {
	return sdk.EditConfigSetRequest{Content: f.content(), Source: f.source(), Message: strings.TrimSpace(f.text("message")), Public: patternsOf(f.text("public"))}
}

// call is the same as a call of the API, with its body.
func (f configForm) call() (call, body string) {
	if f.Of == nil {
		return "POST /v1/config-sets", jsonOf(f.creation())
	}
	return "POST /v1/config-sets/" + f.Of.ID + "/versions", jsonOf(f.edition())
}

// command is the same for a shell.
func (f configForm) command() string {
	project, name, verb := f.text("project"), strings.TrimSpace(f.text("name")), "create"
	if f.Of != nil {
		project, name, verb = f.Of.Project, f.Of.Name, "edit"
	}
	if project == everyProject {
		project = ""
	}
	if name == "" {
		name = "NAME"
	}
	out := "blueberry config " + verb + " " + shellWord(refOf(project, name, 0)) + projectFlag(project)
	if s := f.source(); s != nil {
		out = "blueberry config import " + shellWord(refOf(project, name, 0)) + projectFlag(project) + " --repo " + shellQuoted(s.Repository)
		if s.Ref != "" {
			out += " --ref " + shellQuoted(s.Ref)
		}
		out += " --path " + shellQuoted(s.Path)
	} else {
		out += " --file values.yaml"
	}
	if m := strings.TrimSpace(f.text("message")); m != "" {
		out += " --message " + shellQuoted(m)
	}
	for _, p := range patternsOf(f.text("public")) {
		out += " --public " + shellQuoted(p)
	}
	return out
}

// firstValues is what a form for a new config set begins with.
const firstValues = `all:
  env:
    LOG_LEVEL: info
`

func newConfigSet(v *visit) (page, error) {
	q := v.r.URL.Query()
	return v.configForm(url.Values{"content": {firstValues}, "project": {q.Get("project")}, "name": {q.Get("name")}, "from": {q.Get("from")}}, nil, nil)
}

func editConfigSetForm(v *visit) (page, error) {
	c, err := v.configSetView("edit")
	if err != nil {
		return page{}, err
	}
	if err := v.needs(c.Project, blueberry.GrantConfigWrite); err != nil {
		return page{}, err
	}
	from := v.r.URL.Query().Get("from")
	return v.configForm(url.Values{
		"from": {from}, "content": {c.Shown.Content}, "public": {strings.Join(c.Shown.Public, "\n")}, "version": {strconv.FormatInt(c.Version, 10)},
		"source.repository": {c.Shown.Source.Repository}, "source.ref": {c.Shown.Source.Ref}, "source.path": {c.Shown.Source.Path},
	}, nil, nil)
}

func (v *visit) configForm(typed url.Values, problem *sdk.Problem, impact *impactView) (page, error) {
	f := configForm{Typed: typed, Repository: typed.Get("from") == "repository", Problem: problem, Impact: impact}
	if v.r.PathValue("id") == "" {
		if err := lacking(v.who.CanSomewhere(blueberry.GrantConfigWrite)); err != nil {
			return page{}, err
		}
		var err error
		f.Projects, err = v.projectsWith(blueberry.GrantConfigWrite)
		f.MayGlobal = v.mayOn("", blueberry.GrantConfigWrite)
		return page{Title: "New config set", Here: "/config-sets", Body: configFormBody(f)}, err
	}
	c, err := v.configSetView("edit")
	if err != nil {
		return page{}, err
	}
	f.Of = &c
	f.Parts, err = v.componentsOf(c)
	return c.page("Edit", page{Body: configFormBody(f)}), err
}

// componentsOf are the components that values of a set are likely to be of: those that it names, and those of an environment that uses it.
func (v *visit) componentsOf(c configSetView) ([]string, error) {
	found := map[string]bool{}
	for name := range c.Shown.Values {
		found[name] = true
	}
	for _, x := range c.Uses.Items[:min(len(c.Uses.Items), 3)] {
		e, err := v.api.GetEnvironmentRevision(v.ctx, x.EnvironmentID, x.Revision)
		if err != nil {
			continue // it may have gone meanwhile; these are offers only
		}
		if e.Blueprint != nil {
			for _, p := range e.Blueprint.Components {
				found[p.Name] = true
			}
		}
	}
	delete(found, "all")
	return slices.Sorted(maps.Keys(found)), nil
}

func createConfigSet(v *visit) (string, error) {
	f := configForm{Typed: v.r.PostForm, Repository: v.r.PostForm.Get("from") == "repository"}
	made, err := v.api.CreateConfigSet(v.ctx, f.creation())
	if err != nil {
		return "", v.formError(err, func(p *sdk.Problem) (page, error) { return v.configForm(f.Typed, p, nil) })
	}
	return configSetPath(made.ConfigSet.ID) + "?done=config-created", nil
}

// editConfigSet shows what an edit would change, or makes it.
func editConfigSet(v *visit) (string, error) {
	f, id := configForm{Typed: v.r.PostForm, Repository: v.r.PostForm.Get("from") == "repository"}, v.r.PathValue("id")
	form := func(impact *impactView) func(*sdk.Problem) (page, error) {
		return func(p *sdk.Problem) (page, error) { return v.configForm(f.Typed, p, impact) }
	}
	r := f.edition()
	if f.Typed.Has("save") || f.Repository {
		made, err := v.api.EditConfigSet(v.ctx, id, r, ifVersion(f.Typed)...)
		if err != nil {
			return "", v.formError(err, form(nil))
		}
		done := "config-saved"
		if made.Unchanged {
			done = "config-unchanged"
		}
		return configSetPath(id) + "?done=" + done, nil
	}
	if strings.TrimSpace(r.Content) == "" {
		return "", again{faulty([]sdk.FieldError{{Field: "content", Code: "required", Message: "is needed"}}), form(nil)}
	}
	impact, err := v.api.GetConfigSetImpact(v.ctx, id, sdk.ConfigImpactRequest{Content: r.Content, Public: r.Public})
	if err != nil {
		return "", v.formError(err, form(nil))
	}
	was, err := v.api.GetConfigSetVersion(v.ctx, id, impact.ConfigSet.Latest)
	if err != nil {
		return "", err
	}
	i := impactView{
		ConfigImpact: impact, Title: "2 · What it would change", Number: impact.ConfigSet.Latest + 1, Latest: impact.ConfigSet.Latest, Lines: textDiff(was.Content, r.Content),
		Same: was.Content == r.Content && slices.Equal(was.Public, r.Public),
	}
	return "", again{nil, form(&i)}
}

// checkConfigSet tells the script of the editor what is wrong with what is typed.
func checkConfigSet(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return &sdk.Problem{Status: http.StatusBadRequest, Code: "FORM_UNREADABLE", Detail: "the form cannot be read"}
	}
	r := (configForm{Typed: v.r.PostForm}).creation()
	r.Name, r.Message = "checked", "" // these are told of when the form is sent
	err := v.api.CheckConfigSet(v.ctx, r)
	out := []documentFault{}
	var p *sdk.Problem
	if errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity {
		out, _ = documentFaults(p)
	} else if err != nil {
		return err
	}
	return v.answerJSON(map[string]any{"faults": append([]documentFault{}, out...)})
}

// refused is how many environments could not be changed so.
func (i impactView) refused() (n int) {
	for _, g := range i.Groups {
		if len(g.Faults) > 0 {
			n += g.Environments
		}
	}
	return n
}

// changedIn is how many objects would change.
func changedIn(objects []sdk.ObjectDiff) (n int) {
	for _, o := range objects {
		if o.Action != "unchanged" {
			n++
		}
	}
	return n
}

func namesVerb(n int) string {
	if n == 1 {
		return "names"
	}
	return "name"
}
