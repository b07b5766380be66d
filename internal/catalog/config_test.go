package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func TestLifeOfAConfigSet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		const written = "# why three\nbackend:\n  replicas: 3 # not two\n  env: {A: \"1\"}\n"
		made, err := h.CreateConfigSet(t.Context(), admin, catalog.NewConfig{Name: "shop", Edit: catalog.Edit{Content: []byte(written), Message: "first"}})
		if err != nil {
			t.Fatal(err)
		}
		id := made.Set.ID
		if !blueberry.HasIDPrefix(id, blueberry.ConfigSetID) || made.Set.Project != "default" || made.Set.Latest != 1 || made.Version.Number != 1 || made.Version.Author != "admin" {
			t.Errorf("made %+v", made)
		}
		first, err := h.ConfigVersion(t.Context(), admin, id, 0)
		if err != nil || string(first.Content) != written || first.Message != "first" || len(first.Values) != 1 {
			t.Errorf("content is not kept as written: %q %v (%v)", first.Content, first.Values, err)
		}

		if same := h.edit(t, id, written); !same.Unchanged || same.Set.Latest != 1 || same.Version.Number != 1 {
			t.Errorf("the same content made %+v", same)
		}
		second := h.edit(t, id, `{"backend": {"replicas": 5}}`)
		if second.Unchanged || second.Set.Latest != 2 || second.Version.Number != 2 || second.Set.Version != 2 {
			t.Errorf("an edit made %+v", second)
		}
		third, err := h.RestoreConfigSet(t.Context(), admin, id, 1, "", 0)
		if err != nil || third.Version.Number != 3 || third.Version.RestoredFrom != 1 || string(third.Version.Content) != written || third.Version.Message != "restored version 1" {
			t.Errorf("restored %+v (%v)", third, err)
		}
		if again, err := h.RestoreConfigSet(t.Context(), admin, id, 1, "", 0); err != nil || !again.Unchanged {
			t.Errorf("restoring what is there made %+v (%v)", again, err)
		}

		versions, err := h.ConfigVersions(t.Context(), admin, id, 0, 2)
		if err != nil || len(versions) != 2 || versions[0].Number != 3 || versions[0].Content != nil {
			t.Errorf("versions %+v (%v)", versions, err)
		}
		if versions, err = h.ConfigVersions(t.Context(), admin, id, 2, 0); err != nil || len(versions) != 1 || versions[0].Number != 1 {
			t.Errorf("versions before 2: %+v (%v)", versions, err)
		}
		found, err := h.FindConfigSet(t.Context(), admin, "default", "shop")
		if err != nil || found.ID != id || found.Latest != 3 {
			t.Errorf("found %+v (%v)", found, err)
		}
		if page, err := h.ConfigSets(t.Context(), admin, blueberry.CatalogueQuery{Project: "default"}); err != nil || len(page.Items) != 1 {
			t.Errorf("listed %+v (%v)", page, err)
		}

		if err := h.DeleteConfigSet(t.Context(), admin, id, found.Version); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ConfigSet(t.Context(), admin, id); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("deleted, but %v", err)
		}
		want := []string{
			"config_set.version_published [default] admin published version 1 of config set shop: first",
			"config_set.version_published [default] admin published version 2 of config set shop",
			"config_set.version_published [default] admin published version 3 of config set shop, equal to version 1: restored version 1",
			"config_set.deleted [default] admin deleted config set shop with its 3 version(s)",
		}
		if diff := cmp.Diff(want, h.told(t)); diff != "" {
			t.Errorf("events -want +got\n%s", diff)
		}
		job := "config.published " + id
		if diff := cmp.Diff([]string{job, job, job}, h.takeJobs()); diff != "" {
			t.Errorf("jobs -want +got\n%s", diff)
		}
	})
}

func TestConfigSetsBelongToAProjectOrToAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	own := h.config(t, "shop", "backend: {a: 1}")
	global, err := h.CreateConfigSet(t.Context(), admin, catalog.NewConfig{Global: true, Name: "shop", Edit: catalog.Edit{Content: []byte("all: {a: 1}")}})
	if err != nil || global.Set.Project != "" || global.Set.ID == own.Set.ID {
		t.Fatalf("global %+v (%v)", global, err)
	}
	if found, err := h.FindConfigSet(t.Context(), admin, "", "shop"); err != nil || found.ID != global.Set.ID {
		t.Errorf("found %+v (%v)", found, err)
	}
	if told := h.told(t); len(told) != 2 || !strings.Contains(told[1], "[] admin published version 1 of config set global/shop") {
		t.Errorf("told %q", told)
	}
}

// content is an edit that is right.
var content = catalog.Edit{Content: []byte("backend: {a: 1}")}

func TestBadConfigSets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", blueberry.MaxConfigMessage+1)
	for name, c := range map[string]struct {
		reason string
		ask    catalog.NewConfig
		want   []string
	}{
		"name taken":      {"one name, one set", catalog.NewConfig{Name: "taken", Edit: content}, []string{"invalid VALIDATION_FAILED", "name taken"}},
		"project unknown": {"a set must belong somewhere", catalog.NewConfig{Project: "nowhere", Name: "a", Edit: content}, []string{"invalid VALIDATION_FAILED", "project unknown"}},
		"global project":  {"it is one or the other", catalog.NewConfig{Project: "default", Global: true, Name: "a", Edit: content}, []string{"invalid VALIDATION_FAILED", "project exclusive"}},
		"version":         {"there is nothing yet", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Content: content.Content, IfVersion: 1}}, []string{"precondition failed VERSION_MOVED"}},
		"everything at once": {"each fault is told", catalog.NewConfig{
			Project: "nowhere", Name: "A b", Edit: catalog.Edit{
				Message: long, Public: []string{"a", "[", "a.**.**.**"}, Content: []byte("backend: 3\n"), Found: blueberry.Faults{{Field: "title", Code: "unknown"}},
			},
		}, []string{
			"invalid VALIDATION_FAILED", "title unknown", "name pattern", "project unknown", "message too_long", "public[1] pattern", "public[2] pattern", "content.backend type",
		}},
		"control characters": {"they would reach a terminal", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Message: "a\x1b[31m", Content: content.Content}}, []string{"invalid VALIDATION_FAILED", "message text"}},
		"nothing":            {"there is no version of nothing", catalog.NewConfig{Name: "a"}, []string{"invalid VALIDATION_FAILED", "content required"}},
		"both":               {"which one?", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Content: content.Content, Repository: shopRepository}}, []string{"invalid VALIDATION_FAILED", "content exclusive"}},
		"path of nothing":    {"a path is of a repository", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Path: "x.yaml"}}, []string{"invalid VALIDATION_FAILED", "source.repository required"}},
		"no path":            {"which file?", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository}}, []string{"invalid VALIDATION_FAILED", "source.path required"}},
		"path outside":       {"it is no file of the repository", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository, Path: "../x"}}, []string{"invalid VALIDATION_FAILED", "source.path path"}},
		"no repository":      {"it cannot be read", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: "https://git.example.com/x", Path: "x"}}, []string{"invalid VALIDATION_FAILED", "source.repository repository_not_found"}},
		"no ref":             {"it cannot be read", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository, Ref: "gone", Path: "x"}}, []string{"invalid VALIDATION_FAILED", "source.ref ref_not_found"}},
		"no file":            {"it is not there", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository, Path: "config/gone.yaml"}}, []string{"invalid VALIDATION_FAILED", "source.path file_not_found"}},
		"a directory":        {"it is no file", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository, Path: "config"}}, []string{"invalid VALIDATION_FAILED", "source.path file_not_found"}},
		"a large file":       {"reading is bounded", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository, Path: "config/large.yaml"}}, []string{"invalid VALIDATION_FAILED", "source.path too_large"}},
		"an empty file":      {"there is no version of nothing", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Repository: shopRepository, Path: "config/empty.yaml"}}, []string{"invalid VALIDATION_FAILED", "source.path required"}},
		"a secret":           {"a secret is a reference", catalog.NewConfig{Name: "a", Edit: catalog.Edit{Content: []byte("backend: {env: {TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ012345}}")}}, []string{"invalid VALIDATION_FAILED", "content.backend.env.TOKEN secret_literal"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.SQLite(t))
			h.config(t, "taken", "backend: {a: 1}")
			_, err := h.CreateConfigSet(t.Context(), admin, c.ask)
			if diff := cmp.Diff(c.want, refusalOf(err)); diff != "" {
				t.Errorf("%s: -want +got\n%s\n%v", c.reason, diff, err)
			}
			if err != nil && strings.Contains(err.Error(), "ghp_") {
				t.Errorf("the secret is repeated: %v", err)
			}
			if page, err := h.ConfigSets(t.Context(), admin, blueberry.CatalogueQuery{}); err != nil || len(page.Items) != 1 {
				t.Errorf("something was made of it: %+v (%v)", page, err)
			}
		})
	}
}

func TestTooLargeConfig(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	large := catalog.NewConfig{Name: "a", Edit: catalog.Edit{Content: []byte("a: {b: " + strings.Repeat("x", 10<<20) + "}")}}
	if _, err := h.CreateConfigSet(t.Context(), admin, large); !errors.Is(err, blueberry.TooLarge) {
		t.Errorf("10 MB of values: %v", err)
	}
}

func TestConfigImport(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	from := catalog.Edit{Repository: shopRepository, Ref: "main", Path: "config/shop.yaml"}
	made, err := h.CreateConfigSet(t.Context(), admin, catalog.NewConfig{Name: "shop", Edit: from})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.ConfigVersion(t.Context(), admin, made.Set.ID, 1)
	want := blueberry.Source{Repository: shopRepository, Ref: "main", Commit: shopCommit, Path: "config/shop.yaml"}
	if err != nil || got.Source != want || !strings.HasPrefix(string(got.Content), "# of the repository\n") {
		t.Errorf("imported %+v (%v)", got, err)
	}
	h.sources.set(func(s *sources) { s.commit = nextCommit })
	if same, err := h.EditConfigSet(t.Context(), admin, made.Set.ID, from); err != nil || !same.Unchanged {
		t.Errorf("the same file at another commit made %+v (%v)", same, err)
	}
	h.sources.set(func(s *sources) { s.down = true })
	if _, err := h.EditConfigSet(t.Context(), admin, made.Set.ID, from); !errors.Is(err, blueberry.Invalid) {
		t.Errorf("a host that is down: %v", err)
	}
}

func TestPublicPatternsGoOnToHold(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	const looks = "backend: {env: {PUBLIC_TOKEN: ghp_0123456789abcdefghijABCDEFGHIJ012345}, n: %d}"
	public := []string{"*.env.PUBLIC_*"}
	made, err := h.CreateConfigSet(t.Context(), admin, catalog.NewConfig{Name: "shop", Edit: catalog.Edit{Content: fmt.Appendf(nil, looks, 1), Public: public}})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Set.ID
	if next := h.edit(t, id, fmt.Sprintf(looks, 2)); cmp.Diff(public, next.Version.Public) != "" {
		t.Errorf("public is %v", next.Version.Public)
	}
	_, err = h.EditConfigSet(t.Context(), admin, id, catalog.Edit{Content: fmt.Appendf(nil, looks, 3), Public: []string{}})
	if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "content.backend.env.PUBLIC_TOKEN secret_literal"}, refusalOf(err)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	other, err := h.EditConfigSet(t.Context(), admin, id, catalog.Edit{Content: fmt.Appendf(nil, looks, 2), Public: []string{"**"}})
	if err != nil || other.Unchanged || other.Version.Number != 3 {
		t.Errorf("other patterns made %+v (%v)", other, err)
	}
}

func TestEditsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		id := h.config(t, "shop", "backend: {n: 0}").Set.ID
		const writers = 6
		race := func(ifVersion int64) (errs []error) {
			var wg sync.WaitGroup
			var mu sync.Mutex
			for i := range writers {
				wg.Go(func() {
					_, err := h.EditConfigSet(t.Context(), admin, id, catalog.Edit{Content: fmt.Appendf(nil, "backend: {n: %d, v: %d}", i, ifVersion), IfVersion: ifVersion})
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
				})
			}
			wg.Wait()
			return errs
		}
		for _, err := range race(0) {
			if err != nil {
				t.Errorf("an edit that named no version: %v", err)
			}
		}
		set, err := h.ConfigSet(t.Context(), admin, id)
		if err != nil || set.Latest != 1+writers || set.Version != 1+writers {
			t.Fatalf("after %d edits: %+v (%v)", writers, set, err)
		}
		landed := 0
		for _, err := range race(set.Version) {
			switch {
			case err == nil:
				landed++
			case cmp.Diff([]string{"precondition failed VERSION_MOVED"}, refusalOf(err)) != "":
				t.Errorf("an edit that named a version: %v", err)
			}
		}
		if landed != 1 {
			t.Errorf("%d edits of one version landed", landed)
		}
	})
}

// TestNamesTakenAtOnce: of several that ask for one name, one gets it, and the others are told what the check would have told them.
func TestNamesTakenAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		for what, create := range map[string]func() error{
			"config set": func() error {
				_, err := h.CreateConfigSet(t.Context(), admin, catalog.NewConfig{Name: "shop", Edit: content})
				return err
			},
			"policy": func() error {
				_, err := h.CreatePolicy(t.Context(), admin, catalog.NewPolicy{Name: "shop", Text: byDigest})
				return err
			},
		} {
			errs := make([]error, 5)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() { errs[i] = create() })
			}
			wg.Wait()
			made := 0
			for _, err := range errs {
				if err == nil {
					made++
				} else if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "name taken"}, refusalOf(err)); diff != "" {
					t.Errorf("%s: -want +got\n%s", what, diff)
				}
			}
			if made != 1 {
				t.Errorf("%s: %d were made", what, made)
			}
		}
	})
}

func TestUsedConfigSetStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		set := h.config(t, "shop", "backend: {a: 1}").Set
		for i := range 23 {
			h.user(t, fmt.Sprintf("pr-%02d", i), blueberry.Inputs{Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, 1, i > 0)}})
		}
		want := []string{"conflict CONFIG_SET_USED"}
		for i := range 20 {
			want = append(want, fmt.Sprintf("users.default/pr-%02d used", i))
		}
		err := h.DeleteConfigSet(t.Context(), admin, set.ID, 0)
		if diff := cmp.Diff(append(want, "users more"), refusalOf(err)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if !strings.HasSuffix(err.Error(), "and 3 more") {
			t.Errorf("%v", err)
		}
		users, err := h.ConfigUsers(t.Context(), admin, set.ID)
		if err != nil || len(users.Items) != 23 || users.Items[0].Follow || !users.Items[1].Follow {
			t.Errorf("users %+v (%v)", users, err)
		}
	})
}

// TestDeletionAndUseAtOnce: whoever comes first wins, and nobody uses what is gone.
func TestDeletionAndUseAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		for i := range 10 {
			set := h.config(t, fmt.Sprintf("set-%d", i), "backend: {a: 1}").Set
			var deleted, used error
			var wg sync.WaitGroup
			wg.Go(func() { deleted = h.DeleteConfigSet(t.Context(), admin, set.ID, 0) })
			wg.Go(func() {
				used = h.store.Update(t.Context(), func(tx *store.Tx) error {
					_, err := insertUser(t.Context(), tx, blueberry.DefaultProject, fmt.Sprintf("env-%d", i), blueberry.Inputs{Blueprint: shop(), Config: []blueberry.ConfigUse{uses(set, 1, true)}}, h.clock.now())
					return err
				})
			})
			wg.Wait()
			if (deleted == nil) == (used == nil) {
				t.Errorf("deleted: %v, used: %v", deleted, used)
			}
		}
	})
}

func TestMovedConfigSets(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	id := h.config(t, "shop", "backend: {a: 1}").Set.ID
	h.edit(t, id, "backend: {a: 2}")
	moved := []string{"precondition failed VERSION_MOVED"}
	_, edit := h.EditConfigSet(t.Context(), admin, id, catalog.Edit{Content: content.Content, IfVersion: 1})
	_, restore := h.RestoreConfigSet(t.Context(), admin, id, 1, "", 1)
	for name, err := range map[string]error{"edit": edit, "restore": restore, "delete": h.DeleteConfigSet(t.Context(), admin, id, 1)} {
		if diff := cmp.Diff(moved, refusalOf(err)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	_, err := h.RestoreConfigSet(t.Context(), admin, id, 3, strings.Repeat("x", 501), 0)
	if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "message too_long", "version unknown"}, refusalOf(err)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDiffConfig(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	id := h.config(t, "shop", "backend: {replicas: 1, env: {A: x, B: was}, list: [1, 2]}\nall: {x: {}}").Set.ID
	h.edit(t, id, "backend: {replicas: 2, env: {A: x, C: null}, list: [1, 3], key: {secretRef: db/password}}\nall: {x: {}}")
	changes := func(from, to int) (out []string) {
		d, err := h.DiffConfig(t.Context(), admin, id, from, to)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range d.Settings {
			out = append(out, x.Path+" "+text(x.Before)+" → "+text(x.After))
		}
		return out
	}
	want := []string{
		"backend.env.B was → -", "backend.env.C - → <nil>", "backend.key - → map[secretRef:db/password]", "backend.list [1 2] → [1 3]", "backend.replicas 1 → 2",
	}
	for _, pair := range [][2]int{{1, 2}, {0, 0}, {0, 2}, {1, 0}} {
		if diff := cmp.Diff(want, changes(pair[0], pair[1])); diff != "" {
			t.Errorf("from %d to %d: -want +got\n%s", pair[0], pair[1], diff)
		}
	}
	if got := changes(0, 1); len(got) != 5 {
		t.Errorf("the first version against nothing: %q", got)
	}
	if got := changes(2, 2); len(got) != 0 {
		t.Errorf("a version against itself: %q", got)
	}
	for _, pair := range [][2]int{{1, 9}, {9, 1}} {
		if _, err := h.DiffConfig(t.Context(), admin, id, pair[0], pair[1]); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("versions %v: %v", pair, err)
		}
	}
}

func text(s *blueberry.Setting) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprint(s.Value)
}

// TestGrants: every operation asks for its grant; what it is about does not exist.
func TestGrants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	c := h.Catalog
	for grant, operations := range map[blueberry.Grant]map[string]func(ctx context.Context, a blueberry.Actor) error{
		blueberry.GrantConfigWrite: {
			"create": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.CreateConfigSet(ctx, a, catalog.NewConfig{})
				return err
			},
			"edit": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.EditConfigSet(ctx, a, "x", catalog.Edit{})
				return err
			},
			"restore": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.RestoreConfigSet(ctx, a, "x", 1, "", 0)
				return err
			},
		},
		blueberry.GrantConfigDelete: {"delete": func(ctx context.Context, a blueberry.Actor) error { return c.DeleteConfigSet(ctx, a, "x", 0) }},
		blueberry.GrantConfigRead: {
			"check": func(ctx context.Context, a blueberry.Actor) error {
				return c.CheckConfigSet(ctx, a, catalog.NewConfig{})
			},
			"list": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.ConfigSets(ctx, a, blueberry.CatalogueQuery{Cursor: "x"})
				return err
			},
			"get": func(ctx context.Context, a blueberry.Actor) error { _, err := c.ConfigSet(ctx, a, "x"); return err },
			"find": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.FindConfigSet(ctx, a, "x", "x")
				return err
			},
			"version": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.ConfigVersion(ctx, a, "x", 1)
				return err
			},
			"versions": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.ConfigVersions(ctx, a, "x", 0, 0)
				return err
			},
			"diff": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.DiffConfig(ctx, a, "x", 1, 2)
				return err
			},
			"users": func(ctx context.Context, a blueberry.Actor) error { _, err := c.ConfigUsers(ctx, a, "x"); return err },
			"impact": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.Impact(ctx, a, "x", catalog.ImpactRequest{})
				return err
			},
		},
		blueberry.GrantBlueprintsWrite: {
			"publish": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.PublishBlueprint(ctx, a, catalog.NewBlueprint{})
				return err
			},
			"delete": func(ctx context.Context, a blueberry.Actor) error { return c.DeleteBlueprint(ctx, a, "x", 0) },
		},
		blueberry.GrantBlueprintsRead: {
			"list": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.Blueprints(ctx, a, blueberry.CatalogueQuery{Cursor: "x"})
				return err
			},
			"get": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.BlueprintEntry(ctx, a, "x")
				return err
			},
			"find": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.FindBlueprint(ctx, a, "x", "x")
				return err
			},
			"version": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.BlueprintVersion(ctx, a, "x", 1)
				return err
			},
			"versions": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.BlueprintVersions(ctx, a, "x", 0, 0)
				return err
			},
			"users": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.BlueprintUsers(ctx, a, "x")
				return err
			},
		},
		blueberry.GrantPoliciesWrite: {
			"create": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.CreatePolicy(ctx, a, catalog.NewPolicy{})
				return err
			},
			"update": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.UpdatePolicy(ctx, a, "x", catalog.NewPolicy{})
				return err
			},
			"delete": func(ctx context.Context, a blueberry.Actor) error { return c.DeletePolicy(ctx, a, "x", 0) },
		},
		blueberry.GrantPoliciesRead: {
			"check": func(ctx context.Context, a blueberry.Actor) error { return c.CheckPolicy(ctx, a, catalog.NewPolicy{}) },
			"get":   func(ctx context.Context, a blueberry.Actor) error { _, err := c.Policy(ctx, a, "x"); return err },
			"list": func(ctx context.Context, a blueberry.Actor) error {
				_, err := c.Policies(ctx, a, "nowhere")
				return err
			},
		},
	} {
		for name, operation := range operations {
			if err := operation(t.Context(), stranger); !errors.Is(err, blueberry.Forbidden) && !errors.Is(err, blueberry.NotFound) {
				t.Errorf("%s without %s: %v", name, grant, err)
			}
			with := stranger
			with.Grants = []blueberry.Grant{grant}
			if err := operation(t.Context(), with); err == nil || errors.Is(err, blueberry.Forbidden) { // there is nothing to act on
				t.Errorf("%s with %s: %v", name, grant, err)
			}
		}
	}
}
