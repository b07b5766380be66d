package render

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
)

// kustomization builds the kustomization in a directory of the tree. Plugins are off and nothing is fetched; a file outside its own directory is
// refused by kustomize itself, and one outside the tree does not exist.
func kustomization(fsys fs.FS, dir string) ([]manifest, []problem) {
	if info, err := fs.Stat(fsys, dir); err != nil || !info.IsDir() {
		return nil, []problem{{field: "kustomization", code: "kustomize", message: fmt.Sprintf("there is no directory %s in the repository", dir)}}
	}
	type answer struct {
		stream []byte
		err    error
	}
	// Kustomize cannot be told to stop. What runs too long is left to end by itself, and its answer is dropped; the files it may read are bounded.
	done := make(chan answer, 1)
	tree := &kustomizeFS{reading: reading{fsys: fsys}}
	go func() {
		var a answer
		defer func() {
			if r := recover(); r != nil {
				a.err = fmt.Errorf("kustomize failed: %v", r)
			}
			done <- a
		}()
		defer func() {
			if len(tree.refused) > 0 {
				a.err = tree.refused[0]
			}
		}()
		m, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(tree, path.Join("/", dir))
		if err != nil {
			a.err = err
			return
		}
		a.stream, a.err = m.AsYaml()
	}()
	late := time.NewTimer(maxWait)
	defer late.Stop()
	select {
	case a := <-done:
		return built(dir, a.stream, a.err)
	case <-late.C:
		return nil, []problem{{field: "kustomization", code: "limit", message: fmt.Sprintf("takes longer than %s", maxWait)}}
	}
}

func built(dir string, stream []byte, err error) ([]manifest, []problem) {
	if err == nil && len(stream) > maxOutput {
		err = fmt.Errorf("writes more than %d bytes: %w", maxOutput, errTooBig)
	}
	if err != nil {
		return nil, []problem{{field: "kustomization", code: "kustomize", message: oneLine(err)}}
	}
	out, found := readManifests(dir, string(stream))
	return installOrder(out), found
}

// oneLine gives an error as kustomize and our checks make it: several lines, paths as if the tree were the machine's root.
func oneLine(err error) string {
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(err.Error()), "'/", "'"), "\n")
	slices.Sort(lines)
	text := strings.Join(slices.Compact(lines), "; ")
	if len(text) > 2000 {
		text = text[:2000] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
