package render

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// kustomizeFS is the tree as kustomize sees it: at "/", to be read only, within the bounds of one component. It is also where everything that kustomize
// reads passes by, so it is where what would be fetched from elsewhere is refused.
type kustomizeFS struct {
	reading
	refused []error // kustomize takes a file that cannot be read for one that is not there, so the reason is kept
}

var _ filesys.FileSystem = (*kustomizeFS)(nil)

var errReadOnly = errors.New("the repository is read only")

// inside turns kustomize's absolute path into one of the tree.
func inside(name string) string {
	return strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(name)), "/")
}

func treePath(name string) string {
	if in := inside(name); in != "" {
		return in
	}
	return "."
}

// Create is refused.
func (k *kustomizeFS) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir is refused.
func (k *kustomizeFS) Mkdir(string) error { return errReadOnly }

// MkdirAll is refused.
func (k *kustomizeFS) MkdirAll(string) error { return errReadOnly }

// RemoveAll is refused.
func (k *kustomizeFS) RemoveAll(string) error { return errReadOnly }

// WriteFile is refused.
func (k *kustomizeFS) WriteFile(string, []byte) error { return errReadOnly }

// Open is refused: kustomize reads whole files by ReadFile.
func (k *kustomizeFS) Open(string) (filesys.File, error) { return nil, errReadOnly }

// IsDir reports whether there is such a directory.
func (k *kustomizeFS) IsDir(name string) bool {
	info, err := fs.Stat(k.fsys, treePath(name))
	return err == nil && info.IsDir()
}

// Exists reports whether there is such a file or directory.
func (k *kustomizeFS) Exists(name string) bool {
	_, err := fs.Stat(k.fsys, treePath(name))
	return err == nil
}

// ReadDir gives the names in a directory.
func (k *kustomizeFS) ReadDir(name string) ([]string, error) {
	entries, err := fs.ReadDir(k.fsys, treePath(name))
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out, err
}

// CleanedAbs splits a path into its directory and, when it is a file, its name.
func (k *kustomizeFS) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	in := treePath(name)
	info, err := fs.Stat(k.fsys, in)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("%s is not in the repository: %w", in, os.ErrNotExist)
	case info.IsDir():
		return filesys.ConfirmedDir(path.Join("/", inside(name))), "", nil
	}
	return filesys.ConfirmedDir(path.Join("/", path.Dir(in))), path.Base(in), nil
}

// Glob gives the paths that match a pattern.
func (k *kustomizeFS) Glob(pattern string) ([]string, error) {
	found, err := fs.Glob(k.fsys, inside(pattern))
	for i := range found {
		found[i] = "/" + found[i]
	}
	return found, err
}

// Walk walks a directory.
func (k *kustomizeFS) Walk(name string, walk filepath.WalkFunc) error {
	return fs.WalkDir(k.fsys, treePath(name), func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return walk("/"+p, nil, err)
		}
		info, err := e.Info()
		return walk("/"+p, info, err)
	})
}

// ReadFile reads a file; one that names what is elsewhere is refused with the file and the name.
func (k *kustomizeFS) ReadFile(name string) ([]byte, error) {
	in := treePath(name)
	info, err := fs.Stat(k.fsys, in)
	if err != nil || info.IsDir() {
		return nil, fmt.Errorf("%s is not a file of the repository: %w", in, os.ErrNotExist)
	}
	content, err := k.read(in, info)
	if err == nil {
		err = checkLocal(k.fsys, in, content)
	}
	if err != nil {
		k.refused = append(k.refused, err)
		return nil, err
	}
	return content, nil
}
