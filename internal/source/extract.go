package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Limits of single things in a tree.
const (
	maxTarget = 4096 // bytes of a symlink's target: PATH_MAX
	maxTold   = 20   // faults of a tree that one answer tells
)

// extraction writes the files of a commit to a directory. Not by git checkout or archive: those follow attributes that the repository sets.
type extraction struct {
	git      git
	repo     string
	commit   string
	tree     string // the directory, made here
	maxBytes int64
	maxFiles int

	entries []treeEntry
	files   int
	bytes   int64
	links   map[string]string // target by path
}

type treeEntry struct {
	path   string
	mode   string
	object string
	size   int64
}

// Modes of entries in a tree of Git.
const (
	modeExecutable = "100755"
	modeSymlink    = "120000"
	modeSubmodule  = "160000"
)

func (x *extraction) run(ctx context.Context) error {
	if err := x.list(ctx); err != nil {
		return err
	}
	if err := os.Mkdir(x.tree, 0o750); err != nil {
		return fmt.Errorf("make tree: %w", err)
	}
	root, err := os.OpenRoot(x.tree)
	if err != nil {
		return fmt.Errorf("open tree: %w", err)
	}
	err = x.write(ctx, root)
	return errors.Join(err, root.Close())
}

// list reads what is in the commit, and stops at what is too much: a few kB of trees can stand for more files than any disk holds.
func (x *extraction) list(ctx context.Context) error {
	p, err := x.git.start(ctx, nowhere(), nil, []string{x.git.path, "--git-dir=" + x.repo, "ls-tree", "-r", "-l", "-z", "--full-tree", x.commit})
	if err != nil {
		return err
	}
	var faults blueberry.Faults
	in := bufio.NewReader(p)
	for {
		line, err := in.ReadString(0)
		if err != nil {
			break // the end, or git ended badly, which wait tells
		}
		e, err := parseEntry(strings.TrimSuffix(line, "\x00"))
		if err != nil {
			p.stop()
			return err
		}
		if e.mode != modeSubmodule {
			x.files++
			x.bytes += e.size
		}
		if len(x.entries) == x.maxFiles || x.bytes > x.maxBytes {
			p.stop()
			return x.tooLarge()
		}
		if name := unsafePart(e.path); name != "" && len(faults) < maxTold {
			faults.Add(fieldRepository, codePath, "%q has a part that no file may have: %q", e.path, name)
		}
		if e.mode == modeSymlink && e.size > maxTarget && len(faults) < maxTold {
			faults.Add(fieldRepository, codeSymlink, "the symlink %q has a target that is too long", e.path)
		}
		x.entries = append(x.entries, e)
	}
	if err := p.wait("ls-tree"); err != nil {
		return err
	}
	return faults.Err()
}

func (x *extraction) tooLarge() error {
	if x.bytes > x.maxBytes {
		return invalid(fieldRepository, codeTooLarge, "is larger than %d MB", x.maxBytes/1_000_000)
	}
	return invalid(fieldRepository, codeTooLarge, "has more than %d files", x.maxFiles)
}

// parseEntry reads "<mode> <type> <object> <size>\t<path>"; the size is padded, and "-" for a submodule.
func parseEntry(line string) (treeEntry, error) {
	meta, p, ok := strings.Cut(line, "\t")
	f := strings.Fields(meta)
	if !ok || len(f) != 4 {
		return treeEntry{}, fmt.Errorf("git ls-tree printed %q", line)
	}
	e := treeEntry{path: p, mode: f[0], object: f[2]}
	if f[3] != "-" {
		n, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil || n < 0 {
			return treeEntry{}, fmt.Errorf("git ls-tree printed the size %q", f[3])
		}
		e.size = n
	}
	return e, nil
}

// unsafePart finds a part of a path that is, or on some file system becomes, a way out of the tree or into a repository's own files.
func unsafePart(p string) string {
	for part := range strings.SplitSeq(p, "/") {
		switch folded := strings.TrimRight(strings.ToLower(part), ". "); {
		case part == "", folded == "" && strings.HasPrefix(part, "."), folded == ".git", folded == "git~1":
			return strconv.Quote(part)
		}
	}
	return ""
}

// write makes directories and files, then, when nothing is written any more that could go through one, symlinks.
func (x *extraction) write(ctx context.Context, root *os.Root) error {
	ask := &strings.Builder{}
	for _, e := range x.entries {
		if e.mode != modeSubmodule {
			ask.WriteString(e.object + "\n")
		}
	}
	p, err := x.git.start(ctx, nowhere(), strings.NewReader(ask.String()), []string{x.git.path, "--git-dir=" + x.repo, "cat-file", "--batch"})
	if err != nil {
		return err
	}
	x.links = map[string]string{}
	in, made := bufio.NewReaderSize(p, 64<<10), map[string]bool{".": true}
	for _, e := range x.entries {
		if err := x.writeEntry(root, in, made, e); err != nil {
			p.stop()
			if ctx.Err() != nil {
				return &gitError{verb: "cat-file", err: context.Cause(ctx)}
			}
			return placeFault(e.path, err)
		}
	}
	if err := p.wait("cat-file"); err != nil {
		return err
	}
	if err := escapes(x.entries, x.links); err != nil {
		return err
	}
	for link, target := range x.links {
		if err := root.Symlink(target, link); err != nil {
			return placeFault(link, err)
		}
	}
	return nil
}

func (x *extraction) writeEntry(root *os.Root, in *bufio.Reader, made map[string]bool, e treeEntry) error {
	dir := path.Dir(e.path)
	if e.mode == modeSubmodule {
		dir = e.path
	}
	if !made[dir] {
		if err := root.MkdirAll(dir, 0o750); err != nil {
			return err
		}
		made[dir] = true
	}
	if e.mode == modeSubmodule {
		return nil
	}
	header, err := in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	if want := fmt.Sprintf("%s blob %d\n", e.object, e.size); header != want {
		return fmt.Errorf("git cat-file answered %q, want %q", header, want)
	}
	if e.mode == modeSymlink {
		target := make([]byte, e.size)
		if _, err := io.ReadFull(in, target); err != nil {
			return fmt.Errorf("read symlink: %w", err)
		}
		x.links[e.path] = string(target)
	} else if err := writeBlob(root, e, in); err != nil {
		return err
	}
	_, err = in.Discard(1)
	return err
}

func writeBlob(root *os.Root, e treeEntry, in io.Reader) error {
	perm := fs.FileMode(0o640)
	if e.mode == modeExecutable {
		perm = 0o750
	}
	f, err := root.OpenFile(e.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, in, e.size)
	return errors.Join(err, f.Close())
}

// placeFault tells names that this file system cannot hold as what they are: a fault of the repository.
func placeFault(p string, err error) error {
	for _, e := range []error{fs.ErrExist, syscall.ENAMETOOLONG, syscall.EILSEQ, syscall.ENOTDIR, syscall.EISDIR, syscall.EINVAL, syscall.ELOOP} {
		if errors.Is(err, e) {
			return invalid(fieldRepository, codePath, "%q cannot be stored beside the other files: its name is too long, not text, or differs from another by case only", p)
		}
	}
	return fmt.Errorf("write %q: %w", p, err)
}
