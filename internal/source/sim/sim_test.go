package sim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/gitea"
	"github.com/blueberry-idp/blueberry/internal/source/sim"
)

// next reads the next webhook as Blueberry does.
func next(t *testing.T, came chan heard) (string, source.Incoming) {
	t.Helper()
	x := <-came
	if !(gitea.Host{}).Signed(x.header, x.body, []string{secret}, time.Time{}) || (gitea.Host{}).Signed(x.header, x.body, []string{"another"}, time.Time{}) {
		t.Fatalf("the webhook is not signed by its secret alone: %v", x.header)
	}
	id, event := gitea.Host{}.Named(x.header)
	if len(id) != 36 || strings.Count(id, "-") != 4 {
		t.Errorf("the id of the delivery is %q, which is no UUID", id)
	}
	in, err := gitea.Host{}.Read(x.header, x.body)
	if err != nil {
		t.Fatalf("%s: %v\n%s", event, err, x.body)
	}
	return event + "/" + x.header.Get("X-Gitea-Event-Type"), in
}

// next2 reads the next two webhooks, which may come in either order.
func next2(t *testing.T, came chan heard) map[string]source.Incoming {
	t.Helper()
	out := map[string]source.Incoming{}
	for range 2 {
		event, in := next(t, came)
		out[event] = in
	}
	return out
}

// expect holds the next webhook to a whole value.
func expect(t *testing.T, came chan heard, event string, want source.Incoming) {
	t.Helper()
	got, in := next(t, came)
	if got != event {
		t.Fatalf("the webhook is %s (%s), want %s (%s)", got, in.Action, event, want.Action)
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Fatalf("%s (-want +got)\n%s", event, diff)
	}
}

func TestPullRequestFollowsItsBranch(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	url, came := ear(t, nil)
	h.hook("acme/shop", url, "push", "delete", "pull_request")
	first := h.topic(dir, "faster/checkout")
	pushed := func(branch, commit string) source.Incoming {
		return source.Incoming{Repository: "acme/shop", Pushes: []blueberry.BranchPush{{Branch: branch, Commit: commit}}}
	}
	expect(t, came, "push/push", pushed("faster/checkout", first))

	pull := blueberry.PullRequest{
		Number: 1, Title: "Faster checkout", URL: h.url + "/acme/shop/pulls/1", Author: "acme", Relation: blueberry.RelationUnknown, State: blueberry.PullOpen,
		HeadRef: "faster/checkout", HeadCommit: first, HeadURL: h.url + "/acme/shop.git", HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main",
		HostAt: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
	}
	is := func(action string, alter func(*blueberry.PullRequest)) source.Incoming {
		alter(&pull)
		p := pull
		return source.Incoming{Repository: "acme/shop", Action: action, Pull: &p, Reopened: action == "reopened"}
	}
	same := func(*blueberry.PullRequest) {}

	opened := h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "faster/checkout", "base": "main", "title": "Faster checkout", "body": "It was slow."})
	expect(t, came, "pull_request/pull_request", is("opened", same))
	if at(opened, "merge_base") != at(opened, "base", "sha") || at(opened, "mergeable") != true || at(opened, "body") != "It was slow." {
		t.Errorf("opened as %v", opened)
	}

	second := save(t, dir, "more.txt", "more\n")
	git(t, dir, "push", "-q", "origin", "faster/checkout")
	expect(t, came, "push/push", pushed("faster/checkout", second))
	expect(t, came, "pull_request/pull_request_sync", is("synchronized", func(p *blueberry.PullRequest) { p.HeadCommit = second }))
	if got := at(h.must(http.StatusOK, "GET", "/repos/acme/shop/pulls/1", nil), "head", "sha"); got != second {
		t.Errorf("after the push the head is %v, want %s", got, second)
	}
	git(t, dir, "reset", "-q", "--hard", first)
	git(t, dir, "push", "-q", "--force", "origin", "faster/checkout")
	expect(t, came, "push/push", pushed("faster/checkout", first))
	expect(t, came, "pull_request/pull_request_sync", is("synchronized", func(p *blueberry.PullRequest) { p.HeadCommit = first }))

	h.must(http.StatusOK, "POST", "/repos/acme/shop/issues/1/labels", map[string]any{"labels": []string{"preview", "bug"}})
	expect(t, came, "pull_request/pull_request_label", is("label_updated", func(p *blueberry.PullRequest) { p.Labels = []string{"bug", "preview"} }))
	h.must(http.StatusNoContent, "DELETE", "/repos/acme/shop/issues/1/labels", nil)
	expect(t, came, "pull_request/pull_request_label", is("label_cleared", func(p *blueberry.PullRequest) { p.Labels = nil }))

	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"title": "WIP: Faster checkout"})
	expect(t, came, "pull_request/pull_request", is("edited", func(p *blueberry.PullRequest) { p.Title, p.Draft = "WIP: Faster checkout", true }))
	h.must(http.StatusMethodNotAllowed, "POST", "/repos/acme/shop/pulls/1/merge", map[string]any{"Do": "merge"})
	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"title": "Faster checkout"})
	expect(t, came, "pull_request/pull_request", is("edited", func(p *blueberry.PullRequest) { p.Title, p.Draft = "Faster checkout", false }))

	comment := h.must(http.StatusCreated, "POST", "/repos/acme/shop/issues/1/comments", map[string]any{"body": "/deploy"})
	x := <-came
	var event struct {
		Action  string
		IsPull  bool `json:"is_pull"`
		Comment struct{ Body string }
		Issue   struct{ Number int }
	}
	if err := json.Unmarshal(x.body, &event); err != nil || event.Action != "created" || !event.IsPull || event.Comment.Body != "/deploy" || event.Issue.Number != 1 ||
		x.header.Get("X-Gitea-Event") != "issue_comment" {
		t.Errorf("the comment is told as %+v (%v): %s", event, err, x.body)
	}
	h.must(http.StatusOK, "PATCH", fmt.Sprintf("/repos/acme/shop/issues/comments/%v", comment["id"]), map[string]any{"body": "Done"})
	expect(t, came, "issue_comment/pull_request_comment", source.Incoming{Repository: "acme/shop", Action: "edited"})

	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"state": "closed"})
	expect(t, came, "pull_request/pull_request", is("closed", func(p *blueberry.PullRequest) { p.State = blueberry.PullClosed }))
	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"state": "open"})
	expect(t, came, "pull_request/pull_request", is("reopened", func(p *blueberry.PullRequest) { p.State = blueberry.PullOpen }))

	h.must(http.StatusConflict, "POST", "/repos/acme/shop/pulls/1/merge", map[string]any{"Do": "merge", "head_commit_id": second})
	h.must(http.StatusOK, "POST", "/repos/acme/shop/pulls/1/merge", map[string]any{"Do": "merge", "head_commit_id": first, "delete_branch_after_merge": true})
	expect(t, came, "pull_request/pull_request", is("closed", func(p *blueberry.PullRequest) { p.State = blueberry.PullMerged }))
	git(t, dir, "fetch", "-q", "--prune", "origin")
	merge := git(t, dir, "rev-parse", "origin/main")
	gone := next2(t, came)
	if diff := cmp.Diff(map[string]source.Incoming{"push/push": pushed("main", merge), "delete/delete": pushed("faster/checkout", "")}, gone); diff != "" {
		t.Errorf("after the merge (-want +got)\n%s", diff)
	}
	if parents := git(t, dir, "rev-list", "--parents", "-n1", merge); !strings.HasSuffix(parents, " "+first) || strings.Count(parents, " ") != 2 {
		t.Errorf("the merge is %q, want one of main and %s", parents, first)
	}
	if got := h.must(http.StatusOK, "GET", "/repos/acme/shop/pulls/1", nil); at(got, "merge_commit_sha") != merge || at(got, "state") != "closed" || at(got, "merged") != true {
		t.Errorf("merged as %v", got)
	}
	if branches := git(t, dir, "branch", "-r"); branches != "origin/main" {
		t.Errorf("after the merge there are %q", branches)
	}
	h.must(http.StatusMethodNotAllowed, "POST", "/repos/acme/shop/pulls/1/merge", map[string]any{"Do": "merge"})
	h.must(http.StatusPreconditionFailed, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"state": "open"})
	h.stop()
	if len(came) != 0 {
		t.Errorf("%d webhooks more came than were expected", len(came))
	}
}

func TestWaysToMerge(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	for _, branch := range []string{"a", "b", "c"} {
		h.topic(dir, branch)
	}
	git(t, dir, "checkout", "-q", "-B", "clash", "main")
	save(t, dir, "a.txt", "another\n")
	git(t, dir, "push", "-q", "origin", "clash")
	for i, branch := range []string{"a", "b", "c", "clash"} {
		if got := h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": branch, "base": "main", "title": branch}); at(got, "number") != float64(i+1) {
			t.Fatalf("the pull request of %s has number %v", branch, at(got, "number"))
		}
	}
	merge := func(n, status int, do string) {
		h.must(status, "POST", fmt.Sprintf("/repos/acme/shop/pulls/%d/merge", n), map[string]any{"Do": do})
	}
	merge(1, http.StatusOK, "fast-forward-only")
	merge(2, http.StatusConflict, "fast-forward-only")
	merge(2, http.StatusOK, "squash")
	merge(3, http.StatusUnprocessableEntity, "octopus")
	merge(4, http.StatusConflict, "merge")
	git(t, dir, "fetch", "-q", "origin")
	if n := git(t, dir, "rev-list", "--count", "origin/main"); n != "3" {
		t.Errorf("main has %s commits, want 3: its own, a fast-forwarded, b squashed", n)
	}
	if got := at(h.must(http.StatusOK, "GET", "/repos/acme/shop/pulls/4", nil), "mergeable"); got != false {
		t.Errorf("a pull request that clashes is told to be mergeable: %v", got)
	}
	git(t, dir, "push", "-q", "origin", ":c")
	if got := at(h.must(http.StatusOK, "GET", "/repos/acme/shop/pulls/3", nil), "state"); got != "closed" {
		t.Errorf("a pull request whose branch is gone is %v", got)
	}
	h.must(http.StatusUnprocessableEntity, "PATCH", "/repos/acme/shop/pulls/3", map[string]any{"state": "open"})
}

func TestPullRequestOfAFork(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	url, came := ear(t, nil)
	h.hook("acme/shop", url, "pull_request")
	fork := h.must(http.StatusAccepted, "POST", "/repos/acme/shop/forks", map[string]any{"name": "shop-fork"}, "Sudo", "mallory")
	if at(fork, "full_name") != "mallory/shop-fork" || at(fork, "parent", "full_name") != "acme/shop" || at(fork, "fork") != true {
		t.Fatalf("forked as %v", fork)
	}
	git(t, dir, "remote", "add", "fork", h.remote("mallory", "mallory/shop-fork"))
	git(t, dir, "checkout", "-q", "-b", "patch-1")
	first := save(t, dir, "patch.txt", "x\n")
	git(t, dir, "push", "-q", "fork", "patch-1")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "mallory:patch-1", "base": "main", "title": "Patch"}, "Sudo", "mallory")
	pull := blueberry.PullRequest{
		Number: 1, Title: "Patch", URL: h.url + "/acme/shop/pulls/1", Author: "mallory", Relation: blueberry.RelationUnknown, State: blueberry.PullOpen,
		HeadRef: "patch-1", HeadCommit: first, HeadURL: h.url + "/mallory/shop-fork.git", HeadRepo: "mallory/shop-fork", BaseRepo: "acme/shop", BaseRef: "main",
		HostAt: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
	}
	expect(t, came, "pull_request/pull_request", source.Incoming{Repository: "acme/shop", Action: "opened", Pull: &pull})
	git(t, dir, "checkout", "-q", "main") // a base that moves is no news of the pull request
	base := save(t, dir, "shop.txt", "two\n")
	git(t, dir, "push", "-q", "origin", "main")
	if got := at(h.must(http.StatusOK, "GET", "/repos/acme/shop/pulls/1", nil), "base", "sha"); got != base {
		t.Errorf("the base is told to be at %v, want %s", got, base)
	}
	git(t, dir, "checkout", "-q", "patch-1")
	second := save(t, dir, "patch.txt", "y\n")
	git(t, dir, "push", "-q", "fork", "patch-1")
	pull.HeadCommit = second
	expect(t, came, "pull_request/pull_request_sync", source.Incoming{Repository: "acme/shop", Action: "synchronized", Pull: &pull})
	if refs := git(t, dir, "ls-remote", "origin", "refs/pull/1/head"); !strings.HasPrefix(refs, second) {
		t.Errorf("the base has %q for the head of the pull request, want %s", refs, second)
	}
	if out, err := tryGit(t, dir, "push", "-q", "origin", "+"+first+":refs/pull/1/head"); err == nil {
		t.Errorf("the head of a pull request can be pushed to: %s", out)
	}
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/statuses/"+second, map[string]any{"state": "success"})
	h.must(http.StatusConflict, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "mallory/shop-fork:patch-1", "base": "main", "title": "Again"})
	h.must(http.StatusNotFound, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "eve:patch-1", "base": "main", "title": "Again"})
	h.must(http.StatusOK, "POST", "/repos/acme/shop/pulls/1/merge", map[string]any{"Do": "merge"})
}

// TestRestart: everything is there again, what was not sent is sent, and what was pushed meanwhile is followed.
func TestRestart(t *testing.T) {
	t.Parallel()
	fixed := func(o *sim.Options) { o.URL = "http://git.example.com"; o.Retries = []time.Duration{time.Hour} }
	h := open(t, fixed)
	dir := h.clone("shop")
	first := h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "A change", "labels": []string{"preview"}})
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/issues/1/comments", map[string]any{"body": "Hello"})
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/statuses/"+first, map[string]any{"state": "pending", "context": "blueberry"})
	refused := make(chan struct{}, 100)
	up := make(chan bool, 1)
	up <- false
	url, came := ear(t, func(int) int {
		ok := <-up
		up <- ok
		if !ok {
			refused <- struct{}{}
			return http.StatusBadGateway
		}
		return http.StatusOK
	})
	h.hook("acme/shop", url, "pull_request")
	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"title": "Another title"})
	<-refused
	paths := []string{
		"/user/repos", "/repos/acme/shop", "/repos/acme/shop/pulls?state=all", "/repos/acme/shop/issues/1/comments", "/repos/acme/shop/statuses/" + first,
		"/repos/acme/shop/labels", "/repos/acme/shop/commits/topic/status",
	}
	before := map[string]string{}
	for _, p := range paths {
		before[p] = h.ask("GET", p, nil).body
	}
	counts := h.host.Counts()
	h.stop()

	second := save(t, dir, "more.txt", "more\n")
	bare, err := filepath.Glob(filepath.Join(h.dir, "repositories", "*.git"))
	if err != nil || len(bare) != 1 {
		t.Fatalf("the repositories are %v (%v)", bare, err)
	}
	<-up
	up <- true
	again := func() *house { return openIn(t, h.dir, fixed) }
	h2 := again()
	for _, p := range paths {
		if got := h2.ask("GET", p, nil).body; got != before[p] {
			t.Errorf("GET %s after the restart (-want +got)\n%s", p, cmp.Diff(before[p], got))
		}
	}
	if got := h2.host.Counts(); got.CommentsCreated != 1 || got.StatusesCreated != 1 || got.Requests < counts.Requests || !cmp.Equal(got.Statuses, counts.Statuses) {
		t.Errorf("the counts are %+v, and were %+v", got, counts)
	}
	if event, in := next(t, came); event != "pull_request/pull_request" || in.Action != "edited" || in.Pull.HeadCommit != first {
		t.Errorf("what waited is sent as %s %+v", event, in)
	}
	h2.stop()

	git(t, dir, "push", "-q", bare[0], "topic")
	h3 := again()
	if event, in := next(t, came); event != "pull_request/pull_request_sync" || in.Pull.HeadCommit != second {
		t.Errorf("what was pushed while nobody watched is told as %s %+v", event, in)
	}
	h3.stop()
	if len(came) != 0 {
		t.Errorf("%d webhooks more came than were expected", len(came))
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	sha := h.topic(dir, "a/b")
	set := func(state, context string) {
		h.must(http.StatusCreated, "POST", "/repos/acme/shop/statuses/"+sha, map[string]any{
			"state": state, "context": context, "description": "It is " + state, "target_url": "https://pr-1.example.com",
		})
	}
	combined := func() any {
		return at(h.must(http.StatusOK, "GET", "/repos/acme/shop/commits/a%2Fb/status", nil), "state")
	}
	if got := combined(); got != "pending" {
		t.Errorf("a commit that bears nothing is %v", got)
	}
	for _, step := range []struct{ state, context, want string }{
		{"pending", "blueberry", "pending"}, {"success", "blueberry", "success"}, {"error", "lint", "failure"}, {"pending", "lint", "pending"}, {"success", "lint", "success"},
	} {
		set(step.state, step.context)
		if got := combined(); got != step.want {
			t.Errorf("after %s of %s the commit is %v, want %s", step.state, step.context, got, step.want)
		}
	}
	all := h.list("/repos/acme/shop/statuses/" + sha)
	if len(all) != 5 || all[0]["context"] != "lint" || all[4]["status"] != "pending" || all[0]["target_url"] != "https://pr-1.example.com" {
		t.Errorf("the statuses are %v", all)
	}
	if n := len(h.list("/repos/acme/shop/statuses/" + sha + "?state=success&sort=oldest")); n != 2 {
		t.Errorf("%d statuses are success, want 2", n)
	}
	want := []sim.StatusCount{{Repository: "acme/shop", SHA: sha, Context: "blueberry", Created: 2}, {Repository: "acme/shop", SHA: sha, Context: "lint", Created: 3}}
	if diff := cmp.Diff(want, h.host.Counts().Statuses); diff != "" {
		t.Errorf("counted (-want +got)\n%s", diff)
	}
	if got := h.must(http.StatusOK, "GET", "/sim/counts", nil); at(got, "statuses_created") != 5.0 {
		t.Errorf("the counts are told as %v", got)
	}
	h.must(http.StatusUnauthorized, "GET", "/sim/counts", nil, "Authorization", "")
}

func TestLists(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)
	tick := func() { mu.Lock(); now = now.Add(time.Minute); mu.Unlock() }
	h := open(t, func(o *sim.Options) { o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now } })
	dir := h.clone("shop")
	for i := range 5 {
		branch := fmt.Sprintf("topic-%d", i+1)
		h.topic(dir, branch)
		h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": branch, "base": "main", "title": branch})
		tick()
	}
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/issues/2/comments", map[string]any{"body": "Up"})
	tick()
	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/4", map[string]any{"state": "closed"})
	numbers := func(query string) (out []int) {
		for _, p := range h.list("/repos/acme/shop/pulls?" + query) {
			out = append(out, int(p["number"].(float64)))
		}
		return out
	}
	for query, want := range map[string][]int{
		"": {5, 3, 2, 1}, "state=all&sort=recentupdate": {4, 2, 5, 3, 1}, "state=closed": {4}, "state=all&sort=oldest&limit=2&page=2": {3, 4},
		"state=all&sort=leastupdate&limit=1": {1}, "state=all&page=9": nil, "sort=mostcomment&limit=1": {2}, "base_branch=other": nil,
	} {
		if got := numbers(query); !slices.Equal(got, want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
	s := h.ask("GET", "/repos/acme/shop/pulls?state=all&limit=2&page=2", nil)
	link := `<` + h.url + `/api/v1/repos/acme/shop/pulls?limit=2&page=3&state=all>; rel="next",<` + h.url + `/api/v1/repos/acme/shop/pulls?limit=2&page=3&state=all>; rel="last",` +
		`<` + h.url + `/api/v1/repos/acme/shop/pulls?limit=2&page=1&state=all>; rel="first",<` + h.url + `/api/v1/repos/acme/shop/pulls?limit=2&page=1&state=all>; rel="prev"`
	if s.header.Get("X-Total-Count") != "5" || s.header.Get("Link") != link {
		t.Errorf("the page is told as %q, %s\nwant %s", s.header.Get("X-Total-Count"), s.header.Get("Link"), link)
	}
	etag := s.header.Get("ETag")
	path := "/repos/acme/shop/pulls?state=all&limit=2&page=2"
	if again := h.ask("GET", path, nil, "If-None-Match", etag); again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != etag {
		t.Errorf("asked again, it is %d %q", again.status, again.body)
	}
	if n := h.host.Counts().NotModified; n != 1 {
		t.Errorf("%d answers are counted as not modified, want 1", n)
	}
	h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/3", map[string]any{"title": "New"})
	if again := h.ask("GET", path, nil, "If-None-Match", etag); again.status != http.StatusOK || again.header.Get("ETag") == etag {
		t.Errorf("after a change, it is %d with %s", again.status, again.header.Get("ETag"))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	sha := h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "A change"})
	git(t, dir, "checkout", "-q", "--orphan", "apart")
	save(t, dir, "apart.txt", "x")
	git(t, dir, "push", "-q", "origin", "apart")
	const repo = "/repos/acme/shop"
	for name, c := range map[string]struct {
		method, path string
		in           any
		want         int
	}{
		"no such repository":          {"GET", "/repos/acme/none", nil, 404},
		"path as an owner":            {"GET", "/repos/%2e%2e/shop", nil, 404},
		"path as a repository":        {"GET", "/repos/acme/..%2f..%2fetc", nil, 404},
		"NUL":                         {"GET", "/repos/acme/shop%00", nil, 404},
		"name with a slash":           {"POST", "/user/repos", map[string]any{"name": "a/b"}, 422},
		"name that leads up":          {"POST", "/user/repos", map[string]any{"name": ".."}, 422},
		"name that is an option":      {"POST", "/user/repos", map[string]any{"name": "--upload-pack=x"}, 422},
		"name that ends as git's":     {"POST", "/user/repos", map[string]any{"name": "shop.git"}, 422},
		"no name":                     {"POST", "/user/repos", map[string]any{}, 422},
		"name of another type":        {"POST", "/user/repos", `{"name": 7}`, 422},
		"name taken, in another case": {"POST", "/user/repos", map[string]any{"name": "Shop"}, 409},
		"branch that is an option":    {"POST", "/user/repos", map[string]any{"name": "x", "default_branch": "-x"}, 422},
		"branch that leads up":        {"POST", "/user/repos", map[string]any{"name": "x", "default_branch": "../../x"}, 422},
		"fork with a path":            {"POST", repo + "/forks", map[string]any{"organization": "../x"}, 422},
		"no JSON":                     {"POST", repo + "/pulls", "zebra", 422},
		"too large":                   {"POST", repo + "/issues/1/comments", `{"body": "` + strings.Repeat("x", 1<<20) + `"}`, 413},
		"empty comment":               {"POST", repo + "/issues/1/comments", map[string]any{"body": " "}, 422},
		"comment on nothing":          {"POST", repo + "/issues/2/comments", map[string]any{"body": "x"}, 404},
		"comment with a huge number":  {"POST", repo + "/issues/99999999999999999999/comments", map[string]any{"body": "x"}, 404},
		"comment that is not there":   {"PATCH", repo + "/issues/comments/9999", map[string]any{"body": "x"}, 404},
		"both forms of the path":      {"GET", repo + "/issues/comments/comments", nil, 404},
		"no title":                    {"POST", repo + "/pulls", map[string]any{"head": "topic", "base": "main"}, 422},
		"no branch to come from":      {"POST", repo + "/pulls", map[string]any{"head": "none", "base": "main", "title": "x"}, 404},
		"branch as an option":         {"POST", repo + "/pulls", map[string]any{"head": "--all", "base": "main", "title": "x"}, 404},
		"no branch to go to":          {"POST", repo + "/pulls", map[string]any{"head": "topic", "base": "none", "title": "x"}, 404},
		"to itself":                   {"POST", repo + "/pulls", map[string]any{"head": "main", "base": "main", "title": "x"}, 422},
		"twice":                       {"POST", repo + "/pulls", map[string]any{"head": "topic", "base": "main", "title": "x"}, 409},
		"nothing in common":           {"POST", repo + "/pulls", map[string]any{"head": "apart", "base": "main", "title": "x"}, 422},
		"unknown label":               {"POST", repo + "/issues/1/labels", map[string]any{"labels": []int{77}}, 404},
		"label of a wrong type":       {"POST", repo + "/issues/1/labels", map[string]any{"labels": []bool{true}}, 422},
		"state of a pull request":     {"PATCH", repo + "/pulls/1", map[string]any{"state": "zebra"}, 422},
		"title of two lines":          {"PATCH", repo + "/pulls/1", map[string]any{"title": "a\nb"}, 422},
		"status of a ref":             {"POST", repo + "/statuses/topic", map[string]any{"state": "success"}, 404},
		"status of no commit":         {"POST", repo + "/statuses/" + strings.Repeat("ab", 20), map[string]any{"state": "success"}, 404},
		"state of a status":           {"POST", repo + "/statuses/" + sha, map[string]any{"state": "zebra"}, 422},
		"address of a status":         {"POST", repo + "/statuses/" + sha, map[string]any{"state": "success", "target_url": "javascript:alert(1)"}, 422},
		"hook of another kind":        {"POST", repo + "/hooks", map[string]any{"type": "slack"}, 422},
		"hook to a file": {"POST", repo + "/hooks", map[string]any{
			"type": "gitea", "config": map[string]string{"url": "file:///etc/passwd", "content_type": "json"},
		}, 422},
		"hook for an unknown event": {"POST", repo + "/hooks", map[string]any{
			"type": "gitea", "events": []string{"zebra"}, "config": map[string]string{"url": "http://127.0.0.1", "content_type": "json"},
		}, 422},
		"hook that is not there": {"DELETE", repo + "/hooks/77", nil, 404},
		"sort":                   {"GET", repo + "/pulls?sort=zebra", nil, 422},
		"nothing here":           {"GET", "/zebra", nil, 404},
		"faults":                 {"POST", "/sim/faults", map[string]any{"webhooks": map[string]any{"drop": 0.7, "double": 0.7}}, 422},
		"unknown fault":          {"POST", "/sim/faults", map[string]any{"zebra": 1}, 422},
	} {
		s := h.ask(c.method, c.path, c.in)
		var js struct{ Message string }
		if err := json.Unmarshal([]byte(s.body), &js); err != nil || s.status != c.want || js.Message == "" {
			t.Errorf("%s: answered %d %s (%v), want %d with a message", name, s.status, s.body, err, c.want)
		}
	}
	for name, header := range map[string][]string{
		"nobody":              {"Authorization", ""},
		"another token":       {"Authorization", "token zebra"},
		"bearer":              {"Authorization", "Bearer zebra"},
		"a name as the token": {"Authorization", "acme"},
		"a path as a name":    {"Sudo", "../x"},
	} {
		if s := h.ask("POST", "/user/repos", map[string]any{"name": "other"}, header...); s.status != http.StatusUnauthorized {
			t.Errorf("%s: answered %d %s", name, s.status, s.body)
		}
	}
	if s := h.ask("POST", "/user/repos", map[string]any{"name": "other"}, "Sec-Fetch-Site", "cross-site"); s.status != http.StatusForbidden {
		t.Errorf("a page of another site may write: %d", s.status)
	}
	for _, remote := range []string{h.remote("acme", "acme/none"), h.remote("acme", "..%2f..%2facme/shop"), h.url + "/acme/shop.git/../../x.git"} {
		if out, err := tryGit(t, dir, "ls-remote", remote); err == nil {
			t.Errorf("%s is served: %s", remote, out)
		}
	}
	if out, err := tryGit(t, dir, "push", "-q", h.url+"/acme/shop.git", "main:stranger"); err == nil {
		t.Errorf("anybody may push: %s", out)
	}
	entries, err := os.ReadDir(filepath.Join(h.dir, "repositories"))
	if err != nil || len(entries) != 1 {
		t.Errorf("on disk there are %v (%v), want one repository", entries, err)
	}
}

func TestPrivate(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.must(http.StatusCreated, "POST", "/user/repos", map[string]any{"name": "safe", "private": true, "auto_init": true, "default_branch": "trunk"})
	h.must(http.StatusCreated, "POST", "/user/repos", map[string]any{"name": "open", "auto_init": true})
	dir := t.TempDir()
	if out, err := tryGit(t, dir, "ls-remote", h.url+"/acme/safe.git"); err == nil {
		t.Errorf("anybody may read what is private: %s", out)
	}
	if out := git(t, dir, "ls-remote", "--heads", h.remote("acme", "acme/safe")); !strings.HasSuffix(out, "refs/heads/trunk") {
		t.Errorf("the owner reads %q", out)
	}
	if out := git(t, dir, "ls-remote", "--heads", h.url+"/acme/open.git"); !strings.HasSuffix(out, "refs/heads/main") {
		t.Errorf("anybody reads %q", out)
	}
	h.must(http.StatusNotFound, "GET", "/repos/acme/safe", nil, "Authorization", "")
	h.must(http.StatusOK, "GET", "/repos/acme/open", nil, "Authorization", "")
	for path, want := range map[string]int{"/acme/safe": 401, "/acme/none": 401, "/acme/open": 200, "/": 200} {
		s := h.ask("GET", "/sim/../"+strings.TrimPrefix(path, "/"), nil, "Authorization", "")
		if s.status != want || strings.Contains(s.body, "safe") {
			t.Errorf("the page %s is answered %d: %s", path, s.status, s.body)
		}
	}
}

// TestCollaborators: who runs a repository gives permissions and reads them, as the driver does; everybody else reads their own.
func TestCollaborators(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.must(http.StatusCreated, "POST", "/user/repos", map[string]any{"name": "safe", "private": true, "auto_init": true})
	h.must(http.StatusCreated, "POST", "/user/repos", map[string]any{"name": "open", "auto_init": true})
	for user, permission := range map[string]string{"ada": "admin", "wim": "write", "rob": "read"} {
		h.must(http.StatusNoContent, "PUT", "/repos/acme/safe/collaborators/"+user, map[string]any{"permission": permission})
	}
	ask := func(repository, user string) blueberry.HostPermission {
		t.Helper()
		c := &source.Connection{Client: http.DefaultClient, API: h.url + "/api/v1", Repository: repository, Credential: token, Now: time.Now}
		if err := (gitea.Host{}).Connect(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		p, err := gitea.Host{}.Permission(t.Context(), c, user)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for who, want := range map[string]blueberry.HostPermission{
		"acme/safe acme": blueberry.HostAdmin, "acme/safe ada": blueberry.HostAdmin, "acme/safe ADA": blueberry.HostAdmin, "acme/safe wim": blueberry.HostWrite,
		"acme/safe rob": blueberry.HostRead, "acme/safe nobody": blueberry.HostNone, "acme/open rob": blueberry.HostRead, "acme/open nobody": blueberry.HostNone,
	} {
		repository, user, _ := strings.Cut(who, " ")
		if got := ask(repository, user); got != want {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
	}
	h.must(http.StatusNoContent, "DELETE", "/repos/acme/safe/collaborators/wim", nil)
	if got := ask("acme/safe", "wim"); got != blueberry.HostNone {
		t.Errorf("whose permission was taken away may %s", got)
	}
	for _, x := range []struct {
		status             int
		method, path, sudo string
		body               any
	}{
		{http.StatusOK, "GET", "/rob/permission", "rob", nil},
		{http.StatusForbidden, "GET", "/ada/permission", "rob", nil},
		{http.StatusOK, "GET", "/rob/permission", "ada", nil},
		{http.StatusForbidden, "PUT", "/eve", "rob", map[string]any{"permission": "admin"}},
		{http.StatusForbidden, "DELETE", "/ada", "rob", nil},
		{http.StatusUnprocessableEntity, "PUT", "/eve", "acme", map[string]any{"permission": "owner"}},
		{http.StatusUnprocessableEntity, "PUT", "/e%20ve", "acme", map[string]any{"permission": "read"}},
		{http.StatusNoContent, "PUT", "/eve", "acme", nil},
	} {
		if got := h.ask(x.method, "/repos/acme/safe/collaborators"+x.path, x.body, "Sudo", x.sudo); got.status != x.status {
			t.Errorf("%s %s as %s: %d, want %d: %s", x.method, x.path, x.sudo, got.status, x.status, got.body)
		}
	}
	h.must(http.StatusUnauthorized, "GET", "/repos/acme/open/collaborators/rob/permission", nil, "Authorization", "")
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	sha := h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "<b>A change</b>", "labels": []string{"preview"}})
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/issues/1/comments", map[string]any{"body": "Ready at https://pr-1.example.com <script>alert(1)</script>"})
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/statuses/"+sha, map[string]any{"state": "success", "context": "blueberry", "target_url": "https://pr-1.example.com"})
	for path, want := range map[string][]string{
		"/":          {"acme/shop"},
		"/acme/shop": {"&lt;b&gt;A change&lt;/b&gt;", "topic", "open", "preview", h.url + "/acme/shop.git"},
		"/acme/shop/pulls/1": {
			"&lt;b&gt;A change&lt;/b&gt;", sha, "Ready at https://pr-1.example.com &lt;script&gt;", `<a href="https://pr-1.example.com" rel="noreferrer">blueberry</a>`, "success",
		},
	} {
		res, err := http.Get(h.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		s := h.ask("GET", "/sim/.."+path, nil)
		if s.status != http.StatusOK || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: answered %d with %v", path, s.status, res.Header)
		}
		for _, text := range want {
			if !strings.Contains(s.body, text) {
				t.Errorf("%s does not say %q:\n%s", path, text, s.body)
			}
		}
		if strings.Contains(s.body, "<script") || strings.Contains(s.body, token) {
			t.Errorf("%s holds what it must not:\n%s", path, s.body)
		}
	}
	if s := h.ask("GET", "/sim/page.css", nil); s.status != http.StatusOK || !strings.Contains(s.body, "prefers-color-scheme: dark") {
		t.Errorf("the style is answered %d", s.status)
	}
}

func TestWebhooksComeAgain(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.clone("shop")
	url, came := ear(t, func(n int) int {
		if n == 1 || n == 2 { // the first one comes the third time
			return http.StatusBadGateway
		}
		return http.StatusOK
	})
	broken, _ := ear(t, func(int) int { return http.StatusFound })
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/labels", map[string]any{"name": "x", "color": "#00aabb"})
	good, bad := h.hook("acme/shop", url, "push"), h.hook("acme/shop", broken, "push")
	dir := t.TempDir()
	git(t, dir, "clone", "-q", h.remote("acme", "acme/shop"), ".")
	var want []string
	for i := range 3 {
		want = append(want, save(t, dir, "shop.txt", fmt.Sprint(i)))
		git(t, dir, "push", "-q", "origin", "main")
	}
	var got []string
	for range want {
		var push struct{ After string }
		if err := json.Unmarshal((<-came).body, &push); err != nil {
			t.Fatal(err)
		}
		got = append(got, push.After)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pushes came as %v, want %v", got, want)
	}
	h.stop()
	h = openIn(t, h.dir, func(o *sim.Options) { o.Retries = []time.Duration{} })
	h.settled(bad["id"])
	told := h.list(fmt.Sprintf("/repos/acme/shop/hooks/%v/deliveries", good["id"]))
	if len(told) != 3 || told[2]["attempts"] != 3.0 || told[0]["attempts"] != 1.0 || told[2]["state"] != "delivered" || told[2]["status"] != 200.0 || told[2]["event"] != "push" {
		t.Errorf("the deliveries are told as %v", told)
	}
	for _, x := range h.list(fmt.Sprintf("/repos/acme/shop/hooks/%v/deliveries", bad["id"])) {
		if x["state"] != "failed" || x["status"] != 302.0 || x["error"] != "answered 302" {
			t.Errorf("what is not taken is told as %v", x)
		}
	}
	if all := h.ask("GET", "/repos/acme/shop/hooks", nil).body; strings.Contains(all, secret) || !strings.Contains(all, url) {
		t.Errorf("the hooks are told as %s", all)
	}
	h.must(http.StatusUnauthorized, "GET", "/repos/acme/shop/hooks", nil, "Authorization", "")
	h.must(http.StatusNoContent, "DELETE", fmt.Sprintf("/repos/acme/shop/hooks/%v", bad["id"]), nil)
	if n := len(h.list("/repos/acme/shop/hooks")); n != 1 {
		t.Errorf("%d hooks are left, want 1", n)
	}
}

// settled returns when nothing waits to be sent to a hook.
func (h *house) settled(hook any) {
	h.t.Helper()
	for {
		all := h.list(fmt.Sprintf("/repos/acme/shop/hooks/%v/deliveries", hook))
		if !slices.ContainsFunc(all, func(d map[string]any) bool { return d["state"] == "waiting" }) {
			return
		}
		select {
		case <-h.t.Context().Done():
			h.t.Fatal("webhooks still wait")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestWebhookAsAForm(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	url, came := ear(t, nil)
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/hooks", map[string]any{
		"type": "gitea", "events": []string{"pull_request"}, "config": map[string]string{"url": url, "content_type": "form", "secret": secret},
	})
	h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "A + change & more"})
	if _, in := next(t, came); in.Pull.Title != "A + change & more" {
		t.Errorf("the form says %+v", in.Pull)
	}
}

func TestFaultsOfWebhooks(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.clone("shop")
	dir := t.TempDir()
	git(t, dir, "clone", "-q", h.remote("acme", "acme/shop"), ".")
	h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "0"})
	url, came := ear(t, nil)
	hook := h.hook("acme/shop", url, "pull_request")
	say := func(titles ...string) {
		for _, x := range titles {
			h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"title": x})
		}
	}
	heard := func(n int) (titles, ids []string) {
		for range n {
			x := <-came
			in, err := gitea.Host{}.Read(x.header, x.body)
			if err != nil {
				t.Fatal(err)
			}
			titles, ids = append(titles, in.Pull.Title), append(ids, x.header.Get("X-Gitea-Delivery"))
		}
		return titles, ids
	}
	plan := func(p sim.FaultPlan) { h.must(http.StatusOK, "POST", "/sim/faults", p) }
	plan(sim.FaultPlan{Webhooks: sim.WebhookFaults{Drop: 1}})
	say("1")
	plan(sim.FaultPlan{Webhooks: sim.WebhookFaults{Double: 1}})
	say("2")
	if titles, ids := heard(2); titles[0] != "2" || titles[1] != "2" || ids[0] != ids[1] {
		t.Errorf("doubled, %v came as %v", titles, ids)
	}
	plan(sim.FaultPlan{Webhooks: sim.WebhookFaults{Reorder: 1, HoldMS: 600_000}})
	say("3", "4", "5", "6")
	if titles, _ := heard(4); !slices.Equal(titles, []string{"4", "3", "6", "5"}) {
		t.Errorf("out of order, they came as %v", titles)
	}
	say("7")
	plan(sim.FaultPlan{})
	say("8")
	if titles, _ := heard(2); !slices.Equal(titles, []string{"7", "8"}) {
		t.Errorf("after the faults, they came as %v", titles)
	}
	h.settled(hook["id"])
	c := h.host.Counts()
	if c.Dropped != 1 || c.Doubled != 1 || c.Reordered != 3 || c.Delivered != 8 || c.Failed != 0 {
		t.Errorf("counted %+v", c)
	}
	if all := h.list(fmt.Sprintf("/repos/acme/shop/hooks/%v/deliveries?limit=50", hook["id"])); len(all) != 9 || all[8]["state"] != "dropped" {
		t.Errorf("told as %v", all)
	}
}

// TestHeldWebhookComesAlone: one that nothing passes is sent after a while all the same.
func TestHeldWebhookComesAlone(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *sim.Options) { o.Start.Webhooks = sim.WebhookFaults{Reorder: 1, HoldMS: 1} })
	dir := h.clone("shop")
	url, came := ear(t, nil)
	h.hook("acme/shop", url, "push")
	h.topic(dir, "topic")
	if event, _ := next(t, came); event != "push/push" {
		t.Errorf("%s came", event)
	}
}

// TestSameSeedSameFaults: which webhooks are dropped follows from the seed.
func TestSameSeedSameFaults(t *testing.T) {
	t.Parallel()
	sent := func(seed uint64) (out []string) {
		h := open(t, func(o *sim.Options) { o.Start.Webhooks = sim.WebhookFaults{Drop: 0.5, Seed: seed} })
		dir := h.clone("shop")
		url, came := ear(t, nil)
		hook := h.hook("acme/shop", url, "pull_request")
		h.topic(dir, "topic")
		h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "x"})
		for i := range 30 {
			h.must(http.StatusCreated, "PATCH", "/repos/acme/shop/pulls/1", map[string]any{"title": fmt.Sprint(i)})
		}
		h.settled(hook["id"])
		h.stop()
		close(came)
		for x := range came {
			in, err := gitea.Host{}.Read(x.header, x.body)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, in.Pull.Title)
		}
		return out
	}
	a, b, other := sent(7), sent(7), sent(8)
	if !slices.Equal(a, b) || slices.Equal(a, other) || len(a) == 0 || len(a) == 31 {
		t.Errorf("with one seed %v and %v, with another %v", a, b, other)
	}
}

func TestFaultsOfTheAPI(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "x"})
	plan := func(a sim.APIFaults) { h.must(http.StatusOK, "POST", "/sim/faults", sim.FaultPlan{API: a}) }
	get := func() said { return h.ask("GET", "/repos/acme/shop", nil) }

	plan(sim.APIFaults{Kind: sim.FaultRateLimited, Calls: 2, RetryAfter: 3})
	if a, b, c := get(), get(), get(); a.status != 429 || a.header.Get("Retry-After") != "3" || b.status != 429 || c.status != 200 {
		t.Errorf("limited: %d %v, %d, %d", a.status, a.header, b.status, c.status)
	}
	plan(sim.APIFaults{Kind: sim.FaultPrimary, RetryAfter: 60})
	reset := fmt.Sprint(time.Date(2026, 1, 31, 9, 31, 0, 0, time.UTC).Unix())
	for range 3 {
		if a := get(); a.status != 403 || a.header.Get("X-RateLimit-Remaining") != "0" || a.header.Get("X-RateLimit-Reset") != reset || !strings.Contains(a.body, "rate limit") {
			t.Errorf("out of calls: %d %v %s", a.status, a.header, a.body)
		}
	}
	plan(sim.APIFaults{Kind: sim.FaultRevoked})
	if a := get(); a.status != 401 {
		t.Errorf("revoked: %d", a.status)
	}
	plan(sim.APIFaults{Kind: sim.FaultBroken, Method: "POST"})
	if a, b := get(), h.ask("POST", "/repos/acme/shop/labels", nil); a.status != 200 || b.status != 500 {
		t.Errorf("broken for POST alone: %d, %d", a.status, b.status)
	}
	plan(sim.APIFaults{Kind: sim.FaultLost, Calls: 1})
	if s, err := h.try("POST", "/repos/acme/shop/issues/1/comments", map[string]any{"body": "Hello"}); err == nil {
		t.Errorf("an answer that is lost came: %+v", s)
	}
	if all := h.list("/repos/acme/shop/issues/1/comments"); len(all) != 1 {
		t.Errorf("the comment whose answer was lost is there %d times", len(all))
	}
	if c := h.host.Counts(); c.Faulted != 8 || c.CommentsCreated != 1 {
		t.Errorf("counted %+v", c)
	}
	off := open(t, func(o *sim.Options) { o.Faults = false })
	if s := off.ask("POST", "/sim/faults", sim.FaultPlan{}); s.status != http.StatusNotFound {
		t.Errorf("faults that are not served are answered %d", s.status)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := sim.Open(t.Context(), sim.Options{URL: "http://127.0.0.1/path", Owner: "a/b", Start: sim.FaultPlan{Webhooks: sim.WebhookFaults{Drop: 2}}})
	var fields []string
	var known *blueberry.Error
	if !errors.As(err, &known) {
		t.Fatalf("opened, or failed with %v", err)
	}
	for _, f := range known.Fields {
		fields = append(fields, f.Field)
	}
	if diff := cmp.Diff([]string{"dir", "url", "owner", "token", "faults"}, fields); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte(`{"form": 7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Open(t.Context(), sim.Options{Dir: dir, URL: "http://127.0.0.1", Owner: "acme", Token: "t"}); err == nil || !strings.Contains(err.Error(), "form 7") {
		t.Errorf("a state of another form: %v", err)
	}
}

// TestManyAtOnce: people, CI and Blueberry write at the same time, and nothing is lost.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	dir := h.clone("shop")
	sha := h.topic(dir, "topic")
	h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": "topic", "base": "main", "title": "x"})
	url, came := ear(t, nil)
	hook := h.hook("acme/shop", url, "pull_request", "push")
	const people, each = 6, 8
	var group sync.WaitGroup
	for i := range people {
		group.Go(func() {
			mine := t.TempDir()
			git(t, mine, "clone", "-q", h.remote("acme", "acme/shop"), ".")
			branch := fmt.Sprintf("person-%d", i)
			git(t, mine, "checkout", "-q", "-b", branch)
			save(t, mine, branch+".txt", branch)
			git(t, mine, "push", "-q", "origin", branch)
			h.must(http.StatusCreated, "POST", "/repos/acme/shop/pulls", map[string]any{"head": branch, "base": "main", "title": branch})
			for j := range each {
				h.must(http.StatusCreated, "POST", "/repos/acme/shop/issues/1/comments", map[string]any{"body": fmt.Sprint(i, j)})
				h.must(http.StatusCreated, "POST", "/repos/acme/shop/statuses/"+sha, map[string]any{"state": "success", "context": branch})
				h.ask("GET", "/repos/acme/shop/pulls?state=all", nil)
				h.ask("GET", "/sim/counts", nil)
			}
		})
	}
	group.Wait()
	h.settled(hook["id"])
	if n := len(came); n != people*(each+2) {
		t.Errorf("%d webhooks came, want %d", n, people*(each+2))
	}
	seen := map[any]bool{}
	for _, p := range h.list("/repos/acme/shop/pulls?limit=50") {
		seen[p["number"]] = true
	}
	c := h.host.Counts()
	if len(seen) != people+1 || c.CommentsCreated != people*each || c.StatusesCreated != people*each {
		t.Errorf("%d pull requests, and counted %+v", len(seen), c)
	}
	h.stop()
	again := openIn(t, h.dir, nil)
	if n := len(again.list("/repos/acme/shop/issues/1/comments")); n != people*each {
		t.Errorf("after a restart there are %d comments, want %d", n, people*each)
	}
}

// FuzzCalls: whatever is asked, the host neither fails nor takes a name for a path.
func FuzzCalls(f *testing.F) {
	for _, seed := range [][3]string{
		{"POST", "/user/repos", `{"name": "x"}`},
		{"POST", "/repos/acme/shop/pulls", `{"head":"a:b/c","base":"main","title":"x"}`},
		{"PATCH", "/repos/acme/shop/pulls/1", `{"labels":[1,"x",null]}`},
		{"GET", "/repos/acme/..%2f..%2fetc/commits/a%2Fb/status?page=-1&limit=9", ""},
		{"POST", "/repos/acme/shop/issues/comments/comments", `{"labels":[{}]}`},
		{"POST", "/repos/acme/shop/hooks", `{"type":"gitea","config":{"url":"::"}}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if !slices.Contains([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, method) || !strings.HasPrefix(path, "/") || strings.Contains(path, "/sim/") {
			return
		}
		h := open(t, nil)
		h.must(http.StatusCreated, "POST", "/user/repos", map[string]any{"name": "shop", "auto_init": true})
		s, err := h.try(method, path, body)
		if err == nil && s.status >= http.StatusInternalServerError {
			t.Errorf("%s %s %s: answered %d %s", method, path, body, s.status, s.body)
		}
		entries, err := os.ReadDir(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !slices.Contains([]string{"gitconfig", "repositories", "state.json"}, e.Name()) {
				t.Errorf("%s %s %s: made %s", method, path, body, e.Name())
			}
		}
	})
}
