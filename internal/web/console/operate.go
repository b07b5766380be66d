package console

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/blueberry-idp/blueberry/sdk"
)

// asking is a page that asks whether to do something. more stands in the form above its buttons; nil for nothing.
func asking(here string, a ask, more templ.Component, trail ...option) page {
	if more == nil {
		more = templ.NopComponent
	}
	return page{Title: a.Title, Here: here, Body: askPage(a, more, trail)}
}

// firstTab is the address of the first tab; empty for none.
func firstTab(tabs []option) string {
	if len(tabs) == 0 {
		return ""
	}
	return tabs[0].Value
}

// said is a field as it was typed, without spaces around it.
func (v *visit) said(name string) string { return strings.TrimSpace(v.r.PostForm.Get(name)) }

// another is what was typed into a field, when it is not what the thing has; else nil.
func (v *visit) another(name, has string) *string {
	if x := v.said(name); v.r.PostForm.Has(name) && x != has {
		return &x
	}
	return nil
}

// matching has a change done only to the version of the thing that the form was made of; without one to whatever it is.
func (v *visit) matching() []sdk.CallOption {
	n, err := strconv.ParseInt(v.said("version"), 10, 64)
	if err != nil {
		return nil
	}
	return []sdk.CallOption{sdk.IfMatch(n)}
}

// lines are those of a text that hold something.
func lines(text string) (out []string) {
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// checked is the value of a field of the kind "check".
func checked(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// quantity reads an amount as Kubernetes writes it: "1500m", "2Gi". What is none is 0.
func quantity(text string) float64 {
	units := []struct {
		suffix string
		factor float64
	}{
		{"Ki", 1 << 10},
		{"Mi", 1 << 20},
		{"Gi", 1 << 30},
		{"Ti", 1 << 40},
		{"Pi", 1 << 50},
		{"Ei", 1 << 60},
		{"m", 1e-3},
		{"k", 1e3},
		{"M", 1e6},
		{"G", 1e9},
		{"T", 1e12},
		{"P", 1e15},
		{"E", 1e18},
	}
	for _, u := range units {
		if digits, ok := strings.CutSuffix(text, u.suffix); ok {
			n, _ := strconv.ParseFloat(digits, 64)
			return n * u.factor
		}
	}
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

// share is how much of something is used.
type share struct {
	Name, Used, Of string
	Percent        int // of it; -1 when it is not known how much there is
}

func shareOf(name, used, of string) share {
	s := share{Name: name, Used: cmp.Or(used, "0"), Percent: -1}
	if whole := quantity(of); whole > 0 {
		s.Of, s.Percent = of, int(100*quantity(used)/whole)
	}
	return s
}

// mood is the colour of a bar. The numbers beside it say the same.
func (s share) mood() string {
	switch {
	case s.Percent > 100:
		return "bad"
	case s.Percent >= 85:
		return "warn"
	}
	return "good"
}

// bytesText is a size as people say it.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KiB"
	}
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
}
