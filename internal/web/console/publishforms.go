package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// publishForm asks for a version of a blueprint. What was typed is checked and shown as it would be; what is shown so is published. What was typed stays in the
// form over all steps.
type publishForm struct {
	Of         *blueprintView // nil for a new one
	Typed      url.Values
	Repository bool // it comes from a repository
	Projects   []string
	MayGlobal  bool
	Problem    *sdk.Problem
	Checked    *checkedBlueprint // nil before it was checked
}

// checkedBlueprint is what a blueprint would be, and render to.
type checkedBlueprint struct {
	Rendering *sdk.BlueprintRendering // nil when it renders to nothing by itself
	Needs     []sdk.FieldError        // why not
	Lines     []diffLine              // to the latest version
	Latest    int                     // version that it is compared with; 0 for none
	Same      bool                    // as that version
	Next      *sdk.CatalogueEntry     // blueprint that has the name already; nil for none
}

func (f publishForm) text(name string) string { return f.Typed.Get(name) }

func (f publishForm) path() string {
	if f.Of == nil {
		return "/blueprints/new"
	}
	return f.Of.path("publish")
}

func (f publishForm) editor() editor {
	in, _ := documentFaults(f.Problem)
	return editor{
		Kind: "blueprint", Label: "Blueprint", Value: f.text("content"), Faults: in, Check: "/blueprints/check",
		Hint: "YAML or JSON, with the keys of blueberry.yaml.", Missing: faultOf(f.Problem, "content"),
	}
}

// request is what is asked of the API.
func (f publishForm) request() sdk.PublishBlueprintRequest {
	r := sdk.PublishBlueprintRequest{
		Project: f.text("project"), Global: f.text("project") == everyProject, Description: strings.TrimSpace(f.text("description")), Message: strings.TrimSpace(f.text("message")),
	}
	if r.Global {
		r.Project = ""
	}
	if f.Repository {
		r.Source = &sdk.Source{Repository: strings.TrimSpace(f.text("source.repository")), Ref: strings.TrimSpace(f.text("source.ref")), Path: strings.TrimSpace(f.text("source.path"))}
	} else {
		r.Content = documentText(f.text("content"))
	}
	return r
}

// command is the same for a shell.
func (f publishForm) command() string {
	r := f.request()
	out := "blueberry blueprint publish"
	if r.Source != nil {
		out += " --repo " + shellQuoted(r.Source.Repository)
		for name, value := range map[string]string{"ref": r.Source.Ref, "path": r.Source.Path} {
			if value != "" {
				out += " --" + name + " " + shellQuoted(value)
			}
		}
	} else {
		out += " " + blueberry.BlueprintFile
	}
	if r.Global {
		out += " --global"
	} else {
		out += projectFlag(r.Project)
	}
	if r.Description != "" {
		out += " --description " + shellQuoted(r.Description)
	}
	if r.Message != "" {
		out += " --message " + shellQuoted(r.Message)
	}
	return out
}

// firstBlueprint is what a form for a new blueprint begins with.
const firstBlueprint = `name: shop
components:
- name: web
  image: ghcr.io/acme/web:1.0.0
  port: 8080
`

func newBlueprint(v *visit) (page, error) {
	q := v.r.URL.Query()
	typed := url.Values{"content": {firstBlueprint}, "project": {q.Get("project")}, "from": {q.Get("from")}}
	return v.publishForm(typed, nil, nil)
}

func nextBlueprint(v *visit) (page, error) {
	b, err := v.blueprintView("publish")
	if err != nil {
		return page{}, err
	}
	if err := v.needs(b.Project, blueberry.GrantBlueprintsWrite); err != nil {
		return page{}, err
	}
	from := v.r.URL.Query().Get("from")
	if from == "" && b.Shown.Source.Repository != "" {
		from = "repository"
	}
	return v.publishForm(url.Values{
		"from": {from}, "content": {b.Shown.Content}, "source.repository": {b.Shown.Source.Repository}, "source.ref": {b.Shown.Source.Ref}, "source.path": {b.Shown.Source.Path}, "version": {strconv.FormatInt(b.Version, 10)},
	}, nil, nil)
}

func (v *visit) publishForm(typed url.Values, problem *sdk.Problem, checked *checkedBlueprint) (page, error) {
	f := publishForm{Typed: typed, Repository: typed.Get("from") == "repository", Problem: problem, Checked: checked}
	title := "New blueprint"
	if id := v.r.PathValue("id"); id != "" {
		b, err := v.blueprintView("publish")
		if err != nil {
			return page{}, err
		}
		f.Of, title = &b, "Publish · "+b.Name
		f.Typed.Set("project", ownerOf(b.Project))
	} else {
		var err error
		if f.Projects, err = v.projectsWith(blueberry.GrantBlueprintsWrite); err != nil {
			return page{}, err
		}
		f.MayGlobal = v.mayOn("", blueberry.GrantBlueprintsWrite)
		if len(f.Projects) == 0 && !f.MayGlobal {
			return page{}, lacking(v.who.CanSomewhere(blueberry.GrantBlueprintsWrite))
		}
	}
	return page{Title: title, Here: "/blueprints", Body: publishBody(f)}, nil
}

// publishBlueprint checks what was typed, or publishes it.
func publishBlueprint(v *visit) (string, error) {
	typed := v.r.PostForm
	form := func(checked *checkedBlueprint) func(*sdk.Problem) (page, error) {
		return func(p *sdk.Problem) (page, error) { return v.publishForm(typed, p, checked) }
	}
	f := publishForm{Typed: typed, Repository: typed.Get("from") == "repository"}
	if id := v.r.PathValue("id"); id != "" {
		e, err := v.api.GetBlueprint(v.ctx, id)
		if err != nil {
			return "", err
		}
		typed.Set("project", ownerOf(e.Project))
	}
	r := f.request()
	if typed.Has("publish") {
		made, err := v.api.PublishBlueprint(v.ctx, r, ifVersion(typed)...)
		if err != nil {
			return "", v.formError(err, form(nil))
		}
		done := "blueprint-published"
		if made.Unchanged {
			done = "blueprint-unchanged"
		}
		return blueprintPath(made.Blueprint.ID) + "?done=" + done, nil
	}
	checked, err := v.checkedBlueprint(r)
	if err != nil {
		return "", v.formError(err, form(nil))
	}
	if checked.Rendering != nil && v.r.PathValue("id") == "" { // its name may be taken: then this is the next version of it
		e, err := v.namedBlueprint(r.Project, checked.Rendering.Blueprint.Name)
		if err != nil {
			return "", err
		}
		if checked.Next = e; e != nil {
			typed.Set("version", strconv.FormatInt(e.Version, 10))
		}
	}
	if err := v.compareBlueprint(&checked, r); err != nil {
		return "", err
	}
	return "", again{nil, form(&checked)}
}

// previewOf asks what a blueprint that is to be published would become.
func previewOf(r sdk.PublishBlueprintRequest) sdk.BlueprintRequest {
	if r.Source != nil {
		return sdk.BlueprintRequest{Project: r.Project, Source: r.Source}
	}
	return sdk.BlueprintRequest{Project: r.Project, Files: map[string][]byte{blueberry.BlueprintFile: []byte(r.Content)}}
}

// checkedBlueprint renders a blueprint. What is wrong in the document itself is an error; what an environment of it would still need is not.
func (v *visit) checkedBlueprint(r sdk.PublishBlueprintRequest) (checkedBlueprint, error) {
	if r.Source == nil && strings.TrimSpace(r.Content) == "" {
		return checkedBlueprint{}, faulty([]sdk.FieldError{{Field: "content", Code: "required", Message: "is needed"}})
	}
	rendering, err := v.api.RenderBlueprint(v.ctx, previewOf(r))
	var p *sdk.Problem
	if errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity && len(p.Errors) > 0 && !slices.ContainsFunc(p.Errors, blocks) {
		return checkedBlueprint{Needs: p.Errors}, nil
	}
	return checkedBlueprint{Rendering: &rendering}, err
}

// blocks reports whether a fault is one of the document, or of where it comes from: it cannot be published with it.
func blocks(e sdk.FieldError) bool {
	return documentFaultOf(e).Line > 0 || e.Field == "project" || strings.HasPrefix(e.Field, "source") || strings.HasPrefix(e.Field, "files") || strings.HasPrefix(e.Field, "content")
}

// namedBlueprint finds a blueprint by its project (empty for none) and name; nil when there is none.
func (v *visit) namedBlueprint(project, name string) (*sdk.CatalogueEntry, error) {
	scope := "project"
	if project == "" {
		scope = "global"
	}
	for e, err := range v.api.AllBlueprints(v.ctx, sdk.CatalogueFilter{Project: project, Scope: scope, Search: name}) {
		if isStatus(err, http.StatusForbidden) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if e.Name == name {
			return &e, nil
		}
	}
	return nil, nil
}

// compareBlueprint tells what is different from the latest version.
func (v *visit) compareBlueprint(c *checkedBlueprint, r sdk.PublishBlueprintRequest) error {
	id, latest := v.r.PathValue("id"), 0
	switch {
	case r.Source != nil:
		return nil
	case c.Next != nil:
		id, latest = c.Next.ID, c.Next.Latest
	case id != "":
		e, err := v.api.GetBlueprint(v.ctx, id)
		if err != nil {
			return err
		}
		latest = e.Latest
	default:
		return nil
	}
	was, err := v.api.GetBlueprintVersion(v.ctx, id, latest)
	if err != nil {
		return err
	}
	c.Latest, c.Lines, c.Same = latest, textDiff(was.Content, r.Content), was.Content == r.Content
	return nil
}

// documentText is a document as it was typed: forms send lines that end in two characters.
func documentText(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// checkBlueprint tells the script of the editor what is wrong with what is typed.
func checkBlueprint(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		return &sdk.Problem{Status: http.StatusBadRequest, Code: "FORM_UNREADABLE", Detail: "the form cannot be read"}
	}
	f := publishForm{Typed: v.r.PostForm}
	check, err := v.api.ValidateBlueprint(v.ctx, previewOf(f.request()))
	out := []documentFault{}
	var p *sdk.Problem
	switch {
	case err == nil:
		for _, w := range check.Warnings {
			x := documentFaultOf(sdk.FieldError{Field: w.Field, Message: w.Message})
			x.Warning = true
			out = append(out, x)
		}
	case errors.As(err, &p) && p.Status == http.StatusUnprocessableEntity:
		for _, e := range p.Errors {
			x := documentFaultOf(e)
			x.Warning = !blocks(e)
			out = append(out, x)
		}
	default:
		return err
	}
	return v.answerJSON(map[string]any{"faults": out})
}
