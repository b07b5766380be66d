package gitea_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/gitea"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const (
	first  = "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d"
	second = "9b74c9897bac770ffc029102a200c5de11223344"
)

func at(hour, minute int) time.Time { return time.Date(2026, 1, 31, hour, minute, 0, 0, time.UTC) }

// said is the usual pull request, altered.
func said(action string, alter func(*blueberry.PullRequest)) source.Incoming {
	p := blueberry.PullRequest{
		Number: 7, Title: "Faster checkout", URL: "https://git.example.com/acme/shop/pulls/7", Author: "ada", Relation: blueberry.RelationUnknown,
		State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: first, HeadURL: "https://git.example.com/acme/shop.git",
		HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: at(9, 30),
	}
	alter(&p)
	return source.Incoming{Repository: "acme/shop", Action: action, Pull: &p, Reopened: action == "reopened"}
}

func fromFork(p *blueberry.PullRequest) {
	p.Author, p.HeadRef, p.HeadCommit = "mallory", "patch-1", second
	p.HeadRepo, p.HeadURL = "mallory/shop-fork", "https://git.example.com/mallory/shop-fork.git"
}

func pushed(file string, pushes ...blueberry.BranchPush) hosttest.Delivery {
	return hosttest.Says(file, "push", source.Incoming{Repository: "acme/shop", Pushes: pushes})
}

func commented(file, event, action string, comments ...blueberry.PullComment) hosttest.Delivery {
	in := source.Incoming{Repository: "acme/shop", Action: action}
	for _, c := range comments {
		c.ID, c.Number, c.Text, c.At = "77", 7, "Thanks!\n/blueberry sleep\n", at(9, 40)
		in.Comment = &c
	}
	return hosttest.Says(file, event, in)
}

func suite() hosttest.Suite {
	return hosttest.Suite{Host: gitea.Host{}, Event: "X-Gitea-Event", Deliveries: []hosttest.Delivery{
		hosttest.Says("opened", "pull_request", said("opened", func(p *blueberry.PullRequest) { p.Labels = []string{"preview"} })),
		hosttest.Says("synchronized", "pull_request_sync", said("synchronized", func(p *blueberry.PullRequest) { p.HeadCommit, p.HostAt = second, at(10, 0) })),
		hosttest.Says("label_updated", "pull_request_label", said("label_updated", func(p *blueberry.PullRequest) { p.Labels = []string{"bug", "preview"} })),
		hosttest.Says("label_cleared", "pull_request", said("label_cleared", func(*blueberry.PullRequest) {})),
		hosttest.Says("edited_draft", "pull_request", said("edited", func(p *blueberry.PullRequest) { p.Draft, p.Title = true, "WIP: Faster checkout" })),
		hosttest.Says("edited_draft_older", "pull_request", said("edited", func(p *blueberry.PullRequest) { p.Draft, p.Title = true, "[wip] Faster checkout" })),
		hosttest.Says("closed", "pull_request", said("closed", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) })),
		hosttest.Says("merged", "pull_request", said("closed", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullMerged, at(11, 0) })),
		hosttest.Says("reopened", "pull_request", said("reopened", func(p *blueberry.PullRequest) { p.HostAt = at(12, 0) })),
		hosttest.Says("fork", "pull_request", said("opened", fromFork)),
		hosttest.Says("fork_deleted", "pull_request", said("edited", func(p *blueberry.PullRequest) {
			fromFork(p)
			p.HeadRef, p.HeadRepo, p.HeadURL = "refs/pull/7/head", "", ""
		})),
		hosttest.Says("agit", "pull_request", said("opened", func(p *blueberry.PullRequest) { // pushed to refs/for/main, which takes no right to write: it is of no branch of theirs
			p.HeadRef, p.HeadRepo, p.Labels = "refs/pull/7/head", "", []string{"preview"}
		})),
		pushed("push", blueberry.BranchPush{Branch: "main", Commit: first}),
		pushed("push_deleted", blueberry.BranchPush{Branch: "feature/fast"}),
		pushed("push_tag"),
		hosttest.Says("delete", "delete", source.Incoming{Repository: "acme/shop", Pushes: []blueberry.BranchPush{{Branch: "feature/fast"}}}),
		hosttest.Says("delete_tag", "delete", source.Incoming{Repository: "acme/shop"}),
		commented("issue_comment", "issue_comment", "created", blueberry.PullComment{Author: "grace"}),
		commented("pull_request_comment", "pull_request_comment", "created", blueberry.PullComment{Author: "gitea-actions", Bot: true}),
		commented("pull_request_reviewed", "pull_request_comment", "reviewed"),
		commented("issue_comment_edited", "issue_comment", "edited"),
		commented("issue_comment_of_issue", "issue_comment", "created"),
		hosttest.Says("pull_request_approved", "pull_request_approved", source.Incoming{Repository: "acme/shop", Action: "reviewed"}),
	}}
}

func TestRead(t *testing.T) { suite().Read(t) }

func TestHostile(t *testing.T) { suite().Hostile(t) }

func TestFaults(t *testing.T) {
	suite().Faults(t,
		[]string{
			"action", "repository.full_name", "pull_request.number", "pull_request.state", "pull_request.title", "pull_request.html_url", "pull_request.draft",
			"pull_request.merged", "pull_request.user.login", "pull_request.labels.0.name", "pull_request.head.ref", "pull_request.head.sha",
			"pull_request.head.repo.full_name", "pull_request.head.repo.clone_url", "pull_request.base.ref", "pull_request.base.repo.full_name",
			"pull_request.updated_at",
		},
		hosttest.Fault{Path: "pull_request", Field: "pull_request.number"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "pull_request.number", Value: -1},
		hosttest.Fault{Path: "pull_request.state", Value: "zebra"},
		hosttest.Fault{Path: "pull_request.head", Field: "pull_request.head.sha"},
		hosttest.Fault{Path: "pull_request.head.sha", Value: ""},
		hosttest.Fault{Path: "pull_request.head.repo.clone_url", Value: "zebra"},
		hosttest.Fault{Path: "pull_request.base.ref", Value: "zebra\t"},
		hosttest.Fault{Path: "pull_request.base.repo", Field: "pull_request.base.repo.full_name"},
		hosttest.Fault{Path: "pull_request.updated_at", Value: "zebra"},
	)
}

func TestNamed(t *testing.T) {
	for _, name := range []string{"X-Gitea-", "X-Forgejo-"} {
		h := http.Header{}
		h.Set(name+"Delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473")
		h.Set(name+"Event", "pull_request")
		if id, event := (gitea.Host{}).Named(h); id != "f6266f16-1bf3-46a5-9ea4-602e06ead473" || event != "pull_request" {
			t.Errorf("%s: it is named %q, %q", name, id, event)
		}
	}
	if id, event := (gitea.Host{}).Named(http.Header{}); id != "" || event != "" {
		t.Errorf("without headers it is named %q, %q", id, event)
	}
}

func sign(header, prefix string) func(secret string, _ time.Time, body []byte) http.Header {
	return func(secret string, _ time.Time, body []byte) http.Header {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		h := http.Header{}
		h.Set(header, prefix+hex.EncodeToString(mac.Sum(nil)))
		return h
	}
}

func TestSigned(t *testing.T) {
	var ways []hosttest.Way
	for header, prefix := range map[string]string{"X-Gitea-Signature": "", "X-Forgejo-Signature": "", "X-Hub-Signature-256": "sha256="} {
		ways = append(ways, hosttest.Way{Name: header, Header: header, Prefix: prefix, Hex: true, Sign: sign(header, prefix)})
	}
	hosttest.Signatures(t, gitea.Host{}, ways...)
	h := sign("X-Hub-Signature-256", "sha256=")("secret", time.Time{}, []byte("{}"))
	h.Set("X-Gitea-Signature", strings.Repeat("00", 32))
	if (gitea.Host{}).Signed(h, []byte("{}"), []string{"secret"}, time.Time{}) {
		t.Error("a wrong signature is passed over for another one")
	}
}

// TestForm: what is signed is the JSON in the form.
func TestForm(t *testing.T) {
	body, err := os.ReadFile("testdata/opened.json")
	if err != nil {
		t.Fatal(err)
	}
	h := sign("X-Gitea-Signature", "")("secret", time.Time{}, body)
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	h.Set("X-Gitea-Event", "pull_request")
	form := []byte("payload=" + url.QueryEscape(string(body)))
	if !(gitea.Host{}).Signed(h, form, []string{"secret"}, time.Time{}) {
		t.Error("the form is not taken for signed")
	}
	got, err := gitea.Host{}.Read(h, form)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(suite().Deliveries[0].Want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, bad := range [][]byte{nil, body, append(form, "&payload="...), append(form, "%zz"...)} {
		if (gitea.Host{}).Signed(h, bad, []string{"secret"}, time.Time{}) {
			t.Errorf("the form %.20q is taken for signed", bad)
		}
	}
}

func FuzzRead(f *testing.F) { suite().Fuzz(f) }

func TestFaultsOfComments(t *testing.T) {
	s := suite().First(t, "issue_comment")
	s.Hostile(t)
	s.Faults(t,
		[]string{"action", "is_pull", "repository.full_name", "issue.number", "comment.id", "comment.body", "comment.user.login", "comment.created_at"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "issue", Field: "issue.number"},
		hosttest.Fault{Path: "comment.id", Value: 0},
		hosttest.Fault{Path: "comment.created_at", Value: "zebra"},
	)
}

func TestFaultsOfPushes(t *testing.T) {
	s := suite().First(t, "push")
	s.Hostile(t)
	s.Faults(t,
		[]string{"ref", "after", "repository.full_name"},
		hosttest.Fault{Path: "after", Value: "zebra"},
		hosttest.Fault{Path: "ref", Value: "refs/heads/"},
	)
}
