package source

import (
	"context"
	"fmt"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CIReports reads one page of reports without findings and failures, the newest first. An empty project means all that the actor may see.
func (s *Repositories) CIReports(ctx context.Context, actor blueberry.Actor, project string, q blueberry.CIQuery) ([]blueberry.CIReport, error) {
	in, err := within(actor, project, blueberry.GrantRepositoriesRead)
	if err != nil {
		return nil, err
	}
	q.Projects = in
	return view(ctx, s, func(tx Tx) ([]blueberry.CIReport, error) { return tx.CIReports(ctx, q) })
}

// CIReport reads one with all its parts.
func (s *Repositories) CIReport(ctx context.Context, actor blueberry.Actor, id string) (blueberry.CIReport, error) {
	return view(ctx, s, func(tx Tx) (blueberry.CIReport, error) {
		r, err := tx.CIReport(ctx, id)
		if err != nil {
			return r, err
		}
		return r, actor.CanOn(r.Project, blueberry.GrantRepositoriesRead, blueberry.Errorf(blueberry.NotFound, "CI_REPORT_NOT_FOUND", "there is no CI report %q", id))
	})
}

// CIOf tells what CI says of the commit of a pull request, which the actor may read.
func (s *Repositories) CIOf(ctx context.Context, p blueberry.PullRequest) (CIStanding, error) {
	return view(ctx, s, func(tx Tx) (CIStanding, error) {
		r, err := tx.Repository(ctx, p.RepositoryID)
		if err != nil {
			return CIStanding{}, err
		}
		return s.standingIn(ctx, tx, r, p, r.Policy.Gates)
	})
}

// PurgeCI removes reports and exceptions that are kept no longer, a page in a transaction, and tells how many went.
func (s *Repositories) PurgeCI(ctx context.Context) (removed int, detail string, err error) {
	before := s.Now().Add(-blueberry.KeepCIReports)
	for _, purge := range []func(tx Tx) (int, error){
		func(tx Tx) (int, error) { return tx.PurgeCIReports(ctx, before, blueberry.MaxPageSize) },
		func(tx Tx) (int, error) { return tx.PurgeScanExceptions(ctx, before, blueberry.MaxPageSize) },
	} {
		for n := blueberry.MaxPageSize; n == blueberry.MaxPageSize; {
			err := s.Record.Update(ctx, func(tx Tx) (err error) {
				n, err = purge(tx)
				return err
			})
			removed += n
			if removed > 0 {
				detail = fmt.Sprintf("%d reports and exceptions", removed)
			}
			if err != nil {
				return removed, detail, err
			}
		}
	}
	return removed, detail, nil
}
