package console

import (
	"encoding/json"
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

// planForm asks for an environment, or for a change of one: what it is to be is typed, then planned, then the plan is applied. What was typed stays in the form
// over all steps, so that the server keeps nothing meanwhile.
type planForm struct {
	Env *environmentView // that changes; nil for a new one

	Typed     url.Values
	Blueprint *sdk.Blueprint // that was read; nil before it was
	Projects  []string
	Targets   []string
	Catalogue []sdk.CatalogueEntry
	Problem   *sdk.Problem
	Plan      *sdk.Plan
	PlanStale string // why the plan before was not applied; the one that is shown is new
	Rollback  int    // revision to bring back; 0 for none
}

func (f planForm) text(name string) string { return f.Typed.Get(name) }

// path is where the form is sent.
func (f planForm) path() string {
	switch {
	case f.Env == nil:
		return "/environments/new"
	case f.Rollback > 0:
		return environmentPath(f.Env.ID, "rollback")
	}
	return environmentPath(f.Env.ID, "change")
}

func plansArea() area {
	return area{
		Pages: map[string]func(*visit) (page, error){
			"GET /environments/new": newEnvironment, "GET /environments/{id}/change": changeForm, "GET /environments/{id}/rollback": rollbackForm,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /environments/new": createEnvironment, "POST /environments/{id}/change": changeEnvironment, "POST /environments/{id}/rollback": rollbackEnvironment,
		},
		Done: map[string]string{
			"created": "It was asked for. This page follows how it comes up.", "changed": "The change was asked for. This page follows it.",
			"rolled-back": "The rollback was asked for. This page follows it.",
		},
	}
}

// newEnvironment is the form of a new environment. A repository or a blueprint of the catalogue is read first, so that the form can ask for its parameters.
func newEnvironment(v *visit) (page, error) {
	return v.createForm(v.r.URL.Query(), nil, nil, "")
}

func (v *visit) createForm(typed url.Values, problem *sdk.Problem, plan *sdk.Plan, stale string) (page, error) {
	f := planForm{Typed: typed, Problem: problem, Plan: plan, PlanStale: stale}
	names, err := v.api.ListNames(v.ctx)
	if err != nil {
		return page{}, err
	}
	f.Projects = slices.DeleteFunc(names.Projects, func(p string) bool { return !v.may(p, blueberry.GrantEnvironmentsCreate) })
	f.Targets = targetNames(names)
	if list, err := v.api.ListBlueprints(v.ctx, sdk.CatalogueFilter{Project: typed.Get("project")}); err == nil {
		f.Catalogue = list.Items
	}
	if typed.Get("repository") != "" || typed.Get("blueprint_ref") != "" {
		var p *sdk.Problem
		switch b, err := v.blueprint(typed); {
		case err == nil:
			f.Blueprint = b
		case errors.As(err, &p):
			if f.Problem == nil {
				f.Problem = p
			}
		default:
			return page{}, err
		}
	}
	return page{Title: "New environment", Here: "/environments", Body: createBody(f)}, nil
}

// blueprint reads what a form names.
func (v *visit) blueprint(typed url.Values) (*sdk.Blueprint, error) {
	r := sdk.BlueprintRequest{Project: typed.Get("project"), BlueprintRef: typed.Get("blueprint_ref"), Source: sourceOf(typed)}
	if name := r.BlueprintRef; name != "" && r.Source == nil {
		if b, err := v.catalogued(name, typed.Get("project")); b != nil || err != nil {
			return b, err
		}
	}
	check, err := v.api.ValidateBlueprint(v.ctx, r)
	if err != nil {
		var p *sdk.Problem
		if errors.As(err, &p) && len(p.Errors) > 0 && !slices.ContainsFunc(p.Errors, func(e sdk.FieldError) bool { return !strings.HasPrefix(e.Field, "parameters") }) {
			rendered, err := v.api.RenderBlueprint(v.ctx, r)
			return &rendered.Blueprint, err
		}
		return nil, err
	}
	return &check.Blueprint, nil
}

// catalogued reads a blueprint of the catalogue as it stands there, without a value for its parameters.
func (v *visit) catalogued(ref, project string) (*sdk.Blueprint, error) {
	name, number, _ := strings.Cut(ref, "@")
	name, global := strings.CutPrefix(name, "global/")
	list, err := v.api.ListBlueprints(v.ctx, sdk.CatalogueFilter{Project: project, Search: name})
	if err != nil {
		return nil, err
	}
	for _, e := range list.Items {
		if e.Name != name || e.Global != global {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			n = e.Latest
		}
		version, err := v.api.GetBlueprintVersion(v.ctx, e.ID, n)
		return version.Blueprint, err
	}
	return nil, nil
}

func sourceOf(typed url.Values) *sdk.Source {
	if typed.Get("repository") == "" {
		return nil
	}
	return &sdk.Source{Repository: strings.TrimSpace(typed.Get("repository")), Ref: strings.TrimSpace(typed.Get("ref")), Path: strings.TrimSpace(typed.Get("path"))}
}

// createEnvironment plans what was typed, or applies the plan.
func createEnvironment(v *visit) (string, error) {
	typed := v.r.PostForm
	form := func(plan *sdk.Plan, stale string) func(*sdk.Problem) (page, error) {
		return func(p *sdk.Problem) (page, error) { return v.createForm(typed, p, plan, stale) }
	}
	if id := typed.Get("plan_id"); id != "" && typed.Has("apply") {
		e, err := v.api.CreateEnvironment(v.ctx, sdk.CreateEnvironmentRequest{PlanID: id}, sdk.IdempotencyKey(id))
		if err == nil {
			return environmentPath(e.ID) + "?done=created", nil
		}
		var p *sdk.Problem
		if !errors.As(err, &p) || p.Status != http.StatusConflict {
			return "", v.formError(err, form(nil, ""))
		}
		r, _ := createRequest(typed, v.planned(typed))
		plan, err := v.api.PlanNewEnvironment(v.ctx, r)
		if err != nil {
			return "", v.formError(err, form(nil, ""))
		}
		return "", again{nil, form(&plan, p.Detail)}
	}
	r, faults := createRequest(typed, v.planned(typed))
	if len(faults) > 0 {
		return "", again{faulty(faults), form(nil, "")}
	}
	plan, err := v.api.PlanNewEnvironment(v.ctx, r)
	if err != nil {
		return "", v.formError(labelFaults(err), form(nil, ""))
	}
	return "", again{nil, form(&plan, "")}
}

// planned is the blueprint whose parameters were typed; none when it cannot be read, which the plan tells.
func (v *visit) planned(typed url.Values) *sdk.Blueprint {
	b, err := v.blueprint(typed)
	if err != nil {
		return nil
	}
	return b
}

// formError shows a form again when what was typed is what is wrong, or when what it is about has changed meanwhile: the form then is of what that is now, with
// what was typed.
func (v *visit) formError(err error, form func(*sdk.Problem) (page, error)) error {
	var p *sdk.Problem
	if !errors.As(err, &p) {
		return err
	}
	switch p.Status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge:
		return again{p, form}
	}
	return err
}

func faulty(faults []sdk.FieldError) *sdk.Problem {
	detail := "1 field is not valid"
	if len(faults) != 1 {
		detail = fmt.Sprintf("%d fields are not valid", len(faults))
	}
	return &sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED", Detail: detail, Errors: faults}
}

func createRequest(typed url.Values, b *sdk.Blueprint) (sdk.CreateEnvironmentRequest, []sdk.FieldError) {
	r := sdk.CreateEnvironmentRequest{
		Project: typed.Get("project"), Name: strings.TrimSpace(typed.Get("name")), Target: typed.Get("target"), Source: sourceOf(typed), BlueprintRef: typed.Get("blueprint_ref"),
		ConfigSets: words(typed.Get("config_sets")),
	}
	var faults []sdk.FieldError
	if text := strings.TrimSpace(typed.Get("ttl_hours")); text != "" {
		hours, err := strconv.Atoi(text)
		if err != nil {
			faults = append(faults, sdk.FieldError{Field: "ttl_hours", Code: "type", Message: "must be a number of hours"})
		}
		r.TTLHours = &hours
	}
	if r.Name == "" {
		faults = append(faults, sdk.FieldError{Field: "name", Code: "required", Message: "is needed"})
	}
	if r.Source == nil && r.BlueprintRef == "" {
		faults = append(faults, sdk.FieldError{Field: "repository", Code: "required", Message: "is needed, or a blueprint of the catalogue"})
	}
	labels, more := labelsOf(typed.Get("labels"))
	faults = append(faults, more...)
	if len(labels) > 0 {
		r.Labels = labels
	}
	r.Parameters, more = parametersOf(typed, b)
	return r, append(faults, more...)
}

// parametersOf reads the fields of parameters, each by its type. A field that is empty chooses nothing.
func parametersOf(typed url.Values, b *sdk.Blueprint) (map[string]any, []sdk.FieldError) {
	if b == nil {
		return nil, nil
	}
	out, faults := map[string]any{}, []sdk.FieldError(nil)
	for _, p := range b.Parameters {
		text := strings.TrimSpace(typed.Get("parameter." + p.Name))
		if text == "" {
			continue
		}
		switch p.Type {
		case "integer", "number":
			var n json.Number
			if err := json.Unmarshal([]byte(text), &n); err != nil {
				faults = append(faults, sdk.FieldError{Field: "parameters." + p.Name, Code: "type", Message: "must be a number"})
				continue
			}
			out[p.Name] = n
		case "boolean":
			out[p.Name] = text == "true"
		default:
			out[p.Name] = text
		}
	}
	if len(out) == 0 {
		return nil, faults
	}
	return out, faults
}

// words splits a list as people type it.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}

// changeForm is the form of a change. Its fields begin as the environment has them.
func changeForm(v *visit) (page, error) { return v.changeForm(nil, nil, nil, "") }

func (v *visit) changeForm(typed url.Values, problem *sdk.Problem, plan *sdk.Plan, stale string) (page, error) {
	e, err := v.environment("change")
	if err != nil {
		return page{}, err
	}
	f := planForm{Env: &e, Typed: typed, Problem: problem, Plan: plan, PlanStale: stale}
	rev, err := v.api.GetEnvironmentRevision(v.ctx, e.ID, e.Revision)
	if err != nil {
		return page{}, err
	}
	f.Blueprint = rev.Blueprint
	if typed == nil {
		f.Typed = url.Values{"ref": {e.Source.Ref}, "blueprint_ref": {e.BlueprintRef}}
		for name, value := range rev.Parameters {
			f.Typed.Set("parameter."+name, valueText(value))
		}
		if len(rev.Overrides) > 0 {
			text, err := json.MarshalIndent(rev.Overrides, "", "  ")
			if err != nil {
				return page{}, err
			}
			f.Typed.Set("overrides", string(text))
		}
	}
	p := e.page("Change", page{Body: changeBody(f)})
	p.Watch = interest{}
	return p, nil
}

// changeEnvironment plans what was typed, or applies the plan.
func changeEnvironment(v *visit) (string, error) {
	typed, id := v.r.PostForm, v.r.PathValue("id")
	e, err := v.environment("change")
	if err != nil {
		return "", err
	}
	rev, err := v.api.GetEnvironmentRevision(v.ctx, id, e.Revision)
	if err != nil {
		return "", err
	}
	form := func(plan *sdk.Plan, stale string) func(*sdk.Problem) (page, error) {
		return func(p *sdk.Problem) (page, error) { return v.changeForm(typed, p, plan, stale) }
	}
	r, faults := changeRequest(typed, e.Environment, rev)
	if len(faults) > 0 {
		return "", again{faulty(faults), form(nil, "")}
	}
	return v.planOrApply(id, form, sdk.PlanEnvironmentRequest{Change: &r}, func(plan string) error {
		_, err := v.api.ChangeEnvironment(v.ctx, id, sdk.ChangeEnvironmentRequest{PlanID: plan}, sdk.IdempotencyKey(plan))
		return err
	}, "changed")
}

// planOrApply shows the plan of a request, or applies the one that was shown. One that went stale is answered by a new one.
func (v *visit) planOrApply(id string, form func(*sdk.Plan, string) func(*sdk.Problem) (page, error), r sdk.PlanEnvironmentRequest, apply func(plan string) error, done string) (string, error) {
	stale := ""
	if plan := v.r.PostForm.Get("plan_id"); plan != "" && v.r.PostForm.Has("apply") {
		err := apply(plan)
		if err == nil {
			return environmentPath(id) + "?done=" + done, nil
		}
		var p *sdk.Problem
		if !errors.As(err, &p) || p.Status != http.StatusConflict {
			return "", v.formError(err, form(nil, ""))
		}
		stale = p.Detail
	}
	plan, err := v.api.PlanEnvironment(v.ctx, id, r)
	if err != nil {
		return "", v.formError(err, form(nil, ""))
	}
	return "", again{nil, form(&plan, stale)}
}

func changeRequest(typed url.Values, e sdk.Environment, rev sdk.Revision) (sdk.ChangeEnvironmentRequest, []sdk.FieldError) {
	r := sdk.ChangeEnvironmentRequest{Reason: strings.TrimSpace(typed.Get("reason")), Refresh: typed.Get("refresh") == "yes"}
	if ref := strings.TrimSpace(typed.Get("ref")); e.Source.Repository != "" && ref != e.Source.Ref {
		r.Source = &sdk.SourceChange{Ref: &ref}
	}
	if ref := strings.TrimSpace(typed.Get("blueprint_ref")); ref != "" && ref != e.BlueprintRef {
		r.BlueprintRef = &ref
	}
	var faults []sdk.FieldError
	r.Parameters, faults = parametersOf(typed, rev.Blueprint)
	for name := range rev.Parameters { // what was emptied takes its default again
		if _, still := r.Parameters[name]; !still && strings.TrimSpace(typed.Get("parameter."+name)) == "" {
			if r.Parameters == nil {
				r.Parameters = map[string]any{}
			}
			r.Parameters[name] = nil
		}
	}
	r.Overrides = map[string]any{}
	if text := strings.TrimSpace(typed.Get("overrides")); text != "" {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&r.Overrides); err != nil || d.More() {
			faults = append(faults, sdk.FieldError{Field: "overrides", Code: "json", Message: "must be a JSON object, keyed by component"})
		}
	}
	return r, faults
}

// rollbackForm shows what a rollback would do.
func rollbackForm(v *visit) (page, error) {
	number, err := strconv.Atoi(v.r.URL.Query().Get("revision"))
	if err != nil || number < 1 {
		return page{}, &sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED", Detail: "the address names no revision"}
	}
	r := sdk.RollbackEnvironmentRequest{Revision: number}
	plan, err := v.api.PlanEnvironment(v.ctx, v.r.PathValue("id"), sdk.PlanEnvironmentRequest{Rollback: &r})
	if err != nil {
		return page{}, err
	}
	return v.rollbackForm(number, url.Values{}, nil, &plan, "")
}

func (v *visit) rollbackForm(number int, typed url.Values, problem *sdk.Problem, plan *sdk.Plan, stale string) (page, error) {
	e, err := v.environment("revisions")
	if err != nil {
		return page{}, err
	}
	p := e.page("Roll back", page{Body: rollbackBody(planForm{Env: &e, Typed: typed, Problem: problem, Plan: plan, PlanStale: stale, Rollback: number})})
	p.Watch = interest{}
	return p, nil
}

func rollbackEnvironment(v *visit) (string, error) {
	typed, id := v.r.PostForm, v.r.PathValue("id")
	number, err := strconv.Atoi(typed.Get("revision"))
	if err != nil {
		return "", &sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED", Detail: "the form names no revision"}
	}
	form := func(plan *sdk.Plan, stale string) func(*sdk.Problem) (page, error) {
		return func(p *sdk.Problem) (page, error) { return v.rollbackForm(number, typed, p, plan, stale) }
	}
	r := sdk.RollbackEnvironmentRequest{Revision: number, Reason: strings.TrimSpace(typed.Get("reason"))}
	return v.planOrApply(id, form, sdk.PlanEnvironmentRequest{Rollback: &r}, func(plan string) error {
		_, err := v.api.RollbackEnvironment(v.ctx, id, sdk.RollbackEnvironmentRequest{PlanID: plan}, sdk.IdempotencyKey(plan))
		return err
	}, "rolled-back")
}
