package sim

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What the API and the webhooks tell, as Gitea does. A field that is not here is one that Gitea has and this host knows nothing of.

type wireUser struct {
	ID        int64  `json:"id"`
	Login     string `json:"login"`
	FullName  string `json:"full_name"`
	Email     string `json:"email"`
	AvatarURL string `json:"avatar_url"`
	HTMLURL   string `json:"html_url"`
	Username  string `json:"username"`
}

type wireRepository struct {
	ID            int64           `json:"id"`
	Owner         wireUser        `json:"owner"`
	Name          string          `json:"name"`
	FullName      string          `json:"full_name"`
	Description   string          `json:"description"`
	Empty         bool            `json:"empty"`
	Private       bool            `json:"private"`
	Fork          bool            `json:"fork"`
	Parent        *wireRepository `json:"parent,omitempty"`
	HTMLURL       string          `json:"html_url"`
	URL           string          `json:"url"`
	SSHURL        string          `json:"ssh_url"`
	CloneURL      string          `json:"clone_url"`
	DefaultBranch string          `json:"default_branch"`
	Archived      bool            `json:"archived"`
	Internal      bool            `json:"internal"`
	Mirror        bool            `json:"mirror"`
	OpenPulls     int             `json:"open_pr_counter"`
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`
	Permissions   wirePermissions `json:"permissions"`
}

type wirePermissions struct {
	Admin bool `json:"admin"`
	Push  bool `json:"push"`
	Pull  bool `json:"pull"`
}

type wireLabel struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Exclusive   bool   `json:"exclusive"`
	IsArchived  bool   `json:"is_archived"`
	Color       string `json:"color"`
	Description string `json:"description"`
	URL         string `json:"url"`
}

type wireBranch struct {
	Label  string          `json:"label"`
	Ref    string          `json:"ref"`
	SHA    string          `json:"sha"`
	RepoID int64           `json:"repo_id"`
	Repo   *wireRepository `json:"repo"`
}

type wirePull struct {
	ID             int64       `json:"id"`
	URL            string      `json:"url"`
	Number         int         `json:"number"`
	User           wireUser    `json:"user"`
	Title          string      `json:"title"`
	Body           string      `json:"body"`
	Labels         []wireLabel `json:"labels"`
	Milestone      *struct{}   `json:"milestone"`
	Assignee       *wireUser   `json:"assignee"`
	Assignees      []wireUser  `json:"assignees"`
	State          string      `json:"state"`
	Draft          bool        `json:"draft"`
	IsLocked       bool        `json:"is_locked"`
	Comments       int         `json:"comments"`
	HTMLURL        string      `json:"html_url"`
	DiffURL        string      `json:"diff_url"`
	PatchURL       string      `json:"patch_url"`
	Mergeable      bool        `json:"mergeable"`
	Merged         bool        `json:"merged"`
	MergedAt       *time.Time  `json:"merged_at"`
	MergeCommitSHA *string     `json:"merge_commit_sha"`
	MergedBy       *wireUser   `json:"merged_by"`
	Base           wireBranch  `json:"base"`
	Head           wireBranch  `json:"head"`
	MergeBase      string      `json:"merge_base"`
	CreatedAt      time.Time   `json:"created_at"`
	UpdatedAt      time.Time   `json:"updated_at"`
	ClosedAt       *time.Time  `json:"closed_at"`
}

type wireComment struct {
	ID             int64     `json:"id"`
	HTMLURL        string    `json:"html_url"`
	PullRequestURL string    `json:"pull_request_url"`
	IssueURL       string    `json:"issue_url"`
	User           wireUser  `json:"user"`
	Body           string    `json:"body"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

type wireIssue struct {
	ID          int64         `json:"id"`
	URL         string        `json:"url"`
	HTMLURL     string        `json:"html_url"`
	Number      int           `json:"number"`
	User        wireUser      `json:"user"`
	Title       string        `json:"title"`
	Body        string        `json:"body"`
	Labels      []wireLabel   `json:"labels"`
	State       string        `json:"state"`
	Comments    int           `json:"comments"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
	ClosedAt    *time.Time    `json:"closed_at"`
	PullRequest wireIssuePull `json:"pull_request"`
	Repository  wireIssueRepo `json:"repository"`
}

type wireIssuePull struct {
	Merged   bool       `json:"merged"`
	MergedAt *time.Time `json:"merged_at"`
	Draft    bool       `json:"draft"`
	HTMLURL  string     `json:"html_url"`
}

type wireIssueRepo struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Owner    string `json:"owner"`
	FullName string `json:"full_name"`
}

type wireStatus struct {
	ID          int64     `json:"id"`
	Status      string    `json:"status"`
	TargetURL   string    `json:"target_url"`
	Description string    `json:"description"`
	URL         string    `json:"url"`
	Context     string    `json:"context"`
	Creator     wireUser  `json:"creator"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type wireCombined struct {
	State      string         `json:"state"`
	SHA        string         `json:"sha"`
	TotalCount int            `json:"total_count"`
	Statuses   []wireStatus   `json:"statuses"`
	Repository wireRepository `json:"repository"`
	CommitURL  string         `json:"commit_url"`
	URL        string         `json:"url"`
}

type wireHook struct {
	ID        int64             `json:"id"`
	Type      string            `json:"type"`
	Config    map[string]string `json:"config"`
	Events    []string          `json:"events"`
	Active    bool              `json:"active"`
	UpdatedAt time.Time         `json:"updated_at"`
	CreatedAt time.Time         `json:"created_at"`
}

type wireChange struct {
	From string `json:"from"`
}

type wireChanges struct {
	Title *wireChange `json:"title,omitempty"`
	Body  *wireChange `json:"body,omitempty"`
	Ref   *wireChange `json:"ref,omitempty"`
}

type wirePullEvent struct {
	Action            string         `json:"action"`
	Number            int            `json:"number"`
	Changes           *wireChanges   `json:"changes,omitempty"`
	PullRequest       wirePull       `json:"pull_request"`
	RequestedReviewer *wireUser      `json:"requested_reviewer"`
	Repository        wireRepository `json:"repository"`
	Sender            wireUser       `json:"sender"`
	CommitID          string         `json:"commit_id"`
	Review            *struct{}      `json:"review"`
}

type wireCommentEvent struct {
	Action      string         `json:"action"`
	Issue       wireIssue      `json:"issue"`
	PullRequest wirePull       `json:"pull_request"`
	Comment     wireComment    `json:"comment"`
	Changes     *wireChanges   `json:"changes,omitempty"`
	Repository  wireRepository `json:"repository"`
	Sender      wireUser       `json:"sender"`
	IsPull      bool           `json:"is_pull"`
}

type wireCommit struct {
	ID        string     `json:"id"`
	Message   string     `json:"message"`
	URL       string     `json:"url"`
	Author    wireAuthor `json:"author"`
	Committer wireAuthor `json:"committer"`
	Timestamp time.Time  `json:"timestamp"`
}

type wireAuthor struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Username string `json:"username"`
}

type wirePushEvent struct {
	Ref          string         `json:"ref"`
	Before       string         `json:"before"`
	After        string         `json:"after"`
	CompareURL   string         `json:"compare_url"`
	Commits      []wireCommit   `json:"commits"`
	TotalCommits int            `json:"total_commits"`
	HeadCommit   *wireCommit    `json:"head_commit"`
	Repository   wireRepository `json:"repository"`
	Pusher       wireUser       `json:"pusher"`
	Sender       wireUser       `json:"sender"`
}

type wireDeleteEvent struct {
	Ref        string         `json:"ref"`
	RefType    string         `json:"ref_type"`
	PusherType string         `json:"pusher_type"`
	Repository wireRepository `json:"repository"`
	Sender     wireUser       `json:"sender"`
}

// wire tells what the state holds. It is used while the state is held.
type wire struct {
	s   *state
	url string
}

func (w wire) user(name string) wireUser {
	return wireUser{
		ID: w.s.Users[strings.ToLower(name)], Login: name, Username: name, FullName: name, Email: email(name),
		AvatarURL: w.url + "/avatars/" + name, HTMLURL: w.url + "/" + name,
	}
}

func (w wire) repository(r *repository) wireRepository {
	name := r.Owner + "/" + r.Name
	out := wireRepository{
		ID: r.ID, Owner: w.user(r.Owner), Name: r.Name, FullName: name, Description: r.Description, Empty: len(r.Branches) == 0, Private: r.Private,
		Fork: r.Parent != 0, HTMLURL: w.url + "/" + name, URL: w.url + "/api/v1/repos/" + name, CloneURL: w.url + "/" + name + ".git",
		DefaultBranch: r.DefaultBranch, CreatedAt: r.Created, UpdatedAt: r.Updated, Permissions: wirePermissions{Admin: true, Push: true, Pull: true},
	}
	for _, p := range r.Pulls {
		if !p.Closed {
			out.OpenPulls++
		}
	}
	if parent := w.s.Repositories[r.Parent]; parent != nil {
		up := w.repository(parent)
		up.Parent = nil
		out.Parent = &up
	}
	return out
}

func (w wire) label(r *repository, x label) wireLabel {
	return wireLabel{
		ID: x.ID, Name: x.Name, Color: x.Color, Description: x.Description, URL: fmt.Sprintf("%s/api/v1/repos/%s/%s/labels/%d", w.url, r.Owner, r.Name, x.ID),
	}
}

func (w wire) labels(r *repository, p *pull) []wireLabel {
	out := []wireLabel{}
	for _, id := range p.Labels {
		if x, ok := r.label(id); ok {
			out = append(out, w.label(r, x))
		}
	}
	slices.SortFunc(out, func(a, b wireLabel) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (w wire) pullURL(r *repository, p *pull) string {
	return fmt.Sprintf("%s/%s/%s/pulls/%d", w.url, r.Owner, r.Name, p.Number)
}

func (p *pull) state() string {
	if p.Closed {
		return "closed"
	}
	return "open"
}

func (w wire) pull(r *repository, p *pull) wirePull {
	page, base := w.pullURL(r, p), w.repository(r)
	out := wirePull{
		ID: p.ID, URL: page, Number: p.Number, User: w.user(p.Author), Title: p.Title, Body: p.Body, Labels: w.labels(r, p), State: p.state(), Draft: p.draft(),
		Comments: len(p.Comments), HTMLURL: page, DiffURL: page + ".diff", PatchURL: page + ".patch", Mergeable: p.Mergeable && !p.Closed, Merged: p.Merged,
		Base:      wireBranch{Label: p.BaseRef, Ref: p.BaseRef, SHA: p.BaseSHA, RepoID: r.ID, Repo: &base},
		Head:      wireBranch{Label: p.HeadRef, Ref: p.HeadRef, SHA: p.HeadSHA, RepoID: p.HeadRepo, Repo: &base},
		MergeBase: p.MergeBase, CreatedAt: p.Created, UpdatedAt: p.Updated,
	}
	if from := w.s.Repositories[p.HeadRepo]; from != nil && from != r {
		head := w.repository(from)
		out.Head.Repo, out.Head.Label = &head, from.Owner+":"+p.HeadRef
	}
	if p.Closed {
		at := p.ClosedAt
		out.ClosedAt = &at
	}
	if p.Merged {
		by, commit, at := w.user(p.MergedBy), p.MergeCommit, p.ClosedAt
		out.MergedBy, out.MergeCommitSHA, out.MergedAt = &by, &commit, &at
	}
	return out
}

func (w wire) issue(r *repository, p *pull) wireIssue {
	said := w.pull(r, p)
	return wireIssue{
		ID: p.ID, URL: fmt.Sprintf("%s/api/v1/repos/%s/%s/issues/%d", w.url, r.Owner, r.Name, p.Number), HTMLURL: said.HTMLURL, Number: p.Number, User: said.User,
		Title: p.Title, Body: p.Body, Labels: said.Labels, State: said.State, Comments: said.Comments, CreatedAt: p.Created, UpdatedAt: p.Updated,
		ClosedAt: said.ClosedAt, PullRequest: wireIssuePull{Merged: p.Merged, MergedAt: said.MergedAt, Draft: said.Draft, HTMLURL: said.HTMLURL},
		Repository: wireIssueRepo{ID: r.ID, Name: r.Name, Owner: r.Owner, FullName: r.Owner + "/" + r.Name},
	}
}

func (w wire) comment(r *repository, p *pull, c comment) wireComment {
	page := w.pullURL(r, p)
	return wireComment{
		ID: c.ID, HTMLURL: fmt.Sprintf("%s#issuecomment-%d", page, c.ID), PullRequestURL: page, User: w.user(c.Author), Body: c.Body,
		CreatedAt: c.Created, UpdatedAt: c.Updated,
	}
}

func (w wire) status(r *repository, x status) wireStatus {
	return wireStatus{
		ID: x.ID, Status: x.State, TargetURL: x.Target, Description: x.Description, Context: x.Context, Creator: w.user(x.Creator), CreatedAt: x.Created,
		UpdatedAt: x.Created, URL: fmt.Sprintf("%s/api/v1/repos/%s/%s/statuses/%s", w.url, r.Owner, r.Name, x.SHA),
	}
}

func (w wire) combined(r *repository, sha string) wireCombined {
	at := fmt.Sprintf("%s/api/v1/repos/%s/%s/commits/%s", w.url, r.Owner, r.Name, sha)
	out := wireCombined{State: combine(r.latest(sha)), SHA: sha, Statuses: []wireStatus{}, Repository: w.repository(r), CommitURL: at, URL: at + "/status"}
	for _, x := range r.latest(sha) {
		out.Statuses = append(out.Statuses, w.status(r, x))
	}
	out.TotalCount = len(out.Statuses)
	return out
}

// combine is what the newest statuses of a commit come to.
func combine(latest []status) string {
	good := 0
	for _, x := range latest {
		switch x.State {
		case "error", "failure":
			return "failure"
		case "success", "warning":
			good++
		}
	}
	if good > 0 && good == len(latest) {
		return "success"
	}
	return "pending"
}

func (w wire) hook(x *hook) wireHook {
	return wireHook{
		ID: x.ID, Type: "gitea", Config: map[string]string{"url": x.URL, "content_type": x.ContentType}, Events: slices.Clone(x.Events), Active: x.Active,
		UpdatedAt: x.Created, CreatedAt: x.Created,
	}
}

func (w wire) push(r *repository, m move, sender string) wirePushEvent {
	out := wirePushEvent{
		Ref: "refs/heads/" + m.branch, Before: cmp.Or(m.before, zeros), After: m.after, Commits: []wireCommit{}, Repository: w.repository(r),
		Pusher: w.user(sender), Sender: w.user(sender),
		CompareURL: fmt.Sprintf("%s/%s/%s/compare/%s...%s", w.url, r.Owner, r.Name, cmp.Or(m.before, zeros), m.after),
	}
	for _, c := range m.commits {
		by := wireAuthor{Name: c.Name, Email: c.Email}
		out.Commits = append(out.Commits, wireCommit{
			ID: c.SHA, Message: c.Message, URL: out.Repository.HTMLURL + "/commit/" + url.PathEscape(c.SHA), Author: by, Committer: by, Timestamp: c.At,
		})
	}
	out.TotalCommits = len(out.Commits)
	if len(out.Commits) > 0 {
		out.HeadCommit = &out.Commits[0]
	}
	return out
}

const zeros = "0000000000000000000000000000000000000000"
