package gitlab_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/gitlab"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const token = "glpat-correcthorsebatterystaple"

func TestSpeaks(t *testing.T) { hosttest.Speaks(t, tongue()) }

func tongue() hosttest.Tongue {
	return hosttest.Tongue{
		Speaker: gitlab.Host{}, Repository: "acme/web/shop", Credential: token, Below: "/api/v4", Serve: serve, ETags: true, Deployments: true,
		Signed: func(r *http.Request) bool { return r.Header.Get("PRIVATE-TOKEN") == token },
		Path:   func(repository string) string { return "/projects/" + url.PathEscape(repository) },
		Rights: []hosttest.Right{
			{User: "1", Permission: blueberry.HostAdmin, Word: "50"},
			{User: "2", Permission: blueberry.HostAdmin, Word: "40"},
			{User: "3", Permission: blueberry.HostWrite, Word: "30"},
			{User: "4", Permission: blueberry.HostRead, Word: "20"},
			{User: "5", Permission: blueberry.HostNone, Word: "10"},
			{User: "6", Permission: blueberry.HostNone, Word: "40 awaiting"},
		},
		Hostile: "ac#me?x=1&%2f/sh op%2e\n;\u2028/x",
		Keeps:   func(p blueberry.PullRequest) blueberry.PullRequest { return p },
	}
}

type object = map[string]any

func gone(w http.ResponseWriter) { hosttest.JSON(w, 404, object{"message": "404 Not found"}) }

func pathID(r *http.Request, name string) int64 {
	id, _ := strconv.ParseInt(r.PathValue(name), 10, 64)
	return id
}

func page[T any](w http.ResponseWriter, r *http.Request, all []T) []T {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("per_page"))
	if size == 0 || size > 100 {
		size = 20
	}
	n = max(n, 1)
	out, more := hosttest.Page(all, (n-1)*size, size)
	link := `<http://x/>; rel="first", <http://x/>; rel="last"`
	if more {
		link = fmt.Sprintf(`<http://%s%s?page=%d>; rel="next", `, r.Host, r.URL.EscapedPath(), n+1) + link
	}
	w.Header().Set("Link", link)
	return out
}

// house is what GitLab keeps beside the rest.
type house struct {
	*hosttest.Forge
	addresses map[string]string // of environments
	projects  []string          // their ids are their places, from 1
	clones    map[string]string
}

// serve is GitLab in the words of its documentation.
func serve(f *hosttest.Forge) http.Handler {
	h := &house{f, map[string]string{}, nil, map[string]string{}}
	mux := http.NewServeMux()
	at := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v4"+path, h)
	}
	at("GET /user", func(w http.ResponseWriter, _ *http.Request) {
		hosttest.JSON(w, 200, object{"id": 1, "username": hosttest.Self})
	})
	at("GET /projects/{project}/members/all/{user}", func(w http.ResponseWriter, r *http.Request) {
		x := f.Right(r.PathValue("user"))
		if x.User == "" {
			gone(w)
			return
		}
		level, state, _ := strings.Cut(x.Word, " ")
		n, _ := strconv.Atoi(level)
		if state == "" {
			state = "active"
		}
		id, _ := strconv.Atoi(x.User)
		hosttest.JSON(w, 200, object{"id": id, "username": "x", "access_level": n, "state": state})
	})
	h.serveStatuses(at)
	h.serveNotes(at)
	h.serveDeployments(at)
	h.serveEnvironments(at)
	h.serveMerges(at)
	return mux
}

type router func(pattern string, h http.HandlerFunc)

// serveStatuses: a status that is under way is changed, and one that is over is followed by another. One is not begun twice.
func (h *house) serveStatuses(at router) {
	words := map[source.StatusState]string{source.StatusPending: "pending", source.StatusSuccess: "success", source.StatusFailure: "failed"}
	at("GET /projects/{project}/repository/commits/{sha}/statuses", func(w http.ResponseWriter, r *http.Request) {
		name, out := r.URL.Query().Get("name"), []object{}
		if s, n := h.Status(r.PathValue("sha"), name); n > 0 { // the newest of each name
			out = append(out, object{"id": s.ID, "sha": s.Commit, "status": words[s.State], "name": s.Context, "description": s.Description, "target_url": orNull(s.URL)})
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST /projects/{project}/statuses/{sha}", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			State, Name, Description, Ref string
			TargetURL                     string `json:"target_url"`
		}](r)
		if r.PathValue("sha") == ofFork && in.Ref != "refs/merge-requests/7/head" {
			hosttest.JSON(w, 404, object{"message": "404 References for commit Not Found"})
			return
		}
		s := hosttest.Status{ID: h.NextID(), Commit: r.PathValue("sha"), CommitStatus: source.CommitStatus{Context: in.Name, Description: in.Description, URL: in.TargetURL}}
		for state, word := range words {
			if word == in.State {
				s.State = state
			}
		}
		was, n := h.Status(s.Commit, s.Context)
		if s.State == "" || n > 0 && was.State == source.StatusPending && s.State == source.StatusPending {
			hosttest.JSON(w, 400, object{"message": "Cannot transition status via :enqueue from :pending"})
			return
		}
		h.Statuses = append(h.Statuses, s)
		hosttest.JSON(w, 201, object{"id": s.ID})
	})
	at("GET /projects/{project}/repository/commits/{sha}/merge_requests", func(w http.ResponseWriter, _ *http.Request) {
		hosttest.JSON(w, 200, []object{{"iid": 7, "id": 1007}})
	})
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (h *house) serveNotes(at router) {
	const notes = "/projects/{project}/merge_requests/{iid}/notes"
	note := func(k hosttest.Comment) object {
		return object{"id": k.ID, "body": k.Text, "system": false, "author": object{"id": len(k.Author), "username": k.Author}}
	}
	at("GET "+notes, func(w http.ResponseWriter, r *http.Request) {
		out := []object{{"id": 1 << 40, "body": "mentioned in <!-- blueberry:pr_1 -->", "system": true, "author": object{"username": hosttest.Self}}}
		for _, k := range h.Comments {
			out = append(out, note(k))
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST "+notes, func(w http.ResponseWriter, r *http.Request) {
		k := hosttest.Comment{ID: h.NextID(), Author: hosttest.Self, Text: hosttest.Body[struct{ Body string }](r).Body}
		h.Comments = append(h.Comments, k)
		hosttest.JSON(w, 201, note(k))
	})
	at("GET "+notes+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		if k := h.Comment(pathID(r, "id")); k != nil && r.PathValue("iid") == "7" {
			hosttest.JSON(w, 200, note(*k))
			return
		}
		gone(w)
	})
	at("PUT "+notes+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		k := h.Comment(pathID(r, "id"))
		switch {
		case k == nil:
			gone(w)
		case k.Author != hosttest.Self:
			hosttest.JSON(w, 403, object{"message": "403 Forbidden"})
		default:
			k.Text = hosttest.Body[struct{ Body string }](r).Body
			hosttest.JSON(w, 200, note(*k))
		}
	})
}

var deploymentWords = map[source.DeploymentState]string{
	source.DeploymentPending: "running", source.DeploymentSuccess: "success", source.DeploymentFailure: "failed", source.DeploymentInactive: "canceled",
}

// serveDeployments: what is over does not run again, and a success starts its environment.
func (h *house) serveDeployments(at router) {
	show := func(d hosttest.Deployment) object {
		word := deploymentWords[d.State]
		if d.Said != nil && d.State == source.DeploymentInactive {
			_ = json.Unmarshal(d.Said, &word) // its environment was stopped; the deployment is as it was
		}
		return object{"id": d.ID, "sha": d.Commit, "status": word, "environment": object{"name": d.Environment}}
	}
	state := func(word string) source.DeploymentState {
		for state, w := range deploymentWords {
			if w == word {
				return state
			}
		}
		return ""
	}
	at("GET /projects/{project}/deployments", func(w http.ResponseWriter, r *http.Request) {
		q, out := r.URL.Query(), []object{}
		if q.Get("order_by") != "id" || q.Get("sort") != "desc" {
			h.Wrong("deployments are asked for in another order")
		}
		for i := len(h.Deployments) - 1; i >= 0; i-- {
			if d := h.Deployments[i]; d.Environment == q.Get("environment") {
				out = append(out, show(d))
			}
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST /projects/{project}/deployments", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			Environment, SHA, Ref, Status string
			Tag                           *bool
		}](r)
		d := hosttest.Deployment{ID: h.NextID(), Environment: in.Environment, Commit: in.SHA, State: state(in.Status), URL: h.addresses[in.Environment]}
		if d.State == "" || in.Ref == "" || in.Tag == nil || *in.Tag {
			hosttest.JSON(w, 400, object{"error": "status does not have a valid value"})
			return
		}
		delete(h.Stopped, d.Environment)
		h.Deployments = append(h.Deployments, d)
		hosttest.JSON(w, 201, show(d))
	})
	at("GET /projects/{project}/deployments/{id}", func(w http.ResponseWriter, r *http.Request) {
		if d := h.Deployment(pathID(r, "id")); d != nil {
			hosttest.JSON(w, 200, show(*d))
			return
		}
		gone(w)
	})
	at("PUT /projects/{project}/deployments/{id}", func(w http.ResponseWriter, r *http.Request) {
		d, want := h.Deployment(pathID(r, "id")), state(hosttest.Body[struct{ Status string }](r).Status)
		switch {
		case d == nil:
			gone(w)
		case want == "" || d.State == want || want == source.DeploymentPending || want == source.DeploymentInactive && d.State != source.DeploymentPending:
			hosttest.JSON(w, 400, object{"message": object{"status": []string{"cannot transition"}}})
		default:
			d.State = want
			hosttest.JSON(w, 200, show(*d))
		}
	})
}

func (h *house) serveEnvironments(at router) {
	id := map[string]int64{}
	show := func(name string) object {
		if id[name] == 0 {
			id[name] = h.NextID()
		}
		state := "available"
		if h.Stopped[name] {
			state = "stopped"
		}
		return object{"id": id[name], "name": name, "external_url": orNull(h.addresses[name]), "state": state}
	}
	byID := func(r *http.Request) string {
		for name, x := range id {
			if x == pathID(r, "id") {
				return name
			}
		}
		return ""
	}
	address := func(name, url string) {
		h.addresses[name] = url
		for i := range h.Deployments {
			if h.Deployments[i].Environment == name {
				h.Deployments[i].URL = url
			}
		}
	}
	at("GET /projects/{project}/environments", func(w http.ResponseWriter, r *http.Request) {
		name, out := r.URL.Query().Get("name"), []object{}
		if _, ok := h.addresses[name]; ok {
			out = append(out, show(name))
		}
		hosttest.JSON(w, 200, out)
	})
	at("POST /projects/{project}/environments", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			Name string
			URL  string `json:"external_url"`
		}](r)
		if _, ok := h.addresses[in.Name]; ok {
			hosttest.JSON(w, 400, object{"message": object{"name": []string{"has already been taken"}}})
			return
		}
		address(in.Name, in.URL)
		hosttest.JSON(w, 201, show(in.Name))
	})
	at("PUT /projects/{project}/environments/{id}", func(w http.ResponseWriter, r *http.Request) {
		name := byID(r)
		if name == "" {
			gone(w)
			return
		}
		address(name, hosttest.Body[struct {
			URL string `json:"external_url"`
		}](r).URL)
		hosttest.JSON(w, 200, show(name))
	})
	at("POST /projects/{project}/environments/{id}/stop", func(w http.ResponseWriter, r *http.Request) {
		name := byID(r)
		if name == "" {
			gone(w)
			return
		}
		h.Stopped[name] = true
		for i := range h.Deployments {
			if d := &h.Deployments[i]; d.Environment == name && d.State != source.DeploymentInactive {
				d.Said, _ = json.Marshal(deploymentWords[d.State])
				d.State = source.DeploymentInactive
			}
		}
		hosttest.JSON(w, 200, show(name))
	})
}

// serveMerges: a list names projects by their ids.
func (h *house) serveMerges(at router) {
	id := func(name, clone string) any {
		if name == "" {
			return 404404 // of a project that is gone
		}
		h.clones[name] = clone
		for i, x := range h.projects {
			if x == name {
				return i + 1
			}
		}
		h.projects = append(h.projects, name)
		return len(h.projects)
	}
	at("GET /projects/{project}", func(w http.ResponseWriter, r *http.Request) {
		n := pathID(r, "project")
		if n < 1 || int(n) > len(h.projects) {
			gone(w)
			return
		}
		name := h.projects[n-1]
		hosttest.JSON(w, 200, object{"id": n, "path_with_namespace": name, "http_url_to_repo": h.clones[name]})
	})
	at("GET /projects/{project}/merge_requests", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("order_by") != "updated_at" || q.Get("sort") != "desc" {
			h.Wrong("merge requests are asked for in another order")
		}
		words := map[string]string{"opened": "open", "all": "all"}
		all, _ := h.Listed(words[q.Get("state")], 0, 1<<20)
		out := []object{}
		for _, p := range all {
			state := map[blueberry.PullState]string{blueberry.PullOpen: "opened", blueberry.PullClosed: "closed", blueberry.PullMerged: "merged"}[p.State]
			out = append(out, object{
				"id": 1000 + p.Number, "iid": p.Number, "title": p.Title, "web_url": p.URL, "state": state, "draft": p.Draft, "work_in_progress": p.Draft, "sha": p.HeadCommit,
				"source_branch": p.HeadRef, "target_branch": p.BaseRef, "source_project_id": id(p.HeadRepo, p.HeadURL),
				"target_project_id": id(p.BaseRepo, "https://git.example.com/"+p.BaseRepo+".git"), "labels": append([]string{}, p.Labels...),
				"updated_at": p.HostAt.Add(123 * time.Millisecond).Format("2006-01-02T15:04:05.000Z"), "author": object{"id": 5, "username": p.Author},
			})
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
}

const ofFork = "feedfacefeedfacefeedfacefeedfacefeedface"

// connect is a connection with a host of the test's own.
func connect(t *testing.T, answer http.RoundTripper) *source.Connection {
	t.Helper()
	c := &source.Connection{
		Client: &http.Client{Transport: answer}, API: "https://gitlab.example.com/api/v4", Repository: "acme/web/shop", Credential: token, Now: time.Now,
	}
	if err := (gitlab.Host{}).Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

type answers func(r *http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

func says(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// served is a connection with a GitLab that keeps what f keeps.
func served(t *testing.T) (*hosttest.Forge, *source.Connection) {
	f := &hosttest.Forge{Stopped: map[string]bool{}}
	host := serve(f)
	return f, connect(t, answers(func(r *http.Request) *http.Response {
		w := recorder{header: http.Header{}}
		host.ServeHTTP(&w, r)
		return says(w.status, w.body.String())
	}))
}

// TestDeploymentBeginsAgain: what is over at GitLab does not run again, so another one is made. An older one that ends stops nothing.
func TestDeploymentBeginsAgain(t *testing.T) {
	f, c := served(t)
	d := source.Deployment{Environment: "pr-7", Commit: first, Branch: "faster", URL: "https://pr-7.example.com"}
	var ids []string
	for _, state := range []source.DeploymentState{source.DeploymentPending, source.DeploymentSuccess, source.DeploymentPending, source.DeploymentFailure} {
		d.State = state
		var err error
		if d.ID, err = (gitlab.Host{}).SetDeployment(t.Context(), c, d); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		ids = append(ids, d.ID)
	}
	if ids[0] != ids[1] || ids[1] == ids[2] || ids[2] != ids[3] || len(f.Deployments) != 2 {
		t.Errorf("the ids are %v of %+v", ids, f.Deployments)
	}
	d.ID, d.State = ids[0], source.DeploymentInactive
	if id, err := (gitlab.Host{}).SetDeployment(t.Context(), c, d); err != nil || id != ids[0] || f.Stopped["pr-7"] {
		t.Errorf("the older one ended: %q, %v, stopped is %v", id, err, f.Stopped)
	}
	d.ID = ids[3]
	if _, err := (gitlab.Host{}).SetDeployment(t.Context(), c, d); err != nil || !f.Stopped["pr-7"] {
		t.Errorf("the newest one ended: %v, stopped is %v", err, f.Stopped)
	}
}

// TestStatusOfFork: no branch of the project has the commit of a fork, and GitLab takes its status with the ref of the merge request alone.
func TestStatusOfFork(t *testing.T) {
	f, c := served(t)
	s := source.CommitStatus{State: source.StatusSuccess, Context: "blueberry/shop", Description: "ready", URL: "https://pr-7.example.com"}
	if err := (gitlab.Host{}).SetStatus(t.Context(), c, ofFork, s); err != nil {
		t.Fatal(err)
	}
	if got, n := f.Status(ofFork, "blueberry/shop"); n != 1 || got.CommitStatus != s {
		t.Errorf("the commit bears %+v, %d of them", got, n)
	}
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (w *recorder) Header() http.Header          { return w.header }
func (w *recorder) WriteHeader(status int)       { w.status = status }
func (w *recorder) Write(js []byte) (int, error) { return w.body.Write(js) }

// TestPendingIsNotSetAgain: GitLab refuses that, also with other words.
func TestPendingIsNotSetAgain(t *testing.T) {
	c := connect(t, answers(func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet {
			t.Errorf("it was set again")
		}
		return says(200, `[{"id":1,"status":"running","name":"blueberry/shop","description":"before"}]`)
	}))
	s := source.CommitStatus{State: source.StatusPending, Context: "blueberry/shop", Description: "after"}
	if err := (gitlab.Host{}).SetStatus(t.Context(), c, first, s); err != nil {
		t.Error(err)
	}
}

// FuzzPulls holds what is read of any list to be sound: lists look different from deliveries.
func FuzzPulls(f *testing.F) {
	hosttest.FuzzPulls(f, gitlab.Host{}, "acme/web/shop", `{"id":1007,"iid":7,"title":"Faster checkout","web_url":"https://gitlab.example.com/x/7","state":"opened","draft":false,`+
		`"sha":"`+first+`","source_branch":"faster","target_branch":"main","source_project_id":1,"target_project_id":1,"labels":["preview"],`+
		`"updated_at":"2026-01-31T09:30:00.123Z","author":{"id":5,"username":"ada"},"path_with_namespace":"acme/web/shop","http_url_to_repo":"https://gitlab.example.com/x.git"}`)
}
