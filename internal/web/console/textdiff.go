package console

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// diffLine is a line of two texts that are compared: ' ' of both, '-' of the first, '+' of the second; 0 stands for lines of both that are left out.
type diffLine struct {
	Op   byte
	Text string
}

const (
	diffContext = 3    // lines around what differs
	maxDiffSize = 1000 // lines that differ; above it all are told as replaced
)

// textDiff compares two texts by lines. It is empty when they are the same.
func textDiff(before, after string) []diffLine {
	if before == after {
		return nil
	}
	a, b := linesOf(before), linesOf(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out []diffLine
	for _, x := range a[:head] {
		out = append(out, diffLine{' ', x})
	}
	out = append(out, diffMiddle(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, x := range a[len(a)-tail:] {
		out = append(out, diffLine{' ', x})
	}
	return nearby(out)
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// diffMiddle finds the shortest way from a to b: it goes as far as it can with none, one, two… lines that differ (E. Myers, An O(ND) Difference Algorithm).
func diffMiddle(a, b []string) []diffLine {
	most := min(len(a)+len(b), maxDiffSize)
	at := most + 1 // of diagonal 0
	far := make([]int, 2*most+3)
	var steps [][]int // far before each step, of the diagonals that it may reach
	for d := 0; d <= most; d++ {
		steps = append(steps, slices.Clone(far[at-d-1:at+d+2]))
		for k := -d; k <= d; k += 2 {
			x := far[at+k+1]
			if k != -d && (k == d || far[at+k-1] >= far[at+k+1]) {
				x = far[at+k-1] + 1
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			far[at+k] = x
			if x >= len(a) && x-k >= len(b) {
				return diffBack(a, b, steps)
			}
		}
	}
	var out []diffLine
	for _, x := range a {
		out = append(out, diffLine{'-', x})
	}
	for _, x := range b {
		out = append(out, diffLine{'+', x})
	}
	return out
}

// diffBack walks the way that was found, from its end.
func diffBack(a, b []string, steps [][]int) []diffLine {
	var out []diffLine
	x, y := len(a), len(b)
	for d := len(steps) - 1; d >= 0; d-- {
		far, at := steps[d], d+1
		k := x - y
		from := k + 1
		if k != -d && (k == d || far[at+k-1] >= far[at+k+1]) {
			from = k - 1
		}
		px := far[at+from]
		py := px - from
		for x > px && y > py && x > 0 && y > 0 {
			x, y = x-1, y-1
			out = append(out, diffLine{' ', a[x]})
		}
		switch {
		case d == 0:
		case x == px:
			y--
			out = append(out, diffLine{'+', b[y]})
		default:
			x--
			out = append(out, diffLine{'-', a[x]})
		}
	}
	slices.Reverse(out)
	return out
}

// nearby leaves out the lines of both texts that are far from any that differs.
func nearby(all []diffLine) []diffLine {
	near := make([]bool, len(all))
	for i, l := range all {
		if l.Op != ' ' {
			for j := max(0, i-diffContext); j <= min(len(all)-1, i+diffContext); j++ {
				near[j] = true
			}
		}
	}
	var out []diffLine
	for i, l := range all {
		switch {
		case near[i]:
			out = append(out, l)
		case i == 0 || near[i-1]:
			out = append(out, diffLine{})
		}
	}
	return out
}

// diffSpans are lines for a page, with no space between them: in preformatted text each would be seen.
func diffSpans(lines []diffLine) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		for _, l := range lines {
			switch l.Op {
			case '+':
				b.WriteString(`<span class="diff-added">+ `)
			case '-':
				b.WriteString(`<span class="diff-gone">- `)
			case ' ':
				b.WriteString("<span>  ")
			default:
				b.WriteString(`<span class="faint">  ⋯`)
			}
			b.WriteString(templ.EscapeString(l.Text) + "\n</span>")
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}
