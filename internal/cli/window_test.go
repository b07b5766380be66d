package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/sdk"
)

func TestParseWindow(t *testing.T) {
	t.Parallel()
	for text, tc := range map[string]struct {
		reason string
		want   sdk.SleepWindow
		wrong  bool
	}{
		"mon-fri 19:00-07:00":      {"over midnight", sdk.SleepWindow{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "19:00", To: "07:00"}, false},
		"fri-mon 01:30-02:00":      {"over the end of the week", sdk.SleepWindow{Days: []string{"fri", "sat", "sun", "mon"}, From: "01:30", To: "02:00"}, false},
		"sun-sat 00:00-00:00":      {"the whole week, begun on its last day", sdk.SleepWindow{Days: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, From: "00:00", To: "00:00"}, false},
		"wed-wed 10:00-11:00":      {"from a day to itself is that day", sdk.SleepWindow{Days: []string{"wed"}, From: "10:00", To: "11:00"}, false},
		"sat,sun 00:00-24:00":      {"a whole day ends as the next begins", sdk.SleepWindow{Days: []string{"sat", "sun"}, From: "00:00", To: "00:00"}, false},
		"mon-wed,tue-thu,mon 1:00": {"hours have two digits and two ends", sdk.SleepWindow{}, true},
		"mon-wed,tue-thu,mon 01:00-02:00": {
			"a day is named once, however often it is meant", sdk.SleepWindow{Days: []string{"mon", "tue", "wed", "thu"}, From: "01:00", To: "02:00"}, false,
		},
		"  MON   19:00-20:00 ": {"letters and spaces do not matter", sdk.SleepWindow{Days: []string{"mon"}, From: "19:00", To: "20:00"}, false},
		"":                     {"nothing", sdk.SleepWindow{}, true},
		"mon":                  {"no hours", sdk.SleepWindow{}, true},
		"19:00-20:00":          {"no days", sdk.SleepWindow{}, true},
		"mon 19:00":            {"no end", sdk.SleepWindow{}, true},
		"mon 24:00-01:00":      {"a day does not begin at its end", sdk.SleepWindow{}, true},
		"mon 19:60-20:00":      {"no such minute", sdk.SleepWindow{}, true},
		"mon 25:00-26:00":      {"no such hour", sdk.SleepWindow{}, true},
		"mon 9:00-10:00":       {"the server wants two digits", sdk.SleepWindow{}, true},
		"mon 19:00-20:00-21:00": {
			"too many ends", sdk.SleepWindow{}, true,
		},
		"monday 19:00-20:00": {"days have three letters", sdk.SleepWindow{}, true},
		"mon- 19:00-20:00":   {"half a span", sdk.SleepWindow{}, true},
		"mon, 19:00-20:00":   {"half a list", sdk.SleepWindow{}, true},
		"mon-xyz 19:00-20:00": {
			"no such day", sdk.SleepWindow{}, true,
		},
	} {
		got, err := parseWindow(text)
		if (err != nil) != tc.wrong {
			t.Errorf("%q: %s: %v", text, tc.reason, err)
		}
		if diff := cmp.Diff(tc.want, got); err == nil && diff != "" {
			t.Errorf("%q: %s (-want +got):\n%s", text, tc.reason, diff)
		}
	}
}
