package provision

import (
	"strings"
	"testing"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/render"
)

// TestUndoKeepsToTheScope: what a project may not create any more does not come back byte for byte either.
func TestUndoKeepsToTheScope(t *testing.T) {
	t.Parallel()
	role := blueberry.ObjectRef{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole", Name: "reader"}
	var d draft
	d.out = render.Output{}
	d.out.Rendering.Files = []blueberry.RenderedFile{{Objects: []blueberry.ObjectRef{
		{APIVersion: "v1", Kind: "Namespace", Name: "shop-pr-1"}, {APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop-pr-1", Name: "web"}, role,
	}}}
	for name, c := range map[string]struct {
		kinds []string
		want  bool
	}{"none": {nil, true}, "by kind": {[]string{"ClusterRole"}, false}, "by kind and group": {[]string{"ClusterRole.rbac.authorization.k8s.io"}, false}} {
		d.project.ClusterKinds = c.kinds
		var faults blueberry.Faults
		d.checkScope(&faults)
		if got := faults.Err() != nil; got != c.want || got && !strings.Contains(faults.Err().Error(), role.String()) {
			t.Errorf("%s: %v", name, faults.Err())
		}
	}
}
