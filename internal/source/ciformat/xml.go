package ciformat

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// elements walks a document, within bounds.
type elements struct {
	d     *xml.Decoder
	path  []string // local names of the elements that are open
	count int
}

// element is one token: the start of an element, its end, or text.
type element struct {
	start *xml.StartElement
	end   bool
	name  string
	text  []byte // valid until the next call
}

func newElements(data []byte) *elements {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = true // an entity that XML itself does not define is a fault, and none is expanded
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errCharset }
	return &elements{d: d}
}

var errCharset = wrong("encoding", "says that it is not UTF-8")

// next gives the next token; io.EOF at the end of a document that is whole.
func (e *elements) next() (element, error) {
	for {
		token, err := e.d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return element{}, io.EOF
		case errors.Is(err, errCharset):
			return element{}, errCharset
		case err != nil:
			return element{}, errTruncated
		}
		switch t := token.(type) {
		case xml.StartElement:
			if e.count++; e.count > maxElements {
				return element{}, errMany
			}
			if len(e.path) >= maxDepth {
				return element{}, errDeep
			}
			for _, a := range t.Attr {
				if len(a.Value) > maxValue && a.Name.Local != "message" {
					return element{}, wrong("range", "has an attribute that is too long")
				}
			}
			e.path = append(e.path, t.Name.Local)
			return element{start: &t, name: t.Name.Local}, nil
		case xml.EndElement:
			e.path = e.path[:len(e.path)-1] // the decoder has matched it
			return element{end: true, name: t.Name.Local}, nil
		case xml.CharData:
			return element{text: t}, nil
		case xml.Directive:
			if bytes.Contains(bytes.ToUpper(t), []byte("ENTITY")) {
				return element{}, wrong("syntax", "declares entities")
			}
		}
	}
}

// within reports whether the innermost elements that are open have these names.
func (e *elements) within(names ...string) bool {
	if len(e.path) < len(names) {
		return false
	}
	for i, n := range e.path[len(e.path)-len(names):] {
		if n != names[i] {
			return false
		}
	}
	return true
}

func attr(s *xml.StartElement, name string) string {
	for _, a := range s.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// number reads a count; 0 for what is none.
func number(s string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return int(min(n, maxCount))
}

// seconds reads a length of time, in seconds, as Java writes it also: "1,234.5".
func seconds(s string) time.Duration {
	x, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s), ",", ""), 64)
	if err != nil || math.IsNaN(x) || x < 0 || x > 1e7 {
		return 0
	}
	return time.Duration(x * float64(time.Second)).Round(time.Millisecond)
}

// readXML reads a document whose root says what it is.
func readXML(data []byte) (Result, error) {
	e := newElements(data)
	for {
		t, err := e.next()
		switch {
		case errors.Is(err, io.EOF):
			return Result{}, errTruncated
		case err != nil:
			return Result{}, err
		case t.start == nil:
			continue
		}
		var out Result
		switch t.name {
		case "testsuites", "testsuite":
			out.Tests, err = readJUnit(e, t.start)
		case "coverage":
			out.Coverage, err = readCobertura(e, t.start)
		case "checkstyle":
			out.Lint, err = readCheckstyle(e)
		default:
			return Result{}, errUnknown
		}
		if err == nil {
			err = e.rest()
		}
		if err != nil {
			return Result{}, err
		}
		return out, nil
	}
}

// rest holds that nothing stands behind the root.
func (e *elements) rest() error {
	for {
		t, err := e.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case t.start != nil || len(bytes.TrimSpace(t.text)) > 0:
			return errTruncated
		}
	}
}

// whole turns the end of the input into a fault: the root is open.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return errTruncated
	}
	return err
}
