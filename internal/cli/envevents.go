package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type envEventsOptions struct {
	*shared
	project string
	follow  bool
	after   int64
	all     bool
}

func newEnvEvents(s *shared) *cobra.Command {
	o := &envEventsOptions{shared: s}
	c := &cobra.Command{
		Use: "events NAME", Short: "Show what happened to an environment",
		Long:              `Shows the events of an environment, oldest first. With --follow it goes on as they happen, through restarts of the server, until the environment is gone. With -o json and --follow each event is one line. With --all what Kubernetes noted of its objects is merged in, by time.`,
		Args:              exactly(1),
		ValidArgsFunction: s.completeEnvironments,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.project, "project", defaultProject, "project of the environment")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on as events happen")
	f.BoolVarP(&o.follow, "watch", "w", false, "the same as --follow")
	f.BoolVar(&o.all, "all", false, "with the events of Kubernetes")
	f.Int64Var(&o.after, "after", 0, "only events with a higher seq")
	return c
}

func (o *envEventsOptions) run(ctx context.Context, ref string) error {
	if o.all && (o.follow || o.after != 0) {
		return usageErrorf("--all shows what is there; --follow and --after are of our own events")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	env, err := o.resolve(ctx, client, o.project, ref, true)
	if err != nil {
		return err
	}
	if o.all {
		return o.runAll(ctx, client, env)
	}
	if o.follow {
		return o.runFollow(ctx, client, env)
	}
	events := []sdk.Event{}
	for after := o.after; ; {
		page, err := client.ListEnvironmentEvents(ctx, env.ID, sdk.EventFilter{After: after, Limit: maxPage})
		if err != nil {
			return err
		}
		events = append(events, page.Items...)
		if len(page.Items) < maxPage {
			break
		}
		after = page.NextAfter
	}
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = e.Type
	}
	return o.print(result{value: events, names: names, table: func(wide bool) table {
		t := table{head: []string{"SEQ", "WHEN", "EVENT", "BY", "MESSAGE"}, empty: "no events"}
		for _, e := range events {
			when := relative(o.streams.Now(), e.At)
			if wide {
				when = exact(e.At)
			}
			t.rows = append(t.rows, []cell{plainCell(fmt.Sprint(e.Seq)), plainCell(when), plainCell(e.Type), plainCell(e.Actor), plainCell(e.Message)})
		}
		return t
	}})
}

// runAll shows our events and those of the target in one list.
func (o *envEventsOptions) runAll(ctx context.Context, client *sdk.Client, env sdk.Environment) error {
	found, err := client.ListEnvironmentTimeline(ctx, env.ID, sdk.TimelineFilter{Limit: maxPage})
	if err != nil {
		return err
	}
	return o.print(result{value: found.Items, names: each(found.Items, func(e sdk.TimelineEntry) string { return e.Type }), table: func(wide bool) table {
		t := table{head: []string{"WHEN", "EVENT", "OBJECT", "BY", "MESSAGE"}, empty: "no events"}
		for _, e := range found.Items {
			when, object, what := relative(o.streams.Now(), e.At), "", cell{text: dash(e.Type)}
			if wide {
				when = exact(e.At)
			}
			if e.Object != nil {
				object = strings.ToLower(e.Object.Kind) + "/" + e.Object.Name
			}
			if e.Count > 1 {
				what.text += fmt.Sprintf(" ×%d", e.Count)
			}
			if e.Warning {
				what.colour = yellow
			}
			t.rows = append(t.rows, []cell{plainCell(when), what, plainCell(object), plainCell(e.Actor), plainCell(e.Message)})
		}
		return t
	}})
}

func (o *envEventsOptions) runFollow(ctx context.Context, client *sdk.Client, env sdk.Environment) error {
	for e, err := range client.WatchEvents(ctx, env.ID, o.after) {
		if err != nil {
			return err
		}
		if err := o.printOne(e); err != nil {
			return err
		}
		if e.Type == "environment.terminated" {
			return nil
		}
	}
	return nil
}

func (o *envEventsOptions) printOne(e sdk.Event) error {
	w := o.streams.Out
	switch o.output {
	case "json":
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", data)
		return err
	case "yaml":
		if _, err := fmt.Fprintln(w, "---"); err != nil {
			return err
		}
		return printYAML(w, e)
	case "name":
		_, err := fmt.Fprintln(w, plainText(e.Type))
		return err
	case "wide":
		_, err := fmt.Fprintf(w, "%d  %s  %s  %s  %s\n", e.Seq, exact(e.At), plainText(e.Type), dash(e.Actor), plainText(e.Message))
		return err
	}
	_, err := fmt.Fprintf(w, "%s  %s  %s\n", e.At.Local().Format("15:04:05"), plainText(e.Type), plainText(e.Message))
	return err
}
