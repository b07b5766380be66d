package console

import (
	"errors"
	"strconv"
	"strings"

	"github.com/blueberry-idp/blueberry/sdk"
)

// logsView is what the containers of one environment wrote.
type logsView struct {
	environmentView
	Lines      []sdk.LogLine
	Problem    string
	Containers []sdk.Container
	Component  string
	Pod        string
	Search     string
	Previous   bool
	Tail       int
	Components []string
}

// tails are how many lines one may ask for, of each container.
var tails = []int{100, 500, 2000}

func environmentLogs(v *visit) (page, error) {
	e, err := v.environment("logs")
	if err != nil {
		return page{}, err
	}
	q := v.r.URL.Query()
	l := logsView{
		environmentView: e, Component: q.Get("component"), Pod: q.Get("pod"), Search: strings.TrimSpace(q.Get("q")), Previous: q.Get("previous") == "yes", Tail: tails[0],
	}
	for _, n := range tails {
		if q.Get("tail") == strconv.Itoa(n) {
			l.Tail = n
		}
	}
	if list, err := v.api.ListEnvironmentContainers(v.ctx, e.ID); err == nil {
		l.Containers = list.Items
	}
	seen := map[string]bool{}
	for _, c := range l.Containers {
		if c.Component != "" && !seen[c.Component] {
			seen[c.Component] = true
			l.Components = append(l.Components, c.Component)
		}
	}
	l.Lines, err = v.lines(e.ID, sdk.LogQuery{Component: l.Component, Pod: l.Pod, Search: l.Search, Previous: l.Previous, Tail: l.Tail})
	if err != nil {
		l.Problem = problemText(err)
	}
	p := e.page("Logs", page{Body: logsBody(l)})
	p.Watch = interest{} // reading them again and again would cost the target much
	return p, nil
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
