package ciformat_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source/ciformat"
)

// fuzz looks for input that breaks a reader, or of which something is taken that may not be shown.
func fuzz(f *testing.F, kind ciformat.Kind, seeds ...string) {
	f.Helper()
	for _, name := range seeds {
		f.Add(file(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ciformat.Read(kind, data)
		var wrong *ciformat.Wrong
		switch {
		case err != nil && !errors.As(err, &wrong):
			t.Fatalf("the error is %v", err)
		case err != nil:
			if !blueberry.PlainLine(wrong.Text) {
				t.Fatalf("the error says %q", wrong.Text)
			}
			return
		}
		hold := func(text string, most int) {
			t.Helper()
			if !blueberry.PlainLine(text) || utf8.RuneCountInString(text) > most {
				t.Fatalf("%q is taken", text)
			}
		}
		if x := got.Tests; x != nil {
			if min(x.Suites, x.Passed, x.Failed, x.Errors, x.Skipped, int(x.Took)) < 0 || len(x.Failures) > blueberry.MaxCIFailures {
				t.Fatalf("%+v", x)
			}
			for _, y := range x.Failures {
				hold(y.Suite, blueberry.MaxCIName)
				hold(y.Name, blueberry.MaxCIName)
				hold(y.Message, blueberry.MaxCIText)
			}
		}
		if x := got.Coverage; x != nil && (x.Covered < 0 || x.Covered > x.Total) {
			t.Fatalf("%+v", x)
		}
		for _, x := range []*blueberry.CIScan{got.Scan, got.Lint} {
			if x == nil {
				continue
			}
			if x.Counts.Total() < len(x.Findings) {
				t.Fatalf("%d findings are counted as %+v", len(x.Findings), x.Counts)
			}
			hold(x.Tool, blueberry.MaxCIName)
			for _, y := range x.Findings {
				for _, text := range []string{y.ID, y.Package, y.Installed, y.Fixed, y.Location} {
					hold(text, blueberry.MaxCIName)
				}
				hold(y.Title, blueberry.MaxCIText)
				if y.ID == "" || y.Severity == "" {
					t.Fatalf("%+v", y)
				}
			}
		}
		if x := got.SBOM; x != nil {
			hold(x.Format, blueberry.MaxCIName)
		}
	})
}

func FuzzJUnit(f *testing.F) {
	fuzz(f, ciformat.JUnit, "surefire.xml", "pytest.xml", "gotestsum.xml", "jest.xml")
}

func FuzzCoverage(f *testing.F) {
	fuzz(f, ciformat.Coverage, "cobertura.xml", "cobertura-without-totals.xml", "lcov.info", "cover.txt")
}

func FuzzScan(f *testing.F) { fuzz(f, ciformat.Scan, "trivy.json", "codeql.sarif") }

func FuzzLint(f *testing.F) { fuzz(f, ciformat.Lint, "eslint.sarif", "checkstyle.xml") }

func FuzzSBOM(f *testing.F) { fuzz(f, ciformat.SBOM, "cyclonedx.json", "spdx.json") }

func FuzzAuto(f *testing.F) { fuzz(f, ciformat.Auto, "trivy.json", "pytest.xml", "lcov.info") }
