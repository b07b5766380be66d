package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

// TestRepositoriesAndImagesOverTheWire: what an environment is made of beside its own repository, and what CI built, goes in and comes out again.
func TestRepositoriesAndImagesOverTheWire(t *testing.T) {
	t.Parallel()
	r, c := rooms(t)
	ctx := t.Context()
	const front = "https://git.test/acme/front.git"
	commit := r.Push(front, map[string]string{"x": "y"})
	blueprint := sdk.Blueprint{
		Name: "shop", Repositories: []sdk.SideRepository{{Name: "front", URL: front, Ref: "main", Match: "branch"}},
		Components: []sdk.Component{{Name: "web", Repository: "front", Paths: []string{"src/**"}}, {Name: "api", Image: "acme/api:1"}},
		Computed:   map[string]string{"web.image": "acme/web:${commit}"},
	}
	image := "acme/api@sha256:" + strings.Repeat("a", 64)
	request := sdk.CreateEnvironmentRequest{Name: "pr-1", Blueprint: &blueprint, Branch: "feature/x", Images: map[string]string{"api": image}}
	plan := got[sdk.Plan](t)(c.PlanNewEnvironment(ctx, request))
	for _, want := range []sdk.PlanInput{
		{Kind: "commit", Name: "front", Value: commit}, {Kind: "branch", Name: "front", Value: "feature/x → main (no such branch)"}, {Kind: "image", Name: "api", Value: image},
	} {
		if !slices.Contains(plan.Inputs, want) {
			t.Errorf("the plan does not say %+v: %+v", want, plan.Inputs)
		}
	}
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, request))
	env = got[sdk.Environment](t)(c.GetEnvironment(ctx, env.ID))
	rev := got[sdk.Revision](t)(c.GetEnvironmentRevision(ctx, env.ID, 1))
	want := []sdk.SourceRepository{{Name: "front", Repository: front, Ref: "main", Commit: commit}}
	for what, x := range map[string]struct {
		branch string
		list   []sdk.SourceRepository
		images map[string]string
	}{"environment": {env.Branch, env.Repositories, env.Images}, "revision": {rev.Branch, rev.Repositories, rev.Images}} {
		if x.branch != "feature/x" || !cmp.Equal(x.list, want) || !cmp.Equal(x.images, request.Images) {
			t.Errorf("the %s says %+v", what, x)
		}
	}
	if !cmp.Equal(rev.Blueprint.Repositories, blueprint.Repositories) || rev.Blueprint.Components[0].Repository != "front" || !cmp.Equal(rev.Blueprint.Components[0].Paths, []string{"src/**"}) {
		t.Errorf("the blueprint came back as %+v", rev.Blueprint)
	}

	branch := "main"
	changed := got[sdk.ChangedEnvironment](t)(c.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{Branch: &branch, Images: map[string]string{}}))
	rev = got[sdk.Revision](t)(c.GetEnvironmentRevision(ctx, env.ID, changed.Environment.Revision))
	if rev.Number != 2 || rev.Branch != "main" || len(rev.Images) != 0 || !rev.Repositories[0].Matched || rev.Repositories[0].Ref != "refs/heads/main" {
		t.Errorf("changed to %+v", rev)
	}
	diff := got[sdk.RevisionDiff](t)(c.DiffEnvironmentRevisions(ctx, env.ID, 1, 2))
	for _, want := range []sdk.InputChange{{Kind: "image", Name: "api", Before: image}, {Kind: "branch", Name: "front", Before: "feature/x → main (no such branch)", After: "main"}} {
		if !slices.Contains(diff.Inputs, want) {
			t.Errorf("the comparison does not say %+v: %+v", want, diff.Inputs)
		}
	}

	_, err := c.ChangeEnvironment(ctx, env.ID, sdk.ChangeEnvironmentRequest{Images: map[string]string{"api": "acme/api:1", "none": image}})
	if got, want := sorted(fieldsOf(problemOf(t, err, 422, "VALIDATION_FAILED"))), []string{"images.api image_unpinned", "images.none unknown"}; !cmp.Equal(got, want) {
		t.Errorf("faults %q, want %q", got, want)
	}
	blueprint.Repositories[0].URL = "https://git.test/acme/gone.git"
	_, err = c.PlanNewEnvironment(ctx, sdk.CreateEnvironmentRequest{Name: "pr-2", Blueprint: &blueprint})
	if got, want := fieldsOf(problemOf(t, err, 422, "VALIDATION_FAILED")), []string{"blueprint.repositories[0].url repository_not_found"}; !cmp.Equal(got, want) {
		t.Errorf("faults %q, want %q", got, want)
	}
}
