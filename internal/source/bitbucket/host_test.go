package bitbucket_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/bitbucket"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const (
	first  = "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d"
	second = "9b74c9897bac770ffc029102a200c5de11223344"
)

func at(hour, minute int) time.Time { return time.Date(2026, 1, 31, hour, minute, 0, 0, time.UTC) }

// cloud is the usual pull request of Cloud, altered.
func cloud(file, event string, alter func(*blueberry.PullRequest)) hosttest.Delivery {
	p := blueberry.PullRequest{
		Number: 7, Title: "Faster checkout", URL: "https://bitbucket.org/acme/shop/pull-requests/7", Author: "ada", Relation: blueberry.RelationUnknown,
		State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: first, HeadURL: "https://bitbucket.org/acme/shop.git",
		HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: at(9, 30).Add(123456 * time.Microsecond),
	}
	alter(&p)
	return hosttest.Says("cloud_"+file, event, source.Incoming{Repository: "acme/shop", Action: event, Pull: &p})
}

// server is the usual pull request of Data Center, altered.
func server(file, event string, alter func(*blueberry.PullRequest)) hosttest.Delivery {
	p := blueberry.PullRequest{
		Number: 7, Title: "Faster checkout", URL: "https://bitbucket.example.com/projects/SHOP/repos/web/pull-requests/7", Author: "ada",
		Relation: blueberry.RelationUnknown, State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: first,
		HeadURL: "https://bitbucket.example.com/scm/shop/web.git", HeadRepo: "SHOP/web", BaseRepo: "SHOP/web", BaseRef: "main", HostAt: at(9, 30),
	}
	alter(&p)
	return hosttest.Says("server_"+file, event, source.Incoming{Repository: "SHOP/web", Action: event, Pull: &p})
}

func fromFork(p *blueberry.PullRequest) {
	p.Author, p.HeadRef, p.HeadCommit, p.HeadRepo = "mallory", "patch-1", second, "~MALLORY/web"
	p.HeadURL = "https://bitbucket.example.com/scm/~mallory/web.git"
}

func pushed(file, repository, event string, pushes ...blueberry.BranchPush) hosttest.Delivery {
	return hosttest.Says(file, event, source.Incoming{Repository: repository, Action: event, Pushes: pushes})
}

func commented(file, repository, event string, comments ...blueberry.PullComment) hosttest.Delivery {
	in := source.Incoming{Repository: repository, Action: event}
	for _, c := range comments {
		c.ID, c.Number, c.Text = "77", 7, "Thanks!\n/blueberry sleep\n"
		in.Comment = &c
	}
	return hosttest.Says(file, event, in)
}

func suite() hosttest.Suite {
	return hosttest.Suite{Host: bitbucket.Host{}, Event: "X-Event-Key", Deliveries: []hosttest.Delivery{
		cloud("created", "pullrequest:created", func(*blueberry.PullRequest) {}),
		cloud("updated", "pullrequest:updated", func(p *blueberry.PullRequest) { p.HeadCommit, p.HostAt = second, at(10, 0).Add(time.Second/2) }),
		cloud("updated_draft", "pullrequest:updated", func(p *blueberry.PullRequest) { p.Draft = true }),
		cloud("rejected", "pullrequest:rejected", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) }),
		cloud("superseded", "pullrequest:updated", func(p *blueberry.PullRequest) { p.State = blueberry.PullClosed }),
		cloud("fulfilled", "pullrequest:fulfilled", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullMerged, at(11, 0) }),
		cloud("fork", "pullrequest:created", func(p *blueberry.PullRequest) {
			p.Author, p.HeadRef, p.HeadCommit, p.HeadRepo, p.HeadURL = "mallory", "patch-1", second, "mallory/shop-fork", "https://bitbucket.org/mallory/shop-fork.git"
		}),
		cloud("fork_deleted", "pullrequest:updated", func(p *blueberry.PullRequest) {
			p.Author, p.HeadRef, p.HeadCommit, p.HeadRepo, p.HeadURL = "", "patch-1", second, "", ""
		}),
		server("opened", "pr:opened", func(*blueberry.PullRequest) {}),
		server("from_ref_updated", "pr:from_ref_updated", func(p *blueberry.PullRequest) { p.HeadCommit, p.HostAt = second, at(10, 0) }),
		server("modified_draft", "pr:modified", func(p *blueberry.PullRequest) { p.Draft, p.URL = true, "" }),
		server("merged", "pr:merged", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullMerged, at(11, 0) }),
		server("declined", "pr:declined", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) }),
		server("deleted", "pr:deleted", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) }),
		server("fork", "pr:opened", fromFork),
		server("fork_without_links", "pr:modified", func(p *blueberry.PullRequest) {
			fromFork(p)
			p.HeadURL = ""
		}),
		pushed("server_refs_changed", "SHOP/web", "repo:refs_changed", blueberry.BranchPush{Branch: "main", Commit: first, At: at(9, 30)}),
		pushed("server_refs_several", "SHOP/web", "repo:refs_changed",
			blueberry.BranchPush{Branch: "main", Commit: second, At: at(9, 30)}, blueberry.BranchPush{Branch: "feature/fast", At: at(9, 30)}),
		commented("server_comment_added", "SHOP/web", "pr:comment:added", blueberry.PullComment{Author: "grace", At: at(9, 40)}),
		commented("server_comment_service", "SHOP/web", "pr:comment:added", blueberry.PullComment{Author: "shop-helper", Bot: true, At: at(9, 40)}),
		pushed("cloud_push", "acme/shop", "repo:push", blueberry.BranchPush{Branch: "main", Commit: first}),
		pushed("cloud_push_several", "acme/shop", "repo:push", blueberry.BranchPush{Branch: "main", Commit: second}, blueberry.BranchPush{Branch: "feature/fast"}),
		commented("cloud_comment_created", "acme/shop", "pullrequest:comment_created", blueberry.PullComment{Author: "{grace}", AuthorName: "grace", At: at(9, 40).Add(time.Second / 2)}),
		commented("cloud_comment_app", "acme/shop", "pullrequest:comment_created",
			blueberry.PullComment{Author: "{grace}", AuthorName: "grace", Bot: true, At: at(9, 40).Add(time.Second / 2)}),
		commented("cloud_comment_inline", "acme/shop", "pullrequest:comment_created"),
		hosttest.Says("server_ping", "diagnostics:ping", source.Incoming{Action: "diagnostics:ping", Ping: true}),
	}}
}

// ofServer is the suite with a delivery of Data Center as its first.
func ofServer() hosttest.Suite {
	s := suite()
	s.Deliveries = s.Deliveries[8:]
	return s
}

func TestRead(t *testing.T) { suite().Read(t) }

func TestHostile(t *testing.T) {
	suite().Hostile(t)
	ofServer().Hostile(t)
}

func TestFaultsOfCloud(t *testing.T) {
	suite().Faults(t,
		[]string{
			"repository.full_name", "pullrequest.id", "pullrequest.title", "pullrequest.state", "pullrequest.draft", "pullrequest.author.nickname",
			"pullrequest.source.branch.name", "pullrequest.source.commit.hash", "pullrequest.source.repository.full_name",
			"pullrequest.source.repository.links.html.href", "pullrequest.destination.branch.name", "pullrequest.destination.repository.full_name",
			"pullrequest.updated_on", "pullrequest.links.html.href",
		},
		hosttest.Fault{Path: "pullrequest", Field: "pullrequest.id"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "pullrequest.id", Value: 0},
		hosttest.Fault{Path: "pullrequest.state", Value: "open"},
		hosttest.Fault{Path: "pullrequest.source", Field: "pullrequest.source.commit.hash"},
		hosttest.Fault{Path: "pullrequest.source.commit.hash", Value: first[:11]},
		hosttest.Fault{Path: "pullrequest.source.branch.name", Value: strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "pullrequest.source.repository.links.html.href", Value: "file:///zebra"},
		hosttest.Fault{Path: "pullrequest.destination.repository", Field: "pullrequest.destination.repository.full_name"},
		hosttest.Fault{Path: "pullrequest.updated_on", Value: "zebra"},
	)
}

func TestFaultsOfServer(t *testing.T) {
	ofServer().Faults(t,
		[]string{
			"date", "pullRequest.id", "pullRequest.title", "pullRequest.state", "pullRequest.draft", "pullRequest.author.user.name", "pullRequest.fromRef.displayId",
			"pullRequest.fromRef.latestCommit", "pullRequest.fromRef.repository.slug", "pullRequest.fromRef.repository.project.key",
			"pullRequest.fromRef.repository.links.clone.0.href", "pullRequest.toRef.displayId", "pullRequest.toRef.repository.slug",
			"pullRequest.toRef.repository.project.key", "pullRequest.links.self.0.href",
		},
		hosttest.Fault{Path: "pullRequest", Field: "pullRequest.id"},
		hosttest.Fault{Path: "pullRequest.id", Value: "7"},
		hosttest.Fault{Path: "pullRequest.state", Value: "zebra"},
		hosttest.Fault{Path: "pullRequest.fromRef.latestCommit", Value: "zebra"},
		hosttest.Fault{Path: "pullRequest.toRef.repository", Field: "pullRequest.toRef.repository.slug"},
		hosttest.Fault{Path: "pullRequest.toRef.repository.project.key", Field: "pullRequest.toRef.repository.slug"},
		hosttest.Fault{Path: "pullRequest.toRef.repository.slug", Value: strings.Repeat("zebra", 51)},
		hosttest.Fault{Path: "pullRequest.links.self.0.href", Value: "javascript:zebra"},
		hosttest.Fault{Path: "date", Value: "2026-01-31"},
	)
}

// TestAbbreviated: Cloud tells the first 12 digits of a commit, and no fewer are taken.
func TestAbbreviated(t *testing.T) {
	body, err := os.ReadFile("testdata/abbreviated/cloud_abbreviated.json")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"X-Event-Key": {"pullrequest:created"}}
	in, err := bitbucket.Host{}.Read(h, body)
	if err != nil || in.Pull == nil || len(in.Pull.HeadCommit) != 12 {
		t.Fatalf("read %+v, %v", in.Pull, err)
	}
	body = bytes.ReplaceAll(body, []byte(in.Pull.HeadCommit), []byte(in.Pull.HeadCommit[:11]))
	if in, err := (bitbucket.Host{}).Read(h, body); err == nil || !strings.Contains(err.Error(), "pullrequest.source.commit.hash") || in.Pull != nil {
		t.Errorf("11 digits were read: %+v, %v", in.Pull, err)
	}
}

func TestNamed(t *testing.T) {
	for _, name := range []string{"X-Request-UUID", "X-Request-Id"} {
		h := http.Header{"X-Event-Key": {"pr:opened"}}
		h.Set(name, "a6e0b1")
		if id, event := (bitbucket.Host{}).Named(h); id != "a6e0b1" || event != "pr:opened" {
			t.Errorf("%s: it is named %q, %q", name, id, event)
		}
	}
}

func TestSigned(t *testing.T) {
	hosttest.Signatures(t, bitbucket.Host{}, hosttest.Way{
		Name: "SHA-256", Header: "X-Hub-Signature", Prefix: "sha256=", Hex: true,
		Sign: func(secret string, _ time.Time, body []byte) http.Header {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			return http.Header{"X-Hub-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
		},
	})
}

func FuzzRead(f *testing.F) { suite().Fuzz(f) }

func TestFaultsOfComments(t *testing.T) {
	s := suite().First(t, "cloud_comment_created")
	s.Hostile(t)
	s.Faults(t,
		[]string{"repository.full_name", "pullrequest.id", "comment.id", "comment.content.raw", "comment.user.uuid", "comment.user.nickname", "comment.created_on"},
		hosttest.Fault{Path: "repository", Field: "repository.full_name"},
		hosttest.Fault{Path: "comment", Field: "comment.id"},
		hosttest.Fault{Path: "comment.created_on", Value: "zebra"},
	)
	s = suite().First(t, "server_comment_added")
	s.Hostile(t)
	s.Faults(t,
		[]string{"date", "pullRequest.id", "pullRequest.toRef.repository.slug", "comment.id", "comment.text", "comment.author.name"},
		hosttest.Fault{Path: "pullRequest.toRef", Field: "pullRequest.toRef.repository.slug"},
		hosttest.Fault{Path: "comment", Field: "comment.id"},
		hosttest.Fault{Path: "date", Value: "zebra"},
	)
}

func TestFaultsOfPushes(t *testing.T) {
	s := suite().First(t, "cloud_push")
	s.Hostile(t)
	s.Faults(t,
		[]string{"repository.full_name", "push.changes.0.new.name", "push.changes.0.new.type", "push.changes.0.new.target.hash"},
		hosttest.Fault{Path: "push.changes.0.new.target.hash", Value: "zebra"},
	)
	s = suite().First(t, "server_refs_changed")
	s.Hostile(t)
	s.Faults(t,
		[]string{"date", "repository.slug", "changes.0.ref.id", "changes.0.toHash", "changes.0.type"},
		hosttest.Fault{Path: "changes.0.toHash", Value: "zebra"},
		hosttest.Fault{Path: "date", Value: "zebra"},
	)
}
