package app

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/source"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// commitChart moves a branch of a repository, which it makes, to a commit whose chart says something, and gives it.
func commitChart(t *testing.T, dir, branch, says string) string {
	t.Helper()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		git("init", "--quiet", "--initial-branch=main", ".")
	} else {
		git("checkout", "--quiet", "-B", branch)
	}
	for name, content := range map[string]string{
		"chart/Chart.yaml":        "apiVersion: v2\nname: front\nversion: 1.0.0\n",
		"chart/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: front}\ndata: {says: " + says + ", tag: \"{{ .Values.tag }}\"}\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("add", "--all")
	git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--allow-empty", "--message", "more")
	return git("rev-parse", "HEAD")
}

// TestRepositoriesOfABlueprint: with real repositories, what belongs to a pull request is made of the branch of its name elsewhere too; what that is called does
// nothing but choose; and moving to what is there already is none.
func TestRepositoriesOfABlueprint(t *testing.T) {
	t.Parallel()
	h := newTierHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	shop, front := t.TempDir(), t.TempDir()
	main := commitChart(t, front, "main", "main")
	feature := commitChart(t, front, "feature/x", "feature")
	tag := commitChart(t, front, "tagged", "tagged")
	cmd := exec.CommandContext(ctx, "git", "-C", front, "tag", "v1", tag)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(ctx, "git", "-C", front, "checkout", "--quiet", "main").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	commit := h.commit(shop, `name: shop
repositories: [{name: front, url: "`+front+`"}]
components: [{name: api, image: "acme/api:1"}, {name: front, repository: front, chart: chart}]
computed: {front.tag: "${commit}"}
`)
	envs := pullEnvironments{h.provisioner, h.store}
	actor := blueberry.Actor{
		Kind: blueberry.ActorJob, ID: "rep_1", Name: "repository acme/shop", Projects: map[string][]blueberry.Grant{blueberry.DefaultProject: blueberry.RoleDeveloper.Grants()},
	}
	wish := source.EnvironmentWish{Project: blueberry.DefaultProject, Name: "pr-1", Repository: shop, Commit: commit, Branch: "feature/x", Key: "k"}
	e, made, err := envs.Create(ctx, actor, wish)
	if err != nil || made != commit {
		t.Fatalf("made of %s: %v", made, err)
	}
	shows := func(id string, words ...string) blueberry.Revision {
		t.Helper()
		rev, err := h.provisioner.Revision(ctx, h.admin, id, 0)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for _, f := range rev.Rendering.Files {
			text += string(f.Content)
		}
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("revision %d does not have %q", rev.Number, w)
			}
		}
		return rev
	}
	shows(e.ID, "says: feature", "tag: "+feature)

	move := func(want int) {
		t.Helper()
		if err := envs.Move(ctx, actor, e.ID, wish); err != nil {
			t.Fatal(err)
		}
		if rev := shows(e.ID); rev.Number != want {
			t.Errorf("revision %d, want %d", rev.Number, want)
		}
	}
	move(1)
	wish.Images = map[string]string{"api": "acme/api@sha256:" + strings.Repeat("a", 64)}
	move(2)
	move(2)
	shows(e.ID, "image: "+wish.Images["api"])
	wish.Commits = map[string]string{"api": main}
	move(3)
	wish.Branch = "feature/y"
	move(4)
	move(4)
	shows(e.ID, "says: main", "tag: "+main)
	wish.Images, wish.Commits = nil, nil // which says nothing of them
	move(4)

	for _, branch := range []string{"--upload-pack=touch " + filepath.Join(front, "owned"), "v1", "../tags/v1", "refs/tags/v1", "*", "feature/x^{commit}", main, tag[:12], "feature/x\n", "HEAD", "$(id)"} {
		plan, err := h.provisioner.PlanCreate(ctx, h.admin, provision.CreateRequest{Name: "other", Wish: provision.Wish{Repository: &shop, Branch: &branch}})
		var bad *blueberry.Error
		if errors.As(err, &bad) && len(bad.Fields) == 1 && bad.Fields[0].Field == "branch" {
			continue
		}
		if err != nil {
			t.Errorf("branch %q: %v", branch, err)
			continue
		}
		for _, in := range plan.Inputs {
			if in.Kind == blueberry.InputCommit && in.Name == "front" && in.Value != main {
				t.Errorf("branch %q chose %s", branch, in.Value)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(front, "owned")); err == nil {
		t.Error("the name of a branch was run")
	}

	// Of a stranger, only the base says what there is.
	stranger := source.EnvironmentWish{
		Project: blueberry.DefaultProject, Name: "pr-2", Repository: shop, Ref: "refs/heads/main", Commit: strings.Repeat("e", 40), Branch: "feature/x", Restricted: true, Key: "k2",
		Images: map[string]string{"api": "acme/api@sha256:" + strings.Repeat("b", 64)},
	}
	r, _, err := envs.Create(ctx, actor, stranger)
	if err != nil {
		t.Fatal(err)
	}
	if rev := shows(r.ID, "says: main", "tag: "+main, "image: "+stranger.Images["api"]); rev.Branch != "" || rev.Sources[0].Matched {
		t.Errorf("the branch of a stranger is %q", rev.Branch)
	}
}
