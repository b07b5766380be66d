package console

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// listView is a list of environments.
type listView struct {
	listed
	Filter    sdk.EnvironmentFilter
	Query     url.Values // of the page, without the cursor
	Me        string     // name of who looks
	MayCreate bool
	Verbs     []verb // that can be done with several, of which who looks may do some
	All       bool   // every row is chosen
	Views     []sdk.SavedView
	MaySave   bool
}

// listed is what a list holds for all who have the same rights: it knows nothing of who looks, whose pages may share it.
type listed struct {
	Items []sdk.Environment
	Next  string    // address of the next page
	Names sdk.Names // that it can be narrowed to
	Table templ.Component
}

// troubled are the phases in which an environment needs someone.
const troubled = string(sdk.Failed + "," + sdk.Degraded)

// filters are the parts of the address of the list that narrow it, in the order in which they are shown.
var filters = []option{{"q", "text"}, {"project", "project"}, {"phase", "phase"}, {"owner", "owner"}, {"target", "target"}, {"label", "label"}, {"restricted", "restricted"}}

// phases are those that can be asked for, in the order of a life.
var phases = []sdk.Phase{sdk.Pending, sdk.Provisioning, sdk.Ready, sdk.Updating, sdk.Degraded, sdk.Sleeping, sdk.Failed, sdk.Terminating, sdk.Terminated}

// sorts are the orders of the list, by the word of the API.
var sorts = []struct{ Word, Name string }{
	{"-created_at", "Newest first"}, {"created_at", "Oldest first"}, {"-updated_at", "Changed last"}, {"expires_at", "Ends soonest"}, {"name", "By name"}, {"phase", "By phase"},
}

func environmentsArea() area {
	done := map[string]string{}
	for _, x := range verbs() {
		done[x.Name] = x.Done
	}
	done["undo"] = "It is being made again, of the inputs that it had. What data its volumes held is gone."
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantEnvironmentsRead) {
				return nil
			}
			return []menuItem{{To: "/environments", Name: "Environments", Icon: "boxes", Key: "e"}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /environments": environments, "GET /environments/{id}": early(ofEnvironment("", ""), environmentOverview), "GET /environments/{id}/timeline": environmentTimeline,
			"GET /environments/{id}/objects": environmentObjects, "GET /environments/{id}/objects/one": early(ofEnvironment("objects", "Object"), environmentObject),
			"GET /environments/{id}/logs":   early(ofEnvironment("logs", "Logs"), environmentLogs),
			"GET /environments/{id}/config": environmentConfig, "GET /environments/{id}/revisions": environmentRevisions,
			"GET /environments/{id}/manifests": early(ofEnvironment("manifests", "Manifests"), environmentManifests),
			"GET /environments/{id}/topology":  early(ofEnvironment("topology", "Topology"), environmentTopology),
			"GET /environments/{id}/shell":     early(ofEnvironment("shell", "Shell"), environmentShell),
			"GET /environments/{id}/undo":      undo, "GET /bulk": confirmBulk, "GET /environments/{id}/{verb}": confirmVerb,
		},
		Posts: map[string]func(*visit) (string, error){"POST /environments/{id}/{verb}": doVerb, "POST /environments/{id}/undo": doUndo},
		Other: map[string]func(*visit) error{"POST /bulk": doBulk},
		Done:  done,
	}
}

func environments(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := listView{Query: url.Values{}, MayCreate: v.may("", blueberry.GrantEnvironmentsCreate), Me: v.who.Name, All: q.Get("chosen") == "all", MaySave: v.isPerson()}
	for _, name := range append(listOf(filters, func(o option) string { return o.Value }), "sort") {
		if values := slices.DeleteFunc(q[name], func(s string) bool { return s == "" }); len(values) > 0 {
			l.Query.Set(name, strings.Join(values, ",")) // phases and labels may be several
		}
	}
	l.Filter = sdk.EnvironmentFilter{
		Search: l.Query.Get("q"), Project: l.Query.Get("project"), Owner: l.Query.Get("owner"), Target: l.Query.Get("target"), Restricted: l.Query.Get("restricted"),
		Sort: l.Query.Get("sort"), Cursor: q.Get("cursor"),
	}
	if p := l.Query.Get("phase"); p != "" {
		for _, x := range strings.Split(p, ",") {
			l.Filter.Phases = append(l.Filter.Phases, sdk.Phase(x))
		}
	}
	l.Filter.Labels = words(l.Query.Get("label"))
	for _, x := range verbs() {
		if x.inBulk() && v.may("", x.Grant) {
			l.Verbs = append(l.Verbs, x)
		}
	}
	var err error
	if l.listed, err = sharedList(v, func() (listed, error) { return v.listed(l) }); err != nil {
		return page{}, err
	}
	if l.Views, err = v.views("environments"); err != nil {
		return page{}, err
	}
	return page{Title: "Environments", Here: "/environments", Body: environmentsBody(l), Watch: interest{Any: true}}, nil
}

// listed reads the list that a page asks for, and what it can be narrowed to.
func (v *visit) listed(l listView) (out listed, err error) {
	l.Me, l.MaySave, l.Views = "", false, nil // what is of who looks does not get into what is shared
	found, err := v.api.ListEnvironments(v.ctx, l.Filter)
	if err != nil {
		return out, err
	}
	l.Items = found.Items
	if found.NextCursor != "" {
		l.Next = l.with("cursor", found.NextCursor)
	}
	if l.Names, err = v.api.ListNames(v.ctx); err != nil {
		return out, err
	}
	table, err := templ.ToGoHTML(v.ctx, environmentTable(l))
	l.Table = templ.Raw(table)
	return l.listed, err
}

// with is the address of the list with one part of it as given; empty takes it away.
func (l listView) with(name, value string) string {
	q := maps.Clone(l.Query)
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	if len(q) == 0 {
		return "/environments"
	}
	return "/environments?" + q.Encode()
}

// filtered are the filters that narrow the list now.
func (l listView) filtered() []option {
	return slices.DeleteFunc(slices.Clone(filters), func(o option) bool { return !l.Query.Has(o.Value) })
}

// all is the address of the list as it is, with every row chosen.
func (l listView) all() string {
	q := maps.Clone(l.Query)
	q.Set("chosen", "all")
	if l.Filter.Cursor != "" {
		q.Set("cursor", l.Filter.Cursor)
	}
	return "/environments?" + q.Encode()
}

// command is the list as a command.
func (l listView) command() string {
	out := "blueberry env list"
	for _, f := range []struct{ name, flag string }{{"q", "search"}, {"project", "project"}, {"phase", "phase"}, {"owner", "owner"}, {"target", "target"}, {"restricted", "restricted"}, {"sort", "sort"}} {
		if value := l.Query.Get(f.name); value != "" {
			out += " --" + f.flag + " " + shellWord(value)
		}
	}
	for _, label := range l.Filter.Labels {
		out += " --label " + shellWord(label)
	}
	return out
}

// call is the list as a call of the API.
func (l listView) call() string {
	q := maps.Clone(l.Query)
	delete(q, "phase")
	delete(q, "label")
	for _, label := range l.Filter.Labels {
		q.Add("label", label)
	}
	for _, p := range l.Filter.Phases {
		q.Add("phase", string(p))
	}
	if len(q) == 0 {
		return "GET /v1/environments"
	}
	return "GET /v1/environments?" + q.Encode()
}

// listOf gives what f makes of everything in a list.
func listOf[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}

func isStatus(err error, status int) bool {
	var p *sdk.Problem
	return errors.As(err, &p) && p.Status == status
}

func environmentPath(id string, parts ...string) string {
	path := "/environments/" + url.PathEscape(id)
	for _, p := range parts {
		path += "/" + p
	}
	return path
}

// withNow are values that can be chosen, with the one that is there now.
func withNow(options []option, now string) []option {
	if now == "" || slices.ContainsFunc(options, func(o option) bool { return o.Value == now }) {
		return options
	}
	return append(slices.Clone(options), option{now, now})
}
