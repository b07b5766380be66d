package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// addShop adds the shop's repository, of whose pull requests none gets an environment. An empty project means the default.
func addShop(t testing.TB, c *sdk.Client, project string) sdk.AddedRepository {
	t.Helper()
	added, err := c.AddRepository(t.Context(), sdk.AddRepositoryRequest{
		Project: project, Name: "acme/shop", Host: "generic", URL: shopRepository, Policy: sdk.PullPolicy{Off: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// pullBody is what a generic host sends of a pull request that is open.
func pullBody(repository string, number int, commit string) string {
	return fmt.Sprintf(`{"event":"pull_request","data":{"repository":%[1]q,"action":"opened","number":%[2]d,"title":"Sort the basket","author":"ada","relation":"member",`+
		`"labels":["preview"],"state":"open","head":{"ref":"sort","commit":%[3]q,"repository":%[1]q},"base":{"ref":"main","repository":%[1]q},"updated_at":"2026-01-31T09:29:58Z"}}`, repository, number, commit)
}

// send posts to the inbox, without a credential.
func send(t testing.TB, h http.Handler, path, body string, headers http.Header) answer {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)).WithContext(t.Context())
	for name, values := range headers {
		req.Header[name] = values
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return answer{rec.Result(), rec.Body.String()}
}

// deliver sends what the host of a repository has signed.
func deliver(t testing.TB, h http.Handler, to sdk.AddedRepository, body string) answer {
	t.Helper()
	return send(t, h, strings.TrimPrefix(to.Repository.WebhookURL, roomstest.PublicURL), body, roomstest.Sign(to.Secret, body))
}

// verdict is what a host is told.
type verdict struct{ ID, Verdict, Reason string }

// said is what a host was told of a delivery that was kept.
func (a answer) said(t testing.TB) verdict {
	t.Helper()
	var v verdict
	dec := json.NewDecoder(strings.NewReader(a.text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil || a.StatusCode != http.StatusAccepted || a.Header.Get("Content-Type") != "application/json" || v.ID == "" {
		t.Fatalf("the host is told %d %s: %v", a.StatusCode, a.text, err)
	}
	return v
}

// pushBody is what a generic host sends of a branch.
func pushBody(repository, branch, commit string) string {
	return fmt.Sprintf(`{"event":"push","timestamp":"2026-01-31T09:30:00Z","data":{"repository":%q,"branch":%q,"commit":%q}}`, repository, branch, commit)
}

// addMain gives main of the shop's repository a rule by which each commit waits, and pushes it.
func addMain(t *testing.T, api http.Handler, c *sdk.Client, to sdk.AddedRepository) sdk.Branch {
	t.Helper()
	rules := []sdk.BranchRule{{Branch: "main", Environment: "staging", Mode: "approval"}}
	changed := got[sdk.Repository](t)(c.ChangeRepository(t.Context(), to.Repository.ID, sdk.ChangeRepositoryRequest{Rules: &rules}))
	if len(changed.Rules) != 1 || changed.Rules[0].Environment != "staging" {
		t.Fatalf("the rules are %+v", changed.Rules)
	}
	if v := deliver(t, api, to, pushBody(to.Repository.Name, "main", strings.Repeat("c", 40))).said(t); v.Verdict != "accepted" {
		t.Fatalf("a push is %s: %s", v.Verdict, v.Reason)
	}
	found := got[sdk.BranchList](t)(c.ListBranches(t.Context(), sdk.BranchFilter{Repository: to.Repository.ID, Name: "main"})).Items
	if len(found) != 1 || found[0].HeadCommit != strings.Repeat("c", 40) {
		t.Fatalf("known are %+v", found)
	}
	return found[0]
}

// everyRepositoryCall is everyCall for repositories and what their hosts send. A call that the story gives no ground is refused with the code that it names.
func everyRepositoryCall(t *testing.T, api http.Handler, c *sdk.Client) {
	t.Helper()
	ctx := t.Context()
	second := func(_ any, err error) error { return err }
	added := addShop(t, c, "")
	id, url := added.Repository.ID, "https://git.test/acme/moved.git"
	accepted := deliver(t, api, added, pullBody("acme/shop", 7, strings.Repeat("a", 40))).said(t).ID
	pull := got[sdk.Delivery](t)(c.GetDelivery(ctx, accepted)).PullID
	refused := got[sdk.DeliveryList](t)(c.ListDeliveries(ctx, sdk.DeliveryFilter{})).Items
	if a := send(t, api, "/hooks/"+id, "{}", nil); a.StatusCode != 401 || len(refused) != 1 {
		t.Errorf("a call that nobody signed: %d %s beside %d deliveries", a.StatusCode, a.text, len(refused))
	}
	refused = got[sdk.DeliveryList](t)(c.ListDeliveries(ctx, sdk.DeliveryFilter{Verdict: "refused"})).Items
	fork := strings.NewReplacer(`"relation":"member"`, `"relation":"outsider"`, `"repository":"acme/shop"},"base"`, `"repository":"eve/shop"},"base"`).Replace(pullBody("acme/shop", 8, strings.Repeat("b", 40)))
	strange := got[sdk.Delivery](t)(c.GetDelivery(ctx, deliver(t, api, added, fork).said(t).ID)).PullID
	main := addMain(t, api, c, added)
	for _, call := range []struct {
		operation, code string
		do              func() error
	}{
		{"list-branches", "", func() error {
			return second(c.ListBranches(ctx, sdk.BranchFilter{Project: "default", Repository: id, Outcome: "waiting", Limit: 3}))
		}},
		{"get-branch", "", func() error { return second(c.GetBranch(ctx, main.ID)) }},
		{"get-branch", "BRANCH_NOT_FOUND", func() error { return second(c.GetBranch(ctx, "brn_none")) }},
		{"deploy-branch", "BRANCH_NOT_FOUND", func() error { return second(c.DeployBranch(ctx, "brn_none", sdk.DeployBranchRequest{})) }},
		{"deploy-branch", "BRANCH_MOVED", func() error {
			return second(c.DeployBranch(ctx, main.ID, sdk.DeployBranchRequest{Commit: strings.Repeat("d", 40)}))
		}},
		{"deploy-branch", "VALIDATION_FAILED", func() error { return second(c.DeployBranch(ctx, main.ID, sdk.DeployBranchRequest{Commit: "main"})) }},
		{"deploy-branch", "", func() error {
			b, err := c.DeployBranch(ctx, main.ID, sdk.DeployBranchRequest{Commit: strings.Repeat("c", 40)})
			if err == nil && (b.Deployed != strings.Repeat("c", 40) || b.DeployedBy == "" || b.DeployedAt.IsZero()) {
				t.Errorf("deployed: %+v", b)
			}
			return err
		}},
		{"add-repository", "REPOSITORY_EXISTS", func() error {
			return second(c.AddRepository(ctx, sdk.AddRepositoryRequest{Name: "acme/shop", Host: "generic", URL: shopRepository}))
		}},
		{"list-repositories", "", func() error {
			return second(c.ListRepositories(ctx, sdk.RepositoryFilter{Project: "default", Limit: 2}))
		}},
		{"get-repository", "", func() error { return second(c.GetRepository(ctx, id)) }},
		{"get-repository", "REPOSITORY_NOT_FOUND", func() error { return second(c.GetRepository(ctx, "rep_none")) }},
		{"change-repository", "VERSION_MOVED", func() error {
			return second(c.ChangeRepository(ctx, id, sdk.ChangeRepositoryRequest{URL: &url}, sdk.IfMatch(9)))
		}},
		{"change-repository", "", func() error {
			return second(c.ChangeRepository(ctx, id, sdk.ChangeRepositoryRequest{URL: &url}, sdk.IfMatch(2)))
		}},
		{"change-repository", "REPOSITORY_NOT_FOUND", func() error {
			return second(c.ChangeRepository(ctx, "rep_none", sdk.ChangeRepositoryRequest{URL: &url}))
		}},
		{"rotate-repository-secret", "", func() error {
			return second(c.RotateRepositorySecret(ctx, id, sdk.RotateRepositorySecretRequest{Secret: "nine purple otters"}))
		}},
		{"list-pulls", "", func() error {
			return second(c.ListPulls(ctx, sdk.PullFilter{Project: "default", Repository: id, State: "open", Outcome: "skipped", Limit: 3}))
		}},
		{"get-pull", "", func() error { return second(c.GetPull(ctx, pull)) }},
		{"get-pull", "PULL_NOT_FOUND", func() error { return second(c.GetPull(ctx, "pul_none")) }},
		{"list-pull-commands", "", func() error {
			return second(c.ListPullCommands(ctx, pull, sdk.PullCommandFilter{Outcome: "done", Limit: 3}))
		}},
		{"list-pull-commands", "PULL_NOT_FOUND", func() error {
			return second(c.ListPullCommands(ctx, "pul_none", sdk.PullCommandFilter{}))
		}},
		{"approve-pull", "PULL_NOT_FOUND", func() error {
			return second(c.ApprovePull(ctx, "pul_none", sdk.ApprovePullRequest{Commit: strings.Repeat("a", 40)}))
		}},
		{"approve-pull", "PULL_MOVED", func() error {
			return second(c.ApprovePull(ctx, strange, sdk.ApprovePullRequest{Commit: strings.Repeat("a", 40)}))
		}},
		{"approve-pull", "", func() error {
			p, err := c.ApprovePull(ctx, strange, sdk.ApprovePullRequest{Commit: strings.Repeat("b", 40)})
			if err == nil && (p.Tier != "outsider" || !p.NeedsApproval || !p.Approved || p.ApprovedCommit != strings.Repeat("b", 40) || p.ApprovedBy == "" || p.ApprovedAt.IsZero()) {
				t.Errorf("approved: %+v", p)
			}
			return err
		}},
		{"approve-pull", "APPROVAL_NEEDLESS", func() error {
			return second(c.ApprovePull(ctx, pull, sdk.ApprovePullRequest{Commit: strings.Repeat("a", 40)}))
		}},
		{"approve-pull", "VALIDATION_FAILED", func() error { return second(c.ApprovePull(ctx, pull, sdk.ApprovePullRequest{Commit: "main"})) }},
		{"list-deliveries", "", func() error {
			return second(c.ListDeliveries(ctx, sdk.DeliveryFilter{Project: "default", Repository: id, Pull: pull, Verdict: "accepted", Limit: 3}))
		}},
		{"get-delivery", "", func() error { return second(c.GetDelivery(ctx, accepted)) }},
		{"get-delivery", "DELIVERY_NOT_FOUND", func() error { return second(c.GetDelivery(ctx, "dlv_none")) }},
		{"replay-delivery", "", func() error { return second(c.ReplayDelivery(ctx, accepted, true)) }},
		{"replay-delivery", "", func() error { return second(c.ReplayDelivery(ctx, accepted, false)) }},
		{"replay-delivery", "DELIVERY_EMPTY", func() error { return second(c.ReplayDelivery(ctx, refused[0].ID, true)) }},
		{"replay-delivery", "DELIVERY_NOT_FOUND", func() error { return second(c.ReplayDelivery(ctx, "dlv_none", true)) }},
		{"remove-repository", "VERSION_MOVED", func() error { return c.RemoveRepository(ctx, id, sdk.IfMatch(1)) }},
		{"remove-repository", "", func() error { return c.RemoveRepository(ctx, id) }},
		{"remove-repository", "REPOSITORY_NOT_FOUND", func() error { return c.RemoveRepository(ctx, id) }},
	} {
		err := call.do()
		var p *sdk.Problem
		if call.code == "" && err != nil || call.code != "" && (!errors.As(err, &p) || p.Code != call.code) {
			t.Errorf("%s: %v (%+v), want %q", call.operation, err, p, call.code)
		}
	}
}
