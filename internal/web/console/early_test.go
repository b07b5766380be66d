package console_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/internal/web/console"
	"github.com/blueberry-idp/blueberry/sdk"
)

// opened is a page as a browser opens it, and where it goes on to by itself; empty when it stays.
func (s *site) opened(t *testing.T, path string) (page, then string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Error(err)
		return "", ""
	}
	req.Header.Set("X-Token", httpapitest.Token)
	req.Header.Set("Sec-Fetch-Dest", "document")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return "", ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
		return "", ""
	}
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", path, res.Status)
	}
	then = strings.TrimPrefix(res.Header.Get("Refresh"), "0; url=")
	return string(body), then
}

// TestSlowTargetsAreShownEarly: a page that asks a target opens without it when it is slow, and goes on to the whole, which has what was slow.
func TestSlowTargetsAreShownEarly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	page, then := s.opened(t, "/environments/"+e.ID)
	tells(t, "the overview of a target that answers", page, "Rendered", "Components")
	hides(t, "the overview of a target that answers", page, "which takes a while")
	if then != "" {
		t.Errorf("it goes on to %q", then)
	}

	s = newSite(t, func(c *console.Console) { c.Patience = time.Millisecond })
	e = s.environment(t, "pr-1")
	var asked sync.WaitGroup
	answer := s.hold("/why", "/containers", "/targets", "/targets/local", "/checks", "/system/status")
	for path, known := range map[string][]string{
		"/environments/" + e.ID: {"pr-1", "Topology", "Asking local"}, "/environments/" + e.ID + "/topology?done=asked": {"pr-1", "Asking local"},
		"/environments/" + e.ID + "/logs?q=a+b": {"pr-1", "Asking local"}, "/environments/" + e.ID + "/shell": {"pr-1", "Asking local"},
		"/targets": {"Targets", "takes a while"}, "/targets/local": {"takes a while"}, "/targets/local/checks": {"takes a while"}, "/system": {"System", "takes a while"},
	} {
		asked.Go(func() {
			page, then := s.opened(t, path)
			tells(t, path, page, known...)
			hides(t, path, page, "hx-sse:connect")
			at, err := url.Parse(path)
			if err != nil {
				t.Error(err)
				return
			}
			q := at.Query()
			q.Set("whole", "1")
			if want := at.Path + "?" + q.Encode(); then != want {
				t.Errorf("%s goes on to %q, want %q", path, then, want)
			}
		})
	}
	asked.Wait()
	answer()

	answer = s.hold("/containers")
	page, _ = s.opened(t, "/environments/"+e.ID+"?whole=1")
	tells(t, "the whole overview of a target that says nothing", page, "Pods are not shown: its target did not answer.", "Lease", "web")
	hides(t, "the whole overview of a target that says nothing", page, "no pods")
	page, _ = s.opened(t, "/environments/"+e.ID+"/logs?whole=1")
	tells(t, "the logs of a target that says nothing", page, "Its target did not answer.", "Last lines of each container")
	hides(t, "the logs of a target that says nothing", page, "There are no lines")
	answer()
	page, then = s.opened(t, "/environments/"+e.ID+"?whole=1")
	tells(t, "the whole overview", page, "Rendered", "Components", "hx-sse:connect")
	hides(t, "the whole overview", page, "whole=1&", "which takes a while")
	if then != "" {
		t.Errorf("the whole goes on to %q", then)
	}
}

// TestListsAskNoTarget: what lists and forms are narrowed by is known without asking targets, of which one may be away.
func TestListsAskNoTarget(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.environment(t, "pr-1")
	answer := s.hold("/targets")
	defer answer()
	for path, want := range map[string]string{"/environments": "pr-1", "/environments/new": "New environment", "/orphans": "Nothing was left over", "/palette?q=local": "local", "/": "pr-1"} {
		s.says(t, httpapitest.Token, path, nil, http.StatusOK, want)
	}
}

// TestPodsThatOneMayNotSee: who may not see pods is told so, not that there are none, and sees what they use all the same.
func TestPodsThatOneMayNotSee(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.environment(t, "pr-1")
	account, err := s.client.CreateServiceAccount(t.Context(), "default", sdk.CreateServiceAccountRequest{Name: "ci", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.client.CreateAPIToken(t.Context(), sdk.CreateAPITokenRequest{Name: "reads", Grants: []string{"environments:read"}, ServiceAccountID: account.ID})
	if err != nil {
		t.Fatal(err)
	}
	page := s.says(t, made.Secret, "/environments/"+e.ID, nil, http.StatusOK, "Pods are not shown: seeing its pods needs the grant environments:logs.", "uses 250m CPU")
	lacks(t, page, "no pods")
	lacks(t, s.says(t, httpapitest.Token, "/environments/"+e.ID, nil, http.StatusOK, "2 of 2 ready"), "Pods are not shown")
}
