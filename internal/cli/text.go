package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// colour is an ANSI colour of the terminal's own palette, so that it fits every theme.
type colour int

const (
	red    colour = 31
	green  colour = 32
	yellow colour = 33
	grey   colour = 90
)

func paint(c colour, s string) string { return fmt.Sprintf("\x1b[%dm%s\x1b[0m", c, s) }

// plainText makes what came from outside safe to print: a control character could move the cursor or write to the terminal's clipboard.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
}

// parseHours reads the length of a lease: "24h", "24", "7d". Whether so many are allowed is the server's business.
func parseHours(s string) (int, error) {
	number, unit := s, 1
	switch {
	case strings.HasSuffix(s, "h"):
		number = s[:len(s)-1]
	case strings.HasSuffix(s, "d"):
		number, unit = s[:len(s)-1], 24
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || strings.HasPrefix(number, "+") {
		return 0, usageErrorf("%q is not a length of time: give whole hours or days, as 24h, 24 or 7d", s)
	}
	return int(n) * unit, nil
}

// span is a length of time in its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 10*time.Minute:
		return two(int(d.Minutes()), "m", int(d.Seconds())%60, "s")
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 10*time.Hour:
		return two(int(d.Hours()), "h", int(d.Minutes())%60, "m")
	case d < 72*time.Hour:
		return fmt.Sprintf("%dh", int(d.Round(time.Hour).Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Round(time.Hour).Hours())/24) // a moment after 14 days were given there are 14, not 13
}

func two(n int, unit string, rest int, small string) string {
	if rest == 0 {
		return fmt.Sprintf("%d%s", n, unit)
	}
	return fmt.Sprintf("%d%s%d%s", n, unit, rest, small)
}

// relative is a time as people say it; exact is for scripts and wide tables.
func relative(now, t time.Time) string {
	switch d := t.Sub(now); {
	case t.IsZero():
		return "-"
	case d > -time.Second && d < time.Second:
		return "now"
	case d < 0:
		return span(-d) + " ago"
	default:
		return "in " + span(d)
	}
}

func exact(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return plainText(s)
}
