package gitops

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Files reads a directory at the branch's head, by name below it; empty when it is not there. The head is asked from the remote if there is
// one, and blueberry.Unavailable when it cannot be reached: an empty answer is proof.
func (r *Repository) Files(ctx context.Context, dir string) (map[string][]byte, error) {
	if fault := pathFault(dir); fault != "" {
		var f blueberry.Faults
		f.Add("dir", "path", "%q %s", dir, fault)
		return nil, f.Err()
	}
	head, err := r.Head(ctx)
	if err != nil {
		return nil, err
	}
	dirs := map[string]map[string]entry{dir: {}}
	if err := r.readDirs(ctx, head, dirs); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(dirs[dir]))
	files := make(map[string][]byte, len(names))
	if len(names) == 0 {
		return files, nil
	}
	var ask bytes.Buffer
	for _, name := range names {
		fmt.Fprintln(&ask, dirs[dir][name].object)
	}
	out, err := r.git.run(ctx, localTimeout, &ask, "cat-file", "--batch")
	if err != nil {
		return nil, fmt.Errorf("read files of %s: %w", dir, err)
	}
	in := bufio.NewReader(bytes.NewReader(out))
	for _, name := range names {
		if files[name], err = readObject(in); err != nil {
			return nil, fmt.Errorf("read file %s of %s: %w", name, dir, err)
		}
	}
	return files, nil
}

// readObject reads "<name> <type> <size>\n<content>\n".
func readObject(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return nil, fmt.Errorf("git answered %q", strings.TrimSpace(line))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil {
		return nil, err
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(in, content); err != nil {
		return nil, err
	}
	_, err = in.Discard(1)
	return content, err
}
