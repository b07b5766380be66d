package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
)

// maxAnswerText is how long an answer is, in characters: what every host takes.
const maxAnswerText = 30_000

// commandsOf gives the commands of the comment of one, in the order of their lines.
func commandsOf(ctx context.Context, tx Tx, c blueberry.PullCommand) ([]blueberry.PullCommand, error) {
	list, err := tx.PullCommands(ctx, blueberry.PullCommandQuery{PullID: c.PullID, CommentID: c.CommentID, Limit: blueberry.MaxPullCommands + 1})
	slices.SortFunc(list, func(a, b blueberry.PullCommand) int { return a.Line - b.Line })
	if err == nil && len(list) == 0 {
		return nil, blueberry.Errorf(blueberry.NotFound, "COMMAND_NOT_FOUND", "there is no command %q", c.ID)
	}
	return list, err
}

// answerComment has the comment of a command bear one answer, for all of its commands. One of them does so, so that there are never two: the one that is being
// carried out and takes a while, or else the last.
func (s *Repositories) answerComment(ctx context.Context, x commanding) (blueberry.JobOutcome, error) {
	list, err := view(ctx, s, func(tx Tx) ([]blueberry.PullCommand, error) { return commandsOf(ctx, tx, x.c) })
	if err != nil {
		return blueberry.JobOutcome{}, ignoreGone(err)
	}
	last, waits := list[len(list)-1].ID, false
	for _, c := range list {
		if c.Outcome == blueberry.CommandPending {
			if waits = true; c.Began != "" {
				last, waits = c.ID, false
				break
			}
		}
	}
	text := answerText(x.r, x.p, list)
	sum := digest(text)
	told := !slices.ContainsFunc(list, func(c blueberry.PullCommand) bool { return c.Answered != sum })
	switch now := s.Now(); {
	case last != x.c.ID || waits || text == "" || told || len(x.r.Credential) == 0 || now.Sub(x.c.CreatedAt) > 2*blueberry.PullCommandLife:
		return blueberry.JobOutcome{}, nil
	case now.Before(x.r.Health.PausedUntil):
		return blueberry.JobOutcome{Again: x.r.Health.PausedUntil.Sub(now)}, nil
	}
	id := ""
	for _, c := range list {
		if c.AnswerID != "" {
			id = c.AnswerID
		}
	}
	c, speaker, failed := s.connect(ctx, x.r)
	if failed == nil {
		id, failed = speaker.WriteComment(ctx, c, x.p.Number, id, answerMark(x.r, x.c), text)
	}
	if failed == nil {
		if err := s.Record.Update(ctx, func(tx Tx) error { return tx.SetPullAnswer(ctx, x.c.PullID, x.c.CommentID, id, sum) }); err != nil {
			return blueberry.JobOutcome{}, err
		}
	}
	spoken := failed
	if alone(failed) { // a conversation that is locked, a right that the credential lacks: no trouble of the host
		spoken = nil
	}
	again, err := s.spoke(ctx, x.r, spoken)
	if alone(failed) {
		again = backOff(s.Now().Sub(x.c.CreatedAt))
	}
	return blueberry.JobOutcome{Again: again}, ignoreGone(err)
}

// answerMark tells the answer to a comment from other comments.
func answerMark(r blueberry.Repository, c blueberry.PullCommand) string {
	mark := "blueberry:cmd:" + c.PullID + ":" + digest(c.CommentID)
	if r.Host == blueberry.HostBitbucket { // it shows the other as text
		return "[//]: # (" + mark + ")\n"
	}
	return "<!-- " + mark + " -->"
}

// answerText is the answer to a comment; empty when there is nothing to say.
func answerText(r blueberry.Repository, p blueberry.PullRequest, list []blueberry.PullCommand) string {
	var b strings.Builder
	for _, c := range list {
		answer := c.Answer
		switch {
		case c.Silent:
			continue
		case c.Outcome == blueberry.CommandPending:
			answer = headline("…", c, "working on it")
		}
		if b.Len()+len(answer) > maxAnswerText {
			answer, _, _ = strings.Cut(answer, "\n")
		}
		b.WriteString("\n" + answer + "\n")
	}
	if b.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("%s\n**Blueberry** to %s, of environment `%s`\n%s", answerMark(r, list[0]), plain(short(cut(list[0].Who(), 100))), r.Policy.EnvironmentName(p.Number), b.String())
}

// headline is the line that says what became of a command. It begins with a sign, so that it is no command itself.
func headline(sign string, c blueberry.PullCommand, text string) string {
	return fmt.Sprintf("%s **%s**: %s", sign, plain(short(cut(c.Text(), 200))), text)
}

// answerOf is what a command is answered.
func answerOf(c blueberry.PullCommand, done carried) string {
	sign, text := "✓", plain(cut(done.text, 2000))
	switch {
	case done.outcome == blueberry.CommandRefused:
		sign, text = "✗", "refused: "+text
	case done.outcome == blueberry.CommandFailed:
		sign, text = "✗", "failed: "+text
	}
	out := headline(sign, c, text)
	if done.body != "" {
		out += "\n\n" + done.body
	}
	return out
}

// verbsText lists what can be asked for.
func verbsText() string {
	var b strings.Builder
	b.WriteString("| command | does | it takes |\n|---|---|---|\n")
	for _, v := range blueberry.PullVerbs() {
		form, does := v.Usage()
		fmt.Fprintf(&b, "| `/blueberry %s` | %s | %s |\n", form, does, v.Needs())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fence is a text as it is, in a block of code that it cannot end.
func fence(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	bar := strings.Repeat("`", longest+1)
	return bar + "text\n" + text + "\n" + bar
}
