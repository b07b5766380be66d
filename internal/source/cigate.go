package source

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// CIStanding is what CI says of the commit that a pull request has, and how the gates of its policy stand.
type CIStanding struct {
	Reports []blueberry.CIReport // one for each pipeline
	Totals  blueberry.CITotals
	Gates   []blueberry.Gate
}

// wholeCommit is the commit that a pull request has: as somebody approved it, or as its host tells it.
func wholeCommit(p blueberry.PullRequest) string {
	if p.Approved() {
		return p.ApprovedCommit
	}
	return p.HeadCommit
}

// standing reads what CI says of the commit of a pull request. Components that run what the branch has that it goes to need no image of their own.
func (s *Repositories) standing(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, gates blueberry.PullGates) (CIStanding, error) {
	return view(ctx, s, func(tx Tx) (CIStanding, error) { return s.standingIn(ctx, tx, r, p, gates) })
}

func (s *Repositories) standingIn(ctx context.Context, tx Tx, r blueberry.Repository, p blueberry.PullRequest, gates blueberry.PullGates) (CIStanding, error) {
	reports, err := tx.CIReportsOf(ctx, r.ID, wholeCommit(p))
	if err != nil {
		return CIStanding{}, err
	}
	now := s.Now()
	exceptions, err := exceptionsOf(ctx, tx, r, now)
	if err != nil {
		return CIStanding{}, err
	}
	return CIStanding{Reports: reports, Totals: blueberry.TotalOf(reports, exceptions, now), Gates: gates.Judge(reports, exceptions, now)}, nil
}

// exceptionsOf gives those that count for a repository now.
func exceptionsOf(ctx context.Context, tx Tx, r blueberry.Repository, now time.Time) (out []blueberry.ScanException, err error) {
	q := blueberry.ScanExceptionQuery{Projects: []string{r.Project}, RepositoryID: r.ID, Live: now, Limit: blueberry.MaxPageSize}
	for {
		list, err := tx.ScanExceptions(ctx, q)
		if out = append(out, list...); err != nil || len(list) < blueberry.MaxPageSize {
			return out, err
		}
		q.Before = list[len(list)-1].ID
	}
}

// gate asks the gates of the policy about the commit of a pull request. Held: it gets nothing now; it is as it is given then, and looked at again after a while,
// or sooner when CI reports.
func (s *Repositories) gate(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, unchanged map[string]string) (_ blueberry.PullRequest, held bool, again time.Duration, err error) {
	gates := r.Policy.Gates
	if !gates.Any() {
		p.Gate = blueberry.PullGateMark{}
		return p, false, 0, nil
	}
	if len(gates.Components) > 0 && len(unchanged) > 0 {
		gates.Components = slices.DeleteFunc(slices.Clone(gates.Components), func(name string) bool { return unchanged[name] != "" })
		gates.Image = len(gates.Components) > 0
	}
	standing, err := s.standing(ctx, r, p, gates)
	if err != nil {
		return p, false, 0, err
	}
	now := s.Now()
	if p.Gate.Commit != p.HeadCommit {
		p.Gate = blueberry.PullGateMark{Commit: p.HeadCommit, Since: now}
	}
	state, why := blueberry.GateVerdict(standing.Gates)
	limit := p.Gate.Since.Add(gates.Wait())
	p.Gate.Held = state != blueberry.GateOpen
	switch {
	case state == blueberry.GateOpen:
		return p, false, 0, nil
	case state == blueberry.GateWaiting && now.Before(limit):
		p.Outcome = blueberry.PullWaiting
		p.Message = fmt.Sprintf("for CI at %.12s: %s; until %s", p.HeadCommit, why, limit.UTC().Format("15:04 MST"))
		return p, true, limit.Sub(now), nil
	case state == blueberry.GateWaiting:
		return refused(p, fmt.Sprintf("by the gates at %.12s: %s, and was waited for since %s; a report for this commit opens it again (blueberry ci report)",
			p.HeadCommit, why, p.Gate.Since.UTC().Format("15:04 MST"))), true, 0, nil
	}
	return refused(p, fmt.Sprintf("by the gates at %.12s: %s", p.HeadCommit, why)), true, 0, nil
}

// images gives those that CI reported for a commit, by component; nil for none.
func (s *Repositories) images(ctx context.Context, r blueberry.Repository, commit string) (map[string]string, error) {
	reports, err := view(ctx, s, func(tx Tx) ([]blueberry.CIReport, error) { return tx.CIReportsOf(ctx, r.ID, commit) })
	if out := blueberry.ImagesOf(reports); len(out) > 0 {
		return out, err
	}
	return nil, err
}

// tellGate notes that the gates began to keep a pull request, or let it go.
func (s *Repositories) tellGate(ctx context.Context, tx Tx, r blueberry.Repository, was, p blueberry.PullRequest) error {
	event, message := blueberry.CIGateClosed, fmt.Sprintf("the gates keep pull request %d of %s: %s", p.Number, r.Name, p.Message)
	switch {
	case was.Gate.Held == p.Gate.Held && was.Gate.Commit == p.Gate.Commit:
		return nil
	case !p.Gate.Held && (!was.Gate.Held || p.State != blueberry.PullOpen || p.Outcome == blueberry.PullEnded): // what is closed passes nothing
		return nil
	case !p.Gate.Held:
		event, message = blueberry.CIGateOpened, fmt.Sprintf("the gates let pull request %d of %s pass at %.12s", p.Number, r.Name, p.HeadCommit)
	}
	return tx.AppendEvent(ctx, blueberry.Event{Type: event, EnvironmentID: p.EnvironmentID, Project: r.Project, Environment: r.Policy.EnvironmentName(p.Number), Actor: actorOf(r).Name, Message: message, At: s.Now()})
}
