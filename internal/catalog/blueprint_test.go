package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

// blueprint is a document of a blueprint with one image.
func blueprint(name, tag string) []byte {
	return fmt.Appendf(nil, "# a comment\nname: %s\ncomponents: [{name: web, image: \"acme/web:%s\"}]\n", name, tag)
}

func (h *house) publish(t testing.TB, r catalog.NewBlueprint) catalog.BlueprintPublished {
	t.Helper()
	out, err := h.PublishBlueprint(t.Context(), admin, r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLifeOfABlueprint(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		first := h.publish(t, catalog.NewBlueprint{Description: "the shop", Edit: catalog.Edit{Content: blueprint("shop", "1"), Message: "born"}})
		id := first.Entry.ID
		if !blueberry.HasIDPrefix(id, blueberry.BlueprintID) || first.Entry.Name != "shop" || first.Entry.Project != "default" || first.Version.Number != 1 {
			t.Errorf("made %+v", first)
		}
		same := h.publish(t, catalog.NewBlueprint{Edit: catalog.Edit{Content: blueprint("shop", "1")}})
		if !same.Unchanged || same.Entry.Description != "the shop" || same.Entry.Version != 1 {
			t.Errorf("the same content made %+v", same)
		}
		second := h.publish(t, catalog.NewBlueprint{Edit: catalog.Edit{Content: blueprint("shop", "2"), IfVersion: 1}})
		if second.Entry.ID != id || second.Version.Number != 2 || second.Entry.Latest != 2 || second.Entry.Version != 2 {
			t.Errorf("other content made %+v", second)
		}
		described := h.publish(t, catalog.NewBlueprint{Description: "our shop", Edit: catalog.Edit{Content: blueprint("shop", "2")}})
		if !described.Unchanged || described.Entry.Description != "our shop" || described.Entry.Version != 3 {
			t.Errorf("another description made %+v", described)
		}
		global := h.publish(t, catalog.NewBlueprint{Global: true, Edit: catalog.Edit{Content: blueprint("shop", "1")}})
		if global.Entry.ID == id || global.Entry.Project != "" {
			t.Errorf("global %+v", global)
		}

		latest, err := h.BlueprintVersion(t.Context(), admin, id, 0)
		if err != nil || latest.Number != 2 || string(latest.Content) != string(blueprint("shop", "2")) || latest.Blueprint.Components[0].Image != "acme/web:2" {
			t.Errorf("latest %+v (%v)", latest, err)
		}
		if versions, err := h.BlueprintVersions(t.Context(), admin, id, 0, 0); err != nil || len(versions) != 2 || versions[1].Message != "born" {
			t.Errorf("versions %+v (%v)", versions, err)
		}
		if found, err := h.FindBlueprint(t.Context(), admin, "", "shop"); err != nil || found.ID != global.Entry.ID {
			t.Errorf("found %+v (%v)", found, err)
		}
		if page, err := h.Blueprints(t.Context(), admin, blueberry.CatalogueQuery{}); err != nil || len(page.Items) != 2 {
			t.Errorf("listed %+v (%v)", page, err)
		}

		h.user(t, "pr-1", blueberry.Inputs{Blueprint: latest.Blueprint, Catalogue: blueberry.BlueprintRef{EntryID: id, Name: "shop", Version: 2, Follow: true}})
		if users, err := h.BlueprintUsers(t.Context(), admin, id); err != nil || len(users.Items) != 1 || users.Items[0].Number != 2 || !users.Items[0].Follow {
			t.Errorf("users %+v (%v)", users, err)
		}
		if diff := cmp.Diff([]string{"conflict BLUEPRINT_USED", "users.default/pr-1 used"}, refusalOf(h.DeleteBlueprint(t.Context(), admin, id, 0))); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if diff := cmp.Diff([]string{"precondition failed VERSION_MOVED"}, refusalOf(h.DeleteBlueprint(t.Context(), admin, global.Entry.ID, 7))); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if err := h.DeleteBlueprint(t.Context(), admin, global.Entry.ID, 1); err != nil {
			t.Error(err)
		}
		if _, err := h.BlueprintEntry(t.Context(), admin, global.Entry.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("deleted, but %v", err)
		}
		want := []string{
			"blueprint.version_published [default] admin published version 1 of blueprint shop: born",
			"blueprint.version_published [default] admin published version 2 of blueprint shop",
			"blueprint.version_published [] admin published version 1 of blueprint global/shop",
			"blueprint.deleted [] admin deleted blueprint global/shop with its 1 version(s)",
		}
		if diff := cmp.Diff(want, h.told(t)); diff != "" {
			t.Errorf("events -want +got\n%s", diff)
		}
		job := "blueprint.published "
		if diff := cmp.Diff([]string{job + id, job + id, job + global.Entry.ID}, h.takeJobs()); diff != "" {
			t.Errorf("jobs -want +got\n%s", diff)
		}
	})
}

func TestBlueprintOfARepository(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	from := catalog.NewBlueprint{Edit: catalog.Edit{Repository: shopRepository}}
	first := h.publish(t, from)
	want := blueberry.Source{Repository: shopRepository, Commit: shopCommit, Path: "blueberry.yaml"}
	if first.Version.Source != want || first.Entry.Name != "charts" {
		t.Errorf("made %+v", first)
	}
	if same := h.publish(t, from); !same.Unchanged {
		t.Errorf("the same commit made %+v", same)
	}
	h.sources.set(func(s *sources) { s.commit = nextCommit })
	if next := h.publish(t, from); next.Version.Number != 2 || next.Version.Source.Commit != nextCommit {
		t.Errorf("another commit, whose charts may differ, made %+v", next)
	}
	h.sources.set(func(s *sources) { s.tree = fstest.MapFS{"blueberry.yaml": {Data: blueprint("plain", "1")}} })
	h.publish(t, from)
	h.sources.set(func(s *sources) { s.commit = shopCommit })
	if same := h.publish(t, from); !same.Unchanged {
		t.Errorf("another commit without charts made %+v", same)
	}
}

func TestBadBlueprints(t *testing.T) {
	t.Parallel()
	charts := []byte("name: charts\ncomponents: [{name: cache, chart: charts/cache}]\n")
	for name, c := range map[string]struct {
		reason string
		ask    catalog.NewBlueprint
		want   []string
	}{
		"charts of nowhere": {"its files must be somewhere", catalog.NewBlueprint{Edit: catalog.Edit{Content: charts}}, []string{"invalid VALIDATION_FAILED", "source.repository required"}},
		"files that are not there": {"a version never changes, so it must be whole", catalog.NewBlueprint{Edit: catalog.Edit{Repository: shopRepository, Path: "missing.yaml"}}, []string{
			"invalid VALIDATION_FAILED", "content.components[0] file_not_found", "content.components[1] file_not_found",
		}},
		"sets of nowhere": {"every environment of it would be refused", catalog.NewBlueprint{Edit: catalog.Edit{
			Content: []byte("name: new\nconfigSets: [nope, global/nope@3]\ncomponents: [{name: web, image: 'acme/web:1'}]\n"),
		}}, []string{"invalid VALIDATION_FAILED", "content.configSets[0] unknown", "content.configSets[1] unknown"}},
		"no version yet": {"there is nothing to be at that version", catalog.NewBlueprint{Edit: catalog.Edit{Content: blueprint("new", "1"), IfVersion: 3}}, []string{"precondition failed VERSION_MOVED"}},
		"moved":          {"someone else was quicker", catalog.NewBlueprint{Edit: catalog.Edit{Content: blueprint("shop", "9"), IfVersion: 3}}, []string{"precondition failed VERSION_MOVED"}},
		"everything at once": {"each fault is told", catalog.NewBlueprint{
			Project: "nowhere", Description: strings.Repeat("x", 501),
			Edit: catalog.Edit{Message: strings.Repeat("x", 501), Content: []byte("title: shop\ncomponents: [{name: web, image: latest, prot: 1}]\n"), Found: blueberry.Faults{{Field: "x", Code: "unknown"}}},
		}, []string{
			"invalid VALIDATION_FAILED", "x unknown", "description too_long", "message too_long", "project unknown", "content.title unknown", "content.components[0].prot unknown",
			"content.name required", "content.components[0].image image_unpinned",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			h.publish(t, catalog.NewBlueprint{Edit: catalog.Edit{Content: blueprint("shop", "1")}})
			_, err := h.PublishBlueprint(t.Context(), admin, c.ask)
			if diff := cmp.Diff(c.want, refusalOf(err)); diff != "" {
				t.Errorf("%s: -want +got\n%s\n%v", c.reason, diff, err)
			}
			if page, err := h.Blueprints(t.Context(), admin, blueberry.CatalogueQuery{}); err != nil || len(page.Items) != 1 || page.Items[0].Latest != 1 {
				t.Errorf("something was made of it: %+v (%v)", page, err)
			}
		})
	}
}

// TestPublishAtOnce: a blueprint that several publish for the first time is one blueprint with their versions.
func TestPublishAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		const writers = 6
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				if _, err := h.PublishBlueprint(t.Context(), admin, catalog.NewBlueprint{Edit: catalog.Edit{Content: blueprint("shop", fmt.Sprint(i))}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		found, err := h.FindBlueprint(t.Context(), admin, "default", "shop")
		if err != nil || found.Latest != writers {
			t.Errorf("%+v (%v)", found, err)
		}
	})
}
