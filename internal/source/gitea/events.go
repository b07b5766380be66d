package gitea

import (
	"strings"
	"time"

	"github.com/blueberry-idp/blueberry/internal/blueberry"
	"github.com/blueberry-idp/blueberry/internal/source"
)

// readers are of the events that are about comments and branches. Servers call a comment below a pull request one of an issue, and some by its own name.
var readers = map[string]func(r *source.Reading, body []byte) (source.Incoming, error){
	"issue_comment": readComment, "pull_request_comment": readComment, "push": readPush, "delete": readDelete,
}

type commentEvent struct {
	Action     string     `json:"action"`
	IsPull     bool       `json:"is_pull"`
	Repository repository `json:"repository"`
	Issue      struct {
		Number int64 `json:"number"`
	} `json:"issue"`
	Comment struct {
		ID   int64  `json:"id"`
		Body string `json:"body"`
		User struct {
			Login string `json:"login"`
		} `json:"user"`
		CreatedAt string `json:"created_at"`
	} `json:"comment"`
}

// workflows are the users as which workflows of the server itself act.
var workflows = map[string]bool{"gitea-actions": true, "forgejo-actions": true}

// readComment reads an event of a comment. Only a new one below a pull request is one.
func readComment(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said commentEvent
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	in.Repository, in.Action = r.Name("repository.full_name", said.Repository.FullName), r.Text("action", said.Action, source.MaxName)
	if said.Action != "created" || !said.IsPull {
		return in, nil
	}
	in.Comment = &blueberry.PullComment{
		ID:     r.ID("comment.id", said.Comment.ID),
		Number: r.Number("issue.number", said.Issue.Number),
		Author: r.Text("comment.user.login", said.Comment.User.Login, source.MaxName),
		Bot:    workflows[said.Comment.User.Login],
		Text:   r.Lines(said.Comment.Body),
		At:     r.Time("comment.created_at", said.Comment.CreatedAt),
	}
	return in, nil
}

type pushEvent struct {
	Ref        string     `json:"ref"`
	After      string     `json:"after"`
	Repository repository `json:"repository"`
}

// readPush reads an event of a push. It tells no time but those of commits, which are what their authors say.
func readPush(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said pushEvent
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	in.Repository = r.Name("repository.full_name", said.Repository.FullName)
	in.Pushes = r.Pushes("after", time.Time{}, source.Pushed{Ref: r.Text("ref", said.Ref, maxRef), Commit: said.After})
	return in, nil
}

// readDelete reads an event of a branch or tag that is gone: there is no push of that.
func readDelete(r *source.Reading, body []byte) (in source.Incoming, err error) {
	var said struct {
		Ref        string     `json:"ref"` // "main"; of some servers the whole name
		Type       string     `json:"ref_type"`
		Repository repository `json:"repository"`
	}
	if err := source.Decode(body, &said); err != nil {
		return in, err
	}
	in.Repository = r.Name("repository.full_name", said.Repository.FullName)
	if said.Type == "branch" {
		name := strings.TrimPrefix(r.Text("ref", said.Ref, maxRef), "refs/heads/")
		in.Pushes = r.Pushes("ref", time.Time{}, source.Pushed{Ref: "refs/heads/" + name})
	}
	return in, nil
}

const maxRef = source.MaxName + len("refs/heads/")
