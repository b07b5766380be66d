package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

// ansi is what moves the cursor or colours the text of a terminal.
var ansi = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]`)

type envLogsOptions struct {
	oneEnvironment
	q            sdk.LogQuery
	since, until string
	times        bool
}

func newEnvLogs(s *shared) *cobra.Command {
	o := &envLogsOptions{oneEnvironment: oneEnvironment{shared: s}}
	c := o.command(&cobra.Command{
		Use: "logs NAME", Short: "Show what the containers of an environment wrote",
		Long: `Shows what containers wrote, those of all pods merged by time. With --follow it goes on, also with pods that come later, and takes up a stream that broke where it broke. Logs of an environment that failed or ended are kept for seven days. With -o json each line is one object, as the container wrote it; else what would colour it or move the cursor is left out.`,
		Example: `  blueberry env logs pr-42 -f
  blueberry env logs pr-42 --component backend --previous --tail 50
  blueberry env logs pr-42 --since 1h --search error`,
	}, o.run)
	f := c.Flags()
	f.StringVar(&o.q.Component, "component", "", "only of this component")
	f.StringVar(&o.q.Pod, "pod", "", "only of this pod")
	f.StringVar(&o.q.Container, "container", "", "only of this container")
	f.StringVar(&o.since, "since", "", "only what is not older: 15m, 2h, or a time as 2026-03-01T12:00:00Z")
	f.StringVar(&o.until, "until", "", "only what is older; as --since")
	f.IntVar(&o.q.Tail, "tail", 0, "only so many of the last lines of each container")
	f.StringVar(&o.q.Search, "search", "", "only lines that hold this text; case does not matter")
	f.BoolVar(&o.q.Previous, "previous", false, "of the last run of the containers that ended")
	f.BoolVarP(&o.q.Follow, "follow", "f", false, "go on as lines are written")
	f.BoolVar(&o.times, "timestamps", false, "with the time of each line")
	return c
}

func (o *envLogsOptions) run(ctx context.Context, args []string) (err error) {
	var m mistakes
	o.q.Since, err = o.moment(o.since)
	m.add(err != nil, "--since: %q is neither a length of time nor a time", o.since)
	o.q.Until, err = o.moment(o.until)
	m.add(err != nil, "--until: %q is neither a length of time nor a time", o.until)
	m.add(o.q.Tail < 0, "--tail is not below 0")
	m.add(o.q.Follow && o.q.Previous, "--follow and --previous cannot be given together: what ended goes on no more")
	m.add(o.output == "yaml" || o.output == "name", "logs are shown as lines or as JSON")
	if err := m.err(); err != nil {
		return err
	}
	client, env, err := o.find(ctx, args[0], true)
	if err != nil {
		return err
	}
	stream, err := client.Logs(ctx, env.ID, o.q)
	if err != nil {
		return err
	}
	defer stream.Close() //nolint:errcheck // it was only read
	for line, err := range stream.Lines(ctx) {
		if err != nil {
			return err
		}
		if err := o.line(line); err != nil {
			return err
		}
	}
	return nil
}

// moment reads a length of time before now, or a time.
func (o *envLogsOptions) moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return o.streams.Now().Add(-d), nil
	}
	return time.Parse(time.RFC3339, text)
}

func (o *envLogsOptions) line(l sdk.LogLine) error {
	if o.output == "json" {
		data, err := json.Marshal(l)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(o.streams.Out, "%s\n", data)
		return err
	}
	head := l.Pod + "/" + l.Container
	if o.q.Pod != "" && o.q.Container != "" {
		head = ""
	}
	if o.times || o.output == "wide" {
		head = l.At.UTC().Format("2006-01-02T15:04:05.000Z") + " " + head
	}
	if head != "" {
		head = plainText(head) + " "
		if o.streams.colours(o.streams.OutTerminal) {
			head = paint(grey, head)
		}
	}
	_, err := fmt.Fprintln(o.streams.Out, head+plainText(ansi.ReplaceAllString(l.Text, "")))
	return err
}
