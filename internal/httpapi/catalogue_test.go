package httpapi_test

import (
	"testing"

	"github.com/blueberry-idp/blueberry/sdk"
)

func TestAnEnvironmentOfTheCatalogue(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	ctx := t.Context()
	first := got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: shopBlueprint, Description: "Shop", Message: "first"}))
	if first.Version.Number != 1 || first.Unchanged || first.Version.Blueprint == nil || first.Version.Blueprint.Parameters[0].Help != "How many copies run" {
		t.Errorf("published %+v", first)
	}
	if again := got[sdk.PublishedBlueprint](t)(c.PublishBlueprint(ctx, sdk.PublishBlueprintRequest{Content: shopBlueprint})); !again.Unchanged {
		t.Errorf("published again %+v", again)
	}
	r := sdk.CreateEnvironmentRequest{Name: "pr-1", BlueprintRef: "shop@1", Parameters: map[string]any{"replicas": 3}}
	env := got[sdk.Environment](t)(c.CreateEnvironment(ctx, r))
	env = got[sdk.Environment](t)(c.GetEnvironment(ctx, env.ID))
	if env.BlueprintRef != "shop@1" {
		t.Errorf("blueprint is %q", env.BlueprintRef)
	}
	s := got[sdk.EnvironmentSettings](t)(c.GetEnvironmentSettings(ctx, env.ID, 0, "web.replicas"))
	if len(s.Settings) != 1 || s.Settings[0].Value != 3.0 || s.Settings[0].Origin.Name != "replicas" {
		t.Errorf("settings are %+v", s.Settings)
	}
	users := got[sdk.EnvironmentUseList](t)(c.ListBlueprintUsers(ctx, first.Blueprint.ID))
	if len(users.Items) != 1 || users.Items[0].Follows {
		t.Errorf("users are %+v", users.Items)
	}
	problemOf(t, c.DeleteBlueprint(ctx, first.Blueprint.ID), 409, "BLUEPRINT_USED")
	v := got[sdk.CatalogueVersion](t)(c.GetBlueprintVersion(ctx, first.Blueprint.ID, 1))
	if v.Content != shopBlueprint || v.Message != "first" {
		t.Errorf("version is %+v", v)
	}
	list := got[sdk.CatalogueVersionList](t)(c.ListBlueprintVersions(ctx, first.Blueprint.ID, sdk.Window{}))
	if len(list.Items) != 1 || list.Items[0].Content != "" || list.Items[0].Blueprint != nil {
		t.Errorf("versions are %+v", list.Items)
	}
	rendered := got[sdk.BlueprintRendering](t)(c.RenderBlueprint(ctx, sdk.BlueprintRequest{BlueprintRef: "shop", Parameters: map[string]any{"replicas": 2}, Overrides: map[string]any{"web": map[string]any{"resources": map[string]any{"limits": map[string]any{"cpu": "9"}}}}}))
	if len(rendered.Files) == 0 || len(rendered.Settings) == 0 || len(rendered.Warnings) != 1 {
		t.Errorf("rendering has %d files, %d settings, warnings %+v", len(rendered.Files), len(rendered.Settings), rendered.Warnings)
	}
	check := got[sdk.BlueprintCheck](t)(c.ValidateBlueprint(ctx, sdk.BlueprintRequest{BlueprintRef: "shop"}))
	if check.Objects == 0 || check.Blueprint.Name != "shop" {
		t.Errorf("check is %+v", check)
	}
}

// TestAnEmptyFileIsAFile: a tree that is sent along may hold files with nothing in them, as charts do.
func TestAnEmptyFileIsAFile(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	check, err := c.ValidateBlueprint(t.Context(), sdk.BlueprintRequest{Source: &sdk.Source{Path: "blueberry.yaml"}, Files: map[string][]byte{
		"blueberry.yaml":          []byte("name: x\ncomponents: [{name: c, chart: chart}]\n"),
		"chart/Chart.yaml":        []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n"),
		"chart/values.yaml":       {},
		"chart/templates/cm.yaml": []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
	}})
	if err != nil || check.Objects == 0 {
		t.Errorf("%d objects (%v)", check.Objects, err)
	}
}
