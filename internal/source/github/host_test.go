package github_test

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
	"github.com/blueberry-idp/blueberry/internal/source/github"
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
		Number: 7, Title: "Faster checkout", URL: "https://github.com/acme/shop/pull/7", Author: "ada", Relation: blueberry.RelationMember,
		State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: first, HeadURL: "https://github.com/acme/shop.git",
		HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: at(9, 30),
	}
	alter(&p)
	return source.Incoming{Repository: "acme/shop", Action: action, Pull: &p, Reopened: action == "reopened"}
}

func fromFork(p *blueberry.PullRequest) {
	p.Author, p.Relation, p.HeadRef, p.HeadCommit = "mallory", blueberry.RelationOutsider, "patch-1", second
	p.HeadRepo, p.HeadURL = "mallory/shop-fork", "https://github.com/mallory/shop-fork.git"
}

func pushed(file string, pushes ...blueberry.BranchPush) hosttest.Delivery {
	return hosttest.Says(file, "push", source.Incoming{Repository: "acme/shop", Pushes: pushes})
}

func commented(file, action string, comments ...blueberry.PullComment) hosttest.Delivery {
	in := source.Incoming{Repository: "acme/shop", Action: action}
	for _, c := range comments {
		c.ID, c.Number, c.Text, c.At = "77", 7, "Thanks!\n/blueberry sleep\n", at(9, 40)
		in.Comment = &c
	}
	return hosttest.Says(file, "issue_comment", in)
}

func suite() hosttest.Suite {
	return hosttest.Suite{Host: github.Host{}, Event: "X-GitHub-Event", Deliveries: []hosttest.Delivery{
		hosttest.Says("opened", "pull_request", said("opened", func(p *blueberry.PullRequest) { p.Labels = []string{"preview"} })),
		hosttest.Says("synchronize", "pull_request", said("synchronize", func(p *blueberry.PullRequest) {
			p.HeadCommit, p.HostAt, p.Author, p.Bot, p.Relation = second, at(10, 0), "renovate[bot]", true, blueberry.RelationOutsider
		})),
		hosttest.Says("labeled", "pull_request", said("labeled", func(p *blueberry.PullRequest) {
			p.Labels, p.Relation = []string{"bug", "preview"}, blueberry.RelationOwner
		})),
		hosttest.Says("converted_to_draft", "pull_request", said("converted_to_draft", func(p *blueberry.PullRequest) {
			p.Draft, p.Relation = true, blueberry.RelationCollaborator
		})),
		hosttest.Says("closed", "pull_request", said("closed", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) })),
		hosttest.Says("merged", "pull_request", said("closed", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullMerged, at(11, 0) })),
		hosttest.Says("reopened", "pull_request", said("reopened", func(p *blueberry.PullRequest) { p.HostAt = at(12, 0) })),
		hosttest.Says("fork", "pull_request", said("opened", fromFork)),
		hosttest.Says("fork_deleted", "pull_request", said("edited", func(p *blueberry.PullRequest) {
			fromFork(p)
			p.Author, p.HeadRepo, p.HeadURL = "", "", ""
		})),
		hosttest.Says("ping", "ping", source.Incoming{Repository: "acme/shop", Ping: true}),
		pushed("push", blueberry.BranchPush{Branch: "main", Commit: first, At: at(9, 40)}),
		pushed("push_deleted", blueberry.BranchPush{Branch: "feature/fast", At: at(9, 40)}),
		pushed("push_tag"),
		commented("issue_comment", "created", blueberry.PullComment{Author: "grace"}),
		commented("issue_comment_bot", "created", blueberry.PullComment{Author: "shop-helper[bot]", Bot: true}),
		commented("issue_comment_edited", "edited"),
		commented("issue_comment_of_issue", "created"),
	}}
}

func TestRead(t *testing.T) { suite().Read(t) }

func TestHostile(t *testing.T) { suite().Hostile(t) }

func TestFaults(t *testing.T) {
	suite().Faults(t,
		[]string{
			"action", "repository.full_name", "pull_request.number", "pull_request.state", "pull_request.title", "pull_request.html_url", "pull_request.draft",
			"pull_request.merged", "pull_request.user.login", "pull_request.user.type", "pull_request.author_association", "pull_request.labels.0.name",
			"pull_request.head.ref", "pull_request.head.sha", "pull_request.head.repo.full_name", "pull_request.head.repo.clone_url", "pull_request.base.ref",
			"pull_request.base.repo.full_name", "pull_request.updated_at",
		},
		hosttest.Fault{Path: "pull_request", Field: "pull_request.number"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "action", Value: "zebra\x00"},
		hosttest.Fault{Path: "pull_request.number"},
		hosttest.Fault{Path: "pull_request.number", Value: 0},
		hosttest.Fault{Path: "pull_request.number", Value: -7},
		hosttest.Fault{Path: "pull_request.number", Value: 7.5},
		hosttest.Fault{Path: "pull_request.number", Value: 1 << 40},
		hosttest.Fault{Path: "pull_request.number", Value: 1e300},
		hosttest.Fault{Path: "pull_request.state"},
		hosttest.Fault{Path: "pull_request.state", Value: "zebra"},
		hosttest.Fault{Path: "pull_request.head.sha"},
		hosttest.Fault{Path: "pull_request.head.sha", Value: first[1:]},
		hosttest.Fault{Path: "pull_request.head.sha", Value: "z" + first[1:]},
		hosttest.Fault{Path: "pull_request.head.sha", Value: first + "\n"},
		hosttest.Fault{Path: "pull_request.head.ref", Value: strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "pull_request.head.ref", Value: "zebra\nzebra"},
		hosttest.Fault{Path: "pull_request.head.repo.clone_url", Value: "file:///zebra"},
		hosttest.Fault{Path: "pull_request.head.repo.clone_url", Value: "zebra@example.com:acme/shop.git"},
		hosttest.Fault{Path: "pull_request.head.repo.clone_url", Value: "https:///zebra"},
		hosttest.Fault{Path: "pull_request.head.repo.clone_url", Value: "https://example.com/" + strings.Repeat("zebra", 500)},
		hosttest.Fault{Path: "pull_request.html_url", Value: "javascript:zebra"},
		hosttest.Fault{Path: "pull_request.html_url", Value: "https://example.com/\u2028zebra"},
		hosttest.Fault{Path: "pull_request.base.ref"},
		hosttest.Fault{Path: "pull_request.base.ref", Value: ""},
		hosttest.Fault{Path: "pull_request.base.repo", Field: "pull_request.base.repo.full_name"},
		hosttest.Fault{Path: "pull_request.labels.0.name", Value: strings.Repeat("zebra", 52), Field: "pull_request.labels"},
		hosttest.Fault{Path: "pull_request.labels.0.name", Value: "", Field: "pull_request.labels"},
		hosttest.Fault{Path: "pull_request.labels", Value: many(101)},
		hosttest.Fault{Path: "pull_request.updated_at", Value: "zebra"},
		hosttest.Fault{Path: "pull_request.updated_at", Value: "2026-02-30T00:00:00Z"},
	)
}

func many(n int) (labels []any) {
	for i := range n {
		labels = append(labels, map[string]string{"name": "zebra" + strings.Repeat("a", i)})
	}
	return labels
}

// TestAltered: what is odd but no fault is made tame.
func TestAltered(t *testing.T) {
	body, err := os.ReadFile("testdata/opened.json")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("ü", 1500)
	text := strings.NewReplacer(
		`"title": "Faster checkout"`, `"title": "a\u0000b\nc\u202ed\ud800`+long+`"`,
		`"clone_url": "https://github.com/acme/shop.git"`, `"clone_url": "https://ada:secret@github.com/acme/shop.git"`,
		first, strings.ToUpper(first), "2026-01-31T09:30:00Z", "", `"MEMBER"`, `null`,
	).Replace(string(body))
	got, err := github.Host{}.Read(http.Header{"X-Github-Event": {"pull_request"}}, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := said("opened", func(p *blueberry.PullRequest) {
		p.Title, p.HostAt, p.Labels, p.Relation = "a b c d\ufffd"+long[:2*(1000-8)], time.Time{}, []string{"preview"}, blueberry.RelationUnknown
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestForm(t *testing.T) {
	body, err := os.ReadFile("testdata/opened.json")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"X-Github-Event": {"pull_request"}, "Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	payload := "payload=" + url.QueryEscape(string(body))
	got, err := github.Host{}.Read(h, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(suite().Deliveries[0].Want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, bad := range []string{"", "payload", "payload=%zz", payload + "&" + payload, "other=" + payload, string(body)} {
		if _, err := (github.Host{}).Read(h, []byte(bad)); err == nil {
			t.Errorf("the form %.20q was read", bad)
		}
	}
}

func TestNamed(t *testing.T) {
	h := http.Header{}
	h.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	h.Set("X-GitHub-Event", "pull_request")
	if id, event := (github.Host{}).Named(h); id != "72d3162e-cc78-11e3-81ab-4c9367dc0958" || event != "pull_request" {
		t.Errorf("it is named %q, %q", id, event)
	}
	h.Add("X-GitHub-Delivery", "another")
	if id, _ := (github.Host{}).Named(h); id != "" {
		t.Errorf("of two ids, %q was taken", id)
	}
}

func TestSigned(t *testing.T) {
	hosttest.Signatures(t, github.Host{}, hosttest.Way{
		Name: "SHA-256", Header: "X-Hub-Signature-256", Prefix: "sha256=", Hex: true,
		Sign: func(secret string, _ time.Time, body []byte) http.Header {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			h := http.Header{}
			h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
			return h
		},
	})
	// The example of GitHub's own documentation.
	h := http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}
	if !(github.Host{}).Signed(h, []byte("Hello, World!"), []string{"It's a Secret to Everybody"}, time.Time{}) {
		t.Error("the known example is not taken for signed")
	}
}

func FuzzRead(f *testing.F) { suite().Fuzz(f) }

func TestFaultsOfComments(t *testing.T) {
	s := suite().First(t, "issue_comment")
	s.Hostile(t)
	s.Faults(t,
		[]string{"action", "repository.full_name", "issue.number", "comment.id", "comment.body", "comment.user.login", "comment.created_at"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "issue.number", Value: 0},
		hosttest.Fault{Path: "comment.id", Value: -1},
		hosttest.Fault{Path: "comment", Field: "comment.id"},
		hosttest.Fault{Path: "comment.user.login", Value: "zebra\n"},
		hosttest.Fault{Path: "comment.created_at", Value: "zebra"},
	)
}

func TestFaultsOfPushes(t *testing.T) {
	s := suite().First(t, "push")
	s.Hostile(t)
	s.Faults(t,
		[]string{"ref", "after", "repository.full_name", "repository.pushed_at"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "after", Value: "zebra"},
		hosttest.Fault{Path: "ref", Value: "refs/heads/"},
		hosttest.Fault{Path: "ref", Value: "refs/heads/" + strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "repository.pushed_at", Value: -1},
		hosttest.Fault{Path: "repository.pushed_at", Value: 1e17},
		hosttest.Fault{Path: "repository.pushed_at", Value: "zebra"},
		hosttest.Fault{Path: "repository.pushed_at", Value: true},
	)
}
