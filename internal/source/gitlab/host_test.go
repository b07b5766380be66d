package gitlab_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/gitlab"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const (
	first  = "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d"
	second = "9b74c9897bac770ffc029102a200c5de11223344"
	event  = "Merge Request Hook"
)

func at(hour, minute int) time.Time { return time.Date(2026, 1, 31, hour, minute, 0, 0, time.UTC) }

// said is the usual merge request, altered.
func said(action string, alter func(*blueberry.PullRequest)) source.Incoming {
	p := blueberry.PullRequest{
		Number: 7, Title: "Faster checkout", URL: "https://gitlab.example.com/acme/shop/-/merge_requests/7", Author: "ada", Relation: blueberry.RelationUnknown,
		State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: first, HeadURL: "https://gitlab.example.com/acme/shop.git",
		HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: at(9, 30),
	}
	alter(&p)
	return source.Incoming{Repository: "acme/shop", Action: action, Pull: &p, Reopened: action == "reopen"}
}

func pushed(file, event string, pushes ...blueberry.BranchPush) hosttest.Delivery {
	return hosttest.Says(file, event, source.Incoming{Repository: "acme/shop", Pushes: pushes})
}

func noted(file, action string, counts bool) hosttest.Delivery {
	in := source.Incoming{Repository: "acme/shop", Action: action}
	if counts {
		in.Comment = &blueberry.PullComment{ID: "77", Number: 7, Author: "22", AuthorName: "grace", Text: "Thanks!\n/blueberry sleep\n", At: at(9, 40)}
	}
	return hosttest.Says(file, "Note Hook", in)
}

func suite() hosttest.Suite {
	return hosttest.Suite{Host: gitlab.Host{}, Event: "X-Gitlab-Event", Deliveries: []hosttest.Delivery{
		hosttest.Says("open", event, said("open", func(p *blueberry.PullRequest) { p.Labels = []string{"preview"} })),
		hosttest.Says("open_older", event, said("open", func(p *blueberry.PullRequest) {
			p.Labels, p.Draft, p.Author, p.HostAt = []string{"preview"}, true, "", time.Date(2016, 12, 3, 17, 23, 34, 0, time.UTC)
		})),
		hosttest.Says("update_push", event, said("update", func(p *blueberry.PullRequest) {
			p.HeadCommit, p.HostAt, p.Author, p.Bot = second, at(10, 0), "project_14_bot_5f2a9c", true
		})),
		hosttest.Says("update_labels", event, said("update", func(p *blueberry.PullRequest) { p.Labels, p.Author = []string{"bug", "preview"}, "" })),
		hosttest.Says("update_draft", event, said("update", func(p *blueberry.PullRequest) { p.Draft, p.Title = true, "Draft: Faster checkout" })),
		hosttest.Says("close", event, said("close", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) })),
		hosttest.Says("merge", event, said("merge", func(p *blueberry.PullRequest) { p.State, p.HostAt, p.Author = blueberry.PullMerged, at(11, 0), "" })),
		hosttest.Says("locked", event, said("update", func(*blueberry.PullRequest) {})),
		hosttest.Says("reopen", event, said("reopen", func(p *blueberry.PullRequest) { p.HostAt = at(12, 0) })),
		hosttest.Says("fork", event, said("open", func(p *blueberry.PullRequest) {
			p.Author, p.HeadRef, p.HeadCommit = "mallory", "patch-1", second
			p.HeadRepo, p.HeadURL = "mallory/shop-fork", "https://gitlab.example.com/mallory/shop-fork.git"
		})),
		hosttest.Says("fork_deleted", event, said("update", func(p *blueberry.PullRequest) {
			p.HeadRef, p.HeadCommit, p.HeadRepo, p.HeadURL = "patch-1", second, "", ""
		})),
		pushed("push", "Push Hook", blueberry.BranchPush{Branch: "main", Commit: first}),
		pushed("push_deleted", "Push Hook", blueberry.BranchPush{Branch: "feature/fast"}),
		pushed("tag_push", "Tag Push Hook"),
		noted("note", "create", true),
		noted("note_older", "", true),
		noted("note_update", "update", false),
		noted("note_issue", "create", false),
		noted("note_diff", "create", false),
	}}
}

func TestRead(t *testing.T) { suite().Read(t) }

func TestHostile(t *testing.T) { suite().Hostile(t) }

func TestFaults(t *testing.T) {
	suite().Faults(t,
		[]string{
			"object_kind", "user.id", "user.username", "project.path_with_namespace", "labels.0.title", "object_attributes.action", "object_attributes.iid",
			"object_attributes.author_id", "object_attributes.title", "object_attributes.url", "object_attributes.state", "object_attributes.draft",
			"object_attributes.work_in_progress", "object_attributes.source_branch", "object_attributes.target_branch", "object_attributes.labels.0.title",
			"object_attributes.source.path_with_namespace", "object_attributes.source.git_http_url", "object_attributes.target.path_with_namespace",
			"object_attributes.updated_at", "object_attributes.last_commit.id",
		},
		hosttest.Fault{Path: "object_kind", Value: "zebra"},
		hosttest.Fault{Path: "project", Field: "project.path_with_namespace"},
		hosttest.Fault{Path: "object_attributes", Field: "object_attributes.iid"},
		hosttest.Fault{Path: "object_attributes.iid", Value: 0},
		hosttest.Fault{Path: "object_attributes.iid", Value: 1e300},
		hosttest.Fault{Path: "object_attributes.state", Value: "zebra"},
		hosttest.Fault{Path: "object_attributes.last_commit", Field: "object_attributes.last_commit.id"},
		hosttest.Fault{Path: "object_attributes.last_commit.id", Value: first[:12]},
		hosttest.Fault{Path: "object_attributes.source_branch", Value: strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "object_attributes.target_branch"},
		hosttest.Fault{Path: "object_attributes.target", Field: "object_attributes.target.path_with_namespace"},
		hosttest.Fault{Path: "object_attributes.source.git_http_url", Value: "ssh://zebra"},
		hosttest.Fault{Path: "object_attributes.updated_at", Value: "2026-01-31 09:30:00 zebra"},
		hosttest.Fault{Path: "labels.0.title", Value: "zebra\x7f", Field: "labels"},
	)
}

func TestBot(t *testing.T) {
	body, err := os.ReadFile("testdata/open.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"project_14_bot": true, "project_14_bot1": true, "project_14_bot_5f2a9c": true, "group_3_bot": true, "group_3_bot_0a1b": true,
		"ada": false, "project_bot": false, "project_14_bottom": false, "my_project_14_bot": false, "project_14_bot_": false, "project_x_bot": false,
	} {
		js, _ := json.Marshal(name)
		in, err := gitlab.Host{}.Read(http.Header{"X-Gitlab-Event": {event}}, []byte(strings.Replace(string(body), `"ada"`, string(js), 1)))
		if err != nil || in.Pull.Author != name || in.Pull.Bot != want {
			t.Errorf("%s: %+v, %v; want bot = %v", name, in.Pull, err, want)
		}
	}
}

func TestNamed(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		id     string
	}{
		"signed":     {http.Header{"Webhook-Id": {"a"}, "Idempotency-Key": {"b"}, "X-Gitlab-Event": {event}}, "a"},
		"not signed": {http.Header{"Idempotency-Key": {"b"}, "X-Gitlab-Webhook-Uuid": {"c"}, "X-Gitlab-Event": {event}}, "b"},
		"older":      {http.Header{"X-Gitlab-Webhook-Uuid": {"c"}, "X-Gitlab-Event-Uuid": {"d"}, "X-Gitlab-Event": {event}}, ""},
	} {
		if id, got := (gitlab.Host{}).Named(c.header); id != c.id || got != event {
			t.Errorf("%s: it is named %q, %q", name, id, got)
		}
	}
}

func signing(key func(secret string) string) func(secret string, at time.Time, body []byte) http.Header {
	return func(secret string, at time.Time, body []byte) http.Header {
		stamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(key(secret)))
		mac.Write([]byte("msg-1." + stamp + "." + string(body)))
		h := http.Header{}
		h.Set("webhook-id", "msg-1")
		h.Set("webhook-timestamp", stamp)
		h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		return h
	}
}

func plain(secret string) string { return secret }

func TestSigned(t *testing.T) {
	hosttest.Signatures(
		t, gitlab.Host{},
		hosttest.Way{Name: "secret token", Header: "X-Gitlab-Token", Token: true, Sign: func(secret string, _ time.Time, _ []byte) http.Header {
			return http.Header{"X-Gitlab-Token": {secret}}
		}},
		hosttest.Way{Name: "signing token", Header: "webhook-signature", Prefix: "v1,", Stamp: "webhook-timestamp", Sign: signing(plain)},
	)
}

// TestSigningToken: its key is what whsec_ stands before, as GitLab makes it, and one call may have several signatures.
func TestSigningToken(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	coded := "whsec_" + base64.StdEncoding.EncodeToString([]byte(key))
	now, body := at(9, 30), []byte("{}")
	decoded := signing(func(string) string { return key })(coded, now, body)
	right, wrong := decoded.Get("webhook-signature"), signing(plain)("another", now, body).Get("webhook-signature")
	with := func(change func(h http.Header)) http.Header {
		h := decoded.Clone()
		change(h)
		return h
	}
	set := func(value string) http.Header { return with(func(h http.Header) { h.Set("webhook-signature", value) }) }
	for name, c := range map[string]struct {
		header http.Header
		secret string
		want   bool
	}{
		"decoded":               {decoded, coded, true},
		"as it is written":      {signing(plain)(coded, now, body), coded, false},
		"broken coding":         {signing(plain)("whsec_!", now, body), "whsec_!", true},
		"no key":                {signing(func(string) string { return "" })("whsec_", now, body), "whsec_", false},
		"as secret token":       {http.Header{"X-Gitlab-Token": {coded}}, coded, true},
		"second of two":         {set(wrong + " " + right), coded, true},
		"none of two":           {set(wrong + " " + wrong), coded, false},
		"too many":              {set(strings.Repeat(wrong+" ", 8) + right), coded, false},
		"another version":       {set(strings.Replace(right, "v1", "v1a", 1)), coded, false},
		"no base64":             {set("v1,!"), coded, false},
		"another id":            {with(func(h http.Header) { h.Set("webhook-id", "msg-2") }), coded, false},
		"no id":                 {with(func(h http.Header) { h.Del("webhook-id") }), coded, false},
		"two ids":               {with(func(h http.Header) { h.Add("webhook-id", "msg-1") }), coded, false},
		"and a wrong token":     {with(func(h http.Header) { h.Set("X-Gitlab-Token", "another") }), coded, true},
		"and two secret tokens": {http.Header{"X-Gitlab-Token": {coded, coded}}, coded, false},
	} {
		if got := (gitlab.Host{}).Signed(c.header, body, []string{"", "other", c.secret}, now); got != c.want {
			t.Errorf("%s: signed is %v, want %v", name, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) { suite().Fuzz(f) }

func TestFaultsOfNotes(t *testing.T) {
	s := suite().First(t, "note")
	s.Hostile(t)
	s.Faults(t,
		[]string{
			"user.id", "user.username", "project.path_with_namespace", "merge_request.iid", "object_attributes.action", "object_attributes.id", "object_attributes.note",
			"object_attributes.noteable_type", "object_attributes.created_at",
		},
		hosttest.Fault{Path: "project", Field: "project.path_with_namespace"},
		hosttest.Fault{Path: "user", Field: "user.id"},
		hosttest.Fault{Path: "merge_request", Field: "merge_request.iid"},
		hosttest.Fault{Path: "object_attributes.id", Value: 0},
		hosttest.Fault{Path: "object_attributes.created_at", Value: "zebra"},
	)
}

func TestFaultsOfPushes(t *testing.T) {
	s := suite().First(t, "push")
	s.Hostile(t)
	s.Faults(t,
		[]string{"ref", "after", "project.path_with_namespace"},
		hosttest.Fault{Path: "after", Value: "zebra"},
		hosttest.Fault{Path: "ref", Value: "refs/heads/"},
	)
}
