package catalog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/catalog"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

const (
	byDigest = "@id(\"by-digest\")\nforbid (principal, action, resource is Image) unless { resource.by_digest };\n"
	broken   = "forbid (principal, action, resource is Imgae);\npermit (principal, action, resource);\n"
)

func TestLifeOfAPolicy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *storetest.Store) {
		h := newHouse(t, s)
		made, err := h.CreatePolicy(t.Context(), admin, catalog.NewPolicy{Name: "images", Text: byDigest})
		if err != nil || !blueberry.HasIDPrefix(made.ID, blueberry.PolicyID) || made.Label() != "default/images" || made.Author != "admin" {
			t.Fatalf("made %+v (%v)", made, err)
		}
		all, err := h.CreatePolicy(t.Context(), admin, catalog.NewPolicy{Installation: true, Name: "images", Text: byDigest})
		if err != nil || all.Label() != "installation/images" {
			t.Fatalf("made %+v (%v)", all, err)
		}
		if same, err := h.UpdatePolicy(t.Context(), admin, made.ID, catalog.NewPolicy{Name: "images", Project: "default", Text: byDigest}); err != nil || same.Version != 1 {
			t.Errorf("the same text made %+v (%v)", same, err)
		}
		changed, err := h.UpdatePolicy(t.Context(), admin, made.ID, catalog.NewPolicy{Text: byDigest + "// more\n", IfVersion: 1})
		if err != nil || changed.Version != 2 {
			t.Errorf("changed %+v (%v)", changed, err)
		}
		if got, err := h.Policy(t.Context(), admin, made.ID); err != nil || got.Text != byDigest+"// more\n" {
			t.Errorf("got %+v (%v)", got, err)
		}
		if list, err := h.Policies(t.Context(), admin, "default"); err != nil || len(list) != 2 {
			t.Errorf("listed %+v (%v)", list, err)
		}
		if diff := cmp.Diff([]string{"precondition failed VERSION_MOVED"}, refusalOf(h.DeletePolicy(t.Context(), admin, made.ID, 1))); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if err := h.DeletePolicy(t.Context(), admin, made.ID, 2); err != nil {
			t.Error(err)
		}
		if _, err := h.Policy(t.Context(), admin, made.ID); !errors.Is(err, blueberry.NotFound) {
			t.Errorf("deleted, but %v", err)
		}
		want := []string{
			"policy.changed [default] admin made policy default/images", "policy.changed [] admin made policy installation/images",
			"policy.changed [default] admin changed policy default/images", "policy.deleted [default] admin deleted policy default/images",
		}
		if diff := cmp.Diff(want, h.told(t)); diff != "" {
			t.Errorf("events -want +got\n%s", diff)
		}
	})
}

func TestBadPolicies(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	made, err := h.CreatePolicy(t.Context(), admin, catalog.NewPolicy{Name: "images", Text: byDigest})
	if err != nil {
		t.Fatal(err)
	}
	found := blueberry.Faults{{Field: "x", Code: "unknown"}}
	bad := catalog.NewPolicy{Project: "nowhere", Name: "A b", Text: broken, Found: found}
	want := []string{"invalid VALIDATION_FAILED", "x unknown", "name pattern", "text unknown", "text permit", "project unknown"}
	_, create := h.CreatePolicy(t.Context(), admin, bad)
	for name, err := range map[string]error{"create": create, "check": h.CheckPolicy(t.Context(), admin, bad)} {
		if diff := cmp.Diff(want, refusalOf(err)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if !strings.Contains(err.Error(), "line 2, column 1") {
			t.Errorf("%s does not say where: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		reason string
		ask    catalog.NewPolicy
		want   []string
	}{
		"taken":   {"verdicts are known by the name", catalog.NewPolicy{Name: "images", Text: byDigest}, []string{"invalid VALIDATION_FAILED", "name taken"}},
		"both":    {"it is one or the other", catalog.NewPolicy{Project: "default", Installation: true, Name: "a", Text: byDigest}, []string{"invalid VALIDATION_FAILED", "project exclusive"}},
		"version": {"there is nothing yet", catalog.NewPolicy{Name: "a", Text: byDigest, IfVersion: 2}, []string{"precondition failed VERSION_MOVED"}},
	} {
		_, err := h.CreatePolicy(t.Context(), admin, c.ask)
		if diff := cmp.Diff(c.want, refusalOf(err)); diff != "" {
			t.Errorf("%s (%s): -want +got\n%s", name, c.reason, diff)
		}
	}
	_, err = h.UpdatePolicy(t.Context(), admin, made.ID, catalog.NewPolicy{Name: "other", Installation: true, Text: broken, Found: found})
	if diff := cmp.Diff([]string{"invalid VALIDATION_FAILED", "x unknown", "name immutable", "project immutable", "text unknown", "text permit"}, refusalOf(err)); diff != "" {
		t.Errorf("update: -want +got\n%s", diff)
	}
	if err := h.CheckPolicy(t.Context(), admin, catalog.NewPolicy{Name: "fine", Text: byDigest}); err != nil {
		t.Errorf("check: %v", err)
	}
	if list, err := h.Policies(t.Context(), admin, ""); err != nil || len(list) != 1 {
		t.Errorf("something was made of it: %+v (%v)", list, err)
	}
}
