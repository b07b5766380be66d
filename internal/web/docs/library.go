package docs

import (
	"cmp"
	"fmt"
	"image"
	_ "image/png" // how large a picture is
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// base is where all of it is served.
const base = "/docs"

// Areas of the documents: the directories that they stand in.
const (
	guideArea  = "guide"
	cliArea    = "cli"
	designArea = "design"
	apiArea    = "api" // has no documents: it is made from the OpenAPI document
)

// areaNames are how people call them.
func areaNames() map[string]string {
	return map[string]string{guideArea: "Guide", cliArea: "Commands", designArea: "Design", apiArea: "API"}
}

// rootCommand is the document of the command that all others are below.
const rootCommand = "blueberry"

// document is one page.
type document struct {
	written
	Area, Name string // Name is that of its file, without the end; "README" for the index of an area
	Address    string
	Short      string // what it is called in the index of the guide; else its title
}

// library is all documents, as they were read when the first was asked for.
type library struct {
	documents map[string]*document // by address
	guide     []chapter            // in the order of its index
	commands  []*document          // by name
	design    []*document          // by name
}

// chapter is a part of the guide.
type chapter struct {
	Name      string
	Documents []*document
}

func openLibrary(files fs.FS) (*library, error) {
	l := &library{documents: map[string]*document{}}
	for _, area := range []string{guideArea, designArea, cliArea} {
		names, err := fs.Glob(files, area+"/*.md")
		if err != nil {
			return nil, err
		}
		for _, file := range names {
			content, err := read(files, file)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			d := &document{written: content, Area: area, Name: strings.TrimSuffix(path.Base(file), ".md"), Address: addressOf(file), Short: content.Title}
			l.documents[d.Address] = d
			switch area {
			case designArea:
				l.design = append(l.design, d)
			case cliArea:
				l.commands = append(l.commands, d)
			}
		}
	}
	slices.SortFunc(l.commands, func(a, b *document) int { return cmp.Compare(a.Title, b.Title) })
	return l, l.order(files)
}

// order reads the index of the guide: its headings are chapters, the links below them their documents.
func (l *library) order(files fs.FS) error {
	source, err := fs.ReadFile(files, guideArea+"/README.md")
	if err != nil {
		return err
	}
	w := &writer{files: files, file: guideArea + "/README.md"}
	placed := map[*document]bool{}
	return ast.Walk(goldmark.New().Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level > 1 {
				l.guide = append(l.guide, chapter{Name: plainText(n, source)})
			}
		case *ast.Link:
			d := l.documents[w.resolve(string(n.Destination))]
			if d == nil || d.Area != guideArea || placed[d] || len(l.guide) == 0 {
				break
			}
			placed[d], d.Short = true, plainText(n, source)
			last := &l.guide[len(l.guide)-1]
			last.Documents = append(last.Documents, d)
		}
		return ast.WalkContinue, nil
	})
}

// reading is the order in which an area is read.
func (l *library) reading(area string) (out []*document) {
	switch area {
	case guideArea:
		for _, c := range l.guide {
			out = append(out, c.Documents...)
		}
	case designArea:
		out = l.design
	}
	return out
}

// beside gives the documents before and after one; nil where there is none.
func (l *library) beside(d *document) (before, after *document) {
	all := l.reading(d.Area)
	i := slices.Index(all, d)
	if i > 0 {
		before = all[i-1]
	}
	if i >= 0 && i+1 < len(all) {
		after = all[i+1]
	}
	return before, after
}

// group is the part of the commands that one belongs to: "env" of "blueberry env create".
func (d *document) group() string {
	_, rest, _ := strings.Cut(d.Title, " ")
	group, _, _ := strings.Cut(rest, " ")
	return group
}

// groups are the commands right below the root, each with those below it.
func (l *library) groups() (out []chapter) {
	below := map[string][]*document{}
	for _, d := range l.commands {
		if g := d.group(); g != "" {
			below[g] = append(below[g], d)
		}
	}
	for _, g := range slices.Sorted(maps.Keys(below)) {
		out = append(out, chapter{Name: g, Documents: below[g]})
	}
	return out
}

// all are the documents in the order in which a search that finds them equal shows them.
func (l *library) all() (out []*document) {
	out = append(out, l.reading(guideArea)...)
	out = append(out, l.commands...)
	return append(out, l.design...)
}

// sizeOf is how large a picture is, so that a page does not move when it comes.
func sizeOf(files fs.FS, file string) (width, height int, ok bool) {
	f, err := files.Open(file)
	if err != nil {
		return 0, 0, false
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	return c.Width, c.Height, err == nil
}
