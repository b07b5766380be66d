package source

import (
	"context"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// Controls does to the environment of a pull request what people write below it, by the operations that people use. An error that is a blueberry.Error is told to
// who wrote.
type Controls interface {
	// Extend adds hours to what is left of the lease.
	Extend(ctx context.Context, actor blueberry.Actor, id string, hours int) error
	// Sleep has one fall asleep, and changes nothing when it does already.
	Sleep(ctx context.Context, actor blueberry.Actor, id string) error
	// Wake has one run again, and changes nothing when it does already.
	Wake(ctx context.Context, actor blueberry.Actor, id string) error
	// Plan tells what the wish would make of one, or what it would make where id is empty. Blocked is why it would not be let in; nil when it would.
	Plan(ctx context.Context, actor blueberry.Actor, id string, w EnvironmentWish) (plan blueberry.Plan, blocked, err error)
	// Set overrides one value: keys are its path, of which the first names a component. The plan says what it has changed.
	Set(ctx context.Context, actor blueberry.Actor, id string, keys []string, value any, reason string) (blueberry.Plan, error)
	// Logs gives the last lines that a component wrote, or all of them where that is empty, the oldest first.
	Logs(ctx context.Context, actor blueberry.Actor, id, component string, lines int) ([]LogLine, error)
}

// LogLine is one line that a component of an environment wrote.
type LogLine struct {
	At        time.Time
	Component string
	Text      string
}

// CommandRows are the rows of commands in comments.
type CommandRows interface {
	// InsertPullCommand adds one; Conflict with code COMMAND_SEEN when the repository has one of the comment and line. The transaction can go on.
	InsertPullCommand(ctx context.Context, c blueberry.PullCommand) error
	// PullCommand reads one by id, or NotFound with code COMMAND_NOT_FOUND.
	PullCommand(ctx context.Context, id string) (blueberry.PullCommand, error)
	// PullCommands reads one page of those below a pull request, the newest first.
	PullCommands(ctx context.Context, q blueberry.PullCommandQuery) ([]blueberry.PullCommand, error)
	// NextPullCommand reads the oldest one of a pull request that is pending, or NotFound with code COMMAND_NOT_FOUND.
	NextPullCommand(ctx context.Context, pullID string) (blueberry.PullCommand, error)
	// CountPullCommands tells how many there are below a pull request that were made behind the id, and how many of them are of an author.
	CountPullCommands(ctx context.Context, pullID, author, after string) (all, ofAuthor int, err error)
	// UpdatePullCommand writes how far one is that is pending: Conflict with code COMMAND_OVER when it is not any more.
	UpdatePullCommand(ctx context.Context, c blueberry.PullCommand) error
	// SetPullAnswer notes, of every command of a comment, which comment answers it and what that says.
	SetPullAnswer(ctx context.Context, pullID, commentID, answerID, digest string) error
}
