package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// homeView is what a person sees first.
type homeView struct {
	Name     string
	Mine     []sdk.Environment
	Troubled []sdk.Environment // failed or degraded, of anybody
	Ending   []sdk.Environment // whose lease ends soon
	Waiting  []waits           // for a word of who looks
	Recent   []sdk.Event       // newest first
	Total    bool              // there is any environment
}

// waits is something that goes on once somebody says so.
type waits struct {
	What, To, Why string
	Shape         shape
	Word          string
	Since         time.Time
}

// soon is when a lease counts as ending.
const soon = 24 * time.Hour

// homeRows is how many lines each list of the first page has.
const homeRows = 8

func homeArea() area {
	return area{
		Menu:  func(*visit) []menuItem { return []menuItem{{To: "/", Name: "Home", Icon: "home", Key: "h"}} },
		Pages: map[string]func(*visit) (page, error){"GET /{$}": home},
	}
}

func home(v *visit) (page, error) {
	h := homeView{Name: v.who.Name}
	lists := []struct {
		to     *[]sdk.Environment
		filter sdk.EnvironmentFilter
	}{
		{&h.Mine, sdk.EnvironmentFilter{Owner: v.who.Name, Limit: homeRows}},
		{&h.Troubled, sdk.EnvironmentFilter{Phases: []sdk.Phase{sdk.Failed, sdk.Degraded}, Sort: "-updated_at", Limit: homeRows}},
		{&h.Ending, sdk.EnvironmentFilter{Sort: "expires_at", Limit: homeRows}},
	}
	for _, l := range lists {
		found, err := v.api.ListEnvironments(v.ctx, l.filter)
		if err != nil {
			return page{}, err
		}
		*l.to = found.Items
		h.Total = h.Total || len(found.Items) > 0
	}
	h.Ending = slices.DeleteFunc(h.Ending, func(e sdk.Environment) bool {
		return e.ExpiresAt.IsZero() || e.ExpiresAt.Sub(v.now) > soon || e.Phase == sdk.Terminating
	})
	var err error
	if h.Waiting, err = v.waiting(); err != nil {
		return page{}, err
	}
	_, newest, err := v.Events(v.ctx, -1)
	if err != nil {
		return page{}, err
	}
	events, err := v.api.ListEvents(v.ctx, sdk.EventFilter{After: max(newest-recentSpan, 0), Limit: recentSpan})
	if err != nil {
		return page{}, err
	}
	h.Recent = events.Items
	slices.Reverse(h.Recent)
	h.Recent = h.Recent[:min(len(h.Recent), 2*homeRows)]
	return page{Title: "Home", Here: "/", Body: homeBody(h), Watch: interest{Any: true}}, nil
}

// recentSpan is how many of the newest events are looked through for those that one may see.
const recentSpan = 200

// waiting is what goes on once who looks says so: commits of outsiders, commits of branches, jobs that gave up.
func (v *visit) waiting() (out []waits, err error) {
	if v.may("", blueberry.GrantPullsApprove) || v.may("", blueberry.GrantBranchesDeploy) {
		if out, err = v.waitingSources(); err != nil {
			return nil, err
		}
	}
	if !v.may("", blueberry.GrantJobsRead) {
		return out, nil
	}
	jobs, err := v.api.ListJobs(v.ctx, sdk.JobFilter{States: []string{"dead"}, Limit: homeRows})
	if isStatus(err, http.StatusForbidden) {
		return out, nil
	}
	for _, j := range jobs.Items {
		w := waits{What: j.Kind + " " + j.Subject, Why: j.LastError, Shape: bad, Word: "gave up", Since: latest(j.FinishedAt, j.CreatedAt)}
		w.To = "/jobs/" + strconv.FormatInt(j.ID, 10)
		out = append(out, w)
	}
	return out, err
}

// waitingSources are commits that wait for a word.
func (v *visit) waitingSources() (out []waits, err error) {
	pulls, err := v.api.ListPulls(v.ctx, sdk.PullFilter{State: "open", Limit: 200})
	if err != nil && !isStatus(err, http.StatusForbidden) {
		return nil, err
	}
	for _, p := range pulls.Items {
		if p.NeedsApproval && !p.Approved && v.may(p.Project, blueberry.GrantPullsApprove) && len(out) < homeRows {
			out = append(out, waits{"#" + strconv.Itoa(p.Number) + " " + p.Title, "/pulls/" + url.PathEscape(p.ID), "Nobody has vouched for its commit: its environment is a restricted one.", warn, "to approve", p.UpdatedAt})
		}
	}
	branches, err := v.api.ListBranches(v.ctx, sdk.BranchFilter{Outcome: "waiting", Limit: homeRows})
	if err != nil && !isStatus(err, http.StatusForbidden) {
		return nil, err
	}
	for _, b := range branches.Items {
		if v.may(b.Project, blueberry.GrantBranchesDeploy) {
			out = append(out, waits{b.Name, "/repositories/" + url.PathEscape(b.RepositoryID), sentence(b.Message), busy, "to deploy", b.UpdatedAt})
		}
	}
	return out, nil
}

// aboutOf is where the page of what an event is about is; empty for none.
func aboutOf(e sdk.Event) string {
	if e.EnvironmentID != "" {
		return environmentPath(e.EnvironmentID)
	}
	if e.Project != "" {
		return accessPath("projects", e.Project)
	}
	return ""
}

// latest is the later of two times, of which one may be zero.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
