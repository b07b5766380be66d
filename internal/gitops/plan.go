package gitops

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the name that Git gives to content, not a protection
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entry is one file as a tree holds it.
type entry struct{ mode, object string }

const regular = "100644"

// plan is what a batch does on top of a head.
type plan struct {
	head    string
	changes int
	steps   []step      // one for each commit
	step    map[int]int // which step made, or had made before, what a change asks for
}

// step is one commit to be made.
type step struct {
	change  Change
	removed []string // paths, removed before anything is written
	written []string // names below Dir
	beside  []string // paths that are written
}

// plan compares what is asked for with what is there. A change that finds everything as it should be gets no step.
func (r *Repository) plan(ctx context.Context, head string, batch []*waiting) (*plan, error) {
	have := make(map[string]map[string]entry, len(batch))
	for _, w := range batch {
		for _, path := range w.change.paths() {
			have[path] = map[string]entry{}
		}
	}
	if err := r.readDirs(ctx, head, have); err != nil {
		return nil, err
	}
	p := &plan{head: head, changes: len(batch), step: map[int]int{}}
	last := map[string]int{} // by path
	for i, w := range batch {
		if s, differs := difference(w.change, have); differs {
			for _, path := range w.change.paths() {
				last[path] = len(p.steps)
			}
			p.steps = append(p.steps, s)
		}
		for _, path := range w.change.paths() {
			if n, ok := last[path]; ok {
				p.step[i] = max(n, p.step[i])
			}
		}
	}
	return p, nil
}

// difference tells what a change has to do, and notes in have what is there afterwards.
func difference(c Change, have map[string]map[string]entry) (step, bool) {
	s := step{change: c}
	if c.Dir != "" {
		s.compareDir(have)
	}
	for _, path := range c.paths() {
		content, isFile := c.Beside[path]
		if !isFile {
			continue
		}
		want := map[string]entry{}
		if content != nil {
			want[""] = entry{regular, blobName(content)}
		}
		if maps.Equal(have[path], want) {
			continue
		}
		if len(have[path]) > 0 {
			s.removed = append(s.removed, path)
		}
		if content != nil {
			s.beside = append(s.beside, path)
		}
		have[path] = want
	}
	slices.Sort(s.removed)
	return s, len(s.removed)+len(s.written)+len(s.beside) > 0
}

func (s *step) compareDir(have map[string]map[string]entry) {
	c := s.change
	want := make(map[string]entry, len(c.Files))
	for name, content := range c.Files {
		want[name] = entry{regular, blobName(content)}
	}
	there := have[c.Dir]
	have[c.Dir] = want
	if len(want) == 0 {
		if len(there) > 0 {
			s.removed = append(s.removed, c.Dir)
		}
		return
	}
	for name := range there {
		if _, kept := want[name]; !kept {
			s.removed = append(s.removed, strings.TrimSuffix(c.Dir+"/"+name, "/"))
		}
	}
	for name, e := range want {
		if there[name] != e {
			s.written = append(s.written, name)
		}
	}
	slices.Sort(s.written)
}

// answers gives each change the commit of its step, or the head to look from.
func (p *plan) answers(commits []string) []answer {
	all := make([]answer, p.changes)
	for i := range all {
		all[i].head = p.head
		if n, ok := p.step[i]; ok {
			all[i].commit = commits[n]
		}
	}
	return all
}

// readDirs fills in what the directories hold at the head, by name below each. The name is empty if a file stands where the directory should be.
func (r *Repository) readDirs(ctx context.Context, head string, dirs map[string]map[string]entry) error {
	if head == "" {
		return nil
	}
	args := []string{"ls-tree", "-r", "-z", "--full-tree", head, "--"}
	for dir := range dirs {
		args = append(args, dir)
	}
	out, err := r.git.run(ctx, localTimeout, nil, args...)
	if err != nil {
		return fmt.Errorf("read directories: %w", err)
	}
	for line := range bytes.SplitSeq(out, []byte{0}) {
		meta, path, ok := strings.Cut(string(line), "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 3 {
			continue
		}
		for dir := path; dir != ""; dir = parent(dir) {
			if have, asked := dirs[dir]; asked {
				have[strings.TrimPrefix(path[len(dir):], "/")] = entry{fields[0], fields[2]}
				break
			}
		}
	}
	return nil
}

func parent(p string) string {
	i := strings.LastIndexByte(p, '/')
	return p[:max(i, 0)]
}

// blobName is the name Git gives to a file's content.
func blobName(content []byte) string {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// write makes the commits of a plan and moves ref to the last of them. Either all of it happens or nothing that can be seen.
func (r *Repository) write(ctx context.Context, p *plan, ref string) ([]string, error) {
	args := []string{"fast-import", "--quiet", "--done", "--date-format=raw"}
	if ref != r.ref {
		args = append(args, "--force") // a scratch ref of ours: what it held does not matter
	}
	out, err := r.git.run(ctx, localTimeout, bytes.NewReader(p.stream(ref, time.Now())), args...)
	if err != nil {
		return nil, fmt.Errorf("write commits: %w", err)
	}
	commits := strings.Fields(string(out))
	if len(commits) != len(p.steps) {
		return nil, fmt.Errorf("write commits: git made %d of %d", len(commits), len(p.steps))
	}
	return commits, nil
}

// stream is the plan in the language of git fast-import. After each commit it asks for its name.
func (p *plan) stream(ref string, now time.Time) []byte {
	var b bytes.Buffer
	for i, s := range p.steps {
		mark := strconv.Itoa(i + 1)
		fmt.Fprintf(&b, "commit %s\nmark :%s\ncommitter Blueberry <blueberry@blueberry.invalid> %d +0000\n", ref, mark, now.Unix())
		data(&b, []byte(s.change.message()))
		if i == 0 && p.head != "" {
			fmt.Fprintf(&b, "from %s\n", p.head)
		}
		for _, path := range s.removed {
			fmt.Fprintf(&b, "D %s\n", quote(path))
		}
		for _, name := range s.written {
			fmt.Fprintf(&b, "M %s inline %s\n", regular, quote(s.change.Dir+"/"+name))
			data(&b, s.change.Files[name])
		}
		for _, path := range s.beside {
			fmt.Fprintf(&b, "M %s inline %s\n", regular, quote(path))
			data(&b, s.change.Beside[path])
		}
		fmt.Fprintf(&b, "\nget-mark :%s\n", mark)
	}
	b.WriteString("done\n")
	return b.Bytes()
}

func data(b *bytes.Buffer, content []byte) {
	fmt.Fprintf(b, "data %d\n", len(content))
	b.Write(content)
	b.WriteByte('\n')
}

// quote lets a path of a user's own file, which we remove, hold any byte.
func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

func (c Change) message() string {
	subject := c.Subject
	switch {
	case subject != "":
	case c.Dir == "":
		subject = "Update " + strings.Join(c.paths(), ", ")
	case len(c.Files) == 0:
		subject = "Remove " + c.Dir
	default:
		subject = "Update " + c.Dir
	}
	var b strings.Builder
	b.WriteString(subject + "\n")
	if c.Environment != "" || c.Revision != 0 || c.Actor != "" {
		fmt.Fprintf(&b, "\nBlueberry-Environment: %s\nBlueberry-Revision: %d\nBlueberry-Actor: %s\n", c.Environment, c.Revision, c.Actor)
	}
	return b.String()
}
