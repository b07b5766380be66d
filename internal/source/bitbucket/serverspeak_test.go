package bitbucket_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/bitbucket"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

func TestSpeaksWithServer(t *testing.T) {
	hosttest.Speaks(t, hosttest.Tongue{
		Speaker: bitbucket.Host{}, Repository: "SHOP/web", Credential: token, Below: "/git/rest/api/1.0", Serve: serveServer,
		Signed: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token },
		Path: func(repository string) string {
			owner, name, _ := strings.Cut(repository, "/")
			return "/projects/" + url.PathEscape(owner) + "/repos/" + url.PathEscape(name)
		},
		Rights: []hosttest.Right{
			{User: "ada", Permission: blueberry.HostAdmin, Word: "REPO_ADMIN"},
			{User: "wim", Permission: blueberry.HostWrite, Word: "REPO_WRITE"},
			{User: "rob", Permission: blueberry.HostRead, Word: "REPO_READ"},
			{User: "eve", Permission: blueberry.HostNone, Word: "none"},
			{User: "old", Permission: blueberry.HostNone, Word: "REPO_ADMIN inactive"},
		},
		Hostile: "~ac#me?x=1&%2f/sh op%2e\n;\u2028",
		Keeps: func(p blueberry.PullRequest) blueberry.PullRequest {
			p.Labels = nil
			return p
		},
	})
}

func serverGone(w http.ResponseWriter) {
	hosttest.JSON(w, 404, object{"errors": []object{{"context": nil, "message": "No such thing", "exceptionName": "com.atlassian.NoSuch"}}})
}

func serverPage[T any](w http.ResponseWriter, r *http.Request, all []T) {
	q := r.URL.Query()
	from, _ := strconv.Atoi(q.Get("start"))
	size, _ := strconv.Atoi(q.Get("limit"))
	values, more := hosttest.Page(all, from, min(size, 100))
	out := object{"start": from, "limit": size, "size": len(values), "isLastPage": !more, "values": append([]T{}, values...), "nextPageStart": nil}
	if more {
		out["nextPageStart"] = from + len(values)
	}
	w.Header().Set("X-AUSERNAME", url.QueryEscape(hosttest.Self))
	hosttest.JSON(w, 200, out)
}

// serveServer is Bitbucket Data Center in the words of its documentation.
func serveServer(f *hosttest.Forge) http.Handler {
	mux := http.NewServeMux()
	at := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /git/rest"+path, h)
	}
	keys := map[string]string{}
	at("GET /build-status/1.0/commits/{commit}", func(w http.ResponseWriter, r *http.Request) {
		out := []object{}
		for _, s := range f.Statuses {
			key := s.Context
			if k, ok := keys[key]; ok {
				key = k
			}
			if s.Commit == r.PathValue("commit") {
				out = append(out, object{"key": key, "state": buildWords[s.State], "name": s.Context, "description": s.Description, "url": s.URL, "dateAdded": s.ID})
			}
		}
		serverPage(w, r, out)
	})
	at("POST /build-status/1.0/commits/{commit}", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[build](r)
		if !keep(f, r.PathValue("commit"), in) {
			w.WriteHeader(400)
			return
		}
		keys[in.Name] = in.Key
		w.WriteHeader(204)
	})

	at("GET /api/1.0/users", func(w http.ResponseWriter, r *http.Request) {
		q, out := r.URL.Query(), []object{}
		if q.Get("permission.1.projectKey") == "" || q.Get("permission.1.repositorySlug") == "" {
			f.Wrong("users are asked for of no repository")
		}
		if slug := q.Get("permission.1.repositorySlug"); len(slug) == 26 { // by chance: no repository is called so
			serverGone(w)
			return
		}
		order := []string{"none", "REPO_READ", "REPO_WRITE", "REPO_ADMIN"}
		for i := range 150 { // whose names hold the text as well
			out = append(out, object{"name": "x" + q.Get("filter") + strconv.Itoa(i), "active": true})
		}
		for _, x := range f.Rights { // by whichever way they hold it
			word, inactive, _ := strings.Cut(x.Word, " ")
			if slices.Index(order, word) >= slices.Index(order, q.Get("permission.1")) && strings.Contains(x.User, q.Get("filter")) {
				out = append(out, object{"name": x.User, "active": inactive == ""})
			}
		}
		serverPage(w, r, out)
	})

	const pulls = "/api/1.0/projects/{key}/repos/{slug}/pull-requests"
	comment := func(k hosttest.Comment) object {
		return object{"id": k.ID, "version": k.Version, "text": k.Text, "author": object{"name": k.Author}, "comments": []any{}}
	}
	at("GET "+pulls+"/{id}/activities", func(w http.ResponseWriter, r *http.Request) {
		out := []object{{"id": 1, "action": "OPENED", "user": object{"name": "ada"}}}
		for _, k := range f.Comments {
			out = append(out, object{"id": k.ID, "action": "COMMENTED", "commentAction": "ADDED", "comment": comment(k)})
		}
		serverPage(w, r, out)
	})
	at("POST "+pulls+"/{id}/comments", func(w http.ResponseWriter, r *http.Request) {
		k := hosttest.Comment{ID: f.NextID(), Author: hosttest.Self, Text: hosttest.Body[struct{ Text string }](r).Text}
		f.Comments = append(f.Comments, k)
		hosttest.JSON(w, 201, comment(k))
	})
	find := func(r *http.Request) *hosttest.Comment {
		id, _ := strconv.ParseInt(r.PathValue("comment"), 10, 64)
		return f.Comment(id)
	}
	at("GET "+pulls+"/{id}/comments/{comment}", func(w http.ResponseWriter, r *http.Request) {
		if k := find(r); k != nil && r.PathValue("id") == "7" {
			hosttest.JSON(w, 200, comment(*k))
			return
		}
		serverGone(w)
	})
	at("PUT "+pulls+"/{id}/comments/{comment}", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[struct {
			Text    string
			Version *int64
		}](r)
		k := find(r)
		switch {
		case k == nil:
			serverGone(w)
		case k.Author != hosttest.Self:
			hosttest.JSON(w, 403, object{"errors": []object{{"message": "You may not edit this comment"}}})
		case in.Version == nil || *in.Version != k.Version:
			hosttest.JSON(w, 409, object{"errors": []object{{"message": "You are attempting to modify a comment based on out-of-date information."}}})
		default:
			k.Text, k.Version = in.Text, k.Version+1
			hosttest.JSON(w, 200, comment(*k))
		}
	})
	at("GET "+pulls, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("order") != "NEWEST" {
			f.Wrong("pull requests are asked for in another order")
		}
		all, _ := f.Listed(strings.ToLower(q.Get("state")), 0, 1<<20)
		out := []object{}
		for _, p := range all {
			out = append(out, serverObject(p))
		}
		serverPage(w, r, out)
	})
	return mux
}

func serverObject(p blueberry.PullRequest) object {
	end := func(branch, commit, name, address string) object {
		key, slug, _ := strings.Cut(name, "/")
		out := object{"id": "refs/heads/" + branch, "displayId": branch, "latestCommit": commit, "repository": nil}
		if name != "" {
			out["repository"] = object{
				"slug": slug, "project": object{"key": key},
				"links": object{"clone": []object{{"name": "ssh", "href": "ssh://git@git.example.com/x.git"}, {"name": "http", "href": address}}},
			}
		}
		return out
	}
	return object{
		"id": p.Number, "version": 3, "title": p.Title, "draft": p.Draft, "author": object{"user": object{"name": p.Author}}, "links": object{"self": []object{{"href": p.URL}}},
		"state":       map[blueberry.PullState]string{blueberry.PullOpen: "OPEN", blueberry.PullClosed: "DECLINED", blueberry.PullMerged: "MERGED"}[p.State],
		"fromRef":     end(p.HeadRef, p.HeadCommit, p.HeadRepo, p.HeadURL),
		"toRef":       end(p.BaseRef, first, p.BaseRepo, "https://git.example.com/scm/shop/web.git"),
		"updatedDate": p.HostAt.UnixMilli() + 789, "createdDate": 1,
	}
}

// TestServerThatDropsFilters: a server, or a gateway before it, that does not read whose permissions it is asked for has everybody hold everything. Nobody does.
func TestServerThatDropsFilters(t *testing.T) {
	for name, c := range map[string]struct {
		elsewhere http.HandlerFunc // the answer about a repository that there is not
		want      blueberry.HostPermission
		status    int
	}{
		"drops":      {nil, blueberry.HostNone, 403},
		"finds none": {func(w http.ResponseWriter, _ *http.Request) { hosttest.JSON(w, 404, object{}) }, blueberry.HostAdmin, 0},
		"is wrong":   {func(w http.ResponseWriter, _ *http.Request) { hosttest.JSON(w, 400, object{}) }, blueberry.HostAdmin, 0},
		"empty": {func(w http.ResponseWriter, _ *http.Request) {
			hosttest.JSON(w, 200, object{"values": []object{}, "isLastPage": true})
		}, blueberry.HostAdmin, 0},
		"others": {func(w http.ResponseWriter, _ *http.Request) {
			hosttest.JSON(w, 200, object{"values": []object{{"name": "root"}}, "isLastPage": true})
		}, blueberry.HostAdmin, 0},
		"broken": {func(w http.ResponseWriter, _ *http.Request) { hosttest.JSON(w, 500, object{}) }, blueberry.HostNone, 500},
		"denied": {func(w http.ResponseWriter, _ *http.Request) { hosttest.JSON(w, 403, object{}) }, blueberry.HostNone, 403},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.elsewhere != nil && r.URL.Query().Get("permission.1.repositorySlug") != "shop" {
					c.elsewhere(w, r)
					return
				}
				hosttest.JSON(w, 200, object{"values": []object{{"name": "eve", "active": true}}, "isLastPage": true})
			}))
			defer s.Close()
			conn := &source.Connection{Client: s.Client(), API: s.URL + "/rest/api/1.0", Repository: "ACME/shop", Now: time.Now}
			got, err := bitbucket.Host{}.Permission(t.Context(), conn, "eve")
			if got != c.want || source.HostStatus(err) != c.status {
				t.Errorf("may %s: %v, want %s", got, err, c.want)
			}
		})
	}
}
