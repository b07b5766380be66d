package github

import (
	"encoding/json"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// readers are of the events that are about comments and branches.
var readers = map[string]func(r *source.Reading, body []byte) (source.Incoming, error){"issue_comment": readComment, "push": readPush}

type commentEvent struct {
	Action     string     `json:"action"`
	Repository repository `json:"repository"`
	Issue      struct {
		Number int64           `json:"number"`
		Pull   json.RawMessage `json:"pull_request"` // only there for a pull request
	} `json:"issue"`
	Comment struct {
		ID   int64  `json:"id"`
		Body string `json:"body"`
		User struct {
			Login string `json:"login"`
			Type  string `json:"type"`
		} `json:"user"` // null when they are gone
		App       json.RawMessage `json:"performed_via_github_app"` // null for people
		CreatedAt string          `json:"created_at"`
	} `json:"comment"`
}

// readComment reads an event of a comment. Only a new one below a pull request is one.
func readComment(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said commentEvent
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	in.Repository, in.Action = r.Name("repository.full_name", said.Repository.FullName), r.Text("action", said.Action, source.MaxName)
	if said.Action != "created" || absent(said.Issue.Pull) {
		return in, nil
	}
	in.Comment = &blueberry.PullComment{
		ID:     r.ID("comment.id", said.Comment.ID),
		Number: r.Number("issue.number", said.Issue.Number),
		Author: r.Text("comment.user.login", said.Comment.User.Login, source.MaxName),
		Bot:    said.Comment.User.Type != "User" || !absent(said.Comment.App),
		Text:   r.Lines(said.Comment.Body),
		At:     r.Time("comment.created_at", said.Comment.CreatedAt),
	}
	return in, nil
}

func absent(js json.RawMessage) bool { return len(js) == 0 || string(js) == "null" }

type pushEvent struct {
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Repository struct {
		FullName string          `json:"full_name"`
		PushedAt json.RawMessage `json:"pushed_at"` // seconds since 1970 in this event, and a text in others
	} `json:"repository"`
}

// readPush reads an event of a push. Its time is that of the repository: those of commits are what their authors say.
func readPush(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said pushEvent
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	in.Repository = r.Name("repository.full_name", said.Repository.FullName)
	in.Pushes = r.Pushes("after", pushedAt(r, said.Repository.PushedAt), source.Pushed{Ref: r.Text("ref", said.Ref, maxRef), Commit: said.After})
	return in, nil
}

const maxRef = source.MaxName + len("refs/heads/")

func pushedAt(r *source.Reading, js json.RawMessage) time.Time {
	const field = "repository.pushed_at"
	var seconds int64
	var text string
	switch {
	case absent(js):
		return time.Time{}
	case json.Unmarshal(js, &seconds) == nil:
		return r.Moment(field, seconds)
	case json.Unmarshal(js, &text) != nil:
		text = "no time"
	}
	return r.Time(field, text)
}
