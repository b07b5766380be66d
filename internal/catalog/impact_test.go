package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func (h *house) impact(t testing.TB, id string, r catalog.ImpactRequest) catalog.Impact {
	t.Helper()
	out, err := h.Impact(t.Context(), admin, id, r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pageOf gives the environments of a page with their group and whether they pin a version.
func pageOf(i catalog.Impact) []string {
	var out []string
	for _, e := range i.Page {
		s := fmt.Sprintf("%s %d", e.Name, e.Group)
		if e.Pins {
			s += " pins"
		}
		out = append(out, s)
	}
	return out
}

func settingsOf(g catalog.ImpactGroup) []string {
	var out []string
	for _, x := range g.Settings {
		out = append(out, x.Path+" "+text(x.Before)+" → "+text(x.After))
	}
	return out
}

func objectsOf(g catalog.ImpactGroup) []string {
	var out []string
	for _, o := range g.Objects {
		for _, f := range o.Fields {
			out = append(out, fmt.Sprintf("%s %s %s: %v → %v", o.Action, o.Kind, f.Path, f.Before, f.After))
		}
	}
	return out
}

func TestImpact(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		set := h.config(t, "shop", "backend: {replicas: 1, env: {A: x}}").Set
		other := h.config(t, "other", "frontend: {replicas: 2}").Set
		h.edit(t, set.ID, "backend: {replicas: 3, env: {A: x}}")
		in := func(number int, follow bool, overrides map[string]any) blueberry.Inputs {
			return blueberry.Inputs{Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, number, follow), uses(other, 1, true)}, Overrides: overrides}
		}
		h.user(t, "b-two", in(1, true, nil))
		h.user(t, "a-one", in(1, true, nil))
		h.user(t, "c-pins", in(1, false, map[string]any{"backend": map[string]any{"env": map[string]any{"B": "z"}}}))
		h.user(t, "d-newest", in(2, true, nil))
		h.user(t, "e-overrides", in(1, true, map[string]any{"backend": map[string]any{"replicas": 9}}))
		h.user(t, "f-elsewhere", blueberry.Inputs{Blueprint: shop(blueberry.Component{Name: "frontend", Image: "acme/web:1"}), Config: []blueberry.ConfigUse{uses(set, 1, true)}})

		got := h.impact(t, set.ID, catalog.ImpactRequest{})
		if got.Total != 6 || got.Change != 3 || len(got.Groups) != 2 || got.Set.ID != set.ID {
			t.Fatalf("of %d, %d change in %d groups", got.Total, got.Change, len(got.Groups))
		}
		if diff := cmp.Diff([]string{"a-one 0", "b-two 0", "c-pins 1 pins"}, pageOf(got)); diff != "" {
			t.Errorf("page -want +got\n%s", diff)
		}
		for _, g := range got.Groups {
			if diff := cmp.Diff([]string{"backend.replicas 1 → 3"}, settingsOf(g)); diff != "" {
				t.Errorf("settings of %s -want +got\n%s", g.Example.Name, diff)
			}
			objects := objectsOf(g)
			if !slices.Contains(objects, "update HorizontalPodAutoscaler spec.minReplicas: 1 → 3") || g.Note != "" || len(g.Faults) > 0 {
				t.Errorf("%s: objects %q, note %q, faults %v", g.Example.Name, objects, g.Note, g.Faults)
			}
			if after := g.Settings[0].After; after.Layer != blueberry.LayerConfigSet || after.Name != "shop" || after.Version != 2 || after.Author != "admin" {
				t.Errorf("origin %+v", after.Origin)
			}
		}
		if g := got.Groups[0]; g.Environments != 2 || g.Example.Name != "a-one" {
			t.Errorf("the largest group is %+v", g)
		}

		back := h.impact(t, set.ID, catalog.ImpactRequest{Number: 1})
		if diff := cmp.Diff([]string{"d-newest 0"}, pageOf(back)); diff != "" {
			t.Errorf("back to version 1: -want +got\n%s", diff)
		}
		content := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 1, env: {A: other}}"), Search: "E"})
		if content.Change != 5 || len(content.Groups) != 4 { // all but the one without a back end
			t.Errorf("of content, %d change in %d groups", content.Change, len(content.Groups))
		}
		for _, e := range content.Page {
			if !strings.Contains(e.Name, "e") {
				t.Errorf("%s was not looked for", e.Name)
			}
		}
		if set, err := h.ConfigSet(t.Context(), admin, set.ID); err != nil || set.Latest != 2 {
			t.Errorf("the content was stored: %+v (%v)", set, err)
		}
	})
}

func TestImpactIsPaged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "backend: {replicas: 1}").Set
	for i := range 7 {
		h.user(t, fmt.Sprintf("pr-%d", i), blueberry.Inputs{Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, 1, true)}})
	}
	r := catalog.ImpactRequest{Content: []byte("backend: {replicas: 2}"), Limit: 3}
	var names []string
	for pages := 1; ; pages++ {
		got := h.impact(t, set.ID, r)
		for _, e := range got.Page {
			names = append(names, e.Name)
		}
		if r.Cursor = got.Next; r.Cursor == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if diff := cmp.Diff([]string{"pr-0", "pr-1", "pr-2", "pr-3", "pr-4", "pr-5", "pr-6"}, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	first := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 2}"), Limit: 3})
	for name, r := range map[string]catalog.ImpactRequest{
		"of another question": {Content: []byte("backend: {replicas: 3}"), Cursor: first.Next},
		"of nobody":           {Cursor: "e30"},
		"no cursor":           {Cursor: "%"},
		"endless":             {Cursor: strings.Repeat("A", 1000)},
	} {
		_, err := h.Impact(t.Context(), admin, set.ID, r)
		if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "cursor cursor"}, refusalOf(err)); diff != "" {
			t.Errorf("a cursor %s: -want +got\n%s", name, diff)
		}
	}
}

func TestBadImpact(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "backend: {replicas: 1}").Set
	_, err := h.Impact(t.Context(), admin, set.ID, catalog.ImpactRequest{Number: 1, Content: []byte("backend: 3"), Public: []string{"["}})
	if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "version exclusive", "public[0] pattern", "content.backend type"}, refusalOf(err)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := h.Impact(t.Context(), admin, set.ID, catalog.ImpactRequest{Number: 7}); !errors.Is(err, blueberry.NotFound) {
		t.Errorf("a version that is not there: %v", err)
	}
}

// TestImpactThatIsRefused: faults that the new version would cause are told with the group; those that are there now are none of its doing.
func TestImpactThatIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "backend: {replicas: 1}").Set
	strict := shop()
	strict.Schema = map[string]any{"properties": map[string]any{"backend": map[string]any{"properties": map[string]any{"replicas": map[string]any{"maximum": 5.0}}}}}
	strict.Fields.Forbidden = []string{"*.resources"}
	h.user(t, "plain", blueberry.Inputs{Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, 1, true)}})
	h.user(t, "strict", blueberry.Inputs{Blueprint: strict, Config: []blueberry.ConfigUse{uses(set, 1, true)}})
	got := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 7, resources: {limits: {cpu: 1}}}")})
	if got.Change != 2 || len(got.Groups) != 2 {
		t.Fatalf("%d change in %d groups", got.Change, len(got.Groups))
	}
	for _, g := range got.Groups {
		if g.Example.Name == "plain" {
			if len(g.Faults) > 0 {
				t.Errorf("plain would be refused: %v", g.Faults)
			}
			continue
		}
		if len(g.Faults) != 1 || g.Faults[0].Field != "config_sets.shop@2.backend.replicas" {
			t.Errorf("faults %v", g.Faults)
		}
	}
}

// TestImpactOfCharts: the defaults of charts come from the repository of the example, and without it a note says so.
func TestImpactOfCharts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "cache: {size: 2}").Set
	in := blueberry.Inputs{
		Source:    blueberry.Source{Repository: shopRepository, Commit: shopCommit, Path: "blueberry.yaml"},
		Blueprint: shop(blueberry.Component{Name: "cache", Chart: "charts/cache"}, blueberry.Component{Name: "worker", Score: "score.yaml"}),
		Config:    []blueberry.ConfigUse{uses(set, 1, true)},
	}
	h.user(t, "pr-1", in)
	ask := catalog.ImpactRequest{Content: []byte("cache: {mode: slow}")}
	got := h.impact(t, set.ID, ask)
	if len(got.Groups) != 1 {
		t.Fatalf("groups %+v", got.Groups)
	}
	if diff := cmp.Diff([]string{"cache.mode fast → slow", "cache.size 2 → 1"}, settingsOf(got.Groups[0])); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"update ConfigMap data.mode: fast → slow", "update ConfigMap data.size: 2 → 1"}, objectsOf(got.Groups[0])); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	same := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("cache: {size: 2, mode: fast}")})
	if same.Change != 0 || len(same.Groups) != 0 || len(same.Page) != 0 {
		t.Errorf("what the chart has by itself is no change: %+v", same)
	}

	h.sources.set(func(s *sources) { s.down = true })
	got = h.impact(t, set.ID, ask)
	if len(got.Groups) != 1 || !strings.Contains(got.Groups[0].Note, "the host does not answer") || len(got.Groups[0].Objects) > 0 {
		t.Fatalf("groups %+v", got.Groups)
	}
	if diff := cmp.Diff([]string{"cache.mode - → slow", "cache.size 2 → -"}, settingsOf(got.Groups[0])); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestImpactOnAnEntryOfTheCatalogue: what the set leaves to the blueprint has the origin that the catalogue knows.
func TestImpactOnAnEntryOfTheCatalogue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "web: {replicas: 1}").Set
	entry := h.publish(t, catalog.NewBlueprint{Edit: catalog.Edit{Content: []byte("name: shop\ncomponents: [{name: web, image: \"acme/web:1\", values: {replicas: 4}}]\n")}})
	for i := range 2 {
		h.user(t, fmt.Sprintf("pr-%d", i), blueberry.Inputs{
			Blueprint: entry.Version.Blueprint, Catalogue: blueberry.BlueprintRef{EntryID: entry.Entry.ID, Name: "shop", Version: 1}, Config: []blueberry.ConfigUse{uses(set, 1, true)},
		})
	}
	got := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("web: {env: {A: x}}")})
	if len(got.Groups) != 1 || len(got.Groups[0].Settings) != 2 {
		t.Fatalf("%+v", got.Groups)
	}
	want := blueberry.Origin{Layer: blueberry.LayerBlueprint, Version: 1, Author: "admin"}
	if after := got.Groups[0].Settings[1].After; after == nil || after.Origin != want || after.Value != 4.0 {
		t.Errorf("after %+v", after)
	}
}

// TestImpactThatIsDropped: what the blueprint does not let the set write changes nothing, and is told beside what does.
func TestImpactThatIsDropped(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "backend: {replicas: 1}").Set
	b := shop()
	b.Fields.Forbidden = []string{"*.resources"}
	h.user(t, "pr-1", blueberry.Inputs{Blueprint: b, Config: []blueberry.ConfigUse{uses(set, 1, true)}})
	if got := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 1, resources: {limits: {cpu: 1}}}")}); got.Change != 0 {
		t.Errorf("%d would change: %+v", got.Change, got.Groups)
	}
	got := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 2, resources: {limits: {cpu: 1}}}")})
	if len(got.Groups) != 1 || len(got.Groups[0].Settings) != 1 || len(got.Groups[0].Warnings) != 1 || got.Groups[0].Warnings[0].Code != "forbidden_field" {
		t.Errorf("%+v", got.Groups)
	}
}

// TestImpactOnWhatIsRefusedToday: an environment whose values a later rule refuses cannot be compared, and says so.
func TestImpactOnWhatIsRefusedToday(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "backend: {replicas: 1}").Set
	for i := range 3 {
		overrides := map[string]any{"backend": map[string]any{"env": map[string]any{fmt.Sprintf("V%d", i): "1"}}}
		if i == 1 {
			overrides["gone"] = map[string]any{"a": "1"}
		}
		h.user(t, fmt.Sprintf("pr-%d", i), blueberry.Inputs{Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, 1, true)}, Overrides: overrides})
	}
	got := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 2}")})
	if got.Change != 3 || len(got.Groups) != 3 {
		t.Fatalf("%d change in %d groups", got.Change, len(got.Groups))
	}
	for _, g := range got.Groups {
		if refused := g.Example.Name == "pr-1"; refused != strings.Contains(g.Note, "overrides.gone") || refused == (len(g.Objects) > 0) || len(g.Faults) > 0 {
			t.Errorf("%s: note %q, objects %v, faults %v", g.Example.Name, g.Note, objectsOf(g), g.Faults)
		}
	}
}

// TestImpactOfManyGroups: the largest groups are rendered, the others say that they are not.
func TestImpactOfManyGroups(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	set := h.config(t, "shop", "backend: {replicas: 1}").Set
	for i := range 13 {
		for j := range 1 + i%2 {
			h.user(t, fmt.Sprintf("pr-%d-%d", i, j), blueberry.Inputs{
				Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, 1, true)}, Overrides: map[string]any{"backend": map[string]any{"env": map[string]any{"N": fmt.Sprint(i)}}},
			})
		}
	}
	got := h.impact(t, set.ID, catalog.ImpactRequest{Content: []byte("backend: {replicas: 2}")})
	if len(got.Groups) != 13 || got.Change != 13+6 {
		t.Fatalf("%d change in %d groups", got.Change, len(got.Groups))
	}
	for i, g := range got.Groups {
		if want := 2 - i/6; i < 12 && g.Environments != max(want, 1) {
			t.Errorf("group %d has %d environments", i, g.Environments)
		}
		if rendered := len(g.Objects) > 0; rendered != (i < 5) || rendered == (g.Note != "") || len(g.Settings) != 1 {
			t.Errorf("group %d: objects %v, note %q, settings %v", i, objectsOf(g), g.Note, settingsOf(g))
		}
	}
}

// BenchmarkImpact asks what a new version would change of 10,000 environments (goal: p95 ≤ 200 ms).
func BenchmarkImpact(b *testing.B) {
	for _, stacks := range []int{1, 500} {
		b.Run(fmt.Sprintf("stacks=%d", stacks), func(b *testing.B) {
			h := newHouse(b, storetest.SQLite(b))
			set := h.config(b, "shop", "backend: {replicas: 1, env: {A: x, B: z}}\nall: {env: {REGION: eu}}").Set
			below := h.config(b, "below", "all: {env: {A: below, LOG_LEVEL: info}}").Set
			h.edit(b, set.ID, "backend: {replicas: 2, env: {A: z}}\nall: {env: {REGION: eu}}")
			err := h.store.Update(b.Context(), func(tx *store.Tx) error {
				for i := range 10_000 {
					_, err := insertUser(b.Context(), tx, blueberry.DefaultProject, fmt.Sprintf("pr-%d", i), blueberry.Inputs{
						Blueprint: shop(), Config: []blueberry.ConfigUse{uses(below, 1, true), uses(set, 1, true)},
						Overrides: map[string]any{"backend": map[string]any{"env": map[string]any{"STACK": fmt.Sprint(i % stacks)}}},
					}, h.clock.now())
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				got := h.impact(b, set.ID, catalog.ImpactRequest{})
				took = append(took, time.Since(began))
				if got.Change != 10_000 || len(got.Groups) != stacks {
					b.Fatalf("%d change in %d groups", got.Change, len(got.Groups))
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
