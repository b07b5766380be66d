package render

import "github.com/blueberry-idp/blueberry/internal/blueberry"

// compare looks for a layer that makes a mapping of something else, or something else of a mapping. It reports whether the values fit one another.
func (a *attribution) compare(path string, c span, depth int8) bool {
	var lower *candidate
	ok := true
	for i := c.from; i < c.to; i++ {
		x := &a.arena[i]
		src := a.shares[x.src]
		switch {
		case x.level != depth:
			continue // globals of a chart above
		case x.value == nil:
			lower = nil
			continue
		case lower != nil && !src.chart && clash(lower.value, x.value) && !(src.own && a.shares[lower.src].chart): // the platform's own part wins
			ok = false
			a.conflicts = append(a.conflicts, conflict{lower: a.shares[lower.src], upper: src, path: path, has: x.value})
		}
		lower = x
	}
	return ok
}

// denied looks for a layer that sets all values of a chart to null, which Helm refuses.
func (a *attribution) denied(path string, c span, depth int8) {
	for i := c.to - 1; i > c.from; i-- {
		x := a.arena[i]
		if x.level == depth && x.value == nil && !x.lost && !a.shares[x.src].chart {
			a.conflicts = append(a.conflicts, conflict{lower: a.shares[a.arena[c.from].src], upper: a.shares[x.src], path: path})
		}
		if x.value != nil {
			return
		}
	}
}

// clash reports whether one of two values is a mapping and the other is not. A reference to a secret is as good as a scalar.
func clash(lower, upper any) bool {
	_, was := lower.(map[string]any)
	_, is := upper.(map[string]any)
	if was == is {
		return false
	}
	if _, list := upper.([]any); !list && blueberry.IsSecretRef(lower) {
		return false
	}
	_, list := lower.([]any)
	return list || !blueberry.IsSecretRef(upper)
}
