package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/blueberry-idp/blueberry/sdk"
)

const (
	blueprintFile = "blueberry.yaml"
	maxBlueprint  = 1 << 20 // bytes, as the server
	maxTree       = 5 << 20 // bytes of files sent along: base64 makes 4 of 3, and the server takes 8 MiB
)

// read gives the content of a file, or of the input for "-".
func (s *shared) read(file string) ([]byte, error) {
	in := s.streams.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxBlueprint+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(data) > maxBlueprint {
		return nil, refusedError{fmt.Errorf("%s is over %d bytes", file, maxBlueprint)}
	}
	return data, nil
}

// wireKeys are the keys of a blueprint file that a request spells otherwise.
var wireKeys = map[string]string{"configSets": "config_sets", "configUpdates": "config_updates"}

// readBlueprint reads a blueprint file as the value that a request carries. It checks the form alone; the server judges the rest.
func (s *shared) readBlueprint(file string) (*sdk.Blueprint, error) {
	data, err := s.read(file)
	if err != nil {
		return nil, err
	}
	tree, err := parseValues(data)
	if err != nil {
		return nil, refusedError{fmt.Errorf("%s: %w", file, err)}
	}
	for field, want := range map[string]string{"apiVersion": "blueberry.dev/v1", "kind": "Blueprint"} {
		if got, ok := tree[field]; ok && got != want {
			return nil, refusedError{fmt.Errorf("%s: %s is %v, must be %s", file, field, got, want)}
		}
		delete(tree, field)
	}
	for key, wire := range wireKeys {
		if _, ok := tree[wire]; ok {
			return nil, refusedError{fmt.Errorf("%s: unknown field %q; in a file it is %s", file, wire, key)}
		}
		if value, ok := tree[key]; ok {
			tree[wire] = value
			delete(tree, key)
		}
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		return nil, refusedError{fmt.Errorf("%s: %w", file, err)}
	}
	var b sdk.Blueprint
	dec := json.NewDecoder(bytes.NewReader(asJSON))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&b); err != nil {
		return nil, refusedError{fmt.Errorf("%s: %s", file, strings.TrimPrefix(err.Error(), "json: "))}
	}
	return &b, nil
}

// tree collects what the server needs to render a blueprint of this machine: the blueprint, the charts and Score files that it names, and, because a
// kustomization may reach anywhere, all else only if it names one.
func (s *shared) tree(arg string) (map[string][]byte, string, error) {
	if arg == "-" {
		data, err := s.read(arg)
		return map[string][]byte{blueprintFile: data}, blueprintFile, err
	}
	dir, name := arg, blueprintFile
	info, err := os.Stat(arg)
	if err != nil {
		return nil, "", err
	}
	if !info.IsDir() {
		dir, name = filepath.Split(arg)
		dir = first(dir, ".")
	}
	data, err := s.read(filepath.Join(dir, name))
	if err != nil {
		return nil, "", err
	}
	files := map[string][]byte{name: data}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", err
	}
	defer root.Close()
	for _, below := range named(data) {
		if err := collect(root.FS(), below, files); err != nil {
			return nil, "", err
		}
	}
	return files, name, nil
}

// named gives the directories and files that a blueprint needs. A blueprint that cannot be read names none: the server will say what is wrong with it.
func named(blueprint []byte) []string {
	var b struct {
		Components []struct{ Chart, Kustomization, Score string }
	}
	if yaml.Unmarshal(blueprint, &b) != nil {
		return nil
	}
	var out []string
	for _, c := range b.Components {
		switch {
		case c.Kustomization != "":
			return []string{"."}
		case c.Chart != "" && fs.ValidPath(path.Clean(c.Chart)):
			out = append(out, path.Clean(c.Chart))
		case c.Score != "" && fs.ValidPath(path.Clean(c.Score)):
			out = append(out, path.Clean(c.Score))
		}
	}
	return out
}

var errTreeTooLarge = refusedError{errors.New("the files are over 5 MiB; push them and use --repo")}

// collect adds the regular files below a directory. What is not there is for the server to tell, with the component that names it.
func collect(tree fs.FS, below string, files map[string][]byte) error {
	return fs.WalkDir(tree, below, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size := info.Size()
		for _, f := range files {
			size += int64(len(f))
		}
		if size > maxTree {
			return errTreeTooLarge
		}
		files[name], err = fs.ReadFile(tree, name)
		return err
	})
}
