package devcluster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const modulePath = "github.com/blueberry-idp/blueberry/devcluster"

// errNoSource is told when neither sources nor a built helper are there.
func errNoSource(searched string) error {
	return blueberry.Errorf(blueberry.Unavailable, "DEVCLUSTER_SOURCE_MISSING",
		"the sources of the development cluster are not in %s: run from a checkout of Blueberry, name the directory, or use a cluster of your own with --kubeconfig", searched)
}

// findSource gives the directory of the module: the one named, else the first devcluster/ found beside the working
// directory, the executable and their parents.
func findSource(named string) (string, error) {
	if named != "" {
		if !isModule(named, modulePath) {
			return "", errNoSource(named)
		}
		return filepath.Abs(named)
	}
	var starts []string
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		starts = append(starts, filepath.Dir(exe))
	}
	for _, dir := range starts {
		for {
			if isModule(filepath.Join(dir, "devcluster"), modulePath) {
				return filepath.Join(dir, "devcluster"), nil
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return "", errNoSource("or above " + strings.Join(starts, " or "))
}

func isModule(dir, path string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(first) == "module "+path
}

// hashSources covers names and contents of every file that can change the binary: all but tests, hidden files and other
// modules below.
func hashSources(dir string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if path != dir && strings.HasPrefix(name, ".") || d.IsDir() && name == "testdata" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() && path != dir && isThere(filepath.Join(path, "go.mod")) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%q %d\n", filepath.ToSlash(rel), len(data))
		sum.Write(data)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read sources of devcluster: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// key says what a binary was built from.
type key struct {
	sources string // hash
	golang  string // version, platform and recipe
}

func (k key) String() string { return k.sources + "\n" + k.golang + "\n" }

// readKey gives the key of a binary that is there; a zero key when it, the binary or the files that it needs are missing.
func readKey(bin string, needs bool) (key, error) {
	if needs && !isThere(bin+beside) {
		return key{}, nil
	}
	info, err := os.Stat(bin)
	if errors.Is(err, fs.ErrNotExist) {
		return key{}, nil
	}
	if err != nil {
		return key{}, fmt.Errorf("find devcluster: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return key{}, nil
	}
	data, err := os.ReadFile(keyFile(bin))
	if errors.Is(err, fs.ErrNotExist) {
		return key{}, nil
	}
	if err != nil {
		return key{}, fmt.Errorf("read key of devcluster: %w", err)
	}
	sources, rest, _ := strings.Cut(string(data), "\n")
	return key{sources: sources, golang: strings.TrimSuffix(rest, "\n")}, nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func keyFile(bin string) string { return bin + ".key" }
