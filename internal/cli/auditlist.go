package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/blueberry-idp/blueberry/sdk"
)

type auditListOptions struct {
	*shared
	limitFlags
	auditFlags
}

func newAuditList(s *shared) *cobra.Command {
	o := &auditListOptions{shared: s}
	c := &cobra.Command{
		Use: "list", Short: "List who did what", Aliases: []string{"ls"},
		Long: `Lists the audit, newest first: every change, and everything that was refused. Entries older than 90 days are in the archive, and are found too.`,
		Example: `  blueberry audit list --actor ada@example.com --since 7d
  blueberry audit list --result denied --project shop
  blueberry audit list --action environments: --since 2026-01-01T00:00:00Z -o json`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.limitFlags.flags(c.Flags())
	o.auditFlags.flags(c)
	return c
}

func (o *auditListOptions) run(ctx context.Context) error {
	var wrong mistakes
	wrong.check(o.limitFlags.check())
	filter, err := o.filter(o.streams.Now())
	wrong.check(err)
	if err := wrong.err(); err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	filter.Limit = o.page()
	entries, err := take(o.shared, o.limitFlags, client.AllAuditEntries(ctx, filter))
	if err != nil {
		return err
	}
	return o.print(result{value: entries, names: each(entries, func(e sdk.AuditEntry) string { return e.ID }), table: func(wide bool) table {
		t := table{head: []string{"AT", "WHO", "ACTION", "PROJECT", "RESOURCE", "RESULT", "DETAIL"}, empty: "no entries"}
		if wide {
			t.head = []string{"AT", "SEQ", "WHO", "KIND", "FOR", "ACTION", "PROJECT", "RESOURCE", "RESULT", "ADDRESS", "REQUEST", "ID", "DETAIL"}
		}
		for _, e := range entries {
			at, action, project, resource := plainCell(o.when(e.At, wide)), plainCell(e.Action), plainCell(e.Project), plainCell(e.Resource)
			who, how, detail := plainCell(first(e.Actor.Name, e.Actor.ID)), auditResult(e.Result), plainCell(e.Detail)
			if !wide {
				t.rows = append(t.rows, []cell{at, who, action, project, resource, how, detail})
				continue
			}
			t.rows = append(t.rows, []cell{
				at, plainCell(strconv.FormatInt(e.Seq, 10)), who, plainCell(e.Actor.Kind), plainCell(e.Actor.OnBehalfOf), action, project, resource, how,
				plainCell(e.Address), plainCell(e.RequestID), plainCell(e.ID), detail,
			})
		}
		return t
	}})
}

func auditResult(result string) cell {
	c := plainCell(result)
	switch result {
	case "denied":
		c.colour = red
	case "failed":
		c.colour = yellow
	}
	return c
}

// auditFlags say which entries of the audit are wanted.
type auditFlags struct {
	f            sdk.AuditFilter
	since, until string
}

func (a *auditFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.f.Actor, "actor", "", "only by this actor: address, name or id")
	f.StringVar(&a.f.Action, "action", "", "only this action, as environments:create, or all that begin with it, as environments:")
	f.StringVar(&a.f.Resource, "resource", "", "only on this, by id or name")
	f.StringVar(&a.f.Project, "project", "", "only in this project")
	f.StringVar(&a.f.Result, "result", "", "only with this result: succeeded, denied or failed")
	f.StringVar(&a.f.Search, "search", "", "only with this text")
	f.StringVar(&a.f.Request, "request", "", "only of this request, by its id")
	f.StringVar(&a.since, "since", "", "only from then on: a time as 2026-01-02T15:04:05Z, a day as 2026-01-02, or how long ago as 24h or 7d")
	f.StringVar(&a.until, "until", "", "only before then, in the same forms")
	must(c.RegisterFlagCompletionFunc("result", cobra.FixedCompletions([]string{"succeeded", "denied", "failed"}, cobra.ShellCompDirectiveNoFileComp)))
}

func (a *auditFlags) filter(now time.Time) (sdk.AuditFilter, error) {
	var wrong mistakes
	var err error
	f := a.f
	f.From, err = parseMoment(now, a.since)
	wrong.add(err != nil, "--since: %v", err)
	f.To, err = parseMoment(now, a.until)
	wrong.add(err != nil, "--until: %v", err)
	wrong.add(!f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To), "--since must be before --until")
	return f, wrong.err()
}

// parseMoment reads a point in time, or how long ago it was. Nothing is no point.
func parseMoment(now time.Time, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	hours, err := parseHours(text)
	if err != nil || hours < 0 {
		return time.Time{}, fmt.Errorf("%q is no time: give 2026-01-02T15:04:05Z, 2026-01-02, 24h or 7d", text)
	}
	return now.Add(-time.Duration(hours) * time.Hour), nil
}
