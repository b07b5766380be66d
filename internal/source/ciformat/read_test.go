package ciformat_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source/ciformat"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t *testing.T, kind ciformat.Kind, name string) ciformat.Result {
	t.Helper()
	got, err := ciformat.Read(kind, file(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return got
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]blueberry.CITests{
		"surefire.xml": {Suites: 1, Passed: 2, Failed: 1, Errors: 1, Skipped: 1, Took: 1002*time.Second + 31*time.Millisecond, Failures: []blueberry.CIFailure{
			{Suite: "com.acme.CartTest", Name: "com.acme.CartTest.sortsByName", Message: "expected: <3> but was: <2>"},
			{Suite: "com.acme.CartTest", Name: "com.acme.CartTest.loads", Message: "java.lang.NullPointerException"},
		}},
		"pytest.xml": {Suites: 1, Passed: 1, Failed: 1, Skipped: 1, Took: 5 * time.Millisecond, Failures: []blueberry.CIFailure{
			{Suite: "pytest", Name: "tests.test_cart.test_sort", Message: "AssertionError: assert [2, 1] == [1, 2] At index 0 diff: 2 != 1"},
		}},
		"gotestsum.xml": {Suites: 1, Passed: 1, Failed: 1, Errors: 1, Skipped: 1, Took: 10 * time.Millisecond, Failures: []blueberry.CIFailure{
			{Suite: "example.com/shop/cart", Name: "example.com/shop/cart.TestSort", Message: "Failed"},
			{Suite: "example.com/shop/broken", Name: "example.com/shop/broken", Message: "the suite tells of a failure that no test is named for"},
		}},
		"jest.xml": {Suites: 1, Passed: 1, Failed: 1, Took: 5 * time.Millisecond, Failures: []blueberry.CIFailure{
			{Suite: "Basket", Name: "Basket sums", Message: "Error: expect(received).toBe(expected) Expected: 3 Received: 2 at Object.toBe (src/basket.test.ts:9:21)"},
		}},
	} {
		for _, kind := range []ciformat.Kind{ciformat.Auto, ciformat.JUnit} {
			if diff := cmp.Diff(ciformat.Result{Tests: &want}, read(t, kind, name)); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", name, kind, diff)
			}
		}
	}
}

// TestJUnitIsBounded holds that the first failures are kept, that all are counted, and that what they say is one line.
func TestJUnitIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`<testsuite name="many">`)
	for i := range 60 {
		fmt.Fprintf(&b, `<testcase name="t%d"><failure message="a&#x9;b&#xD;&#xA;&#x202E;c %s"/></testcase>`, i, strings.Repeat("x", 2000))
	}
	b.WriteString(`</testsuite>`)
	got, err := ciformat.Read(ciformat.JUnit, []byte(b.String()))
	if err != nil || got.Tests.Failed != 60 || len(got.Tests.Failures) != blueberry.MaxCIFailures || got.Tests.Failures[0].Name != "t0" {
		t.Fatalf("%+v, %v", got.Tests, err)
	}
	if m := got.Tests.Failures[0].Message; utf8.RuneCountInString(m) != blueberry.MaxCIText || !strings.HasPrefix(m, "a b c x") || !blueberry.PlainLine(m) {
		t.Errorf("the message is %q", m)
	}
	secret := "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
	got, err = ciformat.Read(ciformat.JUnit, []byte(`<testsuite name="s"><testcase name="t"><failure message="token `+secret+` is wrong"/></testcase></testsuite>`))
	if err != nil || strings.Contains(got.Tests.Failures[0].Message, secret) {
		t.Errorf("a secret is kept: %+v, %v", got.Tests, err)
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]blueberry.CICoverage{
		"cobertura.xml":                {Covered: 812, Total: 1000},
		"cobertura-without-totals.xml": {Covered: 3, Total: 4},
		"lcov.info":                    {Covered: 7, Total: 13},
		"cover.txt":                    {Covered: 8, Total: 10},
	} {
		for _, kind := range []ciformat.Kind{ciformat.Auto, ciformat.Coverage} {
			if diff := cmp.Diff(ciformat.Result{Coverage: &want}, read(t, kind, name)); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", name, kind, diff)
			}
		}
	}
}

func TestTrivy(t *testing.T) {
	t.Parallel()
	want := blueberry.CIScan{Tool: "trivy", Counts: blueberry.FindingCounts{Critical: 2, High: 1, Medium: 1, Low: 1, Unknown: 1}, Findings: []blueberry.Finding{
		{ID: "CVE-2026-0001", Severity: "high", Package: "openssl", Installed: "3.0.11-1", Fixed: "3.0.13-1", Location: "ghcr.io/acme/shop-api (debian 12.5)", Title: "openssl: denial of service"},
		{ID: "CVE-2026-0002", Severity: "critical", Package: "zlib1g", Installed: "1.2.13", Location: "ghcr.io/acme/shop-api (debian 12.5)", Title: "zlib: overflow"},
		{ID: "CVE-2026-0003", Severity: "unknown", Package: "apt", Installed: "2.6.1", Location: "ghcr.io/acme/shop-api (debian 12.5)"},
		{ID: "CVE-2026-0004", Severity: "low", Package: "left-pad", Installed: "1.0.0", Fixed: "1.0.1", Location: "app/node_modules/left-pad"},
		{ID: "DS002", Severity: "medium", Location: "Dockerfile", Title: "Image user should not be 'root'"},
		{ID: "generic-password", Severity: "critical", Location: "config.env:3", Title: "Password"},
	}}
	if diff := cmp.Diff(ciformat.Result{Scan: &want}, read(t, ciformat.Auto, "trivy.json")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	empty, err := ciformat.Read(ciformat.Scan, []byte(`{"SchemaVersion": 2, "ArtifactName": "x"}`))
	if err != nil || empty.Scan == nil || empty.Scan.Counts.Total() != 0 {
		t.Errorf("a scan that has found nothing: %+v, %v", empty, err)
	}
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	scan := blueberry.CIScan{Tool: "CodeQL", Counts: blueberry.FindingCounts{Critical: 1, High: 2, Medium: 1}, Findings: []blueberry.Finding{
		{ID: "js/sql-injection", Severity: "high", Location: "src/db.js:12", Title: "Database query built from user-controlled sources"},
		{ID: "js/weak", Severity: "critical", Title: "Weak hash"},
		{ID: "js/extra", Severity: "medium", Title: "Extra"},
		{ID: "js/unknown", Severity: "high", Title: "no rule"},
	}}
	for _, kind := range []ciformat.Kind{ciformat.Auto, ciformat.Scan} {
		if diff := cmp.Diff(ciformat.Result{Scan: &scan}, read(t, kind, "codeql.sarif")); diff != "" {
			t.Errorf("CodeQL as %s (-want +got):\n%s", kind, diff)
		}
	}
	lint := blueberry.CIScan{Tool: "ESLint", Counts: blueberry.FindingCounts{High: 1, Medium: 1, Low: 1}, Findings: []blueberry.Finding{
		{ID: "no-unused-vars", Severity: "high", Location: "src/a.js:3", Title: "'x' is assigned a value but never used."},
		{ID: "no-unused-vars", Severity: "medium", Title: "no level"},
		{ID: "unnamed", Severity: "low", Title: "a note"},
	}}
	if diff := cmp.Diff(ciformat.Result{Lint: &lint}, read(t, ciformat.Auto, "eslint.sarif")); diff != "" {
		t.Errorf("ESLint (-want +got):\n%s", diff)
	}
	if got := read(t, ciformat.Scan, "eslint.sarif"); got.Scan == nil || got.Scan.Counts != lint.Counts {
		t.Errorf("ESLint, asked for as a scan: %+v", got)
	}
	if got := read(t, ciformat.Lint, "codeql.sarif"); got.Lint == nil || got.Lint.Counts != (blueberry.FindingCounts{High: 2, Medium: 1, Low: 1}) {
		t.Errorf("CodeQL, asked for as a lint: %+v", got.Lint)
	}
}

func TestCheckstyle(t *testing.T) {
	t.Parallel()
	want := blueberry.CIScan{Tool: "checkstyle", Counts: blueberry.FindingCounts{High: 1, Medium: 1, Low: 1}, Findings: []blueberry.Finding{
		{ID: "com.puppycrawl.tools.checkstyle.checks.javadoc.MissingJavadocMethodCheck", Severity: "high", Location: "/src/Cart.java:12", Title: "Missing a Javadoc comment."},
		{ID: "LineLength", Severity: "medium", Location: "/src/Cart.java:14", Title: "Line is longer than 100 characters."},
		{ID: "checkstyle", Severity: "low", Location: "/src/Cart.java", Title: "A hint."},
	}}
	if diff := cmp.Diff(ciformat.Result{Lint: &want}, read(t, ciformat.Auto, "checkstyle.xml")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSBOM(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]blueberry.CISBOM{
		"cyclonedx.json": {Format: "CycloneDX 1.6", Components: 2}, "spdx.json": {Format: "SPDX 2.3", Components: 3},
	} {
		sum := sha256.Sum256(file(t, name))
		want.Digest = "sha256:" + hex.EncodeToString(sum[:])
		if diff := cmp.Diff(ciformat.Result{SBOM: &want}, read(t, ciformat.Auto, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTheWorstFindingsAreKept holds that all are counted.
func TestTheWorstFindingsAreKept(t *testing.T) {
	t.Parallel()
	type vulnerability struct{ VulnerabilityID, PkgName, Severity string }
	var all []vulnerability
	for i := range 3000 {
		all = append(all, vulnerability{fmt.Sprintf("CVE-%d", i), "p", "LOW"})
	}
	all = append(all, vulnerability{"CVE-worst", "p", "CRITICAL"})
	body, err := json.Marshal(map[string]any{"SchemaVersion": 2, "Results": []any{map[string]any{"Target": "x", "Vulnerabilities": all}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ciformat.Read(ciformat.Auto, body)
	if err != nil || got.Scan.Counts.Total() != 3001 {
		t.Fatalf("%+v, %v", got, err)
	}
	if kept := got.Scan.Keep(500); len(kept.Findings) != 500 || kept.Findings[0].ID != "CVE-worst" || kept.Counts.Low != 3000 {
		t.Errorf("%d are kept, the first is %+v", len(kept.Findings), kept.Findings[0])
	}
}

// TestALongNameIsNotKeptForEachLine: a file of a few MiB must not need GiB.
//
//nolint:paralleltest // what others allocate meanwhile would count
func TestALongNameIsNotKeptForEachLine(t *testing.T) {
	const most = 64 << 20 // bytes, of all that is allocated
	long := strings.Repeat("a/", 1<<14)
	var lcov, cobertura, checkstyle strings.Builder
	for i := range 1 << 14 {
		fmt.Fprintf(&lcov, "DA:%d,1\n", i)
		fmt.Fprintf(&cobertura, `<line number="%d" hits="1"/>`, i)
		fmt.Fprintf(&checkstyle, `<error line="%d"/>`, i)
	}
	for name, text := range map[string]string{
		"lcov": "SF:" + long + "\n" + lcov.String() + "end_of_record\n", "checkstyle": `<checkstyle><file name="` + long + `">` + checkstyle.String() + `</file></checkstyle>`,
		"cobertura": `<coverage line-rate="1"><class filename="` + long + `"><lines>` + cobertura.String() + `</lines></class></coverage>`,
	} {
		data := []byte(text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ciformat.Read(ciformat.Auto, data)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; err != nil || got > most {
			t.Errorf("reading %d bytes of %s allocates %d, %v", len(data), name, got, err)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("<a>", 100)
	for name, c := range map[string]struct {
		kind ciformat.Kind
		data string
		code string
		says string
	}{
		"nothing":                    {ciformat.Auto, " \n", "format", "JUnit XML, Cobertura XML, LCOV, a Go cover profile, JSON of Trivy, SARIF"},
		"a text":                     {ciformat.Auto, "hello", "format", "is not JUnit XML"},
		"a page":                     {ciformat.Auto, "<html><body>Sign in</body></html>", "format", "is not JUnit XML"},
		"other JSON":                 {ciformat.Scan, `{"a": 1}`, "format", "is not JSON of Trivy or SARIF 2.1.0"},
		"a list":                     {ciformat.Auto, `[1]`, "format", "is not"},
		"a scan as tests":            {ciformat.JUnit, string(file(t, "trivy.json")), "format", "is not JUnit XML"},
		"tests as coverage":          {ciformat.Coverage, string(file(t, "pytest.xml")), "format", "Cobertura"},
		"Clover":                     {ciformat.Coverage, `<coverage generated="1"><project/></coverage>`, "format", "Cobertura"},
		"another schema of Trivy":    {ciformat.Auto, `{"SchemaVersion": 1, "Results": []}`, "format", "another schema"},
		"not UTF-8":                  {ciformat.Auto, "<testsuite name=\"\xff\"/>", "encoding", "UTF-8"},
		"says it is not UTF-8":       {ciformat.Auto, `<?xml version="1.0" encoding="ISO-8859-1"?><testsuite/>`, "encoding", "UTF-8"},
		"too large":                  {ciformat.Auto, strings.Repeat("x", blueberry.MaxCIFile+1), "range", "10 MiB"},
		"cut off":                    {ciformat.Auto, `<testsuites><testsuite name="a"><testcase name="b">`, "syntax", "cut off"},
		"cut off JSON":               {ciformat.Auto, `{"SchemaVersion": 2, "Results": [`, "syntax", "cut off"},
		"two roots":                  {ciformat.Auto, `<testsuite/><testsuite/>`, "syntax", "well formed"},
		"two objects":                {ciformat.Auto, `{"bomFormat": "CycloneDX"}{"a": 1}`, "syntax", "well formed"},
		"deep":                       {ciformat.Auto, "<testsuite>" + deep, "range", "nested too deep"},
		"deep JSON":                  {ciformat.Auto, `{"runs": ` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "range", "nested too deep"},
		"entities":                   {ciformat.Auto, `<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><testsuite name="&y;"/>`, "syntax", "entities"},
		"an entity":                  {ciformat.Auto, `<testsuite name="&y;"/>`, "syntax", "well formed"},
		"an attribute without end":   {ciformat.Auto, `<testsuite name="` + strings.Repeat("a", 1<<17) + `"/>`, "range", "too long"},
		"a key twice":                {ciformat.Auto, `{"SchemaVersion": 2, "Results": [], "results": []}`, "syntax", "twice"},
		"a wrong type":               {ciformat.Auto, `{"SchemaVersion": 2, "Results": [{"Target": 7}]}`, "syntax", "Results.Target"},
		"a wrong type of SARIF":      {ciformat.Auto, `{"version": "2.1.0", "runs": {}}`, "syntax", "runs"},
		"too much JSON":              {ciformat.Auto, `{"SchemaVersion": 2, "Results": [` + strings.Repeat("{},", 1<<19) + `{}]}`, "range", "too many parts"},
		"SARIF of no run":            {ciformat.Scan, `{"version": "2.1.0", "runs": []}`, "format", "did not come to its end"},
		"SARIF without results":      {ciformat.Scan, `{"version": "2.1.0", "runs": [{"tool": {}}]}`, "format", "did not come to its end"},
		"SARIF of a tool that broke": {ciformat.Scan, `{"version": "2.1.0", "runs": [{"results": [], "invocations": [{"executionSuccessful": false}]}]}`, "format", "did not come to its end"},
		"LCOV that is cut off":       {ciformat.Auto, "SF:a\nDA:1,1\n", "syntax", "cut off"},
		"LCOV with a bad line":       {ciformat.Auto, "SF:a\nDA:x\nend_of_record\n", "syntax", "DA line"},
		"a profile without its mode": {ciformat.Auto, "mode: often\na.go:1.1,2.2 1 1\n", "syntax", "mode"},
		"a profile with a bad line":  {ciformat.Auto, "mode: set\nhello\n", "syntax", "Go cover profile"},
		"a line without end":         {ciformat.Auto, "mode: set\n" + strings.Repeat("a", 1<<17), "range", "too long"},
	} {
		got, err := ciformat.Read(c.kind, []byte(c.data))
		var wrong *ciformat.Wrong
		if !errors.As(err, &wrong) || wrong.Code != c.code || !strings.Contains(wrong.Text, c.says) {
			t.Errorf("%s: %+v, %v, want %s: …%s…", name, got, err, c.code, c.says)
		}
	}
}

// TestABOMIsNoContent: some tools begin their files with the mark of UTF-8.
func TestABOMIsNoContent(t *testing.T) {
	t.Parallel()
	got, err := ciformat.Read(ciformat.Auto, append([]byte("\xef\xbb\xbf\n"), file(t, "jest.xml")...))
	if err != nil || got.Tests == nil {
		t.Errorf("%+v, %v", got, err)
	}
}
