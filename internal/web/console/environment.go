package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// environmentView is what every page of one environment has.
type environmentView struct {
	sdk.Environment
	Tab       string // path below that of the environment; empty for the overview
	Actions   []verb
	Tabs      []option // that who looks may see
	MayChange bool
}

// environmentTabs are the pages of one environment, with what one needs to see them.
var environmentTabs = []struct {
	Path, Name string
	Grant      blueberry.Grant
}{
	{"", "Overview", blueberry.GrantEnvironmentsRead},
	{"objects", "Objects", blueberry.GrantEnvironmentsRead},
	{"logs", "Logs", blueberry.GrantEnvironmentsLogs},
	{"timeline", "Timeline", blueberry.GrantEnvironmentsRead},
	{"config", "Config", blueberry.GrantEnvironmentsRead},
	{"revisions", "Revisions", blueberry.GrantEnvironmentsRead},
	{"manifests", "Manifests", blueberry.GrantEnvironmentsRead},
}

// environment reads the one that the address names.
func (v *visit) environment(tab string) (environmentView, error) {
	e, err := v.api.GetEnvironment(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return environmentView{}, err
	}
	view := environmentView{Environment: e, Tab: tab}
	view.MayChange = v.may(e.Project, blueberry.GrantEnvironmentsUpdate) && e.Phase != sdk.Terminating && e.Phase != sdk.Terminated
	for _, t := range environmentTabs {
		if v.may(e.Project, t.Grant) {
			view.Tabs = append(view.Tabs, option{tabPath(e.ID, t.Path), t.Name})
		}
	}
	for _, x := range verbs {
		if v.may(e.Project, x.Grant) && x.fits(e) {
			view.Actions = append(view.Actions, x)
		}
	}
	return view, nil
}

func (e environmentView) page(title string, p page) page {
	p.Title = e.Name
	if title != "" {
		p.Title += " · " + title
	}
	p.Here, p.Watch = "/environments", interest{Environment: e.ID}
	return p
}

// overviewView is how one environment is.
type overviewView struct {
	environmentView
	Why        sdk.Why
	WhyProblem string // why the target could not be asked
	Containers []sdk.Container
	Receipt    *sdk.Receipt
}

func environmentOverview(v *visit) (page, error) {
	e, err := v.environment("")
	if err != nil {
		return page{}, err
	}
	o := overviewView{environmentView: e}
	if e.Phase == sdk.Terminating || e.Phase == sdk.Terminated {
		receipt, err := v.api.GetEnvironmentReceipt(v.ctx, e.ID)
		if err == nil {
			o.Receipt = &receipt
		} else if !isStatus(err, http.StatusNotFound) {
			return page{}, err
		}
	}
	if e.Phase != sdk.Terminated {
		if o.Why, err = v.api.GetEnvironmentWhy(v.ctx, e.ID); err != nil {
			o.WhyProblem = problemText(err)
			o.Why.Steps = stepsOf(e.Conditions)
		}
		if v.may(e.Project, blueberry.GrantEnvironmentsLogs) && e.Phase != sdk.Terminating {
			if list, err := v.api.ListEnvironmentContainers(v.ctx, e.ID); err == nil {
				o.Containers = list.Items
			}
		}
	}
	return e.page("", page{Body: overviewBody(o)}), nil
}

// stepsOf shows what is known of the steps while the target does not answer.
func stepsOf(conditions []sdk.Condition) []sdk.Step {
	var out []sdk.Step
	for _, c := range conditions {
		out = append(out, sdk.Step{Condition: c})
	}
	return out
}

func problemText(err error) string {
	var p *sdk.Problem
	if !errors.As(err, &p) {
		return "it did not answer"
	}
	return p.Detail
}

// timelineView is what happened to one environment.
type timelineView struct {
	environmentView
	Items []sdk.TimelineEntry // newest first
	Kind  string
}

func environmentTimeline(v *visit) (page, error) {
	e, err := v.environment("timeline")
	if err != nil {
		return page{}, err
	}
	t := timelineView{environmentView: e, Kind: v.r.URL.Query().Get("kind")}
	f := sdk.TimelineFilter{Limit: 200}
	if t.Kind != "" {
		f.Kinds = []string{t.Kind}
	}
	list, err := v.api.ListEnvironmentTimeline(v.ctx, e.ID, f)
	if err != nil {
		return page{}, err
	}
	t.Items = list.Items
	slices.Reverse(t.Items)
	return e.page("Timeline", page{Body: timelineBody(t)}), nil
}

// objectsView is what was made for one environment.
type objectsView struct {
	environmentView
	Items []sdk.Object
}

func environmentObjects(v *visit) (page, error) {
	e, err := v.environment("objects")
	if err != nil {
		return page{}, err
	}
	list, err := v.api.ListEnvironmentObjects(v.ctx, e.ID)
	if err != nil {
		return page{}, err
	}
	return e.page("Objects", page{Body: objectsBody(objectsView{e, list.Items})}), nil
}

// objectView is one object, as it should be and as it is.
type objectView struct {
	environmentView
	Object sdk.LiveObject
}

func environmentObject(v *visit) (page, error) {
	e, err := v.environment("objects")
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	o, err := v.api.GetEnvironmentLiveObject(v.ctx, e.ID, sdk.ObjectRef{APIVersion: q.Get("api_version"), Kind: q.Get("kind"), Namespace: q.Get("namespace"), Name: q.Get("name")})
	if err != nil {
		return page{}, err
	}
	return e.page(o.Kind+" "+o.Name, page{Body: objectBody(objectView{e, o})}), nil
}

// configView is what holds in one environment, and where it was set.
type configView struct {
	environmentView
	Settings []sdk.Setting
	Search   string
}

func environmentConfig(v *visit) (page, error) {
	e, err := v.environment("config")
	if err != nil {
		return page{}, err
	}
	settings, err := v.api.GetEnvironmentSettings(v.ctx, e.ID, 0, "")
	if err != nil {
		return page{}, err
	}
	c := configView{environmentView: e, Search: strings.TrimSpace(v.r.URL.Query().Get("q"))}
	for _, s := range settings.Settings {
		if c.Search == "" || strings.Contains(strings.ToLower(s.Path), strings.ToLower(c.Search)) {
			c.Settings = append(c.Settings, s)
		}
	}
	return e.page("Config", page{Body: configBody(c)}), nil
}

// revisionsView is what one environment was asked to be.
type revisionsView struct {
	environmentView
	Items   []sdk.Revision
	Next    string
	Compare *sdk.RevisionDiff
}

func environmentRevisions(v *visit) (page, error) {
	e, err := v.environment("revisions")
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	number := func(name string) int {
		n, _ := strconv.Atoi(q.Get(name))
		return n
	}
	list, err := v.api.ListEnvironmentRevisions(v.ctx, e.ID, sdk.Window{Before: number("before")})
	if err != nil {
		return page{}, err
	}
	r := revisionsView{environmentView: e, Items: list.Items}
	if list.NextBefore != 0 {
		r.Next = environmentPath(e.ID, "revisions") + "?before=" + strconv.Itoa(list.NextBefore)
	}
	if q.Has("from") {
		diff, err := v.api.DiffEnvironmentRevisions(v.ctx, e.ID, number("from"), number("to"))
		if err != nil {
			return page{}, err
		}
		r.Compare = &diff
	}
	return e.page("Revisions", page{Body: revisionsBody(r)}), nil
}

// manifestsView is what one environment was rendered to.
type manifestsView struct {
	environmentView
	Rendering sdk.Rendering
}

func environmentManifests(v *visit) (page, error) {
	e, err := v.environment("manifests")
	if err != nil {
		return page{}, err
	}
	r, err := v.api.GetEnvironmentRendering(v.ctx, e.ID, e.Revision)
	if err != nil {
		return page{}, err
	}
	return e.page("Manifests", page{Body: manifestsBody(manifestsView{e, r})}), nil
}
