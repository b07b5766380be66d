package cli_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/cli"
)

// TestBranchAndImagesOnTheCommandLine: --branch and --image at a create and a change, and what get and why say of them.
func TestBranchAndImagesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	r, p := rooms(t)
	const front = "https://git.test/acme/front.git"
	commit := r.Push(front, map[string]string{"x": "y"})
	r.Push(shopRepository, map[string]string{"blueberry.yaml": `name: shop
repositories: [{name: front, url: "` + front + `"}]
components: [{name: web, repository: front}, {name: api, image: "acme/api:1"}]
computed: {web.image: "acme/web:${commit}"}
`})
	digest := func(name, digit string) string { return "acme/" + name + "@sha256:" + strings.Repeat(digit, 64) }
	p.create(t, "pr-1", "--branch", "feature/x", "--image", "api="+digest("api", "a"))
	contains(t, "get", p.must(t, "env", "get", "pr-1"), "branch      feature/x\n", "repository  front default branch at "+commit[:12]+"\n", "image       api as "+digest("api", "a")+"\n")
	contains(t, "why", p.must(t, "config", "why", "pr-1", "api.image"), digest("api", "a"), "built by CI")
	p.must(t, "env", "change", "pr-1", "--image", "web="+digest("web", "b"), "--wait")
	if diff := cmp.Diff(map[string]string{"api": digest("api", "a"), "web": digest("web", "b")}, inputs(t, p, "pr-1").Images); diff != "" {
		t.Errorf("the images are not merged (-want +got):\n%s", diff)
	}
	p.must(t, "env", "change", "pr-1", "--branch", "main", "--image", "api=", "--wait")
	if got := inputs(t, p, "pr-1"); got.Branch != "main" || !got.Repositories[0].Matched || !cmp.Equal(got.Images, map[string]string{"web": digest("web", "b")}) {
		t.Errorf("changed to %+v", got)
	}
	p.must(t, "env", "change", "pr-1", "--branch", "", "--wait")
	if got := inputs(t, p, "pr-1"); got.Branch != "" || got.Repositories[0].Matched {
		t.Errorf("an empty --branch is not none: %+v", got)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no component": {[]string{"--image", "acme/api:1"}, cli.ExitUsage, "is no component with its image"},
		"no digest":    {[]string{"--image", "api=acme/api:1"}, cli.ExitRefused, "images.api"},
		"unknown":      {[]string{"--image", "none=" + digest("api", "a")}, cli.ExitRefused, "images.none"},
		"no branch":    {[]string{"--branch", "a b"}, cli.ExitRefused, "branch"},
	} {
		_, said := p.ends(t, tc.code, append([]string{"env", "change", "pr-1"}, tc.args...)...)
		contains(t, name, said, tc.says)
	}
}
