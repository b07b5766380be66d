package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/store"
	"github.com/blueberry-idp/blueberry/internal/store/storetest"
)

func ciReport(id, repositoryID, commit, pipeline string) blueberry.CIReport {
	return blueberry.CIReport{
		ID: id, RepositoryID: repositoryID, Project: blueberry.DefaultProject, Commit: commit, Pipeline: pipeline, Branch: "main", CreatedAt: start, UpdatedAt: start, Version: 1,
		Run: blueberry.CIRun{ID: "1"},
	}
}

func scanException(id, project, repositoryID string, until time.Time) blueberry.ScanException {
	return blueberry.ScanException{ID: id, Project: project, RepositoryID: repositoryID, Finding: "CVE-1", Reason: "r", Until: until, CreatedBy: "ada", CreatedAt: start}
}

// fillCI puts a row into each table of CI.
func fillCI(ctx context.Context, tx *store.Tx) error {
	return errors.Join(tx.InsertCIReport(ctx, ciReport("cir_1", "rep_1", strings.Repeat("a", 40), "ci")),
		tx.InsertScanException(ctx, scanException("sxc_1", blueberry.DefaultProject, "rep_1", start.Add(time.Hour))))
}

func TestCIReportsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.CIReport](1)
	full.RepositoryID, full.Version = "rep_1", 1
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		roundTrip(full, func(ctx context.Context, tx *store.Tx, r blueberry.CIReport) error { return tx.InsertCIReport(ctx, r) },
			func(ctx context.Context, tx *store.Tx) (blueberry.CIReport, error) { return tx.CIReport(ctx, full.ID) }, func(*blueberry.CIReport) {})(t, s)
		found := view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CIReport, error) {
			return tx.FindCIReport(ctx, "rep_1", full.Commit, full.Pipeline)
		})
		if d := cmp.Diff(full, found); d != "" {
			t.Errorf("found:\n%s", d)
		}
		bare := whole[blueberry.CIReport](1)
		bare.RepositoryID, bare.Version = "rep_1", 1
		for i := range bare.Tests {
			bare.Tests[i].Failures = nil
		}
		for i := range bare.Scans {
			bare.Scans[i].Findings, bare.Lints[i].Findings = nil, nil
		}
		listed := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.CIReport, error) {
			return tx.CIReports(ctx, blueberry.CIQuery{RepositoryID: "rep_1", Commit: full.Commit, Branch: full.Branch, Pipeline: full.Pipeline, Projects: []string{full.Project}})
		})
		if d := cmp.Diff([]blueberry.CIReport{bare}, listed); d != "" {
			t.Errorf("in a list:\n%s", d)
		}

		again := ciReport("cir_again", "rep_1", full.Commit, full.Pipeline)
		insert := func(r blueberry.CIReport) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertCIReport(ctx, r) })
		}
		wantCode(t, "a second one of the commit and the pipeline", insert(again), blueberry.Conflict, "CI_REPORT_EXISTS")
		again.RepositoryID = "rep_2"
		if err := insert(again); err != nil {
			t.Errorf("the same of another repository: %v", err)
		}
		again.ID, again.RepositoryID = "cir_none", "rep_none"
		wantCode(t, "of no repository", insert(again), blueberry.NotFound, "REPOSITORY_NOT_FOUND")
		_, err := tryView(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CIReport, error) {
			return tx.CIReport(ctx, "cir_none")
		})
		wantCode(t, "none", err, blueberry.NotFound, "CI_REPORT_NOT_FOUND")

		change := full
		change.Branch, change.Images, change.UpdatedAt = "other", nil, start.Add(time.Hour)
		write := func(r blueberry.CIReport) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.UpdateCIReport(ctx, r) })
		}
		if err := write(change); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "a version that has moved", write(change), blueberry.Conflict, "VERSION_MOVED")
		change.Version = 2
		if d := cmp.Diff(change, view(t, s, func(ctx context.Context, tx *store.Tx) (blueberry.CIReport, error) { return tx.CIReport(ctx, full.ID) })); d != "" {
			t.Errorf("changed:\n%s", d)
		}
	})
}

func TestCIReportsOfACommit(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("ab", 20), strings.Repeat("ab", 19)+"ff"
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertCIReport(ctx, ciReport("cir_1", "rep_1", a, "ci")), tx.InsertCIReport(ctx, ciReport("cir_2", "rep_1", a, "build")),
				tx.InsertCIReport(ctx, ciReport("cir_3", "rep_2", a, "ci")))
		})
		ids := func(commit string) string {
			var out []string
			for _, r := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.CIReport, error) {
				return tx.CIReportsOf(ctx, "rep_1", commit)
			}) {
				out = append(out, r.ID)
			}
			return strings.Join(out, " ")
		}
		for commit, want := range map[string]string{a: "cir_2 cir_1", a[:12]: "cir_2 cir_1", a[:11]: "", b: "", "": ""} {
			if got := ids(commit); got != want {
				t.Errorf("of %q: %q, want %q", commit, got, want)
			}
		}
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertCIReport(ctx, ciReport("cir_4", "rep_1", b, "ci"))
		})
		if got := ids(a[:12]); got != "" {
			t.Errorf("of digits that two commits begin with: %q", got)
		}

		p, other, closed := pull("pul_1", "rep_1", 1), pull("pul_2", "rep_1", 2), pull("pul_3", "rep_1", 3)
		p.State, p.HeadCommit = blueberry.PullOpen, a
		other.State, other.HeadCommit = blueberry.PullOpen, a[:12]
		closed.State, closed.HeadCommit = blueberry.PullClosed, a
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertPull(ctx, p), tx.InsertPull(ctx, other), tx.InsertPull(ctx, closed))
		})
		pulls := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.PullRequest, error) {
			return tx.PullsAt(ctx, "rep_1", a)
		})
		if len(pulls) != 2 || pulls[0].ID != "pul_1" || pulls[1].ID != "pul_2" {
			t.Errorf("the pull requests at the commit are %+v", pulls)
		}
	})
}

func TestScanExceptions(t *testing.T) {
	t.Parallel()
	full := whole[blueberry.ScanException](1)
	full.Project = blueberry.DefaultProject
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		roundTrip(full, func(ctx context.Context, tx *store.Tx, x blueberry.ScanException) error {
			return tx.InsertScanException(ctx, x)
		},
			func(ctx context.Context, tx *store.Tx) (blueberry.ScanException, error) {
				return tx.ScanException(ctx, full.ID)
			}, func(*blueberry.ScanException) {})(t, s)
		remove := func(id string) error {
			return tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.DeleteScanException(ctx, id) })
		}
		if err := remove(full.ID); err != nil {
			t.Error(err)
		}
		wantCode(t, "removed twice", remove(full.ID), blueberry.NotFound, "SCAN_EXCEPTION_NOT_FOUND")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertScanException(ctx, scanException("sxc_1", blueberry.DefaultProject, "", start.Add(time.Hour))),
				tx.InsertScanException(ctx, scanException("sxc_2", blueberry.DefaultProject, "rep_1", start)),
				tx.InsertScanException(ctx, scanException("sxc_3", blueberry.DefaultProject, "rep_2", start.Add(time.Hour))))
		})
		ids := func(q blueberry.ScanExceptionQuery) string {
			var out []string
			for _, x := range view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.ScanException, error) {
				return tx.ScanExceptions(ctx, q)
			}) {
				out = append(out, x.ID)
			}
			return strings.Join(out, " ")
		}
		for name, c := range map[string]struct {
			q    blueberry.ScanExceptionQuery
			want string
		}{
			"all":               {blueberry.ScanExceptionQuery{}, "sxc_3 sxc_2 sxc_1"},
			"of a repository":   {blueberry.ScanExceptionQuery{RepositoryID: "rep_1"}, "sxc_2 sxc_1"},
			"that count":        {blueberry.ScanExceptionQuery{RepositoryID: "rep_1", Live: start}, "sxc_1"},
			"of other projects": {blueberry.ScanExceptionQuery{Projects: []string{"other"}}, ""},
			"a page":            {blueberry.ScanExceptionQuery{Before: "sxc_3", Limit: 1}, "sxc_2"},
		} {
			if got := ids(c.q); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		if n := view(t, s, func(ctx context.Context, tx *store.Tx) (int, error) {
			return tx.CountScanExceptions(ctx, blueberry.DefaultProject, start)
		}); n != 2 {
			t.Errorf("%d count", n)
		}
		wantCode(t, "of no project", tryUpdate(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.InsertScanException(ctx, scanException("sxc_9", "none", "", start))
		}), blueberry.NotFound, "PROJECT_NOT_FOUND")
	})
}

// TestWhatGoesWithARepository: reports and exceptions of their own go with it; so does what is kept long enough.
func TestWhatGoesWithARepository(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		addRepositories(t, s, "rep_1", "rep_2")
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			old := ciReport("cir_old", "rep_2", strings.Repeat("b", 40), "ci")
			old.UpdatedAt = start.Add(-time.Hour)
			beside := ciReport("cir_beside", "rep_2", strings.Repeat("a", 40), "other") // of a commit that is still reported on
			beside.UpdatedAt = old.UpdatedAt
			return errors.Join(fillCI(ctx, tx), tx.InsertCIReport(ctx, beside), tx.InsertCIReport(ctx, old), tx.InsertCIReport(ctx, ciReport("cir_2", "rep_2", strings.Repeat("a", 40), "ci")),
				tx.InsertScanException(ctx, scanException("sxc_old", blueberry.DefaultProject, "", start.Add(-time.Hour))))
		})
		update(t, s, func(ctx context.Context, tx *store.Tx) error {
			n, err := tx.PurgeCIReports(ctx, start, 10)
			m, err2 := tx.PurgeScanExceptions(ctx, start, 10)
			if n != 1 || m != 1 {
				t.Errorf("%d reports and %d exceptions are purged", n, m)
			}
			return errors.Join(err, err2, tx.DeleteRepository(ctx, "rep_1"))
		})
		reports := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.CIReport, error) {
			return tx.CIReports(ctx, blueberry.CIQuery{})
		})
		exceptions := view(t, s, func(ctx context.Context, tx *store.Tx) ([]blueberry.ScanException, error) {
			return tx.ScanExceptions(ctx, blueberry.ScanExceptionQuery{})
		})
		if len(reports) != 2 || reports[0].ID != "cir_beside" || reports[1].ID != "cir_2" || len(exceptions) != 0 {
			t.Errorf("what is left: %+v, %+v", reports, exceptions)
		}
	})
}
