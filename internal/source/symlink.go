package source

import (
	"path"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// maxHops is how many symlinks one path may go through, as in Linux; beyond, it leads nowhere.
const maxHops = 40

// escapes tells every symlink that leads out of the tree, each followed as a kernel would: through other symlinks, one part after the other.
func escapes(entries []treeEntry, links map[string]string) error {
	var f blueberry.Faults
	for _, e := range entries {
		target, ok := links[e.path]
		if !ok || len(f) == maxTold || inside(e.path, links) {
			continue
		}
		if r := []rune(target); len(r) > 100 {
			target = string(r[:100]) + "…"
		}
		f.Add(fieldRepository, codeSymlink, "the symlink %q leads out of the repository, to %q", e.path, target)
	}
	return f.Err()
}

// inside reports whether following a path never leaves the tree. Whether something is there does not matter.
func inside(p string, links map[string]string) bool {
	rest := strings.Split(p, "/")
	at := "" // where we stand: a path without symlinks
	for hops := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if at == "" {
				return false
			}
			if at = path.Dir(at); at == "." {
				at = ""
			}
			continue
		}
		next := path.Join(at, part)
		target, isLink := links[next]
		if !isLink {
			at = next
			continue
		}
		if hops++; hops > maxHops {
			return true // it cannot be followed at all
		}
		if strings.HasPrefix(target, "/") || strings.Contains(target, "\x00") {
			return false
		}
		rest = slices.Concat(strings.Split(target, "/"), rest)
	}
	return true
}
