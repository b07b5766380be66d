package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

const (
	codeCommandSeen = "COMMAND_SEEN"
	commandHour     = time.Hour // for which commands are counted
)

// judgeComment judges a comment below a pull request: its commands are kept, each with a job that carries it out. What its writer may is not asked here: a delivery
// is answered at once, and what counts is what they may when it is carried out.
func (s *Repositories) judgeComment(ctx context.Context, tx Tx, r blueberry.Repository, c blueberry.PullComment, d *blueberry.Delivery) error {
	ignore := func(reason string) error {
		d.Verdict, d.Reason = blueberry.DeliveryIgnored, reason
		return nil
	}
	list := blueberry.ReadPullCommands(c.Text)
	switch {
	case len(list) == 0:
		return ignore("the comment holds no command")
	case ours(c.Text):
		return ignore("the comment is one of Blueberry's own")
	case c.Bot:
		return ignore("the comment holds commands, and its author is a bot")
	case c.Author == "":
		return ignore("the comment holds commands, and the host does not say whose it is")
	case r.Policy.NoCommands:
		return ignore("the comment holds commands, and the policy of the repository takes none")
	case !c.At.IsZero() && d.ReceivedAt.Sub(c.At) > blueberry.PullCommandLife:
		return ignore("the comment holds commands, and is more than a day old")
	}
	p, err := tx.FindPull(ctx, r.ID, c.Number)
	if errors.Is(err, blueberry.NotFound) {
		return ignore(fmt.Sprintf("the comment is below pull request %d, of which nothing is known", c.Number))
	}
	if err != nil {
		return err
	}
	d.PullID = p.ID
	kept, over := 0, 0 // those that there are too many of
	for i, x := range list {
		x.ID = blueberry.NewID(blueberry.CommandID, d.ReceivedAt.Add(time.Duration(i)*time.Millisecond)) // their order is that of the lines
		x.RepositoryID, x.Project, x.PullID, x.DeliveryID, x.CommentID = r.ID, r.Project, p.ID, cmp.Or(d.ID, d.ReplayOf), c.ID
		x.Author, x.AuthorName, x.CreatedAt, x.UpdatedAt = c.Author, c.AuthorName, d.ReceivedAt, d.ReceivedAt
		done, err := s.keepCommand(ctx, tx, r, p, x)
		switch {
		case isCode(err, codeCommandSeen):
		case err != nil:
			return err
		case done:
			kept++
		default:
			over++
		}
	}
	switch {
	case kept > 0:
		d.Verdict, d.Reason = blueberry.DeliveryAccepted, fmt.Sprintf("%d of the commands of %s below pull request %d", kept, short(cut(nameOf(c), 100)), p.Number)
	case over > 0:
		return ignore("there are too many commands below the pull request")
	default:
		return ignore("the commands of the comment came before")
	}
	return nil
}

// nameOf is the name of who wrote a comment.
func nameOf(c blueberry.PullComment) string {
	if c.AuthorName != "" {
		return c.AuthorName
	}
	return c.Author
}

// keepCommand keeps a command, and has it carried out. It is false for one that there are too many of to keep.
func (s *Repositories) keepCommand(ctx context.Context, tx Tx, r blueberry.Repository, p blueberry.PullRequest, c blueberry.PullCommand) (bool, error) {
	all, own, err := tx.CountPullCommands(ctx, p.ID, c.Author, blueberry.FirstID(blueberry.CommandID, c.CreatedAt.Add(-commandHour)))
	if err != nil {
		return false, err
	}
	c.Outcome = blueberry.CommandPending
	switch {
	case all >= blueberry.MaxPullRecorded, own > blueberry.MaxPullHourly: // one too many is kept, to tell so: who writes on takes no place of others
		return false, nil
	case own >= blueberry.MaxPullHourly:
		c.Outcome, c.Silent = blueberry.CommandRefused, true
		c.Answer = fmt.Sprintf("more than %d commands of one person below one pull request in an hour", blueberry.MaxPullHourly)
	case len(r.Credential) == 0:
		c.Outcome, c.Silent, c.Answer = blueberry.CommandRefused, true, "there is no credential to ask the host who you are"
	}
	if err := tx.InsertPullCommand(ctx, c); err != nil {
		return false, err
	}
	if err := tx.Enqueue(ctx, blueberry.JobPullCommand, c.ID); err != nil || c.Outcome == blueberry.CommandPending {
		return true, err
	}
	return true, s.tellCommand(ctx, tx, r, p, c, c.Answer, blueberry.AuditFailed)
}

// ours reports whether a comment begins as those do that we write.
func ours(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "<!-- blueberry:") || strings.HasPrefix(text, "[//]: # (blueberry:")
}

// writer is who wrote a command, as the host names them: they hold nothing here but what the command takes.
func writer(r blueberry.Repository, c blueberry.PullCommand, grants ...blueberry.Grant) blueberry.Actor {
	return blueberry.Actor{
		Kind: blueberry.ActorHost, ID: r.ID + "/" + c.Author, Name: fmt.Sprintf("%s on %s", short(cut(c.Who(), 100)), r.Host),
		Projects: map[string][]blueberry.Grant{r.Project: grants},
	}
}

// inTheNameOf is the repository as it carries out a command: with its own rights, in the name of who wrote it.
func inTheNameOf(r blueberry.Repository, c blueberry.PullCommand) blueberry.Actor {
	a := actorOf(r)
	a.Name = writer(r, c).Name + ", by a comment in " + r.Name
	return a
}

// tellCommand records what became of a command: an event and an audit entry, with who wrote it. Text is for people, plain.
func (s *Repositories) tellCommand(ctx context.Context, tx Tx, r blueberry.Repository, p blueberry.PullRequest, c blueberry.PullCommand, text string, result blueberry.AuditResult) error {
	who, event := writer(r, c), blueberry.PullCommanded
	message := fmt.Sprintf("%s below pull request %d of %s by %s: %s: %s", c.Text(), p.Number, r.Name, who.Name, c.Outcome, text)
	if c.Outcome != blueberry.CommandDone {
		event = blueberry.PullCommandRefused
	}
	now := s.Now()
	err := tx.AppendEvent(ctx, blueberry.Event{
		Type: event, EnvironmentID: p.EnvironmentID, Project: p.Project, Environment: r.Policy.EnvironmentName(p.Number), Actor: who.Name, Message: short(cut(message, 500)), At: now,
	})
	if err != nil {
		return err
	}
	return tx.AppendAudit(ctx, blueberry.AuditEntry{
		Actor: who, Action: "pulls:command", Resource: p.ID, Project: p.Project, Detail: cut(message, 1000), At: now, Result: result,
		After: blueberry.AuditFields(map[string]any{"command": c.ID, "comment": c.CommentID, "verb": c.Verb, "arguments": c.Arguments, "outcome": c.Outcome, "author": c.Author}),
	})
}
