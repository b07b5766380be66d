package render

import (
	"strconv"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Relabel gives the same manifests as another revision: byte for byte what rendering the same input as that revision gives.
func Relabel(r blueberry.Rendering, revision int) (blueberry.Rendering, error) {
	var out blueberry.Rendering
	for _, f := range r.Files {
		all, err := readFile(f)
		if err != nil {
			return blueberry.Rendering{}, err
		}
		f.Content, f.Objects = nil, nil
		for _, m := range all {
			if labels := child(m.object, "metadata", "labels"); labels != nil {
				labels[blueberry.LabelRevision] = strconv.Itoa(revision)
			}
			if err := appendManifest(&f, m); err != nil {
				return blueberry.Rendering{}, err
			}
		}
		out.Files = append(out.Files, f)
	}
	out.Digest = blueberry.DigestOf(out.Files)
	return out, nil
}
