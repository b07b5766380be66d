package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

type pullCommandRow struct {
	bun.BaseModel `bun:"table:pull_commands"`

	ID           string `bun:"id,pk"`
	RepositoryID string `bun:"repository_id"`
	Project      string `bun:"project"`
	PullID       string `bun:"pull_id"`
	DeliveryID   string `bun:"delivery_id"`
	CommentID    string `bun:"comment_id"`
	Line         int    `bun:"line"`
	Author       string `bun:"author"`
	AuthorName   string `bun:"author_name"`
	Verb         string `bun:"verb"`
	Arguments    string `bun:"arguments"`
	Fault        string `bun:"fault"`
	Outcome      string `bun:"outcome"`
	Silent       bool   `bun:"silent"`
	Began        string `bun:"began"`
	Answer       string `bun:"answer"`
	AnswerID     string `bun:"answer_id"`
	Answered     string `bun:"answered"`
	CreatedAt    int64  `bun:"created_at"`
	UpdatedAt    int64  `bun:"updated_at"`
}

func pullCommandToRow(c blueberry.PullCommand) (pullCommandRow, error) {
	arguments, err := encode("arguments", c.Arguments)
	if err != nil {
		return pullCommandRow{}, err
	}
	return pullCommandRow{
		ID: clean(c.ID), RepositoryID: clean(c.RepositoryID), Project: clean(c.Project), PullID: clean(c.PullID), DeliveryID: clean(c.DeliveryID),
		CommentID: clean(c.CommentID), Line: c.Line, Author: clean(c.Author), AuthorName: clean(c.AuthorName), Verb: clean(string(c.Verb)), Arguments: clean(arguments),
		Fault: clean(c.Fault), Outcome: clean(string(c.Outcome)), Silent: c.Silent, Began: clean(c.Began), Answer: clean(c.Answer), AnswerID: clean(c.AnswerID),
		Answered: clean(c.Answered), CreatedAt: micros(c.CreatedAt), UpdatedAt: micros(c.UpdatedAt),
	}, nil
}

func (r pullCommandRow) command() (blueberry.PullCommand, error) {
	c := blueberry.PullCommand{
		ID: r.ID, RepositoryID: r.RepositoryID, Project: r.Project, PullID: r.PullID, DeliveryID: r.DeliveryID, CommentID: r.CommentID, Line: r.Line, Author: r.Author,
		AuthorName: r.AuthorName, Verb: blueberry.PullVerb(r.Verb), Fault: r.Fault, Outcome: blueberry.PullCommandOutcome(r.Outcome), Silent: r.Silent, Began: r.Began,
		Answer: r.Answer, AnswerID: r.AnswerID, Answered: r.Answered, CreatedAt: timeOf(r.CreatedAt), UpdatedAt: timeOf(r.UpdatedAt),
	}
	return c, decode("arguments", r.Arguments, &c.Arguments)
}

// InsertPullCommand adds one; Conflict with code COMMAND_SEEN when the repository has one of the comment and line. The transaction can go on.
func (t *Tx) InsertPullCommand(ctx context.Context, c blueberry.PullCommand) error {
	row, err := pullCommandToRow(c)
	if err != nil {
		return err
	}
	res, err := t.db.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	return deleted("insert command", res, err, blueberry.Errorf(blueberry.Conflict, "COMMAND_SEEN", "the command came before"))
}

// PullCommand reads one by id, or NotFound with code COMMAND_NOT_FOUND.
func (t *Tx) PullCommand(ctx context.Context, id string) (blueberry.PullCommand, error) {
	row, err := one[pullCommandRow](ctx, t, "command", commandNotFound(id), func(s *bun.SelectQuery) *bun.SelectQuery { return s.Where("id = ?", clean(id)) })
	if err != nil {
		return blueberry.PullCommand{}, err
	}
	return row.command()
}

func commandNotFound(id string) error {
	return blueberry.Errorf(blueberry.NotFound, "COMMAND_NOT_FOUND", "there is no command %q", id)
}

// PullCommands reads one page of those below a pull request, the newest first. A limit of 0 is DefaultPageSize, one above MaxPageSize is MaxPageSize.
func (t *Tx) PullCommands(ctx context.Context, q blueberry.PullCommandQuery) ([]blueberry.PullCommand, error) {
	rows, err := many[pullCommandRow](ctx, t, "commands", func(s *bun.SelectQuery) *bun.SelectQuery {
		s = s.Where("pull_id = ?", clean(q.PullID))
		for _, x := range []struct{ column, value string }{{"comment_id", q.CommentID}, {"outcome", string(q.Outcome)}} {
			if x.value != "" {
				s = s.Where("? = ?", bun.Ident(x.column), clean(x.value))
			}
		}
		return newest(s, q.Before, q.Limit)
	})
	if err != nil {
		return nil, err
	}
	return nouns(rows, pullCommandRow.command)
}

// NextPullCommand reads the oldest one of a pull request that is pending, or NotFound with code COMMAND_NOT_FOUND.
func (t *Tx) NextPullCommand(ctx context.Context, pullID string) (blueberry.PullCommand, error) {
	row, err := one[pullCommandRow](ctx, t, "command", commandNotFound(""), func(s *bun.SelectQuery) *bun.SelectQuery {
		return s.Where("pull_id = ?", clean(pullID)).Where("outcome = ?", string(blueberry.CommandPending)).Order("id").Limit(1)
	})
	if err != nil {
		return blueberry.PullCommand{}, err
	}
	return row.command()
}

// CountPullCommands tells how many there are below a pull request that were made behind the id, and how many of them are of an author.
func (t *Tx) CountPullCommands(ctx context.Context, pullID, author, after string) (all, ofAuthor int, err error) {
	var authors []string
	err = t.db.NewSelect().Model((*pullCommandRow)(nil)).Column("author").Where("pull_id = ?", clean(pullID)).Where("id > ?", clean(after)).Scan(ctx, &authors)
	if err != nil {
		return 0, 0, fmt.Errorf("count commands: %w", err)
	}
	for _, x := range authors {
		if x == clean(author) {
			ofAuthor++
		}
	}
	return len(authors), ofAuthor, nil
}

// UpdatePullCommand writes how far one is that is pending: Conflict with code COMMAND_OVER when it is not any more, NotFound with code COMMAND_NOT_FOUND when there
// is none.
func (t *Tx) UpdatePullCommand(ctx context.Context, c blueberry.PullCommand) error {
	row, err := pullCommandToRow(c)
	if err != nil {
		return err
	}
	res, err := t.db.NewUpdate().Model(&row).Column("outcome", "silent", "began", "answer", "updated_at").
		Where("id = ?", row.ID).Where("outcome = ?", string(blueberry.CommandPending)).Exec(ctx)
	n, err := touched("update command", res, err)
	if err != nil || n == 1 {
		return err
	}
	if _, err := t.PullCommand(ctx, c.ID); err != nil {
		return err
	}
	return blueberry.Errorf(blueberry.Conflict, "COMMAND_OVER", "command %s is over", c.ID)
}

// SetPullAnswer notes, of every command of a comment, which comment answers it and what that says.
func (t *Tx) SetPullAnswer(ctx context.Context, pullID, commentID, answerID, digest string) error {
	_, err := t.db.NewUpdate().Model((*pullCommandRow)(nil)).Set("answer_id = ?", clean(answerID)).Set("answered = ?", clean(digest)).
		Where("pull_id = ?", clean(pullID)).Where("comment_id = ?", clean(commentID)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note answer: %w", err)
	}
	return nil
}
