package provision_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/provision"
	"github.com/blueberry-idp/blueberry/internal/render"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// charts is the corpus that render's own tests hold against Helm.
const charts = "../render/testdata/charts"

// chartFiles reads a chart of the corpus as files below deploy/.
func chartFiles(t *testing.T, name string) (files map[string]string, defaults map[string]any) {
	t.Helper()
	files = map[string]string{}
	dir := filepath.Join(charts, name)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files["deploy/"+filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(files["deploy/values.yaml"]), &defaults); err != nil {
		t.Fatal(err)
	}
	return files, defaults
}

// vary alters some of the scalars of a chart's defaults, and keeps the rest of the shape away.
func vary(r *rand.Rand, defaults map[string]any) map[string]any {
	out := map[string]any{}
	keys := make([]string, 0, len(defaults))
	for k := range defaults {
		keys = append(keys, k)
	}
	slices.Sort(keys) // the same draw each time
	for _, k := range keys {
		switch v := defaults[k].(type) {
		case map[string]any:
			if below := vary(r, v); len(below) > 0 {
				out[k] = below
			}
		case int:
			if r.IntN(3) == 0 {
				out[k] = v + r.IntN(5)
			}
		case bool:
			if r.IntN(3) == 0 {
				out[k] = !v
			}
		case string:
			if r.IntN(3) == 0 && v != "" && !strings.ContainsAny(v, "{}") {
				out[k] = fmt.Sprintf("%s-%d", v, r.IntN(9))
			}
		}
	}
	return out
}

// TestPlannedBytesAreCommitted: the manifests of a plan are, byte for byte, those of the commit that its apply makes: for the sample and for 50 charts' worth
// of generated values. Both databases give the same bytes.
func TestPlannedBytesAreCommitted(t *testing.T) {
	t.Parallel()
	names, err := os.ReadDir(charts)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile("../../examples/shop/blueberry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	digests := map[string][]string{}
	t.Cleanup(func() { // behind the databases, which run side by side
		for name, list := range digests {
			for _, d := range list {
				if d != list[0] {
					t.Errorf("%s: the two databases have %v", name, list)
				}
			}
		}
	})
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		planned := func(i int, w provision.Wish) bool {
			name := fmt.Sprintf("e-%d", i)
			w.Repository, w.Ref = ptr(shopRepository), ptr("main")
			plan, err := h.PlanCreate(t.Context(), admin, provision.CreateRequest{Name: name, Wish: w})
			if err != nil {
				return false // the values do not suit the chart
			}
			e, err := h.Create(t.Context(), admin, provision.CreateRequest{PlanID: plan.ID})
			if err != nil {
				t.Fatalf("apply plan %d: %v", i, err)
			}
			h.until(t, e.ID, func(e blueberry.Environment) bool { return e.Commit != "" })
			_, rendering, err := h.PlanRendering(t.Context(), admin, plan.ID)
			if got := h.inGit(t, e); err != nil || got != plan.RenderingDigest || blueberry.DigestOf(rendering.Files) != got {
				t.Errorf("plan %d: Git holds %s, the plan said %s (%v)", i, got, plan.RenderingDigest, err)
			}
			mu.Lock()
			defer mu.Unlock()
			digests[name] = append(digests[name], plan.RenderingDigest)
			return true
		}
		h.code.push(string(sample))
		if !planned(0, provision.Wish{}) {
			t.Fatal("the sample cannot be planned")
		}
		r := rand.New(rand.NewPCG(1, 2))
		made := 0
		for i := 1; made < 50; i++ {
			if i > 500 {
				t.Fatalf("only %d of %d draws could be planned", made, i)
			}
			chart := names[i%len(names)].Name()
			files, defaults := chartFiles(t, chart)
			files["blueberry.yaml"] = "name: " + chart + "\ncomponents: [{name: c, chart: deploy}]\n"
			h.code.pushFiles(files)
			if planned(i, provision.Wish{Overrides: map[string]any{"c": vary(r, defaults)}}) {
				made++
			}
		}
		t.Logf("%d plans were applied", made+1)
	})
}

// TestDiffOfRevisions: what differs between two revisions, applied to the one, gives the other.
func TestDiffOfRevisions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	ctx := t.Context()
	e := h.make(t, "pr-1", wish(web, blueberry.Component{Name: "db", Image: "acme/db:1"}))
	for _, w := range []provision.Wish{
		{Overrides: map[string]any{"web": map[string]any{"replicas": 3, "env": map[string]any{"A": "b", "C": "d"}}}},
		wish(web),
		{Overrides: map[string]any{"web": map[string]any{"env": map[string]any{"C": "e"}, "autoscaling": map[string]any{"enabled": false}}}},
	} {
		if _, err := h.Change(ctx, admin, e.ID, provision.ChangeRequest{Wish: w}); err != nil {
			t.Fatal(err)
		}
	}
	objects := func(n int) map[blueberry.ObjectRef]map[string]any {
		rev, err := h.Revision(ctx, admin, e.ID, n)
		if err != nil {
			t.Fatal(err)
		}
		list, err := render.Manifests(rev.Rendering.Files)
		if err != nil {
			t.Fatal(err)
		}
		out := map[blueberry.ObjectRef]map[string]any{}
		for _, m := range list {
			labels, _ := m.Object["metadata"].(map[string]any)["labels"].(map[string]any)
			delete(labels, blueberry.LabelRevision)
			out[m.ObjectRef] = m.Object
		}
		return out
	}
	for from := 1; from <= 4; from++ {
		for to := 1; to <= 4; to++ {
			diff, err := h.DiffRevisions(ctx, admin, e.ID, from, to)
			if err != nil {
				t.Fatal(err)
			}
			got, want := objects(from), objects(to)
			for _, d := range diff.Objects {
				after, err := blueberry.ApplyFields(got[d.ObjectRef], d.Fields)
				if err != nil {
					t.Errorf("%d to %d: %s: %v", from, to, d.ObjectRef, err)
				}
				got[d.ObjectRef] = after
				if after == nil {
					delete(got, d.ObjectRef)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d to %d gives %d objects, want %d", from, to, len(got), len(want))
			}
			for ref := range want {
				if !blueberry.SameValue(got[ref], want[ref]) {
					t.Errorf("%d to %d: %s is another one", from, to, ref)
				}
			}
		}
	}
}
