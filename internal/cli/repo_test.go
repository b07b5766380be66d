package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

const pullOpened = `{"event":"pull_request","data":{"repository":"acme/shop","action":"opened","number":7,"title":"Sort the basket","author":"ada","relation":"member",` +
	`"labels":["preview"],"state":"open","head":{"ref":"sort","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","repository":"acme/shop"},` +
	`"base":{"ref":"main","repository":"acme/shop"},"updated_at":"2026-01-31T09:29:58Z"}}`

// deliver sends a body as the generic host of a repository does; with another secret than its own it is refused.
func deliver(t *testing.T, p *person, to sdk.AddedRepository, secret, body string) {
	t.Helper()
	at := p.env["BLUEBERRY_URL"] + strings.TrimPrefix(to.Repository.WebhookURL, roomstest.PublicURL)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = roomstest.Sign(secret, body)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if (res.StatusCode == http.StatusAccepted) != (secret == to.Secret) {
		t.Errorf("a delivery is answered %s", res.Status)
	}
}

// addShop adds a repository of whose pull requests none gets an environment.
func addShop(t *testing.T, p *person, args ...string) sdk.AddedRepository {
	t.Helper()
	return reads[sdk.AddedRepository](t, p, 0, append([]string{"repo", "add", "acme/shop", "--host", "generic", "--url", shopRepository, "--off"}, args...)...)
}

// TestEveryFormOfPullRequests is TestEveryFormOfEveryCommand for repositories and what their hosts send.
func TestEveryFormOfPullRequests(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	added := addShop(t, p)
	deliver(t, p, added, added.Secret, pullOpened)
	delivery := strings.TrimSpace(p.must(t, "delivery", "list", "-o", "name"))
	pull := strings.TrimSpace(p.must(t, "pull", "list", "-o", "name"))
	p.in = "nine purple otters asleep\n"
	for _, args := range [][]string{
		{"repo", "list"},
		{"repo", "get", "acme/shop"},
		{"repo", "change", "acme/shop", "--drafts"},
		{"pull", "list"},
		{"pull", "get", pull},
		{"delivery", "list", "--pull", pull},
		{"delivery", "get", delivery},
		{"delivery", "replay", delivery, "--dry-run"},
		{"delivery", "replay", delivery},
		{"repo", "rotate", "acme/shop"},
	} {
		name := strings.Join(args, " ")
		for _, form := range []string{"json", "yaml"} {
			var tree any
			text := p.must(t, append(args, "-o", form)...)
			if err := yaml.Unmarshal([]byte(text), &tree); err != nil || tree == nil {
				t.Errorf("%s -o %s: %v\n%s", name, form, err, text)
			}
		}
		for _, flags := range [][]string{{"-q", "-o", "wide"}, {"-q", "-o", "name"}, {"-q", "--output", ""}} {
			if p.must(t, append(args, flags...)...) == "" {
				t.Errorf("%s %v prints nothing", name, flags)
			}
			if p.err.String() != "" {
				t.Errorf("%s %v says on the way: %s", name, flags, p.err.String())
			}
		}
		p.terminal, p.env["NO_COLOR"] = true, "1"
		if got := p.must(t, args...); strings.Contains(got, "\x1b") {
			t.Errorf("%s is coloured in spite of NO_COLOR: %q", name, got)
		}
		p.terminal = false
		delete(p.env, "NO_COLOR")
	}
	contains(t, "repositories", p.must(t, "__complete", "repo", "get", ""), "acme/shop\tgeneric\n")
	contains(t, "repositories of a flag", p.must(t, "__complete", "delivery", "list", "--repo", ""), "acme/shop\tgeneric\n")
	contains(t, "pull requests", p.must(t, "__complete", "pull", "get", ""), pull+"\tacme/shop 7, open\n")
	contains(t, "pull requests of a flag", p.must(t, "__complete", "delivery", "list", "--pull", ""), pull)
	contains(t, "deliveries", p.must(t, "__complete", "delivery", "replay", ""), delivery+"\taccepted: pull request 7 is open")
	contains(t, "hosts", p.must(t, "__complete", "repo", "add", "--host", ""), "github\ngitlab\ngitea\nbitbucket\ngeneric\n")
	contains(t, "verdicts", p.must(t, "__complete", "delivery", "list", "--verdict", ""), "accepted\nignored\nduplicate\nunreadable\nrefused\n")
	contains(t, "states", p.must(t, "__complete", "pull", "list", "--state", ""), "open\nclosed\nmerged\n")
	contains(t, "outcomes", p.must(t, "__complete", "pull", "list", "--outcome", ""), "skipped\nwaiting\nblocked\nrefused\nbuilt\nended\n")
	for _, args := range [][]string{{"repo", "get", "x"}, {"pull", "get", "x"}, {"delivery", "get", "x"}} {
		if got := p.must(t, append([]string{"__complete"}, append(args, "")...)...); got != ":4\n" {
			t.Errorf("%v: a second one is completed: %q", args, got)
		}
	}
}

func TestRepositoriesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	for noun, want := range map[string]string{"repo": "no repositories\n", "pull": "no pull requests\n", "delivery": "no deliveries\n"} {
		if got := p.must(t, noun, "list"); got != want {
			t.Errorf("an empty list of %s prints %q", noun, got)
		}
	}
	out := p.must(t, "repo", "add", "acme/shop", "--host", "generic", "--url", shopRepository, "--base", "main", "--base", "release/*", "--label", "a,b", "--drafts", "--bots", "--forks", "--outsiders",
		"--at-once", "5", "--ttl", "2d", "--target", "local", "--blueprint", "deploy/shop.yaml", "--prefix", "shop-", "--config", "one,two", "--project", "default")
	contains(t, "add", out, "webhook  "+roomstest.PublicURL+"/hooks/rep_", "\nsecret   ")
	contains(t, "on the way", p.err.String(), "added acme/shop as rep_", "Have the host POST each event to this URL", "The secret is not shown again")
	if n := strings.Count(p.err.String(), "\n"); n != 3 {
		t.Errorf("%d lines are said on the way:\n%s", n, p.err.String())
	}
	secret := strings.TrimSpace(out[strings.Index(out, "secret ")+len("secret "):])
	id := reads[sdk.Repository](t, p, 0, "repo", "get", "acme/shop").ID
	contains(t, "get by id", p.must(t, "repo", "get", id), "name           acme/shop\n", "environments   shop-NUMBER, 5 at once\n", "bases          main, release/*\n", "labels         a,b\n",
		"drafts         yes\n", "bots           yes\n", "forks          yes\n", "lease          48h\n", "target         local\n", "blueprint      deploy/shop.yaml\n",
		"config sets    one, two\n", "last delivery  -\n", "webhook        "+roomstest.PublicURL+"/hooks/"+id)
	contains(t, "list", p.must(t, "repo", "list", "--project", "default"), "NAME       PROJECT  HOST", "acme/shop  default  generic  shop-NUMBER, 5 at once  -")
	contains(t, "list -o wide", p.must(t, "repo", "list", "-o", "wide"), "WEBHOOK", id, shopRepository)
	if got := p.must(t, "repo", "list", "-o", "name"); got != "acme/shop\n" {
		t.Errorf("list -o name prints %q", got)
	}
	contains(t, "change", p.must(t, "repo", "change", "acme/shop", "--label", "", "--base", "", "--config", "", "--ttl", "", "--bots=false", "--at-once", "0", "--url", "https://git.test/acme/moved.git"),
		"url            https://git.test/acme/moved.git\n", "environments   shop-NUMBER, 10 at once\n", "drafts         yes\n")
	for _, gone := range []string{"bases", "labels", "bots", "lease", "config sets"} {
		if strings.Contains(p.out.String(), gone+" ") {
			t.Errorf("change leaves %s:\n%s", gone, p.out.String())
		}
	}
	contains(t, "off", p.must(t, "repo", "change", id, "--off"), "environments   none: the policy is off\n", "drafts         yes\n")

	to := sdk.AddedRepository{Secret: secret, Repository: sdk.Repository{WebhookURL: roomstest.PublicURL + "/hooks/" + id}}
	deliver(t, p, to, secret, pullOpened)
	deliver(t, p, to, "another secret than that", pullOpened)
	contains(t, "pulls", p.must(t, "pull", "list", "--repo", "acme/shop", "--state", "open"), "REPOSITORY  NUMBER  STATE", "acme/shop   7       open")
	contains(t, "pulls -o wide", p.must(t, "pull", "list", "-o", "wide"), "Sort the basket", "ada", "main")
	pull := strings.TrimSpace(p.must(t, "pull", "list", "-o", "name"))
	contains(t, "pull", p.must(t, "pull", "get", pull), "pull request  acme/shop 7\n", "title         Sort the basket\n", "author        ada (member)\n", "from          sort\n")
	contains(t, "commands", p.must(t, "pull", "commands", pull), "no commands\n")
	contains(t, "deliveries", p.must(t, "delivery", "list", "--repo", id), "opened", "refused", "accepted", "no secret of the repository")
	contains(t, "deliveries -o wide", p.must(t, "delivery", "list", "-o", "wide"), "HOST'S ID", "127.0.0.1", pull)
	refused := strings.TrimSpace(p.must(t, "delivery", "list", "--verdict", "refused", "-o", "name"))
	accepted := strings.TrimSpace(p.must(t, "delivery", "list", "--pull", pull, "-o", "name"))
	contains(t, "delivery", p.must(t, "delivery", "get", accepted), "verdict       accepted\n", "\n\nContent-Type: application/json\n", "\n\n"+pullOpened+"\n")
	contains(t, "dry run", p.must(t, "delivery", "replay", accepted, "--dry-run"), accepted+" would be read again, ignored: no news", "pull request 7 of acme/shop would be open at aaaa")
	contains(t, "replay", p.must(t, "delivery", "replay", accepted), accepted+" was read again as dlv_", "pull request 7 of acme/shop is open at aaaa")

	p.in = "nine purple otters asleep\n"
	contains(t, "rotate", p.must(t, "repo", "rotate", "acme/shop", "--secret-stdin"), "secret   nine purple otters asleep\n")
	p.in = "short\n"
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing":         {[]string{"repo", "add", "acme/x"}, cli.ExitUsage, "--host is needed"},
		"no url":          {[]string{"repo", "add", "acme/x", "--ttl", "soon"}, cli.ExitUsage, "--url is needed\n  \"soon\" is not a length of time"},
		"no name":         {[]string{"repo", "add"}, cli.ExitUsage, "takes 1 argument(s)"},
		"faults":          {[]string{"repo", "add", "a b", "--host", "svn", "--url", "x", "--prefix", "9", "--secret-stdin"}, cli.ExitRefused, "policy.prefix: "},
		"taken":           {[]string{"repo", "add", "acme/shop", "--host", "generic", "--url", shopRepository}, cli.ExitRefused, "acme/shop"},
		"change nothing":  {[]string{"repo", "change", "acme/shop"}, cli.ExitUsage, "name what is to change"},
		"change ttl":      {[]string{"repo", "change", "acme/shop", "--ttl", "soon"}, cli.ExitUsage, "length of time"},
		"change unknown":  {[]string{"repo", "change", "acme/none", "--off"}, cli.ExitRefused, "there is no repository acme/none in project default"},
		"change badly":    {[]string{"repo", "change", "acme/shop", "--at-once", "1001"}, cli.ExitRefused, "policy.at_once: "},
		"unknown id":      {[]string{"repo", "get", "rep_none"}, cli.ExitRefused, "rep_none"},
		"rotate unknown":  {[]string{"repo", "rotate", "acme/none"}, cli.ExitRefused, "acme/none"},
		"rotate badly":    {[]string{"repo", "rotate", "acme/shop", "--secret-stdin"}, cli.ExitRefused, "secret: "},
		"remove unasked":  {[]string{"repo", "remove", "acme/shop"}, cli.ExitUsage, "--yes is needed"},
		"remove unknown":  {[]string{"repo", "remove", "acme/none", "--yes"}, cli.ExitRefused, "acme/none"},
		"pulls of none":   {[]string{"pull", "list", "--repo", "acme/none"}, cli.ExitRefused, "acme/none"},
		"pulls of 0":      {[]string{"pull", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"repos of 0":      {[]string{"repo", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"deliveries of 0": {[]string{"delivery", "list", "--limit", "0"}, cli.ExitUsage, "--limit must be at least 1"},
		"deliveries none": {[]string{"delivery", "list", "--repo", "acme/none"}, cli.ExitRefused, "acme/none"},
		"odd verdict":     {[]string{"delivery", "list", "--verdict", "odd"}, cli.ExitRefused, "verdict"},
		"no pull":         {[]string{"pull", "get", "pul_none"}, cli.ExitRefused, "pul_none"},
		"no delivery":     {[]string{"delivery", "get", "dlv_none"}, cli.ExitRefused, "dlv_none"},
		"no replay":       {[]string{"delivery", "replay", "dlv_none"}, cli.ExitRefused, "dlv_none"},
		"replay refused":  {[]string{"delivery", "replay", refused}, cli.ExitRefused, "nothing is kept of delivery"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}

	p.terminal, p.in = true, "n\n"
	if got := p.must(t, "repo", "remove", "acme/shop"); got != "" {
		t.Errorf("a no prints %q", got)
	}
	contains(t, "question", p.err.String(), "This forgets repository acme/shop with its deliveries", "[y/N]", "nothing was changed")
	p.in = "y\n"
	if got := p.must(t, "repo", "remove", "acme/shop"); got != "forgot acme/shop\n" {
		t.Errorf("remove prints %q", got)
	}
	p.terminal = false
	p.ends(t, cli.ExitRefused, "repo", "get", id)
}

// TestWhereTheSecretIsEntered holds that each host has words of its own, and that what is of another project is named by its id.
func TestWhereTheSecretIsEntered(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked sdk.AddRepositoryRequest
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		answerJSON(w, 201, sdk.AddedRepository{Secret: "s3cret", Repository: sdk.Repository{ID: "rep_1", Project: "shop", Name: "acme/shop", Host: asked.Host, WebhookURL: "https://b.test/hooks/rep_1"}})
	}))
	defer srv.Close()
	p := at(srv.URL)
	for host, says := range map[string]string{"github": "At GitHub", "gitlab": "At GitLab", "gitea": "At Gitea or Forgejo", "bitbucket": "At Bitbucket", "generic": "Have the host POST"} {
		if got := p.must(t, "repo", "add", "acme/shop", "--host", host, "--url", "https://x.test/a.git"); got != "webhook  https://b.test/hooks/rep_1\nsecret   s3cret\n" {
			t.Errorf("add prints %q", got)
		}
		contains(t, host, p.err.String(), says)
	}
	if got := p.must(t, "repo", "add", "acme/shop", "--host", "generic", "--url", "https://x.test/a.git", "-o", "name"); got != "rep_1\n" {
		t.Errorf("-o name prints %q", got)
	}
	p.terminal, p.typed = true, "nine purple otters asleep"
	p.must(t, "repo", "add", "acme/shop", "--host", "generic", "--url", "https://x.test/a.git", "--secret-stdin")
	contains(t, "what is asked", p.err.String(), "webhook secret: ")
}
