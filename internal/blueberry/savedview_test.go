package blueberry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

func TestNewSavedView(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	for name, c := range map[string]struct {
		in     blueberry.SavedView
		want   string // of the query
		faults []string
	}{
		"a filter":            {in: blueberry.SavedView{Name: " What failed ", Page: "environments", Query: "sort=name&phase=failed&cursor=abc"}, want: "phase=failed&sort=name"},
		"everything":          {in: blueberry.SavedView{Name: "all", Page: "pulls"}},
		"everything is wrong": {in: blueberry.SavedView{Name: "\t", Page: "//evil.example", Query: "%"}, faults: []string{"name", "page", "query"}},
		"too long":            {in: blueberry.SavedView{Name: strings.Repeat("ä", 61), Page: strings.Repeat("a", 41), Query: "q=" + strings.Repeat("a", 2000)}, faults: []string{"name", "page", "query"}},
		"a path as name":      {in: blueberry.SavedView{Name: "a/b", Page: "environments"}, faults: []string{"name"}},
		"a line end":          {in: blueberry.SavedView{Name: "a\nb", Page: "environments"}, faults: []string{"name"}},
		"dots":                {in: blueberry.SavedView{Name: "..", Page: "environments"}, faults: []string{"name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := blueberry.NewSavedView(c.in, now)
			var e *blueberry.Error
			var fields []string
			if errors.As(err, &e) {
				for _, f := range e.Fields {
					fields = append(fields, f.Field)
				}
			}
			if diff := cmp.Diff(c.faults, fields); diff != "" {
				t.Fatalf("%v (-want +got):\n%s", err, diff)
			}
			if c.faults == nil && (got.Query != c.want || got.CreatedAt != now || got.Name != strings.TrimSpace(c.in.Name)) {
				t.Errorf("it is %+v", got)
			}
		})
	}
}
