package console

import (
	"context"
	"errors"
	"slices"
	"time"

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
	{"topology", "Topology", blueberry.GrantEnvironmentsRead},
	{"objects", "Objects", blueberry.GrantEnvironmentsRead},
	{"logs", "Logs", blueberry.GrantEnvironmentsLogs},
	{"timeline", "Timeline", blueberry.GrantEnvironmentsRead},
	{"config", "Config", blueberry.GrantEnvironmentsRead},
	{"revisions", "Revisions", blueberry.GrantEnvironmentsRead},
	{"manifests", "Manifests", blueberry.GrantEnvironmentsRead},
	{"shell", "Shell", blueberry.GrantEnvironmentsExec},
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
	for _, x := range verbs() {
		if !x.Aside && v.may(e.Project, x.Grant) && x.fits(e) {
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

// answerPatience is how long a page waits for one thing that a target tells.
const answerPatience = 5 * time.Second

// elsewhere is the context of what a page asks a target, where the page stands without the answer, too.
func (v *visit) elsewhere() (context.Context, context.CancelFunc) {
	return context.WithTimeout(v.ctx, answerPatience)
}

// why is how an environment comes up, and what keeps it from that.
func (v *visit) why(id string) (sdk.Why, error) {
	ctx, cancel := v.elsewhere()
	defer cancel()
	return v.api.GetEnvironmentWhy(ctx, id)
}

// containers are those of an environment, or why they are not known.
func (v *visit) containers(e environmentView) (list []sdk.Container, problem string) {
	if !v.may(e.Project, blueberry.GrantEnvironmentsLogs) {
		return nil, "seeing its pods needs the grant " + string(blueberry.GrantEnvironmentsLogs)
	}
	ctx, cancel := v.elsewhere()
	defer cancel()
	found, err := v.api.ListEnvironmentContainers(ctx, e.ID)
	if err != nil {
		return nil, problemText(err)
	}
	return found.Items, ""
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
		return "its target did not answer"
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
