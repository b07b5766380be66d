package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// listView is a list of environments.
type listView struct {
	Filter    sdk.EnvironmentFilter
	Query     url.Values // of the page, without the cursor
	Items     []sdk.Environment
	Next      string // address of the next page
	Projects  []string
	MayCreate bool
}

// phases are those that can be asked for, in the order of a life.
var phases = []sdk.Phase{sdk.Pending, sdk.Provisioning, sdk.Ready, sdk.Updating, sdk.Degraded, sdk.Sleeping, sdk.Failed, sdk.Terminating, sdk.Terminated}

// sorts are the orders of the list, by the word of the API.
var sorts = []struct{ Word, Name string }{
	{"-created_at", "Newest first"}, {"created_at", "Oldest first"}, {"-updated_at", "Changed last"}, {"expires_at", "Ends soonest"}, {"name", "By name"}, {"phase", "By phase"},
}

func environmentsArea() area {
	done := map[string]string{}
	for _, x := range verbs {
		done[x.Name] = x.Done
	}
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantEnvironmentsRead) {
				return nil
			}
			return []menuItem{{To: "/environments", Name: "Environments", Icon: "boxes"}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /environments": environments, "GET /environments/{id}": environmentOverview, "GET /environments/{id}/timeline": environmentTimeline,
			"GET /environments/{id}/objects": environmentObjects, "GET /environments/{id}/objects/one": environmentObject, "GET /environments/{id}/logs": environmentLogs,
			"GET /environments/{id}/config": environmentConfig, "GET /environments/{id}/revisions": environmentRevisions,
			"GET /environments/{id}/manifests": environmentManifests, "GET /environments/{id}/{verb}": confirmVerb,
		},
		Posts: map[string]func(*visit) (string, error){"POST /environments/{id}/{verb}": doVerb},
		Done:  done,
	}
}

func environments(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := listView{Query: url.Values{}, MayCreate: v.may("", blueberry.GrantEnvironmentsCreate)}
	for _, name := range []string{"q", "project", "owner", "phase", "sort"} {
		if values := slices.DeleteFunc(q[name], func(s string) bool { return s == "" }); len(values) > 0 {
			l.Query[name] = values
		}
	}
	l.Filter = sdk.EnvironmentFilter{Search: l.Query.Get("q"), Project: l.Query.Get("project"), Owner: l.Query.Get("owner"), Sort: l.Query.Get("sort"), Cursor: q.Get("cursor")}
	for _, p := range l.Query["phase"] {
		l.Filter.Phases = append(l.Filter.Phases, sdk.Phase(p))
	}
	found, err := v.api.ListEnvironments(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	projects, err := v.api.ListProjects(v.ctx)
	if err != nil && !isStatus(err, http.StatusForbidden) {
		return page{}, err
	}
	for _, p := range projects.Items {
		l.Projects = append(l.Projects, p.Name)
	}
	l.Items = found.Items
	if found.NextCursor != "" {
		next := url.Values{"cursor": {found.NextCursor}}
		for name, values := range l.Query {
			next[name] = values
		}
		l.Next = "/environments?" + next.Encode()
	}
	return page{Title: "Environments", Here: "/environments", Body: environmentsBody(l), Watch: interest{Any: true}}, nil
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
