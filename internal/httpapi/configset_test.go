package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

func TestListsOfTheCataloguePage(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	for i := range 3 {
		global := i == 2
		got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: fmt.Sprintf("set-%d", i), Global: global, Content: "all: {env: {A: b}}"}))
		got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Global: global, Content: strings.Replace(shopBlueprint, "name: shop", fmt.Sprintf("name: shop-%d", i), 1)}))
	}
	for name, tc := range map[string]struct {
		filter sdk.CatalogueFilter
		want   []int
	}{
		"all":     {sdk.CatalogueFilter{Limit: 1}, []int{0, 1, 2}},
		"project": {sdk.CatalogueFilter{Scope: "project", Project: "default"}, []int{0, 1}},
		"global":  {sdk.CatalogueFilter{Scope: "global"}, []int{2}},
		"search":  {sdk.CatalogueFilter{Search: "-1"}, []int{1}},
	} {
		var sets, blueprints, wantSets, wantBlueprints []string
		for s, err := range c.AllConfigSets(ctx, tc.filter) {
			if err != nil {
				t.Fatal(err)
			}
			sets = append(sets, s.Name)
		}
		for b, err := range c.AllBlueprints(ctx, tc.filter) {
			if err != nil {
				t.Fatal(err)
			}
			blueprints = append(blueprints, b.Name)
		}
		for _, i := range tc.want {
			wantSets, wantBlueprints = append(wantSets, fmt.Sprintf("set-%d", i)), append(wantBlueprints, fmt.Sprintf("shop-%d", i))
		}
		if diff := cmp.Diff([][]string{wantSets, wantBlueprints}, [][]string{sorted(sets), sorted(blueprints)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	page := got[sdk.ConfigSetPage](t)(c.ListConfigSets(ctx, sdk.CatalogueFilter{Limit: 1}))
	_, err := c.ListConfigSets(ctx, sdk.CatalogueFilter{Limit: 1, Scope: "global", Cursor: page.NextCursor})
	problemOf(t, err, 422, "VALIDATION_FAILED")
}

func TestVersionsOfAConfigSet(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	id := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues, Message: "first"})).ConfigSet.ID
	second := got[sdk.EditedConfigSet](t)(c.EditConfigSet(ctx, id, sdk.EditConfigSetRequest{Content: "web:\n  env:\n    LOG_LEVEL: warn\n", Message: "less"}))
	same := got[sdk.EditedConfigSet](t)(c.EditConfigSet(ctx, id, sdk.EditConfigSetRequest{Content: "web:\n  env:\n    LOG_LEVEL: warn\n"}))
	if second.Version.Number != 2 || second.Unchanged || !same.Unchanged || same.Version.Number != 2 || same.ConfigSet.Version != second.ConfigSet.Version {
		t.Errorf("edits give %+v, then %+v", second, same)
	}
	back := got[sdk.EditedConfigSet](t)(c.RestoreConfigSet(ctx, id, sdk.RestoreConfigSetRequest{Version: 1}))
	if back.Version.Number != 3 || back.Version.RestoredFrom != 1 {
		t.Errorf("restore gives %+v", back)
	}
	var numbers []int
	for v, err := range c.AllConfigSetVersions(ctx, id, sdk.Window{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if v.Content != "" || v.Values != nil {
			t.Errorf("the list holds the content of version %d", v.Number)
		}
		numbers = append(numbers, v.Number)
	}
	if diff := cmp.Diff([]int{3, 2, 1}, numbers); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	v := got[sdk.ConfigVersion](t)(c.GetConfigSetVersion(ctx, id, 3))
	if v.Content != shopValues || v.Author != "admin" {
		t.Errorf("version is %+v", v)
	}
	if diff := cmp.Diff(overrides("debug"), v.Values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	d := got[sdk.ConfigDiff](t)(c.DiffConfigSetVersions(ctx, id, 1, 2))
	if d.From == nil || d.From.Number != 1 || d.To.Number != 2 || len(d.Changes) != 1 || d.Changes[0].Before.Value != "debug" || d.Changes[0].After.Value != "warn" {
		t.Errorf("diff is %+v", d)
	}
	if d := got[sdk.ConfigDiff](t)(c.DiffConfigSetVersions(ctx, id, 0, 1)); d.From != nil || len(d.Changes) != 1 || d.Changes[0].Before != nil {
		t.Errorf("diff of the first version is %+v", d)
	}
	_, err := c.GetConfigSetVersion(ctx, id, 9)
	problemOf(t, err, 404, "CONFIG_VERSION_NOT_FOUND")
}

func TestImpactOfContentThatIsNotStored(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	id := got[sdk.EditedConfigSet](t)(c.CreateConfigSet(ctx, sdk.CreateConfigSetRequest{Name: "shop", Content: shopValues})).ConfigSet.ID
	for _, name := range []string{"pr-1", "pr-2"} {
		r := shopRequest(name)
		r.ConfigSets = []string{"shop"}
		got[sdk.Environment](t)(c.CreateEnvironment(ctx, r))
	}
	i := got[sdk.ConfigImpact](t)(c.GetConfigSetImpact(ctx, id, sdk.ConfigImpactRequest{Content: "web:\n  env:\n    LOG_LEVEL: warn\n", Limit: 1}))
	if i.Total != 2 || i.Change != 2 || len(i.Groups) != 1 || i.Groups[0].Environments != 2 || len(i.Groups[0].Settings) != 1 || len(i.Groups[0].Objects) == 0 {
		t.Errorf("impact is %+v", i)
	}
	if len(i.Items) != 1 || i.Items[0].Name != "pr-1" || i.NextCursor == "" {
		t.Errorf("page is %+v, then %q", i.Items, i.NextCursor)
	}
	next := got[sdk.ConfigImpact](t)(c.GetConfigSetImpact(ctx, id, sdk.ConfigImpactRequest{Content: "web:\n  env:\n    LOG_LEVEL: warn\n", Limit: 1, Cursor: i.NextCursor}))
	if len(next.Items) != 1 || next.Items[0].Name != "pr-2" || next.NextCursor != "" {
		t.Errorf("next page is %+v, then %q", next.Items, next.NextCursor)
	}
	if v := got[sdk.ConfigVersionList](t)(c.ListConfigSetVersions(ctx, id, sdk.Window{})); len(v.Items) != 1 {
		t.Errorf("asking has made a version: %+v", v.Items)
	}
}
