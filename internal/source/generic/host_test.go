package generic_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/source/generic"
	"github.com/blueberry-idp/blueberry/internal/source/hosttest"
)

const (
	first  = "1d52a3f1a3f6f2e1a0c4be1e1f8f4f0f6a1b2c3d"
	second = "9b74c9897bac770ffc029102a200c5de11223344"
)

func at(hour, minute int) time.Time { return time.Date(2026, 1, 31, hour, minute, 0, 0, time.UTC) }

// said is the usual pull request, altered. The body names the event, so the header need not.
func said(file, action string, alter func(*blueberry.PullRequest)) hosttest.Delivery {
	p := blueberry.PullRequest{
		Number: 7, Title: "Faster checkout", URL: "https://git.example.com/acme/shop/pulls/7", Author: "ada", Relation: blueberry.RelationMember,
		Labels: []string{"preview"}, State: blueberry.PullOpen, HeadRef: "faster-checkout", HeadCommit: first, HeadURL: "https://git.example.com/acme/shop.git",
		HeadRepo: "acme/shop", BaseRepo: "acme/shop", BaseRef: "main", HostAt: at(9, 30),
	}
	alter(&p)
	return hosttest.Says(file, "", source.Incoming{Repository: "acme/shop", Action: action, Pull: &p, Reopened: action == "reopened"})
}

func suite() hosttest.Suite {
	return hosttest.Suite{Host: generic.Host{}, Event: "X-Blueberry-Event", Deliveries: []hosttest.Delivery{
		said("opened", "opened", func(*blueberry.PullRequest) {}),
		said("pushed", "pushed", func(p *blueberry.PullRequest) {
			p.HeadCommit, p.HostAt, p.Author, p.Bot, p.Relation = second, at(10, 0), "renovate", true, blueberry.RelationOutsider
		}),
		said("labeled", "labeled", func(p *blueberry.PullRequest) {
			p.Labels, p.Relation = []string{"bug", "preview"}, blueberry.RelationOwner
		}),
		said("draft", "draft", func(p *blueberry.PullRequest) { p.Draft, p.Relation = true, blueberry.RelationCollaborator }),
		said("closed", "closed", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullClosed, at(11, 0) }),
		said("merged", "merged", func(p *blueberry.PullRequest) { p.State, p.HostAt = blueberry.PullMerged, at(11, 0) }),
		said("reopened", "reopened", func(p *blueberry.PullRequest) { p.HostAt = at(12, 0) }),
		said("fork", "opened", func(p *blueberry.PullRequest) {
			p.Author, p.Relation, p.HeadRef, p.HeadCommit = "mallory", blueberry.RelationOutsider, "patch-1", second
			p.HeadRepo, p.HeadURL = "mallory/shop-fork", "https://git.example.com/mallory/shop-fork.git"
		}),
		said("fork_gone", "opened", func(p *blueberry.PullRequest) {
			p.Author, p.Relation, p.HeadRef, p.HeadCommit, p.HeadRepo, p.HeadURL = "mallory", blueberry.RelationUnknown, "patch-1", second, "", ""
		}),
		said("smallest", "", func(p *blueberry.PullRequest) {
			*p = blueberry.PullRequest{
				Number: 7, Relation: blueberry.RelationUnknown, State: blueberry.PullOpen, HeadCommit: first + second[:24], BaseRepo: "acme/shop", BaseRef: "main",
				HostAt: at(9, 30).Add(2 * time.Second),
			}
		}),
		hosttest.Says("ping", "", source.Incoming{Ping: true}),
		hosttest.Says("push", "pull_request", source.Incoming{ // what is signed counts
			Repository: "acme/shop", Pushes: []blueberry.BranchPush{{Branch: "main", Commit: first, At: at(9, 30).Add(2 * time.Second)}},
		}),
		hosttest.Says("gone", "", source.Incoming{Repository: "acme/shop", Pushes: []blueberry.BranchPush{{Branch: "faster-checkout"}}}),
		hosttest.Says("environment", "", source.Incoming{Action: "smoke-test-failed", Sign: &blueberry.EnvironmentSign{
			Environment: "pr-7", Event: "smoke-test-failed", Message: "3 of 40 pages answer 500", At: at(9, 30).Add(2 * time.Second),
		}}),
		hosttest.Says("deploy", "", source.Incoming{}),
	}}
}

func TestRead(t *testing.T) { suite().Read(t) }

func TestHostile(t *testing.T) { suite().Hostile(t) }

func TestFaults(t *testing.T) {
	suite().Faults(t,
		[]string{
			"event", "timestamp", "data.repository", "data.action", "data.number", "data.title", "data.url", "data.author", "data.relation", "data.bot", "data.draft",
			"data.labels", "data.state", "data.head.ref", "data.head.commit", "data.head.url", "data.head.repository", "data.base.ref", "data.base.repository",
			"data.updated_at",
		},
		hosttest.Fault{Path: "event"},
		hosttest.Fault{Path: "data", Field: "data.number"},
		hosttest.Fault{Path: "data", Value: "zebra"},
		hosttest.Fault{Path: "data.repository"},
		hosttest.Fault{Path: "data.number"},
		hosttest.Fault{Path: "data.number", Value: "7"},
		hosttest.Fault{Path: "data.relation", Value: "zebra"},
		hosttest.Fault{Path: "data.state"},
		hosttest.Fault{Path: "data.head", Field: "data.head.commit"},
		hosttest.Fault{Path: "data.head.commit", Value: strings.Repeat("a", 41)},
		hosttest.Fault{Path: "data.head.url", Value: "/zebra"},
		hosttest.Fault{Path: "data.url", Value: "javascript:zebra"},
		hosttest.Fault{Path: "data.author", Value: strings.Repeat("zebra", 52)},
		hosttest.Fault{Path: "data.base.repository"},
		hosttest.Fault{Path: "data.base.ref"},
		hosttest.Fault{Path: "data.updated_at", Value: 1769851800},
		hosttest.Fault{Path: "timestamp", Value: "1769851800"},
	)
}

// TestHeaderNames: the header names the event where the body does not.
func TestHeaderNames(t *testing.T) {
	body, err := os.ReadFile("testdata/opened.json")
	if err != nil {
		t.Fatal(err)
	}
	body = []byte(strings.Replace(string(body), `"event": "pull_request",`, "", 1))
	got, err := generic.Host{}.Read(http.Header{"X-Blueberry-Event": {"pull_request"}}, body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(suite().Deliveries[0].Want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	h := http.Header{"X-Blueberry-Event": {"pull_request"}, "X-Blueberry-Delivery": {"1"}}
	if id, event := (generic.Host{}).Named(h); id != "1" || event != "pull_request" {
		t.Errorf("it is named %q, %q", id, event)
	}
}

func TestSigned(t *testing.T) {
	hosttest.Signatures(t, generic.Host{}, hosttest.Way{
		Name: "SHA-256", Header: "X-Blueberry-Signature", Prefix: "sha256=", Hex: true, Stamp: "X-Blueberry-Timestamp",
		Sign: func(secret string, at time.Time, body []byte) http.Header {
			stamp := strconv.FormatInt(at.Unix(), 10)
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(stamp + "." + string(body)))
			return http.Header{"X-Blueberry-Timestamp": {stamp}, "X-Blueberry-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
		},
	})
	// As the script in the package comment makes it, with openssl.
	h := http.Header{"X-Blueberry-Timestamp": {"1769851800"}, "X-Blueberry-Signature": {"sha256=3b877112c7e7a995bfe3af8e6ae7c7941ab05c82825a3a413a8c11a56e3998c3"}}
	if !(generic.Host{}).Signed(h, []byte(`{"event":"ping"}`), []string{"correct-horse-battery"}, at(9, 30)) {
		t.Error("the known example is not taken for signed")
	}
}

func FuzzRead(f *testing.F) { suite().Fuzz(f) }

// TestFaultsOfOtherEvents: what is not as the package says is told by its field.
func TestFaultsOfOtherEvents(t *testing.T) {
	for body, field := range map[string]string{
		`{"event":"push","data":["anything"]}`:                                                             "data",
		`{"event":"push","data":{"branch":"main"}}`:                                                        "data.repository",
		`{"event":"push","data":{"repository":"acme/shop"}}`:                                               "data.branch",
		`{"event":"push","data":{"repository":"acme/shop","branch":"main","commit":"1d52a3f"}}`:            "data.commit",
		`{"event":"environment","data":{"event":"x"}}`:                                                     "data.environment",
		`{"event":"environment","data":{"environment":"pr-7"}}`:                                            "data.event",
		`{"event":"environment","data":{"environment":"pr-7","event":"a\u0000b"}}`:                         "data.event",
		`{"event":"environment","timestamp":"zebra","data":{"environment":"pr-7","event":"x"}}`:            "timestamp",
		`{"event":"environment","data":{"environment":"` + strings.Repeat("zebra", 52) + `","event":"x"}}`: "data.environment",
	} {
		_, err := generic.Host{}.Read(http.Header{}, []byte(body))
		if err == nil || !strings.Contains(err.Error(), field+" ") || strings.Contains(err.Error(), "zebra") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
