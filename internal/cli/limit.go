package cli

import (
	"iter"

	"github.com/spf13/pflag"
)

// limitFlags say how much of a list is wanted.
type limitFlags struct {
	limit int
	all   bool
}

func (l *limitFlags) flags(f *pflag.FlagSet) {
	f.IntVar(&l.limit, "limit", 50, "at most so many")
	f.BoolVar(&l.all, "all", false, "as many as there are")
}

func (l *limitFlags) check() error {
	if l.limit < 1 {
		return usageErrorf("--limit must be at least 1")
	}
	return nil
}

// page is how many to ask for at once.
func (l *limitFlags) page() int {
	if l.all {
		return maxPage
	}
	return min(l.limit, maxPage)
}

// take reads a list up to the limit and says when there is more. The list is never nil, so that its JSON is [].
func take[T any](s *shared, l limitFlags, list iter.Seq2[T, error]) ([]T, error) {
	out := []T{}
	for x, err := range list {
		if err != nil {
			return nil, err
		}
		if !l.all && len(out) == l.limit {
			s.note("there are more: --all lists them")
			break
		}
		out = append(out, x)
	}
	return out, nil
}

// cut is take of a list that came whole.
func cut[T any](s *shared, l limitFlags, list []T) []T {
	if l.all || len(list) <= l.limit {
		return list
	}
	s.note("there are more: --all lists them")
	return list[:l.limit]
}

// each gives something for each of a list, as the names of -o name.
func each[T, U any](list []T, of func(T) U) []U {
	out := make([]U, len(list))
	for i, x := range list {
		out[i] = of(x)
	}
	return out
}
