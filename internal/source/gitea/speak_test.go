package gitea_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/gitea"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const token = "d6a4f2correcthorsebatterystaple"

func TestSpeaks(t *testing.T) { hosttest.Speaks(t, tongue(serve)) }

// TestSpeaksWithoutLinks: there are servers that say nothing of the pages to come, and give fewer pull requests on one than they are asked for.
func TestSpeaksWithoutLinks(t *testing.T) {
	hosttest.Speaks(t, tongue(func(f *hosttest.Forge) http.Handler {
		inner := serve(f)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); q.Has("limit") {
				q.Set("limit", "30")
				r.URL.RawQuery = q.Encode()
			}
			inner.ServeHTTP(w, r)
			w.Header().Del("Link")
		})
	}))
}

func tongue(serve func(*hosttest.Forge) http.Handler) hosttest.Tongue {
	return hosttest.Tongue{
		Speaker: gitea.Host{}, Repository: "acme/shop", Credential: token, Below: "/api/v1", Serve: serve,
		Signed: func(r *http.Request) bool { return r.Header.Get("Authorization") == "token "+token },
		Path: func(repository string) string {
			owner, name, _ := strings.Cut(repository, "/")
			return "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name)
		},
		Rights: []hosttest.Right{
			{User: "ada", Permission: blueberry.HostAdmin, Word: "admin"},
			{User: "own", Permission: blueberry.HostAdmin, Word: "owner"},
			{User: "wim", Permission: blueberry.HostWrite, Word: "write"},
			{User: "rob", Permission: blueberry.HostRead, Word: "read"},
			{User: "eve", Permission: blueberry.HostNone, Word: "none"},
		},
		Hostile: "ac#me?x=1&%2f/sh op%2e\n;\u2028",
		Keeps:   func(p blueberry.PullRequest) blueberry.PullRequest { return p },
	}
}

type object = map[string]any

func gone(w http.ResponseWriter) {
	hosttest.JSON(w, 404, object{"message": "The target couldn't be found.", "errors": nil})
}

func page[T any](w http.ResponseWriter, r *http.Request, all []T) []T {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("limit"))
	if size == 0 || size > 50 {
		size = 50
	}
	n = max(n, 1)
	out, more := hosttest.Page(all, (n-1)*size, size)
	w.Header().Set("X-Total-Count", strconv.Itoa(len(all)))
	if len(all) > size {
		w.Header().Set("Link", `<http://x/>; rel="first"`)
	}
	if more {
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=%d>; rel="next",<http://x/>; rel="last"`, r.Host, r.URL.EscapedPath(), n+1))
	}
	return out
}

// serve is Gitea in the words of its documentation.
func serve(f *hosttest.Forge) http.Handler {
	mux := http.NewServeMux()
	at := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v1"+path, h)
	}
	const repo = "/repos/{owner}/{repo}"
	at("GET /user", func(w http.ResponseWriter, _ *http.Request) {
		hosttest.JSON(w, 200, object{"id": 1, "login": hosttest.Self})
	})

	at("GET "+repo+"/collaborators/{user}/permission", func(w http.ResponseWriter, r *http.Request) {
		x := f.Right(r.PathValue("user"))
		if x.User == "" {
			gone(w)
			return
		}
		hosttest.JSON(w, 200, object{"permission": x.Word, "role_name": "", "user": object{"login": x.User}})
	})

	status := func(s hosttest.Status) object {
		return object{"id": s.ID, "status": s.State, "context": s.Context, "description": s.Description, "target_url": s.URL}
	}
	at("GET "+repo+"/commits/{ref}/statuses", func(w http.ResponseWriter, r *http.Request) {
		out := []object{}
		for _, s := range f.Statuses { // of one second, their order is not told
			if s.Commit == r.PathValue("ref") {
				out = append(out, status(s))
			}
		}
		if n := len(out); n > 1 {
			out[n-1], out[n-2] = out[n-2], out[n-1]
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	at("POST "+repo+"/statuses/{sha}", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			State, Context, Description string
			TargetURL                   string `json:"target_url"`
		}](r)
		if in.State != "pending" && in.State != "success" && in.State != "failure" && in.State != "error" && in.State != "warning" {
			hosttest.JSON(w, 400, object{"message": "bad state"})
			return
		}
		s := hosttest.Status{ID: f.NextID(), Commit: r.PathValue("sha"), CommitStatus: source.CommitStatus{
			State: source.StatusState(in.State), Context: in.Context, Description: in.Description, URL: in.TargetURL,
		}}
		f.Statuses = append(f.Statuses, s)
		hosttest.JSON(w, 201, status(s))
	})

	comment := func(k hosttest.Comment) object {
		return object{"id": k.ID, "pull_request_url": "https://git.example.com/acme/shop/pulls/7", "body": k.Text, "user": object{"login": k.Author}}
	}
	at("GET "+repo+"/issues/7/comments", func(w http.ResponseWriter, _ *http.Request) {
		out := []object{}
		for _, k := range f.Comments {
			out = append(out, comment(k))
		}
		hosttest.JSON(w, 200, out) // all at once
	})
	at("POST "+repo+"/issues/{index}/comments", func(w http.ResponseWriter, r *http.Request) {
		k := hosttest.Comment{ID: f.NextID(), Author: hosttest.Self, Text: hosttest.Body[struct{ Body string }](r).Body}
		f.Comments = append(f.Comments, k)
		hosttest.JSON(w, 201, comment(k))
	})
	at("GET "+repo+"/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if k := f.Comment(id); k != nil {
			hosttest.JSON(w, 200, comment(*k))
			return
		}
		gone(w)
	})
	at("PATCH "+repo+"/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		k := f.Comment(id)
		switch {
		case k == nil:
			gone(w)
		case k.Author != hosttest.Self:
			w.WriteHeader(403)
		default:
			k.Text = hosttest.Body[struct{ Body string }](r).Body
			hosttest.JSON(w, 200, comment(*k))
		}
	})

	at("GET "+repo+"/pulls", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sort") != "recentupdate" {
			f.Wrong("pull requests are asked for in another order")
		}
		all, _ := f.Listed(r.URL.Query().Get("state"), 0, 1<<20)
		out := []object{}
		for _, p := range all {
			out = append(out, pullObject(p))
		}
		hosttest.JSON(w, 200, page(w, r, out))
	})
	return mux
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
	state := "open"
	if p.State != blueberry.PullOpen {
		state = "closed"
	}
	return object{
		"id": 1000 + p.Number, "number": p.Number, "state": state, "merged": p.State == blueberry.PullMerged, "title": p.Title, "html_url": p.URL, "draft": p.Draft,
		"user": object{"login": p.Author}, "labels": labels, "updated_at": p.HostAt.In(time.FixedZone("", 3600)).Format(time.RFC3339),
		"head": object{"ref": p.HeadRef, "sha": p.HeadCommit, "repo": repository(p.HeadRepo, p.HeadURL)},
		"base": object{"ref": p.BaseRef, "sha": first, "repo": repository(p.BaseRepo, "https://git.example.com/acme/shop.git")},
	}
}
