package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// environmentRow is an environment as kept. ExpiresAt of a lease that never ends is the greatest number, so that it sorts behind every other.
type environmentRow struct {
	bun.BaseModel `bun:"table:environments"`

	ID               string `bun:"id,pk"`
	Project          string `bun:"project"`
	Name             string `bun:"name"`
	Namespace        string `bun:"namespace"`
	Target           string `bun:"target"`
	Owner            string `bun:"owner"`
	SourceRepository string `bun:"source_repository"`
	SourceRef        string `bun:"source_ref"`
	SourceCommit     string `bun:"source_commit"`
	SourcePath       string `bun:"source_path"`
	RequestKey       string `bun:"request_key"`
	Phase            string `bun:"phase"`
	PhaseSince       int64  `bun:"phase_since"`
	Reason           string `bun:"reason"`
	Message          string `bun:"message"`
	Conditions       string `bun:"conditions"`
	ExpiresAt        int64  `bun:"expires_at"`
	Revision         int    `bun:"revision"`
	Synced           int    `bun:"synced"`
	GitCommit        string `bun:"git_commit"`
	Hosts            string `bun:"hosts"`
	DeadlineAt       int64  `bun:"deadline_at"`
	CreatedAt        int64  `bun:"created_at"`
	UpdatedAt        int64  `bun:"updated_at"`
	TerminatedAt     int64  `bun:"terminated_at"`
	Version          int64  `bun:"version"`
	Search           string `bun:"search"`
	Kind             string `bun:"kind"`
	demandColumns
	Drift       string `bun:"drift"`
	DriftSince  int64  `bun:"drift_since"`
	PinnedBy    string `bun:"pinned_by"`
	LeaseWarned int64  `bun:"lease_warned"`
	Sleep       string `bun:"sleep"`
	Cause       string `bun:"cause"`
	HeldBy      string `bun:"held_by"`
	Restricted  bool   `bun:"restricted"`
	Requests    string `bun:"requests"`
	Labels      string `bun:"labels"`
}

// conditionColumn is one condition in the column of conditions.
type conditionColumn struct {
	Type    blueberry.ConditionType `json:"type"`
	Status  blueberry.Status        `json:"status"`
	Reason  string                  `json:"reason,omitempty"`
	Message string                  `json:"message,omitempty"`
	Since   int64                   `json:"since,omitempty"`
	Code    string                  `json:"code,omitempty"`
}

const neverExpires = math.MaxInt64

func environmentToRow(e blueberry.Environment) (environmentRow, error) {
	conditions := make([]conditionColumn, len(e.Conditions))
	for i, c := range e.Conditions {
		conditions[i] = conditionColumn{c.Type, c.Status, c.Reason, c.Message, micros(c.Since), c.Code}
	}
	cs, err := encode("conditions", conditions)
	if err != nil {
		return environmentRow{}, err
	}
	hosts, err := encode("hosts", e.Hosts)
	if err != nil {
		return environmentRow{}, err
	}
	drift, err := encode("drift policy", e.Drift)
	if err != nil {
		return environmentRow{}, err
	}
	sleep, err := encode("sleep", sleepToColumn(e.Sleep))
	if err != nil {
		return environmentRow{}, err
	}
	requests, err := requestsToColumn(e.Requests)
	if err != nil {
		return environmentRow{}, err
	}
	row := environmentRow{
		ID: e.ID, Project: e.Project, Name: e.Name, Namespace: e.Namespace, Target: e.Target, Owner: clean(e.Owner),
		SourceRepository: clean(e.Source.Repository), SourceRef: clean(e.Source.Ref), SourceCommit: e.Source.Commit, SourcePath: clean(e.Source.Path), RequestKey: clean(e.RequestKey),
		Phase: string(e.Phase), PhaseSince: micros(e.PhaseSince), Reason: clean(e.Reason), Message: clean(e.Message), Conditions: cs,
		ExpiresAt: micros(e.Lease.ExpiresAt), Revision: e.Revision, Synced: e.Synced, GitCommit: e.Commit, Hosts: hosts,
		DeadlineAt: micros(e.DeadlineAt), CreatedAt: micros(e.CreatedAt), UpdatedAt: micros(e.UpdatedAt), TerminatedAt: micros(e.TerminatedAt),
		Version: e.Version,
		Search:  strings.ToLower(clean(e.Name + "\n" + e.Owner + "\n" + e.Source.Repository + labelsToColumn(e.Labels))),
		Kind:    string(e.Kind()), demandColumns: columnsOf(e.Demand), Drift: drift, DriftSince: micros(e.DriftSince),
		PinnedBy: clean(e.Lease.PinnedBy), LeaseWarned: e.Lease.Warned.Microseconds(), Sleep: sleep, Cause: clean(string(e.Cause)), HeldBy: clean(e.HeldBy),
		Restricted: e.Restricted, Requests: requests, Labels: labelsToColumn(e.Labels),
	}
	if row.ExpiresAt == 0 {
		row.ExpiresAt = neverExpires
	}
	return row, nil
}

func (r environmentRow) environment() (blueberry.Environment, error) {
	e := blueberry.Environment{
		ID: r.ID, Project: r.Project, Name: r.Name, Namespace: r.Namespace, Target: r.Target, Owner: r.Owner,
		Source: blueberry.Source{Repository: r.SourceRepository, Ref: r.SourceRef, Commit: r.SourceCommit, Path: r.SourcePath}, RequestKey: r.RequestKey,
		Phase: blueberry.Phase(r.Phase), PhaseSince: timeOf(r.PhaseSince), Reason: r.Reason, Message: r.Message,
		Revision: r.Revision, Synced: r.Synced, Commit: r.GitCommit, DeadlineAt: timeOf(r.DeadlineAt),
		CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), TerminatedAt: timeOf(r.TerminatedAt), Version: r.Version,
		Lease: r.lease(), Demand: r.demand(), DriftSince: timeOf(r.DriftSince),
		Cause: blueberry.CauseCode(r.Cause), HeldBy: r.HeldBy, Restricted: r.Restricted, Labels: labelsOfColumn(r.Labels),
	}
	var sleep sleepColumn
	if err := decode("sleep", r.Sleep, &sleep); err != nil {
		return blueberry.Environment{}, err
	}
	e.Sleep = sleep.sleep()
	var conditions []conditionColumn
	if err := decode("conditions", r.Conditions, &conditions); err != nil {
		return blueberry.Environment{}, err
	}
	for _, c := range conditions {
		e.Conditions = append(e.Conditions, blueberry.Condition{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message, Since: timeOf(c.Since), Code: c.Code})
	}
	if err := decode("drift policy", r.Drift, &e.Drift); err != nil {
		return blueberry.Environment{}, err
	}
	if r.Requests != "" {
		if err := decode("requests", r.Requests, &e.Requests); err != nil {
			return blueberry.Environment{}, err
		}
	}
	return e, decode("hosts", r.Hosts, &e.Hosts)
}

func (r environmentRow) lease() blueberry.Lease {
	if r.ExpiresAt == neverExpires {
		return blueberry.Lease{}
	}
	return blueberry.Lease{ExpiresAt: timeOf(r.ExpiresAt), PinnedBy: r.PinnedBy, Warned: time.Duration(r.LeaseWarned) * time.Microsecond}
}

// InsertEnvironment adds an environment. It is Conflict, with a fault on "name", while an environment that is not terminated holds the project and name
// or the target and namespace, and with a fault on "target" when the target is registered and takes none; NotFound when the project does not exist. It
// keeps the target from being cordoned or removed until the transaction ends.
func (t *Tx) InsertEnvironment(ctx context.Context, e blueberry.Environment) error {
	row, err := environmentToRow(e)
	if err != nil {
		return err
	}
	if err := t.keepTarget(ctx, e.Target); err != nil {
		return err
	}
	// A conflict is no error here, because after an error PostgreSQL answers nothing more in this transaction, and who holds what is to be told.
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if missingReference(err) {
		return blueberry.Errorf(blueberry.NotFound, "PROJECT_NOT_FOUND", "there is no project %q", e.Project)
	}
	n, err := touched("insert environment", res, err)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.environmentConflict(ctx, e)
	}
	if err := t.insertHosts(ctx, e.ID, hostsOf(e)); err != nil {
		return err
	}
	if e.Phase != blueberry.Pending { // that costs nothing yet
		if err := t.keepCost(ctx, e); err != nil {
			return err
		}
	}
	_, err = t.Project(ctx, e.Project) // the row of a deleted one is there; the environment's reference to it keeps others from deleting it from here on
	return err
}

// environmentConflict tells why e cannot be there: the name first, because two environments of one name have one namespace too.
func (t *Tx) environmentConflict(ctx context.Context, e blueberry.Environment) error {
	held := func(where string, args ...any) (bool, error) {
		return t.db.NewSelect().Model((*environmentRow)(nil)).Where("phase <> 'terminated'").Where(where, args...).Exists(ctx)
	}
	name, err := held("project = ? AND name = ?", e.Project, e.Name)
	if err != nil {
		return fmt.Errorf("look for the name: %w", err)
	}
	namespace, err := held("target = ? AND namespace = ?", e.Target, e.Namespace)
	if err != nil {
		return fmt.Errorf("look for the namespace: %w", err)
	}
	var c *blueberry.Error
	switch {
	case name:
		c = blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_NAME_TAKEN", "project %s has an environment %q", e.Project, e.Name)
	case namespace:
		c = blueberry.Errorf(blueberry.Conflict, "NAMESPACE_TAKEN", "the namespace %s of target %s belongs to another environment", e.Namespace, e.Target)
	default: // the id, or what stood in the way has gone since
		return blueberry.Errorf(blueberry.Conflict, "ENVIRONMENT_EXISTS", "the environment %s exists", e.ID)
	}
	c.Fields = []blueberry.Fault{{Field: "name", Code: "taken", Message: c.Detail}}
	return c
}

// Environment reads one by id, or NotFound.
func (t *Tx) Environment(ctx context.Context, id string) (blueberry.Environment, error) {
	var row environmentRow
	err := t.db.NewSelect().Model(&row).Where("id = ?", clean(id)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Environment{}, environmentNotFound(id)
	}
	if err != nil {
		return blueberry.Environment{}, fmt.Errorf("read environment: %w", err)
	}
	return row.environment()
}

func environmentNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "there is no environment %q", id)
}

// UpdateEnvironment writes e if the row's version is still e.Version, else Conflict with code VERSION_MOVED; the row's version then counts up by one.
// The record of its cost goes on with it. A terminated environment uses nothing of the catalogue any more.
func (t *Tx) UpdateEnvironment(ctx context.Context, e blueberry.Environment) error {
	row, err := environmentToRow(e)
	if err != nil {
		return err
	}
	row.Version = e.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("id", "created_at", "restricted").Where("id = ?", e.ID).Where("version = ?", e.Version).Exec(ctx)
	g := guarded{
		label: "environment " + e.Name, version: e.Version,
		there: t.db.NewSelect().Model((*environmentRow)(nil)).Where("id = ?", e.ID), missing: environmentNotFound(e.ID),
	}
	if err := g.check(ctx, "update environment", res, err); err != nil {
		return err
	}
	if err := errors.Join(t.replaceHosts(ctx, e), t.keepCost(ctx, e)); err != nil || e.Phase != blueberry.Terminated {
		return err
	}
	return t.dropUses(ctx, e.ID) // so that what it used may go, and counts of users need not wade through the dead
}

// ClaimDueEnvironments gives the ids of those whose DeadlineAt is earliest and not after now, in any order, and moves their deadline to until: while the work that would move it
// cannot be done, they neither come again at once nor hide others. It does not count as a change of the environment.
func (t *Tx) ClaimDueEnvironments(ctx context.Context, now, until time.Time, limit int) ([]string, error) {
	lock := ""
	if t.store.dialect == Postgres {
		lock = " FOR UPDATE SKIP LOCKED" // another process claims the others
	}
	var ids []string
	err := t.db.NewRaw(`UPDATE environments SET deadline_at = ? WHERE id IN (
		SELECT id FROM environments WHERE deadline_at > 0 AND deadline_at <= ? ORDER BY deadline_at, id LIMIT ?`+lock+`) RETURNING id`,
		micros(until), micros(now), limit).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("claim due environments: %w", err)
	}
	return ids, nil
}

// FindEnvironment gives the id of the environment, not terminated, that holds the namespace on the target; NotFound when there is none.
func (t *Tx) FindEnvironment(ctx context.Context, target, namespace string) (string, error) {
	var id string
	err := t.db.NewSelect().Model((*environmentRow)(nil)).Column("id").
		Where("target = ?", clean(target)).Where("namespace = ?", clean(namespace)).Where("phase <> 'terminated'").Scan(ctx, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "no environment holds the namespace %s of target %s", namespace, target)
	}
	if err != nil {
		return "", fmt.Errorf("find environment: %w", err)
	}
	return id, nil
}

// EnvironmentOfRequest reads the environment that the request with the key has made at or after since, or NotFound.
func (t *Tx) EnvironmentOfRequest(ctx context.Context, key string, since time.Time) (blueberry.Environment, error) {
	var row environmentRow
	err := t.db.NewSelect().Model(&row).Where("request_key = ?", clean(key)).Where("request_key <> ''").Where("created_at >= ?", micros(since)).
		Order("id DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return blueberry.Environment{}, blueberry.Errorf(blueberry.NotFound, "ENVIRONMENT_NOT_FOUND", "no environment was made by this request")
	}
	if err != nil {
		return blueberry.Environment{}, fmt.Errorf("find environment of request: %w", err)
	}
	return row.environment()
}

// LiveEnvironments gives ids of environments of the target that are not terminated, after the id given, in the order of ids.
func (t *Tx) LiveEnvironments(ctx context.Context, target, after string, limit int) ([]string, error) {
	var ids []string
	err := t.db.NewSelect().Model((*environmentRow)(nil)).Column("id").
		Where("target = ?", clean(target)).Where("id > ?", clean(after)).Where("phase <> 'terminated'").
		Order("id").Limit(int64(limit)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("list live environments: %w", err)
	}
	return ids, nil
}

// CountEnvironmentsByPhase counts every environment, those that are terminated too. A phase without any is not in the map.
func (t *Tx) CountEnvironmentsByPhase(ctx context.Context) (map[blueberry.Phase]int, error) {
	var rows []struct {
		Phase string
		N     int
	}
	err := t.db.NewSelect().Model((*environmentRow)(nil)).Column("phase").ColumnExpr("count(*) AS n").Group("phase").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count environments: %w", err)
	}
	out := make(map[blueberry.Phase]int, len(rows))
	for _, r := range rows {
		out[blueberry.Phase(r.Phase)] = r.N
	}
	return out, nil
}
