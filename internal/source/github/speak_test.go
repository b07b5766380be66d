package github_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/github"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const token = "ghp_correcthorsebatterystaple"

func TestSpeaks(t *testing.T) {
	hosttest.Speaks(t, tongue())
}

func tongue() hosttest.Tongue {
	return hosttest.Tongue{
		Speaker: github.Host{}, Repository: "acme/shop", Credential: token, Below: "/api/v3", Serve: serve, ETags: true, Deployments: true,
		Signed: func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "Bearer "+token && r.Header.Get("X-GitHub-Api-Version") == "2022-11-28" && r.Header.Get("Accept") == "application/vnd.github+json"
		},
		Path: func(repository string) string {
			owner, name, _ := strings.Cut(repository, "/")
			return "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name)
		},
		Rights: []hosttest.Right{
			{User: "ada", Permission: blueberry.HostAdmin, Word: "admin"},
			{User: "mia", Permission: blueberry.HostAdmin, Word: "maintain"},
			{User: "wim", Permission: blueberry.HostWrite, Word: "write"},
			{User: "cus", Permission: blueberry.HostWrite, Word: "deployers"},
			{User: "rob", Permission: blueberry.HostRead, Word: "read"},
			{User: "tri", Permission: blueberry.HostRead, Word: "triage"},
			{User: "eve", Permission: blueberry.HostNone, Word: "none"},
		},
		Hostile: "ac#me?x=1&%2f/sh op%2e\n;\u2028",
		Keeps: func(p blueberry.PullRequest) blueberry.PullRequest {
			if p.Relation = blueberry.RelationMember; p.Author != "ada" {
				p.Relation = blueberry.RelationOutsider
			}
			return p
		},
	}
}

// gone answers as GitHub does of what is not there.
func gone(w http.ResponseWriter) { hosttest.JSON(w, 404, map[string]string{"message": "Not Found"}) }

func pathID(r *http.Request) int64 {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	return id
}

// page gives the first and the number that a page is asked for, and answers with the link to the next.
func page[T any](w http.ResponseWriter, r *http.Request, all []T) []T {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("per_page"))
	if size == 0 || size > 100 {
		size = 30
	}
	n = max(n, 1)
	out, more := hosttest.Page(all, (n-1)*size, size)
	if more {
		q.Set("page", strconv.Itoa(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next", <http://x/>; rel="last"`, r.Host, r.URL.EscapedPath(), q.Encode()))
	}
	return out
}

type object = map[string]any

// serve is GitHub in the words of its documentation.
func serve(f *hosttest.Forge) http.Handler { return serveTo(f, false) }

// serveApp is GitHub as an App sees it: it is no user, and what it wrote is marked.
func serveApp(f *hosttest.Forge) http.Handler { return serveTo(f, true) }

func serveTo(f *hosttest.Forge, app bool) http.Handler {
	mux := http.NewServeMux()
	at := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v3"+path, h)
	}
	const repo = "/repos/{owner}/{repo}"
	at("GET /user", func(w http.ResponseWriter, _ *http.Request) {
		if app {
			f.Wrong("an App asks for its user")
		}
		hosttest.JSON(w, 200, object{"login": hosttest.Self, "id": 1})
	})

	at("GET "+repo+"/collaborators/{user}/permission", func(w http.ResponseWriter, r *http.Request) {
		x := f.Right(r.PathValue("user"))
		if x.User == "" {
			hosttest.JSON(w, 404, object{"message": r.PathValue("user") + " is not a user"})
			return
		}
		reduced := x.Permission
		if x.Word == "maintain" {
			reduced = blueberry.HostWrite
		}
		hosttest.JSON(w, 200, object{"permission": reduced, "role_name": x.Word, "user": object{"login": x.User}})
	})
	at("GET "+repo+"/commits/{sha}/statuses", func(w http.ResponseWriter, r *http.Request) {
		out := []object{}
		for i := len(f.Statuses) - 1; i >= 0; i-- {
			if s := f.Statuses[i]; s.Commit == r.PathValue("sha") {
				out = append(out, object{"id": s.ID, "state": s.State, "context": s.Context, "description": s.Description, "target_url": orNull(s.URL)})
			}
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST "+repo+"/statuses/{sha}", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			State, Context, Description string
			TargetURL                   string `json:"target_url"`
		}](r)
		if in.State != "pending" && in.State != "success" && in.State != "failure" && in.State != "error" || len([]rune(in.Description)) > 140 {
			hosttest.JSON(w, 422, object{"message": "Validation Failed"})
			return
		}
		s := hosttest.Status{ID: f.NextID(), Commit: r.PathValue("sha"), CommitStatus: source.CommitStatus{
			State: source.StatusState(in.State), Context: in.Context, Description: in.Description, URL: in.TargetURL,
		}}
		f.Statuses = append(f.Statuses, s)
		hosttest.JSON(w, 201, object{"id": s.ID, "state": s.State})
	})

	comment := func(k hosttest.Comment) object {
		out := object{"id": k.ID, "issue_url": "https://api.github.example.com/repos/acme/shop/issues/7", "body": k.Text, "user": object{"login": k.Author}, "performed_via_github_app": nil}
		if app && k.Author == hosttest.Self {
			out["user"], out["performed_via_github_app"] = object{"login": "acme-previews[bot]"}, object{"id": 1234}
		}
		return out
	}
	at("GET "+repo+"/issues/7/comments", func(w http.ResponseWriter, r *http.Request) {
		out := []object{}
		for _, k := range f.Comments {
			out = append(out, comment(k))
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST "+repo+"/issues/{number}/comments", func(w http.ResponseWriter, r *http.Request) {
		k := hosttest.Comment{ID: f.NextID(), Author: hosttest.Self, Text: hosttest.Body[struct{ Body string }](r).Body}
		f.Comments = append(f.Comments, k)
		hosttest.JSON(w, 201, comment(k))
	})
	at("GET "+repo+"/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		if k := f.Comment(pathID(r)); k != nil {
			hosttest.JSON(w, 200, comment(*k))
			return
		}
		gone(w)
	})
	at("PATCH "+repo+"/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		k := f.Comment(pathID(r))
		switch {
		case k == nil:
			gone(w)
		case k.Author != hosttest.Self:
			hosttest.JSON(w, 403, object{"message": "Resource not accessible by personal access token"})
		default:
			k.Text = hosttest.Body[struct{ Body string }](r).Body
			hosttest.JSON(w, 200, comment(*k))
		}
	})
	serveDeployments(f, at, repo)

	at("GET "+repo+"/pulls", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("sort") != "updated" || q.Get("direction") != "desc" {
			f.Wrong("pull requests are asked for in another order")
		}
		all, _ := f.Listed(q.Get("state"), 0, 1<<20)
		out := []object{}
		for _, p := range all {
			out = append(out, pullObject(p))
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	return mux
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// serveDeployments: a deployment has statuses, of which the newest counts.
func serveDeployments(f *hosttest.Forge, at func(string, http.HandlerFunc), repo string) {
	statuses := map[int64][]object{}
	states := map[string]source.DeploymentState{
		"in_progress": source.DeploymentPending, "success": source.DeploymentSuccess, "failure": source.DeploymentFailure, "inactive": source.DeploymentInactive,
	}
	at("GET "+repo+"/deployments", func(w http.ResponseWriter, r *http.Request) {
		q, out := r.URL.Query(), []object{}
		for _, d := range f.Deployments {
			var in struct{ Task string }
			_ = json.Unmarshal(d.Said, &in)
			if d.Environment == q.Get("environment") && d.Commit == q.Get("sha") && in.Task == q.Get("task") {
				out = append(out, object{"id": d.ID, "sha": d.Commit, "task": in.Task, "environment": d.Environment})
			}
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST "+repo+"/deployments", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			Ref, Task, Environment string
			AutoMerge              *bool     `json:"auto_merge"`
			Contexts               *[]string `json:"required_contexts"`
			Transient              bool      `json:"transient_environment"`
		}](r)
		if in.AutoMerge == nil || *in.AutoMerge || in.Contexts == nil || len(*in.Contexts) != 0 || !in.Transient {
			f.Wrong("a deployment would merge, wait for others, or stay")
		}
		said, _ := json.Marshal(in)
		d := hosttest.Deployment{ID: f.NextID(), Environment: in.Environment, Commit: in.Ref, Said: said}
		f.Deployments = append(f.Deployments, d)
		hosttest.JSON(w, 201, object{"id": d.ID, "sha": d.Commit, "task": in.Task, "environment": d.Environment})
	})
	at("GET "+repo+"/deployments/{id}/statuses", func(w http.ResponseWriter, r *http.Request) {
		if f.Deployment(pathID(r)) == nil {
			gone(w)
			return
		}
		out := []object{}
		for _, s := range statuses[pathID(r)] {
			out = append([]object{s}, out...)
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST "+repo+"/deployments/{id}/statuses", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[map[string]any](r)
		state, known := states[fmt.Sprint(in["state"])]
		d := f.Deployment(pathID(r))
		if d == nil || !known {
			gone(w)
			return
		}
		d.State, d.URL = state, ""
		if address, ok := in["environment_url"].(string); ok {
			d.URL = address
		}
		in["id"] = f.NextID()
		statuses[d.ID] = append(statuses[d.ID], in)
		hosttest.JSON(w, 201, in)
	})
}

func pullObject(p blueberry.PullRequest) object {
	repository := func(name, address string) any {
		if name == "" {
			return nil
		}
		return object{"full_name": name, "clone_url": address}
	}
	labels := []object{}
	for _, x := range p.Labels {
		labels = append(labels, object{"id": 1, "name": x})
	}
	out := object{
		"id": 1000 + p.Number, "number": p.Number, "state": "open", "title": p.Title, "html_url": p.URL, "draft": p.Draft, "user": object{"login": p.Author, "type": "User"},
		"author_association": "MEMBER", "labels": labels, "merged_at": nil, "updated_at": p.HostAt.Format(time.RFC3339),
		"head": object{"ref": p.HeadRef, "sha": p.HeadCommit, "repo": repository(p.HeadRepo, p.HeadURL)},
		"base": object{"ref": p.BaseRef, "sha": first, "repo": repository(p.BaseRepo, "https://git.example.com/acme/shop.git")},
	}
	if p.Author != "ada" {
		out["author_association"] = "FIRST_TIME_CONTRIBUTOR"
	}
	if p.State != blueberry.PullOpen {
		out["state"] = "closed"
	}
	if p.State == blueberry.PullMerged {
		out["merged_at"] = p.HostAt.Format(time.RFC3339)
	}
	return out
}
