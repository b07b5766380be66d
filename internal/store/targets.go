package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// targetRow is a target as kept. The kubeconfigs are sealed by whoever writes them. The row of a removed one stays: Removed says so, and nobody is told of
// it.
type targetRow struct {
	bun.BaseModel `bun:"table:targets,alias:targets"`

	Name               string `bun:"name,pk"`
	Driver             string `bun:"driver"`
	Domain             string `bun:"domain"`
	Region             string `bun:"region"`
	State              string `bun:"state"`
	Reason             string `bun:"reason"`
	Kubeconfig         []byte `bun:"kubeconfig"`
	KubeconfigFile     string `bun:"kubeconfig_file"`
	Context            string `bun:"context"`
	ArgoNamespace      string `bun:"argo_namespace"`
	ArgoKubeconfig     []byte `bun:"argo_kubeconfig"`
	ArgoKubeconfigFile string `bun:"argo_kubeconfig_file"`
	ArgoRepository     string `bun:"argo_repository"`
	ArgoDestination    string `bun:"argo_destination"`
	Gateway            string `bun:"gateway"`
	Capacity           string `bun:"capacity"`
	Configured         bool   `bun:"configured"`
	CreatedAt          int64  `bun:"created_at"`
	UpdatedAt          int64  `bun:"updated_at"`
	Version            int64  `bun:"version"`
	Removed            bool   `bun:"removed"`
}

func targetToRow(t blueberry.Target) (targetRow, error) {
	row := targetRow{
		Name: clean(t.Name), Driver: clean(t.Driver), Domain: clean(t.Domain), Region: clean(t.Region), State: clean(string(t.State)), Reason: clean(t.Reason),
		Kubeconfig: t.Kubeconfig, KubeconfigFile: clean(t.KubeconfigFile), Context: clean(t.Context),
		ArgoNamespace: clean(t.Argo.Namespace), ArgoKubeconfig: t.Argo.Kubeconfig, ArgoKubeconfigFile: clean(t.Argo.KubeconfigFile),
		ArgoRepository: clean(t.Argo.Repository), ArgoDestination: clean(t.Argo.Destination), Gateway: clean(t.Gateway), Configured: t.Configured,
		CreatedAt: micros(t.CreatedAt), UpdatedAt: micros(t.UpdatedAt), Version: max(1, t.Version),
	}
	if row.State == "" {
		row.State = string(blueberry.TargetActive)
	}
	if len(row.Kubeconfig) == 0 {
		row.Kubeconfig = nil // one form of none, so that rows can be compared
	}
	if len(row.ArgoKubeconfig) == 0 {
		row.ArgoKubeconfig = nil
	}
	if t.Capacity == nil {
		return row, nil
	}
	var err error
	row.Capacity, err = encode("capacity", t.Capacity)
	return row, err
}

func (r targetRow) target() (blueberry.Target, error) {
	t := blueberry.Target{
		Name: r.Name, Driver: r.Driver, Domain: r.Domain, Region: r.Region, State: blueberry.TargetState(r.State), Reason: r.Reason,
		Kubeconfig: r.Kubeconfig, KubeconfigFile: r.KubeconfigFile, Context: r.Context,
		Argo: blueberry.ArgoSettings{
			Namespace: r.ArgoNamespace, Kubeconfig: r.ArgoKubeconfig, KubeconfigFile: r.ArgoKubeconfigFile, Repository: r.ArgoRepository, Destination: r.ArgoDestination,
		},
		Gateway: r.Gateway, Configured: r.Configured, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt), Version: r.Version,
	}
	if r.Capacity == "" {
		return t, nil
	}
	return t, decode("capacity", r.Capacity, &t.Capacity)
}

// configuredBy gives the row with what the server's configuration says of it in c; the rest stays.
func (r targetRow) configuredBy(c targetRow) targetRow {
	r.Driver, r.Domain, r.Kubeconfig, r.KubeconfigFile, r.Context, r.Gateway, r.Configured = c.Driver, c.Domain, c.Kubeconfig, c.KubeconfigFile, c.Context, c.Gateway, c.Configured
	r.ArgoNamespace, r.ArgoKubeconfig, r.ArgoKubeconfigFile = c.ArgoNamespace, c.ArgoKubeconfig, c.ArgoKubeconfigFile
	r.ArgoRepository, r.ArgoDestination = c.ArgoRepository, c.ArgoDestination
	return r
}

func targetNotFound(name string) error {
	return blueberry.Errorf(blueberry.NotFound, "TARGET_NOT_FOUND", "there is no target %q", name)
}

// PutTarget adds a target of the server's configuration, or writes anew what the configuration says of it: driver, domain, kubeconfig, context, settings of
// Argo CD and gateway. Region, state, reason and capacity of one that is there stay. One that says nothing new is not written, and no epoch moves.
func (t *Tx) PutTarget(ctx context.Context, x blueberry.Target) error {
	row, err := targetToRow(x)
	if err != nil {
		return err
	}
	if made, err := t.insertTarget(ctx, row); err != nil || made {
		return err
	}
	was, err := t.readTarget(ctx, x.Name, "NO KEY UPDATE")
	if err != nil {
		return err
	}
	next := was.configuredBy(row)
	if reflect.DeepEqual(next, was) {
		return nil
	}
	next.UpdatedAt, next.Version = row.UpdatedAt, was.Version+1
	if _, err := t.db.NewUpdate().Model(&next).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("write target: %w", err)
	}
	return t.bumpTargets(ctx)
}

// InsertTarget adds one, at version 1, or above that of a removed one that had its name; Conflict with code TARGET_EXISTS and a fault on "name".
func (t *Tx) InsertTarget(ctx context.Context, x blueberry.Target) error {
	row, err := targetToRow(x)
	if err != nil {
		return err
	}
	made, err := t.insertTarget(ctx, row)
	if err == nil && !made {
		return nameTaken("TARGET_EXISTS", "target "+x.Name)
	}
	return err
}

// insertTarget adds one unless its name is taken, and tells whether it did.
func (t *Tx) insertTarget(ctx context.Context, row targetRow) (bool, error) {
	insert := t.db.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").Set("version = targets.version + 1").Where("targets.removed")
	for _, column := range []string{
		"driver", "domain", "region", "state", "reason", "kubeconfig", "kubeconfig_file", "context", "argo_namespace", "argo_kubeconfig", "argo_kubeconfig_file",
		"argo_repository", "argo_destination", "gateway", "capacity", "configured", "created_at", "updated_at", "removed",
	} {
		insert = insert.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	res, err := insert.Exec(ctx)
	n, err := touched("insert target", res, err)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.bumpTargets(ctx)
}

// Target reads one, or NotFound with code TARGET_NOT_FOUND. Its kubeconfigs are sealed.
func (t *Tx) Target(ctx context.Context, name string) (blueberry.Target, error) {
	row, err := t.readTarget(ctx, name, "")
	if err != nil {
		return blueberry.Target{}, err
	}
	return row.target()
}

// LockTarget reads a target, or NotFound, and keeps others from adding environments to it, and from changing it, until this transaction ends. Environments
// that others have just added are seen by the reads that follow.
func (t *Tx) LockTarget(ctx context.Context, name string) (blueberry.Target, error) {
	if t.readOnly {
		return blueberry.Target{}, errReadOnly
	}
	row, err := t.readTarget(ctx, name, "NO KEY UPDATE")
	if err != nil {
		return blueberry.Target{}, err
	}
	return row.target()
}

func (t *Tx) readTarget(ctx context.Context, name, lock string) (targetRow, error) {
	return one[targetRow](ctx, t, "target", targetNotFound(name), func(s *bun.SelectQuery) *bun.SelectQuery {
		return t.locking(s.Where("name = ?", clean(name)).Where("NOT removed"), lock)
	})
}

// Targets reads all, by name. Their kubeconfigs are sealed.
func (t *Tx) Targets(ctx context.Context) ([]blueberry.Target, error) {
	rows, err := many[targetRow](ctx, t, "targets", func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("NOT removed") })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b targetRow) int { return strings.Compare(a.Name, b.Name) }) // here, so that both databases give one order
	return nouns(rows, targetRow.target)
}

// UpdateTarget writes x if the row's version is still x.Version, else Conflict with code VERSION_MOVED; the version then counts up by one.
func (t *Tx) UpdateTarget(ctx context.Context, x blueberry.Target) error {
	row, err := targetToRow(x)
	if err != nil {
		return err
	}
	row.Version = x.Version + 1
	res, err := t.db.NewUpdate().Model(&row).ExcludeColumn("name", "created_at").Where("name = ?", row.Name).Where("version = ?", x.Version).Where("NOT removed").Exec(ctx)
	if err := t.targetGuard(x.Name, x.Version).check(ctx, "update target", res, err); err != nil {
		return err
	}
	return t.bumpTargets(ctx)
}

func (t *Tx) targetGuard(name string, version int64) guarded {
	return guarded{
		label: "target " + name, version: version,
		there: t.db.NewSelect().Model((*targetRow)(nil)).Where("name = ?", clean(name)).Where("NOT removed"), missing: targetNotFound(name),
	}
}

// DeleteTarget removes one with its kubeconfigs; Conflict with code TARGET_IN_USE, with a fault for each of up to 20, while environments that are not terminated are on it, or
// NotFound. It waits for everyone who is adding an environment to it. Its orphans are forgotten: nobody looks for them any more.
func (t *Tx) DeleteTarget(ctx context.Context, name string) error {
	if t.readOnly {
		return errReadOnly
	}
	name = clean(name)
	if _, err := t.readTarget(ctx, name, "UPDATE"); err != nil {
		return err
	}
	count, err := t.db.NewSelect().Model((*environmentRow)(nil)).Where("target = ?", name).Where("phase <> 'terminated'").Count(ctx)
	if err != nil {
		return fmt.Errorf("count environments of target: %w", err)
	}
	if count > 0 {
		return t.targetInUse(ctx, name, int(count))
	}
	if _, err := t.db.NewDelete().Model((*orphanRow)(nil)).Where("target = ?", name).Exec(ctx); err != nil {
		return fmt.Errorf("delete orphans of target: %w", err)
	}
	_, err = t.db.NewUpdate().Model((*targetRow)(nil)).Set("removed = ?", true).Set("kubeconfig = NULL").Set("argo_kubeconfig = NULL").
		Where("name = ?", name).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete target: %w", err)
	}
	return t.bumpTargets(ctx)
}

func (t *Tx) targetInUse(ctx context.Context, name string, count int) error {
	living, err := many[environmentRow](ctx, t, "environments of target", func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Column("id", "project", "name", "phase").Where("target = ?", name).Where("phase <> 'terminated'").Order("id").Limit(inUseFaults)
	})
	if err != nil {
		return err
	}
	e := blueberry.Errorf(blueberry.Conflict, "TARGET_IN_USE", "target %s holds %d environments that are not terminated", name, count)
	for _, x := range living {
		e.Fields = append(e.Fields, blueberry.Fault{Field: "environments", Code: "in_use", Message: fmt.Sprintf("%s/%s (%s) is %s", x.Project, x.Name, x.ID, x.Phase)})
	}
	return e
}

// keepTarget keeps a target from being cordoned or removed until this transaction ends. One that takes no environments is Conflict with code
// TARGET_CORDONED and a fault on "target", one that was removed NotFound. One that was never registered is nobody's to keep: the version before this one
// knows its targets from its configuration.
func (t *Tx) keepTarget(ctx context.Context, name string) error {
	var row targetRow
	err := t.locking(t.db.NewSelect().Model(&row).Column("state", "reason", "removed").Where("name = ?", clean(name)), "SHARE").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read target: %w", err)
	}
	if row.Removed {
		return targetNotFound(name)
	}
	if (blueberry.Target{State: blueberry.TargetState(row.State)}).Takes() {
		return nil
	}
	e := blueberry.Errorf(blueberry.Conflict, "TARGET_CORDONED", "target %s is %s and takes no new environments", name, row.State)
	if row.Reason != "" {
		e.Detail += ": " + row.Reason
	}
	e.Fields = []blueberry.Fault{{Field: "target", Code: "cordoned", Message: e.Detail}}
	return e
}

type targetsEpochRow struct {
	bun.BaseModel `bun:"table:targets_epoch"`

	ID    int64 `bun:"id,pk"`
	Epoch int64 `bun:"epoch"`
}

func (t *Tx) bumpTargets(ctx context.Context) error {
	if _, err := t.db.NewUpdate().Model((*targetsEpochRow)(nil)).Set("epoch = epoch + 1").Where("id = 1").Exec(ctx); err != nil {
		return fmt.Errorf("bump targets epoch: %w", err)
	}
	return nil
}

// TargetsEpoch counts the writes of targets.
func (t *Tx) TargetsEpoch(ctx context.Context) (int64, error) {
	row := targetsEpochRow{ID: 1}
	if err := t.db.NewSelect().Model(&row).WherePK().Scan(ctx); err != nil {
		return 0, fmt.Errorf("read targets epoch: %w", err)
	}
	return row.Epoch, nil
}
