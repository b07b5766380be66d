package docs

import (
	"strconv"
	"strings"
)

// splitCode splits a text at its backticks: each second part is code.
func splitCode(s string) []string { return strings.Split(s, "`") }

// shortCommand is a command without what stands above it: "create" of "blueberry env create" in "env".
func shortCommand(title, group string) string {
	return strings.TrimPrefix(title, rootCommand+" "+group+" ")
}

// count is how many operations there are.
func (r *reference) count() (n int) {
	for _, g := range r.Groups {
		n += len(g.Operations)
	}
	return n
}

// foundText says how many sections were found.
func foundText(n int) string {
	switch n {
	case 1:
		return "One section holds"
	case maxFound:
		return "The best " + strconv.Itoa(n) + " sections that hold"
	}
	return strconv.Itoa(n) + " sections hold"
}
