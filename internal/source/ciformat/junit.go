package ciformat

import (
	"encoding/xml"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// suite is a testsuite that is open: what it says of itself, and what was counted in it.
type suite struct {
	name                      string
	tests                     int // as it says
	failures, errors, skipped int
	cases, failed, broken     int // counted
	own                       bool
}

// testcase is a case that is open.
type testcase struct {
	failure        blueberry.CIFailure
	failed, broken bool
	skipped, noted bool
	text           strings.Builder
	depth          int
	inText         bool
}

// readJUnit reads what surefire, pytest, gotestsum, jest and others write. Cases are counted; where a suite says that more have failed than it has cases for,
// as of a file that did not compile, it is believed.
func readJUnit(e *elements, root *xml.StartElement) (*blueberry.CITests, error) {
	out := &blueberry.CITests{}
	open := []*suite{newSuite(root)}
	var c *testcase
	for len(open) > 0 {
		t, err := e.next()
		switch {
		case err != nil:
			return nil, whole(err)
		case t.start != nil && c != nil:
			c.begin(t, len(e.path))
		case t.start != nil && t.name == "testsuite":
			open = append(open, newSuite(t.start))
		case t.start != nil && t.name == "testcase":
			s := open[len(open)-1]
			c = &testcase{depth: len(e.path), failure: blueberry.CIFailure{Suite: s.name, Name: caseName(t.start)}}
			out.Took += seconds(attr(t.start, "time"))
		case t.text != nil && c != nil:
			c.write(t.text)
		case t.end && c != nil && len(e.path) < c.depth:
			c.count(out, open[len(open)-1])
			c = nil
		case t.end && c != nil:
			c.end(len(e.path))
		case t.end && (t.name == "testsuite" || t.name == "testsuites"):
			s := open[len(open)-1]
			open = open[:len(open)-1]
			s.close(out)
			if len(open) > 0 {
				open[len(open)-1].add(s)
			}
		}
	}
	return out, nil
}

func newSuite(s *xml.StartElement) *suite {
	return &suite{
		name: name(attr(s, "name")), tests: number(attr(s, "tests")), failures: number(attr(s, "failures")), errors: number(attr(s, "errors")),
		skipped: number(attr(s, "skipped")),
	}
}

// close takes over what a suite says of itself and has no case for.
func (s *suite) close(out *blueberry.CITests) {
	if s.own {
		out.Suites++
	}
	if more := s.failures + s.errors - s.failed - s.broken; more > 0 {
		out.Errors = min(out.Errors+more, maxCount)
		s.broken += more
		if len(out.Failures) < blueberry.MaxCIFailures {
			out.Failures = append(out.Failures, blueberry.CIFailure{Suite: s.name, Name: nonEmpty(s.name, "a suite"), Message: "the suite tells of a failure that no test is named for"})
		}
	}
}

// add adds a suite that was inside.
func (s *suite) add(inner *suite) {
	s.failed += inner.failed
	s.broken += inner.broken
	s.cases += inner.cases
}

func caseName(s *xml.StartElement) string {
	of, is := attr(s, "classname"), attr(s, "name")
	if of == "" || strings.HasPrefix(is, of) {
		return nonEmpty(name(is), "a test without a name")
	}
	return name(of + "." + is)
}

func nonEmpty(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// begin looks at an element inside of a case, directly below it.
func (c *testcase) begin(t element, depth int) {
	if depth != c.depth+1 {
		return
	}
	switch t.name {
	case "failure":
		c.failed = true
	case "error":
		c.broken = true
	case "skipped":
		c.skipped = true
	default: // flakyFailure and rerunFailure among them: what passed in the end has passed
		return
	}
	if c.inText = t.name != "skipped" && !c.noted; c.inText {
		c.noted = true
		c.failure.Message = line(nonEmpty(attr(t.start, "message"), attr(t.start, "type")))
	}
}

func (c *testcase) write(text []byte) {
	if room := 4*blueberry.MaxCIText - c.text.Len(); c.inText && room > 0 {
		c.text.Write(text[:min(len(text), room)])
	}
}

func (c *testcase) end(depth int) {
	if depth == c.depth {
		c.inText = false
	}
}

// count adds a case that has ended.
func (c *testcase) count(out *blueberry.CITests, s *suite) {
	s.own = true
	s.cases++
	switch {
	case c.broken:
		out.Errors++
		s.broken++
	case c.failed:
		out.Failed++
		s.failed++
	case c.skipped:
		out.Skipped++
		return
	default:
		out.Passed++
		return
	}
	if len(out.Failures) < blueberry.MaxCIFailures {
		if c.failure.Message == "" {
			c.failure.Message = line(c.text.String())
		}
		out.Failures = append(out.Failures, c.failure)
	}
}
