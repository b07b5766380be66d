package catalog

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The JUnit form of a report, as CI systems read it.
type (
	junitSuites struct {
		XMLName xml.Name   `xml:"testsuites"`
		Suite   junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML.
func (r TestReport) WriteJUnit(w io.Writer) error {
	s := junitSuite{Name: "blueprint " + r.Blueprint, Tests: len(r.Cases), Failures: r.Failed()}
	var took time.Duration
	for _, c := range r.Cases {
		took += c.Took
		x := junitCase{Class: r.Blueprint, Name: c.Name, Time: seconds(c.Took)}
		if !c.Passed {
			var lines []string
			for _, d := range c.Differences {
				lines = append(lines, d.String())
			}
			x.Failure = &junitFailure{Message: counted(len(lines), "difference"), Text: strings.Join(lines, "\n")}
		}
		s.Cases = append(s.Cases, x)
	}
	s.Time = seconds(took)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suite: s}); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
