package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"

	"github.com/blueberry-idp/blueberry/charts"
	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Version names what renders: a digest over the built-in chart and over the guard rails of an example. Two servers of one version render an input to the
// same bytes.
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	h := sha256.New()
	err := fs.WalkDir(charts.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := fs.ReadFile(charts.FS, name)
		fmt.Fprintf(h, "%s %d\n%s\n", name, len(content), content)
		return err
	})
	if err != nil {
		return "unknown" // what is embedded can be read
	}
	example := Input{
		Project: blueberry.Project{Name: "project"}, Name: "environment", Namespace: "project-environment", Revision: 1, Domain: "localhost",
		Blueprint: blueberry.Blueprint{
			Name: "example", Egress: []blueberry.Egress{{CIDR: "10.0.0.0/8", Ports: []int{443}}},
			Components: []blueberry.Component{{Name: "web", Image: "example.invalid/web:1"}},
		},
	}
	out, err := Environment(example)
	if err != nil {
		return "unknown"
	}
	fmt.Fprintf(h, "%s %s\n", DefaultKubeVersion, out.Digest)
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
})
