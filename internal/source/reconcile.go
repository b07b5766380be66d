package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Environments makes, moves and ends environments for pull requests, by the operations that people use.
type Environments interface {
	// Environment reads one by id, also when it has ended; NotFound when nothing is known of it any more.
	Environment(ctx context.Context, id string) (blueberry.Environment, error)
	// Cost is what one costs now, and has cost; nil where no prices are set.
	Cost(ctx context.Context, id string) (*blueberry.EnvironmentCost, error)
	// Receipt reads that of the removal of one, or NotFound.
	Receipt(ctx context.Context, id string) (blueberry.Receipt, error)
	// Made gives the one that was made with the key and name before, or NotFound.
	Made(ctx context.Context, actor blueberry.Actor, w EnvironmentWish) (blueberry.Environment, error)
	// Create makes one, or gives the one that was made with the key before, with the commit that it was made of.
	Create(ctx context.Context, actor blueberry.Actor, w EnvironmentWish) (e blueberry.Environment, commit string, err error)
	// Move has one run another commit; nothing happens when it does already.
	Move(ctx context.Context, actor blueberry.Actor, id string, w EnvironmentWish) error
	// Destroy begins the removal of one, and changes nothing when it has begun.
	Destroy(ctx context.Context, actor blueberry.Actor, id string) error
}

// EnvironmentWish is the environment of a pull request.
type EnvironmentWish struct {
	Project, Name, Target string // Target empty means the default
	Repository, Commit    string // that Git clones, and the commit there
	Restricted            bool   // for code that nobody vouches for: Repository is what it goes to, at Ref, and Commit only the name of what runs
	Ref                   string // of one that is restricted: the full name of the branch
	Blueprint             string // path; empty means blueberry.yaml
	ConfigSets            []string
	Branch                string            // that the commit is of: components of other repositories are taken from theirs of this name, else from their default
	Commits               map[string]string // component → commit that it runs where that is not Commit
	Images                map[string]string // component → image that it runs, by digest: what CI built of the commit
	Hours                 int               // of the lease; 0 asks for the blueprint's own
	Key                   string            // of the request: the same one makes one environment
	Reason                string            // of the revision
}

// How soon a pull request is looked at again.
const (
	atOnce    = time.Millisecond //
	forRoom   = time.Minute      // of one that waits for room
	forName   = 5 * time.Second  // whose name is still taken, most likely by one that goes
	forAnswer = 30 * time.Second // when something did not answer
)

// Reconcile is the worker of pull.reconcile: it brings the environment of a pull request a step nearer to what the policy of its repository wants. What came
// last counts: it knows no deliveries, only what they left behind.
func (s *Repositories) Reconcile(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	var r blueberry.Repository
	p, err := view(ctx, s, func(tx Tx) (p blueberry.PullRequest, err error) {
		if p, err = tx.Pull(ctx, job.Subject); err != nil {
			return p, err
		}
		r, err = tx.Repository(ctx, p.RepositoryID)
		return p, err
	})
	if errors.Is(err, blueberry.NotFound) {
		return blueberry.JobOutcome{}, nil
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	env, err := s.living(ctx, p.EnvironmentID)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	o, err := s.look(ctx, r, p, env)
	if err != nil && env != nil && p.Built() {
		return blueberry.JobOutcome{Again: SweepEvery}, nil // what runs stays as it is
	}
	var next blueberry.PullRequest
	var again time.Duration
	if err != nil {
		next, again, err = s.failed(p, err)
	} else {
		r.Policy = o.policy
		next, again, err = s.step(ctx, r, p, env, o)
		next.Message = o.noted(next.Message)
	}
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	return blueberry.JobOutcome{Again: again}, s.record(ctx, r, p, next)
}

// living is the environment with an id if that is one that is not on its way out.
func (s *Repositories) living(ctx context.Context, id string) (*blueberry.Environment, error) {
	if id == "" {
		return nil, nil
	}
	e, err := s.Environments.Environment(ctx, id)
	switch {
	case errors.Is(err, blueberry.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case e.Phase == blueberry.Terminating || e.Phase == blueberry.Terminated:
		return nil, nil
	}
	return &e, nil
}

// step does what is next, and gives the pull request as it is then and when to look again.
func (s *Repositories) step(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, env *blueberry.Environment, o outlook) (blueberry.PullRequest, time.Duration, error) {
	wants, why := o.wants, o.why
	if !wants && env == nil {
		found, turn, err := s.lost(ctx, r, r.Policy.EnvironmentName(p.Number), p.ID, p.Turn)
		if err != nil {
			return p, 0, err
		}
		if env = found; env != nil {
			p.EnvironmentID, p.Turn = env.ID, turn
		}
	}
	restricted := p.Restricted()
	built := p.Built() && p.BuiltRestricted == restricted
	switch {
	case !wants && (env == nil || r.Policy.Off && p.State == blueberry.PullOpen):
		return skipped(p, why, env != nil), 0, nil
	case !wants:
		return s.end(ctx, r, p, why)
	case env != nil && env.Restricted != restricted:
		p, err := s.anew(ctx, r, p, *env)
		return p, forName, err
	case env != nil && built && (!restricted || env.Source.Ref == p.BaseRefName()):
		p.Outcome, p.Message = blueberry.PullBuilt, builtText(p)
		return p, 0, nil
	case env == nil && p.EnvironmentID != "" && built:
		p.Outcome, p.Message = blueberry.PullEnded, "its environment has ended; the next push makes a new one"
		return p, 0, nil
	case p.HeadURL == "" && p.Fork():
		return refused(p, "the repository that it comes from is gone"), 0, nil
	}
	p, held, again, err := s.gate(ctx, r, p, o.commits)
	if err != nil || held {
		return p, again, err
	}
	if env == nil {
		room, err := s.room(ctx, r, p)
		if err != nil {
			return p, 0, err
		}
		if !room {
			p.Outcome, p.Message = blueberry.PullWaiting, fmt.Sprintf("for room: the policy allows %d environments at once", r.Policy.Limit())
			if restricted {
				p.Message += fmt.Sprintf(", %d of them restricted", r.Policy.RestrictedLimit())
			}
			return p, forRoom, nil
		}
	}
	return s.build(ctx, r, p, env, o)
}

// lost finds an environment that a server asked for which died before it came to note so, of something that wants none any more: the one with the name that
// was made for its id at this turn or the next; nil for none.
func (s *Repositories) lost(ctx context.Context, r blueberry.Repository, name, id string, turn int) (*blueberry.Environment, int, error) {
	for at := turn; at <= turn+1; at++ {
		e, err := s.Environments.Made(ctx, actorOf(r), EnvironmentWish{Project: r.Project, Name: name, Key: keyOf(id, at)})
		switch {
		case errors.Is(err, blueberry.NotFound):
		case err != nil:
			return nil, turn, err
		case e.Phase != blueberry.Terminating && e.Phase != blueberry.Terminated:
			return &e, at, nil
		}
	}
	return nil, turn, nil
}

// keyOf is the key of the request for an environment of a pull request or a branch: the same one makes one environment.
func keyOf(id string, turn int) string { return fmt.Sprintf("%s-%d", id, turn) }

// made is the environment that something has by now.
type made struct {
	id         string
	commit     string // that it was asked for with: of one that a server asked for which died, an earlier one
	turn       int
	restricted bool
}

// ask asks for an environment: it moves the one that there is, or makes one with a key of its own. had is the id of the last one, at the turn.
func (s *Repositories) ask(ctx context.Context, r blueberry.Repository, env *blueberry.Environment, id, had string, turn int, w EnvironmentWish) (made, error) {
	if env != nil {
		return made{env.ID, w.Commit, turn, env.Restricted}, s.Environments.Move(ctx, actorOf(r), env.ID, w)
	}
	if had != "" { // the one before has ended
		turn++
	}
	w.Key = keyOf(id, turn)
	e, commit, err := s.Environments.Create(ctx, actorOf(r), w)
	return made{e.ID, commit, turn, e.Restricted}, err
}

// skipped is a pull request that gets no environment, or whose environment stays although it would get none.
func skipped(p blueberry.PullRequest, why string, stays bool) blueberry.PullRequest {
	switch {
	case stays:
		p.Message = why + "; the environment that it has stays until it is closed"
	case p.Outcome == blueberry.PullEnded || p.EnvironmentID != "":
		p.Outcome, p.Message = blueberry.PullEnded, why
	default:
		p.Outcome, p.Message = blueberry.PullSkipped, why
	}
	if p.State != blueberry.PullOpen {
		p.BuiltCommit, p.Gate = "", blueberry.PullGateMark{} // opened again, it is built again, and waits anew
	}
	return p
}

func refused(p blueberry.PullRequest, why string) blueberry.PullRequest {
	p.Outcome, p.Message = blueberry.PullRefused, why
	return p
}

// end begins the removal of the environment.
func (s *Repositories) end(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, why string) (blueberry.PullRequest, time.Duration, error) {
	err := s.Environments.Destroy(ctx, actorOf(r), p.EnvironmentID)
	if err != nil && !errors.Is(err, blueberry.NotFound) {
		return s.failed(p, err)
	}
	p.Outcome, p.Message, p.BuiltCommit, p.Gate = blueberry.PullEnded, why, "", blueberry.PullGateMark{}
	return p, 0, nil
}

// wish is the environment that the newest commit of a pull request is to have. It notes what the commit would configure.
func (s *Repositories) wish(ctx context.Context, r blueberry.Repository, p *blueberry.PullRequest, o outlook) (EnvironmentWish, error) {
	w := EnvironmentWish{
		Project: r.Project, Name: r.Policy.EnvironmentName(p.Number), Target: r.Policy.Target, Repository: r.URL, Commit: p.HeadCommit, Blueprint: r.Policy.Blueprint,
		ConfigSets: r.Policy.ConfigSet, Hours: r.Policy.Hours, Reason: fmt.Sprintf("pull request %d of %s at %.12s", p.Number, r.Name, p.HeadCommit),
		Commits: o.commits,
	}
	if refFault(p.HeadRef) == "" {
		w.Branch = p.HeadRef
	}
	if p.Config = ""; p.Fork() {
		w.Repository = p.HeadURL
	}
	if p.Approved() {
		w.Commit = p.ApprovedCommit // and nothing else, however the host abbreviates it
	}
	var err error
	switch {
	case p.Restricted():
		err = s.restrict(ctx, r, p, &w)
	case p.NeedsApproval():
		err = s.vouched(ctx, r, *p, &w)
	}
	if err != nil {
		return w, err
	}
	w.Images, err = s.images(ctx, r, w.Commit)
	return w, err
}

// build asks for the environment with the newest commit. What an earlier commit asked for and is not through is overtaken, not waited for.
func (s *Repositories) build(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest, env *blueberry.Environment, o outlook) (blueberry.PullRequest, time.Duration, error) {
	w, err := s.wish(ctx, r, &p, o)
	if err != nil {
		return s.failed(p, err)
	}
	m, err := s.ask(ctx, r, env, p.ID, p.EnvironmentID, p.Turn, w)
	if err != nil {
		if env == nil && p.EnvironmentID != "" {
			p.Turn, p.EnvironmentID = m.turn, ""
		}
		return s.failed(p, err)
	}
	p.EnvironmentID, p.BuiltCommit, p.Turn, p.BuiltRestricted, p.Outcome = m.id, m.commit, m.turn, m.restricted, blueberry.PullBuilt
	p.Message = builtText(p)
	if !p.Built() || p.BuiltRestricted != p.Restricted() { // a server died after it had asked for it, and did not come to note that
		return p, atOnce, nil
	}
	return p, 0, nil
}

// failed tells what an error means: that the commit cannot be built, that something waits, or that the job shall be tried again.
func (s *Repositories) failed(p blueberry.PullRequest, err error) (blueberry.PullRequest, time.Duration, error) {
	outcome, message, again := meaning(err)
	if outcome == "" {
		return p, 0, err
	}
	p.Outcome, p.Message = outcome, message
	return p, again, nil
}

// meaning is what an error of asking for an environment means; no outcome where that is an error of the job.
func meaning(err error) (outcome blueberry.PullOutcome, message string, again time.Duration) {
	var e *blueberry.Error
	if !errors.As(err, &e) {
		return "", "", 0
	}
	switch {
	case e.Kind == blueberry.Unavailable:
		return blueberry.PullBlocked, e.Detail, forAnswer
	case awaits(e): // that may pass
		return blueberry.PullBlocked, faultsText(e), forAnswer
	case hasFault(e, "name", "taken"), hasFault(e, "name", "orphan_leaving"):
		return blueberry.PullBlocked, "for its name: " + faultsText(e), forName
	case e.Code == codeMoved, e.Code == "INPUTS_MOVE", e.Code == "ENVIRONMENT_ENDING": // someone else acts on it
		return blueberry.PullBlocked, e.Detail, forName
	case e.Kind == blueberry.Invalid, e.Kind == blueberry.Forbidden, e.Kind == blueberry.Conflict, e.Kind == blueberry.TooLarge:
		return blueberry.PullRefused, faultsText(e), 0
	}
	return "", "", 0
}

// awaits reports whether some host did not answer: that of the repository, or of one that the blueprint names.
func awaits(e *blueberry.Error) bool {
	return slices.ContainsFunc(e.Fields, func(f blueberry.Fault) bool { return f.Code == codeUnreachable })
}

func hasFault(e *blueberry.Error, field, code string) bool {
	return slices.ContainsFunc(e.Fields, func(f blueberry.Fault) bool { return f.Field == field && f.Code == code })
}

// maxFaultsTold is how many faults stand in the message of a pull request.
const maxFaultsTold = 10

func faultsText(e *blueberry.Error) string {
	if len(e.Fields) == 0 {
		return e.Detail
	}
	var out []string
	for i, f := range e.Fields {
		if i == maxFaultsTold {
			out = append(out, fmt.Sprintf("and %d more", len(e.Fields)-i))
			break
		}
		out = append(out, f.Field+": "+f.Message)
	}
	return strings.Join(out, "; ")
}

// room reports whether a pull request may have an environment now. Of those that wait, who came first goes first; restricted ones have half of the room, and
// nobody else waits behind them.
func (s *Repositories) room(ctx context.Context, r blueberry.Repository, p blueberry.PullRequest) (bool, error) {
	taken, most := 0, r.Policy.Limit()
	restricted, mostRestricted := 0, r.Policy.RestrictedLimit()
	for _, outcome := range []blueberry.PullOutcome{blueberry.PullBuilt, blueberry.PullWaiting, blueberry.PullBlocked, blueberry.PullRefused} {
		for before := ""; ; {
			list, err := view(ctx, s, func(tx Tx) ([]blueberry.PullRequest, error) {
				return tx.Pulls(ctx, blueberry.PullQuery{RepositoryID: r.ID, Outcome: outcome, Before: before, Limit: blueberry.MaxPageSize})
			})
			if err != nil {
				return false, err
			}
			for _, x := range list {
				before = x.ID
				if x.ID == p.ID {
					continue
				}
				env, err := s.living(ctx, x.EnvironmentID)
				if err != nil {
					return false, err
				}
				waits := outcome == blueberry.PullWaiting && x.State == blueberry.PullOpen && x.ID < p.ID && !x.Gate.Held // who waits for CI takes no place in the line
				switch {
				case env != nil && !env.Restricted, env == nil && waits && !x.Restricted():
					taken++
				case env != nil:
					taken, restricted = taken+1, restricted+1
				case waits && p.Restricted():
					restricted++
				}
			}
			if taken >= most || p.Restricted() && restricted >= mostRestricted || len(list) < blueberry.MaxPageSize {
				break
			}
		}
	}
	return taken < most && (!p.Restricted() || restricted < mostRestricted), nil
}

// record writes what was made of a pull request, unless a delivery has changed it meanwhile: then its job runs again, and what was asked for is asked for
// again, which changes nothing.
func (s *Repositories) record(ctx context.Context, r blueberry.Repository, was, p blueberry.PullRequest) error {
	if p.Outcome == was.Outcome && p.Message == was.Message && p.EnvironmentID == was.EnvironmentID && p.BuiltCommit == was.BuiltCommit && p.Turn == was.Turn &&
		p.BuiltRestricted == was.BuiltRestricted && p.Config == was.Config && p.Gate == was.Gate {
		return nil
	}
	return again(func() error {
		return s.Record.Update(ctx, func(tx Tx) error {
			now, err := tx.Pull(ctx, p.ID)
			if errors.Is(err, blueberry.NotFound) {
				return nil // the repository was removed
			}
			if err != nil {
				return err
			}
			if was.Outcome != "" && now.Outcome == "" { // a deploy was asked for meanwhile: what was seen before it is no answer to it
				return tx.Enqueue(ctx, blueberry.JobPullReconcile, p.ID)
			}
			now = now.Made(p)
			now.UpdatedAt = s.Now()
			if err := tx.UpdatePull(ctx, now); err != nil {
				return err
			}
			if len(r.Credential) > 0 {
				if err := tx.Enqueue(ctx, blueberry.JobPullReport, p.ID); err != nil {
					return err
				}
			}
			if p.Outcome == blueberry.PullEnded && was.Outcome != blueberry.PullEnded { // there is room
				if err := tx.Enqueue(ctx, blueberry.JobPullsReview, r.ID); err != nil {
					return err
				}
			}
			if err := s.tellGate(ctx, tx, r, was, p); err != nil {
				return err
			}
			event, ok := outcomeEvents()[p.Outcome]
			if !ok || p.Outcome == was.Outcome && p.BuiltCommit == was.BuiltCommit && p.Message == was.Message {
				return nil
			}
			message := fmt.Sprintf("pull request %d of %s is %s: %s", p.Number, r.Name, p.Outcome, p.Message)
			return tx.AppendEvent(ctx, blueberry.Event{
				Type: event, EnvironmentID: p.EnvironmentID, Project: r.Project, Environment: r.Policy.EnvironmentName(p.Number), Actor: actorOf(r).Name, Message: message, At: now.UpdatedAt,
			})
		})
	})
}

func outcomeEvents() map[blueberry.PullOutcome]blueberry.EventType {
	return map[blueberry.PullOutcome]blueberry.EventType{
		blueberry.PullSkipped: blueberry.PullSkippedEvent, blueberry.PullWaiting: blueberry.PullWaits, blueberry.PullBlocked: blueberry.PullBlockedEvent,
		blueberry.PullRefused: blueberry.PullRefusedEvent, blueberry.PullBuilt: blueberry.PullBuiltEvent, blueberry.PullEnded: blueberry.PullEndedEvent,
	}
}

// Review is the worker of pulls.review: it has every open pull request of a repository looked at, and its host told.
func (s *Repositories) Review(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	for before := ""; ; {
		n := 0
		err := s.Record.Update(ctx, func(tx Tx) error {
			list, err := tx.Pulls(ctx, blueberry.PullQuery{RepositoryID: job.Subject, State: blueberry.PullOpen, Before: before, Limit: blueberry.MaxPageSize})
			if err != nil {
				return err
			}
			n = len(list)
			for _, p := range list {
				before = p.ID
				if err := errors.Join(tx.Enqueue(ctx, blueberry.JobPullReconcile, p.ID), tx.Enqueue(ctx, blueberry.JobPullReport, p.ID)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < blueberry.MaxPageSize {
			return blueberry.JobOutcome{}, err
		}
	}
}
