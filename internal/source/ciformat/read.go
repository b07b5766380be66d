package ciformat

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Kind says what a file is for.
type Kind string

// The kinds. Auto is whatever the content is.
const (
	Auto     Kind = "auto"
	JUnit    Kind = "junit"
	Coverage Kind = "coverage"
	Scan     Kind = "scan"
	Lint     Kind = "lint"
	SBOM     Kind = "sbom"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Auto, JUnit, Coverage, Scan, Lint, SBOM} }

// names are the formats of each kind, as people are told.
func (k Kind) names() string {
	switch k {
	case JUnit:
		return "JUnit XML"
	case Coverage:
		return "Cobertura XML, LCOV or a Go cover profile"
	case Scan:
		return "JSON of Trivy or SARIF 2.1.0"
	case Lint:
		return "SARIF 2.1.0 or checkstyle XML"
	case SBOM:
		return "CycloneDX or SPDX in JSON"
	}
	return "JUnit XML, Cobertura XML, LCOV, a Go cover profile, JSON of Trivy, SARIF 2.1.0, checkstyle XML, CycloneDX or SPDX in JSON"
}

// Result is what was read of one file: one of its parts is set.
type Result struct {
	Tests    *blueberry.CITests
	Coverage *blueberry.CICoverage
	Scan     *blueberry.CIScan // without bounds: whoever adds several up keeps the worst
	Lint     *blueberry.CIScan
	SBOM     *blueberry.CISBOM
}

// Wrong is what a file cannot be read for, told to people.
type Wrong struct {
	Code string // "format", "range", "encoding" or "syntax"
	Text string
}

// Error gives the text.
func (w *Wrong) Error() string { return w.Text }

func wrong(code, text string) error { return &Wrong{code, text} }

var (
	errTruncated = wrong("syntax", "is cut off, or is not well formed")
	errDeep      = wrong("range", "is nested too deep")
	errMany      = wrong("range", "has too many parts")
)

// Bounds of what is read.
const (
	maxDepth    = 64
	maxElements = 1 << 20
	maxObjects  = 1 << 19 // objects and lists of JSON: what is read of an empty one has up to 250 bytes
	maxValue    = 1 << 16 // bytes of one attribute
	maxCount    = 1 << 30 // of a number of tests, lines or hits
)

// Read reads one file. The error is a Wrong.
func Read(kind Kind, data []byte) (Result, error) {
	switch {
	case len(data) > blueberry.MaxCIFile:
		return Result{}, wrong("range", "is larger than 10 MiB")
	case !utf8.Valid(data):
		return Result{}, wrong("encoding", "is not UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	content := bytes.TrimLeft(data, " \t\r\n")
	var out Result
	var err error
	switch {
	case len(content) == 0:
		return Result{}, wrong("format", "is empty, and is to be "+kind.names())
	case content[0] == '<':
		out, err = readXML(content)
	case content[0] == '{':
		out, err = readJSON(kind, content)
	case bytes.HasPrefix(content, []byte("mode:")):
		out.Coverage, err = readGoCover(content)
	case bytes.HasPrefix(content, []byte("TN:")), bytes.HasPrefix(content, []byte("SF:")):
		out.Coverage, err = readLCOV(content)
	default:
		err = errUnknown
	}
	if errors.Is(err, errUnknown) || err == nil && !out.is(kind) {
		return Result{}, wrong("format", "is not "+kind.names())
	}
	return out, err
}

var errUnknown = errors.New("the format is not known")

func (r Result) is(kind Kind) bool {
	switch kind {
	case JUnit:
		return r.Tests != nil
	case Coverage:
		return r.Coverage != nil
	case Scan:
		return r.Scan != nil
	case Lint:
		return r.Lint != nil
	case SBOM:
		return r.SBOM != nil
	}
	return true
}

func line(s string) string { return blueberry.PlainText(s, blueberry.MaxCIText) }

func name(s string) string { return blueberry.PlainText(s, blueberry.MaxCIName) }
