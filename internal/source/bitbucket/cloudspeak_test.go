package bitbucket_test

import (
	"net/http"
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

const token = "ATCTTcorrecthorsebatterystaple"

func TestSpeaksWithCloud(t *testing.T) { hosttest.Speaks(t, cloudTongue()) }

// TestSpeaksWithCloudAsUser: a token beside the name of its user.
func TestSpeaksWithCloudAsUser(t *testing.T) {
	x := cloudTongue()
	x.Access.User = "ada@example.com"
	x.Signed = func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "ada@example.com" && password == token
	}
	hosttest.Speaks(t, x)
}

func cloudTongue() hosttest.Tongue {
	return hosttest.Tongue{
		Speaker: bitbucket.Host{}, Repository: "acme/shop", Credential: token, Below: "/2.0", Serve: serveCloud,
		Signed: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token },
		Path: func(repository string) string {
			owner, name, _ := strings.Cut(repository, "/")
			return "/repositories/" + url.PathEscape(owner) + "/" + url.PathEscape(name)
		},
		Rights: []hosttest.Right{
			{User: "{ada}", Permission: blueberry.HostAdmin, Word: "admin"},
			{User: "{wim}", Permission: blueberry.HostWrite, Word: "write"},
			{User: "{rob}", Permission: blueberry.HostRead, Word: "read"},
			{User: "{eve}", Permission: blueberry.HostNone, Word: "none"},
		},
		Hostile: "ac#me?x=1&%2f/sh op%2e\n;\u2028",
		Keeps: func(p blueberry.PullRequest) blueberry.PullRequest {
			p.Labels = nil
			return p
		},
	}
}

type object = map[string]any

var buildWords = map[source.StatusState]string{source.StatusPending: "INPROGRESS", source.StatusSuccess: "SUCCESSFUL", source.StatusFailure: "FAILED"}

type build struct{ Key, State, Name, Description, URL string }

// keep keeps the status of a build, in the place of one with the same key. It is false for one that Bitbucket refuses.
func keep(f *hosttest.Forge, commit string, in build) bool {
	u, err := url.Parse(in.URL)
	if in.Key == "" || len(in.Key) > 40 || err != nil || u.Host == "" {
		return false
	}
	s := hosttest.Status{ID: f.NextID(), Commit: commit, CommitStatus: source.CommitStatus{Context: in.Name, Description: in.Description, URL: in.URL}}
	for state, word := range buildWords {
		if word == in.State {
			s.State = state
		}
	}
	f.Statuses = slices.DeleteFunc(f.Statuses, func(x hosttest.Status) bool { return x.Commit == commit && x.Context == in.Name })
	f.Statuses = append(f.Statuses, s)
	return s.State != ""
}

func cloudGone(w http.ResponseWriter) {
	hosttest.JSON(w, 404, object{"type": "error", "error": object{"message": "Resource not found"}})
}

func cloudPage[T any](w http.ResponseWriter, r *http.Request, all []T, most int) {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("pagelen"))
	if size > most {
		hosttest.JSON(w, 400, object{"type": "error", "error": object{"message": "Invalid pagelen"}})
		return
	}
	n = max(n, 1)
	values, more := hosttest.Page(all, (n-1)*size, size)
	out := object{"pagelen": size, "page": n, "size": len(all), "values": append([]T{}, values...)}
	if more {
		out["next"] = "https://elsewhere.example.com/2.0/next?page=" + strconv.Itoa(n+1)
	}
	hosttest.JSON(w, 200, out)
}

// serveCloud is Bitbucket Cloud in the words of its documentation.
func serveCloud(f *hosttest.Forge) http.Handler {
	mux := http.NewServeMux()
	at := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /2.0"+path, h)
	}
	const repo = "/repositories/{workspace}/{repo}"
	uuid := func(name string) string { return "{" + name + "}" }
	at("GET /user", func(w http.ResponseWriter, _ *http.Request) {
		hosttest.JSON(w, 200, object{"uuid": uuid(hosttest.Self)})
	})

	at("GET /workspaces/{workspace}/permissions/repositories/{repo}", func(w http.ResponseWriter, r *http.Request) {
		out := []object{}
		for _, x := range f.Rights {
			if r.URL.Query().Get("q") == `user.uuid="`+x.User+`"` {
				out = append(out, object{"type": "repository_permission", "permission": x.Word, "user": object{"type": "user", "uuid": x.User}})
			}
		}
		cloudPage(w, r, out, 100)
	})

	keys := map[string]string{} // contexts, by keys
	at("GET "+repo+"/commit/{commit}/statuses/build/{key}", func(w http.ResponseWriter, r *http.Request) {
		key := r.PathValue("key")
		if context, ok := keys[key]; ok {
			key = context
		}
		s, n := f.Status(r.PathValue("commit"), key)
		if n == 0 {
			cloudGone(w)
			return
		}
		hosttest.JSON(w, 200, object{"type": "build", "key": r.PathValue("key"), "state": buildWords[s.State], "name": s.Context, "description": s.Description, "url": s.URL})
	})
	at("POST "+repo+"/commit/{commit}/statuses/build", func(w http.ResponseWriter, r *http.Request) {
		in := hosttest.Body[build](r)
		if !keep(f, r.PathValue("commit"), in) {
			hosttest.JSON(w, 400, object{"type": "error", "error": object{"message": "Bad request"}})
			return
		}
		keys[in.Key] = in.Name
		hosttest.JSON(w, 201, in)
	})

	deleted := []object{{"id": 1 << 40, "deleted": true, "content": object{"raw": "<!-- blueberry:pr_1 -->"}, "user": object{"uuid": uuid(hosttest.Self)}}}
	comment := func(k hosttest.Comment) object {
		return object{"id": k.ID, "deleted": false, "content": object{"raw": k.Text}, "user": object{"uuid": uuid(k.Author)}}
	}
	const comments = repo + "/pullrequests/{id}/comments"
	at("GET "+comments, func(w http.ResponseWriter, r *http.Request) {
		out := slices.Clone(deleted)
		for _, k := range f.Comments {
			out = append(out, comment(k))
		}
		cloudPage(w, r, out, 100)
	})
	type content struct{ Content struct{ Raw string } }
	at("POST "+comments, func(w http.ResponseWriter, r *http.Request) {
		k := hosttest.Comment{ID: f.NextID(), Author: hosttest.Self, Text: hosttest.Body[content](r).Content.Raw}
		f.Comments = append(f.Comments, k)
		hosttest.JSON(w, 201, comment(k))
	})
	at("GET "+comments+"/{comment}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("comment"), 10, 64)
		if k := f.Comment(id); k != nil && r.PathValue("id") == "7" {
			hosttest.JSON(w, 200, comment(*k))
			return
		}
		cloudGone(w)
	})
	at("PUT "+comments+"/{comment}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("comment"), 10, 64)
		k := f.Comment(id)
		switch {
		case k == nil:
			cloudGone(w)
		case k.Author != hosttest.Self:
			hosttest.JSON(w, 403, object{"type": "error", "error": object{"message": "Forbidden"}})
		default:
			k.Text = hosttest.Body[content](r).Content.Raw
			hosttest.JSON(w, 200, comment(*k))
		}
	})

	at("GET "+repo+"/pullrequests", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("sort") != "-updated_on" {
			f.Wrong("pull requests are asked for in another order")
		}
		state := "open"
		if len(q["state"]) == 4 {
			state = "all"
		}
		all, _ := f.Listed(state, 0, 1<<20)
		out := []object{}
		for _, p := range all {
			out = append(out, cloudObject(p))
		}
		cloudPage(w, r, out, 50)
	})
	return mux
}

func cloudObject(p blueberry.PullRequest) object {
	end := func(branch, commit, name, address string) object {
		out := object{"branch": object{"name": branch}, "commit": object{"hash": commit}, "repository": nil}
		if name != "" {
			out["repository"] = object{"full_name": name, "links": object{"html": object{"href": strings.TrimSuffix(address, ".git")}}}
		}
		return out
	}
	return object{
		"id": p.Number, "title": p.Title, "draft": p.Draft, "author": object{"nickname": p.Author}, "links": object{"html": object{"href": p.URL}},
		"state":       map[blueberry.PullState]string{blueberry.PullOpen: "OPEN", blueberry.PullClosed: "DECLINED", blueberry.PullMerged: "MERGED"}[p.State],
		"source":      end(p.HeadRef, p.HeadCommit, p.HeadRepo, p.HeadURL),
		"destination": end(p.BaseRef, first[:12], p.BaseRepo, "https://git.example.com/acme/shop.git"),
		"updated_on":  p.HostAt.Format("2006-01-02T15:04:05.000000+00:00"),
	}
}

func TestCloneAs(t *testing.T) {
	for name, c := range map[string]struct {
		api, user, want string
	}{
		"access token of Cloud":        {"https://api.bitbucket.org/2.0", "", "x-token-auth"},
		"API token of Cloud":           {"https://api.bitbucket.org/2.0", "ada@example.com", "x-bitbucket-api-token-auth"},
		"app password of Cloud":        {"https://api.bitbucket.org/2.0", "ada", "ada"},
		"access token of Data Center":  {"https://git.example.com/rest/api/1.0", "", "x-token-auth"},
		"token of a person, with mail": {"https://git.example.com/rest/api/1.0", "ada@example.com", "ada@example.com"},
	} {
		conn := &source.Connection{API: c.api, Access: blueberry.HostAPI{User: c.user}, Credential: token, Now: time.Now}
		if err := (bitbucket.Host{}).Connect(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		if user, password := (bitbucket.Host{}).CloneAs(conn); user != c.want || password != token {
			t.Errorf("%s: it clones as %q", name, user)
		}
	}
}
