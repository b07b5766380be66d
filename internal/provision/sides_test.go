package provision_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const (
	webRepository  = "https://git.example.com/web.git"
	docsRepository = "https://git.example.com/docs"
)

// many is several repositories with branches, beside that of the house. It is what is outside.
type many struct {
	shop *sources

	mu       sync.Mutex
	branches map[string]string // "repository branch" → commit
	trees    map[string]fstest.MapFS
	away     map[string]bool
	asked    []string // "repository ref"
	open     int
	n        int
}

// push moves a branch to a new commit with these files.
func (m *many) push(repository, branch string, files map[string]string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	commit := fmt.Sprintf("%08x%032d", 0xc0ffee00, m.n)
	tree := fstest.MapFS{}
	for name, content := range files {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	m.branches[repository+" "+branch], m.trees[repository+" "+commit] = commit, tree
	return commit
}

func (m *many) drop(repository, branch string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.branches, repository+" "+branch)
}

func (m *many) takeAsked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.asked
	m.asked = nil
	slices.Sort(out)
	return out
}

func (m *many) Fetch(ctx context.Context, project, repository, ref string) (provision.Tree, error) {
	if repository == shopRepository {
		return m.shop.Fetch(ctx, project, repository, ref)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, repository+" "+ref)
	fault := func(field, code string) (provision.Tree, error) {
		return provision.Tree{}, blueberry.Faults{{Field: field, Code: code, Message: "is not to be had"}}.Err()
	}
	if m.away[repository] {
		return fault("source.repository", "repository_unreachable")
	}
	if _, there := m.branches[repository+" main"]; !there {
		return fault("source.repository", "repository_not_found")
	}
	if strings.Contains(ref, "..") || strings.HasPrefix(ref, "-") {
		return fault("source.ref", "ref_name")
	}
	commit := ref
	if m.trees[repository+" "+ref] == nil {
		branch := strings.TrimPrefix(ref, "refs/heads/")
		if branch == "" {
			branch = "main"
		}
		var ok bool
		if commit, ok = m.branches[repository+" "+branch]; !ok {
			return fault("source.ref", "ref_not_found")
		}
	}
	m.open++
	var once sync.Once
	return provision.Tree{Commit: commit, FS: m.trees[repository+" "+commit], Close: func() error {
		once.Do(func() { m.mu.Lock(); defer m.mu.Unlock(); m.open-- })
		return nil
	}}, nil
}

const manyBlueprint = `name: shop
repositories:
  - {name: web, url: "https://git.example.com/web.git"}
  - {name: docs, url: "https://git.example.com/docs", ref: main, match: fixed}
components:
  - {name: api}
  - {name: front, repository: web, chart: chart}
  - {name: docs, repository: docs}
computed:
  api.image: "registry.example.com/api:${commit}"
  front.tag: "${commit}"
  docs.image: "registry.example.com/docs:${commit}"
`

func chartSaying(text string) map[string]string {
	return map[string]string{
		"chart/Chart.yaml":  "apiVersion: v2\nname: front\nversion: 1.0.0\n",
		"chart/values.yaml": "tag: none\n",
		"chart/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: front}\ndata:\n  says: " + text +
			"\n  tag: \"{{ .Values.tag }}\"\n",
	}
}

// manyHouse is a house with three repositories, each at its first commit.
func manyHouse(t *testing.T, s *storetest.Store) (h *house, m *many, shop, web, docs string) {
	t.Helper()
	h = newHouse(t, s)
	m = &many{shop: h.code, branches: map[string]string{}, trees: map[string]fstest.MapFS{}, away: map[string]bool{}}
	h.Sources = m
	shop = h.code.push(manyBlueprint)
	web, docs = m.push(webRepository, "main", chartSaying("main")), m.push(docsRepository, "main", nil)
	t.Cleanup(func() {
		if m.open != 0 {
			t.Errorf("%d trees were not given back", m.open)
		}
	})
	return h, m, shop, web, docs
}

func ofShop(branch string) provision.Wish {
	return provision.Wish{Repository: ptr(shopRepository), Ref: ptr("main"), Branch: ptr(branch)}
}

// renderingOf is all manifests of a revision as one text.
func (h *house) renderingOf(t *testing.T, id string, number int) (string, blueberry.Revision) {
	t.Helper()
	rev, err := h.Revision(t.Context(), admin, id, number)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range rev.Rendering.Files {
		b.Write(f.Content)
	}
	return b.String(), rev
}

func (h *house) rendered(t *testing.T, id string, number int, words ...string) {
	t.Helper()
	text, _ := h.renderingOf(t, id, number)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("revision %d does not have %q", number, w)
		}
	}
}

func inputOf(plan blueberry.Plan, kind, name string) string {
	for _, in := range plan.Inputs {
		if in.Kind == kind && in.Name == name {
			return in.Value
		}
	}
	return ""
}

// TestRepositoriesAreMatched: each component is made of its own repository, at the branch of the name where there is one, and the plan says which.
func TestRepositoriesAreMatched(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, m, shop, web, docs := manyHouse(t, s)
		ctx := t.Context()
		feature := m.push(webRepository, "feature-x", chartSaying("feature"))
		m.push(docsRepository, "feature-x", nil) // which is fixed, and so takes no notice

		plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: ofShop("feature-x")})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range [][3]string{
			{blueberry.InputCommit, "web", feature},
			{blueberry.InputBranch, "web", "feature-x"},
			{blueberry.InputCommit, "docs", docs},
			{blueberry.InputBranch, "docs", "main"},
			{blueberry.InputCommit, shopRepository, shop},
		} {
			if got := inputOf(plan, want[0], want[1]); got != want[2] {
				t.Errorf("the plan says %s %s is %q, want %q", want[0], want[1], got, want[2])
			}
		}
		e, err := h.Create(ctx, admin, provision.CreateRequest{PlanID: plan.ID})
		if err != nil {
			t.Fatal(err)
		}
		h.until(t, e.ID, phase(blueberry.Ready))
		h.rendered(t, e.ID, 1, "says: feature", "tag: "+feature, "registry.example.com/api:"+shop, "registry.example.com/docs:"+docs)
		_, rev := h.renderingOf(t, e.ID, 1)
		want := []blueberry.ComponentSource{
			{Name: "web", Repository: webRepository, Ref: "refs/heads/feature-x", Commit: feature, Matched: true},
			{Name: "docs", Repository: docsRepository, Ref: "main", Commit: docs},
		}
		if diff := cmp.Diff(want, rev.Sources); diff != "" || rev.Branch != "feature-x" {
			t.Errorf("branch %q, repositories (-want +got):\n%s", rev.Branch, diff)
		}

		other := h.make(t, "pr-2", ofShop("feature-y"))
		h.rendered(t, other.ID, 1, "says: main", "tag: "+web)
		plan, err = h.Plan(ctx, admin, other.ID, provision.PlanRequest{Change: &provision.ChangeRequest{Refresh: true}})
		if got := inputOf(plan, blueberry.InputBranch, "web"); err != nil || got != "feature-y → default branch (no such branch)" || plan.Changes() {
			t.Errorf("a branch that is not there: %q (%v)", got, err)
		}
		none := h.make(t, "env", provision.Wish{Repository: ptr(shopRepository)})
		h.rendered(t, none.ID, 1, "says: main")
		for _, hostile := range []string{"../../main", "-upload-pack", strings.Repeat("x", 255)} { // they are asked for by their full names only
			m.takeAsked()
			plan, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "other", Wish: ofShop(hostile)})
			if asked := m.takeAsked(); err != nil || inputOf(plan, blueberry.InputCommit, "web") != web || !slices.Contains(asked, webRepository+" refs/heads/"+hostile) ||
				slices.Contains(asked, webRepository+" "+hostile) {
				t.Errorf("branch %q: asked for %q (%v)", hostile, asked, err)
			}
		}
		for _, bad := range []string{"a b", "a\nb", "\xff", strings.Repeat("x", 256)} {
			if _, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "other", Wish: ofShop(bad)}); !slices.Contains(faultsOf(err), "branch pattern") {
				t.Errorf("branch %q: %v", bad, err)
			}
		}
	})
}

// TestRepositoriesStayAndMove: commits are pinned, a refresh takes the newest of all, a plan tells which moved, and what is rolled back stays away.
func TestRepositoriesStayAndMove(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, m, _, web, _ := manyHouse(t, s)
		ctx := t.Context()
		e := h.make(t, "pr-1", ofShop("feature-x"))
		m.takeAsked()

		feature := m.push(webRepository, "feature-x", chartSaying("feature"))
		change := provision.Wish{Overrides: map[string]any{"api": map[string]any{"replicas": 2}}}
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: change}); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 2, "says: main", "tag: "+web)
		if asked := m.takeAsked(); !cmp.Equal(asked, []string{webRepository + " " + web}) {
			t.Errorf("a change asked for %q", asked)
		}

		plan, err := h.Plan(ctx, admin, e.ID, provision.PlanRequest{Change: &provision.ChangeRequest{Refresh: true}})
		if err != nil || inputOf(plan, blueberry.InputCommit, "web") != feature {
			t.Fatalf("a refresh would take %q (%v)", inputOf(plan, blueberry.InputCommit, "web"), err)
		}
		feature = m.push(webRepository, "feature-x", chartSaying("better"))
		_, err = h.Change(ctx, admin, e.ID, provision.ChangeRequest{PlanID: plan.ID})
		var moved *blueberry.Error
		if !errors.As(err, &moved) || moved.Code != "PLAN_MOVED" || !slices.ContainsFunc(moved.Fields, func(f blueberry.Fault) bool { return f.Field == "inputs.commit.web" }) {
			t.Errorf("applied in spite of a push: %v", err)
		}
		if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 3, "says: better", "tag: "+feature)
		e = h.until(t, e.ID, synced(3))
		if again, err := h.Refresh(ctx, admin, e.ID); err != nil || again.Environment.Revision != 3 {
			t.Errorf("a refresh without news gives revision %d (%v)", again.Environment.Revision, err)
		}

		if _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 2}); err != nil {
			t.Fatal(err)
		}
		before, _ := h.renderingOf(t, e.ID, 2)
		after, rev := h.renderingOf(t, e.ID, 4)
		if before != strings.ReplaceAll(after, `blueberry.dev/revision: "4"`, `blueberry.dev/revision: "2"`) || rev.Sources[0].Commit != web {
			t.Error("what came back is not what was")
		}
		holds, err := h.Holds(ctx, admin, e.ID)
		if err != nil || !slices.ContainsFunc(holds, func(x blueberry.Hold) bool {
			return x.PlanInput == blueberry.PlanInput{Kind: blueberry.InputCommit, Name: "web", Value: feature}
		}) {
			t.Errorf("holds %+v (%v)", holds, err)
		}
		again, err := h.Refresh(ctx, admin, e.ID)
		if err != nil || again.Environment.Revision != 4 || !slices.ContainsFunc(again.Plan.Warnings, func(w blueberry.Warning) bool { return w.Code == "held" && w.Field == "commit.web" }) {
			t.Errorf("a refresh took what is held, or says nothing: revision %d, %+v (%v)", again.Environment.Revision, again.Plan.Warnings, err)
		}
		newest := m.push(webRepository, "feature-x", chartSaying("best"))
		if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 5, "says: best", "tag: "+newest)

		d, err := h.DiffRevisions(ctx, admin, e.ID, 2, 5)
		if err != nil || !slices.Contains(d.Inputs, provision.InputChange{Kind: blueberry.InputCommit, Name: "web", Before: web, After: newest}) ||
			!slices.Contains(d.Inputs, provision.InputChange{
				Kind: blueberry.InputBranch, Name: "web", Before: "feature-x → default branch (no such branch)", After: "feature-x",
			}) {
			t.Errorf("the comparison says %+v (%v)", d.Inputs, err)
		}
		m.drop(webRepository, "feature-x")
		if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 6, "says: main", "tag: "+web)
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Branch: ptr("")}}); err != nil {
			t.Fatal(err)
		}
		if _, rev := h.renderingOf(t, e.ID, 0); rev.Branch != "" {
			t.Errorf("the branch is still %q", rev.Branch)
		}
	})
}

// TestRepositoriesAreUndone: an environment that ended is made again of the same commits, under its name byte for byte.
func TestRepositoriesAreUndone(t *testing.T) {
	t.Parallel()
	h := newArchiveHouse(t, storetest.SQLite(t))
	m := &many{shop: h.code, branches: map[string]string{}, trees: map[string]fstest.MapFS{}, away: map[string]bool{}}
	h.Sources = m
	h.code.push(manyBlueprint)
	web := m.push(webRepository, "main", chartSaying("main"))
	m.push(docsRepository, "main", nil)
	e := h.make(t, "pr-1", ofShop("feature-x"))
	was, _ := h.renderingOf(t, e.ID, 1)
	m.push(webRepository, "main", chartSaying("later"))
	m.push(webRepository, "feature-x", chartSaying("feature"))
	h.destroy(t, e.ID)
	if record := h.file(t, e.ID, "record.json"); !strings.Contains(record, web) || !strings.Contains(record, `"branch": "feature-x"`) {
		t.Errorf("the archive says nothing of the repositories: %s", record)
	}
	again, err := h.Undo(t.Context(), admin, e.ID, provision.UndoRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if is, rev := h.renderingOf(t, again.ID, 1); is != was || rev.Sources[0].Commit != web || rev.Branch != "feature-x" {
		t.Errorf("made again as something else, of %+v", rev.Sources)
	}
	other, err := h.Undo(t.Context(), admin, e.ID, provision.UndoRequest{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	h.rendered(t, other.ID, 1, "says: main", "tag: "+web)
	if m.open != 0 {
		t.Errorf("%d trees were not given back", m.open)
	}
}

// TestRepositoriesThatAreNotThere: every fault is told at the repository that it is of.
func TestRepositoriesThatAreNotThere(t *testing.T) {
	t.Parallel()
	h, m, _, _, _ := manyHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	plan := func(alter func(*blueberry.Blueprint)) error {
		b := blueberry.Blueprint{
			Name: "shop", Repositories: []blueberry.SideRepository{{Name: "web", URL: webRepository}, {Name: "docs", URL: docsRepository}},
			Components: []blueberry.Component{{Name: "front", Repository: "web", Chart: "chart"}, {Name: "docs", Repository: "docs", Image: "acme/docs:1"}},
		}
		alter(&b)
		_, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: provision.Wish{Blueprint: &b}})
		return err
	}
	for name, c := range map[string]struct {
		alter func(*blueberry.Blueprint)
		want  []string
	}{
		"all there": {func(*blueberry.Blueprint) {}, nil},
		"unused": {func(b *blueberry.Blueprint) {
			b.Repositories = append(b.Repositories, blueberry.SideRepository{Name: "x", URL: "https://nowhere"})
		}, nil},
		"no such repositories": {
			func(b *blueberry.Blueprint) {
				b.Repositories[0].URL, b.Repositories[1].URL = "https://no/a", "https://no/b"
			},
			[]string{"blueprint.repositories[0].url repository_not_found", "blueprint.repositories[1].url repository_not_found"},
		},
		"no such ref":  {func(b *blueberry.Blueprint) { b.Repositories[1].Ref = "v9" }, []string{"blueprint.repositories[1].ref ref_not_found"}},
		"no such file": {func(b *blueberry.Blueprint) { b.Components[0].Chart = "charts/other" }, []string{"blueprint.components[0].chart chart"}},
		"unknown name": {func(b *blueberry.Blueprint) { b.Components[0].Repository = "wob" }, []string{"blueprint.components[0].repository unknown"}},
	} {
		err := plan(c.alter)
		if got := faultsOf(err); !cmp.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, err)
		}
	}
	m.mu.Lock()
	m.away[webRepository] = true
	m.mu.Unlock()
	if err := plan(func(*blueberry.Blueprint) {}); !slices.Contains(faultsOf(err), "blueprint.repositories[0].url repository_unreachable") {
		t.Errorf("unreachable: %v", err)
	}
}

// TestRestrictedRepositories: a stranger's branch chooses nothing, neither when the environment is made nor when it moves, nor when a person names it.
func TestRestrictedRepositories(t *testing.T) {
	t.Parallel()
	h, m, _, web, _ := manyHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	m.push(webRepository, "evil", chartSaying("evil"))
	head := headCommit("a")
	w := provision.Wish{Repository: ptr(shopRepository), Ref: ptr("refs/heads/main"), Head: &head}
	named := w
	named.Branch = ptr("evil")
	if _, err := h.Create(ctx, hostBot, provision.CreateRequest{Name: "pr-7", Restricted: true, Wish: named}); !slices.Contains(faultsOf(err), "branch restricted") {
		t.Errorf("created with a branch: %v", err)
	}
	w.Branch = ptr("")
	image := "registry.example.com/api@sha256:" + strings.Repeat("a", 64)
	w.Images, w.Commits = &map[string]string{"api": image}, &map[string]string{"api": headCommit("d")}
	e, err := h.Create(ctx, hostBot, provision.CreateRequest{Name: "pr-7", Restricted: true, Wish: w})
	if err != nil {
		t.Fatal(err)
	}
	h.until(t, e.ID, phase(blueberry.Ready))
	h.rendered(t, e.ID, 1, "says: main", "tag: "+web, "image: "+image)
	for _, actor := range []blueberry.Actor{hostBot, admin} {
		if _, err := h.Change(ctx, actor, e.ID, provision.ChangeRequest{Wish: provision.Wish{Branch: ptr("evil")}}); !slices.Contains(faultsOf(err), "branch restricted") {
			t.Errorf("%s named a branch: %v", actor.Name, err)
		}
	}
	newer := m.push(webRepository, "main", chartSaying("newer"))
	moved := provision.Wish{Repository: ptr(shopRepository), Ref: ptr("refs/heads/main"), Head: ptr(headCommit("b")), Branch: ptr("")}
	if _, err := h.Change(ctx, hostBot, e.ID, provision.ChangeRequest{Wish: moved}); err != nil {
		t.Fatal(err)
	}
	h.rendered(t, e.ID, 2, "says: newer", "tag: "+newer, "registry.example.com/api:"+headCommit("b"))
	if _, rev := h.renderingOf(t, e.ID, 2); rev.Images != nil || rev.Commits != nil {
		t.Errorf("what ran of the former commit is still there: %v %v", rev.Images, rev.Commits)
	}
}

// TestSourceMoved: a push to a repository has those environments looked at that are made of its branch, and no others.
func TestSourceMoved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h, m, _, _, _ := manyHouse(t, s)
		ctx := t.Context()
		m.push(webRepository, "feature-x", chartSaying("feature"))
		x, y := h.make(t, "pr-1", ofShop("feature-x")), h.make(t, "env-y", ofShop("feature-y"))
		plain := h.make(t, "plain", provision.Wish{Repository: ptr(shopRepository)})
		h.make(t, "other", wish(web))
		moved := func(repository, branch string) (ids []string) {
			h.takeEnqueued()
			if err := h.SourceMoved(ctx, blueberry.DefaultProject, repository, branch); err != nil {
				t.Fatal(err)
			}
			for _, job := range h.takeEnqueued() {
				if id, ok := strings.CutPrefix(job, string(blueberry.JobEnvironmentSources)+" "); ok {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
			return ids
		}
		sorted := func(of ...blueberry.Environment) (ids []string) {
			for _, e := range of {
				ids = append(ids, e.ID)
			}
			slices.Sort(ids)
			return ids
		}
		for _, c := range []struct {
			repository, branch string
			want               []string
		}{
			{webRepository, "feature-x", sorted(x, y, plain)}, // of y and plain, the default branch may be meant
			{strings.TrimSuffix(webRepository, ".git") + "/", "feature-y", sorted(y, plain)},
			{webRepository, "main", sorted(y, plain)},
			{docsRepository, "main", sorted(x, y, plain)},
			{docsRepository, "feature-x", nil}, // it is fixed
			{shopRepository, "main", nil},
		} {
			if got := moved(c.repository, c.branch); !cmp.Equal(got, c.want) {
				t.Errorf("%s %s: %q, want %q", c.repository, c.branch, got, c.want)
			}
		}
		if err := h.SourceMoved(ctx, "elsewhere", webRepository, "main"); err != nil || len(h.takeEnqueued()) > 0 {
			t.Errorf("another project's environments were looked at (%v)", err)
		}

		m.push(webRepository, "feature-x", chartSaying("better"))
		m.push(webRepository, "main", chartSaying("later"))
		for _, e := range []blueberry.Environment{x, y, plain} {
			if _, err := h.FollowSources(ctx, blueberry.Job{Subject: e.ID}); err != nil {
				t.Fatal(err)
			}
		}
		h.rendered(t, x.ID, 2, "says: better")
		h.rendered(t, y.ID, 2, "says: later")
		plans, err := h.Plans(ctx, admin, blueberry.PlanQuery{EnvironmentID: plain.ID, Limit: 10})
		if err != nil || h.get(t, plain.ID).Revision != 1 || h.told(t, plain.ID)[blueberry.EnvironmentPlanProposed] != 1 || len(plans) != 1 {
			t.Errorf("one that belongs to no branch is at revision %d with %d plans (%v)", h.get(t, plain.ID).Revision, len(plans), err)
		}
		if _, err := h.FollowSources(ctx, blueberry.Job{Subject: x.ID}); err != nil || h.get(t, x.ID).Revision != 2 {
			t.Errorf("without news there is revision %d (%v)", h.get(t, x.ID).Revision, err)
		}
		if _, err := h.Destroy(ctx, admin, x.ID, "", 0); err != nil {
			t.Fatal(err)
		}
		h.until(t, x.ID, phase(blueberry.Terminated))
		if got := moved(webRepository, "feature-x"); slices.Contains(got, x.ID) {
			t.Error("one that has ended is still looked at")
		}
	})
}

// TestWhatCIBuilt: images and commits belong to what a component runs: they go when that changes, and come back with a rollback.
func TestWhatCIBuilt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		ctx := t.Context()
		first := h.code.push("name: shop\ncomponents: [{name: web, image: \"acme/web:1\"}, {name: api}]\ncomputed: {api.image: \"acme/api:${commit}\"}\n")
		e := h.make(t, "pr-1", provision.Wish{Repository: ptr(shopRepository), Ref: ptr("main")})
		h.rendered(t, e.ID, 1, "image: acme/web:1", "image: acme/api:"+first)
		image := func(name, digit string) string { return "acme/" + name + "@sha256:" + strings.Repeat(digit, 64) }
		built := func(images map[string]string) provision.ChangeRequest {
			return provision.ChangeRequest{Wish: provision.Wish{Images: &images}}
		}
		a := map[string]string{"web": image("web", "a"), "api": image("api", "a")}
		if _, err := h.Change(ctx, admin, e.ID, built(a)); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 2, "image: "+a["web"], "image: "+a["api"])
		if again, err := h.Change(ctx, admin, e.ID, built(a)); err != nil || again.Environment.Revision != 2 {
			t.Errorf("the same images again give revision %d (%v)", again.Environment.Revision, err)
		}
		other := provision.Wish{Commits: &map[string]string{"api": headCommit("c")}, Overrides: map[string]any{"web": map[string]any{"replicas": 2}}}
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: other}); err != nil {
			t.Fatal(err)
		}
		// The image of api was built of another commit than it runs now.
		h.rendered(t, e.ID, 3, "image: "+a["web"], "image: acme/api:"+headCommit("c"))

		second := h.code.push("name: shop\ncomponents: [{name: web, image: \"acme/web:2\"}, {name: api}]\ncomputed: {api.image: \"acme/api:${commit}\"}\n")
		if _, err := h.Refresh(ctx, admin, e.ID); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 4, "image: acme/web:2", "image: acme/api:"+second)
		if _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 2}); err != nil {
			t.Fatal(err)
		}
		h.rendered(t, e.ID, 5, "image: "+a["web"], "image: "+a["api"])
		_, rev := h.renderingOf(t, e.ID, 5)
		if diff := cmp.Diff(a, rev.Images); diff != "" {
			t.Errorf("images of what came back (-want +got):\n%s", diff)
		}
		d, err := h.DiffRevisions(ctx, admin, e.ID, 1, 3)
		if err != nil || !slices.Contains(d.Inputs, provision.InputChange{Kind: blueberry.InputImage, Name: "web", After: a["web"]}) ||
			!slices.Contains(d.Inputs, provision.InputChange{Kind: blueberry.InputRun, Name: "api", After: headCommit("c")}) {
			t.Errorf("the comparison says %+v (%v)", d.Inputs, err)
		}

		// An image alone that is rolled back stays away until its hold is released.
		b := map[string]string{"web": image("web", "b"), "api": a["api"]}
		if _, err := h.Change(ctx, admin, e.ID, built(b)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Rollback(ctx, admin, e.ID, provision.RollbackRequest{Number: 5}); err != nil {
			t.Fatal(err)
		}
		var held *blueberry.Error
		if _, err := h.Change(ctx, hostBot, e.ID, built(b)); !errors.As(err, &held) || held.Code != "INPUT_HELD" {
			t.Errorf("an image that is held was taken: %v", err)
		}
		if _, err := h.ReleaseHolds(ctx, admin, e.ID, provision.HoldRelease{Kind: blueberry.InputImage}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Change(ctx, hostBot, e.ID, built(b)); err != nil {
			t.Errorf("an image whose hold was released: %v", err)
		}

		_, err = h.Change(ctx, admin, e.ID, built(map[string]string{"web": "acme/web:1", "wob": image("web", "a"), "api": "no image"}))
		if got, want := faultsOf(err), []string{"images.api image", "images.web image_unpinned", "images.wob unknown"}; !cmp.Equal(got, want) {
			t.Errorf("faults %q, want %q", got, want)
		}
		_, err = h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Commits: &map[string]string{"web": "abc", "wob": headCommit("a")}}})
		if got, want := faultsOf(err), []string{"commits.web pattern", "commits.wob unknown"}; !cmp.Equal(got, want) {
			t.Errorf("faults %q, want %q", got, want)
		}
	})
}

// TestSameInputsSameBytes: what is rendered depends on nothing but the inputs of a revision, whatever the repositories have become.
func TestSameInputsSameBytes(t *testing.T) {
	t.Parallel()
	h, m, _, _, _ := manyHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	image := map[string]string{"api": "acme/api@sha256:" + strings.Repeat("a", 64)}
	w := ofShop("feature-x")
	w.Images = &image
	e := h.make(t, "pr-1", w)
	was, rev := h.renderingOf(t, e.ID, 1)
	for i := range 5 {
		m.push(webRepository, "main", chartSaying(fmt.Sprint("later", i)))
		m.push(webRepository, "feature-x", chartSaying(fmt.Sprint("feature", i)))
		m.push(docsRepository, "main", nil)
		change := provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{"api": map[string]any{"replicas": i + 2}}}}
		if _, err := h.Change(ctx, admin, e.ID, change); err != nil {
			t.Fatal(err)
		}
		back, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: provision.Wish{Overrides: map[string]any{}}})
		if err != nil {
			t.Fatal(err)
		}
		is, now := h.renderingOf(t, e.ID, 0)
		n := fmt.Sprint(back.Environment.Revision)
		if strings.ReplaceAll(is, `blueberry.dev/revision: "`+n+`"`, `blueberry.dev/revision: "1"`) != was {
			t.Fatal("the same inputs render to something else")
		}
		if diff := cmp.Diff(rev.Inputs, now.Inputs); diff != "" {
			t.Fatalf("inputs (-first +now):\n%s", diff)
		}
	}
}

// TestInvalidBlueprintsAskNobody: what cannot be rendered has no host asked, however many repositories it names; and of one whose hosts do not answer, few are asked.
func TestInvalidBlueprintsAskNobody(t *testing.T) {
	t.Parallel()
	h, m, _, _, _ := manyHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	naming := func(n int) *blueberry.Blueprint {
		b := &blueberry.Blueprint{Name: "shop"}
		for i := range n {
			name, url := fmt.Sprintf("r%d", i), fmt.Sprintf("https://10.0.0.1/r%d", i)
			b.Repositories = append(b.Repositories, blueberry.SideRepository{Name: name, URL: url})
			b.Components = append(b.Components, blueberry.Component{Name: name, Repository: name, Image: "acme/web:1"})
			m.mu.Lock()
			m.away[url] = true
			m.mu.Unlock()
		}
		return b
	}
	_, err := h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: provision.Wish{Blueprint: naming(blueberry.MaxRepositories + 1)}})
	if asked := m.takeAsked(); len(asked) > 0 || !slices.Contains(faultsOf(err), "blueprint.repositories too_many") {
		t.Errorf("asked for %q (%v)", asked, err)
	}
	_, err = h.PlanCreate(ctx, admin, provision.CreateRequest{Name: "pr-1", Wish: provision.Wish{Blueprint: naming(blueberry.MaxRepositories)}})
	if asked := m.takeAsked(); len(asked) != 3 || !slices.Contains(faultsOf(err), "blueprint.repositories[0].url repository_unreachable") {
		t.Errorf("%d hosts of %d were waited for (%v)", len(asked), blueberry.MaxRepositories, err)
	}
}

// TestCommitsOfKustomizationsStay: what is told of a component that takes no values is kept by a change that says nothing of it.
func TestCommitsOfKustomizationsStay(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	h.code.pushFiles(map[string]string{
		"blueberry.yaml":       "name: shop\ncomponents: [{name: web, image: \"acme/web:1\"}, {name: k, kustomization: k}]\n",
		"k/kustomization.yaml": "resources: [cm.yaml]\n", "k/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: k}\n",
	})
	w := provision.Wish{Repository: ptr(shopRepository), Ref: ptr("main"), Commits: &map[string]string{"k": headCommit("c")}}
	e := h.make(t, "pr-1", w)
	if again, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Reason: "nothing"}); err != nil || again.Environment.Revision != 1 {
		t.Errorf("a change that says nothing makes revision %d (%v)", again.Environment.Revision, err)
	}
}
