package hosttest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

const (
	commitA = "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d"
	commitB = "9b74c9897bac770ffc029102a200c5de11223344"
)

// Speaks holds a driver to what source.Speaker says, and to what becomes of it when its host does not do what it is asked.
func Speaks(t *testing.T, x Tongue) {
	t.Run("status", x.status)
	t.Run("comment", x.comment)
	t.Run("deployment", x.deployment)
	t.Run("changed", x.changed)
	t.Run("permission", x.permission)
	t.Run("reading", x.reading)
	t.Run("hostile names", x.hostile)
	t.Run("refused", x.refused)
}

// wrote holds the number of writes since the last time.
func wrote(t *testing.T, f *Forge, what string, want int) {
	t.Helper()
	if calls, n := f.asked(); n != want {
		t.Errorf("%s: %d writes, want %d: %v", what, n, want, calls)
	}
}

// lost has the answer to the next write be lost, and the driver see that.
func lost(t *testing.T, f *Forge, what string, do func() error) {
	t.Helper()
	f.with(func() { f.lose = true })
	if do() == nil {
		t.Errorf("%s: no error, though the answer was lost", what)
	}
}

func (x Tongue) status(t *testing.T) {
	f, c := x.open(t)
	set := func(what string, s source.CommitStatus, writes int) {
		t.Helper()
		if err := x.Speaker.SetStatus(t.Context(), c, commitA, s); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		wrote(t, f, what, writes)
		f.with(func() {
			if got, _ := f.Status(commitA, s.Context); got.CommitStatus != s {
				t.Errorf("%s: the commit bears %+v", what, got.CommitStatus)
			}
		})
	}
	f.with(func() {
		f.Statuses = append(f.Statuses,
			Status{f.NextID(), commitA, source.CommitStatus{State: source.StatusFailure, Context: "ci", Description: "of others", URL: "https://ci.example.com"}},
			Status{f.NextID(), commitB, source.CommitStatus{State: source.StatusPending, Context: "blueberry/shop", Description: "of another commit", URL: "https://x.example.com"}})
	})
	s := source.CommitStatus{State: source.StatusPending, Context: "blueberry/shop", Description: "provisioning", URL: "https://pr-7.example.com"}
	set("first", s, 1)
	set("the same", s, 0)
	s.State, s.Description = source.StatusSuccess, "ready"
	set("another state", s, 1)
	set("the same again", s, 0)
	s.Description = "ready, since noon"
	set("another description", s, 1)
	s.State = source.StatusFailure
	lost(t, f, "status", func() error { return x.Speaker.SetStatus(t.Context(), c, commitA, s) })
	wrote(t, f, "with a lost answer", 1)
	set("after a lost answer", s, 0)
	s.State = source.StatusPending
	set("back", s, 1)
	s.Context = "blueberry/" + strings.Repeat("long-", 8)
	set("a long context", s, 1)
	set("a long context again", s, 0)
	f.with(func() {
		if got, _ := f.Status(commitB, "blueberry/shop"); got.Description != "of another commit" {
			t.Errorf("another commit bears %+v", got)
		}
		if got, _ := f.Status(commitA, "ci"); got.Description != "of others" {
			t.Errorf("the status of others is %+v", got)
		}
	})
	s.Context, s.URL = "bare", ""
	for _, writes := range []int{1, 0} {
		if err := x.Speaker.SetStatus(t.Context(), c, commitA, s); err != nil {
			t.Fatal(err)
		}
		wrote(t, f, "without an address", writes)
	}
}

const mark = "<!-- blueberry:pr_1 -->"

func text(s string) string { return mark + "\n**" + s + "** \"quoted\" \u2713\n| a | b |" }

func (x Tongue) comment(t *testing.T) {
	write := func(t *testing.T, f *Forge, c *source.Connection, id, words string, writes int) string {
		t.Helper()
		got, err := x.Speaker.WriteComment(t.Context(), c, 7, id, mark, text(words))
		if err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		wrote(t, f, words, writes)
		f.with(func() {
			var ours []Comment
			for _, k := range f.Comments {
				if k.Author == Self {
					ours = append(ours, k)
				}
			}
			if len(ours) != 1 || ours[0].Text != text(words) || strconv.FormatInt(ours[0].ID, 10) != got {
				t.Fatalf("%s: %q was given and there are %+v", words, got, ours)
			}
		})
		return got
	}
	other := func(f *Forge, words string) {
		f.Comments = append(f.Comments, Comment{ID: f.NextID(), Author: Stranger, Text: words})
	}
	t.Run("once", func(t *testing.T) {
		f, c := x.open(t)
		f.with(func() { other(f, "Nice.") })
		id := write(t, f, c, "", "provisioning", 1)
		if write(t, f, c, id, "ready", 1) != id || write(t, f, c, "", "asleep", 1) != id || write(t, f, c, "", "asleep", 0) != id {
			t.Error("it became another one")
		}
	})
	t.Run("lost answer", func(t *testing.T) {
		f, c := x.open(t)
		lost(t, f, "comment", func() error {
			_, err := x.Speaker.WriteComment(t.Context(), c, 7, "", mark, text("provisioning"))
			return err
		})
		wrote(t, f, "lost", 1)
		id := write(t, f, c, "", "provisioning", 0)
		lost(t, f, "edit", func() error {
			_, err := x.Speaker.WriteComment(t.Context(), c, 7, id, mark, text("ready"))
			return err
		})
		f.asked()
		if write(t, f, c, "", "ready", 0) != id {
			t.Error("it became another one")
		}
	})
	t.Run("deleted", func(t *testing.T) {
		f, c := x.open(t)
		id := write(t, f, c, "", "provisioning", 1)
		f.with(func() { f.Comments = nil })
		got, err := x.Speaker.WriteComment(t.Context(), c, 7, id, mark, text("ready"))
		if err != nil || got == id || got == "" {
			t.Fatalf("%q, %v", got, err)
		}
		f.asked()
		write(t, f, c, got, "asleep", 1)
	})
	t.Run("behind others", func(t *testing.T) {
		f, c := x.open(t)
		f.with(func() {
			for i := range 250 {
				other(f, fmt.Sprintf("comment %d", i))
			}
			f.Comments = append(f.Comments, Comment{ID: f.NextID(), Author: Self, Text: text("provisioning")})
		})
		write(t, f, c, "", "ready", 1)
	})
	t.Run("quoted by others", func(t *testing.T) {
		f, c := x.open(t)
		f.with(func() { other(f, "> "+text("provisioning")) })
		id := write(t, f, c, "", "ready", 1)
		if write(t, f, c, "", "asleep", 1) != id {
			t.Error("it became another one")
		}
		f.with(func() {
			if k := f.Comments[0]; k.Author != Stranger || k.Text != "> "+text("provisioning") {
				t.Errorf("someone else's comment is %+v", k)
			}
		})
	})
	t.Run("quoted by others, and the host does not say who we are", func(t *testing.T) {
		f, c := x.open(t)
		f.with(func() {
			other(f, "> "+text("provisioning"))
			f.cannot = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/user") {
					JSON(w, http.StatusForbidden, map[string]string{"message": "the token lacks a scope"})
					return true
				}
				return false
			}
		})
		if _, err := x.Speaker.WriteComment(t.Context(), c, 7, "", mark, text("ready")); err != nil {
			t.Fatal(err)
		}
		f.with(func() {
			if len(f.Comments) != 2 || f.Comments[0].Text != "> "+text("provisioning") || f.Comments[1].Text != text("ready") {
				t.Errorf("there are %+v", f.Comments)
			}
		})
	})
}

func (x Tongue) deployment(t *testing.T) {
	f, c := x.open(t)
	d := source.Deployment{
		Environment: "pr-7", Commit: commitA, Branch: "faster/checkout", State: source.DeploymentPending, LogURL: "https://blueberry.example.com/e/1", Description: "provisioning",
	}
	if !x.Deployments {
		if id, err := x.Speaker.SetDeployment(t.Context(), c, d); id != "" || err != nil {
			t.Errorf("%q, %v", id, err)
		}
		if calls, _ := f.asked(); len(calls) != 0 {
			t.Errorf("asked %v", calls)
		}
		return
	}
	f.with(func() {
		f.Deployments = append(f.Deployments,
			Deployment{ID: f.NextID(), Environment: "pr-7", Commit: commitB, State: source.DeploymentInactive},
			Deployment{ID: f.NextID(), Environment: "pr-70", Commit: commitA, State: source.DeploymentSuccess})
	})
	set := func(what string, state source.DeploymentState, number int) {
		t.Helper()
		d.State = state
		id, err := x.Speaker.SetDeployment(t.Context(), c, d)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		f.with(func() {
			n := 0
			var newest Deployment
			for _, k := range f.Deployments {
				if k.Environment == "pr-7" && k.Commit == commitA {
					n, newest = n+1, k
				}
			}
			if n != number || strconv.FormatInt(newest.ID, 10) != id || newest.State != state || newest.URL != d.URL && state != source.DeploymentInactive {
				t.Errorf("%s: %q was given, there are %d, and the newest is %+v", what, id, n, newest)
			}
			if f.Deployments[0].State != source.DeploymentInactive || f.Deployments[1].State != source.DeploymentSuccess {
				t.Errorf("%s: the deployments of others are %+v", what, f.Deployments[:2])
			}
		})
		d.ID = id
	}
	d.State = source.DeploymentInactive
	if id, err := x.Speaker.SetDeployment(t.Context(), c, d); id != "" || err != nil {
		t.Errorf("inactive before there is one: %q, %v", id, err)
	}
	wrote(t, f, "inactive before there is one", 0)
	d.State = source.DeploymentPending
	for range 3 { // each answer to a write is lost once
		f.with(func() { f.lose = true })
		_, _ = x.Speaker.SetDeployment(t.Context(), c, d)
	}
	f.with(func() { f.lose = false })
	set("first", source.DeploymentPending, 1)
	f.asked()
	d.ID = ""
	set("the id is lost", source.DeploymentPending, 1)
	wrote(t, f, "the id is lost", 0)
	d.URL, d.Description = "https://pr-7.example.com", "ready"
	set("success", source.DeploymentSuccess, 1)
	f.asked()
	set("success again", source.DeploymentSuccess, 1)
	wrote(t, f, "success again", 0)
	set("failure", source.DeploymentFailure, 1)
	set("success once more", source.DeploymentSuccess, 1)
	d.ID = "987654321"
	set("an id that is gone", source.DeploymentSuccess, 1)
	set("inactive", source.DeploymentInactive, 1)
	f.asked()
	set("inactive again", source.DeploymentInactive, 1)
	wrote(t, f, "inactive again", 0)
}

// pull is the usual pull request.
func (x Tongue) pull(number int, at time.Time) blueberry.PullRequest {
	return blueberry.PullRequest{
		Number: number, Title: fmt.Sprintf("Faster checkout %d", number), URL: fmt.Sprintf("https://git.example.com/acme/shop/pulls/%d", number), Author: "ada",
		Relation: blueberry.RelationUnknown, State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: commitA, HeadURL: "https://git.example.com/" + x.Repository + ".git",
		HeadRepo: x.Repository, BaseRepo: x.Repository, BaseRef: "main", Labels: []string{"preview"}, HostAt: at,
	}
}

func (x Tongue) changed(t *testing.T) {
	ago := func(minutes int) time.Time { return noon.Add(-time.Duration(minutes) * time.Minute) }
	ask := func(t *testing.T, f *Forge, c *source.Connection, since time.Time, etag string) source.Changes {
		t.Helper()
		f.asked()
		got, err := x.Speaker.Changed(t.Context(), c, since, etag)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	says := func(t *testing.T, what string, got source.Changes, want ...blueberry.PullRequest) {
		t.Helper()
		for i := range want {
			want[i] = x.Keeps(want[i])
		}
		if diff := cmp.Diff(want, got.Pulls); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	f, c := x.open(t)
	open, closed, merged, fork, goneFork := x.pull(1, ago(50)), x.pull(2, ago(40)), x.pull(3, ago(30)), x.pull(4, ago(20)), x.pull(5, ago(10))
	closed.State, merged.State, fork.Draft = blueberry.PullClosed, blueberry.PullMerged, true
	fork.HeadRepo, fork.HeadURL, fork.Author = "mallory/shop-fork", "https://git.example.com/mallory/shop-fork.git", "mallory"
	goneFork.HeadRepo, goneFork.HeadURL, goneFork.Labels = "", "", nil
	f.with(func() { f.Pulls = []blueberry.PullRequest{merged, open, goneFork, closed, fork} })
	first := ask(t, f, c, time.Time{}, "")
	says(t, "first look", first, goneFork, fork, open)
	all := ask(t, f, c, ago(60), first.ETag)
	says(t, "all", all, goneFork, fork, merged, closed, open)
	says(t, "newer ones", ask(t, f, c, ago(30), ""), goneFork, fork, merged)
	got := ask(t, f, c, ago(10), all.ETag)
	if calls, _ := f.asked(); x.ETags && (!got.Unchanged || len(got.Pulls) != 0 || len(calls) != 1) || !x.ETags && got.Unchanged {
		t.Errorf("no news: %+v after %v", got, calls)
	}
	got = ask(t, f, c, ago(9), "")
	if calls, _ := f.asked(); len(got.Pulls) != 0 || len(calls) != 1 || got.More || got.Unread != "" {
		t.Errorf("nothing new: %+v after %v", got, calls)
	}
	open.HeadCommit, open.HostAt = commitB, ago(5)
	f.with(func() { f.Pulls[1] = open })
	got = ask(t, f, c, ago(9), all.ETag)
	says(t, "a push", got, open)
	if got.Unchanged || x.ETags != (got.ETag != "" && got.ETag != all.ETag) {
		t.Errorf("the etag %q became %q", all.ETag, got.ETag)
	}

	t.Run("pages", func(t *testing.T) {
		f, c := x.open(t)
		var want []blueberry.PullRequest
		f.with(func() {
			for i := range 230 {
				want = append(want, x.pull(1000-i, ago(i+1)))
			}
			f.Pulls = slices.Clone(want)
			f.Pulls = append(f.Pulls, x.pull(7, ago(600)))
		})
		says(t, "all pages", ask(t, f, c, ago(300), ""), want...)
		f.with(func() {
			for i := range source.MaxSwept {
				f.Pulls = append(f.Pulls, x.pull(2000+i, ago(700+i)))
			}
		})
		if got := ask(t, f, c, time.Time{}, ""); len(got.Pulls) != source.MaxSwept || !got.More {
			t.Errorf("%d were read of more than there may be, more is %v", len(got.Pulls), got.More)
		}
	})
	t.Run("hostile", func(t *testing.T) {
		f, c := x.open(t)
		odd, broken, good := x.pull(1, ago(1)), x.pull(2, ago(2)), x.pull(3, ago(3))
		odd.Title, odd.HeadRef, odd.BaseRef = "a\nb\u202ec <script>", `fix/#1?x=%2f&"\`, "release/1.0"
		broken.HeadRef = "zebra\nzebra"
		f.with(func() { f.Pulls = []blueberry.PullRequest{odd, broken, good} })
		got := ask(t, f, c, ago(60), "")
		odd.Title = "a b c <script>"
		says(t, "hostile ones", got, odd, good)
		if got.Unread == "" || strings.Contains(got.Unread, stranger) {
			t.Errorf("of the one that cannot be read it says %q", got.Unread)
		}
	})
}

// reading: a comment is told as it is, below its own pull request and nowhere else.
func (x Tongue) reading(t *testing.T) {
	f, c := x.open(t)
	f.with(func() {
		f.Comments = []Comment{{ID: 41, Author: stranger, Text: "one\n/blueberry help"}, {ID: 42, Author: Self, Text: "two"}}
	})
	authors := map[string]bool{}
	for id, text := range map[string]string{"41": "one\n/blueberry help", "42": "two"} {
		got, err := x.Speaker.ReadComment(t.Context(), c, 7, id)
		if err != nil || got.ID != id || got.Text != text || got.Author == "" {
			t.Errorf("comment %s is %+v, %v", id, got, err)
		}
		authors[got.Author] = true
	}
	if len(authors) != 2 {
		t.Errorf("two people are %v", authors)
	}
	for _, y := range []struct {
		number int
		id     string
	}{{7, "43"}, {8, "41"}, {7, "41?x"}} {
		if got, err := x.Speaker.ReadComment(t.Context(), c, y.number, y.id); source.HostStatus(err) != 404 {
			t.Errorf("comment %q of %d is %+v, %v", y.id, y.number, got, err)
		}
	}
	wrote(t, f, "read a comment", 0)
}

func (x Tongue) permission(t *testing.T) {
	f, c := x.open(t)
	seen := map[blueberry.HostPermission]bool{}
	f.with(func() { f.Rights = x.Rights })
	for _, want := range append(slices.Clone(x.Rights), Right{x.Rights[0].User + "9", blueberry.HostNone, ""}, Right{"mallory\" or \"", blueberry.HostNone, ""}) {
		got, err := x.Speaker.Permission(t.Context(), c, want.User)
		if err != nil || got != want.Permission {
			t.Errorf("%q, of whom the host says %q, may %s, %v, want %s", want.User, want.Word, got, err, want.Permission)
		}
		seen[want.Permission] = true
	}
	if len(seen) != 4 {
		t.Errorf("of the permissions there are %v", seen)
	}
	wrote(t, f, "asked what they may", 0)
	f.with(func() { f.Rights = nil }) // it is asked each time
	for _, was := range x.Rights {
		if got, err := x.Speaker.Permission(t.Context(), c, was.User); got != blueberry.HostNone || err != nil {
			t.Errorf("%s may %s after it was taken away, %v", was.User, got, err)
		}
	}
}

// speak does all that a speaker does, and gives the errors.
func (x Tongue) speak(t *testing.T, c *source.Connection, environment string) map[string]error {
	out := map[string]error{}
	out["status"] = x.Speaker.SetStatus(t.Context(), c, commitA, source.CommitStatus{State: source.StatusSuccess, Context: environment, Description: environment, URL: "https://x.example.com"})
	id, err := x.Speaker.WriteComment(t.Context(), c, 7, "5", mark, text(environment))
	if out["comment"] = err; id == "" {
		id = "5"
	}
	_, out["reading"] = x.Speaker.ReadComment(t.Context(), c, 7, id)
	_, out["permission"] = x.Speaker.Permission(t.Context(), c, strings.ReplaceAll(environment, `"`, ""))
	_, out["changed"] = x.Speaker.Changed(t.Context(), c, noon.Add(-time.Hour), "")
	if x.Deployments {
		_, out["deployment"] = x.Speaker.SetDeployment(t.Context(), c, source.Deployment{
			Environment: environment, Commit: commitA, Branch: environment, State: source.DeploymentSuccess, URL: "https://x.example.com", Description: environment,
		})
	}
	return out
}

const oddEnvironment = "pr/7?&#=+;%2f \"\n\u2028é"

// hostile: whatever a repository or an environment is called, the host is asked the same questions about it.
func (x Tongue) hostile(t *testing.T) {
	ask := func(repository, environment string) []call {
		f, c := x.open(t)
		c.Repository = repository
		var calls []call
		f.with(func() { f.signed = func(*http.Request) bool { return true } })
		for what, err := range x.speak(t, c, environment) {
			if err != nil {
				t.Errorf("%q: %s: %v", repository, what, err)
			}
		}
		calls, _ = f.asked()
		slices.SortFunc(calls, func(a, b call) int { return strings.Compare(a.method+a.path, b.method+b.path) })
		return calls
	}
	plain, odd := ask(x.Repository, "pr-7"), ask(x.Hostile, oddEnvironment)
	if len(plain) != len(odd) {
		t.Fatalf("%d questions became %d: %v", len(plain), len(odd), odd)
	}
	keys := func(query string) (out []string) {
		for _, x := range strings.Split(query, "&") {
			key, _, _ := strings.Cut(x, "=")
			out = append(out, key)
		}
		return out
	}
	at, oddly := x.Path(x.Repository), x.Path(x.Hostile)
	for i := range plain {
		p, o := plain[i], odd[i]
		path := strings.ReplaceAll(strings.ReplaceAll(o.path, oddly, at), url.PathEscape(oddEnvironment), "pr-7")
		path = strings.ReplaceAll(path, url.PathEscape(strings.ReplaceAll(oddEnvironment, `"`, "")), "pr-7")
		for k, part := range strings.Split(x.Hostile, "/") { // where its parts stand apart
			path = strings.ReplaceAll(path, "/"+url.PathEscape(part), "/"+url.PathEscape(strings.Split(x.Repository, "/")[k]))
		}
		if path != p.path || o.method != p.method || !slices.Equal(keys(p.query), keys(o.query)) {
			t.Errorf("%s %s?%s became %s %s?%s", p.method, p.path, p.query, o.method, o.path, o.query)
		}
	}
	for _, name := range []string{"", "shop", "acme/", "/shop", "acme/..", "../shop", "./shop", "acme//shop"} {
		f, c := x.open(t)
		c.Repository = name
		for what, err := range x.speak(t, c, "pr-7") {
			if err == nil {
				t.Errorf("%q: %s was done", name, what)
			}
		}
		if calls, _ := f.asked(); len(calls) != 0 {
			t.Errorf("%q: the host was asked %v", name, calls)
		}
	}
}
