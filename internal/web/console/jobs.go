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

const jobsPath = "/jobs"

func jobPath(id int64, below ...string) string {
	return strings.Join(append([]string{jobsPath, strconv.FormatInt(id, 10)}, below...), "/")
}

// jobTabs are the states by which jobs are listed, the dead first: they wait for a person.
var jobTabs = []string{"dead", "retrying", "running", "waiting", "completed", "cancelled"}

func jobsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantJobsRead) {
				return nil
			}
			return []menuItem{{To: jobsPath, Name: "Jobs", Icon: "op-jobs", Group: groupOperate}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /jobs": jobList, "GET /jobs/{id}": job, "GET /jobs/{id}/{verb}": func(v *visit) (page, error) { return v.jobVerbForm(nil) },
		},
		Posts: map[string]func(*visit) (string, error){"POST /jobs/retry": retryJobs, "POST /jobs/{id}/{verb}": doJobVerb},
		Done: map[string]string{
			"job-retry": "It runs again, with all its attempts before it.", "job-cancel": "It was cancelled.", "jobs-retried": "They run again, with all their attempts before them.",
		},
	}
}

// jobsView is a list of jobs.
type jobsView struct {
	Filter   sdk.JobFilter
	State    string // the one of the tab; empty for all
	Items    []sdk.Job
	Kinds    []string // on this page, to choose from
	Next     string
	Dead     string // how many are dead, in words: "3", "100 or more"; empty for none
	MayRetry bool
	Problem  *sdk.Problem
}

// deadCounted is how many dead jobs are counted.
const deadCounted = 100

func jobList(v *visit) (page, error) { return v.jobs(nil) }

func (v *visit) jobs(problem *sdk.Problem) (page, error) {
	q := v.r.URL.Query()
	l := jobsView{State: q.Get("state"), MayRetry: v.may("", blueberry.GrantJobsRetry), Problem: problem}
	l.Filter = sdk.JobFilter{Kind: strings.TrimSpace(q.Get("kind")), Subject: strings.TrimSpace(q.Get("subject")), Cursor: q.Get("cursor"), Limit: 50}
	if l.State != "" {
		l.Filter.States = []string{l.State}
	}
	list, err := v.api.ListJobs(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	l.Items, l.Next = list.Items, following(v.r.URL, "cursor", list.NextCursor)
	for _, j := range l.Items {
		if !slices.Contains(l.Kinds, j.Kind) {
			l.Kinds = append(l.Kinds, j.Kind)
		}
	}
	slices.Sort(l.Kinds)
	dead, err := v.api.ListJobs(v.ctx, sdk.JobFilter{States: []string{"dead"}, Limit: deadCounted})
	if err != nil {
		return page{}, err
	}
	switch n := len(dead.Items); {
	case dead.NextCursor != "":
		l.Dead = fmt.Sprintf("%d or more", n)
	case n > 0:
		l.Dead = number(n)
	}
	return page{Title: "Jobs", Here: jobsPath, Body: jobsBody(l), Watch: interest{Any: problem == nil}}, nil
}

// tab is the address of the same list in another state.
func (l jobsView) tab(state string) string {
	q := url.Values{}
	for name, x := range map[string]string{"state": state, "kind": l.Filter.Kind, "subject": l.Filter.Subject} {
		if x != "" {
			q.Set(name, x)
		}
	}
	if len(q) == 0 {
		return jobsPath
	}
	return jobsPath + "?" + q.Encode()
}

func (l jobsView) tabs() []option {
	out := []option{{l.tab(""), "All"}}
	for _, s := range jobTabs {
		name := strings.ToUpper(s[:1]) + s[1:]
		if s == "dead" && l.Dead != "" {
			name += " (" + l.Dead + ")"
		}
		out = append(out, option{l.tab(s), name})
	}
	return out
}

// jobView is one job.
type jobView struct {
	sdk.Job
	MayRetry bool
	About    option // the page of what it is about, and its name; no address where there is none
}

func (v *visit) job() (jobView, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return jobView{}, nothingThere()
	}
	j, err := v.api.GetJob(v.ctx, id)
	return jobView{Job: j, MayRetry: v.may("", blueberry.GrantJobsRetry), About: option{subjectPath(j.Kind, j.Subject), j.Subject}}, err
}

func job(v *visit) (page, error) {
	j, err := v.job()
	if err != nil {
		return page{}, err
	}
	return page{Title: fmt.Sprintf("Job %d", j.ID), Here: jobsPath, Body: jobBody(j), Watch: interest{Any: true}}, nil
}

// subjectPath is the page of what a job is about; empty where there is none.
func subjectPath(kind, subject string) string {
	if strings.HasPrefix(kind, "target.") {
		return targetPath(subject)
	}
	prefix, _, _ := strings.Cut(subject, "_")
	below := map[string]string{
		blueberry.EnvironmentID: "/environments/", blueberry.PullID: "/pulls/", blueberry.RepositoryID: "/repositories/", blueberry.DeliveryID: "/deliveries/",
		blueberry.SubscriptionID: "/subscriptions/", blueberry.OrphanID: "/orphans/",
	}[prefix]
	if below == "" || strings.ContainsAny(subject, " /") {
		return ""
	}
	return below + url.PathEscape(subject)
}

// retriable and cancellable are the states in which a person can do it.
func retriable(state string) bool {
	return slices.Contains([]string{"dead", "cancelled", "waiting", "retrying"}, state)
}

func cancellable(state string) bool {
	return slices.Contains([]string{"waiting", "running", "retrying", "dead"}, state)
}

func (v *visit) jobVerbForm(p *sdk.Problem) (page, error) {
	word := v.r.PathValue("verb")
	a := ask{Problem: p}
	switch word {
	case "retry":
		a.Label, a.What = "Retry it", "It runs now, with all its attempts before it."
	case "cancel":
		a.Label, a.Danger, a.What = "Cancel it", true, "What it has not done is not done. One that runs ends at its next step. A cancelled job can be retried."
	default:
		return page{}, nothingThere()
	}
	if err := v.who.Can(blueberry.GrantJobsRetry); err != nil {
		return page{}, forbidden(err)
	}
	j, err := v.job()
	if err != nil {
		return page{}, err
	}
	a.Title, a.Action, a.Back = fmt.Sprintf("%s job %d", strings.ToUpper(word[:1])+word[1:], j.ID), jobPath(j.ID, word), jobPath(j.ID)
	a.CLI, a.Call = fmt.Sprintf("blueberry job %s %d", word, j.ID), fmt.Sprintf("POST /v1/jobs/%d/%s", j.ID, word)
	return asking(jobsPath, a, jobLine(j.Job), option{jobsPath, "Jobs"}, option{jobPath(j.ID), fmt.Sprint(j.ID)}), nil
}

func doJobVerb(v *visit) (string, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return "", nothingThere()
	}
	word := v.r.PathValue("verb")
	switch word {
	case "retry":
		_, err = v.api.RetryJob(v.ctx, id)
	case "cancel":
		_, err = v.api.CancelJob(v.ctx, id)
	default:
		err = nothingThere()
	}
	if err != nil {
		return "", v.formError(err, v.jobVerbForm)
	}
	return jobPath(id) + "?done=job-" + word, nil
}

// retryJobs retries those that were ticked, or all that were shown, one by one. What became of those that could not be is told.
func retryJobs(v *visit) (string, error) {
	ids := v.r.PostForm["job"]
	if v.said("all") == "yes" {
		ids = v.r.PostForm["shown"]
	}
	shown := func(p *sdk.Problem) error {
		return again{p, func(p *sdk.Problem) (page, error) {
			v.r.URL.Path, v.r.URL.RawQuery = jobsPath, "state=dead"
			return v.jobs(p)
		}}
	}
	if len(ids) == 0 {
		return "", shown(&sdk.Problem{Status: http.StatusUnprocessableEntity, Code: "VALIDATION_FAILED", Detail: "no job is ticked"})
	}
	var faults []sdk.FieldError
	for _, text := range ids {
		id, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			_, err = v.api.RetryJob(v.ctx, id)
		}
		var p *sdk.Problem
		switch {
		case err == nil:
		case errors.As(err, &p) && p.Status == http.StatusForbidden:
			return "", err
		case errors.As(err, &p):
			faults = append(faults, sdk.FieldError{Field: "job " + text, Code: p.Code, Message: p.Detail})
		default:
			faults = append(faults, sdk.FieldError{Field: "job " + text, Code: "type", Message: "is no number of a job"})
		}
	}
	if n := len(faults); n > 0 {
		return "", shown(&sdk.Problem{
			Status: http.StatusConflict, Code: "JOBS_NOT_RETRIED", Detail: fmt.Sprintf("%d of %d jobs could not be retried; the others run again", n, len(ids)), Errors: faults,
		})
	}
	return jobsPath + "?done=jobs-retried", nil
}

func shapeOfJob(state string) shape {
	switch state {
	case "completed":
		return good
	case "dead":
		return bad
	case "retrying":
		return warn
	case "running", "waiting":
		return busy
	}
	return idle
}
