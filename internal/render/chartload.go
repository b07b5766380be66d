package render

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
	"sigs.k8s.io/yaml"
)

// Bounds of one chart with all that is vendored in it, unpacked. The largest charts of the wild (monitoring stacks with their CRDs) have about 6 MiB.
const (
	maxChartSize  = 32 << 20
	maxChartFiles = 5000
	maxFileSize   = 5 << 20
	maxTreeDepth  = 24 // of directories, and of archives within archives
)

// vendoredArchive matches "charts/x.tgz" of a chart and of the charts in it.
var vendoredArchive = regexp.MustCompile(`^(?:charts/[^/]+/)*charts/[^/]+\.tgz$`)

// errTooBig is every bound of what is read from a repository.
var errTooBig = errors.New("too big")

// reading counts what is taken from a repository for one component.
type reading struct {
	fsys  fs.FS
	size  int64
	files int
}

// loadChart reads the chart in a directory of the tree as the helm CLI reads one from disk: .helmignore, vendored charts as directories and archives.
func loadChart(fsys fs.FS, dir string) (*chart.Chart, error) {
	r := &reading{fsys: fsys}
	if info, err := fs.Stat(fsys, dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no directory %s in the repository", dir)
	}
	if _, err := fs.Stat(fsys, path.Join(dir, "Chart.yaml")); err != nil {
		return nil, fmt.Errorf("there is no Chart.yaml in %s", dir)
	}
	if err := fileCycle(fsys, dir, nil, map[string]bool{}); err != nil {
		return nil, err
	}
	rules := ignore.Empty()
	if content, err := fs.ReadFile(fsys, path.Join(dir, ignore.HelmIgnore)); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(content)); err != nil {
			return nil, fmt.Errorf("%s: %w", ignore.HelmIgnore, err)
		}
	}
	rules.AddDefaults()
	files, err := r.tree(dir, "", rules, 0)
	if err != nil {
		return nil, err
	}
	if files, err = r.unpack(files, 0); err != nil {
		return nil, err
	}
	c, err := loader.LoadFiles(files)
	if err != nil {
		return nil, err
	}
	if err := checkAncestors(c, nil); err != nil {
		return nil, err
	}
	return c, checkVendored(c)
}

// tree reads the files below a directory, links followed (they cannot leave the tree: fs.FS refuses).
func (r *reading) tree(root, rel string, rules *ignore.Rules, depth int) ([]*archive.BufferedFile, error) {
	if depth > maxTreeDepth {
		return nil, fmt.Errorf("%s is nested deeper than %d directories, or a link leads back to itself", path.Join(root, rel), maxTreeDepth)
	}
	entries, err := fs.ReadDir(r.fsys, path.Join(root, rel))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path.Join(root, rel), err)
	}
	var out []*archive.BufferedFile
	for _, e := range entries {
		name := path.Join(rel, e.Name())
		info, err := fs.Stat(r.fsys, path.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		switch {
		case rules.Ignore(name, info):
		case info.IsDir():
			below, err := r.tree(root, name, rules, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, below...)
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("%s is not a regular file", name)
		default:
			content, err := r.read(path.Join(root, name), info)
			if err != nil {
				return nil, err
			}
			out = append(out, &archive.BufferedFile{Name: name, Data: bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))})
		}
	}
	return out, nil
}

// read takes one file within the bounds.
func (r *reading) read(name string, info fs.FileInfo) ([]byte, error) {
	if err := r.count(name, info.Size()); err != nil {
		return nil, err
	}
	content, err := fs.ReadFile(r.fsys, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}

func (r *reading) count(name string, size int64) error {
	r.size += size
	r.files++
	switch {
	case size > maxFileSize:
		return fmt.Errorf("%s has %d bytes, at most %d are allowed: %w", name, size, maxFileSize, errTooBig)
	case r.size > maxChartSize:
		return fmt.Errorf("holds more than %d bytes: %w", maxChartSize, errTooBig)
	case r.files > maxChartFiles:
		return fmt.Errorf("holds more than %d files: %w", maxChartFiles, errTooBig)
	}
	return nil
}

// unpack turns vendored archives into directories, within the bounds of the whole chart: an archive may hold archives.
func (r *reading) unpack(files []*archive.BufferedFile, depth int) ([]*archive.BufferedFile, error) {
	var out []*archive.BufferedFile
	for _, f := range files {
		if base := path.Base(f.Name); !vendoredArchive.MatchString(f.Name) || base[0] == '_' || base[0] == '.' {
			out = append(out, f)
			continue
		}
		if depth >= maxTreeDepth {
			return nil, fmt.Errorf("%s: archives are nested deeper than %d: %w", f.Name, maxTreeDepth, errTooBig)
		}
		inner, err := unpackArchive(f.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		for _, g := range inner {
			if err := r.count(f.Name+"/"+g.Name, int64(len(g.Data))); err != nil {
				return nil, err
			}
		}
		if inner, err = r.unpack(inner, depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		// The loader takes "x.tgz" for an archive whatever it is, so the directory needs another name; charts are known by Chart.yaml anyway.
		for _, g := range inner {
			g.Name = f.Name + ".d/" + g.Name
			out = append(out, g)
		}
	}
	return out, nil
}

func unpackArchive(data []byte) ([]*archive.BufferedFile, error) {
	if err := boundArchive(data); err != nil {
		return nil, err
	}
	return archive.LoadArchiveFiles(bytes.NewReader(data))
}

// checkAncestors refuses a chart that is vendored, at whatever depth, in itself, and puts what is vendored into one order (the loader's is random).
func checkAncestors(c *chart.Chart, above []string) error {
	id := c.Name() + "-" + c.Metadata.Version
	if slices.Contains(above, id) {
		return fmt.Errorf("the dependencies form a cycle: %s", strings.Join(append(above, id), " → "))
	}
	deps := slices.Clone(c.Dependencies())
	slices.SortStableFunc(deps, func(a, b *chart.Chart) int {
		return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Metadata.Version, b.Metadata.Version))
	})
	c.SetDependencies(deps...)
	for _, d := range deps {
		if err := checkAncestors(d, append(slices.Clone(above), id)); err != nil {
			return err
		}
	}
	return nil
}

// checkVendored tells the dependencies that Chart.yaml names and charts/ does not hold. Nothing is fetched.
func checkVendored(c *chart.Chart) error {
	have := map[string]bool{}
	for _, d := range c.Dependencies() {
		have[d.Name()] = true
	}
	var missing []string
	for _, d := range c.Metadata.Dependencies {
		if d != nil && !have[d.Name] {
			missing = append(missing, d.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("Chart.yaml names %s, which charts/ does not hold: run `helm dependency build` and commit what it makes", strings.Join(missing, ", "))
	}
	return nil
}

// fileCycle follows dependencies of the form "file://…" and refuses a cycle, which no vendoring can resolve.
func fileCycle(fsys fs.FS, dir string, above []string, done map[string]bool) error {
	if done[dir] {
		return nil
	}
	if slices.Contains(above, dir) {
		return fmt.Errorf("the dependencies form a cycle: %s", strings.Join(append(above, dir), " → "))
	}
	if len(above) > maxTreeDepth {
		return fmt.Errorf("dependencies are nested deeper than %d: %w", maxTreeDepth, errTooBig)
	}
	content, err := fs.ReadFile(fsys, path.Join(dir, "Chart.yaml"))
	if err != nil {
		return nil //nolint:nilerr // a dependency that is not in the tree is told by checkVendored
	}
	var meta struct {
		Dependencies []struct {
			Repository string `json:"repository"`
		} `json:"dependencies"`
	}
	if err := yaml.Unmarshal(content, &meta); err != nil {
		return fmt.Errorf("%s/Chart.yaml: %w", dir, err)
	}
	for _, d := range meta.Dependencies {
		rel, ok := strings.CutPrefix(d.Repository, "file://")
		if next := path.Join(dir, rel); ok && fs.ValidPath(next) {
			if err := fileCycle(fsys, next, append(slices.Clone(above), dir), done); err != nil {
				return err
			}
		}
	}
	done[dir] = true
	return nil
}
