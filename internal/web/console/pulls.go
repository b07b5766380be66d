package console

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/sdk"
)

// pullsView is a list of pull requests.
type pullsView struct {
	Filter       sdk.PullFilter
	Items        []sdk.PullRequest
	Repositories map[string]sdk.Repository // by id
	Next         string
	Filtered     bool
}

var (
	pullStates   = []string{"open", "closed", "merged"}
	pullOutcomes = []string{"built", "waiting", "blocked", "refused", "skipped", "ended"}
	verdicts     = []string{"accepted", "ignored", "duplicate", "unreadable", "refused"}
)

func pullsArea() area {
	return area{
		Menu: func(v *visit) []menuItem {
			if !v.may("", blueberry.GrantRepositoriesRead) {
				return nil
			}
			return []menuItem{{To: "/pulls", Name: "Pull requests", Icon: "pull", Key: "p"}, {To: "/repositories", Name: "Repositories", Icon: "inbox", Key: "r"}}
		},
		Pages: map[string]func(*visit) (page, error){
			"GET /pulls": pulls, "GET /pulls/{id}": pull, "GET /repositories": repositories, "GET /repositories/{id}": repository, "GET /deliveries/{id}": delivery,
		},
		Posts: map[string]func(*visit) (string, error){
			"POST /pulls/{id}/approve": approvePull, "POST /branches/{id}/deploy": deployBranch, "POST /deliveries/{id}/replay": replayDelivery,
		},
		Done: map[string]string{
			"approved": "The commit is approved, until the next push.", "deployed": "The commit was deployed.", "replayed": "It was read again. This is the new delivery.",
		},
	}
}

func pulls(v *visit) (page, error) {
	q := v.r.URL.Query()
	l := pullsView{Filter: sdk.PullFilter{Repository: q.Get("repository"), State: q.Get("state"), Outcome: q.Get("outcome"), Before: q.Get("before")}}
	if !q.Has("state") {
		l.Filter.State = "open"
	}
	l.Filtered = l.Filter.State != "open" || l.Filter.Repository != "" || l.Filter.Outcome != ""
	list, err := v.api.ListPulls(v.ctx, l.Filter)
	if err != nil {
		return page{}, err
	}
	l.Items = list.Items
	if l.Repositories, err = v.repositories(); err != nil {
		return page{}, err
	}
	l.Next = older(v.r.URL, list.NextBefore)
	return page{Title: "Pull requests", Here: "/pulls", Body: pullsBody(l), Watch: interest{Any: true}}, nil
}

// older is the address of the next run of a list; empty behind the last.
func older(at *url.URL, before string) string {
	if before == "" {
		return ""
	}
	q := at.Query()
	for _, name := range []string{"done", "shown"} {
		q.Del(name)
	}
	q.Set("before", before)
	return at.Path + "?" + q.Encode()
}

// repositories reads those that one may see, by id.
func (v *visit) repositories() (map[string]sdk.Repository, error) {
	out := map[string]sdk.Repository{}
	for r, err := range v.api.AllRepositories(v.ctx, sdk.RepositoryFilter{}) {
		if err != nil {
			return nil, err
		}
		out[r.ID] = r
	}
	return out, nil
}

// pullView is one pull request.
type pullView struct {
	Pull        sdk.PullRequest
	Repository  sdk.Repository
	Environment *sdk.Environment
	Commands    []sdk.PullCommand
	Deliveries  []sdk.Delivery
	MayApprove  bool
	Typed       string
	Problem     *sdk.Problem
}

func pull(v *visit) (page, error) { return v.pull(nil) }

func (v *visit) pull(problem *sdk.Problem) (page, error) {
	p, err := v.api.GetPull(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	view := pullView{Pull: p, Problem: problem, Typed: v.r.PostForm.Get("commit")}
	if view.Repository, err = v.api.GetRepository(v.ctx, p.RepositoryID); err != nil {
		return page{}, err
	}
	if p.EnvironmentID != "" {
		e, err := v.api.GetEnvironment(v.ctx, p.EnvironmentID)
		if err == nil {
			view.Environment = &e
		} else if !isStatus(err, http.StatusNotFound) && !isStatus(err, http.StatusForbidden) {
			return page{}, err
		}
	}
	commands, err := v.api.ListPullCommands(v.ctx, p.ID, sdk.PullCommandFilter{Limit: 20})
	if err != nil {
		return page{}, err
	}
	view.Commands = commands.Items
	if v.may(p.Project, blueberry.GrantDeliveriesRead) {
		list, err := v.api.ListDeliveries(v.ctx, sdk.DeliveryFilter{Pull: p.ID, Limit: 20})
		if err != nil {
			return page{}, err
		}
		view.Deliveries = list.Items
	}
	view.MayApprove = p.State == "open" && p.NeedsApproval && !p.Approved && v.may(p.Project, blueberry.GrantPullsApprove)
	return page{Title: view.Repository.Name + " " + number(p.Number), Here: "/pulls", Body: pullBody(view), Watch: interest{Any: problem == nil}}, nil
}

// approvePull vouches for the commit that was typed.
func approvePull(v *visit) (string, error) {
	id := v.r.PathValue("id")
	_, err := v.api.ApprovePull(v.ctx, id, sdk.ApprovePullRequest{Commit: strings.TrimSpace(v.r.PostForm.Get("commit"))})
	if err != nil {
		return "", v.formError(err, v.pull)
	}
	return pullPath(id) + "?done=approved", nil
}

// repositoriesView is the repositories that one may see.
type repositoriesView struct {
	Items []sdk.Repository
	Next  string
}

func repositories(v *visit) (page, error) {
	list, err := v.api.ListRepositories(v.ctx, sdk.RepositoryFilter{Project: v.r.URL.Query().Get("project"), After: v.r.URL.Query().Get("after")})
	if err != nil {
		return page{}, err
	}
	l := repositoriesView{Items: list.Items}
	if list.NextAfter != "" {
		l.Next = following(v.r.URL, "after", list.NextAfter)
	}
	return page{Title: "Repositories", Here: "/repositories", Body: repositoriesBody(l), Watch: interest{Any: true}}, nil
}

// repositoryView is one repository, with what its host sends and what became of it.
type repositoryView struct {
	sdk.Repository
	Pulls      []sdk.PullRequest
	Branches   []sdk.Branch
	Reports    []sdk.CIReport
	Deliveries []sdk.Delivery
	Verdict    string
	Next       string
	MayDeploy  bool
	MayRead    bool // what its host sent
}

func repository(v *visit) (page, error) {
	r, err := v.api.GetRepository(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	view := repositoryView{
		Repository: r, Verdict: q.Get("verdict"), MayDeploy: v.may(r.Project, blueberry.GrantBranchesDeploy), MayRead: v.may(r.Project, blueberry.GrantDeliveriesRead),
	}
	open, err := v.api.ListPulls(v.ctx, sdk.PullFilter{Repository: r.ID, State: "open", Limit: 20})
	if err != nil {
		return page{}, err
	}
	branches, err := v.api.ListBranches(v.ctx, sdk.BranchFilter{Repository: r.ID})
	if err != nil {
		return page{}, err
	}
	reports, err := v.api.ListCIReports(v.ctx, sdk.CIReportFilter{Repository: r.ID, Limit: 10})
	if err != nil {
		return page{}, err
	}
	view.Pulls, view.Branches, view.Reports = open.Items, branches.Items, reports.Items
	if view.MayRead {
		list, err := v.api.ListDeliveries(v.ctx, sdk.DeliveryFilter{Repository: r.ID, Verdict: view.Verdict, Before: q.Get("before"), Limit: 30})
		if err != nil {
			return page{}, err
		}
		view.Deliveries, view.Next = list.Items, older(v.r.URL, list.NextBefore)
	}
	return page{Title: r.Name, Here: "/repositories", Body: repositoryBody(view), Watch: interest{Any: true}}, nil
}

// deployBranch moves the environment of a branch to the commit that was shown.
func deployBranch(v *visit) (string, error) {
	b, err := v.api.DeployBranch(v.ctx, v.r.PathValue("id"), sdk.DeployBranchRequest{Commit: v.r.PostForm.Get("commit")})
	if err != nil {
		return "", err
	}
	return repositoryPath(b.RepositoryID) + "?done=deployed", nil
}

// deliveryView is one call of a host.
type deliveryView struct {
	Delivery   sdk.Delivery
	Repository sdk.Repository
	Would      *sdk.ReplayedDelivery // what reading it again would do
	MayReplay  bool
}

func delivery(v *visit) (page, error) { return v.delivery(nil) }

func (v *visit) delivery(would *sdk.ReplayedDelivery) (page, error) {
	d, err := v.api.GetDelivery(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return page{}, err
	}
	view := deliveryView{Delivery: d, Would: would, MayReplay: v.may(d.Project, blueberry.GrantDeliveriesReplay) && d.Verdict != "refused"}
	if view.Repository, err = v.api.GetRepository(v.ctx, d.RepositoryID); err != nil {
		return page{}, err
	}
	return page{Title: "Delivery " + d.ID, Here: "/repositories", Body: deliveryBody(view)}, nil
}

// replayDelivery has a delivery read again, or shows what that would do.
func replayDelivery(v *visit) (string, error) {
	id, dry := v.r.PathValue("id"), v.r.PostForm.Get("dry") == "yes"
	out, err := v.api.ReplayDelivery(v.ctx, id, dry)
	if err != nil {
		return "", err
	}
	if dry {
		return "", again{nil, func(*sdk.Problem) (page, error) { return v.delivery(&out) }}
	}
	return deliveryPath(out.Delivery.ID) + "?done=replayed", nil
}

func pullPath(id string) string       { return "/pulls/" + url.PathEscape(id) }
func repositoryPath(id string) string { return "/repositories/" + url.PathEscape(id) }
func deliveryPath(id string) string   { return "/deliveries/" + url.PathEscape(id) }

// policyLines tells a policy in words.
func policyLines(p sdk.PullPolicy) (out []string) {
	add := func(is bool, text string) {
		if is {
			out = append(out, text)
		}
	}
	add(p.Off, "makes no environments")
	add(len(p.Bases) > 0, "only to "+strings.Join(p.Bases, ", "))
	add(len(p.Labels) > 0, "only with a label of "+strings.Join(p.Labels, ", "))
	add(len(p.Paths) > 0, "only when one of "+strings.Join(p.Paths, ", ")+" changed")
	add(len(p.PathsIgnore) > 0, "passes over "+strings.Join(p.PathsIgnore, ", "))
	add(p.Drafts, "drafts as well")
	add(p.Bots, "bots as well")
	add(p.Forks && !p.Outsiders, "forks of members as well")
	add(p.Outsiders, "forks of anybody, restricted until approved")
	add(p.NoCommands, "comments are not read")
	add(p.AtOnce > 0, number(p.AtOnce)+" environments at once")
	add(p.Hours > 0, number(p.Hours)+" hours of lease")
	add(p.Target != "", "on "+p.Target)
	add(p.Blueprint != "", "made of "+p.Blueprint)
	add(p.Gates.Image, "waits for the image of its commit")
	add(p.Gates.Tests, "tests must pass")
	add(p.Gates.CoverageMin > 0, "coverage of "+number(p.Gates.CoverageMin)+" % at least")
	add(p.Gates.ScanMax != "", "findings up to "+p.Gates.ScanMax+" pass")
	if len(out) == 0 {
		return []string{"every open pull request that is no draft, not of a bot and from no fork"}
	}
	return out
}

// eventText is what a delivery is called.
func eventText(d sdk.Delivery) string {
	if text := strings.TrimSpace(d.Event + " " + d.Action); text != "" {
		return text
	}
	return "delivery"
}

func shapeOfOutcome(outcome string) shape {
	switch outcome {
	case "built", "done":
		return good
	case "refused", "failed":
		return bad
	case "waiting", "blocked", "pending":
		return busy
	}
	return idle
}

func shapeOfVerdict(verdict string) shape {
	switch verdict {
	case "accepted":
		return good
	case "refused":
		return bad
	case "unreadable":
		return warn
	}
	return idle
}

func shapeOfGate(state string) shape {
	switch state {
	case "open", "passed":
		return good
	case "waiting":
		return busy
	}
	return bad
}

func shapeOfStage(status string) shape {
	switch status {
	case "passed":
		return good
	case "failed":
		return bad
	case "running":
		return busy
	}
	return idle
}

// findingsText counts findings by severity, the worst first.
func findingsText(c sdk.FindingCounts) string {
	var out []string
	for _, x := range []struct {
		n    int
		name string
	}{{c.Critical, "critical"}, {c.High, "high"}, {c.Medium, "medium"}, {c.Low, "low"}, {c.Unknown, "unknown"}} {
		if x.n > 0 {
			out = append(out, number(x.n)+" "+x.name)
		}
	}
	if len(out) == 0 {
		return "nothing found"
	}
	return strings.Join(out, ", ")
}

// names are the keys of texts, in order.
func names(texts map[string]string) []string { return slices.Sorted(maps.Keys(texts)) }

func byName(repositories map[string]sdk.Repository) (out []sdk.Repository) {
	for _, r := range repositories {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b sdk.Repository) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return out
}
