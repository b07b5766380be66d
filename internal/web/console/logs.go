package console

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/sdk"
)

// logsView is what the containers of one environment wrote.
type logsView struct {
	environmentView
	Lines      []logLine
	Problem    string
	Containers []sdk.Container
	Component  string
	Pod        string
	Search     string
	Previous   bool
	Tail       int
	At         time.Time // of the line that the address names; zero for the newest
	Components []string
}

// logLine is one line with a name of its own on the page.
type logLine struct {
	sdk.LogLine
	ID string
}

// tails are how many lines one may ask for, of each container. The page itself shows no more than shownTail; its script reads the rest.
var tails = []int{100, 500, 2000, 10_000, 100_000}

const (
	shownTail = 500
	around    = time.Minute // of a line that an address names
)

func environmentLogs(v *visit) (page, error) {
	e, err := v.environment("logs")
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	l := logsView{
		environmentView: e, Component: q.Get("component"), Pod: q.Get("pod"), Search: strings.TrimSpace(q.Get("q")), Previous: q.Get("previous") == "yes", Tail: 500,
	}
	for _, n := range tails {
		if q.Get("tail") == strconv.Itoa(n) {
			l.Tail = n
		}
	}
	if l.At, err = time.Parse(time.RFC3339Nano, q.Get("at")); err != nil {
		l.At = time.Time{}
	}
	l.Containers, l.Problem = v.containers(e)
	seen := map[string]bool{}
	for _, c := range l.Containers {
		if c.Component != "" && !seen[c.Component] {
			seen[c.Component] = true
			l.Components = append(l.Components, c.Component)
		}
	}
	ask := sdk.LogQuery{Component: l.Component, Pod: l.Pod, Search: l.Search, Previous: l.Previous, Tail: min(l.Tail, shownTail)}
	if !l.At.IsZero() {
		ask.Since, ask.Until, ask.Tail = l.At.Add(-around), l.At.Add(around), 0
	}
	if l.Problem == "" { // who does not tell the containers does not tell their lines: the script asks again
		lines, err := v.lines(e.ID, ask)
		if err != nil {
			l.Problem = problemText(err)
		}
		l.Lines = named(nearest(lines, l.At))
	}
	p := e.page("Logs", page{Body: logsBody(l)})
	p.Watch = interest{} // its script follows what is written; made anew, the page would lose it
	return p, nil
}

// nearest keeps the newest of many lines, or those about a time.
func nearest(lines []sdk.LogLine, at time.Time) []sdk.LogLine {
	const most = 2 * shownTail
	if len(lines) <= most {
		return lines
	}
	from := len(lines) - most
	if !at.IsZero() {
		i := slices.IndexFunc(lines, func(l sdk.LogLine) bool { return !l.At.Before(at) })
		if i < 0 {
			i = len(lines)
		}
		from = min(max(0, i-most/2), len(lines)-most)
	}
	return lines[from : from+most]
}

// named gives each line the name that its address has. The script makes the same names: time, pod and container, and a number for what was written in the same instant.
func named(lines []sdk.LogLine) []logLine {
	out := make([]logLine, len(lines))
	last, again := "", 1
	for i, l := range lines {
		name := "l-" + momentOf(l.At) + "-" + l.Pod + "-" + l.Container
		if name == last {
			again++
			out[i] = logLine{l, name + "-" + strconv.Itoa(again)}
			continue
		}
		last, again = name, 1
		out[i] = logLine{l, name}
	}
	return out
}

// momentOf is a time to the nanosecond, always of the same length.
func momentOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// query is what the page reads, as a call of the API has it.
func (l logsView) query(more ...string) string {
	q := url.Values{}
	for name, value := range map[string]string{"component": l.Component, "pod": l.Pod, "q": l.Search} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if l.Previous {
		q.Set("previous", "true")
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/v1/environments/" + l.ID + "/logs?" + q.Encode()
}

// stream is what the script reads.
func (l logsView) stream() string {
	more := []string{"tail", strconv.Itoa(l.Tail)}
	if !l.Previous {
		more = append(more, "follow", "true")
	}
	return l.query(more...)
}

// lineHref is the address of one line.
func (l logsView) lineHref(x logLine) string {
	q := url.Values{"at": {momentOf(x.At)}}
	for name, value := range map[string]string{"component": l.Component, "pod": l.Pod} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if l.Previous {
		q.Set("previous", "yes")
	}
	return "?" + q.Encode() + "#" + url.PathEscape(x.ID)
}

// command is the same in the CLI.
func (l logsView) command() string {
	c := "blueberry env logs " + l.ID
	for _, f := range [][2]string{{"component", l.Component}, {"pod", l.Pod}, {"search", l.Search}} {
		if f[1] != "" {
			c += " --" + f[0] + " " + shellQuoted(f[1])
		}
	}
	if l.Previous {
		return c + " --previous"
	}
	return c + " --follow --tail " + strconv.Itoa(l.Tail)
}

// lines reads what was written until now.
func (v *visit) lines(id string, q sdk.LogQuery) (lines []sdk.LogLine, err error) {
	stream, err := v.api.Logs(v.ctx, id, q)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	for line, err := range stream.Lines(v.ctx) {
		if err != nil {
			return lines, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}
