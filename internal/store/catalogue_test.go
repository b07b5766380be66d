package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

var application = blueberry.Source{Repository: "https://git.example/shop.git", Ref: "main", Commit: strings.Repeat("ab", 20), Path: "config/shop.yaml"}

// values has every kind of value, and numbers that a careless reader rounds or retypes.
func values() map[string]any {
	return map[string]any{
		"all": map[string]any{"env": map[string]any{"REGION": "eu", "none": nil, "on": true, "empty": map[string]any{}, "list": []any{}}},
		"web": map[string]any{
			"replicas": 2, "float": 2.0, "half": 0.5, "big": 9007199254740993, "bigFloat": 1e300, "zero": 0.0,
			"list": []any{1, 1.0, "x", map[string]any{"deep": 3.0}, []any{nil}}, "secret": map[string]any{"secretRef": "db/password"}, "text": "ö\x00\"<>",
		},
	}
}

func configSet(name string) blueberry.ConfigSet {
	return blueberry.ConfigSet{ID: blueberry.NewID(blueberry.ConfigSetID, start), Project: blueberry.DefaultProject, Name: name, Latest: 1, CreatedAt: start, UpdatedAt: start}
}

func configVersion(s blueberry.ConfigSet, number int) blueberry.ConfigVersion {
	content := fmt.Appendf(nil, "# version %d\xff\x00\nweb: {replicas: 2}\n", number)
	return blueberry.ConfigVersion{
		SetID: s.ID, Number: number, Author: "ada", Message: "more", Source: application, RestoredFrom: number - 1, Content: content, Digest: fmt.Sprintf("sha256:%d", number),
		Values: values(), Public: []string{"web.token"}, CreatedAt: start.Add(time.Duration(number) * time.Second),
	}
}

func catalogueEntry(name string) blueberry.CatalogueEntry {
	return blueberry.CatalogueEntry{
		ID: blueberry.NewID(blueberry.BlueprintID, start), Project: blueberry.DefaultProject, Name: name, Latest: 1, Description: "a shop", CreatedAt: start, UpdatedAt: start,
	}
}

// fullBlueprint has something in every field that may hold any value.
func fullBlueprint(name string) blueberry.Blueprint {
	low := 1.0
	return blueberry.Blueprint{
		Name: name,
		Components: []blueberry.Component{
			{Name: "web", Image: "shop/web:1", Port: 80, Wave: 1, Values: values()},
			{Name: "worker", Score: "score.yaml"},
			{Name: "front", Chart: "chart", Repository: "front", Paths: []string{"src/**"}},
		},
		Repositories: []blueberry.SideRepository{{Name: "front", URL: "https://git.example.com/front.git", Ref: "main", Match: blueberry.MatchFixed}},
		Parameters: []blueberry.Parameter{
			{Name: "replicas", Type: blueberry.ParameterInteger, Default: 2, Enum: []any{1, 2.0, 3}, Min: &low, Sets: []string{"web.replicas"}},
			{Name: "region", Default: "eu", Pattern: "[a-z]+", Sets: []string{"all.env.REGION"}},
		},
		Schema:   map[string]any{"properties": map[string]any{"web": map[string]any{"maximum": 10.0, "minimum": 1}}},
		Fields:   blueberry.FieldClasses{Required: []string{"web.image"}, Forbidden: []string{"*.resources"}, Public: []string{"web.token"}},
		Computed: map[string]string{"web.env.URL": "${web.url}"}, Services: []blueberry.ServiceSlot{{Name: "db", Kind: "postgres", Size: "1Gi"}},
		Egress: []blueberry.Egress{{CIDR: "10.1.0.0/16", Ports: []int{443}}}, ConfigSets: []blueberry.ConfigRef{{Global: true, Name: "logging", Version: 3}},
		ConfigUpdates: blueberry.ConfigAutomatic, Lease: blueberry.LeaseBounds{Default: 8, Max: 24},
		Access: blueberry.BlueprintAccess{Projects: []string{"default"}, Actors: []string{"ada"}},
	}
}

func catalogueVersion(e blueberry.CatalogueEntry, number int) blueberry.CatalogueVersion {
	return blueberry.CatalogueVersion{
		EntryID: e.ID, Number: number, Author: "ada", Message: "more", Source: application, Content: []byte("name: shop # \xff\n"), Digest: fmt.Sprintf("sha256:%d", number),
		Blueprint: fullBlueprint(e.Name), CreatedAt: start,
	}
}

// wantCode is wantError for the codes that callers decide on.
func wantCode(t testing.TB, what string, err error, kind blueberry.Kind, code string) {
	t.Helper()
	var e *blueberry.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code {
		t.Errorf("%s: got %v, want %s %s", what, err, kind, code)
	}
}

func TestConfigSetsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := configSet("shop")
		global := configSet("shop")
		global.Project = ""
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertConfigSet(ctx, want), tx.InsertConfigSet(ctx, global))
		})
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertConfigSet(ctx, configSet("shop")) })
		wantCode(t, "a name that is taken", err, blueberry.Conflict, "CONFIG_SET_NAME_TAKEN")
		if e := new(blueberry.Error); !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != "name" {
			t.Errorf("a name that is taken has no fault: %v", err)
		}

		want.Latest, want.UpdatedAt = 2, start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateConfigSet(ctx, want) })
		stale := want
		want.Version++
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSet, error){
			"by id": func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSet, error) {
				return tx.ConfigSet(ctx, want.ID)
			},
			"by name": func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSet, error) {
				return tx.FindConfigSet(ctx, want.Project, "shop")
			},
		} {
			if d := cmp.Diff(want, view(t, s, read)); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
		if got := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigSet, error) {
			return tx.FindConfigSet(ctx, "", "shop")
		}); got.ID != global.ID {
			t.Errorf("the global set is %+v", got)
		}
		for name, test := range map[string]struct {
			do   func(ctx context.Context, tx *store.Tx) error
			kind blueberry.Kind
			code string
		}{
			"update what moved":        {func(ctx context.Context, tx *store.Tx) error { return tx.UpdateConfigSet(ctx, stale) }, blueberry.Conflict, "VERSION_MOVED"},
			"delete what moved":        {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteConfigSet(ctx, stale) }, blueberry.Conflict, "VERSION_MOVED"},
			"update what is not there": {func(ctx context.Context, tx *store.Tx) error { return tx.UpdateConfigSet(ctx, configSet("none")) }, blueberry.NotFound, "CONFIG_SET_NOT_FOUND"},
			"delete what is not there": {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteConfigSet(ctx, configSet("none")) }, blueberry.NotFound, "CONFIG_SET_NOT_FOUND"},
			"version of no set": {func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertConfigVersion(ctx, configVersion(configSet("none"), 1))
			}, blueberry.NotFound, "CONFIG_SET_NOT_FOUND"},
			"no text as id": {func(ctx context.Context, tx *store.Tx) error { _, err := tx.ConfigSet(ctx, "a\x00\xff"); return err }, blueberry.NotFound, "CONFIG_SET_NOT_FOUND"},
			"no text as name": {func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.FindConfigSet(ctx, "\x00", "\xff")
				return err
			}, blueberry.NotFound, "CONFIG_SET_NOT_FOUND"},
		} {
			wantCode(t, name, tryUpdate(t, s, test.do), test.kind, test.code)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertConfigVersion(ctx, configVersion(want, 1)), tx.DeleteConfigSet(ctx, want))
		})
		if n := count(t, s, "config_versions"); n != 0 {
			t.Errorf("%d versions of a set that was deleted", n)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertConfigSet(ctx, configSet("shop")) }) // the name is free again
	})
}

func TestConfigVersionsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		set := configSet("shop")
		bare := blueberry.ConfigVersion{SetID: set.ID, Number: 4, Content: []byte{}, CreatedAt: start}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			err := tx.InsertConfigSet(ctx, set)
			for number := 1; number <= 3; number++ {
				err = errors.Join(err, tx.InsertConfigVersion(ctx, configVersion(set, number)))
			}
			return errors.Join(err, tx.InsertConfigVersion(ctx, bare))
		})
		for _, want := range []blueberry.ConfigVersion{configVersion(set, 2), bare} {
			if d := cmp.Diff(want, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigVersion, error) {
				return tx.ConfigVersion(ctx, set.ID, want.Number)
			})); d != "" {
				t.Errorf("version %d:\n%s", want.Number, d)
			}
		}
		err := tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertConfigVersion(ctx, configVersion(set, 2))
		})
		wantCode(t, "a number that is taken", err, blueberry.Conflict, "CONFIG_VERSION_EXISTS")
		_, err = tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigVersion, error) {
			return tx.ConfigVersion(ctx, set.ID, 9)
		})
		wantCode(t, "a number that is not there", err, blueberry.NotFound, "CONFIG_VERSION_NOT_FOUND")

		for _, test := range []struct {
			before, limit int
			want          []int
		}{{0, 2, []int{4, 3}}, {3, 2, []int{2, 1}}, {1, 2, nil}, {0, 0, []int{4, 3, 2, 1}}} {
			var got []int
			for _, v := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.ConfigVersion, error) {
				return tx.ConfigVersions(ctx, set.ID, test.before, test.limit)
			}) {
				if len(v.Content) > 0 || v.Values != nil {
					t.Errorf("version %d of a list has content", v.Number)
				}
				got = append(got, v.Number)
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("before %d:\n%s", test.before, d)
			}
		}
	})
}

func TestReferencesAreResolved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		own, global := configSet("shop"), configSet("shop")
		global.Project = ""
		own.Latest = 2
		entry := catalogueEntry("shop")
		entry.Latest = 2
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(
				tx.InsertConfigSet(ctx, own), tx.InsertConfigVersion(ctx, configVersion(own, 1)), tx.InsertConfigVersion(ctx, configVersion(own, 2)),
				tx.InsertConfigSet(ctx, global), tx.InsertConfigVersion(ctx, configVersion(global, 1)),
				tx.InsertBlueprint(ctx, entry), tx.InsertBlueprintVersion(ctx, catalogueVersion(entry, 1)), tx.InsertBlueprintVersion(ctx, catalogueVersion(entry, 2)),
			)
		})
		for ref, want := range map[string]struct {
			id     string
			number int
			code   string
		}{
			"shop":          {own.ID, 2, ""},
			"shop@latest":   {own.ID, 2, ""},
			"shop@1":        {own.ID, 1, ""},
			"shop@3":        {"", 0, "CONFIG_VERSION_NOT_FOUND"},
			"global/shop":   {global.ID, 1, ""},
			"global/shop@2": {"", 0, "CONFIG_VERSION_NOT_FOUND"},
			"other":         {"", 0, "CONFIG_SET_NOT_FOUND"},
			"global/other":  {"", 0, "CONFIG_SET_NOT_FOUND"},
		} {
			r, ok := blueberry.ParseConfigRef(ref)
			if !ok {
				t.Fatalf("%s is no reference", ref)
			}
			v, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.ConfigVersion, error) {
				set, v, err := tx.ResolveConfig(ctx, blueberry.DefaultProject, r)
				if err == nil && set.ID != v.SetID {
					t.Errorf("%s: set %s, version of %s", ref, set.ID, v.SetID)
				}
				return v, err
			})
			if want.code != "" {
				wantCode(t, ref, err, blueberry.NotFound, want.code)
			} else if err != nil || v.SetID != want.id || v.Number != want.number || v.Values == nil {
				t.Errorf("%s: got version %d of %s, %v", ref, v.Number, v.SetID, err)
			}
		}
		for ref, want := range map[string]struct {
			number int
			code   string
		}{
			"shop":        {2, ""},
			"shop@1":      {1, ""},
			"shop@3":      {0, "BLUEPRINT_VERSION_NOT_FOUND"},
			"global/shop": {0, "BLUEPRINT_NOT_FOUND"},
		} {
			r, ok := blueberry.ParseBlueprintRef(ref)
			if !ok {
				t.Fatalf("%s is no reference", ref)
			}
			v, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CatalogueVersion, error) {
				_, v, err := tx.ResolveBlueprint(ctx, blueberry.DefaultProject, r)
				return v, err
			})
			if want.code != "" {
				wantCode(t, ref, err, blueberry.NotFound, want.code)
			} else if err != nil || v.Number != want.number || v.Blueprint.Name != "shop" {
				t.Errorf("%s: got %+v, %v", ref, v, err)
			}
		}
	})
}

func TestBlueprintsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := catalogueEntry("shop")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertBlueprint(ctx, want), tx.InsertBlueprintVersion(ctx, catalogueVersion(want, 1)), tx.InsertBlueprintVersion(ctx, catalogueVersion(want, 2)))
		})
		want.Latest, want.Description, want.UpdatedAt = 2, "a\x00 better shop", start.Add(time.Hour)
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateBlueprint(ctx, want) })
		stale := want
		want.Version, want.Description = 1, "a\uFFFD better shop"
		for name, read := range map[string]func(ctx context.Context, tx *store.Tx) (blueberry.CatalogueEntry, error){
			"by id": func(ctx context.Context, tx *store.Tx) (blueberry.CatalogueEntry, error) {
				return tx.BlueprintEntry(ctx, want.ID)
			},
			"by name": func(ctx context.Context, tx *store.Tx) (blueberry.CatalogueEntry, error) {
				return tx.FindBlueprint(ctx, want.Project, "shop")
			},
		} {
			if d := cmp.Diff(want, view(t, s, read)); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
		if d := cmp.Diff(catalogueVersion(want, 2), view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CatalogueVersion, error) {
			return tx.BlueprintVersion(ctx, want.ID, 2)
		})); d != "" {
			t.Errorf("version:\n%s", d)
		}
		list := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.CatalogueVersion, error) {
			return tx.BlueprintVersions(ctx, want.ID, 0, 5)
		})
		if len(list) != 2 || list[0].Number != 2 || len(list[0].Content) != 0 || list[0].Blueprint.Name != "" {
			t.Errorf("versions are %+v", list)
		}
		for name, test := range map[string]struct {
			do   func(ctx context.Context, tx *store.Tx) error
			kind blueberry.Kind
			code string
		}{
			"name that is taken":       {func(ctx context.Context, tx *store.Tx) error { return tx.InsertBlueprint(ctx, catalogueEntry("shop")) }, blueberry.Conflict, "BLUEPRINT_NAME_TAKEN"},
			"update what moved":        {func(ctx context.Context, tx *store.Tx) error { return tx.UpdateBlueprint(ctx, stale) }, blueberry.Conflict, "VERSION_MOVED"},
			"delete what moved":        {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteBlueprint(ctx, stale) }, blueberry.Conflict, "VERSION_MOVED"},
			"delete what is not there": {func(ctx context.Context, tx *store.Tx) error { return tx.DeleteBlueprint(ctx, catalogueEntry("none")) }, blueberry.NotFound, "BLUEPRINT_NOT_FOUND"},
			"number that is taken": {func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertBlueprintVersion(ctx, catalogueVersion(want, 2))
			}, blueberry.Conflict, "BLUEPRINT_VERSION_EXISTS"},
			"version of nothing": {func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertBlueprintVersion(ctx, catalogueVersion(catalogueEntry("none"), 1))
			}, blueberry.NotFound, "BLUEPRINT_NOT_FOUND"},
		} {
			wantCode(t, name, tryUpdate(t, s, test.do), test.kind, test.code)
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteBlueprint(ctx, want) })
		if n := count(t, s, "blueprint_versions"); n != 0 {
			t.Errorf("%d versions of a blueprint that was deleted", n)
		}
	})
}
