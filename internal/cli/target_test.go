package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/cli"
	"github.com/blueberry-idp/blueberry/internal/httpapi/roomstest"
	"github.com/blueberry-idp/blueberry/sdk"
)

func TestTargetsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	contains(t, "add", p.must(t, "target", "add", "eu", "--driver", "sim", "--domain", "eu.test", "--region", "europe-west6", "--cpu", "16", "--pods", "100"), "1 of 1 are there\n")
	contains(t, "on the way", p.err.String(), "registered eu\n")
	contains(t, "get", p.must(t, "target", "get", "eu"), "name         eu\n", "driver       sim\n", "region       europe-west6\n", "state        active\n", "reachable    yes\n",
		"used         0 environments", "capacity     16 cores", "100 pods")
	contains(t, "list", p.must(t, "target", "list"), "eu     sim     eu.test")
	contains(t, "update", p.must(t, "target", "update", "eu", "--domain", "previews.test", "--region", ""), "domain       previews.test\n", "driver       sim\n")
	if got := p.must(t, "target", "get", "eu"); strings.Contains(got, "region") {
		t.Errorf("an empty value takes nothing away:\n%s", got)
	}
	contains(t, "forget-capacity", p.must(t, "target", "update", "eu", "--forget-capacity"), "name         eu\n")
	contains(t, "cordon", p.must(t, "target", "cordon", "eu", "--reason", "its nodes are replaced"), "state        cordoned: its nodes are replaced\n")
	contains(t, "uncordon", p.must(t, "target", "uncordon", "eu"), "state        active\n")
	contains(t, "check", p.must(t, "target", "check", "eu"), "1 of 1 are there\n")
	contains(t, "check -o wide", p.must(t, "target", "check", "eu", "-o", "wide"), "✓ reach: a simulated place\n")
	contains(t, "completion", p.must(t, "__complete", "target", "drain", ""), "eu\tsim\n")
	if got := p.must(t, "__complete", "target", "drain", "eu", ""); got != ":4\n" {
		t.Errorf("a second target is completed: %q", got)
	}
	p.in = "nonsense"
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"update nothing":  {[]string{"target", "update", "eu"}, cli.ExitUsage, "name what is to change"},
		"cordon":          {[]string{"target", "cordon", "eu"}, cli.ExitUsage, "--reason is needed"},
		"drain":           {[]string{"target", "drain", "eu"}, cli.ExitUsage, "--reason is needed"},
		"input twice":     {[]string{"target", "add", "x", "--kubeconfig", "-", "--argocd-kubeconfig", "-"}, cli.ExitUsage, "the input can be read once"},
		"update twice":    {[]string{"target", "update", "eu", "--kubeconfig", "-", "--argocd-kubeconfig", "-"}, cli.ExitUsage, "the input can be read once"},
		"no file":         {[]string{"target", "add", "x", "--kubeconfig", "/none/file"}, cli.ExitError, "/none/file"},
		"no argo file":    {[]string{"target", "update", "eu", "--argocd-kubeconfig", "/none/file"}, cli.ExitError, "/none/file"},
		"taken":           {[]string{"target", "add", "eu", "--driver", "sim", "--domain", "eu.test"}, cli.ExitRefused, "eu"},
		"no kubeconfig":   {[]string{"target", "update", "eu", "--kubeconfig", "-"}, cli.ExitRefused, "kubeconfig"},
		"unknown":         {[]string{"target", "get", "none"}, cli.ExitRefused, "none"},
		"unknown check":   {[]string{"target", "check", "none"}, cli.ExitRefused, "none"},
		"remove unasked":  {[]string{"target", "remove", "eu"}, cli.ExitUsage, "--yes is needed"},
		"drain unasked":   {[]string{"target", "drain", "eu", "--reason", "x"}, cli.ExitUsage, "--yes is needed"},
		"remove unknown":  {[]string{"target", "remove", "none", "--yes"}, cli.ExitRefused, "none"},
		"drain unknown":   {[]string{"target", "drain", "none", "--plan"}, cli.ExitRefused, "none"},
		"scan unknown":    {[]string{"target", "scan", "none"}, cli.ExitRefused, "none"},
		"approve unasked": {[]string{"orphan", "approve", "orp_1"}, cli.ExitUsage, "--yes is needed"},
	} {
		_, said := p.ends(t, tc.code, tc.args...)
		contains(t, name, said, tc.says)
	}
	p.terminal, p.in = true, "n\n"
	if got := p.must(t, "target", "remove", "eu"); got != "" {
		t.Errorf("a no prints %q", got)
	}
	contains(t, "question", p.err.String(), "This forgets target eu and its kubeconfig.", "[y/N]", "nothing was changed")
	p.in = "y\n"
	if got := p.must(t, "target", "remove", "eu"); got != "forgot eu\n" {
		t.Errorf("remove prints %q", got)
	}
	p.terminal = false
	p.ends(t, cli.ExitRefused, "target", "get", "eu")
}

// TestATargetThatLacksSomething reads the answer of a server whose target does.
func TestATargetThatLacksSomething(t *testing.T) {
	t.Parallel()
	list := sdk.TargetCheckList{Items: []sdk.TargetCheck{
		{Name: "reach", OK: true}, {Name: "read Pod", Message: "may not list pods\x1b[2J", Manifest: "kind: Role\nmetadata: {name: \"a\"}\x1b[2J\n"}, {Name: "metrics", Optional: true, Message: "no metrics"},
	}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, list) }))
	defer srv.Close()
	p := at(srv.URL)
	out, said := p.ends(t, cli.ExitError, "target", "check", "eu")
	if want := "✗ read Pod: may not list pods[2J\n- metrics: no metrics\n1 of 3 are there\n\n# for read Pod\nkind: Role\nmetadata: {name: \"a\"}[2J\n"; out != want {
		t.Errorf("check prints %q", out)
	}
	contains(t, "error", said, "Error: target eu lacks what it needs")
	if got := reads[sdk.TargetCheckList](t, p, cli.ExitError, "target", "check", "eu"); len(got.Items) != 3 {
		t.Errorf("-o json gives %+v", got)
	}
}

func TestADrainSaysWhatGoesAndAsksFirst(t *testing.T) {
	t.Parallel()
	_, p := rooms(t)
	p.create(t, "pr-1")
	contains(t, "plan", p.must(t, "target", "drain", "local", "--plan"), "draining local would remove 1 environment\n", "  default/pr-1 (ready) of admin\n")
	p.terminal, p.in = true, "n\n"
	if got := p.must(t, "target", "drain", "local", "--reason", "it is given up"); got != "" {
		t.Errorf("a no prints %q", got)
	}
	contains(t, "question", p.err.String(), "draining local would remove 1 environment\n  default/pr-1 (ready) of admin\nGo on? [y/N] ", "nothing was changed")
	contains(t, "after a no", p.must(t, "target", "get", "local"), "state        active\n")
	p.in = "y\n"
	contains(t, "drain", p.must(t, "target", "drain", "local", "--reason", "it is given up"), "draining local removes 1 environment\n")
	p.terminal = false
	contains(t, "after a yes", p.must(t, "target", "get", "local"), "state        draining: it is given up\n")
	_, said := p.ends(t, cli.ExitRefused, "env", "create", "--repo", shopRepository, "--name", "pr-2")
	contains(t, "create", said, "it is given up")
	if got := reads[sdk.TargetDrain](t, p, 0, "target", "drain", "local", "--plan"); !got.Planned {
		t.Errorf("the plan is %+v", got)
	}
}

// leave makes what a removal that went wrong would have left, and finds it.
func leave(t *testing.T, r *roomstest.Rooms, p *person) string {
	t.Helper()
	const labels = "labels: {blueberry.dev/project: default, blueberry.dev/environment: gone}"
	for _, doc := range []string{
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: default-gone, " + labels + "}\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default-gone, " + labels + "}\nspec: {ports: [{port: 80}]}\n",
	} {
		if err := r.Place.Create([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // what is seen once may be on its way
		p.must(t, "target", "scan", "local")
		contains(t, "scan", p.err.String(), "the scan of local begins")
		if id := found(t, p); id != "" {
			return id
		}
	}
	t.Fatal("nothing is found")
	return ""
}

// found gives the id of the first orphan, as soon as there is one.
func found(t *testing.T, p *person) string {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.After(5*time.Minute)
	defer tick.Stop()
	for {
		if id := strings.TrimSpace(p.must(t, "orphan", "list", "-o", "name")); id != "" {
			return id
		}
		select {
		case <-tick.C:
		case <-end:
			return ""
		}
	}
}

func TestOrphansOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	if got := p.must(t, "orphan", "list"); got != "no orphans\n" {
		t.Errorf("an empty list prints %q", got)
	}
	id := leave(t, r, p)
	contains(t, "list", p.must(t, "orphan", "list", "--target", "local", "--kind", "objects"), "ID  ", "APPROVED", id+"  local   objects  default/gone  2")
	if got := p.must(t, "orphan", "list", "--kind", "record", "-o", "json"); got != "[]\n" {
		t.Errorf("an empty list as JSON is %q", got)
	}
	contains(t, "get", p.must(t, "orphan", "get", id), id+" on local, objects of default/gone: ", "  namespace/default-gone\n", "  service/web in default-gone\n")
	contains(t, "completion", p.must(t, "__complete", "orphan", "approve", ""), id+"\t")
	usage(t, p, "--yes is needed", "orphan", "approve", id)
	p.terminal, p.in = true, "n\n"
	if got := p.must(t, "orphan", "approve", id); got != "" {
		t.Errorf("a no prints %q", got)
	}
	contains(t, "question", p.err.String(), "This removes from target local what was of default/gone:\n  namespace/default-gone\n", "Go on? [y/N]", "nothing was changed")
	if got := reads[sdk.Orphan](t, p, 0, "orphan", "get", id); got.ApprovedBy != "" {
		t.Errorf("after a no it is %+v", got)
	}
	p.terminal = false
	contains(t, "approve", p.must(t, "orphan", "approve", id, "--yes"), "admin allowed its removal (20")
	p.ends(t, cli.ExitRefused, "orphan", "get", "orp_none")
}

// TestAnOrphanOfFilesIsOneInGit reads the question of it, and of one with many objects.
func TestAnOrphanOfFilesIsOneInGit(t *testing.T) {
	t.Parallel()
	orphan := sdk.Orphan{ID: "orp_1", Target: "eu", Kind: "files", Project: "shop", Env: "pr-7", Objects: []sdk.ObjectRef{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s without a yes", r.Method, r.URL)
		}
		answerJSON(w, 200, orphan)
	}))
	defer srv.Close()
	p := at(srv.URL)
	p.terminal = true
	p.must(t, "orphan", "approve", "orp_1")
	contains(t, "question", p.err.String(), "This removes from Git the files of shop/pr-7 on target eu.\nGo on?")
	orphan.Kind = "objects"
	for range 30 {
		orphan.Objects = append(orphan.Objects, sdk.ObjectRef{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop-pr-7", Name: "web"})
	}
	p.must(t, "orphan", "approve", "orp_1")
	contains(t, "question", p.err.String(), "  deployment.apps/web in shop-pr-7\n  and more; blueberry orphan get shows all\nGo on?")
	if n := strings.Count(p.err.String(), "deployment.apps/web"); n != 20 {
		t.Errorf("%d objects are named", n)
	}
}
