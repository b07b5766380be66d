package store

import (
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// labelsToColumn is labels in the column of their name: lines of key=value by their keys, with a line end before the first and behind the last, so that one
// of them is found with both of its ends. Neither keys nor values hold a line end.
func labelsToColumn(l blueberry.Labels) string {
	if len(l) == 0 {
		return ""
	}
	return clean("\n" + strings.Join(l.Lines(), "\n") + "\n")
}

func labelsOfColumn(text string) blueberry.Labels {
	if text == "" {
		return nil
	}
	l := blueberry.Labels{}
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		key, value, _ := strings.Cut(line, "=")
		l[key] = value
	}
	return l
}

// labelled keeps the rows whose labels are as the selectors ask, all of them.
func (t *Tx) labelled(sel *bun.SelectQuery, selectors []blueberry.LabelSelector) *bun.SelectQuery {
	at := "instr" // of SQLite. LIKE would not tell large from small letters there
	if t.store.dialect == Postgres {
		at = "strpos"
	}
	for _, s := range selectors {
		part := "\n" + s.Key + "="
		if s.Exact {
			part += s.Value + "\n"
		}
		sel = sel.Where("?(labels, ?) > 0", bun.Safe(at), clean(part))
	}
	return sel
}

// labelsKey is the selectors for the digest of a query: in another order they are the same.
func labelsKey(selectors []blueberry.LabelSelector) []string {
	out := make([]string, 0, len(selectors))
	for _, s := range selectors {
		out = append(out, s.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}
