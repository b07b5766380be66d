package docs

import (
	"bytes"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extensionast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// heading is a place in a document.
type heading struct {
	ID, Text string
	Level    int
}

// section is what stands below one heading, as plain text.
type section struct {
	heading
	Text string
}

// written is a document as it was read.
type written struct {
	Title, Lead string // the heading at the top, and the first paragraph as plain text
	HTML        string
	Headings    []heading // below the title
	Sections    []section // with the title's own
	Links       []string  // as they lead, for the test of them
}

// beyond begins the destination of a link to a file that is not in the binary.
const beyond = "beyond:"

// read renders one document. What is HTML in it stays text, but for a picture with one for dark and one for light, and comments, which are dropped.
func read(files fs.FS, file string) (written, error) {
	source, err := fs.ReadFile(files, file)
	if err != nil {
		return written{}, err
	}
	w := &writer{files: files, file: file}
	md := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(w, 100))))
	tree := md.Parser().Parse(text.NewReader(source))
	out := w.gather(tree, source)
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, tree); err != nil {
		return written{}, fmt.Errorf("render %s: %w", file, err)
	}
	out.HTML = b.String()
	return out, nil
}

// writer writes the parts of documents that are written our way.
type writer struct {
	files fs.FS
	file  string
	ids   map[string]int
}

// gather names the headings, leads the links to where they are served, and takes the text of each section.
func (w *writer) gather(tree ast.Node, source []byte) (out written) {
	w.ids = map[string]int{}
	shift := 0 // of levels, so that the title is of the first: references of commands begin with the second
	var plain strings.Builder
	ended := func() {
		if n := len(out.Sections); n > 0 {
			out.Sections[n-1].Text = strings.Join(strings.Fields(plain.String()), " ")
		}
		plain.Reset()
	}
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function gives no error
		if !entering {
			if n.Type() == ast.TypeBlock || n.Kind() == extensionast.KindTableCell {
				plain.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			ended()
			name := plainText(n, source)
			if out.Title == "" {
				out.Title, shift = name, n.Level-1
			}
			n.Level = min(max(n.Level-shift, 1), 6)
			h := heading{ID: w.id(name), Text: name, Level: n.Level}
			n.SetAttributeString("id", []byte(h.ID))
			if n.Level > 1 {
				out.Headings = append(out.Headings, h)
			}
			out.Sections = append(out.Sections, section{heading: h})
		case *ast.Paragraph:
			if out.Lead == "" && n.Parent() == tree {
				out.Lead = plainText(n, source)
			}
		case *ast.Link:
			n.Destination = []byte(w.resolve(string(n.Destination)))
			out.Links = append(out.Links, string(n.Destination))
		case *ast.Image:
			n.Destination = []byte(w.resolve(string(n.Destination)))
			out.Links = append(out.Links, string(n.Destination))
		case *ast.HTMLBlock:
			if p, ok := w.picture(linesOf(n, source)); ok {
				out.Links = append(out.Links, p.light, p.dark)
			}
		case *ast.Text:
			if n.Parent().Kind() != ast.KindHeading {
				plain.Write(n.Segment.Value(source))
				if n.SoftLineBreak() || n.HardLineBreak() {
					plain.WriteByte(' ')
				}
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			plain.WriteString(linesOf(n, source))
		}
		return ast.WalkContinue, nil
	})
	ended()
	return out
}

// plainText is the text of a node without its marks.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // as above
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return html.UnescapeString(b.String())
}

func linesOf(n ast.Node, source []byte) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(source))
	}
	if h, ok := n.(*ast.HTMLBlock); ok && h.HasClosure() {
		b.Write(h.ClosureLine.Value(source))
	}
	return b.String()
}

// id is the name of a heading in addresses, as the hosts of Git make it: links then work there and here.
func (w *writer) id(name string) string {
	id := slug(name)
	n, again := w.ids[id]
	w.ids[id] = n + 1
	if again {
		id += "-" + strconv.Itoa(n)
	}
	return id
}

func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// resolve leads a link of the file to where it is served; empty for one that leads nowhere that a page may.
func (w *writer) resolve(to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "mailto":
		return to
	case u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/"):
		return ""
	case u.Path == "":
		return to // a place of this page
	}
	fragment := ""
	if u.Fragment != "" {
		fragment = "#" + u.Fragment
	}
	name := path.Join("docs", path.Dir(w.file), u.Path)
	inside, ok := strings.CutPrefix(name, "docs/")
	if inside == "openapi.json" {
		return "/openapi.json"
	}
	if _, err := fs.Stat(w.files, inside); !ok || err != nil {
		return beyond + name
	}
	return addressOf(inside) + fragment
}

// addressOf is where a file of the documents is served.
func addressOf(file string) string {
	if name, ok := strings.CutSuffix(file, ".md"); ok {
		if path.Base(name) == "README" {
			name = path.Dir(name)
		}
		return base + "/" + name
	}
	return base + "/" + file
}

// RegisterFuncs implements renderer.NodeRenderer.
func (w *writer) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, w.heading)
	r.Register(ast.KindLink, w.link)
	r.Register(ast.KindAutoLink, w.autoLink)
	r.Register(ast.KindImage, w.image)
	r.Register(ast.KindFencedCodeBlock, w.code)
	r.Register(ast.KindCodeBlock, w.code)
	r.Register(ast.KindHTMLBlock, w.block)
	r.Register(ast.KindRawHTML, w.raw)
	r.Register(extensionast.KindTable, w.table)
	r.Register(extensionast.KindTableCell, w.cell)
}

func (w *writer) heading(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Heading)
	attribute, _ := n.AttributeString("id")
	id, _ := attribute.([]byte)
	if entering {
		_, _ = fmt.Fprintf(b, "<h%d id=%q>", n.Level, html.EscapeString(string(id)))
		return ast.WalkContinue, nil
	}
	if n.Level > 1 {
		_, _ = fmt.Fprintf(b, `<a class="permalink" href="#%s" aria-label="Link to this section">#</a>`, html.EscapeString(string(id)))
	}
	_, _ = fmt.Fprintf(b, "</h%d>\n", n.Level)
	return ast.WalkContinue, nil
}

func (w *writer) link(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	to := string(node.(*ast.Link).Destination)
	file, isBeyond := strings.CutPrefix(to, beyond)
	switch {
	case to == "" || isBeyond:
		if !entering {
			_, _ = b.WriteString("</span>")
		} else if isBeyond {
			_, _ = fmt.Fprintf(b, `<span class="beyond" title="%s, in the source of Blueberry">`, html.EscapeString(file))
		} else {
			_, _ = b.WriteString("<span>")
		}
	case entering:
		_, _ = fmt.Fprintf(b, `<a href="%s">`, html.EscapeString(to))
	default:
		_, _ = b.WriteString("</a>")
	}
	return ast.WalkContinue, nil
}

func (w *writer) autoLink(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	to, label := string(n.URL(source)), html.EscapeString(string(n.Label(source)))
	if n.AutoLinkType == ast.AutoLinkEmail {
		to = "mailto:" + to
	}
	if u, err := url.Parse(to); err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "mailto") {
		label = fmt.Sprintf(`<a href="%s">%s</a>`, html.EscapeString(to), label)
	}
	_, _ = b.WriteString(label)
	return ast.WalkContinue, nil
}

func (w *writer) image(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*ast.Image)
		_, _ = b.WriteString(w.img(string(n.Destination), plainText(n, source), ""))
	}
	return ast.WalkSkipChildren, nil
}

// img is a picture of ours. One from elsewhere is not loaded: only its words are shown.
func (w *writer) img(address, words, class string) string {
	file, ok := strings.CutPrefix(address, base+"/")
	if !ok {
		return html.EscapeString(words)
	}
	size := ""
	if width, height, ok := sizeOf(w.files, file); ok {
		size = fmt.Sprintf(` width="%d" height="%d"`, width, height)
	}
	if class != "" {
		class = ` class="` + class + `"`
	}
	return fmt.Sprintf(`<img src="%s" alt="%s"%s%s loading="lazy">`, html.EscapeString(address), html.EscapeString(words), size, class)
}

func (w *writer) code(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	language := ""
	if n, ok := node.(*ast.FencedCodeBlock); ok {
		language = string(n.Language(source))
	}
	_, _ = b.WriteString(codeBlock(linesOf(node, source), language))
	return ast.WalkSkipChildren, nil
}

// codeBlock is lines of code with a button that copies them.
func codeBlock(code, language string) string {
	name := "Code"
	if language != "" {
		name = language
	}
	return fmt.Sprintf(`<div class="code-block"><pre tabindex="0" role="region" aria-label="%s"><code>%s</code></pre><button type="button" class="copy" data-copy-code hidden>Copy</button></div>`+"\n",
		html.EscapeString(name), html.EscapeString(outdented(strings.Trim(code, "\n"))))
}

// outdented takes away the spaces that all lines begin with: who copies a command wants none.
func outdented(code string) string {
	lines := strings.Split(code, "\n")
	least := len(code)
	for _, line := range lines {
		if rest := strings.TrimLeft(line, " "); rest != "" {
			least = min(least, len(line)-len(rest))
		}
	}
	for i, line := range lines {
		lines[i] = line[min(least, len(line)):]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// twoPictures is the one piece of HTML that a document may hold: one picture for dark and one for light, as the hosts of Git show it too.
var twoPictures = regexp.MustCompile(`^<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([\w./-]+)">\s*<img alt="([^"<>]*)" src="([\w./-]+)">\s*</picture>$`)

type pictures struct{ dark, light, words string }

func (w *writer) picture(block string) (pictures, bool) {
	m := twoPictures.FindStringSubmatch(strings.TrimSpace(block))
	if m == nil {
		return pictures{}, false
	}
	return pictures{dark: w.resolve(m[1]), light: w.resolve(m[3]), words: html.UnescapeString(m[2])}, true
}

func (w *writer) block(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	block := linesOf(node, source)
	if p, ok := w.picture(block); ok { // the colours may be the person's choice rather than the system's, so the style sheet tells which one shows
		_, _ = fmt.Fprintf(b, "<p class=\"picture\">%s%s</p>\n", w.img(p.light, p.words, "for-light"), w.img(p.dark, p.words, "for-dark"))
	} else if !isComment(block) {
		_, _ = fmt.Fprintf(b, "<p>%s</p>\n", html.EscapeString(strings.TrimSpace(block)))
	}
	return ast.WalkContinue, nil
}

func isComment(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "<!--") && strings.Index(s, "-->") == len(s)-len("-->")
}

func (w *writer) raw(b util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		n := node.(*ast.RawHTML)
		for i := range n.Segments.Len() {
			s := n.Segments.At(i)
			_, _ = b.WriteString(html.EscapeString(string(s.Value(source))))
		}
	}
	return ast.WalkSkipChildren, nil
}

func (w *writer) table(b util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = b.WriteString("<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>\n")
	} else {
		_, _ = b.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}

func (w *writer) cell(b util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	head := node.Parent().Kind() == extensionast.KindTableHeader
	switch {
	case head && entering:
		_, _ = b.WriteString(`<th scope="col">`)
	case head:
		_, _ = b.WriteString("</th>")
	case entering:
		_, _ = b.WriteString("<td>")
	default:
		_, _ = b.WriteString("</td>\n")
	}
	return ast.WalkContinue, nil
}
