package console

import (
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

func week() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// windowText is a span of every week as it is typed: "mon-fri 20:00-07:00".
func windowText(w sdk.SleepWindow) string {
	all, days := week(), strings.Join(w.Days, ",")
	if len(w.Days) == 0 {
		return w.From + "-" + w.To
	}
	if first := slices.Index(all, w.Days[0]); len(w.Days) > 2 && first >= 0 && first+len(w.Days) <= len(all) && slices.Equal(w.Days, all[first:first+len(w.Days)]) {
		days = w.Days[0] + "-" + w.Days[len(w.Days)-1]
	}
	return days + " " + w.From + "-" + w.To
}

// windowOf reads "mon-fri,sun 19:00-07:00".
func windowOf(line string) (w sdk.SleepWindow, ok bool) {
	days, hours, ok := strings.Cut(strings.ToLower(line), " ")
	from, to, ok2 := strings.Cut(strings.TrimSpace(hours), "-")
	if to == "24:00" {
		to = "00:00"
	}
	if !ok || !ok2 || !isClock(from) || !isClock(to) {
		return w, false
	}
	w.From, w.To = from, to
	all := week()
	for part := range strings.SplitSeq(days, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		a, b := slices.Index(all, first), slices.Index(all, last)
		if a < 0 || b < 0 {
			return w, false
		}
		for i := a; ; i = (i + 1) % len(all) {
			if !slices.Contains(w.Days, all[i]) {
				w.Days = append(w.Days, all[i])
			}
			if i == b {
				break
			}
		}
	}
	return w, true
}

func isClock(s string) bool {
	_, err := time.Parse("15:04", s)
	return err == nil && len(s) == 5
}
