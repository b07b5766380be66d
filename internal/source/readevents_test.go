package source_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blueberry-idp/blueberry/internal/source"
)

// TestLines: of a comment that is too long, no half of a line is left: half of a command is another command.
func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", source.MaxComment-len("\n/blueberry extend 2"))
	for name, c := range map[string]struct{ text, want string }{
		"as it is":           {"a\n  b", "a\n  b"},
		"ends of lines":      {"a\r\nb\rc", "a\nb\nc"},
		"control characters": {"a\tb\x00c\u202ed\u2028e", "a\tb c d e"},
		"as long as it may":  {long + "\n/blueberry extend 2", long + "\n/blueberry extend 2"},
		"cut in a command":   {long + "\n/blueberry extend 24h", long + "\n"},
		"one line, too long": {strings.Repeat("x", source.MaxComment+1), ""},
		"wide, as it may be": {strings.Repeat("\u00e9", source.MaxComment), strings.Repeat("\u00e9", source.MaxComment)},
		"nothing":            {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r source.Reading
			if got := r.Lines(c.text); got != c.want {
				t.Errorf("lines are %.60q of %d bytes", got, len(got))
			}
		})
	}
}

// TestPushes: a delivery with more branches than anybody pushes is refused whole.
func TestPushes(t *testing.T) {
	t.Parallel()
	one := source.Pushed{Ref: "refs/heads/main", Commit: strings.Repeat("a", 40)}
	var r source.Reading
	many := make([]source.Pushed, source.MaxPushed)
	for i := range many {
		many[i] = one
	}
	if got := r.Pushes("after", time.Time{}, many...); len(got) != source.MaxPushed {
		t.Errorf("%d branches were read", len(got))
	}
	r.Pushes("after", time.Time{}, append(many, one)...)
	if _, err := r.Give(source.Incoming{}); err == nil {
		t.Error("more branches than the bound were read")
	}
}
