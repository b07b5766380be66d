package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

func blueprintsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantBlueprintsRead) {
				return nil
			}
			return []menuItem{{To: "/blueprints", Name: "Blueprints", Icon: "layers", Group: groupCatalogue}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /blueprints": blueprints, "GET /blueprints/new": newBlueprint, "GET /blueprints/{id}": blueprintOverview, "GET /blueprints/{id}/document": blueprintDocument,
			"GET /blueprints/{id}/versions": blueprintVersions, "GET /blueprints/{id}/users": blueprintUsers, "GET /blueprints/{id}/publish": nextBlueprint,
			"GET /blueprints/{id}/delete": confirmBlueprintDelete,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /blueprints/new": publishBlueprint, "POST /blueprints/{id}/publish": publishBlueprint, "POST /blueprints/{id}/delete": deleteBlueprint,
		},
		Other: map[string]func(*visit) error{"POST /blueprints/check": checkBlueprint},
		Done: map[string]string{
			"blueprint-published": "The version is published. Environments that follow the blueprint get a plan of it.", "blueprint-deleted": "The blueprint is deleted, with all its versions.",
			"blueprint-unchanged": "That is the latest version already, so none was made.",
		},
	}
}

func blueprintPath(id string, parts ...string) string {
	return "/blueprints/" + strings.Join(append([]string{url.PathEscape(id)}, parts...), "/")
}

// blueprintLine is one blueprint of the list.
type blueprintLine struct {
	sdk.CatalogueEntry
	Uses uses
}

// blueprintsView is a list of blueprints.
type blueprintsView struct {
	Query      catalogueQuery
	Items      []blueprintLine
	Next       string
	MayPublish bool
}

func blueprints(v *visit) (page, error) {
	q, err := v.catalogueQuery("/blueprints", blueberry.GrantBlueprintsRead)
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListBlueprints(v.ctx, q.Filter)
	if err != nil {
		return page{}, err
	}
	l := blueprintsView{Query: q, Next: q.onward(list.NextCursor), MayPublish: v.mayPublish()}
	for _, e := range list.Items {
		users, err := v.api.ListBlueprintUsers(v.ctx, e.ID)
		if err != nil {
			return page{}, err
		}
		l.Items = append(l.Items, blueprintLine{e, uses{users, e.Latest}})
	}
	return page{Title: "Blueprints", Here: "/blueprints", Body: blueprintsBody(l)}, nil
}

// mayPublish reports whether who looks may publish a blueprint anywhere.
func (v *visit) mayPublish() bool {
	return v.may("", blueberry.GrantBlueprintsWrite) && v.may("", blueberry.GrantBlueprintsRender)
}

// blueprintView is one blueprint, at one of its versions.
type blueprintView struct {
	sdk.CatalogueEntry
	Here       string // path of the tab
	Shown      sdk.CatalogueVersion
	Uses       uses
	MayPublish bool
	MayDelete  bool
	MayCreate  bool
}

func (b blueprintView) path(parts ...string) string { return blueprintPath(b.ID, parts...) }

// ref names the version that is shown.
func (b blueprintView) ref() string { return refOf(b.Project, b.Name, b.Shown.Number) }

// makePath is where an environment is made of it.
func (b blueprintView) makePath() string {
	q := url.Values{"blueprint_ref": {b.ref()}}
	if b.Project != "" {
		q.Set("project", b.Project)
	}
	return "/environments/new?" + q.Encode()
}

// blueprintView reads a blueprint and the version that the query asks for, else the latest.
func (v *visit) blueprintView(tab string) (blueprintView, error) {
	id := v.r.PathValue("id")
	n, err := versionAsked(v.r.URL.Query(), "version")
	if err != nil {
		return blueprintView{}, err
	}
	e, err := v.api.GetBlueprint(v.ctx, id)
	if err != nil {
		return blueprintView{}, err
	}
	b := blueprintView{
		CatalogueEntry: e, Here: blueprintPath(id), MayPublish: v.mayOn(e.Project, blueberry.GrantBlueprintsWrite) && v.may(e.Project, blueberry.GrantBlueprintsRender),
		MayDelete: v.mayOn(e.Project, blueberry.GrantBlueprintsWrite), MayCreate: v.may(e.Project, blueberry.GrantEnvironmentsCreate),
	}
	if tab != "" {
		b.Here = blueprintPath(id, tab)
	}
	if n == 0 {
		n = e.Latest
	}
	if b.Shown, err = v.api.GetBlueprintVersion(v.ctx, id, n); err != nil {
		return blueprintView{}, err
	}
	users, err := v.api.ListBlueprintUsers(v.ctx, id)
	b.Uses = uses{users, e.Latest}
	return b, err
}

func (b blueprintView) page(title string, p page) page {
	p.Title, p.Here = title+" · "+b.Name, "/blueprints"
	return p
}

func blueprintOverview(v *visit) (page, error) {
	b, err := v.blueprintView("")
	if err != nil {
		return page{}, err
	}
	return page{Title: "Blueprint " + b.Name, Here: "/blueprints", Body: blueprintBody(b), Watch: interest{Any: true}}, nil
}

func blueprintDocument(v *visit) (page, error) {
	b, err := v.blueprintView("document")
	if err != nil {
		return page{}, err
	}
	return b.page("Document", page{Body: blueprintDocumentBody(b)}), nil
}

func blueprintUsers(v *visit) (page, error) {
	b, err := v.blueprintView("users")
	if err != nil {
		return page{}, err
	}
	return b.page("Environments", page{Body: blueprintUsersBody(b), Watch: interest{Any: true}}), nil
}

// versionsView is versions of a thing of the catalogue, with what differs between two of them.
type versionsView struct {
	Items    []versionLine
	Next     string
	From, To int
	Compared bool
	Lines    []diffLine
	Settings []sdk.SettingChange // of a config set
}

// compared reads which versions are to be compared: those that were asked for, else the latest and the one before it.
func (v *visit) compared(latest int) (versionsView, error) {
	q := v.r.URL.Query()
	var out versionsView
	var err error
	if out.From, err = versionAsked(q, "from"); err != nil {
		return out, err
	}
	if out.To, err = versionAsked(q, "to"); err != nil {
		return out, err
	}
	out.Compared = out.From > 0 && out.To > 0
	if !out.Compared {
		out.From, out.To = max(latest-1, 1), latest
	}
	return out, nil
}

func blueprintVersions(v *visit) (page, error) {
	b, err := v.blueprintView("versions")
	if err != nil {
		return page{}, err
	}
	view, err := v.compared(b.Latest)
	if err != nil {
		return page{}, err
	}
	before, err := versionAsked(v.r.URL.Query(), "before")
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListBlueprintVersions(v.ctx, b.ID, sdk.Window{Before: before})
	if err != nil {
		return page{}, err
	}
	for _, x := range list.Items {
		view.Items = append(view.Items, versionLine{Number: x.Number, Author: x.Author, Message: x.Message, Source: x.Source, CreatedAt: x.CreatedAt})
	}
	if list.NextBefore > 0 {
		view.Next = older(v.r.URL, strconv.Itoa(list.NextBefore))
	}
	if view.Compared {
		from, err := v.api.GetBlueprintVersion(v.ctx, b.ID, view.From)
		if err != nil {
			return page{}, err
		}
		to, err := v.api.GetBlueprintVersion(v.ctx, b.ID, view.To)
		if err != nil {
			return page{}, err
		}
		view.Lines = textDiff(from.Content, to.Content)
	}
	return b.page("Versions", page{Body: blueprintVersionsBody(b, view)}), nil
}

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

// deletionView says what goes with a thing of the catalogue, and asks whether it is to.
type deletionView struct {
	Trail []option
	Uses  uses
	Ask   ask
	Noun  string
}

func confirmBlueprintDelete(v *visit) (page, error) { return v.confirmBlueprintDelete(nil) }

func (v *visit) confirmBlueprintDelete(problem *sdk.Problem) (page, error) {
	b, err := v.blueprintView("delete")
	if err != nil {
		return page{}, err
	}
	if err := v.needs(b.Project, blueberry.GrantBlueprintsWrite); err != nil {
		return page{}, err
	}
	d := deletionView{
		Trail: []option{{"/blueprints", "Blueprints"}, {b.path(), b.Name}, {"", "delete"}}, Uses: b.Uses, Noun: "blueprint",
		Ask: ask{
			Title: "Delete blueprint " + b.Name, Label: "Delete it", Danger: true, Action: b.path("delete"), Back: b.path(), Problem: problem,
			What: fmt.Sprintf("%s and its documents go. Environments that ended keep what they were made of. This cannot be undone.", sentenceStart(counted(b.Latest, "version"))),
			CLI:  "blueberry blueprint delete " + refOf(b.Project, b.Name, 0) + projectFlag(b.Project), Call: "DELETE /v1/blueprints/" + b.ID,
		},
	}
	return b.page("Delete", page{Body: deletionBody(d)}), nil
}

func deleteBlueprint(v *visit) (string, error) {
	if err := v.api.DeleteBlueprint(v.ctx, v.r.PathValue("id")); err != nil {
		return "", v.formError(err, v.confirmBlueprintDelete)
	}
	return "/blueprints?done=blueprint-deleted", nil
}

// rangeText says which values a parameter may have.
func rangeText(p sdk.Parameter) string {
	var out []string
	if len(p.Enum) > 0 {
		out = append(out, strings.Join(enumOf(p), ", "))
	}
	switch {
	case p.Min != nil && p.Max != nil:
		out = append(out, valueText(*p.Min)+" to "+valueText(*p.Max))
	case p.Min != nil:
		out = append(out, "at least "+valueText(*p.Min))
	case p.Max != nil:
		out = append(out, "at most "+valueText(*p.Max))
	}
	if p.Pattern != "" {
		out = append(out, "like "+p.Pattern)
	}
	return strings.Join(out, "; ")
}

// madeOf says what a component is made of.
func madeOf(c sdk.Component) string {
	switch {
	case c.Chart != "":
		return "chart " + c.Chart
	case c.Kustomization != "":
		return "kustomization " + c.Kustomization
	case c.Score != "":
		return "Score file " + c.Score
	case c.Image != "":
		return c.Image
	}
	return "an image that a request or its build names"
}

// leaseText says how long environments of a blueprint live.
func leaseText(l sdk.LeaseBounds) string {
	var out []string
	if l.Default > 0 {
		out = append(out, counted(l.Default, "hour"))
	}
	if l.Max > 0 {
		out = append(out, "at most "+counted(l.Max, "hour"))
	}
	if len(out) == 0 {
		return "as the platform has it"
	}
	return strings.Join(out, ", ")
}

// accessText says who may use a blueprint.
func accessText(a sdk.BlueprintAccess) string {
	var out []string
	if len(a.Projects) > 0 {
		out = append(out, "in "+strings.Join(a.Projects, ", "))
	}
	if len(a.Actors) > 0 {
		out = append(out, "by "+strings.Join(a.Actors, ", "))
	}
	if len(out) == 0 {
		return "everyone who may create environments"
	}
	return "only " + strings.Join(out, " ")
}
