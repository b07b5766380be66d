package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// TestCollect: the pages of a list are read until one has what is old. Pull requests are numbers here, and their age in minutes; 666 cannot be read.
func TestCollect(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	broken := &source.HostError{Status: 502, Text: "the host answered 502"}
	for name, c := range map[string]struct {
		pages  [][]int // a page with -1 in it fails
		want   []int
		asked  int
		unread bool
		err    error
	}{
		"none":                                    {pages: [][]int{{}}, asked: 1},
		"no pages":                                {pages: nil, asked: 1},
		"one":                                     {pages: [][]int{{1, 2, 3}}, want: []int{1, 2, 3}, asked: 1},
		"at the time, and before":                 {pages: [][]int{{59, 60, 61}, {62}}, want: []int{59, 60}, asked: 1},
		"to the end of the page with an old one":  {pages: [][]int{{1, 61, 2}, {3}}, want: []int{1, 2}, asked: 1},
		"moved to the next page by another":       {pages: [][]int{{1, 2}, {2, 3}, {61}}, want: []int{1, 2, 3}, asked: 3},
		"an empty page ends":                      {pages: [][]int{{1}, {}, {2}}, want: []int{1}, asked: 2},
		"what cannot be read holds up nothing":    {pages: [][]int{{666, 1}, {666}, {2, 61}}, want: []int{1, 2}, asked: 3, unread: true},
		"what has no time":                        {pages: [][]int{{0, 1, 61}}, want: []int{1}, asked: 1, unread: true},
		"the host fails on the way: all is asked": {pages: [][]int{{1}, {-1}}, asked: 2, err: broken},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			list := func(_ context.Context, page, etag string) (source.PullPage, error) {
				if asked++; (page == "") != (etag == "before") {
					t.Errorf("page %q is asked for with the etag %q", page, etag)
				}
				n, _ := strconv.Atoi(page)
				out := source.PullPage{ETag: "of page " + page}
				if n < len(c.pages) {
					for _, x := range c.pages[n] {
						out.Pulls = append(out.Pulls, json.RawMessage(fmt.Sprint(x)))
					}
				}
				if n+1 < len(c.pages) {
					out.Next = strconv.Itoa(n + 1)
				}
				return out, nil
			}
			read := func(_ context.Context, js []byte) (blueberry.PullRequest, error) {
				n, _ := strconv.Atoi(string(js))
				switch n {
				case 666:
					return blueberry.PullRequest{}, blueberry.Errorf(blueberry.Invalid, "DELIVERY_UNREADABLE", "title is odd")
				case -1:
					return blueberry.PullRequest{}, broken
				case 0:
					return blueberry.PullRequest{Number: 1000}, nil
				}
				return blueberry.PullRequest{Number: n, HostAt: now.Add(-time.Duration(n) * time.Minute)}, nil
			}
			got, err := source.Collect(t.Context(), now.Add(-time.Hour), "before", list, read)
			var numbers []int
			for _, p := range got.Pulls {
				numbers = append(numbers, p.Number)
			}
			if !errors.Is(err, c.err) || !slices.Equal(numbers, c.want) || asked != c.asked || (got.Unread != "") != c.unread || got.More {
				t.Errorf("%v after %d questions, %+v, %v", numbers, asked, got, err)
			}
			if err == nil && got.ETag != "of page " {
				t.Errorf("the etag is %q", got.ETag)
			}
		})
	}
}
