package arch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var (
	mdLink    = regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	mdPicture = regexp.MustCompile(`(?:src|srcset)="([^"]*)"`)
	mdHeading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	mdLinked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	mdCode    = regexp.MustCompile("(?ms)^```.*?^```")
)

// anchors are the names that the headings of a page have in addresses.
func anchors(page string) map[string]bool {
	out, seen := map[string]bool{}, map[string]int{}
	for _, m := range mdHeading.FindAllStringSubmatch(mdCode.ReplaceAllString(page, ""), -1) {
		id := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, mdLinked.ReplaceAllString(m[1], "$1"))
		if n := seen[id]; n > 0 {
			out[id+"-"+strconv.Itoa(n)] = true
		}
		seen[id]++
		out[id] = true
	}
	return out
}

// TestLinksOfThePages: a relative link of a page leads to a file that is there, and to a heading that it has; its pictures are there.
func TestLinksOfThePages(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	cmd.Dir = root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list pages: %v", err)
	}
	for page := range strings.FieldsSeq(string(out)) {
		text, err := os.ReadFile(filepath.Join(root(), page))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(root(), filepath.Dir(page))
		for _, m := range mdPicture.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(dir, m[1])); strings.HasPrefix(page, "docs/guide/") && err != nil {
				t.Errorf("%s shows %s, which is not there", page, m[1])
			}
		}
		for _, m := range mdLink.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") || m[0] == "]()" {
				continue
			}
			target := text
			if m[1] != "" {
				if _, err := os.Stat(filepath.Join(dir, m[1])); err != nil {
					t.Errorf("%s links to %s, which is not there", page, m[1])
					continue
				}
				if target, err = os.ReadFile(filepath.Join(dir, m[1])); err != nil {
					continue // a directory
				}
			}
			if id := strings.TrimPrefix(m[2], "#"); id != "" && (m[1] == "" || strings.HasSuffix(m[1], ".md")) && !anchors(string(target))[id] {
				t.Errorf("%s links to %s%s, which has no such heading", page, m[1], m[2])
			}
		}
	}
}
