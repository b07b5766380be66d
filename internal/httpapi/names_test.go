package httpapi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/httpapi/httpapitest"
	"github.com/blueberry-idp/blueberry/sdk"
)

// TestNamesAreThoseThatOneMaySee: what a list can be narrowed by tells nobody of what they may not see.
func TestNamesAreThoseThatOneMaySee(t *testing.T) {
	t.Parallel()
	_, c := rooms(t)
	got[sdk.Project](t)(c.CreateProject(t.Context(), sdk.CreateProjectRequest{Name: "hidden"}))
	got[sdk.Target](t)(c.CordonTarget(t.Context(), "local", sdk.CordonTargetRequest{Reason: "new nodes"}))
	targets := []sdk.TargetName{{Name: "local", Driver: "sim", State: "cordoned"}}
	for name, tc := range map[string]struct {
		token string
		want  sdk.Names
	}{
		"everything": {httpapitest.Token, sdk.Names{Projects: []string{"default", "hidden"}, Targets: targets}},
		"a viewer":   {httpapitest.Viewer, sdk.Names{Projects: []string{"default"}, Targets: targets}},
		"a stranger": {httpapitest.Poor, sdk.Names{Projects: []string{}, Targets: []sdk.TargetName{}}},
	} {
		who := *c
		who.Token = tc.token
		if diff := cmp.Diff(tc.want, got[sdk.Names](t)(who.ListNames(t.Context()))); diff != "" {
			t.Errorf("%s sees (-want +got):\n%s", name, diff)
		}
	}
}
