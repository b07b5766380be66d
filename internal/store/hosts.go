package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type hostRow struct {
	bun.BaseModel `bun:"table:environment_hosts"`

	Host          string `bun:"host,pk"`
	EnvironmentID string `bun:"environment_id,pk"`
}

// hostsOf gives the hosts by which an environment is found, in order: those of a terminated one are others' to have.
func hostsOf(e blueberry.Environment) []string {
	if e.Phase == blueberry.Terminated {
		return nil
	}
	out := make([]string, len(e.Hosts))
	for i, h := range e.Hosts {
		out[i] = hostKey(h)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func hostKey(host string) string { return clean(strings.ToLower(host)) }

func (t *Tx) insertHosts(ctx context.Context, environmentID string, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	rows := make([]hostRow, len(hosts))
	for i, h := range hosts {
		rows[i] = hostRow{Host: h, EnvironmentID: environmentID}
	}
	if _, err := t.db.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("write hosts of environment: %w", err)
	}
	return nil
}

// replaceHosts makes the hosts by which an environment is found those that it has. Nearly always they are: then it only reads. The version before this one
// does not keep them, so the look is at the rows, not at what the environment had.
func (t *Tx) replaceHosts(ctx context.Context, e blueberry.Environment) error {
	var had []string
	err := t.db.NewSelect().Model((*hostRow)(nil)).Column("host").Where("environment_id = ?", e.ID).Scan(ctx, &had)
	if err != nil {
		return fmt.Errorf("read hosts of environment: %w", err)
	}
	has := hostsOf(e)
	gone := slices.DeleteFunc(slices.Clone(had), func(h string) bool { return slices.Contains(has, h) })
	if len(gone) > 0 {
		_, err := t.db.NewDelete().Model((*hostRow)(nil)).Where("environment_id = ?", e.ID).Where("host IN (?)", bun.List(gone)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("delete hosts of environment: %w", err)
		}
	}
	return t.insertHosts(ctx, e.ID, slices.DeleteFunc(has, func(h string) bool { return slices.Contains(had, h) }))
}

// EnvironmentByHost reads the living environment that has the host, whatever its case, or NotFound with code HOST_UNKNOWN. Of several it is the one that was
// made first: nobody takes a host away by asking for it later.
func (t *Tx) EnvironmentByHost(ctx context.Context, host string) (blueberry.Environment, error) {
	var row environmentRow
	err := t.db.NewSelect().Model(&row).ExcludeColumn("search").
		Where("id IN (?)", t.db.NewSelect().Model((*hostRow)(nil)).Column("environment_id").Where("host = ?", hostKey(host))).
		Where("phase <> 'terminated'"). // the version before this one terminates without taking the hosts away
		Order("id").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Environment{}, blueberry.Errorf(blueberry.NotFound, "HOST_UNKNOWN", "no environment has the host %q", host)
	}
	if err != nil {
		return blueberry.Environment{}, fmt.Errorf("find environment of host: %w", err)
	}
	return row.environment()
}
