package source

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	// forTurn is how soon a command is looked at again that an older one goes before; that one wakes it sooner.
	forTurn = 10 * time.Second
	// forStep is how soon one is looked at again that waits for what it has asked for.
	forStep = 2 * time.Second
	// commandPatience is how long what does not answer is asked again for a command; after it, who wrote is told so.
	commandPatience = 5 * time.Minute
)

// commanding is a command with all that belongs to it.
type commanding struct {
	c blueberry.PullCommand
	p blueberry.PullRequest
	r blueberry.Repository
}

// carried is what became of a command, or how far it is.
type carried struct {
	outcome blueberry.PullCommandOutcome
	silent  bool
	denied  bool   // its writer may not
	text    string // for people, plain
	body    string // what it gives beside, Markdown; empty for nothing
	began   string // what is noted while it is pending
	again   time.Duration
	review  bool // the pull request is looked at after it
}

func refusedBy(text string) carried { return carried{outcome: blueberry.CommandRefused, text: text} }

func doneBy(text string) carried { return carried{outcome: blueberry.CommandDone, text: text} }

func laterBy(again time.Duration) carried {
	return carried{outcome: blueberry.CommandPending, again: again}
}

// Command is the worker of pull.command: it carries out one command, after those that came before it below the same pull request, and answers. It asks the host
// each time what the writer may; without its word nothing is done.
func (s *Repositories) Command(ctx context.Context, job blueberry.Job) (blueberry.JobOutcome, error) {
	var x commanding
	next, err := view(ctx, s, func(tx Tx) (next blueberry.PullCommand, err error) {
		if x.c, err = tx.PullCommand(ctx, job.Subject); err != nil {
			return next, err
		}
		if x.p, err = tx.Pull(ctx, x.c.PullID); err != nil {
			return next, err
		}
		if x.r, err = tx.Repository(ctx, x.c.RepositoryID); err != nil || x.c.Outcome != blueberry.CommandPending {
			return next, err
		}
		return tx.NextPullCommand(ctx, x.p.ID)
	})
	switch {
	case errors.Is(err, blueberry.NotFound):
		return blueberry.JobOutcome{}, nil
	case err != nil:
		return blueberry.JobOutcome{}, err
	case x.c.Outcome != blueberry.CommandPending:
		return s.answerComment(ctx, x)
	case next.ID != x.c.ID:
		return blueberry.JobOutcome{Again: forTurn}, nil
	}
	done, err := s.carry(ctx, &x)
	if err != nil {
		return blueberry.JobOutcome{}, err
	}
	if done.outcome == blueberry.CommandPending {
		if done.began == "" || done.began == x.c.Began {
			return blueberry.JobOutcome{Again: done.again}, nil
		}
		x.c.Began = done.began
		if err := s.Record.Update(ctx, func(tx Tx) error { return tx.UpdatePullCommand(ctx, x.c) }); err != nil {
			return blueberry.JobOutcome{}, err
		}
		out, err := s.answerComment(ctx, x) // it takes a while: who wrote is told so
		if err != nil {
			return out, err
		}
		return blueberry.JobOutcome{Again: done.again}, nil
	}
	x.c.Outcome, x.c.Silent = done.outcome, done.silent
	x.c.Answer = answerOf(x.c, done)
	if over, err := s.settle(ctx, x, done); err != nil || over {
		return blueberry.JobOutcome{}, err
	}
	return s.answerComment(ctx, x)
}

// settle records what became of a command, and has the next one of the pull request go on. It is over when another worker was faster.
func (s *Repositories) settle(ctx context.Context, x commanding, done carried) (over bool, err error) {
	result := blueberry.AuditSucceeded
	switch {
	case done.denied:
		result = blueberry.AuditDenied
	case done.outcome != blueberry.CommandDone:
		result = blueberry.AuditFailed
	}
	x.c.UpdatedAt = s.Now()
	err = s.Record.Update(ctx, func(tx Tx) error {
		if err := tx.UpdatePullCommand(ctx, x.c); err != nil {
			return err
		}
		if err := s.tellCommand(ctx, tx, x.r, x.p, x.c, done.text, result); err != nil {
			return err
		}
		if done.review {
			if err := tx.Enqueue(ctx, blueberry.JobPullReconcile, x.p.ID); err != nil {
				return err
			}
		}
		list, err := commandsOf(ctx, tx, x.c)
		if err != nil {
			return err
		}
		if last := list[len(list)-1]; last.ID != x.c.ID { // which answers for all of the comment
			if err := tx.Enqueue(ctx, blueberry.JobPullCommand, last.ID); err != nil {
				return err
			}
		}
		next, err := tx.NextPullCommand(ctx, x.p.ID)
		if errors.Is(err, blueberry.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, blueberry.JobPullCommand, next.ID)
	})
	if isCode(err, "COMMAND_OVER") || errors.Is(err, blueberry.NotFound) {
		return true, nil
	}
	return false, err
}

// carry brings a command to its end, or tells when to go on. What it notes in x is to be written.
func (s *Repositories) carry(ctx context.Context, x *commanding) (carried, error) {
	if s.Now().Sub(x.c.CreatedAt) > blueberry.PullCommandLife {
		return carried{outcome: blueberry.CommandFailed, text: "it could not be carried out within a day"}, nil
	}
	if len(x.r.Credential) == 0 {
		return carried{outcome: blueberry.CommandRefused, silent: true, text: "there is no credential to ask the host who you are"}, nil
	}
	if x.c.Verb == blueberry.PullDeploy && x.c.Began != "" { // it was asked for, and what became of that is told
		return s.deployed(*x), nil
	}
	may, wait, err := s.permission(ctx, *x)
	switch {
	case err != nil:
		return carried{}, err
	case wait > 0:
		return laterBy(wait), nil
	case alone(may.refused):
		return carried{outcome: blueberry.CommandRefused, silent: true, denied: true, text: "the host does not say what you may: " + short(may.refused.Error())}, nil
	case may.other != "":
		return carried{outcome: blueberry.CommandRefused, silent: true, denied: true, text: may.other}, nil
	case !may.holds.Holds(x.c.Verb.Needs()):
		silent := !may.holds.Holds(blueberry.HostWrite) // who may not push is not answered: of a public repository that is everybody
		return carried{
			outcome: blueberry.CommandRefused, silent: silent, denied: true,
			text: "it takes the permission " + string(x.c.Verb.Needs()) + " in the repository, and the host says that you hold " + string(may.holds),
		}, nil
	case x.r.Policy.NoCommands:
		return refusedBy("the policy of the repository takes no commands any more"), nil
	case x.c.Fault != "":
		return carried{outcome: blueberry.CommandRefused, silent: !may.holds.Holds(blueberry.HostWrite), text: x.c.Fault, body: verbsText()}, nil
	case s.Controls == nil:
		return refusedBy("this server carries out no commands"), nil
	}
	done, err := s.do(ctx, x)
	if err == nil {
		return done, nil
	}
	var told *blueberry.Error
	if !errors.As(err, &told) {
		return carried{}, err
	}
	switch passing := told.Kind == blueberry.Unavailable || told.Code == codeMoved || told.Code == "INPUTS_MOVE" || awaits(told); {
	case passing && s.Now().Sub(x.c.CreatedAt) < commandPatience:
		return laterBy(forName), nil
	case passing:
		return carried{outcome: blueberry.CommandFailed, text: faultsText(told)}, nil
	}
	return refusedBy(faultsText(told)), nil
}

// permit is what the host says of a person.
type permit struct {
	holds   blueberry.HostPermission
	refused error  // why it does not say
	other   string // how it has the comment otherwise than the delivery had it; empty when it does not
}

// permission asks the host what the writer of a command may now. wait above zero: it does not answer, and is asked again after that.
func (s *Repositories) permission(ctx context.Context, x commanding) (p permit, wait time.Duration, err error) {
	if now := s.Now(); now.Before(x.r.Health.PausedUntil) {
		return p, x.r.Health.PausedUntil.Sub(now), nil
	}
	c, speaker, failed := s.connect(ctx, x.r)
	var said Comment
	if failed == nil {
		said, failed = speaker.ReadComment(ctx, c, x.p.Number, x.c.CommentID)
	}
	if failed == nil {
		if p.other = otherwise(x.c, said); p.other == "" {
			p.holds, failed = speaker.Permission(ctx, c, x.c.Author)
		}
	}
	if alone(failed) { // the host is well: it does not let us ask this
		p.refused = failed
		failed = nil
	}
	wait, err = s.spoke(ctx, x.r, failed)
	if err == nil && failed != nil && wait <= 0 {
		wait = forAnswer
	}
	return p, wait, ignoreGone(err)
}

// otherwise tells how a comment is another one at the host than a delivery had it; empty when it is not. Whoever knows the secret of a webhook can send what they
// like in anybody's name, and a name may be another's by now: only what the host has counts.
func otherwise(c blueberry.PullCommand, said Comment) string {
	if said.Author != c.Author {
		return "the host names somebody else as the author of the comment"
	}
	var r Reading
	for _, x := range blueberry.ReadPullCommands(r.Lines(said.Text)) {
		if x.Line == c.Line && x.Verb == c.Verb && slices.Equal(x.Arguments, c.Arguments) {
			return ""
		}
	}
	return "the comment does not say this any more"
}
