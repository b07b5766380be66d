package console

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestTextDiff: taking what a comparison tells away from one text, and putting it into it, gives the other.
func TestTextDiff(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(string(rune('a'+random.IntN(4))) + "\n")
		}
		return b.String()
	}
	tests := [][2]string{{"", ""}, {"", "a\n"}, {"a\n", ""}, {"a\nb\nc\n", "a\nx\nc\n"}, {"a\n", "a"}, {"a\r\nb\n", "a\nb\n"}, {text(3000), text(3000)}}
	for range 300 {
		tests = append(tests, [2]string{text(random.IntN(20)), text(random.IntN(20))})
	}
	for _, x := range tests {
		var before, after []string
		for _, l := range diffMiddle(linesOf(x[0]), linesOf(x[1])) {
			if l.Op != '+' {
				before = append(before, l.Text)
			}
			if l.Op != '-' {
				after = append(after, l.Text)
			}
		}
		if got, want := strings.Join(before, "\n"), strings.Join(linesOf(x[0]), "\n"); got != want {
			t.Fatalf("the first text is %q, was %q", got, want)
		}
		if got, want := strings.Join(after, "\n"), strings.Join(linesOf(x[1]), "\n"); got != want {
			t.Fatalf("the second text is %q, was %q", got, want)
		}
	}
}

// TestTextDiffShowsWhatIsNear: lines of both are shown around what differs, and left out elsewhere.
func TestTextDiffShowsWhatIsNear(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 40 {
		b.WriteString(number(i) + "\n")
	}
	var got strings.Builder
	for _, l := range textDiff(b.String(), strings.Replace(b.String(), "20\n", "twenty\n", 1)) {
		if l.Op == 0 {
			l = diffLine{'~', ""}
		}
		got.WriteString(string(l.Op) + l.Text + "|")
	}
	if want := "~| 17| 18| 19|-20|+twenty| 21| 22| 23|~|"; got.String() != want {
		t.Errorf("it is %s, want %s", got.String(), want)
	}
}
