package console

import (
	"fmt"
	"net/url"
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
